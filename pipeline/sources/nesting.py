"""Stops JSON that is nested so deep that its parser's memory grows with the square of it, before the parser sees it.

In: a stream of JSON. Out: the same bytes. ijson keeps the path of each open level: 100,000 levels are 200 KB of file and 25 GB of
memory. Brackets are counted 64 KiB at a time, in strings too, which costs 1 % of parsing; only where that looks deep, the file is
read again with its strings told apart.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from schemas.errors import InputError

#: 360 MB of paths. Published records are nested 10 deep.
MAX_DEPTH = 12_000
_STEP = np.zeros(256, np.int32)
_STEP[[0x5B, 0x7B]], _STEP[[0x5D, 0x7D]] = 1, -1
#: A string, whose end may not have come yet, or a bracket.
_MARK = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?P<closed>")?|[\[{\]}]', re.S)
_PIECE = 2**20


class Shallow:
    """What a parser reads from: `file`, with an eye on its brackets. `again` opens the same bytes from their beginning."""

    def __init__(self, path: Path, file: BinaryIO, again: Callable[[], BinaryIO]) -> None:
        self._path = path
        self._file = file
        self._again = again
        self._read = 0
        self._depth = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises InputError where they are nested too deep."""
        data = self._file.read(size)
        self._read += len(data)
        opened = data.count(b"[") + data.count(b"{")
        if self._depth + opened > MAX_DEPTH:
            self._look(data)
        else:
            self._depth = max(0, self._depth + opened - data.count(b"]") - data.count(b"}"))
        return data

    def _look(self, data: bytes) -> None:
        levels = self._depth + np.cumsum(_STEP[np.frombuffer(data, np.uint8)])
        self._depth = max(0, int(levels[-1]))
        if levels.max() <= MAX_DEPTH:
            return
        with self._again() as file:
            self._depth, deepest = _levels(file, self._read)
        if deepest > MAX_DEPTH:
            raise InputError(
                f"{self._path}: over {MAX_DEPTH:,} brackets open at once before byte {self._read:,}. No corpus is that deep; "
                "take it from its publisher again."
            )


def _levels(file: BinaryIO, until: int) -> tuple[int, int]:
    """(levels open at a byte, levels open at most before it), with brackets in strings left out."""
    depth = deepest = 0
    rest = b""
    while until > 0 and (piece := file.read(min(until, _PIECE))):
        until -= len(piece)
        data, rest = rest + piece, b""
        for match in _MARK.finditer(data):
            mark = data[match.start()]
            if mark == 0x22 and match["closed"] is None:
                rest = data[match.start() :]
                break
            depth += int(_STEP[mark])
            deepest = max(deepest, depth)
    return depth, deepest
