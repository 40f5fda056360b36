"""Samples into units of translation, and translations back into drafts.

A unit is an exchange, a conversation, or a section of a report, with the context that a translator needs. Its key hashes
what is asked, not who asks: the same exchange of two samples is one unit and is paid for once.
"""

import hashlib
import unicodedata
from collections.abc import Mapping

import orjson

from pipeline.translate.pieces import Piece, pieces, rejoin
from schemas.sample import Sample
from schemas.translation import Translation, TwinDraft, Unit

_SECTION_TASKS = frozenset({"report"})
#: Questions about one picture stand by themselves, and SLAKE's 4,919 train exchanges are 597 questions: a modality in the
#: context would make of each question as many units as there are modalities.
_MODALITY_TASKS = frozenset({"report", "caption", "conversation"})
#: How much of what came before a unit goes along as context, in characters.
_CONTEXT_CHARS = 400


def units_of(sample: Sample, max_chars: int) -> list[Unit]:
    """The sample's units, each of at most `max_chars` characters of text. Samples of fixed text only have none."""
    parts = pieces(sample, max_chars)
    return [_unit(sample, group, _context(sample, parts, group)) for group in _groups(sample, parts, max_chars)]


def assemble(sample: Sample, done: Mapping[str, Translation], max_chars: int) -> TwinDraft:
    """The Arabic turns of a sample from its units' translations; the worst unit's state is the draft's."""
    units = units_of(sample, max_chars)
    translations = [done[unit.key] for unit in units]
    worst = next((t for state in ("failed", "unusable") for t in translations if t.state == state), None)
    turns: tuple[str, ...] = ()
    if worst is None:
        labelled = zip(units, translations, strict=True)
        arabic = {label: text for unit, t in labelled for label, text in zip(unit.labels, t.segments, strict=True)}
        turns = rejoin(sample, pieces(sample, max_chars), arabic)
    asked = [t for t in translations if t.calls] or translations
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


def _groups(sample: Sample, parts: list[Piece], max_chars: int) -> list[list[Piece]]:
    """Open pieces by unit: a section each; else whole exchanges as long as they fit, and parts of one that does not."""
    first_seen = {piece.label: piece for piece in reversed(parts) if piece.label is not None}
    open_pieces = [piece for piece in parts if piece.label is not None and first_seen[piece.label] is piece]
    if sample.task in _SECTION_TASKS:
        return [[piece] for piece in open_pieces]
    groups: list[list[Piece]] = []
    for exchange in _exchanges(sample, open_pieces):
        if groups and _chars(groups[-1]) + _chars(exchange) <= max_chars:
            groups[-1] += exchange
            continue
        groups.append([])
        for piece in exchange:
            if groups[-1] and _chars(groups[-1]) + len(piece.text) > max_chars:
                groups.append([])
            groups[-1].append(piece)
    return [group for group in groups if group]


def _exchanges(sample: Sample, open_pieces: list[Piece]) -> list[list[Piece]]:
    exchanges: list[list[Piece]] = []
    turn = -1
    for piece in open_pieces:
        if not exchanges or (piece.turn != turn and sample.turns[piece.turn].role != "assistant"):
            exchanges.append([])
        exchanges[-1].append(piece)
        turn = piece.turn
    return exchanges


def _context(sample: Sample, parts: list[Piece], group: list[Piece]) -> str:
    """What a translator wants to know beside the text: the task, the picture's kind, what was said just before."""
    lines = [f"task: {sample.task}"]
    modality = sample.meta.get("modality", "")
    if modality and sample.images and sample.task in _MODALITY_TASKS:
        lines.append(f"image: {modality}")
    said = "\n".join(_said(piece) for piece in parts[: parts.index(group[0])] if _said(piece))
    if said and sample.task not in _SECTION_TASKS:
        tail = said[-_CONTEXT_CHARS:]
        lines.append(f"before: {tail if len(said) <= _CONTEXT_CHARS else tail.partition(' ')[2]}")
    return "\n".join(lines)


def _said(piece: Piece) -> str:
    return piece.english if piece.label is None else piece.text


def _unit(sample: Sample, group: list[Piece], context: str) -> Unit:
    segments = {str(piece.label): unicodedata.normalize("NFC", piece.text) for piece in group}
    content = [segments, context, "en", "ar", sample.access]
    return Unit(
        key=hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        source="en",
        target="ar",
        task=sample.task,
        labels=tuple(segments),
        segments=tuple(segments.values()),
        context=context,
        access=sample.access,
        corpus=sample.corpus,
    )


def _chars(group: list[Piece]) -> int:
    return sum(len(piece.text) for piece in group)
