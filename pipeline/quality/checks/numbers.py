"""Numbers as values.

Arabic-Indic and Latin digits, decimal and thousands signs of both, spelled-out one to ninety, Roman grades and types: a value
is a value. Human translators write 1 and 2 as words, duals or not at all, unless a unit, a range or a date needs the digit;
every other number has to come back, as often as it is said.
"""

import re
from collections import Counter
from functools import lru_cache
from operator import itemgetter

from pipeline.quality.arabic import Folded, fold
from pipeline.quality.checks.words import Word, arabic_words, bare_forms, english_words
from pipeline.quality.lexicon import lexicon
from schemas.quality import Finding, Span

#: Values with their places, in order, and by value.
Values = list[tuple[float, Span]]
Places = dict[float, list[Span]]
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_DIGIT = re.compile(r"\d")
_THOUSANDS = re.compile(r"^\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
#: 42.000 may be forty-two thousand, as some write it: then a plain 42000 on the other side is the same.
_DOTTED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}\.\d{3}(?![\d.,]*\d)")
#: Small numbers that Arabic may express by dual, singular or an ordinal.
_MAY_VANISH = frozenset({1.0, 2.0})
#: Arabic number words that mean little else: one, first, two, second and half stand in idioms.
_CERTAIN = frozenset(map(float, range(3, 100)))
_TENS = frozenset(map(float, range(20, 100, 10)))
#: A third, a quarter, an eighth: two thirds (ثلثين) are not thirty, which has another stem.
_PARTS_OF_ONE = frozenset({"ثلث", "ربع", "ثمن"})
#: The second word of eleven to nineteen; the duodenum has its name of twelve.
_TEENS = ("عشر", "عشره", "عشري", "عشريه")
#: ثمن is an eighth and a price: it accuses nobody.
_PRICE, _PRICE_WORD = 8.0, "ثمن"
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
#: A value that stands with another (range, fraction, date, time, product), before a unit's abbreviation or behind "grade" is
#: written in digits: what may follow it, and what may stand before it.
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_TIED_BEHIND = re.compile(
    r"\s?[-/:x×]\s?\d|\s?(?:mg|mcg|µg|g|kg|ml|l|cm|mm|m|%|mmol|meq|iu|am|pm|units?)(?![a-z])"
    rf"|\s(?:of )?(?:{_MONTHS})\b(?! [a-z])"
    # Nothing behind it of which Arabic could make a dual: "coronavirus 2 (SARS)", "a score of 2."
    r"|\s?[()\]]|\.(?!\d)|$"
)
#: The same for 2 alone: "1 or 2 tablets" and "less than 1 hour" are said without a number, but two hours are a dual at least.
_TWO_BEHIND = re.compile(r"\s?(?:to|in|and|or)\s?\d|\s(?:hours|days|weeks|months|years)\b|-(?:hour|day|week|month|year)\b")
_TWO_BEFORE = re.compile(r"\d (?:to|in|and|or) $|\b(?:less|more|fewer|greater|higher|lower) than $")
_DATED_BEHIND = re.compile(rf"\s(?:of )?(?:{_MONTHS})\b(?! [a-z])")
_DATED_BEFORE = re.compile(rf"\b(?:{_MONTHS}) $")
_SPOKEN_DAY = re.compile(r"(?:ال|لل)\w+ من (?=\w)")
_TIED_BEFORE = re.compile(
    rf"(?:\d\s?[-/:x×]\s?|\bno\. ?|#|(?:^|\s)\("
    rf"|\b(?:grade|stage|type|phase|class|number|{_MONTHS})[ -])$"
)
_BEFORE_CHARS = 14
_COVID = 19.0
#: Not -2019 and -1.9: years and negative numbers are no part of a name.
_NAMED = re.compile(r"[a-z]\d[\d.,]*$|[^\W\d_]{2}-\d$")
_FROM_TO = re.compile(r"\bfrom (\d[\d.,]*)\D{0,12}? to (\d[\d.,]*)")
_ARABIC_TO = re.compile(r"(\d[\d.,]*)\D{0,12}?\s(?:الي|حتي)\s(?:\D{0,12}?\s)?(\d[\d.,]*)")
_DUAL = 2.0
_DUAL_ENDINGS = ("ين", "ان", "تا", "تي")
#: Two of a unit in one word: سنتيمترين, غرامان, وحدتين.
_DUAL_UNIT = re.compile(
    r"[وفبلك]?(?:ال|لل)?(?:سنتيمتر|سنتمتر|مي?لل?ي?متر|متر|مي?لل?ي?غرام|غرام|جرام|كيلوغرام|كيلوجرام|مي?لل?ي?لتر|لتر|ليتر"
    r"|ساعت|يوم|اسبوع|شهر|سنت|عام|دقيقت|حبت|قرص|كبسولت|ملعقت|مرت|ضعف|وحدت|بخت|قطرت|درجت|جرع|جرعت|شوط|نوب|طرف|جانب)(?:ين|ان|تا)$"
)


