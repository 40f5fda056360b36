"""What makers of errors share. In: a good pair and dice. Out: the wrong Arabic with the [start, end) span of the error in it.

The law of spans: what stands before `start` begins the good target, what stands from `end` on ends it.
"""

import re
import tomllib
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

Span = tuple[int, int]


class Good(NamedTuple):
    """A pair that is right, and targets of other pairs for what does not belong to it."""

    source: str
    target: str
    others: tuple[str, ...] = ()


class Edit(NamedTuple):
    """A wrong target; `span` has length zero where something is missing; `source_span` is the place in the source, if known."""

    target: str
    span: Span
    what: str
    source_span: Span | None = None


Maker = Callable[[Good, Random], Edit | None]

#: Harakat and what decomposed letters leave behind; tatweel.
_MARK = "\u0610-\u061a\u064b-\u065f\u0670\u0640"
_MARKS = f"[{_MARK}]*"
_LETTERS = {"أ": "[أا]", "إ": "[إا]", "آ": "[آا]", "ؤ": "[ؤو]", "ئ": "[ئي]", " ": r"\s+"}
_PREFIXES = ("ال", "لل", "بال", "كال", "وال", "فال", "ولل", "وبال", "فبال", "و", "ف", "ب", "ل", "ك", "وب", "ول")


@lru_cache
def words() -> dict[str, Any]:
    """Sections of words.toml as plain values."""
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=4096)
def spelled(word: str, prefixed: bool = True) -> re.Pattern[str]:
    """A whole word in group `word`, with or without harakat, tatweel and the prefixes that Arabic writes on."""
    prefix = "|".join(_letters(one) for one in sorted(_PREFIXES, key=len, reverse=True)) if prefixed else ""
    return re.compile(rf"(?<![\w{_MARK}])(?:{prefix or '(?!)'})?(?P<word>{_letters(word)})(?![\w{_MARK}])")


def places(target: str, wanted: Iterable[str], prefixed: bool = True) -> list[tuple[Span, str]]:
    """Where the words stand (without their prefixes), each with the word that was asked for."""
    return [(m.span("word"), word) for word in wanted for m in spelled(word, prefixed).finditer(target)]


def put(target: str, span: Span, new: str) -> Edit:
    """Something else in place of a part."""
    start, end = span
    wrong = f"{target[:start]}{new}{target[end:]}"
    return Edit(wrong, (start, start + len(new)), f"{target[start:end]!r} became {new!r}")


def cut(target: str, span: Span, what: str = "") -> Edit:
    """A part goes, and one of the two spaces around it."""
    start, end = span
    alone = start == 0 or target[start - 1].isspace()
    if alone and target[end : end + 1] == " ":
        end += 1
    elif alone and start and target[start - 1] == " " and not target[end : end + 1].isalnum():
        start -= 1
    lost = target[span[0] : span[1]].strip()
    return Edit(target[:start] + target[end:], (start, start), what or f"{lost!r} is missing")


def compared(old: str, new: str, what: str) -> Edit | None:
    """An edit of which only the two texts are known: its span runs from the first to the last character that differs."""
    if old == new:
        return None
    most = min(len(old), len(new))
    head = sum(1 for _ in takewhile(lambda at: old[at] == new[at], range(most)))
    tail = sum(1 for _ in takewhile(lambda at: old[-1 - at] == new[-1 - at], range(most - head)))
    return Edit(new, (head, len(new) - tail), what)


def rewritten(good: Good, dice: Random, rows: Iterable[list[str]]) -> Edit | None:
    """One row [English that the source must have, Arabic, what may stand in its place …] is applied at one place."""
    choices = []
    for english, arabic, *instead in rows:
        if re.search(english, good.source, re.I):
            choices += [(span, instead) for span, _ in places(good.target, [arabic])]
    if not choices:
        return None
    span, instead = dice.choice(choices)
    return put(good.target, span, dice.choice(instead))


def _letters(word: str) -> str:
    return "".join((_LETTERS.get(letter) or re.escape(letter)) + ("" if letter == " " else _MARKS) for letter in word)
