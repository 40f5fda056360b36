"""The values that a text states: digits of both scripts, number words of both languages, Roman grades and types.

In: a folded text. Out: values with their places. Decimal and thousands signs of both scripts are read; a value is a value.
"""

import re
from functools import lru_cache
from operator import itemgetter

from pipeline.quality.arabic import Folded, fold
from pipeline.quality.checks.words import Word, bare_forms, english_words
from pipeline.quality.lexicon import lexicon
from schemas.quality import Span

#: Values with their places, in order, and by value.
Values = list[tuple[float, Span]]
Places = dict[float, list[Span]]
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_DIGIT = re.compile(r"\d")
_THOUSANDS = re.compile(r"^\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
#: 42.000 may be forty-two thousand, as some write it: then a plain 42000 on the other side is the same.
_DOTTED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}\.\d{3}(?![\d.,]*\d)")
_TENS = frozenset(map(float, range(20, 100, 10)))
#: A third, a quarter, an eighth: two thirds (ثلثين) are not thirty, which has another stem.
_PARTS_OF_ONE = frozenset({"ثلث", "ربع", "ثمن"})
#: The second word of eleven to nineteen; the duodenum has its name of twelve.
_TEENS = ("عشر", "عشره", "عشري", "عشريه")
#: R0 is a name that translators write out ("basic reproduction number"): 6 false alarms in 1,937 pairs of TICO-19.
_NAME_WITH_ZERO = re.compile(r"(?<=[^\W\d_])0(?![\d.,])")
#: "stage III" comes back as المرحلة 3.
_GRADE = re.compile(
    r"\b(?:types?|grades?|stages?|class(?:es)?|phases?|levels?|segments?|zones?|nerves?|factors?|leads?)[ -]"
    r"((?:i{1,3}|iv|vi{0,3}|ix|x)(?:\s?(?:and|or|to|[-/–])\s?(?:i{1,3}|iv|vi{0,3}|ix|x))*)\b"
)
_ROMANS = re.compile(r"\b[ivx]+\b")
_GRADE_SIGNS = ("type", "grade", "stage", "class", "phase", "level", "segment", "zone", "nerve", "factor", "lead")
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_COVID = 19.0


def stated(source: str, english: Folded, target: str, folded: Folded) -> tuple[Values, Values]:
    """The values that both sides write in digits or as Roman numbers: those of the source that the target may not do without."""
    wanted, found = _digits(english.text), _digits(folded.text)
    there = {value for value, _ in found}
    if "." in english.text and _DOTTED.search(english.text):
        wanted = _dotted(wanted, english.text, there)
    if "covid" in english.text and "كورونا" in folded.text and _COVID not in there:
        # As فيروس كورونا المستجد, "the new coronavirus", it has no number.
        wanted = [one for one in wanted if not english.text[: one[1][0]].endswith(("covid-", "covid"))]
    if "0s" in english.text:
        # The 1990s are التسعينيات.
        wanted = [(value, span) for value, span in wanted if english.text[span[1] : span[1] + 1] != "s" or value in there]
    grades = _grades(source, english)
    if grades:
        wanted, found = sorted(wanted + grades, key=itemgetter(1)), found + _romans(target, folded)
    return wanted, found


def english_values(text: str) -> Places:
    """The values that number words of a folded English text say, each with its places."""
    table = _english_table()
    said: Places = {}
    tens: tuple[float, Word] | None = None
    for word in english_words(text):
        value = table.get(word.text)
        if value is None:
            tens = None
            continue
        said.setdefault(value, []).append((word.start, word.end))
        if tens and 1 <= value <= 9 and word.start - tens[1].end == 1:
            # Forty-five is neither forty nor five, but a translator may write either way around a pause.
            said.setdefault(tens[0] + value, []).append((tens[1].start, word.end))
        tens = (value, word) if value in _TENS else None
    return said


