"""Reading files record by record in flat memory: JSON arrays and objects, JSON Lines, CSV, Parquet, `datasets` folders, pickles.

Each yields (row, record): row is the 1-based number of the record, which a CSV cell with line breaks does not disturb.
A record that cannot be parsed comes as None. A file that breaks off is one InputError that names the last good record.
Where the bytes lie, packed or inside an archive, is a matter of `containers`. What Python writes into JSON and JSON does not have
is read as `repair` says: NaN is null, a number beyond 64 bits its digits.
"""

import contextlib
import csv
import io
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO, TypeVar

import ijson
import orjson

from pipeline.sources.containers import open_source
from pipeline.sources.nesting import Shallow
from pipeline.sources.parquet import PARQUET, is_tables, parquet_columns, parquet_records
from pipeline.sources.pickles import PICKLE, is_pickle, pickle_records
from pipeline.sources.repair import Repaired, read_stray, repaired
from schemas.errors import InputError

T = TypeVar("T")

#: Stands among the field names of what is read from one JSON object of lists: a corpus reads it only where a form names it.
SECTIONS = "(sections)"
_LFS = b"version https://git-lfs.github.com/spec/v1"
_BOM = b"\xef\xbb\xbf"
#: First bytes of what people hand over in place of the data, and what to do about it.
_FOREIGN = {
    b"PAR1": "Parquet inside another file. Unpack it",
    b"\xff\xfe": "UTF-16. Save it as UTF-8",
    b"\xfe\xff": "UTF-16. Save it as UTF-8",
    b"<": "a web page or XML. Download the data itself",
}
_HEAD_BYTES = 65_536
#: Longest first line that is looked at whole to tell JSON Lines from one object, in bytes.
_LINE_BYTES = 4_194_304
#: Longest CSV cell, in characters; a dialogue has up to 10,000.
_CELL_CHARS = 10_000_000


def sniff(path: Path) -> str:
    """json_array, json_dict, json_lines, csv, parquet (a `datasets` folder too) or pickle.

    By the first bytes: extensions lie (MedMCQA's .json is JSON Lines).
    """
    if is_tables(path):
        return "parquet"
    head = _head(path)
    if is_pickle(path, head):
        return "pickle"
    if head[:1] == b"[":
        return "json_array"
    return _object_or_lines(path) if head[:1] == b"{" else "csv"


def _object_or_lines(path: Path) -> str:
    first = second = None
    with _open(path) as file, contextlib.suppress(OSError):
        lines = (line for line in iter(lambda: file.readline(_LINE_BYTES), b"") if line.strip())
        first, second = _parsed(next(lines, b"")), _parsed(next(lines, b""))
    if isinstance(first, dict) and second is None and (isinstance(next(iter(first.values()), None), dict) or _of_lists(first)):
        # One line that holds one object of objects: PubMedQA without line breaks. A record begins with a plain field.
        return "json_dict"
    return "json_lines" if isinstance(first, dict) or isinstance(second, dict) else "json_dict"


def _of_lists(found: dict[str, Any]) -> bool:
    """Whether an object holds sections, such as train, val and test, and is no record with a list of turns."""
    return len(found) > 1 and all(
        isinstance(value, list) and isinstance(next(iter(value), None), dict) for value in found.values()
    )


def _parsed(line: bytes) -> Any:
    try:
        raw = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _loaded(repaired(line))
    # orjson makes a float of an integer beyond 64 bits, and two ids become one.
    if isinstance(raw, dict) and any(type(value) is float and abs(value) >= 2.0**63 for value in raw.values()):
        return _loaded(repaired(line))
    return raw


