"""What was cut off, left out, repeated or added."""

import re

from pipeline.quality.arabic import fold
from pipeline.quality.lexicon import lexicon
from schemas.quality import Finding

_END = re.compile("[.!?؟。…:؛;][\"'»”’)\\]\\s\u200e\u200f]*$")
_MIN_END_CHARS = 25
#: Human Arabic is .60 to 1.48 times as long as its English (1st and 99th percentile of TICO-19, in characters). Short texts
#: vary more: "What shape do the glands have?" is ما شكل الغدد؟, .43 of it.
_SHORT, _LONG, _RATIO_CHARS = 0.45, 2.2, 60
_FAR_TOO_SHORT, _FAR_TOO_LONG = 0.25, 4.0
#: An abbreviation written out is many times as long as it ("CT": التصوير المقطعي المحوسب, 23 characters); this much is free.
_FREE_CHARS = 40


def truncation(source: str, target: str, _kind: str) -> list[Finding]:
    """The source ends a sentence, the target does not."""
    if len(source) < _MIN_END_CHARS or not _END.search(source) or _END.search(target):
        return []
    end = len(target.rstrip())
    message = "the source ends its sentence, the translation does not"
    span = (max(0, end - 1), end)
    return [Finding(check="truncation", category="accuracy/omission", severity="major", message=message, target_span=span)]


def length_ratio(source: str, target: str, _kind: str) -> list[Finding]:
    """Much shorter or longer than human translations are."""
    long, size = len(source) >= _RATIO_CHARS, len(fold(target).text)
    ratio = size / max(1, len(source))
    if len(source) >= _MIN_END_CHARS and ratio < (_SHORT if long else _FAR_TOO_SHORT):
        message = f"{ratio:.2f} times the source's length: something is missing"
        return [Finding(check="length_ratio", category="accuracy/omission", severity="critical", message=message)]
    if size > _FREE_CHARS and ratio > (_LONG if long else _FAR_TOO_LONG):
        message = f"{ratio:.2f} times the source's length: something was added"
        return [Finding(check="length_ratio", category="accuracy/addition", severity="critical", message=message)]
    return []


def repetition(source: str, target: str, _kind: str) -> list[Finding]:
    """A loop: the same three words three times, or one word four times in a row, that the source does not repeat."""
    folded = fold(target)
    # Folded, because harakat are no letters to \w: a vocalised word would be as many words as it has consonants.
    words = [(match.group(), folded.span(*match.span())) for match in re.finditer(r"\w+", folded.text)]
    for size, times in ((1, 4), (2, 3), (3, 3)):
        for at in range(len(words) - size * times + 1):
            run = [word for word, _ in words[at : at + size * times]]
            if run == run[:size] * times and not all(word.isdigit() for word in run):
                span = (words[at][1][0], words[at + size * times - 1][1][1])
                message = f"repeats itself: {' '.join(run[:size])}"
                return [
                    Finding(
                        check="repetition", category="fluency/repetition", severity="critical", message=message, target_span=span
                    )
                ]
    return _far_repetition(source, words)


def _far_repetition(source: str, words: list[tuple[str, tuple[int, int]]]) -> list[Finding]:
    """Five words that stand three times anywhere, in a text whose source has no such run."""
    seen: dict[tuple[str, ...], int] = {}
    english = re.findall(r"\w+", source)
    repeats = len(english) - len({tuple(english[at : at + 4]) for at in range(len(english))})
    for at in range(len(words) - 4):
        run = tuple(word for word, _ in words[at : at + 5])
        seen[run] = seen.get(run, 0) + 1
        if seen[run] >= 3 and repeats < 2:
            span = (words[at][1][0], words[at + 4][1][1])
            message = f"repeats itself: {' '.join(run)}"
            return [
                Finding(check="repetition", category="fluency/repetition", severity="critical", message=message, target_span=span)
            ]
    return []


def preamble(source: str, target: str, _kind: str) -> list[Finding]:
    """A chat model that talks about its translation."""
    folded, words = fold(target), lexicon()["preamble"]
    openings = [] if re.search(words["source"], source, re.I) else [words["opening"]]
    for pattern in (*openings, *words["target"]):
        found = re.search(pattern, folded.text)
        if found and not re.search(r"\btranslat", source, re.I):
            span = folded.span(*found.span())
            return [
                Finding(
                    check="preamble",
                    category="accuracy/addition",
                    severity="critical",
                    message="talks about the translation",
                    target_span=span,
                )
            ]
    return []
