"""Numbers as values: every value of the source is in the target as often as it is said, and no other.

Digits, number words and Roman grades are one (`values`); what Arabic may leave out is in `small_numbers`.
"""

import re
from collections import Counter

from pipeline.quality.arabic import fold
from pipeline.quality.checks.small_numbers import MAY_VANISH, undated, vanished
from pipeline.quality.checks.values import Places, Values, arabic_values, english_values, float_of, stated
from pipeline.quality.checks.words import arabic_words
from schemas.quality import Finding, Span

#: Arabic number words that mean little else: one, first, two, second and half stand in idioms.
_CERTAIN = frozenset(map(float, range(3, 100)))
#: ثمن is an eighth and a price: it accuses nobody.
_PRICE, _PRICE_WORD = 8.0, "ثمن"
_FROM_TO = re.compile(r"\bfrom (\d[\d.,]*)\D{0,12}? to (\d[\d.,]*)")
_ARABIC_TO = re.compile(r"(\d[\d.,]*)\D{0,12}?\s(?:الي|حتي)\s(?:\D{0,12}?\s)?(\d[\d.,]*)")


def numbers(source: str, target: str, _kind: str) -> list[Finding]:
    """Every value of the source is in the target, and no other; from and to are not exchanged."""
    english, folded = fold(source), fold(target)
    wanted, found = stated(source, english, target, folded)
    words_in = english_values(english.text)
    words = arabic_words(folded.text)
    words_out = arabic_values(words)
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
        # In its place another one that the source has, too: "1 to 2 m (3 to 6 feet)" as from 3 to 2.
        twice = bool(missing) and _more_often(found, wanted, words_in)
        missing = [(value, span) for value, span in missing if twice or value not in MAY_VANISH]
        named = {value for value, _ in missing}
        missing += [one for one in undated(english.text, folded.text, wanted, found) if one[0] not in named]
        named = {value for value, _ in missing}
        missing += [one for one in vanished(english.text, folded.text, wanted, found, words, words_out) if one[0] not in named]
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


def _pair(match: re.Match[str]) -> tuple[float, float]:
    return float_of(match[1].rstrip(".,")), float_of(match[2].rstrip(".,"))


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


def _more_often(found: Values, wanted: Values, words_in: Places) -> bool:
    """The target writes some value more often than the source says it."""
    left = Counter(value for value, _ in found)
    left.subtract(value for value, _ in wanted)
    return any(count > len(words_in.get(value, ())) for value, count in left.items())


def _spoken(value: float, wanted: Values, words_in: Places, words_out: Places) -> bool:
    """The target says it as a word, and not only the one that is a word in the source too: five portions and 5 grams."""
    said = len(words_out.get(value, ()))
    if value not in _CERTAIN or not said:
        return said > 0
    return said >= len(words_in.get(value, ())) + sum(own == value for own, _ in wanted)


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


def _finding(message: str, source_span: Span | None = None, target_span: Span | None = None) -> Finding:
    return Finding(
        check="numbers",
        category="accuracy/mistranslation",
        severity="critical",
        message=message,
        source_span=source_span,
        target_span=target_span,
    )
