"""The state of a workspace: every record and every sample owed, in exactly one bucket (law 1).

In: the tables, the database, the ids of the built release. Out: the `status` object of the command. Counts are taken
from the tables each time, never kept: a count that is stored can be wrong.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy import Engine

from pipeline.buckets import fate
from pipeline.llm.ledger import Ledger
from pipeline.review.store import Said, said
from pipeline.select import joined
from pipeline.settings import Settings
from pipeline.withdrawn import Gone, withdrawn
from pipeline.workspace import ChunkManifest, Workspace, source_chunk, write_atomic
from schemas.errors import InputError
from schemas.release import ReleaseRow
from schemas.sample import Exclusion, Sample, twin_id
from schemas.translation import Making


@dataclass
class Tally:
    """Counts of one workspace. `owed` counts English samples, read or made, and the twins of those that survived curation."""

    read: int = 0
    sampled: int = 0
    records_excluded: Counter[str] = field(default_factory=Counter)
    owed: int = 0
    released: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    awaiting_review: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    pending: int = 0

    def whole(self) -> bool:
        """Law 1 as arithmetic."""
        records = self.read == self.sampled + self.records_excluded.total()
        buckets = self.released + self.excluded.total() + self.awaiting_review + self.failed.total() + self.pending
        return records and buckets == self.owed

    def as_json(self) -> dict[str, Any]:
        """`records` and `samples` of DESIGN.md §7."""
        return {
            "records": {"read": self.read, "sampled": self.sampled, "excluded": dict(sorted(self.records_excluded.items()))},
            "samples": {
                "owed": self.owed,
                "released": self.released,
                "excluded": dict(sorted(self.excluded.items())),
                "awaiting_review": self.awaiting_review,
                "failed": dict(sorted(self.failed.items())),
                "pending": self.pending,
            },
        }


def status(settings: Settings, workspace: Workspace, engine: Engine) -> dict[str, Any]:
    """The `status` object without laws."""
    tally = count(settings, workspace, engine)
    return {**tally.as_json(), "calls": Ledger(engine).totals()}


def count(settings: Settings, workspace: Workspace, engine: Engine) -> Tally:
    """Put every record and every owed sample into its bucket."""
    tally = Tally()
    words = said(engine)
    curated = {manifest.chunk for manifest in workspace.manifests("curate")}
    for manifest in workspace.manifests("ingest"):
        chunk = manifest.chunk
        released = released_ids(settings, workspace, chunk)
        _count_records(tally, workspace, chunk)
        if chunk in curated:
            _count_english(tally, workspace, ("curate", chunk), released)
            _count_twins(tally, settings, workspace, chunk, words, released)
        else:
            tally.pending += manifest.counts["samples"]
    for manifest in workspace.manifests("make"):
        if source_chunk(manifest.chunk) in curated:
            released = released_ids(settings, workspace, manifest.chunk)
            _count_made(tally, workspace, manifest, released)
            _count_twins(tally, settings, workspace, manifest.chunk, words, released)
    return tally


def released_ids(settings: Settings, workspace: Workspace, chunk: str) -> set[str]:
    """Ids of a chunk in the built release; empty while what was selected last is not what was built last."""
    built = built_release(settings, workspace)
    done = workspace.done("release", chunk, built["fingerprint"]) if built else None
    if done is None:
        return set()
    return {row.sample.id for row in workspace.rows("release", ReleaseRow, "rows", chunk)}


def built_release(settings: Settings, workspace: Workspace) -> dict[str, str] | None:
    """{fingerprint of the selection, sha256 of the manifest} of the release that the config names, once it is built."""
    name = f"{settings.release.name}-{settings.release.version}"
    path = workspace.releases / f"{name}.json"
    if not path.exists() or not (workspace.releases / name / "manifest.json").exists():
        return None
    built: dict[str, str] = orjson.loads(path.read_bytes())
    return built


def save_settings(settings: Settings, workspace: Workspace) -> None:
    """Keep the run's config beside its outputs; `load_run` finds it again."""
    workspace.prepare()
    write_atomic(workspace.root / "config.json", orjson.dumps(settings.model_dump(mode="json"), option=orjson.OPT_INDENT_2))


def load_run(workspace: Workspace) -> Settings:
    """The settings of the last run in a workspace. Raises InputError where nothing has run, or another version has."""
    path = workspace.root / "config.json"
    if not path.exists():
        raise InputError(
            f"{workspace.root}: no run has been started here. Run `bimedv run CONFIG --workspace {workspace.root}` first."
        )
    try:
        return Settings.model_validate(orjson.loads(path.read_bytes()))
    except (ValidationError, orjson.JSONDecodeError) as error:
        found = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        where = ".".join(map(str, found["loc"])) or "the file"
        raise InputError(
            f"{path}: {where}: {found['msg']}. Another version of bimedv wrote it; run `bimedv run CONFIG --workspace "
            f"{workspace.root}` with this one, or use that version."
        ) from None


def _count_records(tally: Tally, workspace: Workspace, chunk: str) -> None:
    kept = {(s.origin.file, s.origin.row) for s in workspace.rows("ingest", Sample, "samples", chunk)}
    lost: dict[tuple[str, int], str] = {}
    for fallen in workspace.rows("ingest", Exclusion, "excluded", chunk):
        if fallen.sample is not None:
            tally.owed += 1
            tally.excluded[fallen.reason] += 1
        lost.setdefault((fallen.origin.file, fallen.origin.row), fallen.reason)
    tally.read += len(kept | lost.keys())
    tally.sampled += len(kept)
    tally.records_excluded.update(reason for place, reason in lost.items() if place not in kept)
    tally.owed += workspace.manifest("ingest", chunk).counts["samples"]


def _count_made(tally: Tally, workspace: Workspace, manifest: ChunkManifest, released: set[str]) -> None:
    """What a recipe was asked for is owed: what came of it, and one for each answer that the endpoint failed to give."""
    tally.owed += manifest.counts["samples"] + manifest.counts["excluded"]
    _count_english(tally, workspace, ("make", manifest.chunk), released)
    for making in workspace.rows("make", Making, "makings", manifest.chunk):
        if making.state == "failed":
            tally.owed += 1
            tally.failed[making.error.split(":")[0]] += 1


def _count_english(tally: Tally, workspace: Workspace, place: tuple[str, str], released: set[str]) -> None:
    gone = Gone(withdrawn(workspace))
    stage, chunk = place
    for fallen in workspace.rows(stage, Exclusion, "excluded", chunk):
        tally.excluded[fallen.reason] += 1
    for sample in workspace.rows(stage, Sample, "samples", chunk):
        if sample.id in released:
            tally.released += 1
        elif gone.english(sample):
            tally.excluded["withdrawn"] += 1
        else:
            tally.pending += 1


def _count_twins(tally: Tally, settings: Settings, workspace: Workspace, chunk: str, words: Said, released: set[str]) -> None:
    gone = Gone(withdrawn(workspace))
    for sample, draft, score in joined(workspace, chunk):
        tally.owed += 1
        end = fate(draft, score, words.decided.get(sample.id), settings.quality, sample.id in words.disputed)
        if twin_id(sample.id) in released:
            tally.released += 1
        elif gone.twin(sample):
            tally.excluded["withdrawn"] += 1
        elif end.bucket == "excluded":
            tally.excluded[end.reason] += 1
        elif end.bucket == "awaiting_review":
            tally.awaiting_review += 1
        elif end.bucket == "failed":
            tally.failed[end.reason] += 1
        else:
            tally.pending += 1
