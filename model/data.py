"""Samples of a release as the trainer sees them, read through the shards' indexes.

In: a release's folder. Out: records with their images' bytes, in a fixed order. The shards on disk are the contract:
nothing of the package that wrote them is imported.
"""

import io
import os
import struct
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from schemas.errors import InputError
from schemas.release import MANIFEST, Release


@dataclass(frozen=True)
class Example:
    """One sample: turns as (role, text) and the bytes of its images, in the order of their marks."""

    id: str
    pair: str | None
    task: str
    language: str
    turns: tuple[tuple[str, str], ...]
    images: tuple[bytes, ...]
    image_keys: tuple[str, ...]
    """sha256 of the images: what statistics cluster by."""


def load_release(folder: Path) -> Release:
    """The manifest of a release. Raises InputError where there is none."""
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(f"{folder}: no {MANIFEST}, so this is no release. Build one with `bimedv release build CONFIG`.")
    return Release.model_validate(orjson.loads(path.read_bytes()))


def examples(folder: Path, split: str) -> Iterator[Example]:
    """The samples of one split, in the manifest's order."""
    for entry in load_release(folder).shards:
        if entry.split == split:
            yield from _shard(folder / entry.path)


def _shard(path: Path) -> Iterator[Example]:
    raw = path.with_name(f"{path.name}.idx").read_bytes()
    offsets = struct.unpack(f"<{len(raw) // 8}Q", raw)
    file = os.open(path, os.O_RDONLY)
    try:
        for number in range(len(offsets) - 1):
            start = offsets[number]
            yield _example(os.pread(file, offsets[number + 1] - start, start))
    finally:
        os.close(file)


def _example(raw: bytes) -> Example:
    members: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
        for member in archive:
            data = archive.extractfile(member)
            members[member.name.partition(".")[2]] = data.read() if data else b""
    record: dict[str, Any] = orjson.loads(members["json"])
    return Example(
        id=record["id"],
        pair=record["pair"] or None,
        task=record["task"],
        language=record["language"],
        turns=tuple((turn["role"], turn["text"]) for turn in record["turns"]),
        images=tuple(members[image["member"]] for image in record["images"]),
        image_keys=tuple(image["sha256"] for image in record["images"]),
    )
