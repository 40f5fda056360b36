"""The rows of a release to be, over all its tables: all of them in order, or some by their numbers. Memory: one batch."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.release import ReleaseRow
from schemas.tables import SCHEMAS, from_table

_BATCH = 500


class Rows:
    """Numbers count from 0 over the tables in their order."""

    def __init__(self, tables: Sequence[Path]) -> None:
        self._tables: list[tuple[Path, int, int]] = []
        first = 0
        for path in tables:
            end = first + pq.read_metadata(path).num_rows
            self._tables.append((path, first, end))
            first = end

    def __iter__(self) -> Iterator[ReleaseRow]:
        for path, _, _ in self._tables:
            for batch in _batches(path):
                yield from _rows(batch)

    def at(self, numbers: Sequence[int]) -> Iterator[ReleaseRow]:
        """The rows of these rising numbers; tables that hold none of them are not opened."""
        for path, first, end in self._tables:
            low, high = bisect_left(numbers, first), bisect_left(numbers, end)
            if low == high:
                continue
            for batch in _batches(path):
                stop = bisect_left(numbers, first + len(batch), low, high)
                if stop > low:
                    yield from _rows(batch.take(pa.array([number - first for number in numbers[low:stop]], pa.int64())))
                low, first = stop, first + len(batch)


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=_BATCH)


def _rows(batch: pa.RecordBatch) -> Iterator[ReleaseRow]:
    return from_table(ReleaseRow, pa.Table.from_batches([batch], schema=SCHEMAS[ReleaseRow]))
