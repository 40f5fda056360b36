"""The folder of one project: tables, images, database, releases, reports.

Tables are Parquet, one file a chunk, with a manifest beside each; a chunk whose manifest names the same input and config
is not made again (DESIGN.md §9).
"""

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ValidationError

from schemas.base import Noun
from schemas.errors import InputError
from schemas.sample import Sample
from schemas.tables import SCHEMAS, from_table, to_table

N = TypeVar("N", bound=Noun)
STAGES = ("ingest", "curate", "make", "translate", "score", "release", "train")
#: A table that is not cut into chunks is read by its groups of rows.
_GROUP_ROWS = 20_000
#: How the chunk is called that holds what was made of a curated chunk: behind all of those, which begin with a number.
_MADE = "made-"


def stages_between(from_stage: str = STAGES[0], until_stage: str = STAGES[-1]) -> tuple[str, ...]:
    """The stages of the road from one until another, both included. Raises InputError when there are none."""
    for stage in (from_stage, until_stage):
        if stage not in STAGES:
            raise InputError(f"there is no stage {stage!r}. The stages are {', '.join(STAGES)}.")
    chosen = STAGES[STAGES.index(from_stage) : STAGES.index(until_stage) + 1]
    if not chosen:
        raise InputError(f"--from {from_stage} comes after --until {until_stage}. The stages are {', '.join(STAGES)}.")
    return chosen


class ChunkManifest(Noun):
    """Written last: its existence means that the chunk's tables are whole."""

    stage: str
    chunk: str
    fingerprint: str
    """Hash of the chunk's input, the stage's config and the code's version of the stage."""
    counts: dict[str, int]
    tables: dict[str, str]
    """Table name to the sha256 of its file."""


