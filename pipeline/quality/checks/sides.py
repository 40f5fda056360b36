"""Left and right: the same sides in both texts, each at its own place of the body. Word lists: lexicon.toml, [laterality]."""

import re
from functools import lru_cache

from pipeline.quality.arabic import Folded, fold, word_pattern
from pipeline.quality.checks.words import Word, arabic_words, bare_forms, english_words
from pipeline.quality.lexicon import lexicon
from schemas.quality import Finding, Span

_OTHER = {"left": "right", "right": "left"}
#: LV, RUQ, LAD: a side inside an abbreviation.
_SHORT_SIDE = re.compile(r"\b[LR][A-Z]{0,4}\b|\b(?:dextro|levo|sinist|clockwise|apical)")
_ADDED_SIDE = re.compile(r"(?<!\w)[وف]?(?:[بك]?ال|لل)(?:ايمن|ايسر|يسري|يمني)(?!\w)")
#: As words of the body; without the article يسري is "applies", and يمني a man of Yemen.
_CERTAIN_SIDES = {
    "left": re.compile(r"(?<!\w)[وف]?(?:[بك]?(?:ال)?|لل)(?:ايسر)(?!\w)|(?<!\w)[وف]?(?:[بك]?ال|لل)يسري(?!\w)"),
    "right": re.compile(r"(?<!\w)[وف]?(?:[بك]?(?:ال)?|لل)(?:ايمن)(?!\w)|(?<!\w)[وف]?(?:[بك]?ال|لل)يمني(?!\w)"),
}
#: "The left and right arteries" may come in either order.
_AND = re.compile(r"\s*(?:and|or|&|/)\s*")
#: Of these Arabic may name the side.
_TWO_SIDED = re.compile(r"\b(?:contralateral\w*|opposite|other|both|bilateral\w*|either|each)\b")
#: Not "right away", "the right dose", "left untreated", "left the hospital".
_NO_IDIOM = re.compile(
    r"\bright\b(?! (?:away|now|in|at|here|there|before|after|to|dose|time|way|amount|medic\w+|drug|diagnosis|answer|decision|"
    r"person|treatment|choice|thing|place|word|conditions?|of way|kind|size|one for)\b)"
    r"|\bleft\b(?! (?:un\w+|the|alone|behind|out|over|to|in|for|with|on|at|hospital|home|him|her|it|us|me|his|my|their|a|an)\b)"
)
#: Words between a side and what it is a side of, at most, in either order.
_NEAR = 3


def laterality(source: str, target: str, _kind: str) -> list[Finding]:
    """Left and right of the body: the same sides in both texts, and at the same places."""
    plain = fold(source)
    here = {side: place for side in _OTHER if (place := plain.text.find(side)) >= 0}
    folded = fold(target)
    _, left, right, certain = _patterns()
    if not here:
        return _added_from_nowhere(source, target, folded)
    there = {"left": left.search(folded.text), "right": right.search(folded.text)}
    wanted = _tied(plain.text) if len(here) == 1 else {**_named(plain.text), **_tied(plain.text)}
    findings = _turned(plain, folded, certain) or _lost(wanted, there, plain, folded)
    if not findings and len(wanted) == 1 and len(here) == 1:
        side = next(iter(wanted))
        other = there[_OTHER[side]]
        if other and not _TWO_SIDED.search(plain.text):
            return [_finding(f"a side is added to {side}", plain.span(*wanted[side]), folded.span(*other.span()))]
    if not findings and len(here) == 1:
        findings = [] if _SHORT_SIDE.search(source) else _other_side(plain, folded, next(iter(here)))
    if not findings and len(here) == 2 and there["left"] and there["right"]:
        return _exchanged(plain, folded)
    return findings


def _turned(plain: Folded, folded: Folded, certain: re.Pattern[str]) -> list[Finding]:
    """One side alone in the source, in whatever use, and only the other in the target."""
    said = {word.text: (word.start, word.end) for word in english_words(plain.text) if word.text in _OTHER}
    if len(said) != 1:
        return []
    side, span = next(iter(said.items()))
    _, left, right, _ = _patterns()
    own, other = (left, right) if side == "left" else (right, left)
    match = certain.search(folded.text)
    wrong = other.search(folded.text)
    if match and wrong and not own.search(folded.text):
        return [_finding(f"{side} is turned around", plain.span(*span), folded.span(*wrong.span()))]
    return []


def _other_side(plain: Folded, folded: Folded, side: str) -> list[Finding]:
    """The source says one side only, of whatever, and the target the other one, too."""
    if _TWO_SIDED.search(plain.text):
        return []
    found = _CERTAIN_SIDES[_OTHER[side]].search(folded.text)
    return [_finding(f"{_OTHER[side]} is added to {side}", None, folded.span(*found.span()))] if found else []


def _lost(wanted: dict[str, Span], there: dict[str, re.Match[str] | None], plain: Folded, folded: Folded) -> list[Finding]:
    findings = []
    for side, span in wanted.items():
        other = there[_OTHER[side]]
        if there[side]:
            continue
        turned = other is not None and len(wanted) == 1
        target_span = folded.span(*other.span()) if other is not None and turned else None
        findings.append(_finding(f"{side} is {'turned around' if turned else 'lost'}", plain.span(*span), target_span))
    return findings


