"""Sources to samples: streams each source once, in chunks of `runner.chunk_rows` records.

In: settings.sources[index]. Out: tables ingest/samples and ingest/excluded, images in the store. Lost: nothing; every
record becomes samples or one exclusion with its reason. Memory: one chunk of samples, one record's images, and about 200 bytes a
record for its ids.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import chain, islice
from pathlib import Path

from pipeline.collector import collecting_rarely
from pipeline.curate.decontaminate import Item
from pipeline.images.inline import Inline
from pipeline.images.pixels import ImageFaultError
from pipeline.images.store import ImageStore, load, phash
from pipeline.sample_table import SampleTable
from pipeline.settings import Settings, SourceSettings
from pipeline.sources.archives import archive
from pipeline.sources.base import Corpus, Draft, Record
from pipeline.sources.containers import beside, split
from pipeline.sources.containers import files as files_of
from pipeline.sources.registry import check_form, corpus
from pipeline.sources.reports import text_only as report_without_images
from pipeline.workspace import ChunkManifest, Workspace, fingerprint, noun_table
from schemas.errors import InputError
from schemas.sample import IMAGE_MARK, Exclusion, ImageRef, Origin

VERSION = "2"
#: Longest id kept readable, in characters; the rest becomes a hash. With the number of a draft, -ar and the ending of a member it
#: has to fit into the 100 characters of a tar's header.
_ID_CHARS = 84


@dataclass
class _Source:
    """One source while it is read."""

    settings: Settings
    chosen: SourceSettings
    known: Corpus
    store: ImageStore
    prefix: str
    """Tells sources of the same corpus and split apart."""
    file: str
    """Its path as origins tell it."""
    ids: set[int] = field(default_factory=set)
    """Hashes of the records' own ids and of the samples' ids that are taken."""


@collecting_rarely
def ingest_source(
    settings: Settings, workspace: Workspace, index: int, progress: Callable[[int], None] | None = None
) -> list[ChunkManifest]:
    """Read one source into chunks. Chunks that are up to date are read past, not made again.

    Raises InputError when the file is not of the named corpus.
    """
    chosen = settings.sources[index]
    check_form(chosen.corpus, chosen.path)
    store, file = ImageStore(workspace.images), settings.relative(chosen.path)
    source = _Source(settings, chosen, corpus(chosen.corpus), store, _prefix(settings, index), file)
    mark = _fingerprint(settings, index)
    records = islice(source.known.read(chosen.path), chosen.limit)
    written: list[Future[ChunkManifest]] = []
    # A chunk is compressed, hashed and synced while the next one is read: three fsyncs can take as long as the reading.
    with ThreadPoolExecutor(max_workers=1) as writer:
        for first in records:
            name = f"{index:02d}-{chosen.corpus}-{len(written):05d}"
            # One by one: a record of Parquet carries its images, and a thousand of those are up to 1 GB.
            chunk = _Counted(chain((first,), islice(records, settings.runner.chunk_rows - 1)))
            make = _ingest_chunk(source, workspace, name, fingerprint(mark, name), chunk)
            if written:
                written[-1].result()
            written.append(writer.submit(make))
            if progress:
                progress(chunk.count)
    return [each.result() for each in written]


class _Counted:
    """Records, counted while they pass."""

    def __init__(self, records: Iterator[Record]) -> None:
        self._records = records
        self.count = 0

    def __iter__(self) -> Iterator[Record]:
        for record in self._records:
            self.count += 1
            yield record


def benchmark_source(settings: Settings, spec: str) -> SourceSettings:
    """The source that `corpus:split` names: one of the config's, or the corpus's file for that split beside one of them.

    Raises InputError when there is neither.
    """
    name, _, split = spec.partition(":")
    known = corpus(name)
    same = [source for source in settings.sources if source.corpus == name]
    for source in same:
        if source.split == split:
            return source
    file = known.splits.get(split)
    for source in same:
        if file and (found := beside(source.path, file)):
            return source.model_copy(update={"path": found, "split": split, "limit": None})
    raise InputError(
        f"curate.benchmarks: {spec!r} is not there. Add it to `sources:` with `split: {split or 'test'}`"
        + (f", or put {file} beside the corpus's other files." if file else ".")
    )


def benchmark_samples(settings: Settings, spec: str) -> Iterator[Item]:
    """The items of a benchmark with the perceptual hashes of their images. Images that are missing have none."""
    source, scratch = benchmark_source(settings, spec), Workspace(settings.workspace).images
    for record in corpus(source.corpus).read(source.path):
        for draft in record.drafts:
            turns = tuple((role, text.replace(IMAGE_MARK, "").strip()) for role, text in draft.turns)
            hashes = (_hash(source.images, image, scratch) for image in draft.images)
            yield Item(f"{spec} {record.id}", turns, tuple(found for found in hashes if found), bool(draft.images))


def _hash(place: Path | None, image: str | Inline, scratch: Path) -> str | None:
    """The cache is for names: carried images would stay in memory with it."""
    return _phash(place, image, scratch) if isinstance(image, str) else _phash.__wrapped__(place, image, scratch)


@lru_cache(maxsize=4096)
def _phash(place: Path | None, image: str | Inline, scratch: Path) -> str | None:
    try:
        return phash(load(place, image, scratch))
    except ImageFaultError:
        return None


def _ingest_chunk(
    source: _Source, workspace: Workspace, name: str, mark: str, records: Iterable[Record]
) -> Callable[[], ChunkManifest]:
    """What writes the chunk, or tells of the one that is up to date."""
    done = workspace.done("ingest", name, mark)
    if done:
        # From the records, not from the samples: a record whose image is missing has taken its id as well.
        for record in records:
            if not record.reason:
                _claim(source, record)
        return lambda: done
    samples = SampleTable(source.known, source.file)
    excluded: list[Exclusion] = []
    for record in records:
        excluded += _take(source, record, samples)
    # Taken apart here, not by the thread that writes: it would hold the interpreter.
    tables = {"samples": samples.table(), "excluded": noun_table(Exclusion, excluded)}
    return partial(workspace.write_chunk, "ingest", name, mark, tables)


def _take(source: _Source, record: Record, samples: SampleTable) -> list[Exclusion]:
    """Add the record's samples. Drafts that fall are exclusions of their own only beside drafts that stay."""
    if record.reason:
        return [_exclusion(source, record, record.reason, record.detail)]
    names = _claim(source, record)
    if not names:
        return [_exclusion(source, record, "duplicate_id", f"{record.id} occurs again")]
    before = len(samples)
    faults: list[tuple[str, str, str]] = []
    for name, draft in zip(names, record.drafts, strict=True):
        try:
            images, kept = _images(source, draft)
            if not kept:
                draft = _without_images(draft)
        except ImageFaultError as error:
            reason, _, detail = str(error).partition(": ")
            faults.append((name, reason, detail))
        else:
            samples.add(name, record, draft, record.split or source.chosen.split, images)
    faults += [(f"{names[0]}-lost-{number}", *told) for number, told in enumerate(record.lost, 1)]
    if len(samples) == before:
        _, reason, detail = faults[0]
        return [_exclusion(source, record, reason, detail)]
    return [_exclusion(source, record, reason, detail, name) for name, reason, detail in faults]


