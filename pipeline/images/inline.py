"""An image that a record carries itself: its bytes, or its name beside the data. It is decoded when it is wanted."""

import base64
import binascii
import hashlib
from pathlib import Path
from typing import Any


class Inline:
    """Bytes as they stand in the source, or (without bytes) a name under `folder`. Its text names the content, for digests."""

    __slots__ = ("_data", "folder", "name")

    def __init__(self, data: Any, name: str = "", folder: Path | None = None) -> None:
        self._data = data
        self.name = name
        self.folder = folder

    @property
    def size(self) -> int | None:
        """Bytes; None when the record carries none."""
        return None if self._data is None else len(memoryview(self._data))

    def data(self) -> bytes:
        """The bytes; none when there is only a name."""
        return b"" if self._data is None else bytes(memoryview(self._data))

    def __str__(self) -> str:
        if self._data is None:
            return self.name
        return f"{self.name or 'image'} sha256:{hashlib.sha256(memoryview(self._data)).hexdigest()}"


def from_url(url: str) -> "Inline | str":
    """The image in a `data:` address (an empty one where it is no base64); any other address stays a name."""
    head, mark, body = url.partition(";base64,")
    if not mark or not head.startswith("data:"):
        return url
    try:
        return Inline(base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError):
        return Inline(b"")
