"""Words that turn a sentence around or name another thing: negation, side, yes and no, organ, drug, opposite.

In: a good pair; out: an Edit or None.
"""

import re
from random import Random

from pipeline.quality.corruptor.edits import Edit, Good, Span, compared, cut, places, put, rewritten, spelled, words

_SIDE = re.compile(r"\b(?:left|right)\b", re.I)
#: "No evidence of …" denies, but answers nothing.
_YES_NO = re.compile(r"\s*(?:yes|no)\s*(?:[,.;:!]|$)", re.I)


def side_swapped(good: Good, dice: Random) -> Edit | None:
    """Left becomes right at one place of a text that names one side only."""
    found = _sides(good.target)
    if not _SIDE.search(good.source) or len({which for _, _, which in found}) != 1:
        return None
    span, other, _ = dice.choice(found)
    return put(good.target, span, other)


def sides_exchanged(good: Good, _dice: Random) -> Edit | None:
    """Each left becomes right and each right left."""
    found = _sides(good.target)
    if not _SIDE.search(good.source) or len({which for _, _, which in found}) != 2:
        return None
    wrong = good.target
    for (start, end), other, _ in sorted(found, reverse=True):
        wrong = wrong[:start] + other + wrong[end:]
    return compared(good.target, wrong, "left and right are exchanged")


def side_dropped(good: Good, _dice: Random) -> Edit | None:
    """The only side of the text goes, with the article or preposition on it."""
    sides = [side for pair in words()["sides"]["pairs"] for side in pair]
    found = [match.span() for side in sides for match in spelled(side).finditer(good.target)]
    if len(found) != 1 or len(_SIDE.findall(good.source)) != 1 or len(good.target.split()) < 2:
        return None
    side = _SIDE.search(good.source)
    return cut(good.target, found[0])._replace(source_span=side.span() if side else None)


def negation_dropped(good: Good, _dice: Random) -> Edit | None:
    """The only negation of the text goes."""
    section = words()["negation"]
    said = list(re.finditer(section["english"], good.source, re.I))
    if len(said) != 1 or re.search(section["english_not"], good.source, re.I) or places(good.target, section["arabic_not"]):
        return None
    found = _negations(good.target)
    if len(found) != 1 or places(good.target, section["other"]) or _YES_NO.match(good.source):
        return None
    (start, end), word = found[0]
    new = section["dropped"][word]
    # What an "and" is written on to (ولا يوجد) leaves the "and" to the next word: ويوجد.
    joined = start > 0 and not good.target[start - 1].isspace() and good.target[end : end + 1] == " "
    edit = put(good.target, (start, end), new) if new else cut(good.target, (start, end + joined))
    return edit._replace(source_span=said[0].span())


def negation_added(good: Good, dice: Random) -> Edit | None:
    """A text that denies nothing denies something."""
    section = words()["negation"]
    if re.search(section["english"], good.source, re.I) or _negations(good.target) or places(good.target, section["other"]):
        return None
    return rewritten(good, dice, section["rows"])


def yes_no_swapped(good: Good, _dice: Random) -> Edit | None:
    """The answer begins with the opposite."""
    if not _YES_NO.match(good.source):
        return None
    for word, other in (("نعم", "لا"), ("كلا", "نعم"), ("لا", "نعم")):
        found = spelled(word, prefixed=False).match(good.target)
        if found:
            return put(good.target, found.span("word"), other)
    return None


def organ_swapped(good: Good, dice: Random) -> Edit | None:
    """The liver becomes the spleen: a noun for one of its gender, an adjective for another adjective."""
    choices: list[tuple[Span, list[str]]] = []
    for table in words()["organs"].values():
        named = {arabic for english, arabic in table.items() if re.search(english, good.source, re.I)}
        choices += [(span, sorted(set(table.values()) - named)) for span, _ in _inflected(good.target, sorted(named))]
    if not choices:
        return None
    span, others = dice.choice(choices)
    return put(good.target, span, dice.choice(others))


def drug_swapped(good: Good, dice: Random) -> Edit | None:
    """One drug becomes another, as often of its own class as of any; a Latin name stays Latin."""
    choices: list[tuple[Span, str, bool]] = []
    for group, drugs in words()["drugs"].items():
        for english, arabic in drugs.items():
            if re.search(english, good.source, re.I):
                latin = re.finditer(rf"\b(?:{english})\b", good.target, re.I)
                choices += [(match.span(), group, True) for match in latin]
                choices += [(span, group, False) for span, _ in places(good.target, arabic)]
    if not choices:
        return None
    span, group, latin_name = dice.choice(choices)
    every = words()["drugs"]
    pool = every[group] if dice.random() < 0.5 else {name: arabic for drugs in every.values() for name, arabic in drugs.items()}
    others = [name for name in pool if not re.search(name, good.source, re.I)]
    new = dice.choice(others)
    return put(good.target, span, new.split("|")[0] if latin_name else pool[new][0])


def opposite(good: Good, dice: Random) -> Edit | None:
    """Increase becomes decrease, before after, benign malignant."""
    return rewritten(good, dice, words()["opposites"]["rows"])


def _sides(target: str) -> list[tuple[Span, str, int]]:
    """Each side in the text, with the other one in the same form, and which of the two it is."""
    found = []
    for left, right in words()["sides"]["pairs"]:
        found += [(span, right, 0) for span, _ in places(target, [left])]
        found += [(span, left, 1) for span, _ in places(target, [right])]
    return found


def _negations(target: str) -> list[tuple[Span, str]]:
    return places(target, words()["negation"]["dropped"])


def _inflected(target: str, stems: list[str]) -> list[tuple[Span, str]]:
    """Stems with or without the feminine ending, which stays in the text."""
    feminine = [
        ((start, target.rindex("ة", start, end)), word) for (start, end), word in places(target, [f"{s}ة" for s in stems])
    ]
    return places(target, stems) + feminine