def _images(source: _Source, draft: Draft) -> tuple[tuple[ImageRef, ...], bool]:
    """The stored images, and whether the draft keeps its marks."""
    tolerant = source.chosen.missing_images == "text_only"
    try:
        modality = draft.meta.get("modality", "")
        return tuple(source.store.add(source.chosen.images, image, modality) for image in draft.images), True
    except ImageFaultError as error:
        if tolerant and str(error).startswith("missing_image"):
            return (), False
        raise


def _without_images(draft: Draft) -> Draft:
    """Raises ImageFaultError where nothing would be left."""
    meta = {**draft.meta, "images": "missing"}
    if draft.task == "report":
        bare = report_without_images(draft)
        if bare is None:
            raise ImageFaultError("missing_image: without its images the report leaves nothing to ask")
        return replace(bare, meta=meta)
    turns = tuple(
        (role, text.replace(f"{IMAGE_MARK}\n", "").replace(f"\n{IMAGE_MARK}", "").replace(IMAGE_MARK, ""))
        for role, text in draft.turns
    )
    return replace(draft, turns=turns, images=(), meta=meta)


def _exclusion(source: _Source, record: Record, reason: str, detail: str, sample: str | None = None) -> Exclusion:
    origin = Origin(file=source.file, row=record.row, sha256=record.sha256)
    return Exclusion(stage="ingest", reason=reason, record=record.id, sample=sample, origin=origin, detail=detail)


