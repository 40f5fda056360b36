"""Parquet files and folders that Hugging Face's `datasets` has saved (Arrow streams), row by row in flat memory.

In: a file, a folder of shards, a pattern of them, or the folder of one saved split. Out: rows as JSON has them; an image is an
`Inline`, a class label its name. Lost: nothing; a row that cannot be read comes as None. Shards are read in their order, and one
that is missing is an error. A folder that holds several splits is one, too: each has a source of its own in the config.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from pipeline.images.inline import Inline
from pipeline.sources.containers import matches, split
from schemas.errors import InputError

#: Stands among the field names of what is read from Parquet or Arrow: a corpus reads it only where a form of its names it.
PARQUET = "(parquet)"
_SHARD = re.compile(r"(?P<stem>.*?)-(?P<number>\d{5})-of-(?P<count>\d{5})(?:-[0-9a-f]{16})?\.(?:parquet|arrow)$")
#: Rows decoded at once: of 100 kB of image each, or of text.
_ROWS, _TEXT_ROWS = 32, 1024
_PIECE = 2**20


def is_tables(path: Path) -> bool:
    """Whether a path is a Parquet or Arrow file, a pattern of them, or a folder that holds them."""
    if split(path)[1] is not None:
        return False
    if path.is_dir():
        return any((path / name).is_file() for name in ("state.json", "dataset_dict.json")) or bool(_parquet_in(path))
    found = matches(path) or [path]
    if not found[0].is_file():
        return False
    with found[0].open("rb") as file:
        head = file.read(8)
    return head[:4] == b"PAR1" or (head[:4] == b"\xff\xff\xff\xff" and found[0].suffix == ".arrow")


def shards(path: Path) -> list[Path]:
    """The files that a path stands for, in order. Raises InputError where one is missing or several splits are mixed."""
    if path.is_file():
        return [path]
    if (path / "dataset_dict.json").is_file():
        splits = sorted(place.parent.name for place in path.glob("*/state.json"))
        raise InputError(f"{path}: holds the splits {', '.join(splits) or '(none)'}. Name the folder of one in `path:`.")
    if (path / "state.json").is_file():
        return _saved(path)
    found = matches(path) or _parquet_in(path)
    if not found:
        raise InputError(f"{path}: no Parquet files. Check `path:`.")
    _check_whole(path, found)
    return found


def parquet_columns(path: Path) -> set[str]:
    """Names of the columns."""
    return set(_schema(shards(path)[0]).names)


def parquet_records(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """(row, record), counted on over the shards. Raises InputError for a file that is cut, and for shards that differ."""
    found = shards(path)
    names = _schema(found[0]).names
    row = 0
    for shard in found:
        schema = _schema(shard)
        if set(schema.names) != set(names):
            raise InputError(f"{shard}: its columns are {', '.join(schema.names)}; {found[0].name} has {', '.join(names)}.")
        readers = {name: _reader(schema, name, shard.parent) for name in schema.names}
        for batch in _batches(shard, schema, row):
            columns = [(name, readers[name], batch.column(at)) for at, name in enumerate(schema.names)]
            for at in range(batch.num_rows):
                row += 1
                yield row, _row(columns, at)


def _row(columns: list[tuple[str, Callable[[Any], Any], Any]], at: int) -> dict[str, Any] | None:
    try:
        return {name: read(column[at]) for name, read, column in columns}
    except (ValueError, OverflowError, ArithmeticError):
        # Text that is not UTF-8, a time outside the calendar.
        return None


def _reader(schema: Any, name: str, folder: Path) -> Callable[[Any], Any]:
    """How one column's values become plain ones."""
    import pyarrow as pa

    kind = schema.field(name).type
    labels = _labels(schema, name)
    if labels is not None:
        return lambda value: _label(value.as_py(), labels)
    if _is_image(kind, name):
        return lambda value: _image(value, folder)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        if _is_image(kind.value_type, name):
            return lambda value: [_image(one, folder) for one in value.values or ()] if value.is_valid else None
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return lambda value: value.as_py().decode() if value.is_valid else None
    return lambda value: value.as_py()


def _is_image(kind: Any, name: str) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return {kind.field(at).name for at in range(kind.num_fields)} == {"bytes", "path"}
    return (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)) and name.lower().startswith("image")


