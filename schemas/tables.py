"""Arrow schemas of the tables, and the way between rows and tables.

Nested tuples of nouns become list<struct>; `meta` travels as JSON text, because its keys differ by corpus.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, pairwise
from operator import attrgetter
from typing import Any, TypeVar

import orjson
import pyarrow as pa

from schemas.base import Noun
from schemas.quality import Score
from schemas.release import ReleaseRow
from schemas.sample import Exclusion, Overlap, Sample
from schemas.translation import Making, TwinDraft

_STRINGS = pa.list_(pa.string())
_SPAN = pa.list_(pa.int32())
_TURN = pa.struct([("role", pa.string()), ("text", pa.string())])
_IMAGE = pa.struct(
    [
        ("sha256", pa.string()),
        ("media_type", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("modality", pa.string()),
        ("phash", pa.string()),
    ]
)
_ORIGIN = pa.struct([("file", pa.string()), ("row", pa.int64()), ("sha256", pa.string())])
_FINDING = pa.struct(
    [
        ("check", pa.string()),
        ("category", pa.string()),
        ("severity", pa.string()),
        ("message", pa.string()),
        ("source_span", _SPAN),
        ("target_span", _SPAN),
    ]
)
_EVIDENCE = pa.struct(
    [
        ("score", pa.float64()),
        ("verdict", pa.string()),
        ("score_version", pa.string()),
        ("similarity", pa.float64()),
        ("findings", pa.int32()),
        ("units", _STRINGS),
        ("calls", _STRINGS),
        ("model", pa.string()),
        ("prompt", pa.string()),
        ("round", pa.int32()),
        ("judged", pa.bool_()),
        ("decision", pa.string()),
        ("reviewer", pa.string()),
    ]
)
_SAMPLE_FIELDS = [
    ("id", pa.string()),
    ("corpus", pa.string()),
    ("record", pa.string()),
    ("split", pa.string()),
    ("task", pa.string()),
    ("language", pa.string()),
    ("turns", pa.list_(_TURN)),
    ("images", pa.list_(_IMAGE)),
    ("licence", pa.string()),
    ("access", pa.string()),
    ("pair", pa.string()),
    ("origin", _ORIGIN),
    ("meta", pa.string()),
]

SCHEMAS: dict[type[Noun], pa.Schema] = {
    Sample: pa.schema(_SAMPLE_FIELDS),
    Exclusion: pa.schema(
        [
            ("stage", pa.string()),
            ("reason", pa.string()),
            ("record", pa.string()),
            ("sample", pa.string()),
            ("origin", _ORIGIN),
            ("detail", pa.string()),
        ]
    ),
    Overlap: pa.schema([(name, pa.string()) for name in ("sample", "kind", "item", "theirs", "ours")]),
    Making: pa.schema(
        [
            ("parent", pa.string()),
            ("recipe", pa.string()),
            ("state", pa.string()),
            ("made", _STRINGS),
            ("calls", _STRINGS),
            ("model", pa.string()),
            ("prompt", pa.string()),
            ("error", pa.string()),
        ]
    ),
    TwinDraft: pa.schema(
        [
            ("sample", pa.string()),
            ("state", pa.string()),
            ("turns", _STRINGS),
            ("units", _STRINGS),
            ("calls", _STRINGS),
            ("model", pa.string()),
            ("prompt", pa.string()),
            ("round", pa.int32()),
            ("error", pa.string()),
        ]
    ),
    Score: pa.schema(
        [
            ("sample", pa.string()),
            ("score", pa.float64()),
            ("verdict", pa.string()),
            ("findings", pa.list_(_FINDING)),
            ("similarity", pa.float64()),
            ("judge", pa.float64()),
            ("judge_calls", _STRINGS),
            ("version", pa.string()),
        ]
    ),
    ReleaseRow: pa.schema([("sample", pa.struct(_SAMPLE_FIELDS)), ("split", pa.string()), ("evidence", _EVIDENCE)]),
}

N = TypeVar("N", bound=Noun)


def to_table(noun: type[N], rows: Iterable[N]) -> pa.Table:
    """Rows in order, in the noun's Arrow schema.

    Column by column: a sample of four turns takes 6 µs so, and 45 µs through `model_dump` and `Table.from_pylist`.
    """
    schema, held = SCHEMAS[noun], list(rows)
    return pa.Table.from_arrays([_column(held, field) for field in schema], schema=schema)


def from_table(noun: type[N], table: pa.Table) -> Iterator[N]:
    """Validated rows in order. Raises pydantic.ValidationError on a table that somebody else wrote wrongly."""
    for batch in table.to_batches(max_chunksize=1000):
        for row in _structs(batch.schema, [_values(column) for column in batch.columns]):
            yield noun.model_validate(row)


def _column(owners: Sequence[Any], field: pa.Field, gaps: bool = False) -> pa.Array:
    """One field of the owners; `gaps` where some of them are None."""
    value_of = attrgetter(field.name)
    values = [None if owner is None else value_of(owner) for owner in owners] if gaps else list(map(value_of, owners))
    if field.name == "meta":
        return pa.array([None if value is None else orjson.dumps(value).decode() for value in values], field.type)
    return nested(values, field.type)


def nested(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Objects, or lists of them, as a column of structs or lists; attributes are looked up by the fields' names."""
    if pa.types.is_struct(kind):
        absent = [value is None for value in values]
        mask = pa.array(absent, pa.bool_()) if any(absent) else None
        return pa.StructArray.from_arrays(
            [_column(values, field, mask is not None) for field in kind], fields=list(kind), mask=mask
        )
    if pa.types.is_list(kind) and not any(value is None for value in values):
        offsets = pa.array(accumulate(map(len, values), initial=0), pa.int32())
        return pa.ListArray.from_arrays(offsets, nested(list(chain.from_iterable(values)), kind.value_type), type=kind)
    return pa.array(values, kind)


def _values(array: pa.Array) -> list[Any]:
    """What `to_pylist` gives, in a fifth of the time for lists of structs."""
    if pa.types.is_struct(array.type):
        rows: list[Any] = list(_structs(array.type, [_values(column) for column in array.flatten()]))
        if array.null_count:
            return [row if valid else None for row, valid in zip(rows, array.is_valid().to_pylist(), strict=True)]
        return rows
    if pa.types.is_list(array.type) and not array.null_count:
        ends = array.offsets.to_pylist()
        values = _values(array.values.slice(ends[0], ends[-1] - ends[0]))
        return [values[start - ends[0] : end - ends[0]] for start, end in pairwise(ends)]
    return list(array.to_pylist())


def _structs(fields: Iterable[pa.Field], columns: list[list[Any]]) -> Iterator[dict[str, Any]]:
    names = [field.name for field in fields]
    if "meta" in names:
        place = names.index("meta")
        columns[place] = [None if value is None else orjson.loads(value) for value in columns[place]]
    return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))
