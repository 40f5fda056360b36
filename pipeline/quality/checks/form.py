"""What must come back exactly: marks, letters, placeholders, addresses; and the kind of sentence."""

import re
from collections import Counter

from pipeline.quality.arabic import fold, word_pattern
from pipeline.quality.lexicon import lexicon
from schemas.quality import Finding
from schemas.sample import IMAGE_MARK

_OPTION = re.compile(r"^([A-H])\. ", re.M)
#: The same inside a line: (A), or B) and C. after the first.
_INLINE_OPTION = re.compile(r"(?<!\S)\(([A-H])\)(?=\s)|(?<=\s)([A-H])[.)](?=\s)")
#: "The answer is B", "option (C)".
_NAMED_OPTION = re.compile(r"\b(?:[Aa]nswer|[Oo]ption|[Cc]hoice)(?: is|:)? \(?([A-H])\b(?! [a-z]+ing\b)")
_OPTION_WORDS = ("nswer", "ption", "hoice")
_LETTER_ALONE = re.compile(r"(?<![A-Za-z0-9])([A-H])(?![A-Za-z0-9])")
#: One letter alone is an initial or a vitamin.
_LEAST_INLINE = 3
_PLACEHOLDER = re.compile(r"\[(?:NAME|DATE|PHONE|EMAIL|ID|ADDRESS|REDACTED)\]")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'،؛؟]+[^\s<>\"'،؛؟.,;:!?)]")
#: "No evidence of …" is a negation, not an answer.
_YES_NO = re.compile(r"^\s*(yes|no)\s*(?:[,.;:!]|$)", re.I)
#: Marks of direction and joiners are nothing to read.
_VISIBLE = re.compile(r"[^\s\u200b-\u200f\u2060-\u2069\u202a-\u202e\ufeff\u00ad\u061c]")
#: Marks of direction may follow the last sign: writers of mixed text put them there.
_QUESTION = re.compile("[?؟][\"'»”)\\]\\s\u200e\u200f]*$")


def empty(source: str, target: str, _kind: str) -> list[Finding]:
    """No target for a source, the other way round, or nothing at all: what was never read is not accepted."""
    if _VISIBLE.search(target) and _VISIBLE.search(source):
        return []
    what = "there is a translation of nothing" if _VISIBLE.search(target) else "the translation is empty"
    return [Finding(check="empty", category="accuracy/omission", severity="critical", message=what)]


def image_marks(source: str, target: str, _kind: str) -> list[Finding]:
    """`<image>` as often as in the source, and at the same end."""
    if source.count(IMAGE_MARK) != target.count(IMAGE_MARK):
        message = f"{target.count(IMAGE_MARK)} {IMAGE_MARK} marks, the source has {source.count(IMAGE_MARK)}"
        return [Finding(check="image_marks", category="accuracy/omission", severity="critical", message=message)]
    moved = source.strip().startswith(IMAGE_MARK) != target.strip().startswith(IMAGE_MARK)
    if IMAGE_MARK in source and moved:
        return [
            Finding(check="image_marks", category="fluency/markup", severity="major", message=f"{IMAGE_MARK} stands elsewhere")
        ]
    return []


def option_letters(source: str, target: str, _kind: str) -> list[Finding]:
    """The letters of a multiple choice, in order."""
    wanted, found = _OPTION.findall(source), _OPTION.findall(target)
    if wanted == found:
        named = _NAMED_OPTION.search(source) if any(sign in source for sign in _OPTION_WORDS) else None
        letters = set(_LETTER_ALONE.findall(target)) if named else set()
        if named and letters and named[1] not in letters:
            return [_wrong_letters(sorted(letters), [named[1]])]
        if "A)" not in source and "A. " not in source:
            return []
        inline = [one or other for one, other in _INLINE_OPTION.findall(source)]
        if len(inline) < _LEAST_INLINE or inline != sorted(set(inline)):
            return []
        wanted, found = inline, [one or other for one, other in _INLINE_OPTION.findall(target)]
        if wanted == found or not found:
            # None at all: written as أ، ب، ج, or left to the text.
            return []
    return [_wrong_letters(found, wanted)]


def _wrong_letters(found: list[str], wanted: list[str]) -> Finding:
    message = f"option letters are {' '.join(found) or 'none'}, the source has {' '.join(wanted) or 'none'}"
    return Finding(check="option_letters", category="accuracy/mistranslation", severity="critical", message=message)


def placeholders(source: str, target: str, _kind: str) -> list[Finding]:
    """[NAME], [DATE], … are copied, not translated and not filled in."""
    wanted, found = Counter(_PLACEHOLDER.findall(source)), Counter(_PLACEHOLDER.findall(target))
    if wanted == found:
        return []
    wrong = sorted((wanted - found) + (found - wanted))
    message = f"placeholders differ: {', '.join(wrong)}"
    return [Finding(check="placeholders", category="accuracy/omission", severity="critical", message=message)]


def urls(source: str, target: str, _kind: str) -> list[Finding]:
    """Addresses are copied, but for a slash at the end, which right-to-left editors lose or move."""
    here, there = ({address.rstrip("/"): address for address in _URL.findall(text)} for text in (source, target))
    missing = sorted(here[address] for address in here.keys() - there.keys())
    message = f"the address {missing[0]!r} is missing" if missing else ""
    return [Finding(check="urls", category="accuracy/omission", severity="major", message=message)] if missing else []


def polarity(source: str, target: str, _kind: str) -> list[Finding]:
    """An answer that begins with yes or no begins so in Arabic."""
    said = _YES_NO.match(source)
    if not said:
        return []
    words = lexicon()["polarity"]
    folded = fold(target)
    meant, other = (words["yes"], words["no"]) if said[1].lower() == "yes" else (words["no"], words["yes"])
    start = folded.text.lstrip(" \n\"'«(")
    if word_pattern(meant, prefixed=False).match(start):
        return []
    flipped = word_pattern(other, prefixed=False).match(start)
    severity, what = ("critical", "turned around") if flipped else ("major", "not said")
    message = f"'{said[1]}' at the beginning is {what}"
    span = (said.start(1), said.end(1))
    return [
        Finding.model_validate(
            {
                "check": "polarity",
                "category": "accuracy/mistranslation",
                "severity": severity,
                "message": message,
                "source_span": span,
            }
        )
    ]


def question(source: str, target: str, _kind: str) -> list[Finding]:
    """A question stays a question, a statement a statement."""
    asked, asks = bool(_QUESTION.search(source)), bool(_QUESTION.search(target))
    # A question whose choices follow it may take them in.
    marks = source.count("?")
    if asked == asks or (asks and marks and marks == target.count("؟") + target.count("?")):
        return []
    message = "the question became a statement" if asked else "the statement became a question"
    return [Finding(check="question", category="accuracy/mistranslation", severity="major", message=message)]
