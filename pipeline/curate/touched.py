"""Which rows of a table curation may change or leave out: most it gives back as they came, and they never become samples.

In: ingest/samples of a chunk, its duplicates, the benchmarks. Out: one flag a row, false only where `curate_samples` gives the
sample itself back. Each rule tells by itself, beside what it does, where it may find something (`UNTIDY`, `TRIGGER`, `UNSEEN`,
`suspicious`, `may_hit`).
"""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.curate.clean import UNTIDY
from pipeline.curate.columns import turns_of, unfolded
from pipeline.curate.decontaminate import Benchmarks
from pipeline.curate.filters import CHATS, UNSEEN, suspicious
from pipeline.curate.identifiers import TRIGGER
from pipeline.settings import CurateSettings


def touched(table: pa.Table, curate: CurateSettings, copies: Collection[str], benchmarks: Benchmarks) -> npt.NDArray[np.bool_]:
    """The flags of the rows; `copies` are the ids of those that fall as duplicates."""
    turns = turns_of(table)
    images = np.diff(unfolded(table, "images")[0])
    # One automaton for all patterns takes 1.3 µs a record of four turns, one for each 3.8. Python and Rust's regex crate agree on
    # what UNSEEN finds in ASCII, and other texts are untidy.
    patterns = [UNTIDY, f"(?i:{UNSEEN})", *([TRIGGER] if curate.deidentify else ())]
    flags = turns.any(turns.texts.str.contains("|".join(patterns)).to_numpy())
    flags |= suspicious(turns, images, curate.max_chars)
    flags |= _among(table["corpus"], CHATS)
    flags |= _among(table["id"], copies)
    return flags | benchmarks.may_hit(table)


def _among(column: pa.ChunkedArray, values: Collection[str]) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.is_in(column, pa.array(list(values), pa.string())).to_numpy(), np.bool_)
