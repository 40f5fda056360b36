"""What was cut off, left out, repeated or added."""

import re
from collections import Counter
from functools import lru_cache

from pipeline.quality.arabic import fold
from pipeline.quality.checks.pieces import parts
from pipeline.quality.checks.words import Word, arabic_words
from pipeline.quality.lexicon import lexicon
from schemas.base import Severity
from schemas.quality import Finding

#: Numbers of the first and last word of a repeated part.
Run = tuple[int, int]
_END = re.compile("[.!?؟。…:؛;][\"'»”’)\\]\\s\u200e\u200f]*$")
_INNER_END = re.compile(r"[.!?؟][\"'»”)\]]*\s+\S|\n")
_SENTENCE_GAP = re.compile(r"[.!?؟\n]")
_MIN_END_CHARS = 25
#: From this many English characters: missing (critical, major) below, added (major, critical) above. Human Arabic is .54 to 1.41
#: times as long as its English in all 1,675 pairs of TICO-19 of 60 characters and more, .48 to 1.52 in the shorter ones. Short
#: texts vary more: "What shape do the glands have?" is ما شكل الغدد؟, .43 of it.
_RATIOS = ((60, 0.45, 0.51, 1.65, 2.2), (40, 0.3, 0.41, 2.2, 4.0), (0, 0.25, 0.33, 3.0, 4.0))
#: An abbreviation written out is many times as long as it ("CT": التصوير المقطعي المحوسب, 23 characters); this much is free in
#: any text, and for each abbreviation of the source ("MI, PE, DVT or COPD").
_FREE_CHARS, _WRITTEN_OUT = 40, 20
_ABBREVIATION = re.compile(r"\b(?:pH|[A-Z][a-z]{0,2}[A-Z]+[a-z]?\d?)\b|\b[Cc]ovid")
#: Where a sentence of the source may well become two.
_ROOM = re.compile(r"[;—\n]|:\s|\s[-–]\s|\.\s?\.|[.!?][\"'”’)\]]*\s*[\"'“(\[]?[A-Z]|(?<=\s)\(?[A-H][.)]\s")
_LEAST_EXTRA, _MOST_CUT = 0.9, 1.45
#: Fewer sentences than the source, of three and more, in a text this much shorter: one was left out, not joined to another.
_MERGED, _MIN_SENTENCES = 0.68, 3
_LEAST_TIMES = 3
_LEAST_TWICE, _MOST_STARTS, _LEAST_FAR = 3, 4, 15
#: The source says it twice itself.
_TWICE = re.compile(r"\b((?:\w+ ){2,20}\w+)\W+\1\b")


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
    size = len(source)
    if size < _MIN_END_CHARS and len(target) <= _FREE_CHARS:
        return []
    written = len(fold(target).text)
    ratio = written / max(1, size)
    far, short, long, far_too_long = next(limits for least, *limits in _RATIOS if size >= least)
    if size >= _MIN_END_CHARS and ratio < short:
        message = f"{ratio:.2f} times the source's length: something is missing"
        severity: Severity = "critical" if ratio < far else "major"
        return [Finding(check="length_ratio", category="accuracy/omission", severity=severity, message=message)]
    if written > _FREE_CHARS and ratio > long and written - _WRITTEN_OUT * len(_ABBREVIATION.findall(source)) > long * size:
        message = f"{ratio:.2f} times the source's length: something was added"
        severity = "critical" if ratio > far_too_long else "major"
        return [Finding(check="length_ratio", category="accuracy/addition", severity=severity, message=message)]
    if ratio < _MERGED and size >= _RATIOS[0][0] and _INNER_END.search(source):
        here, there = len(parts(source)), len(parts(target))
        if here >= _MIN_SENTENCES and there < here:
            message = f"{there} sentences for {here}, and {ratio:.2f} times the source's length: something is missing"
            return [Finding(check="length_ratio", category="accuracy/omission", severity="major", message=message)]
    return []


def extra_sentence(source: str, target: str, _kind: str) -> list[Finding]:
    """More sentences than the source has: something was added behind it or before it."""
    if not _INNER_END.search(target):
        return []
    here, there = len(parts(source)), parts(target)
    if len(there) <= here or not here:
        return []
    written = sum(len(fold(part).text) for part, _ in there)
    # A semicolon, a dash or a colon may become a full stop; a sentence that only was cut in two adds nothing.
    room = len(there) <= 1 + len(_ROOM.findall(source)) and written <= _MOST_CUT * len(source)
    if room or written < _LEAST_EXTRA * len(source):
        return []
    message = f"{len(there)} sentences, the source has {here}"
    return [
        Finding(
            check="extra_sentence",
            category="accuracy/addition",
            severity="major",
            message=message,
            target_span=(there[here][1], len(target.rstrip())),
        )
    ]


