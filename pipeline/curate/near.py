"""Near copies among many texts: MinHash bands name the candidates, the shingles themselves decide.

In: chunk by chunk, the shingles of each text and what must agree in it. Out: for each text, the preferred one that it nearly
repeats. A text falls when a more preferred one that stays is similar enough, so the outcome depends on the preference alone.
Memory: 50 bytes a text; bands and shingles lie in unnamed files that are gone with the process.
"""

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
import numpy.typing as npt
from rensa import RMinHash

from pipeline.curate.grams import Hashes, Places

_PERMUTATIONS = 64
#: Chance at least with which a pair right at the threshold is looked at.
_RECALL = 0.995
_SHINGLE_BYTES = 4
_MIX = np.uint64(0x9E3779B97F4A7C15)


def rows_of(threshold: float) -> int:
    """The rows of a band: as many as leave a pair at the threshold its chance. .9 gives 9 bands of 7 rows, .8 16 bands of 4."""
    fitting = (rows for rows in range(_PERMUTATIONS, 0, -1) if 1 - (1 - threshold**rows) ** (_PERMUTATIONS // rows) >= _RECALL)
    return next(fitting, 1)


@dataclass(frozen=True, slots=True)
class Sketched:
    """What the search keeps of one chunk's samples."""

    count: int
    rows: Places
    """Those that are compared."""
    lengths: Places
    """How many shingles each of them has."""
    shingles: bytes
    bands: list[bytes]


class NearCopies:
    """The search, with its files in `folder`; a threshold of 1 finds nothing."""

    def __init__(self, folder: Path, threshold: float) -> None:
        self._threshold = threshold
        self._rows = rows_of(threshold)
        self._folder = folder
        self._files = ExitStack()
        self._bands: list[IO[bytes]] = []
        self._shingles: IO[bytes] | None = None
        #: Number among all samples, and where the shingles end, for each text that is compared.
        self._numbers: list[npt.NDArray[np.int64]] = []
        self._lengths: list[npt.NDArray[np.int64]] = []
        self._seen = 0

    def __enter__(self) -> Self:
        if self._threshold < 1.0:
            self._bands = [self._file() for _ in range(_PERMUTATIONS // self._rows)]
            self._shingles = self._file()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._files.close()

    def _file(self) -> IO[bytes]:
        return self._files.enter_context(tempfile.TemporaryFile(dir=self._folder))

    def sketched(self, shingles: Hashes, places: Places, agree: Hashes, compared: npt.NDArray[np.bool_]) -> Sketched:
        """Samples to `add`, by any thread: the shingles of sample i are `shingles[places[i]:places[i + 1]]`."""
        rows = np.flatnonzero(compared if self._shingles is not None else ())
        counts = np.diff(places)
        flat, counts = shingles[np.repeat(compared, counts)], counts[rows]
        if not rows.size:
            return Sketched(len(agree), rows, counts, b"", [])
        ends = np.concatenate([[0], np.cumsum(counts)])
        sketches = RMinHash.digest_matrix_from_flat_token_hashes(flat, ends.astype(np.uint64), _PERMUTATIONS, 1)
        keys = _band_keys(np.array(sketches.to_rows(), np.uint64), agree[rows], self._rows)
        bands = [keys[:, band].tobytes() for band in range(len(self._bands))]
        return Sketched(len(agree), rows, counts, (flat >> np.uint64(32)).astype(np.uint32).tobytes(), bands)

    def add(self, samples: Sketched) -> None:
        """The next samples."""
        first, self._seen = self._seen, self._seen + samples.count
        if self._shingles is None or not samples.rows.size:
            return
        for data, file in zip(samples.bands, self._bands, strict=True):
            file.write(data)
        self._shingles.write(samples.shingles)
        self._numbers.append(samples.rows + first)
        self._lengths.append(samples.lengths)

    def find(self, order: npt.NDArray[np.uint64], copy_of: npt.NDArray[np.int64]) -> None:
        """Enter into `copy_of` (-1 for those that stay so far) what falls. `order` are all samples, the preferred first."""
        if self._shingles is None or not self._numbers:
            return
        numbers = np.concatenate(self._numbers)
        preference = np.empty(len(order), np.int64)
        preference[order] = np.arange(len(order))
        ends = np.concatenate([[0], np.cumsum(np.concatenate(self._lengths))])
        texts, groups = self._groups(copy_of[numbers] < 0)
        starts = np.flatnonzero(np.diff(texts, prepend=-1))
        stops = np.append(starts[1:], len(texts))
        # The first that stays of each group; most groups have no other one.
        first = np.full(int(groups.max(initial=-1)) + 1, -1, np.int64)
        more: dict[int, list[int]] = {}
        for at in np.argsort(preference[numbers[texts[starts]]], kind="stable"):
            text, mine = int(texts[starts[at]]), groups[starts[at] : stops[at]]
            candidates = {*first[mine].tolist(), *(other for group in mine.tolist() for other in more.get(group, ()))} - {-1}
            near = self._nearest(text, sorted(candidates, key=lambda other: int(preference[numbers[other]])), ends)
            if near is not None:
                copy_of[numbers[text]] = numbers[near]
                continue
            taken = first[mine] >= 0
            for group in mine[taken].tolist():
                more.setdefault(group, []).append(text)
            first[mine[~taken]] = text

    def _nearest(self, text: int, others: list[int], ends: npt.NDArray[np.int64]) -> int | None:
        """The first of the others that is similar enough."""
        if not others:
            return None
        mine = self._read(text, ends)
        return next((other for other in others if _similarity(mine, self._read(other, ends)) >= self._threshold), None)

    def _groups(self, staying: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """(text, group) where texts share a band, in the order of the texts. Most share none."""
        texts = np.flatnonzero(staying)
        found: list[npt.NDArray[np.int64]] = []
        number = 0
        for file in self._bands:
            file.flush()
            file.seek(0)
            keys = np.frombuffer(file.read(), np.uint64)[texts]
            order = np.argsort(keys, kind="stable")
            new = np.diff(keys[order], prepend=keys[order[:1]] ^ np.uint64(1)) != 0
            names = np.cumsum(new)
            shared = np.bincount(names)[names] > 1
            kept = np.unique(names[shared], return_inverse=True)[1]
            found.append(np.stack([texts[order[shared]], kept + number]))
            number += int(kept.max(initial=-1)) + 1
        pairs = np.concatenate(found, axis=1)
        pairs = pairs[:, np.argsort(pairs[0], kind="stable")]
        return pairs[0], pairs[1]

    def _read(self, text: int, ends: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
        assert self._shingles is not None
        start, end = int(ends[text]) * _SHINGLE_BYTES, int(ends[text + 1]) * _SHINGLE_BYTES
        self._shingles.flush()
        return np.unique(np.frombuffer(os.pread(self._shingles.fileno(), end - start, start), np.uint32))


def _band_keys(sketches: Hashes, agree: Hashes, rows: int) -> Hashes:
    """One number for each band of each text; texts that must not be copies of each other share none."""
    bands = sketches.shape[1] // rows
    keys = np.repeat(agree[:, None], bands, axis=1)
    for row in range(rows):
        keys = (keys ^ sketches[:, row : bands * rows : rows]) * _MIX
        keys ^= keys >> np.uint64(31)
    return keys


def _similarity(one: npt.NDArray[np.uint32], other: npt.NDArray[np.uint32]) -> float:
    """Jaccard similarity of two sets of shingles."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)
