"""Wrong values: numbers, number words, units, how often a dose is taken, levels of the spine.

In: a good pair; out: an Edit or None.
"""

import re
import unicodedata
from random import Random

from pipeline.quality.corruptor.edits import Edit, Good, Span, cut, places, put, rewritten, words

#: A number that is no part of a code (T2, HbA1c), of a name with a number (COVID-19) or of a date written with points.
_NUMBER = re.compile(r"(?<![A-Za-z\d.,٫٬_])(?<![^\W\d_][-–])\d+(?:[.,٫٬]\d+)?(?![A-Za-z\d_]|[.,٫٬]\d|[-–][^\W\d_])")
_URL = re.compile(r"(?:https?://|www\.)\S+")
#: "1. " at the beginning of a line counts the line.
_ITEM = re.compile(r"^\s*\d+[.)] ", re.M)
_LEVEL = re.compile(r"(?<![A-Za-z\d])(?P<letter>[TLCS])(?P<number>\d{1,2})(?![A-Za-z\d])")
_WESTERN = {ord(digit): str(value) for value in range(10) for digit in (chr(0x0660 + value), chr(0x06F0 + value))}


def number_changed(good: Good, dice: Random) -> Edit | None:
    """One digit becomes another one of the same script."""
    span = _any_number(good.target, dice)
    if span is None:
        return None
    at = dice.choice([place for place in range(*span) if good.target[place].isdigit()])
    old = unicodedata.digit(good.target[at])
    new = dice.choice([digit for digit in range(10) if digit != old and (digit or at > span[0])])
    return put(good.target, span, good.target[span[0] : at] + _like(good.target[at], new) + good.target[at + 1 : span[1]])


def number_dropped(good: Good, dice: Random) -> Edit | None:
    """A number goes, with its percent sign. Not one of a range or a fraction: what stays would be no text."""
    whole = [span for span in _numbers(good.target) if not re.search(r"[/–:-]\s?$", good.target[: span[0]])]
    whole = [(start, end) for start, end in whole if not re.match(r"\s?[/–:-]", good.target[end:])]
    if not whole:
        return None
    start, end = dice.choice(whole)
    source_span = next((s for s in _numbers(good.source) if _plain(good.source, s) == _plain(good.target, (start, end))), None)
    sign = re.match(r"\s?[%٪]", good.target[end:])
    return cut(good.target, (start, end + (sign.end() if sign else 0)))._replace(source_span=source_span)


def number_word_changed(good: Good, dice: Random) -> Edit | None:
    """Three becomes four, spelled out."""
    choices = [(span, row, word) for row in words()["numbers"]["rows"] for span, word in places(good.target, row)]
    if not choices:
        return None
    span, row, word = dice.choice(choices)
    return put(good.target, span, dice.choice([other for other in row if other != word]))


def decimal_moved(good: Good, dice: Random) -> Edit | None:
    """3.5 becomes 35 or 0.35."""
    decimals = [span for span in _numbers(good.target) if re.fullmatch(r"\d+[.٫]\d+", good.target[slice(*span)])]
    if not decimals:
        return None
    start, end = dice.choice(decimals)
    whole, point, part = re.split(r"([.٫])", good.target[start:end])
    choices = [f"{whole}{part}".lstrip("0٠")]
    if whole.strip("0٠"):
        choices.append(f"{_like(whole[0], 0)}{point}{whole}{part}")
    return put(good.target, (start, end), dice.choice(choices))


def tenfold(good: Good, dice: Random) -> Edit | None:
    """A zero more at a whole number, or one less."""
    # Twenty times nothing is nothing: 0 and 00 are the same.
    found = [(span, good.target[slice(*span)]) for span in _numbers(good.target)]
    wholes = [span for span, number in found if number.isdigit() and number.strip("0٠")]
    if not wholes:
        return None
    start, end = dice.choice(wholes)
    number = good.target[start:end]
    choices = [number + _like(number[0], 0)]
    if len(number) > 1 and number[-1] in "0٠":
        choices.append(number[:-1])
    return put(good.target, (start, end), dice.choice(choices))


