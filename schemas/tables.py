"""Arrow schemas of the tables, and the way between rows and tables.

Nested tuples of nouns become list<struct>; `meta` travels as JSON text, because its keys differ by corpus.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import orjson
import pyarrow as pa

from schemas.base import Noun
from schemas.quality import Score
from schemas.release import ReleaseRow
from schemas.sample import Exclusion, Sample
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
    """Rows in order, in the noun's Arrow schema."""
    return pa.Table.from_pylist([_pack(row.model_dump()) for row in rows], schema=SCHEMAS[noun])


def from_table(noun: type[N], table: pa.Table) -> Iterator[N]:
    """Validated rows in order. Raises pydantic.ValidationError on a table that somebody else wrote wrongly."""
    for batch in table.to_batches(max_chunksize=1000):
        for row in batch.to_pylist():
            yield noun.model_validate(_unpack(row))


def _pack(row: dict[str, object]) -> dict[str, object]:
    if "sample" in row and isinstance(row["sample"], dict):
        return {**row, "sample": _pack(row["sample"])}
    return {**row, "meta": orjson.dumps(row["meta"]).decode()} if "meta" in row else row


def _unpack(row: dict[str, object]) -> dict[str, object]:
    if "sample" in row and isinstance(row["sample"], dict):
        return {**row, "sample": _unpack(row["sample"])}
    return {**row, "meta": orjson.loads(str(row["meta"]))} if "meta" in row else row