def _added_from_nowhere(source: str, target: str, folded: Folded) -> list[Finding]:
    """A side of the body in the target, where the source names none. اليمني is also a man of Yemen, يسري it applies."""
    found = _ADDED_SIDE.search(folded.text)
    if found is None or _SHORT_SIDE.search(source):
        return []
    if "يمني" in found.group() and "ى" not in target[slice(*folded.span(*found.span()))]:
        return []
    return [_finding("a side is added", None, folded.span(*found.span()))]


def _exchanged(plain: Folded, folded: Folded) -> list[Finding]:
    """Both sides stand in both texts: a place has the other side, or, at one and the same place, all are turned around."""
    english = _english_sides(plain.text)
    arabic = _arabic_sides(folded.text)
    places = {place for place, _, _ in english if place}
    here, back = [side for _, side, _ in english], [side for _, side, _ in arabic]
    # "The right main and left lower pulmonary arteries": only one of two sides has found its place, and the sides come in order.
    unsure = here == back and not all(place for place, _, _ in (*english, *arabic))
    for place in () if unsure else sorted(places):
        wanted = {side for at, side, _ in english if at == place}
        found = [(side, span) for at, side, span in arabic if at == place]
        if len(wanted) == 1 and found and wanted.isdisjoint(side for side, _ in found):
            side = next(iter(wanted))
            span = next(span for at, own, span in english if (at, own) == (place, side))
            return [_finding(f"{side} is turned around at the {place}", plain.span(*span), folded.span(*found[0][1]))]
    # "The right kidney is larger than the left": what is said of one and the same place is seldom told in another order.
    joined = len(english) == len(_OTHER) and _AND.fullmatch(plain.text[english[0][2][1] : english[1][2][0]])
    if not joined and len(places) <= 1 and len(here) == len(back) and back == [_OTHER[side] for side in here]:
        return [_finding("left and right are exchanged", plain.span(*english[0][2]), folded.span(*arabic[0][2]))]
    return []


def _english_sides(text: str) -> list[tuple[str | None, str, Span]]:
    """(place, side, span) of each side: the first place behind it, as in "left upper lobe"."""
    words = english_words(text)
    found: list[tuple[str | None, str, Span]] = []
    for number, word in enumerate(words):
        if word.text in _OTHER:
            behind = words[number + 1 : number + 1 + _NEAR]
            found.append((_first_place(behind, _places()[0], stop=_OTHER), word.text, (word.start, word.end)))
    return found


def _arabic_sides(text: str) -> list[tuple[str | None, str, Span]]:
    """(place, side, span) of each side: the nearest place before it, as in الفص العلوي الأيسر."""
    words = arabic_words(text)
    sides = _side_words()
    found: list[tuple[str | None, str, Span]] = []
    for number, word in enumerate(words):
        side = next((sides[form] for form in bare_forms(word.text) if form in sides), None)
        if side:
            before = words[max(0, number - _NEAR) : number][::-1]
            found.append((_first_place(before, _places()[1], stop=sides), side, (word.start, word.end)))
    return found


def _first_place(words: list[Word], stems: tuple[tuple[str, str], ...], stop: dict[str, str]) -> str | None:
    for word in words:
        forms = bare_forms(word.text)
        if any(form in stop for form in forms):
            return None
        for stem, place in stems:
            if any(form.startswith(stem) for form in forms):
                return place
    return None


def _tied(text: str) -> dict[str, Span]:
    """The sides that are tied to the body."""
    tied = _patterns()[0]
    return {(match["a"] or match["b"] or match["c"]): match.span() for match in tied.finditer(text)}


def _named(text: str) -> dict[str, Span]:
    """Both sides where both stand as such: "the right pupil is larger than the left"."""
    named = {match.group(): match.span() for match in _NO_IDIOM.finditer(text)}
    return named if len(named) == len(_OTHER) else {}


@lru_cache(maxsize=1)
def _side_words() -> dict[str, str]:
    words = lexicon()["laterality"]
    return {fold(word).text: side for side in ("left", "right") for word in words[side]}


@lru_cache(maxsize=1)
def _places() -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    places = lexicon()["laterality"]["places"].items()
    english = tuple((stem, place) for place, (stems, _) in places for stem in stems)
    return english, tuple((fold(stem).text, place) for place, (_, stems) in places for stem in stems)


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    words = lexicon()["laterality"]
    anatomy = "|".join(words["anatomy"])
    tied = re.compile(
        # "Right in the middle of my chest", "right now" are no sides.
        r"\b(?P<a>left|right)(?![ -](?:in|at|now|away|here|there|before|after|behind|next|through)\b)"
        rf"(?=[ -](?:\w+[ -]){{0,2}}?(?:{anatomy})\b)|"
        r"\b(?:on|to|of|in|at|than|from) (?:the|his|her|your|my) (?P<b>left|right)\b"
        r"(?! (?:time|way|place|track|thing|clinical|setting|context|hands|circumstances|conditions?|order|direction|dose))|"
        r"^(?P<c>left|right)$"
    )
    return tied, word_pattern(words["left"]), word_pattern(words["right"]), word_pattern(words["certain"])


def _finding(message: str, source_span: Span | None, target_span: Span | None) -> Finding:
    return Finding(
        check="laterality",
        category="accuracy/mistranslation",
        severity="critical",
        message=message,
        source_span=source_span,
        target_span=target_span,
    )
