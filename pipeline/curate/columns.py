"""A table of samples as flat columns: the turns of all of them in a row, with what belongs to which sample.

In: a table in the schema of Sample. Out: arrays with one value a turn, or one a sample. No Python object a row.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of many samples: those of sample i are at `places[i]` to `places[i + 1]`."""

    roles: pa.Array
    texts: pl.Series
    places: Places

    @property
    def counts(self) -> Places:
        """How many turns each sample has."""
        return np.diff(self.places)

    def having(self, role: str) -> npt.NDArray[np.bool_]:
        """Which turns have this role."""
        return np.asarray(pc.equal(self.roles, role).to_numpy(zero_copy_only=False), np.bool_)

    def sums(self, values: npt.NDArray[Any]) -> Places:
        """One value a turn, added up for each sample."""
        return np.diff(np.concatenate([[0], np.cumsum(values, dtype=np.int64)])[self.places])

    def any(self, flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Which samples have a turn with a flag."""
        return self.sums(flags) > 0


def turns_of(table: pa.Table) -> Turns:
    """The turns of a table of samples."""
    places, turns = unfolded(table, "turns")
    return Turns(turns.field("role"), pl.Series(values=turns.field("text"), dtype=pl.String), places)


def unfolded(table: pa.Table, name: str) -> tuple[Places, pa.StructArray]:
    """A column of lists as one array, and where the list of each row begins and ends in it."""
    lists = table[name].combine_chunks()
    offsets = lists.offsets.to_numpy().astype(np.int64)
    return offsets - offsets[0], lists.flatten()
