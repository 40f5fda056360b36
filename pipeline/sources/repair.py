"""JSON that Python writes and no strict parser reads: NaN, Infinity, numbers beyond 64 bits, bytes that are not UTF-8.

In: such JSON, at once or as a stream. Out: JSON in which NaN and infinities are null (a value that is not there), numbers that
overflow are text of the same digits, and stray bytes are read as Windows-1252. What is in strings stays. It costs several times
what the parser does, so it is looked at only where the parser has given up.
"""

import io
import re
from typing import Any

#: A string, whose end may not have come yet, or a bare word.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?P<closed>")?|[^\s"\[\]{}:,]+', re.S)
_NUMBER = re.compile(rb"-?\d+(\.\d+)?([eE][-+]?\d+)?\Z")
_NOTHING = (b"NaN", b"Infinity", b"-Infinity", b"+Infinity", b"-NaN")
_STRAY = re.compile("[\udc80-\udcff]")
#: Digits that fit into 64 bits whatever they are.
_DIGITS = 18
_PIECE = 2**20


def repaired(data: bytes) -> bytes:
    """The JSON text with its numbers and stray bytes mended."""
    return _mended(data, whole=True)[0]


def read_stray(text: str) -> str:
    """Text with its undecodable bytes (as `surrogateescape` keeps them) read as Windows-1252: spreadsheets save `38°C` so."""
    return text if text.isascii() else _STRAY.sub(lambda m: bytes([ord(m.group()) - 0xDC00]).decode("cp1252", "replace"), text)


class Repaired(io.RawIOBase):
    """The same over a stream, in flat memory."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self._rest = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """True."""
        return True

    def close(self) -> None:
        """Close the file, too."""
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the next piece goes."""
        whole = False
        while not self._ready and not whole:
            piece = self._file.read(_PIECE)
            whole = not piece
            ready, self._rest = _mended(self._rest + piece, whole)
            self._ready = memoryview(ready)
        view = memoryview(buffer)
        given, self._ready = self._ready[: len(view)], self._ready[len(view) :]
        view[: len(given)] = given
        return len(given)


def _mended(data: bytes, whole: bool) -> tuple[bytes, bytes]:
    """(mended, rest): the rest is a string or word at the edge that more bytes may continue; none when `whole`."""
    parts: list[bytes] = []
    done = 0
    for match in _TOKEN.finditer(data):
        token = match.group()
        text = token[0] == 0x22
        if not whole and (match["closed"] is None if text else match.end() == len(data)):
            end = match.start()
            break
        plain = token if text else _plain(token)
        if plain is not token:
            parts += [data[done : match.start()], plain]
            done = match.end()
    else:
        end = len(data)
    return _utf8(b"".join([*parts, data[done:end]])), data[end:]


def _plain(token: bytes) -> bytes:
    if token in _NOTHING:
        return b"null"
    number = _NUMBER.match(token)
    if number is None:
        return token
    if number.group(1) or number.group(2):
        return b'"%b"' % token if float(token) in (float("inf"), float("-inf")) else token
    return b'"%b"' % token if len(token.lstrip(b"-")) > _DIGITS else token


def _utf8(data: bytes) -> bytes:
    text = data.decode("utf-8", "surrogateescape")
    return data if text.isascii() else read_stray(text).encode("utf-8", "replace")
