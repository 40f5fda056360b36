"""Reading files record by record in flat memory: JSON arrays and objects, JSON Lines, CSV.

Each yields (row, record): row is the 1-based number of the record, which a CSV cell with line breaks does not disturb.
A file that breaks off is one InputError that names the last good record.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ijson
import orjson

from schemas.errors import InputError

_LFS = b"version https://git-lfs.github.com/spec/v1"
#: Longest CSV cell, in characters; a dialogue has up to 10,000.
_CELL_CHARS = 10_000_000


def sniff(path: Path) -> str:
    """json_array, json_dict, json_lines or csv, by the first bytes: extensions lie (MedMCQA's .json is JSON Lines)."""
    head = _head(path)
    if head[:1] == b"[":
        return "json_array"
    if head[:1] != b"{":
        return "csv"
    try:
        orjson.loads(head.split(b"\n", 1)[0])
    except orjson.JSONDecodeError:
        return "json_dict"
    return "json_lines"


def json_records(path: Path) -> Iterator[tuple[int, Any]]:
    """Elements of an array, or lines of JSON Lines. A line that is no JSON comes as None."""
    kind = sniff(path)
    if kind == "json_array":
        return _elements(path)
    if kind == "json_lines":
        return _lines(path)
    raise InputError(f"{path}: found {kind.replace('_', ' ')}, expected a JSON array or JSON Lines. Check `corpus:` and `path:`.")


def json_items(path: Path) -> Iterator[tuple[int, str, Any]]:
    """(row, key, value) of one JSON object that fills the file."""
    if _head(path)[:1] != b"{":
        raise InputError(f"{path}: expected one JSON object of records. Check `corpus:` and `path:`.")
    row = 0
    with path.open("rb") as file:
        try:
            for row, (key, value) in enumerate(ijson.kvitems(file, "", use_float=True), 1):
                yield row, key, value
        except ijson.JSONError as error:
            raise _broken(path, row, error) from None


def csv_records(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows as text, with nothing taken for a missing value: the answer `None` and the option `NA` are words."""
    _head(path)
    csv.field_size_limit(_CELL_CHARS)
    row = 0
    with path.open(encoding=_encoding(path), newline="") as file:
        try:
            for row, cells in enumerate(csv.DictReader(file, restval=""), 1):
                yield row, {str(key).strip(): value for key, value in cells.items() if key is not None}
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{path}: not CSV after row {row}: {error}. Download the file again.") from None


def _encoding(path: Path) -> str:
    """UTF-8 when the whole file decodes so, else Windows-1252: spreadsheets save the degree sign of `38°C` that way."""
    try:
        with path.open(encoding="utf-8") as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _elements(path: Path) -> Iterator[tuple[int, Any]]:
    row = 0
    with path.open("rb") as file:
        try:
            for row, raw in enumerate(ijson.items(file, "item", use_float=True), 1):
                yield row, raw
        except ijson.JSONError as error:
            raise _broken(path, row, error) from None


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open("rb") as file:
        for row, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield row, orjson.loads(line)
            except orjson.JSONDecodeError:
                yield row, None


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(65_536)
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder, expected a file. Name the file in `path:`.") from None
    except FileNotFoundError:
        raise InputError(f"{path}: no such file.") from None
    if head.startswith(_LFS):
        raise InputError(f"{path}: a Git LFS pointer, not the data. Run `git lfs pull` where it was cloned.")
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        raise InputError(f"{path}: the file is empty. Download it again.")
    return head


def _broken(path: Path, row: int, error: Exception) -> InputError:
    reason = " ".join(str(error).split())[:120]
    return InputError(f"{path}: not JSON after record {row}: {reason}. The file is cut or damaged; download it again.")
