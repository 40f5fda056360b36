"""The small words that turn a finding around: negation, side, level."""

import re
from functools import lru_cache

from pipeline.quality.arabic import fold, word_pattern
from pipeline.quality.lexicon import lexicon
from schemas.quality import Finding

_CODE = re.compile(r"(?<![\w.])([TLCS]\d{1,2}(?:\s*[-–/]\s*[TLCS]?\d{1,2})?)(?![\w])")
_LATIN_CODE = re.compile(r"(?<![A-Za-z\d])([TLCS])\s?(\d{1,2})(?![A-Za-z\d])")
#: A statement that something is absent, where the source says nothing of the kind.
_ABSENCE = re.compile(r"(?<!\w)(?:و|ف)?لا (?:يوجد|توجد|وجود)(?!\w)")
#: Words that Arabic may well say with an absence ("the lungs are clear": no opacities are seen).
_NEGATIVE_WORDS = re.compile(
    r"\b(?:un|in|im|non-?)\w{4,}|\b(?:clear|normal|lack|only|few|little|hardly|rare|except|fail\w*|missing)\b"
)


def negation(source: str, target: str, _kind: str) -> list[Finding]:
    """The source negates and the target does not; or the target states an absence that the source does not."""
    english, exceptions, arabic = _negations()
    plain, folded = fold(source), fold(target)
    stripped = exceptions.sub(lambda match: " " * len(match.group()), plain.text)
    said = english.search(stripped)
    if said and not arabic.search(_unexplained(plain.text, folded.text)):
        message = f"the negation {said.group()!r} is lost"
        return [_finding("negation", message, plain.span(*said.span()), None)]
    absent = _ABSENCE.search(folded.text)
    if absent and not said and not exceptions.search(plain.text) and not _NEGATIVE_WORDS.search(plain.text):
        return [_finding("negation", "states an absence that the source does not", None, folded.span(*absent.span()))]
    return []


def laterality(source: str, target: str, _kind: str) -> list[Finding]:
    """Left and right of the body: the same sides in both texts."""
    tied, left, right = _sides()
    wanted = {(match["a"] or match["b"] or match["c"]).lower(): match.span() for match in tied.finditer(source)}
    if not wanted:
        return []
    folded = fold(target)
    there = {"left": left.search(folded.text), "right": right.search(folded.text)}
    findings = []
    for side, span in wanted.items():
        other = there["right" if side == "left" else "left"]
        if there[side]:
            continue
        what = "turned around" if other and len(wanted) == 1 else "lost"
        target_span = folded.span(*other.span()) if other and len(wanted) == 1 else None
        findings.append(_finding("laterality", f"{side} is {what}", span, target_span))
    if len(wanted) == 1 and not findings:
        side = next(iter(wanted))
        other = there["right" if side == "left" else "left"]
        if other and not re.search(rf"\b{'right' if side == 'left' else 'left'}\b", source, re.I):
            findings.append(_finding("laterality", f"a side is added to {side}", wanted[side], folded.span(*other.span())))
    return findings


def codes(source: str, target: str, _kind: str) -> list[Finding]:
    """Vertebral levels and sequences (T2, L4-L5, C3): another code in their place is an error."""
    wanted = {_plain(code) for match in _CODE.finditer(source) for code in _LATIN_CODE.findall(match.group())}
    found = {_plain(code) for code in _LATIN_CODE.findall(fold(target).text.upper())}
    if not wanted or not found or wanted <= found:
        return []
    message = f"{', '.join(sorted(wanted - found))} became {', '.join(sorted(found - wanted)) or 'nothing'}"
    return [_finding("codes", message, None, None)]


def _unexplained(source: str, target: str) -> str:
    """The folded target without the negative words that a word of the source accounts for."""
    for word, negative in _explained():
        if word in source:
            target = negative.sub(" ", target)
    return target


@lru_cache
def _explained() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((word, word_pattern(arabic)) for word, arabic in lexicon()["negation"]["explained"].items())


@lru_cache
def _negations() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    words = lexicon()["negation"]
    plain = [word for word in words["english"] if word != "n't"]
    english = re.compile(rf"\b(?:{'|'.join(plain)})\b|n['’]t\b")
    return english, re.compile(rf"\b(?:{'|'.join(words['english_not'])})"), word_pattern(words["arabic"])


@lru_cache
def _sides() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    words = lexicon()["laterality"]
    anatomy = "|".join(words["anatomy"])
    tied = re.compile(
        # "Right in the middle of my chest", "right now" are no sides.
        r"\b(?P<a>left|right)(?![ -](?:in|at|now|away|here|there|before|after|behind|next|through)\b)"
        rf"(?=[ -](?:\w+[ -]){{0,2}}?(?:{anatomy})\b)|"
        r"\b(?:on|to|of|in|at) (?:the|his|her|your|my) (?P<b>left|right)\b(?! (?:time|way|place|track|thing))|"
        r"^(?P<c>left|right)$",
        re.I,
    )
    return tied, word_pattern(words["left"]), word_pattern(words["right"])


def _plain(code: tuple[str, str]) -> str:
    return f"{code[0]}{int(code[1])}"


def _finding(check: str, message: str, source_span: tuple[int, int] | None, target_span: tuple[int, int] | None) -> Finding:
    return Finding(
        check=check,
        category="accuracy/mistranslation",
        severity="critical",
        message=message,
        source_span=source_span,
        target_span=target_span,
    )