def digits_transposed(good: Good, dice: Random) -> Edit | None:
    """12 becomes 21."""
    text = good.target
    choices = [
        (span, at)
        for span in _numbers(text)
        for at in range(span[0], span[1] - 1)
        if text[at].isdigit() and text[at + 1].isdigit() and text[at] != text[at + 1]
        if at > span[0] or text[at + 1] not in "0٠"
    ]
    if not choices:
        return None
    (start, end), at = dice.choice(choices)
    return put(text, (start, end), f"{text[start:at]}{text[at + 1]}{text[at]}{text[at + 2 : end]}")


def eastern_digit_misread(good: Good, dice: Random) -> Edit | None:
    """A number in Arabic-Indic digits, one of them mistaken for its neighbour in looks: ٢ for ٣, ٧ for ٨, ٥ for ٠."""
    span = _any_number(good.target, dice)
    if span is None:
        return None
    start, end = span
    eastern = "".join(_like("٠", unicodedata.digit(c)) if c.isdigit() else c for c in good.target[start:end])
    alike = words()["text"]["lookalikes"]
    at = dice.choice([n for n, c in enumerate(eastern) if c in alike and (n > 0 or alike[c] != "٠" or len(eastern) == 1)] or [-1])
    if at < 0:
        return None
    return put(good.target, span, eastern[:at] + alike[eastern[at]] + eastern[at + 1 :])


def unit_changed(good: Good, dice: Random) -> Edit | None:
    """Milligrams become grams, days weeks, right behind a number."""
    section = words()["units"]
    choices = []
    for row in section["rows"]:
        for (start, end), unit in places(good.target, row, prefixed=False):
            behind = re.match(r"\s+(\w+)", good.target[end:])
            # A tatweel at the end: not litres but the preposition before a word in Latin letters or digits.
            if good.target[end - 1] == "ـ" or (behind and behind[1].lower() in section["not_before"]):
                continue
            if re.search(r"\d\s?$", good.target[:start]):
                choices.append(((start, end), row, unit))
    if not choices:
        return None
    span, row, unit = dice.choice(choices)
    return put(good.target, span, dice.choice([other for other in row if other != unit]))


def frequency_changed(good: Good, dice: Random) -> Edit | None:
    """Twice a day becomes three times, daily weekly, the morning the evening."""
    return rewritten(good, dice, words()["frequency"]["rows"])


def level_changed(good: Good, dice: Random) -> Edit | None:
    """L4 becomes L2 or T4: of the spine, or the sequence of an MRI."""
    codes = [match for match in _LEVEL.finditer(good.target) if match.group() in good.source]
    if not codes:
        return None
    code = dice.choice(codes)
    most = 2 if code["letter"] == "T" and int(code["number"]) < 3 else 5
    others = [f"{code['letter']}{number}" for number in range(1, most + 1) if number != int(code["number"])]
    if most == 5:
        others += [f"{letter}{code['number']}" for letter in "TLC" if letter != code["letter"]]
    return put(good.target, code.span(), dice.choice(others))


def _any_number(text: str, dice: Random) -> Span | None:
    found = _numbers(text)
    return dice.choice(found) if found else None


def _numbers(text: str) -> list[Span]:
    taken = [match.span() for pattern in (_URL, _ITEM) for match in pattern.finditer(text)]
    found = [match.span() for match in _NUMBER.finditer(text)]
    # unicodedata.digit knows more than int() does; superscripts are no \d, so all of these have a value.
    return [(start, end) for start, end in found if not any(a <= start < b for a, b in taken)]


def _plain(text: str, span: Span) -> str:
    return re.sub(r"[,٬]", "", text[slice(*span)].translate(_WESTERN)).replace("٫", ".")


def _like(digit: str, value: int) -> str:
    """The value as a digit of the same script."""
    return chr(ord(digit) - unicodedata.digit(digit) + value)