@dataclass(frozen=True)
class Workspace:
    """Where things are. Creating one touches no disk; `prepare` makes the folder."""

    root: Path

    def prepare(self) -> None:
        """Make the folder; tables and images make their own on first use."""
        self.root.mkdir(parents=True, exist_ok=True)

    @property
    def images(self) -> Path:
        return self.root / "images"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def models(self) -> Path:
        return self.root / "models"

    def table_path(self, stage: str, chunk: str, table: str) -> Path:
        """Where one chunk's table lies; it may not be there yet, or not be whole before its manifest is."""
        return self.root / "tables" / stage / f"{chunk}.{table}.parquet"

    def manifest_path(self, stage: str, chunk: str) -> Path:
        """Where the manifest of a chunk lies once the chunk is finished."""
        return self.root / "tables" / stage / f"{chunk}.json"

    def manifests(self, stage: str) -> list[ChunkManifest]:
        """Manifests of the finished chunks of a stage, in the order of the chunks' names."""
        paths = sorted((self.root / "tables" / stage).glob("*.json"))
        return [ChunkManifest.model_validate(orjson.loads(path.read_bytes())) for path in paths]

    def done(self, stage: str, chunk: str, fingerprint: str) -> ChunkManifest | None:
        """The manifest of an up-to-date chunk, else None."""
        path = self.manifest_path(stage, chunk)
        if not path.exists():
            return None
        manifest = ChunkManifest.model_validate(orjson.loads(path.read_bytes()))
        return manifest if manifest.fingerprint == fingerprint else None

    def manifest(self, stage: str, chunk: str) -> ChunkManifest:
        """The manifest of a finished chunk."""
        return ChunkManifest.model_validate(orjson.loads(self.manifest_path(stage, chunk).read_bytes()))

    def write_chunk(
        self, stage: str, chunk: str, fingerprint: str, tables: dict[str, pa.Table], more: dict[str, int] | None = None
    ) -> ChunkManifest:
        """Write the chunk's tables, then its manifest; a kill in between leaves a chunk that is made again.

        `more` are counts that the manifest carries beside the tables' row counts.
        """
        self.manifest_path(stage, chunk).unlink(missing_ok=True)
        digests = {}
        for name, table in tables.items():
            path = self.table_path(stage, chunk, name)
            digests[name] = write_parquet(path, table)
        counts = {name: table.num_rows for name, table in tables.items()} | (more or {})
        manifest = ChunkManifest(stage=stage, chunk=chunk, fingerprint=fingerprint, counts=counts, tables=digests)
        write_atomic(self.manifest_path(stage, chunk), orjson.dumps(manifest.model_dump(), option=orjson.OPT_INDENT_2))
        return manifest

    def drop_chunks(self, stage: str, keep: Iterable[str]) -> None:
        """Remove chunks that the current config no longer has, so that no stage reads a leftover."""
        kept = set(keep)
        for manifest in self.manifests(stage):
            if manifest.chunk not in kept:
                self.drop_chunk(stage, manifest.chunk)

    def drop_chunk(self, stage: str, chunk: str) -> None:
        """Remove a chunk, if it is there: the manifest first, so that a kill leaves no half of it."""
        if self.manifest_path(stage, chunk).exists():
            tables = self.manifest(stage, chunk).tables
            self.manifest_path(stage, chunk).unlink()
            for table in tables:
                self.table_path(stage, chunk, table).unlink(missing_ok=True)

    def english(self) -> list[ChunkManifest]:
        """Chunks of the English samples that translation and all after it start from: curated ones, and made ones that hold any.

        In the order of their names, as `manifests` gives those of a later stage. What was made of a chunk that is no longer
        there does not count.
        """
        curated = self.manifests("curate")
        known = {made_chunk(manifest.chunk) for manifest in curated}
        made = [one for one in self.manifests("make") if one.counts["samples"] and one.chunk in known]
        return sorted([*curated, *made], key=lambda manifest: f"{manifest.chunk}.json")

    def english_chunk(self, chunk: str) -> ChunkManifest:
        """The manifest of one chunk of `english`."""
        return self.manifest("make" if chunk.startswith(_MADE) else "curate", chunk)

    def english_rows(self, chunk: str | None = None) -> Iterator[Sample]:
        """The English samples of one chunk of `english`, or of all."""
        for manifest in self.english() if chunk is None else [self.english_chunk(chunk)]:
            yield from self.rows(manifest.stage, Sample, "samples", manifest.chunk)

    def table(self, stage: str, noun: type[Noun], table: str, chunk: str) -> pa.Table:
        """One table of a finished chunk in the noun's schema; one of another schema goes through `rows`."""
        with pq.ParquetFile(self.table_path(stage, chunk, table)) as file:
            held = file.read()
        return held if held.schema.equals(SCHEMAS[noun]) else to_table(noun, self.rows(stage, noun, table, chunk))

    def rows(self, stage: str, noun: type[N], table: str, chunk: str | None = None) -> Iterator[N]:
        """Validated rows of one table over all finished chunks (or one), in flat memory.

        A column that the table does not have yet gets the noun's default. Raises InputError for a table of another version.
        """
        chunks = [chunk] if chunk is not None else [m.chunk for m in self.manifests(stage) if table in m.tables]
        for name in chunks:
            path = self.table_path(stage, name, table)
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=1000):
                    try:
                        yield from from_table(noun, pa.Table.from_batches([batch]))
                    except ValidationError as error:
                        raise InputError(
                            f"{path}: another version of bimedv wrote this table ({error.error_count()} faults, the first in "
                            f"{'.'.join(map(str, error.errors()[0]['loc']))}). Run its stage again: `bimedv {stage} CONFIG`."
                        ) from None


def made_chunk(chunk: str) -> str:
    """The chunk that holds what was made of a curated chunk."""
    return f"{_MADE}{chunk}"


def source_chunk(chunk: str) -> str:
    """The chunk of records from which a chunk of English samples comes."""
    return chunk.removeprefix(_MADE)


def noun_table(noun: type[N], rows: Iterable[N]) -> pa.Table:
    """Rows as an Arrow table in the noun's schema."""
    return to_table(noun, rows)


def write_parquet(path: Path, table: pa.Table) -> str:
    """Write a table under a temporary name, fsync, rename. Returns the file's sha256."""
    with atomic_path(path) as part:
        # Texts, ids and digests hardly repeat, and what repeats zstd sees: with dictionaries the tables of real corpora are 2 to
        # 11 % larger, and take a sixth longer to write and to read.
        pq.write_table(table, part, compression="zstd", use_dictionary=False, row_group_size=_GROUP_ROWS)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_atomic(path: Path, data: bytes) -> None:
    """Write bytes under a temporary name, fsync, rename: a reader sees the old file or the whole new one."""
    with atomic_path(path) as part:
        part.write_bytes(data)


def fingerprint(*parts: object) -> str:
    """sha256 over values and Pydantic models, as canonical JSON: equal content gives an equal fingerprint."""
    plain = [part.model_dump(mode="json") if isinstance(part, BaseModel) else part for part in parts]
    return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary name to write to, which then takes the place of `path`; gone when the writing fails, on a full disk say."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The thread, too: two sources read at once store the same picture.
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
