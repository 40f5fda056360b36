"""Proof of a release from its files alone. Damaged input gives problems, never an exception."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import orjson
from pydantic import ValidationError

from schemas.release import MANIFEST, SUMS, Release, ShardEntry
from shards.laws import RowLaws
from shards.metadata import METADATA
from shards.papers import CARD, sums
from shards.prove import record_faults, sample_faults
from shards.read import Shard
from shards.tar import BLOCK, read_index
from shards.write import file_digest

_COUNTS = ("licences", "sources", "tasks", "languages", "modalities", "splits")


@dataclass(frozen=True)
class Problem:
    """What is wrong where; offset in bytes of the file, sample when one is known."""

    file: str
    message: str
    offset: int | None = None
    sample: str | None = None


@dataclass(frozen=True)
class Report:
    """The outcome: no problem means that every proof was made."""

    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


@dataclass
class _Seen:
    """What the records of all shards add up to."""

    laws: RowLaws = field(default_factory=RowLaws)
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in _COUNTS})

    def add(self, record: dict[str, Any], split: str) -> None:
        for name, value in (("licences", "licence"), ("sources", "corpus"), ("tasks", "task"), ("languages", "language")):
            self.counts[name][record[value]] += 1
        self.counts["splits"][split] += 1
        self.counts["modalities"].update({image["modality"] for image in record["images"]} or {"text"})


def verify(folder: Path, quick: bool = False) -> Report:
    """Check checksums, indexes, members, records, images, pairs, laws 1, 2, 6 and 7, and the manifest's counts.

    `quick` reads neither images nor the shards' checksums: sizes, indexes, records, papers and laws only. Memory: about 500 bytes
    a sample, for the ids and images that laws 6 compares.
    """
    manifest, problems = _manifest(folder)
    if manifest is None:
        return Report(tuple(problems))
    problems += _strangers(folder, manifest)
    problems += _papers(folder, manifest, quick)
    trusted = not quick and METADATA in manifest.papers and not any(problem.file == METADATA for problem in problems)
    lines = _metadata(folder) if trusted else itertools.repeat(None)
    seen = _Seen()
    for entry in manifest.shards:
        # Each shard takes its own lines, however many its index claims, so that one damaged shard does not accuse the others.
        told = list(itertools.islice(lines, entry.samples))
        problems += _Shards(folder, manifest, entry, seen, quick).problems(told)
    problems += [Problem(MANIFEST, fault, sample=name) for name, fault in seen.laws.end()]
    problems += _counts(manifest, seen, bool(problems))
    return Report(tuple(problems))


def _manifest(folder: Path) -> tuple[Release | None, list[Problem]]:
    path = folder / MANIFEST
    try:
        return Release.model_validate(orjson.loads(path.read_bytes())), []
    except FileNotFoundError:
        return None, [Problem(MANIFEST, "is missing: this is no finished release")]
    except (orjson.JSONDecodeError, ValidationError, OSError) as error:
        return None, [Problem(MANIFEST, f"cannot be read: {' '.join(str(error).split())[:200]}")]


def _strangers(folder: Path, manifest: Release) -> list[Problem]:
    known = {entry.path for entry in manifest.shards}
    papers = {*manifest.papers, SUMS} if manifest.papers else {CARD}
    wanted = known | {f"{path}.idx" for path in known} | {MANIFEST} | papers
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() or path.is_symlink()}
    problems = [Problem(name, "is in the folder and not in the manifest") for name in sorted(there - wanted)]
    return problems + [Problem(name, "is missing") for name in sorted(wanted - there)]


def _papers(folder: Path, manifest: Release, quick: bool) -> list[Problem]:
    """The files beside the shards, the manifest included: SHA256SUMS names them all."""
    if not manifest.papers:
        return []
    problems = []
    for name, digest in manifest.papers.items():
        path = folder / name
        if path.is_file() and not (quick and name == METADATA) and file_digest(path) != digest:
            problems.append(Problem(name, "its sha256 is not the manifest's"))
    path = folder / SUMS
    if path.is_file():
        digest = file_digest(folder / MANIFEST)
        found = path.read_bytes()
        if f"{digest}  {MANIFEST}\n".encode() not in found:
            # Which of the two is damaged nobody can know.
            problems.append(Problem(MANIFEST, f"its sha256 is not the one in {SUMS}"))
        if found != sums(manifest, digest):
            problems.append(Problem(SUMS, "does not name the manifest and its files with their sha256"))
    return problems


def _metadata(folder: Path) -> Iterator[dict[str, Any] | None]:
    with (folder / METADATA).open("rb") as file:
        for line in file:
            told = orjson.loads(line)
            yield {"id": told["id"], "record_sha256": told["record_sha256"]}


def _counts(manifest: Release, seen: _Seen, damaged: bool) -> list[Problem]:
    """The manifest's numbers against the records'; where something is damaged already, they only repeat it."""
    if sum(entry.samples for entry in manifest.shards) != manifest.samples:
        return [Problem(MANIFEST, f"samples is {manifest.samples}, the shards' entries sum to another number")]
    if damaged:
        return []
    told = manifest.model_dump(include=set(_COUNTS))
    return [
        Problem(MANIFEST, f"{name} are {told[name]}, the shards hold {dict(seen.counts[name])}")
        for name in _COUNTS
        if told[name] != seen.counts[name]
    ]


@dataclass
class _Shards:
    """One shard's proof."""

    folder: Path
    manifest: Release
    entry: ShardEntry
    seen: _Seen
    quick: bool

    def problems(self, told: list[dict[str, Any] | None]) -> Iterator[Problem]:
        entry = self.entry
        pure = PurePosixPath(entry.path)
        if pure.is_absolute() or ".." in pure.parts:
            yield Problem(MANIFEST, f"its shard {entry.path} lies outside of the release")
            return
        if not entry.path.startswith(f"{entry.split}/{self.manifest.name}-{self.manifest.version}-{entry.split}-"):
            yield Problem(entry.path, f"is no shard of {self.manifest.name} {self.manifest.version}, split {entry.split}")
        path = self.folder / entry.path
        index = path.with_name(f"{path.name}.idx")
        if not path.is_file() or not index.is_file():
            return
        yield from self._file_faults(path, index)
        try:
            offsets = read_index(index)
        except ValueError as error:
            yield Problem(f"{entry.path}.idx", str(error))
            return
        size = path.stat().st_size
        if len(offsets) - 1 != entry.samples:
            yield Problem(f"{entry.path}.idx", f"has {len(offsets) - 1} samples, the manifest says {entry.samples}")
        if offsets[-1] + 2 * BLOCK != size:
            yield Problem(f"{entry.path}.idx", f"its last offset is {offsets[-1]}, the shard of {size} bytes ends elsewhere")
        # A damaged index is told once; what it cuts wrongly is not a fault of the samples.
        if not self._same_index(index):
            return
        with Shard(path) as shard:
            for number in range(len(shard)):
                yield from self._sample(shard, number, told[number] if number < len(told) else None)

    def _file_faults(self, path: Path, index: Path) -> Iterator[Problem]:
        entry = self.entry
        size = path.stat().st_size
        if size != entry.bytes:
            yield Problem(entry.path, f"has {size} bytes, the manifest says {entry.bytes}", min(size, entry.bytes))
        if not self._same_index(index):
            digest = file_digest(index)
            others = [other.path for other in self.manifest.shards if other.index_sha256 == digest]
            message = f"is the index of {others[0]}" if others else "its sha256 is not the manifest's"
            yield Problem(f"{entry.path}.idx", message)
        if self.quick:
            return
        digest = file_digest(path)
        if digest != entry.sha256:
            others = [other.path for other in self.manifest.shards if other.sha256 == digest]
            yield Problem(entry.path, f"is {others[0]} under another name" if others else "its sha256 is not the manifest's")
            with path.open("rb") as file:
                file.seek(max(0, entry.bytes - 2 * BLOCK))
                if any(file.read(2 * BLOCK)):
                    yield Problem(entry.path, "its end mark is damaged", entry.bytes - 2 * BLOCK)

    def _same_index(self, index: Path) -> bool:
        return file_digest(index) == self.entry.index_sha256

    def _sample(self, shard: Shard, number: int, told: dict[str, Any] | None) -> Iterator[Problem]:
        path, offset = self.entry.path, shard.offset(number)
        name = told["id"] if told else None
        try:
            if self.quick:
                record = orjson.loads(shard.record_bytes(number))
                found: list[tuple[int, str]] = []
            else:
                record, found = sample_faults(shard.raw(number), shard.size(number), told)
            found += [(0, fault) for fault in record_faults(record, self.entry.split, self.manifest.terms)]
            found += [(0, fault) for fault in self.seen.laws.see(record)]
            self.seen.add(record, self.entry.split)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            yield Problem(path, f"the sample cannot be read: {type(error).__name__} {error}"[:200], offset, name)
            return
        for place, fault in found:
            yield Problem(path, fault, offset + place, name or record["id"])