def _image(value: Any, folder: Path) -> Inline | None:
    """An image without a copy of its bytes; None where there are neither bytes nor a path."""
    if not value.is_valid:
        return None
    if not hasattr(value, "keys"):
        return Inline(value.as_buffer())
    data, name = value["bytes"], value["path"].as_py() or ""
    if not data.is_valid:
        return Inline(None, name, folder) if name else None
    return Inline(data.as_buffer(), name)


def _labels(schema: Any, name: str) -> list[str] | None:
    """The names of a ClassLabel column's numbers, from the schema's metadata."""
    try:
        told = orjson.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][name]
    except (KeyError, TypeError, orjson.JSONDecodeError):
        return None
    names = told.get("names") if isinstance(told, dict) and told.get("_type") == "ClassLabel" else None
    return names if isinstance(names, list) else None


def _label(value: Any, names: list[str]) -> Any:
    """-1 is how a hidden label is written."""
    if not isinstance(value, int):
        return value
    return names[value] if 0 <= value < len(names) else None


def _schema(shard: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if shard.suffix == ".arrow":
            with pa.memory_map(str(shard)) as file:
                return pa.ipc.open_stream(file).schema
        return pq.read_schema(shard)
    except (pa.ArrowException, OSError) as error:
        raise _broken(shard, 0, error) from None


def _batches(shard: Path, schema: Any, row: int) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    heavy = any(_is_image(kind, name) or _holds_images(kind, name) for name, kind in zip(schema.names, schema.types, strict=True))
    try:
        if shard.suffix == ".arrow":
            with pa.memory_map(str(shard)) as file:
                for batch in pa.ipc.open_stream(file):
                    row += batch.num_rows
                    yield batch
            return
        # Memory is a row group of images twice, and three times without the buffer: a writer puts 1,024 rows into one page.
        # `datasets` writes row groups of 100 images.
        with pq.ParquetFile(shard, buffer_size=_PIECE, pre_buffer=False) as table:
            for batch in table.iter_batches(_ROWS if heavy else _TEXT_ROWS, use_threads=False):
                row += batch.num_rows
                yield batch.select(schema.names)
    except (pa.ArrowException, OSError) as error:
        raise _broken(shard, row, error) from None


def _holds_images(kind: Any, name: str) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind)) and _is_image(kind.value_type, name)


def _saved(folder: Path) -> list[Path]:
    """The files that a saved split's state.json names, which must lie in its folder."""
    try:
        state = orjson.loads((folder / "state.json").read_bytes())
        names = [one["filename"] for one in state["_data_files"]]
    except (orjson.JSONDecodeError, KeyError, TypeError, OSError):
        raise InputError(f"{folder / 'state.json'}: not the state of a saved dataset. Save it again: `save_to_disk`.") from None
    if state.get("_indices_data_files"):
        raise InputError(f"{folder}: a list of indices chooses its rows. Save it again: `flatten_indices().save_to_disk(…)`.")
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not (folder / name).is_file():
            raise InputError(f"{folder / 'state.json'}: names {str(name)[:80]!r}, which is not in its folder. Download it again.")
    if not names:
        raise InputError(f"{folder}: the saved dataset is empty.")
    return [folder / name for name in names]


def _parquet_in(folder: Path) -> list[Path]:
    """The folder's Parquet files, or those in `data/`, where a repository of Hugging Face has them."""
    return sorted(folder.glob("*.parquet")) or sorted(folder.glob("data/*.parquet"))


def _check_whole(path: Path, found: list[Path]) -> None:
    told = [_SHARD.match(shard.name) for shard in found]
    stems = sorted({match["stem"] if match else shard.stem for match, shard in zip(told, found, strict=True)})
    if len(stems) > 1:
        names = ", ".join(stems[:8])
        raise InputError(f"{path}: holds several tables ({names}). Name one: `path: {found[0].parent.name}/{stems[0]}*.parquet`.")
    for match in told:
        if match is None:
            continue
        there = {int(one["number"]) for one in told if one and one["count"] == match["count"]}
        missing = sorted(set(range(int(match["count"]))) - there)
        if missing or len(there) < len(found):
            number = missing[0] if missing else int(match["number"])
            raise InputError(
                f"{path}: {match['stem']}-{number:05d}-of-{match['count']}.parquet is missing or there twice; "
                f"{len(found)} of {int(match['count'])} shards are there. Download it again, or name single files."
            )


def _broken(shard: Path, row: int, error: Exception) -> InputError:
    told = " ".join(str(error).split())[:120] or type(error).__name__
    return InputError(f"{shard}: not Parquet or Arrow after record {row}: {told}. The file is cut or damaged; download it again.")
