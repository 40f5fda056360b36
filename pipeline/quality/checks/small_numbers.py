"""Small numbers that Arabic may leave out, and those that it may not.

In: the values of both sides. Out: what is lost all the same. Human translators write 1 and 2 as singular, dual or ordinal, unless
a unit, a range, a date or a name needs the digit.
"""

import re
from collections import Counter

from pipeline.quality.checks.values import Places, Values
from pipeline.quality.checks.words import Word
from schemas.quality import Span

#: Small numbers that Arabic may express by dual, singular or an ordinal.
MAY_VANISH = frozenset({1.0, 2.0})
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
#: Not -2019 and -1.9: years and negative numbers are no part of a name.
_NAMED = re.compile(r"[a-z]\d[\d.,]*$|[^\W\d_]{2}-\d$")
_DUAL = 2.0
_DUAL_ENDINGS = ("ين", "ان", "تا", "تي")
#: Two of a unit in one word: سنتيمترين, غرامان, وحدتين.
_DUAL_UNIT = re.compile(
    r"[وفبلك]?(?:ال|لل)?(?:سنتيمتر|سنتمتر|مي?لل?ي?متر|متر|مي?لل?ي?غرام|غرام|جرام|كيلوغرام|كيلوجرام|مي?لل?ي?لتر|لتر|ليتر"
    r"|ساعت|يوم|اسبوع|شهر|سنت|عام|دقيقت|حبت|قرص|كبسولت|ملعقت|مرت|ضعف|وحدت|بخت|قطرت|درجت|جرع|جرعت|شوط|نوب|طرف|جانب)(?:ين|ان|تا)$"
)


def vanished(source: str, target: str, wanted: Values, found: Values, words: list[Word], words_out: Places) -> Values:
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
            lost = len(tied) > there[value] if value in MAY_VANISH else True
        if lost:
            rest.append((value, (tied or spans)[-1]))
    return rest


def undated(source: str, target: str, wanted: Values, found: Values) -> Values:
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
