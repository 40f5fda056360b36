"""Which rows of a table curation may change or leave out: most it gives back as they came, and they never become samples.

In: ingest/samples of a chunk, its duplicates, the benchmarks. Out: one flag a row, false only where `curate_samples` gives the
sample itself back. Each rule tells by itself, beside what it does, where it may find something (`untidy`, `suspected`,
`suspicious`, `may_hit`).
"""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.curate.clean import untidy
from pipeline.curate.columns import turns_of, unfolded
from pipeline.curate.decontaminate import Benchmarks
from pipeline.curate.deidentify import suspected
from pipeline.curate.filters import CHATS, suspicious
from pipeline.settings import CurateSettings


def touched(table: pa.Table, curate: CurateSettings, copies: Collection[str], benchmarks: Benchmarks) -> npt.NDArray[np.bool_]:
    """The flags of the rows; `copies` are the ids of those that fall as duplicates."""
    turns = turns_of(table)
    images = np.diff(unfolded(table, "images")[0])
    flags = turns.any(untidy(turns.texts))
    flags |= suspicious(turns, images, curate.max_chars)
    if curate.deidentify:
        flags |= turns.any(suspected(turns.texts))
    flags |= _among(table["corpus"], CHATS)
    flags |= _among(table["id"], copies)
    return flags | benchmarks.may_hit(table)


def _among(column: pa.ChunkedArray, values: Collection[str]) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.is_in(column, pa.array(list(values), pa.string())).to_numpy(), np.bool_)