def arabic_values(words: list[Word]) -> Places:
    """The values that number words of a folded Arabic text say, each with its places."""
    said: Places = {}
    taken = -1
    for number, word in enumerate(words):
        stem, tail = _arabic_number(word.text)
        if stem is None or number == taken:
            continue
        after = words[number + 1] if number + 1 < len(words) else None
        if after is not None and word.text == "مره" and after.text.startswith("اخر"):
            # مرة أخرى is "again".
            continue
        teen = after is not None and after.text in _TEENS and after.start - word.end == 1
        value = _arabic_value(stem, tail, teen)
        tens = _tens_behind(after) if value is not None and 1 <= value <= 9 else None
        if value is not None:
            two = after is not None and (teen or tens is not None)
            taken = number + 1 if two else taken
            said.setdefault(value + (tens or 0.0), []).append((word.start, after.end if two and after else word.end))
    return said


def float_of(text: str) -> float:
    """The value of a number as written in either language: 1,000 and 1.5 and 1,5."""
    if text.isdigit():
        return float(text)
    if _THOUSANDS.match(text):
        return float(text.replace(",", ""))
    plain = text.replace(",", ".")
    return float(plain) if plain.count(".") <= 1 else float(plain.replace(".", ""))


def _digits(text: str) -> Values:
    if not _DIGIT.search(text):
        return []
    names = {match.start() for match in _NAME_WITH_ZERO.finditer(text)} if "0" in text else set()
    return [(float_of(match.group()), match.span()) for match in _NUMBER.finditer(text) if match.start() not in names]


def _dotted(wanted: Values, text: str, there: set[float]) -> Values:
    return [
        (value * 1000, span) if value * 1000 in there and _DOTTED.fullmatch(text[slice(*span)]) else (value, span)
        for value, span in wanted
    ]


def _romans(target: str, folded: Folded) -> Values:
    """Roman numbers among Arabic words: المرحلة III."""
    return [
        (float(_ROMAN.index(match.group()) + 1), match.span())
        for match in _ROMANS.finditer(folded.text)
        if match.group() in _ROMAN and target[slice(*folded.span(*match.span()))].isupper()
    ]


def _grades(source: str, english: Folded) -> Values:
    """Roman numbers behind "type", "grade" and their like, as the values that they are; "level i" is no number."""
    if not any(sign in english.text for sign in _GRADE_SIGNS):
        return []
    spans = [match.span() for grade in _GRADE.finditer(english.text) for match in _ROMANS.finditer(english.text, *grade.span(1))]
    return [
        (float(_ROMAN.index(english.text[slice(*span)]) + 1), span)
        for span in spans
        if source[slice(*english.span(*span))].isupper()
    ]


def _tens_behind(after: Word | None) -> float | None:
    """The tens of خمسة وأربعون (forty-five), where the second word is "and forty"."""
    if after is None or not after.text.startswith("و"):
        return None
    stem, tail = _arabic_number(after.text[1:])
    value = None if stem is None else _arabic_value(stem, tail, teen=False)
    return value if value in _TENS else None


@lru_cache(maxsize=50_000)
def _arabic_number(word: str) -> tuple[float | None, str]:
    """The value of a number word's stem and its ending."""
    stems = _arabic_stems()
    for form in bare_forms(word):
        for tail in ("", "ه", "ا", "ون", "ين", "ي", "ات", "تين"):
            if form.endswith(tail) and form[: len(form) - len(tail)] in stems:
                stem = form[: len(form) - len(tail)]
                return stems[stem], "" if stem in _PARTS_OF_ONE else tail
    return None, ""


def _arabic_value(value: float, tail: str, teen: bool) -> float | None:
    if teen:
        return value + 10
    if tail == "ات" and value == 10:
        # عشرات is dozens, no number at all.
        return None
    if tail in ("ون", "ين") and 3 <= value <= 10:
        # عشرون is twenty, ثلاثون thirty.
        return 20.0 if value == 10 else value * 10
    return value


@lru_cache(maxsize=1)
def _english_table() -> dict[str, float]:
    return {word: float(value) for word, value in lexicon()["numbers"]["english"].items()}


@lru_cache(maxsize=1)
def _arabic_stems() -> dict[str, float]:
    return {fold(stem).text: float(value) for stem, value in lexicon()["numbers"]["arabic"].items()}
