"""The wrong language, the wrong letters, damaged characters, nothing at all. In: a good pair; out: an Edit or None."""

import re
from random import Random

from pipeline.quality.corruptor.edits import Edit, Good, compared, put, words

_ENGLISH = re.compile(r"[A-Za-z]{3,}")
#: Three words that nobody leaves in Latin letters: no capitals, which names and abbreviations have.
_THREE = re.compile(r"(?<![\w./-])[a-z]{2,}(?: [a-z]{2,}){2}(?![\w/-])")
_HALF_WORDS = 8
_PERSIAN = str.maketrans("كيى", "کیی")
_OVERRIDES = "\u202e\u202d\u2067\u202b"
_NOTHING = ("", " \n", "\u200f", "\u00a0 ")


def untranslated(good: Good, _dice: Random) -> Edit | None:
    """The source itself."""
    if good.source == good.target or len(_ENGLISH.findall(good.source)) < 2:
        return None
    return Edit(good.source, (0, len(good.source)), "nothing is translated")


def half_untranslated(good: Good, dice: Random) -> Edit | None:
    """One half is English still, the first or the last."""
    arabic, english = good.target.split(" "), good.source.split()
    if len(english) < _HALF_WORDS or len(arabic) < 4 or "\n" in good.source:
        return None
    middle = len(english) // 2
    cut = sum(len(word) + 1 for word in arabic[: len(arabic) // 2])
    if dice.random() < 0.5:
        return put(good.target, (cut, len(good.target)), " ".join(english[middle:]))
    return put(good.target, (0, cut - 1), " ".join(english[:middle]))


def three_words_left(good: Good, dice: Random) -> Edit | None:
    """Three English words stand where their translation should."""
    found = list(_THREE.finditer(good.source))
    arabic = [match.span() for match in re.finditer(r"\S+", good.target)]
    if not found or len(arabic) < 5 or "\n" in good.target:
        return None
    run = dice.choice(found)
    first = min(len(arabic) - 4, int(run.start() / len(good.source) * len(arabic)))
    span = (arabic[first][0], arabic[first + 2][1])
    return put(good.target, span, run.group())._replace(source_span=run.span())


def persian_letters(good: Good, _dice: Random) -> Edit | None:
    """Persian keh and yeh in place of the Arabic ones."""
    return compared(good.target, good.target.translate(_PERSIAN), "Persian letters")


def persian_text(_good: Good, dice: Random) -> Edit | None:
    """Persian in place of Arabic."""
    other = dice.choice(words()["text"]["persian"])
    return Edit(other, (0, len(other)), "Persian")


def mojibake_latin1(good: Good, _dice: Random) -> Edit | None:
    """UTF-8 read as Latin-1."""
    return compared(good.target, good.target.encode("utf-8", "replace").decode("latin-1"), "UTF-8 read as Latin-1")


def mojibake_cp1252(good: Good, _dice: Random) -> Edit | None:
    """UTF-8 read as Windows-1252, what that does not know replaced."""
    return compared(good.target, good.target.encode("utf-8", "replace").decode("cp1252", "replace"), "UTF-8 read as Windows-1252")


def bidi_override(good: Good, dice: Random) -> Edit | None:
    """A control that turns the order of what is seen around, inside the text."""
    if len(good.target) < 2:
        return None
    at = dice.randrange(1, len(good.target))
    return put(good.target, (at, at), dice.choice(_OVERRIDES))._replace(what="a control of direction")


def empty(_good: Good, dice: Random) -> Edit | None:
    """Nothing that can be read."""
    nothing = dice.choice(_NOTHING)
    return Edit(nothing, (0, len(nothing)), "nothing is there")
