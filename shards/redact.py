"""A takedown: the next version of a release without some samples, and with their ids on its list of tombstones.

In: a release, ids or corpora, a reason. Out: a new release folder; the old one is untouched. What rests on a withdrawn sample
goes with it: the Arabic twin of an English one, and whatever a model made from it. Everything else keeps its bytes.
"""

import hashlib
import io
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from schemas.errors import InputError
from schemas.release import Release, ShardEntry, Tombstone
from shards.card import group_in
from shards.papers import write_papers
from shards.read import Members
from shards.release import load_manifest
from shards.tar import TarWriter, index_bytes
from shards.tokens import tokenizer
from shards.walk import loaded, records, samples

_COUNTED = {"licences": "licence", "sources": "corpus", "tasks": "task", "languages": "language"}


@dataclass(frozen=True)
class Takedown:
    """What is to go and why."""

    reason: str
    ids: frozenset[str] = frozenset()
    corpora: frozenset[str] = frozenset()


def tombstones(folder: Path, out: Path, version: str, takedown: Takedown) -> tuple[Tombstone, ...]:
    """What a takedown takes, before anything is written.

    Raises InputError on an id or corpus that the release does not hold, on a version or folder that is taken, and when nothing
    would be left.
    """
    old = load_manifest(folder)
    if version == old.version:
        raise InputError(f"--version {version}: that is {folder}'s own. A takedown makes another version.")
    if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version):
        raise InputError(f"--version {version}: is no version. Give one such as {next_version(old.version)}.")
    if out.exists():
        raise InputError(f"{out}: is there already. Name another folder with --output, or another --version.")
    stones = tuple(
        Tombstone(sample=name, corpus=corpus, version=version, reason=takedown.reason)
        for name, corpus in sorted(_withdrawn(folder, old, takedown).items())
    )
    if len(stones) == old.samples:
        raise InputError(f"{folder}: nothing would be left. Remove the release instead.")
    return stones


