"""Walks over a whole release, for whoever needs every sample once: in the manifest's order, in flat memory.

In: a release's folder. Out: records with their place, or samples with their images. A damaged shard is a user's mistake to mend.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from schemas.errors import InputError
from schemas.release import Release, ShardEntry
from shards.read import Members, Shard, parse


@dataclass(frozen=True)
class Placed:
    """A sample and where it lies."""

    entry: ShardEntry
    offset: int
    raw: bytes
    """The record's bytes, or the whole sample's."""


def records(folder: Path, release: Release) -> Iterator[Placed]:
    """Each sample's record (JSON bytes), without reading its images. Raises InputError where a shard cannot be read."""
    return _walk(folder, release, images=False)


def samples(folder: Path, release: Release) -> Iterator[tuple[Placed, dict[str, Any], Members]]:
    """Each sample with its record and images. Raises InputError where a shard cannot be read."""
    for placed in _walk(folder, release, images=True):
        try:
            record, members = parse(placed.raw)
        except (ValueError, KeyError) as error:
            raise _unreadable(folder, placed.entry, placed.offset, error) from None
        yield placed, record, members


def loaded(folder: Path, placed: Placed) -> dict[str, Any]:
    """The record of a placed one. Raises InputError where it is no JSON object."""
    try:
        value: dict[str, Any] = orjson.loads(placed.raw)
    except orjson.JSONDecodeError as error:
        raise _unreadable(folder, placed.entry, placed.offset, error) from None
    return value


def _walk(folder: Path, release: Release, images: bool) -> Iterator[Placed]:
    for entry in release.shards:
        offset = 0
        try:
            with Shard(folder / entry.path) as shard:
                for number in range(len(shard)):
                    offset = shard.offset(number)
                    yield Placed(entry, offset, shard.raw(number) if images else shard.record_bytes(number))
        except (OSError, ValueError) as error:
            raise _unreadable(folder, entry, offset, error) from None


def _unreadable(folder: Path, entry: ShardEntry, offset: int, error: Exception) -> InputError:
    return InputError(
        f"{folder / entry.path}: the sample at byte {offset} cannot be read ({error}). "
        f"`bimedv release verify {folder}` says what is wrong."
    )
