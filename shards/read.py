"""Random access to a shard through its index: one pread a sample, no walk through the archive."""

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from shards.tar import read_index

Members = dict[str, bytes]


class Shard:
    """One `x.tar` with its `x.tar.idx`. Raises OSError or ValueError where they are missing or damaged."""

    def __init__(self, path: Path) -> None:
        self._offsets = read_index(path.with_name(f"{path.name}.idx"))
        self._file = os.open(path, os.O_RDONLY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._file)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, number: int) -> tuple[dict[str, Any], Members]:
        """Record and images of a sample; image names are their member's extension, such as `0.png`."""
        return parse(self.raw(number))

    def __iter__(self) -> Iterator[tuple[dict[str, Any], Members]]:
        return (self[number] for number in range(len(self)))

    def raw(self, number: int) -> bytes:
        """A sample's bytes in the archive."""
        start, end = self._offsets[number], self._offsets[number + 1]
        return os.pread(self._file, end - start, start)

    def offset(self, number: int) -> int:
        """Where a sample begins."""
        return self._offsets[number]

    def find(self, sample_id: str) -> int | None:
        """Offset of the sample of that id, or None."""
        name = f"{sample_id}.json".encode()
        for number in range(len(self)):
            # The record is the sample's first member: its name stands at the sample's first byte.
            if os.pread(self._file, 100, self._offsets[number]).rstrip(b"\0") == name:
                return self._offsets[number]
        return None


def parse(raw: bytes) -> tuple[dict[str, Any], Members]:
    """Record and images from a sample's bytes. Raises tarfile.TarError, ValueError or KeyError on damaged bytes."""
    members: Members = {}
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
        for member in archive:
            data = archive.extractfile(member)
            if data is None:
                raise ValueError(f"{member.name} is no regular file")
            members[member.name.partition(".")[2]] = data.read()
    record: dict[str, Any] = orjson.loads(members.pop("json"))
    return record, members