def _claim(source: _Source, record: Record) -> list[str]:
    """The ids of the record's samples, taken from now on; none when its own id has occurred before."""
    own = _short(f"record {record.split} {record.id}")
    if own in source.ids:
        return []
    names = _identities(source, record, hashed=False)
    keys = [_short(name) for name in names]
    if not source.ids.isdisjoint(keys):
        # `A1` after `a1`, or the record `1-0` after the first draft of `1`.
        names = _identities(source, record, hashed=True)
        keys = [_short(name) for name in names]
    source.ids.add(own)
    source.ids.update(keys)
    return names


def _identities(source: _Source, record: Record, hashed: bool) -> list[str]:
    """corpus-split-record in [a-z0-9_-] for each draft; what cleaning would make ambiguous gets a short hash of the real id."""
    split = record.split or source.chosen.split
    plain = re.sub(r"[^a-z0-9_-]+", "-", record.id.lower()).strip("-")
    room = _ID_CHARS - len(f"{source.prefix}-{split}-")
    # `-ar` is how twins end.
    if hashed or plain != record.id.lower() or len(plain) > room or not plain or plain.endswith("-ar"):
        plain = f"{plain[: room - 9]}-{hashlib.sha256(record.id.encode()).hexdigest()[:8]}".strip("-")
    base = f"{source.prefix}-{split}-{plain}"
    return [base] if len(record.drafts) == 1 else [f"{base}-{number}" for number in range(len(record.drafts))]


def _short(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=10).digest())


def _prefix(settings: Settings, index: int) -> str:
    chosen = settings.sources[index]
    before = [s for s in settings.sources[:index] if (s.corpus, s.split) == (chosen.corpus, chosen.split)]
    return f"{chosen.corpus}{len(before) + 1}" if before else chosen.corpus


def _fingerprint(settings: Settings, index: int) -> str:
    chosen = settings.sources[index]
    files = _files(chosen)
    listing = [] if chosen.images is None else _listing(chosen.images)
    names = {
        "path": settings.relative(chosen.path),
        "images": None if chosen.images is None else settings.relative(chosen.images),
    }
    digests = [_file_digest(path) for path in files]
    if not chosen.path.is_file():
        digests += [Path(os.path.relpath(path, chosen.path.parent)).as_posix() for path in files]
    return fingerprint(VERSION, chosen.model_dump(mode="json") | names, digests, listing, _prefix(settings, index))


def _files(source: SourceSettings) -> list[Path]:
    """What a source is read from: its file or archive, or all files of its folder, and what its corpus looks into beside it."""
    path = source.path
    names = ("indiana_projections.csv", *corpus(source.corpus).beside)
    around = (path.with_name(name.format(stem=path.stem)) for name in names)
    return [*files_of(path), *(one for one in around if one.is_file())]


def _listing(images: Path) -> Sequence[tuple[object, ...]]:
    """What tells that images have changed: names with sizes, and in a zip with checksums."""
    outer, _ = split(images)
    if outer.is_file():
        return sorted(archive(outer).listing())
    return sorted((p.relative_to(images).as_posix(), p.stat().st_size) for p in images.rglob("*") if p.is_file())


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