def _loaded(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def fields_of(path: Path) -> set[str]:
    """Field names of the first record that has any; of what is no text file, with the mark PARQUET or PICKLE among them."""
    kind = sniff(path)
    if kind == "parquet":
        return parquet_columns(path) | {PARQUET}
    if kind == "csv":
        return next((set(raw) for _, raw in csv_records(path) if raw is not None), set())
    if kind == "json_dict" and is_sectioned(path):
        return next((set(raw) for _, _, raw in json_sections(path) if isinstance(raw, dict)), set()) | {SECTIONS}
    if kind == "json_dict":
        return next((set(raw) for _, _, raw in json_items(path) if isinstance(raw, dict)), set())
    found: set[str] = next((set(raw) for _, raw in json_records(path) if isinstance(raw, dict)), set())
    return found | {PICKLE} if kind == "pickle" else found


def json_records(path: Path) -> Iterator[tuple[int, Any]]:
    """Elements of an array or of a pickled list, lines of JSON Lines, rows of Parquet. What cannot be parsed comes as None."""
    kind = sniff(path)
    if kind == "json_array":
        return _elements(path)
    if kind == "json_lines":
        return _lines(path)
    if kind == "parquet":
        return parquet_records(path)
    if kind == "pickle":
        return pickle_records(path)
    raise InputError(f"{path}: found {kind.replace('_', ' ')}, expected a JSON array or JSON Lines. Check `corpus:` and `path:`.")


def json_items(path: Path) -> Iterator[tuple[int, str, Any]]:
    """(row, key, value) of one JSON object that fills the file."""
    if _head(path)[:1] != b"{":
        raise InputError(f"{path}: expected one JSON object of records. Check `corpus:` and `path:`.")
    for row, (key, value) in _parse(path, lambda file: ijson.kvitems(file, "", use_float=True)):
        yield row, key, value


def is_sectioned(path: Path) -> bool:
    """Whether the file is one JSON object whose first value is a list."""
    if sniff(path) != "json_dict":
        return False
    with _open(path) as file, contextlib.suppress(ijson.JSONError, OSError):
        return [event for _, event, _ in islice(ijson.parse(file), 3)] == ["start_map", "map_key", "start_array"]
    return False


def json_sections(path: Path) -> Iterator[tuple[int, str, Any]]:
    """(row, section, record) of one JSON object of lists, counted on over the sections; what is no list is one record."""
    for row, (section, value) in _parse(path, _sections):
        yield row, section, value


def _sections(file: Any) -> Iterator[tuple[str, Any]]:
    section, root, builder = "", "", None
    for prefix, event, value in ijson.parse(file, use_float=True):
        if builder is None:
            if prefix == "" or (prefix == section and event in ("start_array", "end_array")):
                section = value if event == "map_key" else section
                continue
            root, builder = prefix, ijson.ObjectBuilder()
        builder.event(event, value)
        if prefix == root and event not in ("start_map", "start_array", "map_key"):
            yield section, builder.value
            builder = None


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, without their ends, counted from 1."""
    _head(path)
    row = 0
    with open_text(path) as file:
        try:
            for line in file:
                if line.strip():
                    row += 1
                    yield row, read_stray(line.rstrip("\r\n"))
        except OSError as error:
            raise _broken(path, row, error, "text after line") from None


def csv_records(path: Path) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Rows as text, with nothing taken for a missing value: the answer `None` and the option `NA` are words.

    A row with more or fewer cells than the header comes as None, since an unquoted comma moves every cell behind it; so does
    one whose quotes are wrong.
    """
    _head(path)
    csv.field_size_limit(_CELL_CHARS)
    row = 0
    with open_text(path) as file:
        rows = _csv_rows(path, file)
        header = [name.strip() for name in next(rows, None) or ()]
        for cells in rows:
            if cells is None or any(cells) or len(cells) > 1:
                row += 1
                yield row, _fields(header, cells)


def open_text(path: Path) -> TextIO:
    """The source as text behind a byte order mark, line ends as they are; `read_stray` mends the bytes that are not UTF-8."""
    return io.TextIOWrapper(_open(path), encoding="utf-8", errors="surrogateescape", newline="")


def _csv_rows(path: Path, file: TextIO) -> Iterator[list[str] | None]:
    # Strict, because the lenient reader takes an open quote for a cell that swallows the rows behind it without a word.
    reader = csv.reader(file, strict=True)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except OSError as error:
            raise _broken(path, reader.line_num, error, "CSV after line") from None
        except csv.Error as error:
            if "end of data" in str(error):
                told = f"{path}: not CSV after line {reader.line_num}: a quoted cell is never closed."
                raise InputError(f"{told} The file is cut or damaged; download it again.") from None
            yield None


def _fields(header: list[str], cells: list[str] | None) -> dict[str, str] | None:
    if cells is None or len(cells) < len(header) - header[::-1].count("") or any(cell.strip() for cell in cells[len(header) :]):
        return None
    return {name: read_stray(cell) for name, cell in zip(header, cells, strict=False) if name}


def _elements(path: Path) -> Iterator[tuple[int, Any]]:
    return _parse(path, lambda file: ijson.items(file, "item", use_float=True))


def _parse(path: Path, parser: Callable[[Any], Iterator[T]]) -> Iterator[tuple[int, T]]:
    """What the parser finds; where it gives up, the rest is read through `Repaired`, from the beginning."""
    row = 0
    with _open(path) as file:
        try:
            for row, found in enumerate(parser(Shallow(path, file, lambda: _open(path))), 1):
                yield row, found
            return
        except OSError as error:
            raise _broken(path, row, error) from None
        except ijson.JSONError as error:
            if "EOF" in str(error):
                raise _broken(path, row, error) from None
    good = row
    with _open(path) as file:
        try:
            mended = io.BufferedReader(Repaired(file))
            for row, found in enumerate(parser(Shallow(path, mended, lambda: io.BufferedReader(Repaired(_open(path))))), 1):
                if row > good:
                    yield row, found
        except (ijson.JSONError, OSError) as error:
            raise _broken(path, max(row, good), error) from None


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    row = 0
    with _open(path) as file:
        try:
            for row, line in enumerate(file, 1):
                if line.strip():
                    yield row, _parsed(line)
        except OSError as error:
            raise _broken(path, row, error) from None


def _open(path: Path) -> io.BufferedReader:
    """The source's bytes behind a byte order mark, which no JSON parser takes."""
    try:
        file = open_source(path)
    except OSError as error:
        raise _broken(path, 0, error) from None
    try:
        if file.peek(len(_BOM)).startswith(_BOM):
            file.read(len(_BOM))
    except OSError as error:
        file.close()
        raise _broken(path, 0, error) from None
    return file


def _head(path: Path) -> bytes:
    head = b""
    with _open(path) as file:
        try:
            # Piece by piece, so that a file that is cut further on shows its beginning: the reader tells after which record.
            while len(head) < _HEAD_BYTES and (piece := file.read1(_HEAD_BYTES)):
                head += piece
        except OSError as error:
            if not head:
                raise _broken(path, 0, error) from None
    if head.startswith(_LFS):
        raise InputError(f"{path}: a Git LFS pointer, not the data. Run `git lfs pull` where it was cloned.")
    head = head.lstrip()
    if not head:
        raise InputError(f"{path}: the file is empty. Download it again.")
    for mark, told in _FOREIGN.items():
        if head.startswith(mark):
            raise InputError(f"{path}: this is {told}.")
    return head


def _broken(path: Path, row: int, error: Exception, what: str = "JSON after record") -> InputError:
    told = error.args[0] if error.args else ""
    reason = " ".join((told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)).split())[:120]
    return InputError(f"{path}: not {what} {row}: {reason}. The file is cut or damaged; download it again.")
