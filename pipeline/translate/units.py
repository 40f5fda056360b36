"""Samples into units of translation, and translations back into turns.

A turn is taken apart into what must not be touched (`<image>` marks, option letters, section headings, placeholders of
lines) and segments of text; the untouched parts come back in their places by construction, not by trust.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from pipeline.sources.templates import TEMPLATES
from pipeline.translate.closed import lookup
from schemas.sample import IMAGE_MARK, Sample
from schemas.translation import Translation, TwinDraft, Unit

#: A line's fixed head: an option letter, or a section heading (which has its own Arabic).
_OPTION = re.compile(r"^([A-H])\. (?=\S)")
_HEADING = re.compile(r"^(Findings|Impression): (?=\S)")
_SECTION_TASKS = frozenset({"report"})


@dataclass(frozen=True)
class Piece:
    """A part of a turn. `label` None: the text is fixed and already Arabic (or no language at all)."""

    turn: int
    label: str | None
    head: str
    """Fixed text before the segment, already Arabic."""
    text: str


def pieces(sample: Sample) -> list[Piece]:
    """The sample's turns, taken apart line by line; lines of running text stay together."""
    parts: list[Piece] = []
    counts: dict[str, int] = {}
    options: dict[str, str] = {}
    for number, turn in enumerate(sample.turns):
        for line in _lines(turn.text):
            parts.append(_piece(sample, number, line, counts, options))
    return parts


def units_of(sample: Sample) -> list[Unit]:
    """The sample's units: one for the whole, or one a section for a report. Units of fixed text only are none."""
    open_pieces = [piece for piece in pieces(sample) if piece.label is not None]
    if not open_pieces:
        return []
    groups = [[piece] for piece in open_pieces] if sample.task in _SECTION_TASKS else [open_pieces]
    return [_unit(sample, group) for group in groups]


def assemble(sample: Sample, done: Mapping[str, Translation]) -> TwinDraft:
    """The Arabic turns of a sample from its units' translations; the worst unit's state is the draft's."""
    units = units_of(sample)
    translations = [done[unit.key] for unit in units]
    worst = next((t for state in ("failed", "unusable") for t in translations if t.state == state), None)
    turns: tuple[str, ...] = ()
    if worst is None:
        arabic = {
            label: text
            for unit, t in zip(units, translations, strict=True)
            for label, text in zip(unit.labels, t.segments, strict=True)
        }
        turns = _turns(sample, arabic)
    asked = [t for t in translations if t.calls]
    return TwinDraft(
        sample=sample.id,
        state=worst.state if worst else "ok",
        turns=turns,
        units=tuple(unit.key for unit in units),
        calls=tuple(dict.fromkeys(call for t in translations for call in t.calls)),
        model=asked[0].model if asked else "",
        prompt=asked[0].prompt if asked else "closed-table",
        round=max((t.round for t in translations), default=0),
        error=worst.error if worst else "",
    )


def _turns(sample: Sample, arabic: Mapping[str, str]) -> tuple[str, ...]:
    lines: list[list[str]] = [[] for _ in sample.turns]
    for piece in pieces(sample):
        lines[piece.turn].append(piece.head + (piece.text if piece.label is None else arabic[piece.label]))
    return tuple("\n".join(parts) for parts in lines)


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


def _piece(sample: Sample, turn: int, line: str, counts: dict[str, int], options: dict[str, str]) -> Piece:
    if line.strip() in (IMAGE_MARK, ""):
        return Piece(turn, None, "", line)
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
        return Piece(turn, None, head, closed)
    if option and text in options:
        # The answer of a multiple-choice exchange is its option, word for word.
        return Piece(turn, options[text], head, text)
    label = _label(sample, turn, heading[1] if heading else "", option[1] if option else "", counts)
    if option:
        options[text] = label
    return Piece(turn, label, head, text)


def _label(sample: Sample, turn: int, heading: str, letter: str, counts: dict[str, int]) -> str:
    role = "question" if sample.turns[turn].role == "user" else "answer"
    base = heading.lower() or (f"option_{letter.lower()}" if letter else role)
    counts[base] = counts.get(base, 0) + 1
    return base if counts[base] == 1 else f"{base}_{counts[base]}"


def _unit(sample: Sample, group: list[Piece]) -> Unit:
    segments = {str(piece.label): unicodedata.normalize("NFC", piece.text) for piece in group}
    content = [segments, sample.task, "en", "ar", sample.access]
    return Unit(
        key=hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        source="en",
        target="ar",
        task=sample.task,
        labels=tuple(segments),
        segments=tuple(segments.values()),
        context="",
        access=sample.access,
        corpus=sample.corpus,
    )
