"""A release (or one split of it) as one long list of samples, in any order, over all its shards.

In: a release's folder. Out: record and images of sample number n, by one pread. Memory: 8 bytes a sample, and the open files.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InputError
from schemas.release import ShardEntry
from shards.card import group_in
from shards.read import Members, read_sample
from shards.release import load_manifest
from shards.tar import read_index
from shards.write import file_digest

#: Files held open: a permutation over 1.6 M samples of 60 kB touches 400 shards in turn; a process may open 1,024.
_OPEN = 400


class Reader:
    """Random access to the samples of a release. Raises InputError where a shard is missing, damaged or not the manifest's."""

    def __init__(self, folder: Path, split: str | None = None, groups: Sequence[str] = (), checked: bool = False) -> None:
        """`groups`: kinds of shards to take (`text`, `jpg`, …), all by default. `checked` proves each shard's sha256 when it is
        first read, at 1.9 GB/s."""
        release = load_manifest(folder)
        self._folder, self._checked = folder, checked
        self._entries = [
            entry
            for entry in release.shards
            if (split is None or entry.split == split) and (not groups or group_in(release, entry) in groups)
        ]
        self._offsets = [self._index(entry) for entry in self._entries]
        self._ends = np.cumsum([len(offsets) - 1 for offsets in self._offsets], dtype=np.int64)
        self._files: OrderedDict[int, int] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the shards; reading again opens them again."""
        while self._files:
            os.close(self._files.popitem()[1])

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, number: int) -> tuple[dict[str, Any], Members]:
        """Record and images; image names are their member's extension, such as `0.png`."""
        shard, inner = self._place(number)
        start, end = self._offsets[shard][inner : inner + 2].tolist()
        try:
            return read_sample(self._opened(shard), start, end - start)
        except (ValueError, KeyError) as error:
            raise InputError(f"{self._path(shard)}: the sample at byte {start} cannot be read ({error}).") from None

    def __iter__(self) -> Iterator[tuple[dict[str, Any], Members]]:
        return (self[number] for number in range(len(self)))

    def __getstate__(self) -> dict[str, Any]:
        """Without the open files: a worker process opens its own."""
        return self.__dict__ | {"_files": OrderedDict()}

    def raw(self, number: int) -> bytes:
        """A sample's bytes as they stand in the shard."""
        shard, inner = self._place(number)
        offsets = self._offsets[shard]
        start = int(offsets[inner])
        return os.pread(self._opened(shard), int(offsets[inner + 1]) - start, start)

    def _place(self, number: int) -> tuple[int, int]:
        if not 0 <= number < len(self):
            raise IndexError(number)
        shard = int(np.searchsorted(self._ends, number, side="right"))
        return shard, number - (int(self._ends[shard - 1]) if shard else 0)

    def _path(self, shard: int) -> Path:
        return self._folder / self._entries[shard].path

    def _index(self, entry: ShardEntry) -> NDArray[np.int64]:
        path = self._folder / entry.path
        try:
            offsets = read_index(path.with_name(f"{path.name}.idx"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path}.idx: cannot be read ({error}). `bimedv release verify` says what is wrong.") from None
        if len(offsets) - 1 != entry.samples:
            raise InputError(f"{path}.idx: has {len(offsets) - 1} samples, the manifest says {entry.samples}.")
        return np.array(offsets, dtype=np.int64)

    def _opened(self, shard: int) -> int:
        file = self._files.get(shard)
        if file is not None:
            return file
        path = self._path(shard)
        try:
            if self._checked and file_digest(path) != self._entries[shard].sha256:
                raise InputError(f"{path}: its sha256 is not the manifest's.")
            file = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
        self._files[shard] = file
        if len(self._files) > _OPEN:
            os.close(self._files.popitem(last=False)[1])
        return file


@dataclass(frozen=True, kw_only=True)
class Order:
    """Which samples a process of a training run sees, in which order: a function of these numbers alone."""

    seed: int
    epoch: int = 0
    rank: int = 0
    world: int = 1
    even: bool = False
    """Give each rank the same number of samples, by leaving out up to world - 1 of them at the epoch's end; a collective
    operation of ranks with different numbers of steps would hang."""

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.world:
            raise InputError(f"rank is {self.rank} of world {self.world}. It counts from 0 to world - 1.")

    def numbers(self, count: int) -> NDArray[np.int64]:
        """The sample numbers of this rank, in order, as an array: every world-th of the epoch's permutation of all."""
        taken = count - count % self.world if self.even else count
        return permutation(count, self.seed, self.epoch)[self.rank : taken : self.world]


def permutation(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """A permutation of range(count): numbers sorted by SplitMix64 of (seed, epoch, number).

    Our own, because numpy does not promise the same stream in its next version, and a resumed run must go on in the old order.
    """
    with np.errstate(over="ignore"):
        start = _mix(np.array([seed % 2**64], dtype=np.uint64)) ^ np.uint64(epoch % 2**64)
        keys = _mix(_mix(start)[0] + np.arange(count, dtype=np.uint64))
    return np.argsort(keys, kind="stable")


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014), after adding its odd constant; one to one on 64 bits."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
