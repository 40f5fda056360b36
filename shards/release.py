"""A release: shards, index, manifest, card. Built aside and moved into place, so that a folder with a manifest is whole."""

import errno
import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import orjson

from schemas.base import Noun
from schemas.errors import InputError, StoppedError
from schemas.release import MANIFEST, Release, ReleaseRow, ShardEntry, Tombstone
from shards.laws import RowLaws
from shards.papers import write_papers
from shards.resume import Finished
from shards.rows import Rows
from shards.tokens import Tokenizer, tokenizer
from shards.write import Places, ShardPlan, Tally, file_digest, plan, record_bytes, write_shard

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
    approval: dict[str, str] = field(default_factory=dict)
    """Who approved it (by) and why (reason); empty where nobody was asked."""
    tokenizer: Tokenizer = field(default_factory=lambda: tokenizer(None))
    """What counts tokens."""
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

    A release of the same bytes that is there already stays; another one of the same name is replaced at the end. One that was
    killed goes on with the shards that it has finished.
    Raises StoppedError when rows break a law or the disk is full, InputError when an image is not in the store.
    """
    rows = Rows(tables)
    plans = _lawful_plan(rows, images, info.shard_bytes)
    work = out.with_name(f".{out.name}.building")
    try:
        places = Places(images, work, info.tokenizer.count)
        shards = _Shards(rows, places, info, Finished(work, _mark(tables, info)))
        release = _write(shards, plans, workers, progress)
        _move(work, out)
    except OSError as error:
        shutil.rmtree(work, ignore_errors=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StoppedError(f"no space left under {out.parent}: nothing was released. Free some and run again.") from None
        raise
    shutil.rmtree(work, ignore_errors=True)
    return release


def load_manifest(folder: Path) -> Release:
    """The manifest of a release. Raises InputError where there is none."""
    path = folder / MANIFEST
    if not path.exists():
        raise InputError(f"{folder}: no {MANIFEST}, so this is no finished release. Build one with `bimedv release build`.")
    return Release.model_validate(orjson.loads(path.read_bytes()))


def _lawful_plan(rows: Rows, images: Path, shard_bytes: int) -> list[ShardPlan]:
    """The plan, once every row was seen to be lawful."""
    laws = RowLaws()
    faults: list[str] = []

    def seen() -> Iterator[ReleaseRow]:
        for row in rows:
            faults.extend(f"{row.sample.id}: {fault}" for fault in laws.see(orjson.loads(record_bytes(row))))
            yield row

    plans = plan(seen(), images, shard_bytes)
    faults += [f"{name}: {fault}" for name, fault in laws.end()]
    if faults:
        shown = "\n".join(faults[:_SHOWN])
        raise StoppedError(f"{len(faults)} rows may not be released; nothing was written.\n{shown}")
    return plans


def _mark(tables: Sequence[Path], info: ReleaseInfo) -> str:
    """What a build is made from. A shard of another mark is of no use."""
    known = {one.name: getattr(info, one.name) for one in fields(info)} | {"tokenizer": info.tokenizer.name}
    told = {"info": known, "tables": [file_digest(path) for path in tables]}
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS, default=_plain)).hexdigest()


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, Noun) else str(value)


@dataclass(frozen=True)
class _Shards:
    """Writes the shards that a build before this one has not finished."""

    rows: Rows
    places: Places
    info: ReleaseInfo
    finished: Finished

    def written(self, planned: ShardPlan) -> tuple[ShardEntry, Tally]:
        path = planned.path(self.info.name, self.info.version)
        done = self.finished.get(path)
        if done is None:
            done = write_shard(planned, self.rows.at(planned.rows), self.places, path)
            self.finished.add(*done)
        return done


def _write(shards: _Shards, plans: list[ShardPlan], workers: int, progress: Callable[[int], None] | None) -> Release:
    done = []
    with ThreadPoolExecutor(workers) as pool:
        for entry, tally in pool.map(shards.written, plans):
            done.append((entry, tally))
            if progress:
                progress(entry.samples)
    shards.finished.end()
    return write_papers(shards.places.folder, _manifest(shards.info, done))


def _manifest(info: ReleaseInfo, written: list[tuple[ShardEntry, Tally]]) -> Release:
    entries = [entry for entry, _ in written]
    plain = {
        name: dict(sorted(sum((getattr(tally, name) for _, tally in written), Counter[str]()).items()))
        for name in ("licences", "sources", "tasks", "languages", "modalities", "splits", "words", "tokens")
    }
    return Release(
        name=info.name,
        version=info.version,
        shards=tuple(sorted(entries, key=lambda entry: entry.path)),
        gate=info.gate,
        config=info.config | {"terms": info.terms},
        toolchain=info.toolchain,
        samples=sum(entry.samples for entry in entries),
        audit=info.audit,
        approval=info.approval,
        tokenizer=info.tokenizer.name,
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