def numbers(source: str, target: str, _kind: str) -> list[Finding]:
    """Every value of the source is in the target, and no other; from and to are not exchanged."""
    english, folded = fold(source), fold(target)
    wanted, found = _values(english.text), _values(folded.text)
    if "." in english.text and _DOTTED.search(english.text):
        wanted = _dotted(wanted, english.text, found)
    if "covid" in english.text and "كورونا" in folded.text and not any(value == _COVID for value, _ in found):
        # As فيروس كورونا المستجد, "the new coronavirus", it has no number.
        wanted = [one for one in wanted if not english.text[: one[1][0]].endswith(("covid-", "covid"))]
    if "0s" in english.text:
        # The 1990s are التسعينيات.
        wanted = [one for one in wanted if english.text[one[1][1] : one[1][1] + 1] != "s" or one[0] in {v for v, _ in found}]
    words_in = _english_words(english.text)
    grades = _grades(source, english)
    if grades:
        wanted, found = sorted(wanted + grades, key=itemgetter(1)), found + _romans(target, folded)
    words = arabic_words(folded.text)
    words_out = _arabic_words(words)
    first_out = {
        value: spans[0]
        for value, spans in words_out.items()
        if value != _PRICE or not folded.text[slice(*spans[0])].endswith(_PRICE_WORD)
    }
    if not (wanted or found or words_in or words_out):
        return []
    missing = [one for one in _uncovered(wanted, found) if not _spoken(one[0], wanted, words_in, words_out)]
    extra = [(value, span) for value, span in _uncovered(found, wanted) if value not in words_in]
    known = {value for value, _ in wanted}
    changed = _changed_words(known | words_in.keys(), {value for value, _ in found}, first_out)
    if not extra and not changed:
        missing = [(value, span) for value, span in missing if value not in _MAY_VANISH]
        named = {value for value, _ in missing}
        missing += [one for one in _undated(english.text, folded.text, wanted, found) if one[0] not in named]
        named = {value for value, _ in missing}
        missing += [one for one in _vanished(english.text, folded.text, wanted, found, words, words_out) if one[0] not in named]
    if not (missing or extra or changed):
        changed = _another_word(wanted, found, words_in, words_out)
    turned = _FROM_TO.search(english.text) if len(wanted) > 1 and "from" in english.text else None
    if not (missing or extra or changed or turned):
        return []
    return [
        *(_finding(f"{value:g} is missing", source_span=english.span(*span)) for value, span in missing),
        *(_finding(f"{value:g} is not in the source", target_span=folded.span(*span)) for value, span in extra),
        *(_finding(f"{value:g} is not in the source", target_span=folded.span(*first_out[value])) for value in changed),
        *(
            _finding("from and to are exchanged", english.span(*turned.span()), folded.span(*match.span()))
            for match in _ARABIC_TO.finditer(folded.text if turned else "")
            if turned and _pair(turned) == _pair(match)[::-1] != _pair(match)
        ),
    ]


def float_of(text: str) -> float:
    """The value of a number as written in either language: 1,000 and 1.5 and 1,5."""
    if text.isdigit():
        return float(text)
    if _THOUSANDS.match(text):
        return float(text.replace(",", ""))
    plain = text.replace(",", ".")
    return float(plain) if plain.count(".") <= 1 else float(plain.replace(".", ""))


def arabic_values(words: list[Word]) -> Places:
    """The values that number words of a folded text say, each with its places."""
    return _arabic_words(words)


def _pair(match: re.Match[str]) -> tuple[float, float]:
    return float_of(match[1].rstrip(".,")), float_of(match[2].rstrip(".,"))


def _values(text: str) -> Values:
    if not _DIGIT.search(text):
        return []
    names = {match.start() for match in _NAME_WITH_ZERO.finditer(text)} if "0" in text else set()
    return [(float_of(match.group()), match.span()) for match in _NUMBER.finditer(text) if match.start() not in names]


def _dotted(wanted: Values, text: str, found: Values) -> Values:
    there = {value for value, _ in found}
    return [
        (value * 1000, span) if value * 1000 in there and _DOTTED.fullmatch(text[slice(*span)]) else (value, span)
        for value, span in wanted
    ]


def _uncovered(these: Values, those: Values) -> Values:
    left = Counter(value for value, _ in those)
    rest = []
    for value, span in these:
        if left[value]:
            left[value] -= 1
        elif not any(value == other for other, _ in those):
            # Stated once more than over there is how Arabic avoids repeating itself; another value is an error.
            rest.append((value, span))
    return rest


def _spoken(value: float, wanted: Values, words_in: Places, words_out: Places) -> bool:
    """The target says it as a word, and not only the one that is a word in the source too: five portions and 5 grams."""
    said = len(words_out.get(value, ()))
    if value not in _CERTAIN or not said:
        return said > 0
    return said >= len(words_in.get(value, ())) + sum(own == value for own, _ in wanted)


