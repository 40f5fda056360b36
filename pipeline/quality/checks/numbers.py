"""Numbers as values, and values with their units.

Arabic-Indic and Latin digits, decimal and thousands signs of both, spelled-out one to twelve: a value is a value. Human
translators write 1 and 2 as words, duals or not at all; every other number has to come back.
"""

import re
from collections import Counter
from functools import lru_cache

from pipeline.quality.arabic import fold
from pipeline.quality.lexicon import lexicon
from schemas.quality import Finding

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"^\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
#: Small numbers that Arabic may express by dual, singular or an ordinal.
_MAY_VANISH = frozenset({1.0, 2.0})
_WORD = re.compile(r"[^\W\d_]+")


def numbers(source: str, target: str, _kind: str) -> list[Finding]:
    """Every value of the source is in the target, and no other."""
    wanted, found = _values(source), _values(fold(target).text)
    if not wanted and not found:
        return []
    words_in, words_out = _english_words(source), _arabic_words(fold(target).text)
    missing = [(value, span) for value, span in _uncovered(wanted, found) if value not in words_out]
    extra = [(value, span) for value, span in _uncovered(found, wanted) if value not in words_in]
    if not extra:
        missing = [(value, span) for value, span in missing if value not in _MAY_VANISH]
    findings = [_finding(f"{value:g} is missing", source_span=span) for value, span in missing]
    folded = fold(target)
    return findings + [_finding(f"{value:g} is not in the source", target_span=folded.span(*span)) for value, span in extra]


def units(source: str, target: str, _kind: str) -> list[Finding]:
    """A value keeps its unit: another known unit behind the same value is an error, no unit at all a minor one."""
    folded = fold(target)
    english, arabic = _unit_patterns()
    stated = {float_of(match["value"]): (match.lastgroup, match.span()) for match in english.finditer(source.lower())}
    if not stated:
        return []
    found: dict[float, list[tuple[str, tuple[int, int]]]] = {}
    for match in arabic.finditer(folded.text):
        found.setdefault(float_of(match["value"]), []).append((_canonical(match), match.span()))
    findings = []
    for match in english.finditer(source.lower()):
        value, unit = float_of(match["value"]), _canonical(match)
        there = found.get(value, [])
        if there and unit not in {name for name, _ in there}:
            name, span = there[0]
            message = f"{match['value']} {unit} became {match['value']} {name}"
            findings.append(_finding(message, source_span=match.span(), target_span=folded.span(*span)))
    return findings


def float_of(text: str) -> float:
    """The value of a number as written in either language: 1,000 and 1.5 and 1,5."""
    if _THOUSANDS.match(text):
        return float(text.replace(",", ""))
    plain = text.replace(",", ".")
    return float(plain) if plain.count(".") <= 1 else float(plain.replace(".", ""))


def _values(text: str) -> list[tuple[float, tuple[int, int]]]:
    # `fold` is what makes Arabic-Indic digits Latin ones; English text is its own fold as far as digits go.
    return [(float_of(match.group()), match.span()) for match in _NUMBER.finditer(text if text.isascii() else _same_length(text))]


def _same_length(text: str) -> str:
    return "".join(str(int(c)) if c.isdecimal() else {"٫": ".", "٬": ","}.get(c, c) for c in text)


def _uncovered(
    these: list[tuple[float, tuple[int, int]]], those: list[tuple[float, tuple[int, int]]]
) -> list[tuple[float, tuple[int, int]]]:
    left = Counter(value for value, _ in those)
    rest = []
    for value, span in these:
        if left[value]:
            left[value] -= 1
        elif value not in dict(those):
            # Stated once more than over there is how Arabic avoids repeating itself; another value is an error.
            rest.append((value, span))
    return rest


def _english_words(text: str) -> set[float]:
    table = lexicon()["numbers"]["english"]
    return {float(table[word]) for word in _WORD.findall(text.lower()) if word in table}


def _arabic_words(text: str) -> set[float]:
    return {float(value) for pattern, value in _arabic_number_patterns() if pattern.search(text)}


@lru_cache
def _arabic_number_patterns() -> tuple[tuple[re.Pattern[str], int], ...]:
    stems: dict[str, int] = lexicon()["numbers"]["arabic"]
    tail = "(?:ه|ا|ون|ين|ي|ات|تين)?"
    return tuple((re.compile(rf"(?<!\w)[وفبلك]?(?:ال|لل)?{fold(stem).text}{tail}(?!\w)"), value) for stem, value in stems.items())


@lru_cache
def _unit_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    table: dict[str, list[list[str]]] = lexicon()["units"]
    # mmHg before mm, °C before c: longer forms first.
    english = sorted(((form, name) for name, forms in table.items() for form in forms[0]), key=lambda item: -len(item[0]))
    arabic = sorted(((form, name) for name, forms in table.items() for form in forms[1]), key=lambda item: -len(item[0]))
    return _unit_pattern(english), _unit_pattern(arabic)


def _unit_pattern(forms: list[tuple[str, str]]) -> re.Pattern[str]:
    parts = [f"(?P<{name}_{number}>{form})" for number, (form, name) in enumerate(forms)]
    return re.compile(rf"(?P<value>\d+(?:[.,]\d+)*)[ -]?(?:{'|'.join(parts)})(?!\w)")


def _canonical(match: re.Match[str]) -> str:
    name = next(key for key, value in match.groupdict().items() if value is not None and key != "value")
    return name.rpartition("_")[0]


def _finding(message: str, source_span: tuple[int, int] | None = None, target_span: tuple[int, int] | None = None) -> Finding:
    return Finding(
        check="units" if "became" in message else "numbers",
        category="accuracy/mistranslation",
        severity="critical",
        message=message,
        source_span=source_span,
        target_span=target_span,
    )