def redact(folder: Path, out: Path, version: str, stones: tuple[Tombstone, ...], tokens: Path | None = None) -> Release:
    """Write the next version into `out`, without the samples that `stones` name.

    `tokens` is the file of the tokenizer by which the release counts. Raises InputError where it is another one.
    """
    old = load_manifest(folder)
    counting = tokenizer(tokens)
    if counting.name != old.tokenizer:
        raise InputError(
            f"{folder}: counts its tokens by {old.tokenizer}, not by {counting.name}. Name that file with --tokenizer."
        )
    new = old.model_copy(update={"version": version, "withdrawn": (*old.withdrawn, *stones)})
    work = out.with_name(f".{out.name}.redacting")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        release = write_papers(work, _without(folder, old, new, work, counting.count))
        work.replace(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return release


def next_version(version: str) -> str:
    """The version with its last number raised."""
    head, _, last = version.rpartition(".")
    return f"{head}.{int(last) + 1}"


def _withdrawn(folder: Path, release: Release, takedown: Takedown) -> dict[str, str]:
    """Id to corpus of everything that goes, what rests on it included."""
    corpora: dict[str, str] = {}
    resting: dict[str, list[str]] = {}
    for placed in records(folder, release):
        record = loaded(folder, placed)
        corpora[record["id"]] = record["corpus"]
        parents = [record["pair"]] if record["language"] == "ar" else []
        for parent in filter(None, (*parents, orjson.loads(record["meta"]).get("made_from"))):
            resting.setdefault(parent, []).append(record["id"])
    gone = {stone.sample for stone in release.withdrawn}
    for kind, asked, known in (("--id", takedown.ids, corpora.keys()), ("--source", takedown.corpora, set(corpora.values()))):
        for name in sorted(asked - known):
            said = "was withdrawn before" if name in gone else "is not in the release"
            raise InputError(f"{folder}: {kind} {name} {said}. Nothing was written.")
    found = {name for name, corpus in corpora.items() if name in takedown.ids or corpus in takedown.corpora}
    reached = list(found)
    while reached:
        more = [name for name in resting.get(reached.pop(), []) if name not in found]
        found.update(more)
        reached += more
    return {name: corpora[name] for name in found}


@dataclass
class _Open:
    """A shard that is being written."""

    entry: ShardEntry
    path: Path
    digest: Any = field(default_factory=hashlib.sha256)
    languages: Counter[str] = field(default_factory=Counter)
    tokens: int = 0

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("wb", buffering=0)
        self._writer = TarWriter(self._file, self.digest)

    def add(self, raw: bytes, record: dict[str, Any], tokens: int) -> None:
        self._writer.add_raw(raw)
        self.languages[record["language"]] += 1
        self.tokens += tokens

    def abandon(self) -> None:
        self._file.close()

    def close(self, folder: Path) -> ShardEntry:
        self._writer.close()
        os.fsync(self._file.fileno())
        self._file.close()
        index = index_bytes(self._writer.offsets)
        self.path.with_name(f"{self.path.name}.idx").write_bytes(index)
        changed = {
            "path": self.path.relative_to(folder).as_posix(),
            "samples": len(self._writer.offsets) - 1,
            "bytes": self.path.stat().st_size,
            "sha256": self.digest.hexdigest(),
            "index_sha256": hashlib.sha256(index).hexdigest(),
            "languages": dict(sorted(self.languages.items())),
            "tokens": self.tokens,
        }
        return self.entry.model_copy(update=changed)


def _without(folder: Path, old: Release, new: Release, out: Path, count: Callable[[Sequence[str]], int]) -> Release:
    """Copy every sample that stays, shard by shard; shards that become empty leave no gap in the numbers."""
    gone = {stone.sample for stone in new.withdrawn}
    entries: list[ShardEntry] = []
    numbers: Counter[tuple[str, str]] = Counter()
    counts: dict[str, Counter[str]] = {name: Counter() for name in (*_COUNTED, "modalities", "splits", "words", "tokens")}
    with ExitStack() as opened:
        current: _Open | None = None
        for entry, raw, record in _staying(folder, old, gone):
            if current is None or current.entry is not entry:
                entries += [] if current is None else [current.close(out)]
                group = group_in(old, entry)
                name = f"{new.name}-{new.version}-{entry.split}-{group}-{numbers[entry.split, group]:06d}.tar"
                numbers[entry.split, group] += 1
                current = _Open(entry, out / entry.split / name)
                opened.callback(current.abandon)
            texts = [turn["text"] for turn in record["turns"]]
            tokens = count(texts)
            current.add(raw, record, tokens)
            counts["tokens"][record["language"]] += tokens
            counts["words"][record["language"]] += sum(len(text.split()) for text in texts)
            _count(counts, entry.split, record)
        entries += [] if current is None else [current.close(out)]
    plain = {name: dict(sorted(counter.items())) for name, counter in counts.items()}
    samples_ = sum(entry.samples for entry in entries)
    return new.model_copy(update={"shards": tuple(sorted(entries, key=lambda e: e.path)), "samples": samples_, **plain})


def _count(counts: dict[str, Counter[str]], split: str, record: dict[str, Any]) -> None:
    for name, key in _COUNTED.items():
        counts[name][record[key]] += 1
    counts["splits"][split] += 1
    counts["modalities"].update({image["modality"] for image in record["images"]} or {"text"})


def _staying(folder: Path, old: Release, gone: set[str]) -> Iterator[tuple[ShardEntry, bytes, dict[str, Any]]]:
    for placed, record, members in samples(folder, old):
        if record["id"] in gone:
            continue
        raw = placed.raw
        if record["pair"] in gone:
            raw, record = _alone(record, members)
        yield placed.entry, raw, record


def _alone(record: dict[str, Any], members: Members) -> tuple[bytes, dict[str, Any]]:
    """An English sample whose Arabic twin was withdrawn: the same one without a pair."""
    changed = record | {"pair": ""}
    parts: Iterable[tuple[str, bytes]] = [("json", orjson.dumps(changed, option=orjson.OPT_SORT_KEYS)), *members.items()]
    return _sample_bytes([(f"{record['id']}.{name}", data) for name, data in parts]), changed


def _sample_bytes(members: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    TarWriter(buffer).add(members)
    return buffer.getvalue()
