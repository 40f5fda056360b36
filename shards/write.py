"""Rows into shards: planned in one pass over the rows, then written, each shard on its own.

The plan alone decides what goes where, so one worker and many write the same bytes. Shards hold samples with the same
number and kind of images, because loaders take a dataset's columns from its first samples.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import InputError
from schemas.release import ReleaseRow, ShardEntry
from schemas.sample import ImageRef
from schemas.tables import SCHEMAS, from_table
from shards.hashing import Sha256Behind
from shards.tar import TarWriter, index_bytes, sample_size

SUFFIXES = {"image/png": "png", "image/jpeg": "jpg"}
_FSYNC_NAME = ".part"


@dataclass
class ShardPlan:
    """One shard to be: which rows (numbers over all tables) go in, in order."""

    split: str
    group: str
    number: int
    images: int
    rows: list[int] = field(default_factory=list)
    bytes: int = 0

    def path(self, name: str, version: str) -> str:
        """Relative to the release's folder."""
        return f"{self.split}/{name}-{version}-{self.split}-{self.group}-{self.number:06d}.tar"


def rows_of(tables: Sequence[Path]) -> Iterator[ReleaseRow]:
    """All rows of the tables in order, in flat memory."""
    for path in tables:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=500):
                yield from from_table(ReleaseRow, pa.Table.from_batches([batch], schema=SCHEMAS[ReleaseRow]))


def plan(rows: Iterator[ReleaseRow], images: Path, shard_bytes: int) -> list[ShardPlan]:
    """Which row goes into which shard. Twins, which follow each other in the rows, are never parted.

    Raises InputError naming the sample whose image is not in the store.
    """
    done: list[ShardPlan] = []
    open_plans: dict[tuple[str, str], ShardPlan] = {}
    for number, row in enumerate(rows):
        size = sample_size([("", len(record_bytes(row))), *((path.name, _size(row, path)) for path in image_paths(row, images))])
        key = (row.split, group_of(row))
        current = open_plans.get(key)
        twin = row.sample.language == "ar" and row.sample.pair is not None
        if current is None or (current.bytes + size > shard_bytes and not twin):
            following = current.number + 1 if current else 0
            current = ShardPlan(row.split, key[1], following, len(row.sample.images))
            open_plans[key] = current
            done.append(current)
        current.rows.append(number)
        current.bytes += size
    return sorted(done, key=lambda item: (item.split, item.group, item.number))


def write_shard(plan_: ShardPlan, rows: Sequence[ReleaseRow], images: Path, folder: Path, relative: str) -> ShardEntry:
    """Write one shard and its index under temporary names, fsync, rename."""
    path = folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + _FSYNC_NAME)
    with part.open("wb", buffering=0) as file, Sha256Behind() as digest:
        writer = TarWriter(file, digest)
        for row in rows:
            writer.add(members_of(row, images))
        writer.close()
        os.fsync(file.fileno())
        sha256 = digest.hexdigest()
    index = index_bytes(writer.offsets)
    index_path = path.with_name(f"{path.name}.idx")
    index_path.write_bytes(index)
    part.replace(path)
    languages: dict[str, int] = {}
    for row in rows:
        languages[row.sample.language] = languages.get(row.sample.language, 0) + 1
    return ShardEntry(
        path=relative,
        split=plan_.split,
        images=plan_.images,
        samples=len(rows),
        bytes=path.stat().st_size,
        sha256=sha256,
        index_sha256=hashlib.sha256(index).hexdigest(),
        languages=dict(sorted(languages.items())),
        tokens=sum(len(turn.text.split()) for row in rows for turn in row.sample.turns),
    )


def members_of(row: ReleaseRow, images: Path) -> list[tuple[str, bytes]]:
    """Members of a sample: the record first, then its images as `key.0.png`, `key.1.png`, …"""
    key = row.sample.id
    parts = [(f"{key}.json", record_bytes(row))]
    for ref, path, number in zip(row.sample.images, image_paths(row, images), range(99), strict=False):
        parts.append((f"{key}.{member_name(ref, number)}", path.read_bytes()))
    return parts


def record_bytes(row: ReleaseRow) -> bytes:
    """The sample's JSON: canonical (sorted keys, UTF-8), so that equal samples are equal bytes.

    Every field has one Arrow type in every sample: `datasets` takes the types from a shard's first 5 samples and fails on
    a null that later becomes a text, or on a struct that later has more fields. Hence "" for no twin, and JSON texts for
    `meta` and `evidence` ("" where there is none).
    """
    sample = row.sample
    record = sample.model_dump(mode="json") | {
        "pair": sample.pair or "",
        "meta": _json_text(sample.meta),
        "split": row.split,
        "source_split": sample.split,
        "images": [ref.model_dump() | {"member": member_name(ref, number)} for number, ref in enumerate(sample.images)],
        "evidence": _json_text(row.evidence.model_dump(mode="json")) if row.evidence else "",
    }
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def member_name(ref: ImageRef, number: int) -> str:
    """A member's name behind the key's dot."""
    return f"{number}.{SUFFIXES[ref.media_type]}"


def group_of(row: ReleaseRow) -> str:
    """`text`, or the kinds of the sample's images: `png`, `jpg`, `png-png`, …"""
    return "-".join(SUFFIXES[ref.media_type] for ref in row.sample.images) or "text"


def image_paths(row: ReleaseRow, images: Path) -> list[Path]:
    """The sample's files in the content-addressed store."""
    return [images / ref.sha256[:2] / f"{ref.sha256}.{SUFFIXES[ref.media_type]}" for ref in row.sample.images]


def file_digest(path: Path) -> str:
    """sha256 of a file, in flat memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json_text(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _size(row: ReleaseRow, path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        raise InputError(
            f"{row.sample.id}: image {path.name} is not in the store at {path.parent}. Run the ingest stage again."
        ) from None
