"""Who is drawn for the audit: a stratified random sample of what the gate accepts by itself.

In: the accepted samples, in any order, and what was drawn before. Out: sample id to the probability with which it was drawn.
Strata are corpus x task. A hash of the id gives each sample a place in its stratum, so chunks, workers and the order of files
do not matter. Memory: the drawn ids, and `review.audit_minimum` ids a stratum.
"""

import hashlib
from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.settings import ReviewSettings
from schemas.sample import Sample

#: Corpus and task.
Stratum = tuple[str, str]


def stratum_of(sample: Sample) -> Stratum:
    """The stratum of a sample."""
    return sample.corpus, sample.task


def place(sample_id: str) -> float:
    """Where a sample stands in the lottery: uniform in [0, 1), and the same in every run."""
    return int.from_bytes(hashlib.sha256(f"audit:{sample_id}".encode()).digest()[:8], "big") / 2**64


@dataclass
class _Lot:
    """One stratum while its samples are seen."""

    size: int = 0
    first: list[tuple[float, str]] = field(default_factory=list)
    """The `audit_minimum` lowest places."""
    below: set[str] = field(default_factory=set)
    """Places below `audit_fraction`."""
    again: set[str] = field(default_factory=set)
    """Drawn before."""


class Draw:
    """The lottery of one filling of the queue."""

    def __init__(self, review: ReviewSettings, before: Mapping[str, float]) -> None:
        """`before` gives what was drawn by earlier fillings, with the probabilities then."""
        self._fraction = review.audit_fraction
        self._minimum = review.audit_minimum
        self._before = before
        self._lots: dict[Stratum, _Lot] = {}

    def see(self, sample: Sample) -> None:
        """Take an accepted sample into its stratum's lottery."""
        lot = self._lots.setdefault(stratum_of(sample), _Lot())
        lot.size += 1
        point = place(sample.id)
        if point < self._fraction:
            lot.below.add(sample.id)
        if sample.id in self._before:
            lot.again.add(sample.id)
        if len(lot.first) < self._minimum or (lot.first and (point, sample.id) < lot.first[-1]):
            insort(lot.first, (point, sample.id))
            del lot.first[self._minimum :]

    def drawn(self) -> dict[str, float]:
        """Everybody drawn, with the probability: its stratum's lowest places, and who was drawn before and is still accepted.

        No rule that looks at the present samples alone can do all three: take all of a small stratum, take a part of a large
        one, and never take a name back when samples arrive. So what was drawn stays, with the probability of its time: a name
        of a trial run of 20 stands for itself, and does not outweigh the thousands that came after it.
        """
        found: dict[str, float] = {}
        for lot in self._lots.values():
            # Both sets are the lowest places of the stratum, so the larger one holds the smaller.
            lowest = lot.below | {name for _, name in lot.first}
            share = len(lowest) / lot.size
            for name in lowest | lot.again:
                # A queue of an earlier version names no probability (0); the last term is its floor when nobody is drawn now.
                found[name] = max(share, self._before.get(name, 0.0), 1 / lot.size)
        return found
