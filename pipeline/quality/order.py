"""Items of a list in each other's place: the right options under the wrong letters.

In: pairs. Out: for each at most one finding. Letters, numbers and words are all there, so no other check sees it; that an item is
nearer to another one's Arabic than to its own, and that one to its, does.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.quality.checks.pieces import Piece, aligned, items
from pipeline.quality.semantic import Encoder
from schemas.quality import Finding

#: By how much two items are nearer crosswise than each to its own, in sum. 21 right lists lie at .07 at most; of 69 with items
#: exchanged those that differ by more than numbers, which a check compares, lie at .16 and more, but for one (.09).
_LEAST_GAIN = 0.15
#: Items of one list that are compared: the table grows with their square.
_MOST_ITEMS = 26


def exchanged(encoder: Encoder, pairs: Sequence[tuple[str, str]]) -> dict[int, Finding]:
    """Findings by number of the pair; one call of the encoder for all lists."""
    lists = {number: found for number, pair in enumerate(pairs) if (found := items(aligned(*pair))[:_MOST_ITEMS])}
    if not lists:
        return {}
    vectors = encoder.encode([text for found in lists.values() for piece in found for text in (piece.source, piece.target)])
    ends = np.cumsum([0, *(2 * len(found) for found in lists.values())])
    findings = {}
    for (number, found), (start, end) in zip(lists.items(), pairwise(ends), strict=True):
        rows = vectors[start:end]
        worst = _crossed(np.asarray(rows[0::2] @ rows[1::2].T))
        if worst:
            findings[number] = _finding(found[worst[0]], found[worst[1]])
    return findings


def _crossed(table: NDArray[np.float32]) -> tuple[int, int] | None:
    """The two items that gain most by an exchange, where that is enough."""
    gains = {
        (one, other): float(table[one, other] + table[other, one] - table[one, one] - table[other, other])
        for one, other in combinations(range(len(table)), 2)
    }
    best = max(gains, key=lambda pair: round(gains[pair], 3))
    return best if gains[best] > _LEAST_GAIN else None


def _finding(one: Piece, other: Piece) -> Finding:
    return Finding(
        check="order",
        category="accuracy/mistranslation",
        severity="critical",
        message=f"{one.source[:60]!r} and {other.source[:60]!r} have each other's Arabic",
        source_span=(one.source_at, one.source_at + len(one.source)),
        target_span=(one.target_at, one.target_at + len(one.target)),
    )
