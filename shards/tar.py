"""Deterministic USTAR, just enough of it: regular files with short ASCII names, no times, no owners.

tarfile would do, at half the speed: at 60 kB a sample it reaches .44 of a raw write, this writer .90 (FINDINGS).
"""

import io
import itertools
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

BLOCK = 512
_ZEROS = b"\0" * BLOCK
_END = b"\0" * (2 * BLOCK)
#: Parts that one writev takes: IOV_MAX is 1024 on Linux.
_MOST_PARTS = 1000
# The fields of a header around name, size and checksum: mode, owner and group; time; type, no link, ustar, no names.
_MODE = b"0000644\0" + b"0000000\0" * 2
_TIME = b"\0" + b"00000000000\0"
_TAIL = b"\0 " + b"0" + b"\0" * 100 + b"ustar\0" + b"00" + b"\0" * 247
#: Sum of the bytes that are in every header, with the checksum's own 8 as blanks.
_REST = sum(_MODE) + sum(_TIME) + sum(_TAIL[2:]) + 8 * ord(" ")


class Digest(Protocol):
    """What hashlib's objects are."""

    def update(self, data: bytes, /) -> None:
        """Take bytes in."""


def header(name: str, size: int) -> bytes:
    """The 512 bytes before a member. Names are ASCII, at most 100 characters."""
    raw = name.encode("ascii")
    if len(raw) > 100:
        raise ValueError(f"member name of {len(raw)} characters: {name}")
    digits = b"%011o" % size
    # Only name and size differ between headers, so only their bytes are summed: 1.2 µs a header, packing all fields took 5.
    checksum = b"%06o" % (_REST + sum(raw) + sum(digits))
    return b"".join((raw, _ZEROS[: 100 - len(raw)], _MODE, digits, _TIME, checksum, _TAIL))


def padded(size: int) -> int:
    """Bytes that a member's data takes in the archive."""
    return -(-size // BLOCK) * BLOCK


def sample_size(members: Sequence[tuple[str, int]]) -> int:
    """Bytes of a sample's members, headers included; members are (name, size)."""
    return sum(BLOCK + padded(size) for _, size in members)


class TarWriter:
    """Writes samples one after the other and remembers where each begins.

    `digest`, such as hashlib.sha256(), sees every byte on its way out, which spares reading the file again.
    """

    def __init__(self, file: BinaryIO, digest: Digest | None = None) -> None:
        self._file = file
        self._digest = digest
        self._fd = file.fileno() if isinstance(file, io.FileIO) else None
        self.offsets: list[int] = [0]

    def add(self, members: Sequence[tuple[str, bytes]]) -> None:
        """Append one sample: its members in the given order."""
        parts: list[bytes] = []
        size = 0
        for name, data in members:
            rest = -len(data) % BLOCK
            parts += (header(name, len(data)), data, _ZEROS[:rest])
            size += BLOCK + len(data) + rest
        self._write(parts, size)
        self.offsets.append(self.offsets[-1] + size)

    def add_raw(self, sample: bytes) -> None:
        """Append a sample that stands ready, as it was read from another shard."""
        self._write([sample], len(sample))
        self.offsets.append(self.offsets[-1] + len(sample))

    def close(self) -> None:
        """Write the end mark. The index's last offset is where it begins."""
        self._write([_END], len(_END))

    def _write(self, parts: list[bytes], size: int) -> None:
        if self._digest is not None:
            for part in parts:
                self._digest.update(part)
        done = 0
        if self._fd is not None and len(parts) <= _MOST_PARTS:
            # An unbuffered file takes the parts as they are; joining them first costs a copy: .73 of a raw write instead of .9.
            done = os.writev(self._fd, parts)
        if done < size:
            rest = memoryview(b"".join(parts))[done:]
            while rest:
                rest = rest[self._file.write(rest) :]


def index_bytes(offsets: Sequence[int]) -> bytes:
    """The .idx file: N+1 little-endian uint64, where each sample begins and where the last one ends."""
    return struct.pack(f"<{len(offsets)}Q", *offsets)


def read_index(path: Path) -> tuple[int, ...]:
    """Offsets of a shard's samples. Raises ValueError when the file is no index."""
    raw = path.read_bytes()
    if len(raw) < 8 or len(raw) % 8:
        raise ValueError(f"{len(raw)} bytes are no index")
    offsets = struct.unpack(f"<{len(raw) // 8}Q", raw)
    if offsets[0] != 0 or any(a >= b for a, b in itertools.pairwise(offsets)):
        raise ValueError("the offsets do not rise from 0")
    return offsets
