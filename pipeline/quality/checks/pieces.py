"""A pair in smaller pairs: sentence by sentence, line by line, option by option, where both sides have equally many.

A lost "no" or a turned side of one sentence is not hidden by another sentence that has one.
"""

import re
from typing import NamedTuple

_OPTION = r"\(?[A-H][.)] "
_LETTER = r"[A-Za-z\u0621-\u064a]"
#: Behind the end of a sentence, at a line break, before an option's letter, and where a source forgot the space ("day.The").
#: "U.S. adults", "A. Liver", "1. Liver" and "Dr. Salem" are no ends; "4 g. Then" is one.
_BREAK = re.compile(
    rf"(?<=[.!?؟])(?<![\s.(]{_LETTER}\.)(?<!^{_LETTER}\.)(?<!\b(?:Dr|Mr|vs|St|No)\.)(?<!\bMrs\.)"
    r"(?<!\n[0-9٠-٩]\.)(?<!^[0-9٠-٩]\.)(?<!\n[0-9٠-٩][0-9٠-٩]\.)\s+(?=\S)"
    rf"|(?<=[0-9٠-٩] {_LETTER}\.)\s+(?=\S)|(?<=[.!?؟][\"'»”)\]])\s+(?=\S)"
    rf"|\n+|\s+(?={_OPTION})|(?<=[a-z)\]\d][.?!])(?=[A-Z][a-z'’])"
)
_MORE = re.compile(rf"[.!?؟][\"'»”)\]]*\s*\S|\n|\s{_OPTION}")

#: How an item of a list begins: A. or (b) or 1) or a dash.
_ITEM = re.compile(r"^\s*(?:\(?(?:[A-Ha-h]|\d{1,2}|[أابجدهـ])[.):]|[-•*–])\s+(?=\S)")


class Piece(NamedTuple):
    """A part of a pair and where the two begin in the whole."""

    source: str
    target: str
    source_at: int
    target_at: int


def aligned(source: str, target: str) -> list[Piece]:
    """The pieces in order; the whole as the only one where the two sides have not equally many."""
    whole = [Piece(source, target, 0, 0)]
    if not _MORE.search(source):
        return whole
    here, there = parts(source), parts(target)
    if len(here) != len(there) or len(here) < 2:
        return whole
    return [Piece(one, other, at, to) for (one, at), (other, to) in zip(here, there, strict=True)]


def parts(text: str) -> list[tuple[str, int]]:
    """The text's pieces that hold a letter or digit, with their places."""
    found: list[tuple[str, int]] = []
    start = 0
    for match in _BREAK.finditer(text):
        found.append((text[start : match.start()], start))
        start = match.end()
    found.append((text[start:], start))
    return [(part, at) for part, at in found if any(character.isalnum() for character in part)]


def items(pieces: list[Piece]) -> list[Piece]:
    """The pieces that are items of a list on both sides, without their marks; none where there is only one."""
    found = []
    for piece in pieces if len(pieces) > 1 else []:
        here, there = _ITEM.match(piece.source), _ITEM.match(piece.target)
        if here and there:
            source_at, target_at = piece.source_at + here.end(), piece.target_at + there.end()
            found.append(Piece(piece.source[here.end() :], piece.target[there.end() :], source_at, target_at))
    return found if len(found) > 1 else []
