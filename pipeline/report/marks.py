"""Text cut into pieces that a template can show: findings as marks, control characters of direction made visible.

In: a text, spans over it. Out: pieces; joined, they are the text again. Lost: nothing. Escaping is the template's work.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from schemas.base import Severity
from schemas.quality import Finding, Span

_RANK: dict[str, int] = {"neutral": 0, "minor": 1, "major": 2, "critical": 3}
#: Embeddings, overrides and isolates (UAX #9) and the two marks: they reorder what stands beside them and are not seen.
CONTROLS = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)}


@dataclass(frozen=True)
class Piece:
    """A stretch of text with one look."""

    text: str
    severity: Severity | None = None
    """The worst finding over it; None where nothing was found."""
    title: str = ""
    control: str = ""
    """Name of a control character: shown in its stead, so that it reorders nothing."""


Marked = tuple[Span, Finding]


def pieces(text: str, marked: Sequence[Marked]) -> list[Piece]:
    """Cut at the borders of spans and at control characters. Spans beyond the text are clipped, empty ones widened by one."""
    fitted = [(_fit(span, len(text)), finding) for span, finding in marked]
    controls = [place for place, sign in enumerate(text) if sign in CONTROLS]
    edges = {0, len(text), *controls, *(place + 1 for place in controls)}
    edges.update(edge for span, _ in fitted for edge in span)
    ordered = sorted(edges)
    return [_piece(text, start, end, fitted) for start, end in pairwise(ordered)]


def by_turn(texts: Sequence[str], marked: Sequence[Marked], joint: str) -> list[list[Marked]]:
    """Spans over the turns joined by `joint`, as spans over each turn; one that covers two turns is cut in two."""
    out: list[list[Marked]] = []
    start = 0
    for text in texts:
        end = start + len(text)
        inside = [
            ((max(a, start) - start, min(b, end) - start), finding)
            for (a, b), finding in marked
            if (a < end and b > start) or (a == b and start <= a < end)
        ]
        out.append(inside)
        start = end + len(joint)
    return out


def _piece(text: str, start: int, end: int, marked: Sequence[Marked]) -> Piece:
    over = sorted(
        (finding for (a, b), finding in marked if a <= start and end <= b), key=lambda f: (-_RANK[f.severity], f.check, f.message)
    )
    part = text[start:end]
    return Piece(
        text=part,
        severity=over[0].severity if over else None,
        title="; ".join(dict.fromkeys(f"{f.check}: {f.message}" for f in over)),
        control=unicodedata.name(part) if part in CONTROLS else "",
    )


def _fit(span: Span, length: int) -> Span:
    start = max(0, min(span[0], length))
    end = max(start, min(span[1], length))
    if start == end:
        end = min(start + 1, length)
    return start, end
