"""Numbers as values, and values with their units.

Arabic-Indic and Latin digits, decimal and thousands signs of both, spelled-out one to ninety, Roman grades and types: a value
is a value. Human translators write 1 and 2 as words, duals or not at all; every other number has to come back.
"""

import re
from collections import Counter
from functools import lru_cache

from pipeline.quality.arabic import fold
from pipeline.quality.lexicon import lexicon
from schemas.quality import Finding, Span

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"^\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
#: Small numbers that Arabic may express by dual, singular or an ordinal.
_MAY_VANISH = frozenset({1.0, 2.0})
#: Arabic number words that mean little else: one, first, two, second and half stand in idioms.
_CERTAIN = frozenset(map(float, (*range(3, 20), *range(20, 100, 10))))
_WORD = re.compile(r"[^\W\d_]+")
#: R0 is a name that translators write out ("basic reproduction number"): 6 false alarms in 1,937 pairs of TICO-19.
_NAME_WITH_ZERO = re.compile(r"(?<=[^\W\d_])0(?![\d.,])")
#: "stage III" comes back as المرحلة 3.
_GRADE = re.compile(r"\b(?:types?|grades?|stages?|class(?:es)?|phases?|levels?|segments?|zones?)[ -](i{1,3}|iv|vi{0,3}|ix|x)\b")
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")


def numbers(source: str, target: str, _kind: str) -> list[Finding]:
    """Every value of the source is in the target, and no other."""
    english, folded = fold(source), fold(target)
    wanted, found = _values(english.text), _values(folded.text)
    words_in = _english_words(english.text)
    if not wanted and not found and not words_in:
        return []
    words_out = _arabic_words(folded.text)
    missing = [(value, span) for value, span in _uncovered(wanted, found) if value not in words_out]
    extra = [(value, span) for value, span in _uncovered(found, wanted) if value not in words_in]
    changed = _changed_words({value for value, _ in wanted} | set(words_in), {value for value, _ in found}, words_out)
    if not extra and not changed:
        missing = [(value, span) for value, span in missing if value not in _MAY_VANISH]
    return [
        *(_finding(f"{value:g} is missing", source_span=english.span(*span)) for value, span in missing),
        *(_finding(f"{value:g} is not in the source", target_span=folded.span(*span)) for value, span in extra),
        *(_finding(f"{value:g} is not in the source", target_span=folded.span(*words_out[value])) for value in changed),
    ]


def units(source: str, target: str, _kind: str) -> list[Finding]:
    """A value keeps its unit: another known unit behind the same value is an error; one written out or left out is none."""
    said, folded = fold(source), fold(target)
    english, arabic = _unit_patterns()
    stated = list(english.finditer(said.text))
    if not stated:
        return []
    found: dict[float, list[tuple[str, Span]]] = {}
    for match in arabic.finditer(folded.text):
        found.setdefault(float_of(match["value"]), []).append((_canonical(match), match.span()))
    findings = []
    for match in stated:
        value, unit = float_of(match["value"]), _canonical(match)
        there = found.get(value, [])
        if there and unit not in {name for name, _ in there}:
            name, span = there[0]
            message = f"{match['value']} {unit} became {match['value']} {name}"
            findings.append(_finding(message, source_span=said.span(*match.span()), target_span=folded.span(*span)))
    return findings


def float_of(text: str) -> float:
    """The value of a number as written in either language: 1,000 and 1.5 and 1,5."""
    if _THOUSANDS.match(text):
        return float(text.replace(",", ""))
    plain = text.replace(",", ".")
    return float(plain) if plain.count(".") <= 1 else float(plain.replace(".", ""))


def _values(text: str) -> list[tuple[float, Span]]:
    names = {match.start() for match in _NAME_WITH_ZERO.finditer(text)}
    return [(float_of(match.group()), match.span()) for match in _NUMBER.finditer(text) if match.start() not in names]


def _uncovered(these: list[tuple[float, Span]], those: list[tuple[float, Span]]) -> list[tuple[float, Span]]:
    left = Counter(value for value, _ in those)
    rest = []
    for value, span in these:
        if left[value]:
            left[value] -= 1
        elif value not in dict(those):
            # Stated once more than over there is how Arabic avoids repeating itself; another value is an error.
            rest.append((value, span))
    return rest


def _changed_words(wanted: set[float], found: set[float], words_out: dict[float, Span]) -> list[float]:
    """Number words of the target that the source lacks, while a number of the source has no counterpart."""
    if wanted <= found | set(words_out):
        return []
    return sorted(value for value in set(words_out) - wanted if value in _CERTAIN)


def _english_words(text: str) -> set[float]:
    table = lexicon()["numbers"]["english"]
    words = {float(table[word]) for word in _WORD.findall(text) if word in table}
    return words | {float(_ROMAN.index(match[1]) + 1) for match in _GRADE.finditer(text)}


def _arabic_words(text: str) -> dict[float, Span]:
    """The values that number words of a folded text say, each with its first place."""
    said: dict[float, Span] = {}
    for match in _arabic_numbers().finditer(text):
        for value in _arabic_values(match["stem"], match["tail"] or "", bool(match["teen"])):
            said.setdefault(value, match.span())
    return said


def _arabic_values(stem: str, tail: str, teen: bool) -> tuple[float, ...]:
    value = _arabic_stems()[stem]
    if teen:
        return (value + 10,)
    if tail == "ات" and value == 10:
        # عشرات is dozens, no number at all.
        return ()
    if tail in ("ون", "ين") and 3 <= value <= 10:
        # عشرون is twenty, ثلاثون thirty.
        return (20.0,) if value == 10 else (value * 10,)
    return (value,)


@lru_cache
def _arabic_stems() -> dict[str, float]:
    return {fold(stem).text: float(value) for stem, value in lexicon()["numbers"]["arabic"].items()}


@lru_cache
def _arabic_numbers() -> re.Pattern[str]:
    stems = "|".join(sorted(_arabic_stems(), key=len, reverse=True))
    tail = "(?P<tail>ه|ا|ون|ين|ي|ات|تين)?"
    return re.compile(rf"(?<!\w)[وفبلك]?(?:ال|لل)?(?P<stem>{stems}){tail}(?P<teen> عشره?)?(?!\w)")


@lru_cache
def _unit_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    table: dict[str, list[list[str]]] = lexicon()["units"]
    # mmHg before mm, °C before c: longer forms first.
    english = sorted(((form, name) for name, forms in table.items() for form in forms[0]), key=lambda item: -len(item[0]))
    arabic = sorted(
        ((fold(form).text, name) for name, forms in table.items() for form in forms[1]), key=lambda item: -len(item[0])
    )
    return _unit_pattern(english), _unit_pattern(arabic)


def _unit_pattern(forms: list[tuple[str, str]]) -> re.Pattern[str]:
    parts = [f"(?P<{name}_{number}>{form})" for number, (form, name) in enumerate(forms)]
    return re.compile(rf"(?P<value>\d+(?:[.,]\d+)*)[ -]?(?:{'|'.join(parts)})(?!\w)")


def _canonical(match: re.Match[str]) -> str:
    name = next(key for key, value in match.groupdict().items() if value is not None and key != "value")
    return name.rpartition("_")[0]


def _finding(message: str, source_span: Span | None = None, target_span: Span | None = None) -> Finding:
    return Finding(
        check="units" if "became" in message else "numbers",
        category="accuracy/mistranslation",
        severity="critical",
        message=message,
        source_span=source_span,
        target_span=target_span,
    )
