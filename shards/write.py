"""Rows into shards: planned in one pass over the rows, then written, each shard on its own.

The plan alone decides what goes where, so one worker and many write the same bytes. Shards hold samples with the same
number and kind of images, because loaders take a dataset's columns from its first samples.
"""

import hashlib
import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from schemas.errors import InputError
from schemas.release import ReleaseRow, ShardEntry
from schemas.sample import ImageRef
from shards.hashing import Sha256Behind
from shards.tar import TarWriter, index_bytes, sample_size

#: A shard's name has a word for each image of its samples, and file systems take names of 255 bytes: 40 words leave about 75 for
#: the release's name, version and split. From 60 on a build died of "File name too long".
MOST_IMAGES = 40
SUFFIXES = {"image/png": "png", "image/jpeg": "jpg"}
_FSYNC_NAME = ".part"


@dataclass
class ShardPlan:
    """One shard to be: which rows (numbers over all tables) go in, in order."""

    split: str
    group: str
    number: int
    images: int
    rows: "array[int]" = field(default_factory=lambda: array("q"))
    bytes: int = 0

    def path(self, name: str, version: str) -> str:
        """Relative to the release's folder."""
        return f"{self.split}/{name}-{version}-{self.split}-{self.group}-{self.number:06d}.tar"


@dataclass
class Tally:
    """What the samples of a shard, or of a release, count up to."""

    licences: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    modalities: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    """White-space separated words of all turns, by language."""
    tokens: Counter[str] = field(default_factory=Counter)
    """The same in tokens of the release's tokenizer."""

    def add(self, row: ReleaseRow, count: Callable[[Sequence[str]], int]) -> None:
        """Count one sample; `count` counts tokens."""
        sample = row.sample
        self.licences[sample.licence] += 1
        self.sources[sample.corpus] += 1
        self.tasks[sample.task] += 1
        self.languages[sample.language] += 1
        self.splits[row.split] += 1
        self.modalities.update({image.modality for image in sample.images} or {"text"})
        texts = [turn.text for turn in sample.turns]
        self.words[sample.language] += sum(len(text.split()) for text in texts)
        self.tokens[sample.language] += count(texts)


def plan(rows: Iterable[ReleaseRow], images: Path, shard_bytes: int) -> list[ShardPlan]:
    """Which row goes into which shard. Twins, which follow each other in the rows, are never parted.

    Raises InputError naming the sample whose image is not in the store, or which has more images than its members have names for.
    """
    done: list[ShardPlan] = []
    open_plans: dict[tuple[str, str], ShardPlan] = {}
    for number, row in enumerate(rows):
        size = sample_size([("", len(record_bytes(row))), *((path.name, _size(row, path)) for path in image_paths(row, images))])
        if len(row.sample.images) > MOST_IMAGES:
            raise InputError(
                f"{row.sample.id}: {len(row.sample.images)} images, a sample of a shard has {MOST_IMAGES} at most. Leave its "
                "source out, or make several samples of it."
            )
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


@dataclass(frozen=True)
class Places:
    """Where images come from and shards go to, and what counts tokens."""

    images: Path
    folder: Path
    count: Callable[[Sequence[str]], int]


def write_shard(plan_: ShardPlan, rows: Iterable[ReleaseRow], places: Places, relative: str) -> tuple[ShardEntry, Tally]:
    """Write one shard and its index under temporary names, fsync, rename. Memory: one sample."""
    path = places.folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + _FSYNC_NAME)
    tally = Tally()
    with part.open("wb", buffering=0) as file, Sha256Behind() as digest:
        writer = TarWriter(file, digest)
        for row in rows:
            writer.add(members_of(row, places.images))
            tally.add(row, places.count)
        writer.close()
        os.fsync(file.fileno())
        sha256 = digest.hexdigest()
    index = index_bytes(writer.offsets)
    index_path = path.with_name(f"{path.name}.idx")
    index_path.write_bytes(index)
    part.replace(path)
    entry = ShardEntry(
        path=relative,
        split=plan_.split,
        images=plan_.images,
        samples=len(plan_.rows),
        bytes=path.stat().st_size,
        sha256=sha256,
        index_sha256=hashlib.sha256(index).hexdigest(),
        languages=dict(sorted(tally.languages.items())),
        tokens=sum(tally.tokens.values()),
    )
    return entry, tally


def members_of(row: ReleaseRow, images: Path) -> list[tuple[str, bytes]]:
    """Members of a sample: the record first, then its images as `key.0.png`, `key.1.png`, …"""
    key = row.sample.id
    parts = [(f"{key}.json", record_bytes(row))]
    for number, (ref, path) in enumerate(zip(row.sample.images, image_paths(row, images), strict=True)):
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
