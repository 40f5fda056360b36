"""Compressed bytes as a stream: gzip, bzip2, xz and zstd, known by their first bytes (a `.gz` is often unpacked already).

In: a stream. Out: the stream behind its compression, in flat memory. What grows out of proportion is an InputError before more of
it is unpacked; what is cut or damaged is an OSError behind the last byte that could be read.
"""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from schemas.errors import InputError

#: 1 TiB: ten times MIMIC-CXR-JPG.
MAX_UNPACKED = 2**40
#: JSON Lines of 100,000 conversations that differ in one number alone pack 41 times by gzip and 257 times by xz, real text 3 to
#: 20 times; deflate's limit is 1,032.
MAX_RATIO = 500
#: Where the ratio begins to count: a small file may be as empty as it likes.
FREE_BYTES = 64 * 2**20
_PIECE = 2**18
_FAULTS = (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


def _zstd(file: BinaryIO) -> Any:
    # Imported here: pyarrow takes .1 s, and only MedTrinity's images are packed so.
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")


_OPENERS: dict[bytes, tuple[str, Callable[[BinaryIO], Any]]] = {
    b"\x1f\x8b\x08": ("gzip", lambda file: gzip.GzipFile(fileobj=file)),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMAFile),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
}


def compression(head: bytes) -> str | None:
    """How bytes that begin so are packed, or None."""
    return next((name for mark, (name, _) in _OPENERS.items() if head.startswith(mark)), None)


def unpacked(told: str, file: io.BufferedReader, packed: int) -> io.BufferedReader:
    """The stream behind its compression, or `file` itself. `packed` is its size in bytes; `told` names it in errors.

    Raises InputError for what is packed twice: no corpus is, and each layer multiplies what a bomb can grow to.
    """
    opener = next((opener for mark, (_, opener) in _OPENERS.items() if file.peek(8).startswith(mark)), None)
    if opener is None:
        return file
    stream: io.BufferedReader = io.BufferedReader(Limited(told, opener(file), packed, file), _PIECE)
    again = compression(_peeked(stream))
    if again:
        stream.close()
        raise InputError(f"{told}: {again} inside compressed data. Unpack it once.")
    return stream


def check_growth(told: str, size: int, packed: int) -> None:
    """Raise InputError when `packed` bytes grow to `size`, which no data set does."""
    if size > MAX_UNPACKED:
        raise InputError(f"{told}: unpacks to over {MAX_UNPACKED:,} bytes. Split it, or name unpacked files in the config.")
    if size > FREE_BYTES and size > MAX_RATIO * max(packed, 1):
        raise InputError(
            f"{told}: {packed:,} packed bytes grow to {size:,} or more, over {MAX_RATIO} times: a bomb is packed so, not "
            "data. Take it from its publisher again, or unpack it yourself."
        )


class Limited(io.RawIOBase):
    """Reads from a decompressor and counts; closes it and what lies under it."""

    def __init__(self, told: str, inner: Any, packed: int, *under: Any) -> None:
        self._told = told
        self._inner = inner
        self._packed = packed
        self._under = under
        self._given = 0
        self._fault: str | None = None

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the next piece goes. OSError where the data is cut or damaged."""
        view = memoryview(buffer)
        if self._fault is not None:
            # Again, because the first one may have met somebody who only looked at the beginning.
            raise OSError(self._fault)
        try:
            # Piece by piece: `read` would lose what comes before the fault.
            data = cast(bytes, self._inner.read1(len(view)))
        except InputError:
            raise
        except _FAULTS as error:
            self._fault = " ".join(str(error).split())[:120] or type(error).__name__
            raise OSError(self._fault) from None
        self._given += len(data)
        check_growth(self._told, self._given, self._packed)
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close everything under it, too."""
        if not self.closed:
            for each in (self._inner, *self._under):
                each.close()
        super().close()


def opened(path: Path) -> io.BufferedReader:
    """A file on disk, behind its compression. Raises InputError for a folder and for a file that is not there."""
    try:
        file = path.open("rb")
        return unpacked(str(path), file, path.stat().st_size)
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder, expected a file. Name the file in `path:`.") from None
    except FileNotFoundError:
        raise InputError(f"{path}: no such file.") from None


def _peeked(stream: io.BufferedReader) -> bytes:
    try:
        return stream.peek(8)
    except OSError:
        # Cut before the first byte: whoever reads tells it.
        return b""