def repetition(source: str, target: str, _kind: str) -> list[Finding]:
    """A loop: the same three words three times, one word four times in a row, a sentence twice, unless the source does so."""
    folded = fold(target)
    # Folded, because harakat are no letters to \w: a vocalised word would be as many words as it has consonants.
    words = arabic_words(folded.text)
    most = max(Counter(word.text for word in words).values(), default=0)
    found = _near_repetition(words) if most >= _LEAST_TIMES else None
    if found is None and most > 1:
        found = _said_twice(source, folded.text, words)
    if found is None and most >= _LEAST_TIMES:
        found = _far_repetition(source, words)
    if found is None:
        return []
    first, last = found
    message = f"repeats itself: {' '.join(word.text for word in words[first : first + 5])[:80]}"
    span = folded.span(words[first].start, words[last].end)
    return [Finding(check="repetition", category="fluency/repetition", severity="critical", message=message, target_span=span)]


def _near_repetition(words: list[Word]) -> Run | None:
    texts = [word.text for word in words]
    for size, times in ((1, 4), (2, 3), (3, 3)):
        for at in range(len(texts) - size * times + 1):
            # The cheap comparison first: nearly no word is followed by itself.
            if texts[at] != texts[at + size]:
                continue
            run = texts[at : at + size * times]
            if run == run[:size] * times and not all(word.isdigit() for word in run):
                return at, at + size * times - 1
    return None


def _said_twice(source: str, folded: str, words: list[Word]) -> Run | None:
    """A run of three words and more that follows itself at once, the whole sentence again."""
    texts = [word.text for word in words]
    places: dict[str, list[int]] = {}
    for at, text in enumerate(texts):
        for before in places.setdefault(text, []):
            size = at - before
            if size >= _LEAST_TWICE and texts[before:at] == texts[at : at + size] and _opens(folded, words, before):
                english = re.findall(r"\w+", source.lower())
                own = len(set(english)) * 3 < len(english) * 2 or _TWICE.search(" ".join(english))
                return None if own else (before, at + size - 1)
        places[text] = [*places[text][-_MOST_STARTS:], at]
    return None


def _opens(folded: str, words: list[Word], number: int) -> bool:
    """The word is the first of the text or of a sentence: "the WHO (the WHO)" is how a name and its short form come out."""
    return number == 0 or bool(_SENTENCE_GAP.search(folded, words[number - 1].end, words[number].start))


def _far_repetition(source: str, words: list[Word]) -> Run | None:
    """Five words that stand three times anywhere, in a text whose source has no such run."""
    if len(words) < _LEAST_FAR:
        return None
    seen: dict[tuple[str, ...], int] = {}
    english = re.findall(r"\w+", source)
    repeats = len(english) - len({tuple(english[at : at + 4]) for at in range(len(english))})
    texts = [word.text for word in words]
    for at in range(len(words) - 4):
        run = tuple(texts[at : at + 5])
        seen[run] = seen.get(run, 0) + 1
        if seen[run] >= 3 and repeats < 2:
            return at, at + 4
    return None


def preamble(source: str, target: str, _kind: str) -> list[Finding]:
    """A chat model that talks about its translation."""
    folded, found = fold(target), None
    if not _preamble_patterns()[0].search(source):
        found = _preamble_patterns()[1].search(folded.text)
    if not found and any(sign in folded.text for sign in _signs()) and not _preamble_patterns()[2].search(source):
        found = next((match for pattern in _preamble_patterns()[3:] if (match := pattern.search(folded.text))), None)
    if not found:
        return []
    return [
        Finding(
            check="preamble",
            category="accuracy/addition",
            severity="critical",
            message="talks about the translation",
            target_span=folded.span(*found.span()),
        )
    ]


@lru_cache(maxsize=1)
def _signs() -> tuple[str, ...]:
    return tuple(fold(sign).text for sign in lexicon()["preamble"]["sign"])


@lru_cache(maxsize=1)
def _preamble_patterns() -> tuple[re.Pattern[str], ...]:
    """What excuses an opening, the opening, what excuses the rest, the rest."""
    words = lexicon()["preamble"]
    return (
        re.compile(words["source"], re.I),
        re.compile(words["opening"]),
        re.compile(words["source_says"], re.I),
        *(re.compile(pattern) for pattern in words["target"]),
    )