def _vanished(source: str, target: str, wanted: Values, found: Values, words: list[Word], words_out: Places) -> Values:
    """Values that the target says less often: of 1,937 human pairs none does, but for 1, for duals and for a few names."""
    spoken = {value: len(spans) for value, spans in words_out.items()}
    there = Counter(value for value, _ in found)
    there.update(spoken)
    needed = Counter(value for value, _ in wanted)
    named = [(value, span) for value, span in wanted if there[value] < needed[value] and _in_name(source, span)]
    wanted, found = _alone(wanted, source), _alone(found, target)
    there = Counter(value for value, _ in found)
    there.update(spoken)
    short = {value for value, count in Counter(value for value, _ in wanted).items() if there[value] < count}
    if not short:
        return named[:1]
    duals = sum(word.text.endswith(_DUAL_ENDINGS) for word in words)
    dual_units = sum(bool(_DUAL_UNIT.match(word.text)) for word in words)
    rest = []
    for value in sorted(short):
        spans = [span for own, span in wanted if own == value]
        tied = [span for span in spans if _is_tied(source, span, value)]
        if value == _DUAL:
            lost = len(tied) > there[value] + dual_units or len(spans) > there[value] + max(duals, dual_units)
        else:
            lost = len(tied) > there[value] if value in _MAY_VANISH else True
        if lost:
            rest.append((value, (tied or spans)[-1]))
    return rest


def _undated(source: str, target: str, wanted: Values, found: Values) -> Values:
    """The day of a month is a digit in Arabic too, or الأول من: "three items" does not stand for 3 March."""
    if _SPOKEN_DAY.search(target):
        return []
    there = {value for value, _ in found}
    return [
        (value, span)
        for value, span in wanted
        if value not in there
        and (_DATED_BEHIND.match(source, span[1]) or _DATED_BEFORE.search(source, max(0, span[0] - _BEFORE_CHARS), span[0]))
    ]


def _in_name(source: str, span: Span) -> bool:
    """The end of a name that keeps its number in Arabic: ACE2, SARS-CoV-2; SpO2 and HbA1c are written out."""
    name = source[max(0, span[0] - _BEFORE_CHARS) : span[0]].rsplit(" ", 1)[-1].rstrip("-").rpartition("-")[2].lstrip("([")
    return name.isalpha() and name.isascii() and not name.endswith("o") and not source[span[1] : span[1] + 1].isalpha()


def _is_tied(source: str, span: Span, value: float) -> bool:
    """The value stands with another one, with a unit's abbreviation or with a month."""
    before = source[max(0, span[0] - _BEFORE_CHARS) : span[0]]
    if before.endswith(("aged ", "age ", "age of ")):
        # A child aged 1 is a year old: عمره سنة.
        return False
    if value != 1.0 and (_TWO_BEHIND.match(source, span[1]) or _TWO_BEFORE.search(before)):
        return True
    return bool(_TIED_BEHIND.match(source, span[1]) or _TIED_BEFORE.search(before))


def _alone(values: Values, text: str) -> Values:
    """Without the numbers of names: the 1 of S1 is none that "grade 1" may point at, the 2 of CoV-2 no two weeks."""
    return [(value, span) for value, span in values if not _NAMED.search(text, max(0, span[0] - 3), span[1])]


def _changed_words(wanted: set[float], found: set[float], words_out: dict[float, Span]) -> list[float]:
    """Number words of the target that the source lacks, while a number of the source has no counterpart, or there is none."""
    if not wanted:
        return sorted(value for value in words_out if value in _CERTAIN)
    if wanted <= found | set(words_out):
        return []
    return sorted(value for value in set(words_out) - wanted if value in _CERTAIN)


def _another_word(wanted: Values, found: Values, words_in: Places, words_out: Places) -> list[float]:
    """A number word that the target has once too often, while one of the source is gone: "five to six" as from five to five."""
    here, there = Counter(value for value, _ in wanted), Counter(value for value, _ in found)
    gone = [value for value in words_in if value in _CERTAIN and not there[value] and value not in words_out]
    if not gone:
        return []
    here.update({value: len(spans) for value, spans in words_in.items()})
    there.update({value: len(spans) for value, spans in words_out.items()})
    return sorted(value for value in words_out if value in _CERTAIN and there[value] > here[value] > 0)[:1]


def _english_words(text: str) -> Places:
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


def _arabic_words(words: list[Word]) -> Places:
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


def _finding(message: str, source_span: Span | None = None, target_span: Span | None = None) -> Finding:
    return Finding(
        check="numbers",
        category="accuracy/mistranslation",
        severity="critical",
        message=message,
        source_span=source_span,
        target_span=target_span,
    )
