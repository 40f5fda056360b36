"""The samples of a chunk as columns, for ingest, which makes them by the million.

In: drafts with their ids and images. Out: the table that `noun_table(Sample, …)` would give of the same samples, which a test
holds it to. A sample of four turns takes 3 µs; as an object of its own, validated and taken apart again, it took 22.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, get_args

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.sources.base import Corpus, Draft, Record
from schemas.base import Role, Task
from schemas.sample import ImageRef, Sample
from schemas.tables import SCHEMAS, nested

_ID = r"^[a-z0-9_-]{1,93}$"
_TASKS, _ROLES = frozenset(get_args(Task)), frozenset(get_args(Role))


class SampleTable:
    """English samples of one source. `add` believes its caller; `table` checks ids, tasks and roles of all at once."""

    def __init__(self, known: Corpus, file: str) -> None:
        self._known, self._file = known, file
        self._ids: list[str] = []
        self._records: list[str] = []
        self._splits: list[str] = []
        self._tasks: list[str] = []
        self._roles: list[str] = []
        self._texts: list[str] = []
        self._turns: list[int] = []
        self._images: list[Sequence[ImageRef]] = []
        self._rows: list[int] = []
        self._digests: list[str] = []
        self._metas: list[Mapping[str, str]] = []

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, name: str, record: Record, draft: Draft, split: str, images: Sequence[ImageRef]) -> None:
        """One sample; `draft` as it is to be kept."""
        self._ids.append(name)
        self._records.append(record.id)
        self._splits.append(split)
        self._tasks.append(draft.task)
        for role, text in draft.turns:
            self._roles.append(role)
            self._texts.append(text)
        self._turns.append(len(draft.turns))
        self._images.append(images)
        self._rows.append(record.row)
        self._digests.append(record.sha256)
        self._metas.append(draft.meta)

    def table(self) -> pa.Table:
        """All of them, in order. Raises ValueError where an adapter has made what is no sample."""
        ids = pa.array(self._ids, pa.string())
        wrong = [*(set(self._tasks) - _TASKS), *(set(self._roles) - _ROLES)]
        if wrong or not pc.all(pc.match_substring_regex(ids, _ID), min_count=0).as_py():
            raise ValueError(f"{self._known.name}: no task, role or id of a sample: {wrong or self._ids[:3]}")
        count, schema = len(self._ids), SCHEMAS[Sample]
        strings = {"record": self._records, "split": self._splits, "task": self._tasks}
        constants = {"corpus": self._known.name, "language": "en", "licence": self._known.licence, "access": self._known.access}
        files = pa.repeat(pa.scalar(self._file, pa.string()), count)
        rows, digests = pa.array(self._rows, pa.int64()), pa.array(self._digests, pa.string())
        columns: dict[str, Any] = {
            "id": ids,
            "pair": pc.binary_join_element_wise(ids, "ar", "-"),
            "turns": self._turn_column(schema.field("turns").type),
            "images": nested(self._images, schema.field("images").type),
            "origin": pa.StructArray.from_arrays([files, rows, digests], fields=list(schema.field("origin").type)),
            "meta": pa.array([orjson.dumps(meta).decode() if meta else "{}" for meta in self._metas], pa.string()),
            **{name: pa.array(values, pa.string()) for name, values in strings.items()},
            **{name: pa.repeat(pa.scalar(value, pa.string()), count) for name, value in constants.items()},
        }
        return pa.Table.from_arrays([columns[field.name] for field in schema], schema=schema)

    def _turn_column(self, kind: pa.DataType) -> pa.Array:
        turns = [pa.array(self._roles, pa.string()), pa.array(self._texts, pa.string())]
        offsets = pa.array(accumulate(self._turns, initial=0), pa.int32())
        return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(turns, fields=list(kind.value_type)), type=kind)
