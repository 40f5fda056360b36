"""A sample's turns taken apart: what must not be touched, and segments of text for a translator.

In: a sample. Out: Pieces, which put together again give the turns to the letter. `<image>` marks, option letters, section
headings and closed answers stay out of a model's hands: they come back in their places by construction, not by trust.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipeline.sources.templates import TEMPLATES
from pipeline.translate.closed import lookup
from schemas.sample import IMAGE_MARK, Sample

#: A line's fixed head: an option letter, or a section heading (which has its own Arabic).
_OPTION = re.compile(r"^([A-H])\. (?=\S)")
_HEADING = re.compile(r"^(Findings|Impression): (?=\S)")
#: Where a long text may be cut, best first: between paragraphs, lines, sentences, clauses, words.
_BORDERS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?؟])\s+"),
    re.compile(r"(?<=[,;:،؛])\s+"),
    re.compile(r"\s+"),
)


@dataclass(frozen=True)
class Piece:
    """A part of a turn. `label` None: the text is fixed and already Arabic (or no language at all)."""

    turn: int
    label: str | None
    glue: str
    """What stands between this piece and the one before it in the same turn."""
    head: str
    """Fixed text before the segment, already Arabic."""
    text: str
    english: str = ""
    """Of a fixed piece that says something: what it was, for a translator's context."""


def pieces(sample: Sample, max_chars: int) -> list[Piece]:
    """The sample's turns in order; no segment is longer than `max_chars` characters, unless it is one word."""
    parts: list[Piece] = []
    counts: dict[str, int] = {}
    options: dict[str, str] = {}
    for number, turn in enumerate(sample.turns):
        for at, line in enumerate(_lines(turn.text)):
            whole = replace(_piece(sample, number, line, counts, options), glue="\n" if at else "")
            parts += _short(whole, max_chars, counts)
    return parts


def rejoin(sample: Sample, parts: list[Piece], arabic: Mapping[str, str]) -> tuple[str, ...]:
    """The turns again, with each label's Arabic in the place of its segment."""
    turns = ["" for _ in sample.turns]
    for piece in parts:
        turns[piece.turn] += piece.glue + piece.head + (piece.text if piece.label is None else arabic[piece.label])
    return tuple(turns)


def cut(text: str, max_chars: int) -> list[tuple[str, str]]:
    """(glue, part) of a text in parts of at most `max_chars`, cut at the best border there is; joined, they are the text."""
    parts: list[tuple[str, str]] = []
    glue = ""
    while len(text) > max_chars:
        end, start = _border(text, max_chars)
        parts.append((glue, text[:end]))
        glue, text = text[end:start], text[start:]
    return [*parts, (glue, text)]


def _border(text: str, max_chars: int) -> tuple[int, int]:
    """Where the first part ends and the next begins: the last border of the best kind in the second half of the room."""
    for border in _BORDERS:
        found = [
            match.span() for match in border.finditer(text, 1, max_chars + 1) if max_chars // 2 <= match.start() <= max_chars
        ]
        if found:
            return found[-1]
    found = [match.span() for match in _BORDERS[-1].finditer(text, 1, len(text) - 1)][:1]
    # One word longer than the room: it stays whole.
    return found[0] if found else (len(text), len(text))


def _lines(text: str) -> list[str]:
    """Lines with a meaning of their own apart; runs of other lines joined, because sentences cross line breaks."""
    lines: list[str] = []
    running = False
    for line in text.split("\n"):
        special = line.strip() in (IMAGE_MARK, "") or line in TEMPLATES or bool(_OPTION.match(line) or _HEADING.match(line))
        if running and not special:
            lines[-1] += f"\n{line}"
        else:
            lines.append(line)
        running = not special
    return lines


def _short(whole: Piece, max_chars: int, counts: dict[str, int]) -> list[Piece]:
    if whole.label is None or len(whole.text) <= max_chars:
        return [whole]
    base = re.sub(r"_\d+$", "", whole.label)
    made = [
        replace(whole, text=part, glue=glue if number else whole.glue)
        for number, (glue, part) in enumerate(cut(whole.text, max_chars))
    ]
    return [made[0], *(replace(part, head="", label=_numbered(base, counts)) for part in made[1:])]


def _piece(sample: Sample, turn: int, line: str, counts: dict[str, int], options: dict[str, str]) -> Piece:
    if line.strip() in (IMAGE_MARK, ""):
        return Piece(turn, None, "", "", line)
    option, heading = _OPTION.match(line), _HEADING.match(line)
    head, text = "", line
    if option:
        head, text = option.group(), line[option.end() :]
    elif heading:
        head, text = f"{lookup(heading[1])}: ", line[heading.end() :]
    before, mark, after = text.partition(IMAGE_MARK)
    if mark and not before.strip():
        head, text = head + mark + after[: len(after) - len(after.lstrip())], after.lstrip()
    closed = lookup(text)
    if closed is not None:
        return Piece(turn, None, "", head, closed, text)
    if option and text in options:
        # The answer of a multiple-choice exchange is its option, word for word.
        return Piece(turn, options[text], "", head, text)
    label = _label(sample, turn, heading[1] if heading else "", option[1] if option else "", counts)
    if option:
        options[text] = label
    return Piece(turn, label, "", head, text)


def _label(sample: Sample, turn: int, heading: str, letter: str, counts: dict[str, int]) -> str:
    role = "question" if sample.turns[turn].role == "user" else "answer"
    return _numbered(heading.lower() or (f"option_{letter.lower()}" if letter else role), counts)


def _numbered(base: str, counts: dict[str, int]) -> str:
    counts[base] = counts.get(base, 0) + 1
    return base if counts[base] == 1 else f"{base}_{counts[base]}"
