"""A release: shards, index, manifest, card. Built aside and moved into place, so that a folder with a manifest is whole."""

import errno
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from schemas.errors import InputError, StoppedError
from schemas.release import MANIFEST, Release, ReleaseRow, ShardEntry, Tombstone
from shards.laws import RowLaws
from shards.papers import write_papers
from shards.write import ShardPlan, plan, record_bytes, rows_of, write_shard

_SHOWN = 20


@dataclass(frozen=True)
class ReleaseInfo:
    """What the rows do not say. All of it goes into the manifest, so none of it may depend on time or machine."""

    name: str
    version: str
    shard_bytes: int
    """Size of a shard, at most; a twin may lift it by one sample."""
    gate: dict[str, int | float | str | bool]
    config: dict[str, object]
    toolchain: dict[str, str]
    terms: dict[str, Any]
    """licence, redistributable, reasons."""
    audit: dict[str, Any] = field(default_factory=dict)
    """What experts found in a random sample."""
    withdrawn: tuple[Tombstone, ...] = ()
    """What earlier versions held and this one may not."""


def build(
    tables: Sequence[Path],
    images: Path,
    out: Path,
    info: ReleaseInfo,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Release:
    """Write the rows of Parquet tables as a release; one worker and many give the same bytes.

    A release of the same bytes that is there already stays; another one of the same name is replaced at the end.
    Raises StoppedError when rows break a law or the disk is full, InputError when an image is not in the store.
    """
    _check_laws(tables)
    work = out.with_name(f".{out.name}.building")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        release = _write(tables, images, work, info, workers, progress)
        _move(work, out)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StoppedError(f"no space left under {out.parent}: nothing was released. Free some and run again.") from None
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return release


def load_manifest(folder: Path) -> Release:
    """The manifest of a release. Raises InputError where there is none."""
    path = folder / MANIFEST
    if not path.exists():
        raise InputError(f"{folder}: no {MANIFEST}, so this is no finished release. Build one with `bimedv release build`.")
    return Release.model_validate(orjson.loads(path.read_bytes()))


def _check_laws(tables: Sequence[Path]) -> None:
    laws = RowLaws()
    faults: list[str] = []
    for row in rows_of(tables):
        record = orjson.loads(record_bytes(row))
        faults += [f"{row.sample.id}: {fault}" for fault in laws.see(record)]
    faults += [f"{name}: {fault}" for name, fault in laws.end()]
    if faults:
        shown = "\n".join(faults[:_SHOWN])
        raise StoppedError(f"{len(faults)} rows may not be released; nothing was written.\n{shown}")


def _write(
    tables: Sequence[Path], images: Path, work: Path, info: ReleaseInfo, workers: int, progress: Callable[[int], None] | None
) -> Release:
    plans = plan(rows_of(tables), images, info.shard_bytes)

    def write(item: tuple[ShardPlan, list[ReleaseRow]]) -> ShardEntry:
        planned, rows = item
        entry = write_shard(planned, rows, images, work, planned.path(info.name, info.version))
        if progress:
            progress(entry.samples)
        return entry

    counts: dict[str, Counter[str]] = {
        name: Counter() for name in ("licences", "sources", "tasks", "languages", "modalities", "splits")
    }
    entries: list[ShardEntry] = []
    with ThreadPoolExecutor(workers) as pool:
        batches = _batches(plans, tables, counts)
        while group := list(islice(batches, workers)):
            entries += pool.map(write, group)
    return write_papers(work, _manifest(info, entries, counts))


def _batches(
    plans: list[ShardPlan], tables: Sequence[Path], counts: dict[str, Counter[str]]
) -> Iterator[tuple[ShardPlan, list[ReleaseRow]]]:
    """Rows of each shard, read again in one pass a shard group: memory is the open shards' rows, without their images."""
    owner = {row: planned for planned in plans for row in planned.rows}
    gathered: dict[int, list[ReleaseRow]] = {id(planned): [] for planned in plans}
    for number, row in enumerate(rows_of(tables)):
        planned = owner[number]
        _count(counts, row)
        gathered[id(planned)].append(row)
        if len(gathered[id(planned)]) == len(planned.rows):
            yield planned, gathered.pop(id(planned))


def _count(counts: dict[str, Counter[str]], row: ReleaseRow) -> None:
    sample = row.sample
    counts["licences"][sample.licence] += 1
    counts["sources"][sample.corpus] += 1
    counts["tasks"][sample.task] += 1
    counts["languages"][sample.language] += 1
    counts["splits"][row.split] += 1
    counts["modalities"].update({image.modality for image in sample.images} or {"text"})


def _manifest(info: ReleaseInfo, entries: list[ShardEntry], counts: dict[str, Counter[str]]) -> Release:
    plain = {name: dict(sorted(counter.items())) for name, counter in counts.items()}
    return Release(
        name=info.name,
        version=info.version,
        shards=tuple(sorted(entries, key=lambda entry: entry.path)),
        gate=info.gate,
        config=info.config | {"terms": info.terms},
        toolchain=info.toolchain,
        samples=sum(entry.samples for entry in entries),
        audit=info.audit,
        withdrawn=info.withdrawn,
        **plain,
    )


def _move(work: Path, out: Path) -> None:
    """Put the new release in the place of the old one; a kill in between leaves one of them whole, or none."""
    if (
        out.exists()
        and (out / MANIFEST).exists()
        and (out / MANIFEST).read_bytes() == (work / MANIFEST).read_bytes()
        and _same_files(work, out)
    ):
        return
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.replace(old)
    work.replace(out)
    shutil.rmtree(old, ignore_errors=True)


def _same_files(one: Path, other: Path) -> bool:
    """The manifests name all checksums; sizes tell whether somebody has touched the files since."""
    return _sizes(one) == _sizes(other)


def _sizes(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}
