"""Where a source's bytes lie: in a file, in a compressed file, or in a zip or tar archive, compressed or not.

A file inside an archive is written `archive.zip::inner/path.json`; `archive.zip` alone is its one data file. gzip, bzip2, xz and
zstd are known by their first bytes. One archive and one compression inside it are read, no deeper. Shards are named by their
folder or by a pattern such as `data/train-*.parquet`.
"""

import io
import re
from pathlib import Path

from pipeline.sources.archives import Archive, archive, is_archive
from pipeline.sources.unpack import opened, unpacked
from schemas.errors import InputError

INSIDE = "::"
_DATA = re.compile(r"\.(json|jsonl|ndjson|csv|tsv|pkl|xml|txt)(\.(gz|bz2|xz|zst))?$", re.I)
_NO_DATA = re.compile(r"(^|/)(__MACOSX/|\.|readme|licen[cs]e)", re.I)
_PATTERN = re.compile(r"[*?\[]")


def split(path: Path) -> tuple[Path, str | None]:
    """`archive.zip::inner/path.json` as the archive and the name in it; any other path, or a file really called so, with None."""
    outer, mark, inner = str(path).partition(INSIDE)
    return (path, None) if not mark or path.exists() else (Path(outer), inner)


def there(path: Path) -> bool:
    """Whether what a source path stands for is on the disk; an archive is not opened."""
    outer, _ = split(path)
    return outer.exists() or bool(matches(outer))


def matches(path: Path) -> list[Path]:
    """The files that a pattern in a path's last part stands for, in the order of their names; none where there is no pattern."""
    if not _PATTERN.search(path.name) or path.exists():
        return []
    return sorted(found for found in path.parent.glob(path.name) if found.is_file())


def files(path: Path) -> list[Path]:
    """The files on disk that a source path stands for: itself, its archive, or every file of a folder or pattern, in order.

    Raises InputError when there are none.
    """
    outer, _ = split(path)
    found = matches(outer) or sorted(each for each in outer.rglob("*") if each.is_file())
    if outer.is_file():
        found = [outer]
    if not found:
        raise InputError(f"{path}: no such file." if not outer.exists() else f"{path}: is a folder without files.")
    return found


def beside(path: Path, name: str) -> Path | None:
    """The path of a file beside the one that `path` stands for, in its archive too; None when it is not there."""
    outer, inner = split(path)
    if inner is None:
        found = path.with_name(name)
        return found if found.exists() else None
    name = "/".join([*inner.split("/")[:-1], name])
    return Path(f"{outer}{INSIDE}{name}") if name in archive(outer).names() else None


def open_source(path: Path) -> io.BufferedReader:
    """The bytes behind archive and compression, from their beginning. The stream cannot always be sought in.

    Raises InputError for what is not there or not safe; reading raises OSError where the data is cut.
    """
    outer, inner = split(path)
    if inner is None and not is_archive(outer):
        return opened(outer)
    box = archive(outer)
    name = inner if inner is not None else _only(box)
    told = f"{outer}{INSIDE}{name}"
    member = box.open(name)
    head = member.peek(512)
    if head.startswith(b"PK\x03\x04") or head[257:262] == b"ustar":
        member.close()
        raise InputError(f"{told}: an archive inside an archive. Unpack the outer one and name this one.")
    return unpacked(told, member, box.size(name))


def _only(box: Archive) -> str:
    """The archive's one data file."""
    if "xl/workbook.xml" in box.names():
        raise InputError(f"{box.path}: this is a spreadsheet. Save it as CSV.")
    names = [name for name in box.names() if not _NO_DATA.search(name)]
    fitting = [name for name in names if _DATA.search(name)] or names
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise InputError(f"{box.path}: the archive holds no data. Download it again.")
    some = ", ".join(sorted(fitting)[:8]) + (" …" if len(fitting) > 8 else "")
    one = f"{box.path.name}{INSIDE}{min(fitting)}"
    raise InputError(f"{box.path}: holds {len(fitting):,} files ({some}). Name one: `path: {one}`.")
