"""Values with their units: 5 mg stays 5 mg, per minute stays per minute. Tables: lexicon.toml, [units] and [rates]."""

import re
from collections import Counter
from functools import lru_cache

from pipeline.quality.arabic import Folded, fold
from pipeline.quality.checks.values import arabic_values, float_of
from pipeline.quality.checks.words import arabic_words
from pipeline.quality.lexicon import lexicon
from schemas.quality import Finding, Span

_DIGIT = re.compile(r"\d")
#: Units that a bare number never stands for, with what says them in English.
_NEVER_MEANT = {
    "second": ("sec",),
    "minute": ("min",),
    "day": ("day", "daily", "hour", "week", "night", "month", "24", "48", "72"),
    "week": ("week", "wk", "fortnight"),
    "month": ("month", "quarter", "trimester", "year"),
    "mcg": ("mcg", "ug", "µg", "micro", "gamma"),
}
_PER = re.compile(r"/|\bper\b|\bbpm\b")
#: A unit's abbreviation without its number, at the beginning of a word: " ملغ" behind a word that counts nothing.
_ABBREVIATIONS = frozenset({"ملغ", "مجم", "مغ", "مل", "سم", "مم", "ملم", "كغ", "كجم", "غ", "جم", "مكغ"})


def units(source: str, target: str, _kind: str) -> list[Finding]:
    """A value keeps its unit: another known unit behind the same value is an error; one written out or left out is none."""
    said, folded = fold(source), fold(target)
    if not _DIGIT.search(said.text):
        return []
    english, arabic = _unit_patterns()
    stated = list(english.finditer(said.text))
    found: dict[float, list[tuple[str, Span]]] = {}
    for match in arabic.finditer(folded.text):
        found.setdefault(float_of(match["value"]), []).append((_canonical(match), match.span()))
    if not stated:
        return _added(said.text, folded, found)
    findings = []
    wanted: dict[float, set[str]] = {}
    stated_times: Counter[tuple[float, str]] = Counter()
    for match in stated:
        value, unit = float_of(match["value"]), _canonical(match)
        wanted.setdefault(value, set()).add(unit)
        stated_times[value, unit] += 1
    for match in stated:
        value, unit = float_of(match["value"]), _canonical(match)
        there = [(name, span) for name, span in found.get(value, []) if name not in wanted[value]]
        if there and sum(name == unit for name, _ in found[value]) < stated_times[value, unit]:
            name, span = there[0]
            message = f"{match['value']} {unit} became {match['value']} {name}"
            findings.append(_finding(message, said.span(*match.span()), folded.span(*span)))
    return findings or _added(said.text, folded, found) or _rates(source, target) or _without_number(target)


def _added(source: str, folded: Folded, found: dict[float, list[tuple[str, Span]]]) -> list[Finding]:
    """A value without a unit ("those over 60") may become years, degrees or kilograms, but no weeks."""
    for value, units_of in found.items():
        for name, span in units_of:
            if name in _NEVER_MEANT and not any(word in source for word in _NEVER_MEANT[name]):
                return [_finding(f"{value:g} {name} is not in the source", None, folded.span(*span))]
    return []


def _rates(source: str, target: str) -> list[Finding]:
    """What a rate counts by: per minute, per day, per kilogram, per decilitre."""
    plain, folded = fold(source), fold(target)
    if not _PER.search(plain.text):
        return []
    english, arabic = _rate_patterns()
    wanted = {_canonical(match): match.span() for match in english.finditer(plain.text)}
    found = {_canonical(match): match.span() for match in arabic.finditer(folded.text)}
    lost = [name for name in wanted if name not in found and not _rate_words()[name].search(folded.text)]
    added = [name for name in found if name not in wanted]
    if not lost or not added:
        return []
    message = f"per {lost[0]} became per {added[0]}"
    return [_finding(message, plain.span(*wanted[lost[0]]), folded.span(*found[added[0]]))]


def _without_number(target: str) -> list[Finding]:
    """A unit's abbreviation that no number stands before."""
    folded = fold(target)
    words = arabic_words(folded.text)
    if _ABBREVIATIONS.isdisjoint(word.text for word in words):
        return []
    counted = {span[1] for spans in arabic_values(words).values() for span in spans}
    for before, word in zip([None, *words], words, strict=False):
        if word.text not in _ABBREVIATIONS or (before and before.text in _ABBREVIATIONS):
            continue
        gap = folded.text[before.end if before else 0 : word.start]
        if gap.strip(" ") or (before and (before.text[-1:].isdigit() or before.end in counted)):
            continue
        return [_finding(f"no number stands before {word.text}", None, folded.span(word.start, word.end), check="numbers")]
    return []


@lru_cache(maxsize=1)
def _unit_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    table: dict[str, list[list[str]]] = lexicon()["units"]
    english = [(form, name) for name, forms in table.items() for form in forms[0]]
    arabic = [(fold(form).text, name) for name, forms in table.items() for form in forms[1]]
    # The letter that follows first: sixty forms are tried behind a year and a comma otherwise.
    value = r"(?P<value>\d+(?:[.,]\d+)*)[ -]?"
    return _pattern(rf"{value}(?=[a-z%°µμ])", english), _pattern(rf"{value}(?=[\u0621-\u064a%°])", arabic)


@lru_cache(maxsize=1)
def _rate_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    table: dict[str, list[list[str]]] = lexicon()["rates"]
    english = [(form, name) for name, forms in table.items() for form in forms[0]]
    arabic = [(fold(form).text, name) for name, forms in table.items() for form in forms[1]]
    return (
        _pattern(r"(?:/ ?|\bper |\b(?=bpm))", english),
        _pattern(r"(?:/ ?|(?<!\w)(?:في|لكل|كل) |(?<!\w)ب)(?:ال)?", arabic),
    )


@lru_cache(maxsize=1)
def _rate_words() -> dict[str, re.Pattern[str]]:
    table: dict[str, list[list[str]]] = lexicon()["rates"]
    return {name: re.compile("|".join(fold(form).text for form in forms[2])) for name, forms in table.items()}


def _pattern(head: str, forms: list[tuple[str, str]]) -> re.Pattern[str]:
    # mmHg before mm, °C before c: longer forms first.
    longest = sorted(forms, key=lambda item: -len(item[0]))
    parts = [f"(?P<{name}_{number}>{form})" for number, (form, name) in enumerate(longest)]
    return re.compile(rf"{head}(?:{'|'.join(parts)})(?!\w)")


def _canonical(match: re.Match[str]) -> str:
    return str(match.lastgroup).rpartition("_")[0]


def _finding(message: str, source_span: Span | None, target_span: Span | None, check: str = "units") -> Finding:
    return Finding(
        check=check,
        category="accuracy/mistranslation",
        severity="critical",
        message=message,
        source_span=source_span,
        target_span=target_span,
    )
