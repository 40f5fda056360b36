"""Reading files record by record in flat memory: JSON arrays and objects, JSON Lines, CSV.

Each yields (row, record): row is the 1-based number of the record, which a CSV cell with line breaks does not disturb.
A record that cannot be parsed comes as None. A file that breaks off is one InputError that names the last good record.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import ijson
import orjson

from schemas.errors import InputError

_LFS = b"version https://git-lfs.github.com/spec/v1"
_BOM = b"\xef\xbb\xbf"
#: First bytes of what people hand over in place of the data, and what to do about it.
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or a spreadsheet. Unpack it, or save it as CSV",
    b"\x1f\x8b": "gzip. Unpack it",
    b"PAR1": "Parquet. Name a corpus that is published so",
    b"\x80\x04": "a Python pickle, which can run code. Take the corpus's other form",
    b"\xff\xfe": "UTF-16. Save it as UTF-8",
    b"\xfe\xff": "UTF-16. Save it as UTF-8",
    b"<": "a web page or XML. Download the data itself",
}
#: Longest first line that is looked at whole to tell JSON Lines from one object, in bytes.
_LINE_BYTES = 4_194_304
#: Bytes that are not UTF-8, as Python keeps them.
_STRAY = re.compile("[\udc80-\udcff]")
#: Longest CSV cell, in characters; a dialogue has up to 10,000.
_CELL_CHARS = 10_000_000


def sniff(path: Path) -> str:
    """json_array, json_dict, json_lines or csv, by the first bytes: extensions lie (MedMCQA's .json is JSON Lines)."""
    head = _head(path)
    if head[:1] == b"[":
        return "json_array"
    return _object_or_lines(path) if head[:1] == b"{" else "csv"


def _object_or_lines(path: Path) -> str:
    with _open(path) as file:
        lines = (line for line in iter(lambda: file.readline(_LINE_BYTES), b"") if line.strip())
        first, second = _parsed(next(lines, b"")), _parsed(next(lines, b""))
    if isinstance(first, dict) and second is None and isinstance(next(iter(first.values()), None), dict):
        # One line that holds one object of objects: PubMedQA without line breaks. A record begins with a plain field.
        return "json_dict"
    return "json_lines" if isinstance(first, dict) or isinstance(second, dict) else "json_dict"


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


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
    with _open(path) as file:
        try:
            for row, (key, value) in enumerate(ijson.kvitems(file, "", use_float=True), 1):
                yield row, key, value
        except ijson.JSONError as error:
            raise _broken(path, row, error) from None


def csv_records(path: Path) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Rows as text, with nothing taken for a missing value: the answer `None` and the option `NA` are words.

    A row with more or fewer cells than the header comes as None, since an unquoted comma moves every cell behind it; so does
    one whose quotes are wrong.
    """
    _head(path)
    csv.field_size_limit(_CELL_CHARS)
    row = 0
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = _csv_rows(path, file)
        header = [name.strip() for name in next(rows, None) or ()]
        for cells in rows:
            if cells is None or any(cells) or len(cells) > 1:
                row += 1
                yield row, _fields(header, cells)


def _csv_rows(path: Path, file: TextIO) -> Iterator[list[str] | None]:
    # Strict, because the lenient reader takes an open quote for a cell that swallows the rows behind it without a word.
    reader = csv.reader(file, strict=True)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error):
                told = f"{path}: not CSV after line {reader.line_num}: a quoted cell is never closed."
                raise InputError(f"{told} The file is cut or damaged; download it again.") from None
            yield None


def _fields(header: list[str], cells: list[str] | None) -> dict[str, str] | None:
    if cells is None or len(cells) < len(header) - header[::-1].count("") or any(cell.strip() for cell in cells[len(header) :]):
        return None
    return {name: _mended(cell) for name, cell in zip(header, cells, strict=False) if name}


def _mended(cell: str) -> str:
    """Bytes that are not UTF-8 are read as Windows-1252: spreadsheets save the degree sign of `38°C` that way."""
    if cell.isascii():
        return cell
    return _STRAY.sub(lambda match: bytes([ord(match.group()) - 0xDC00]).decode("cp1252", "replace"), cell)


def _elements(path: Path) -> Iterator[tuple[int, Any]]:
    row = 0
    with _open(path) as file:
        try:
            for row, raw in enumerate(ijson.items(file, "item", use_float=True), 1):
                yield row, raw
        except ijson.JSONError as error:
            raise _broken(path, row, error) from None


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    with _open(path) as file:
        for row, line in enumerate(file, 1):
            if line.strip():
                yield row, _parsed(line)


def _open(path: Path) -> BinaryIO:
    """The file's bytes behind a byte order mark, which no JSON parser takes."""
    file = path.open("rb")
    if file.read(len(_BOM)) != _BOM:
        file.seek(0)
    return file


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
    head = head.removeprefix(_BOM).lstrip()
    if not head:
        raise InputError(f"{path}: the file is empty. Download it again.")
    for mark, told in _FOREIGN.items():
        if head.startswith(mark):
            raise InputError(f"{path}: this is {told}.")
    return head


def _broken(path: Path, row: int, error: Exception) -> InputError:
    told = error.args[0] if error.args else ""
    reason = " ".join((told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)).split())[:120]
    return InputError(f"{path}: not JSON after record {row}: {reason}. The file is cut or damaged; download it again.")
