"""WebDataset shards of anybody, from anywhere, one sample after the other.

In: a path or any address that fsspec opens, packed or not. Out: key and members of each sample. Memory: one sample. Ours come out
like others'; for random access to ours there is shards.reader.
"""

import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, cast

import fsspec
import orjson

from schemas.errors import InputError

#: Members of WebDataset's own that belong to no sample, such as `__meta__/info`.
_META = "__"


@dataclass(frozen=True)
class Packed:
    """One sample of a shard: its key (with the folder, if it has one) and its members by extension, in small letters."""

    key: str
    members: dict[str, bytes]

    def record(self, name: str = "json") -> dict[str, Any]:
        """A member that is a JSON object. Raises InputError when there is none."""
        try:
            value = orjson.loads(self.members[name])
        except (KeyError, orjson.JSONDecodeError):
            raise InputError(f"sample {self.key}: has no JSON member {name!r}; it has {sorted(self.members)}.") from None
        return cast(dict[str, Any], value)


def stream(address: str) -> Iterator[Packed]:
    """The samples of one shard in order. Consecutive members with the same key are one sample, as WebDataset defines it.

    Raises InputError naming address and byte where the archive is damaged or cut, or a sample has a member twice. A cut
    exactly between two members cannot be told from an archive without an end mark, which some writers leave out.
    """
    with ExitStack() as opened:
        try:
            file = opened.enter_context(fsspec.open(address, "rb"))
            archive = opened.enter_context(tarfile.open(fileobj=file, mode="r|*"))
        except (OSError, tarfile.TarError, ValueError) as error:
            raise InputError(f"{address}: cannot be opened as a tar: {error}.") from None
        yield from _grouped(address, archive)


def _grouped(address: str, archive: tarfile.TarFile) -> Iterator[Packed]:
    key = ""
    members: dict[str, bytes] = {}
    for name, data in _files(address, archive):
        folder, _, base = name.rpartition("/")
        stem, dot, extension = base.partition(".")
        if not stem or not dot or name.startswith(_META):
            continue
        found = f"{folder}/{stem}" if folder else stem
        if found != key and members:
            yield Packed(key, members)
            members = {}
        key = found
        if extension.lower() in members:
            raise InputError(f"{address}: sample {key} has a member {extension.lower()!r} twice.")
        members[extension.lower()] = data
    if members:
        yield Packed(key, members)


def _files(address: str, archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    place = 0
    try:
        for member in archive:
            place = member.offset
            data = archive.extractfile(member) if member.isfile() else None
            if data is not None:
                content = data.read()
                if len(content) < member.size:
                    raise tarfile.ReadError(f"{member.name} ends after {len(content)} of {member.size} bytes")
                yield member.name, content
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(f"{address}: damaged or cut behind byte {place}: {error}.") from None
