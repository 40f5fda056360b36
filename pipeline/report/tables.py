"""Counts over the tables of a workspace. In: Parquet of finished chunks. Out: an Overview. Memory: flat, all by streaming.

1.6M rows are never loaded: each count is one lazy query that reads only its columns.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.workspace import ChunkManifest, Workspace
from schemas.base import Noun
from schemas.quality import Score
from schemas.release import ReleaseRow
from schemas.sample import Exclusion, Overlap, Sample
from schemas.tables import SCHEMAS
from schemas.translation import TwinDraft

#: Width of a bar of the score distribution, in points of the score.
BIN = 5
#: Overlaps with benchmarks that the page shows; the table holds all.
_OVERLAPS = 200
_MODALITY = pl.when(pl.col("images").list.len() > 0).then(pl.col("images").list.first().struct.field("modality"))


@dataclass(frozen=True)
class Loss:
    """One reason at one stage."""

    stage: str
    reason: str
    count: int
    became_sample: bool
    """False: a record that never became a sample."""
    example: str
    """file:row of the first one, with its detail."""


@dataclass(frozen=True)
class Share:
    """One modality, task or corpus: English samples after curation, and what of them goes out in each language."""

    value: str
    curated: int
    english: int
    arabic: int


@dataclass(frozen=True)
class CheckCount:
    """How often a check spoke."""

    check: str
    neutral: int
    minor: int
    major: int
    critical: int
    samples: int


@dataclass(frozen=True)
class Overview:
    """All counts of the page."""

    funnel: dict[str, int]
    losses: list[Loss]
    histogram: dict[tuple[int, str], int]
    """(lower edge of the bar, verdict) to Arabic twins."""
    verdicts: dict[str, int]
    unscored: int
    """Twins without a score: verdict review."""
    modality: list[Share]
    task: list[Share]
    corpus: list[Share]
    findings: list[CheckCount]
    overlaps: list[Overlap]
    """The first of what benchmarks share with samples, in the order of the samples."""
    overlapping: int
    """How many such samples there are."""
    closed: dict[str, int]
    """Access class, other than open, to samples of it."""


def overview(workspace: Workspace) -> Overview:
    """Count everything; stages that have not run give zeros."""
    scores = scan(workspace, "score", Score, "scores")
    verdicts = _counts(scores.group_by("verdict").len())
    return Overview(
        funnel=_funnel(workspace, verdicts.get("accept", 0)),
        losses=[loss for stage in ("ingest", "curate", "make", "release") for loss in _losses(workspace, stage)],
        histogram=_histogram(scores),
        verdicts=verdicts,
        unscored=number_of(scores.filter(pl.col("score").is_null())),
        modality=_shares(workspace, _MODALITY.otherwise(pl.lit("text only"))),
        task=_shares(workspace, pl.col("task")),
        corpus=_shares(workspace, pl.col("corpus")),
        findings=_findings(scores),
        overlaps=_overlaps(workspace),
        overlapping=number_of(scan(workspace, "curate", Overlap, "overlaps")),
        closed=_counts(scan(workspace, "ingest", Sample, "samples").filter(pl.col("access") != "open").group_by("access").len()),
    )


def _overlaps(workspace: Workspace) -> list[Overlap]:
    frame = scan(workspace, "curate", Overlap, "overlaps").sort("sample").head(_OVERLAPS).collect(engine="streaming")
    return [Overlap.model_validate(row) for row in frame.iter_rows(named=True)]


def scan(workspace: Workspace, stage: str, noun: type[Noun], table: str) -> pl.LazyFrame:
    """A lazy frame over all finished chunks of a table; an empty one when there are none."""
    return scan_chunks(workspace, noun, table, workspace.manifests(stage))


def scan_chunks(workspace: Workspace, noun: type[Noun], table: str, chunks: Iterable[ChunkManifest]) -> pl.LazyFrame:
    """The same over those chunks alone."""
    return _frame(noun, [workspace.table_path(m.stage, m.chunk, table) for m in chunks if table in m.tables])


def count_by(frame: pl.LazyFrame, by: pl.Expr) -> dict[str, int]:
    """Rows by the values of an expression."""
    return _counts(frame.group_by(by.alias("value")).len())


def number_of(frame: pl.LazyFrame) -> int:
    """Rows of a frame."""
    return int(frame.select(pl.len()).collect(engine="streaming").item())


def scan_english(workspace: Workspace) -> pl.LazyFrame:
    """A lazy frame over all English samples, curated or made."""
    return _frame(Sample, [workspace.table_path(m.stage, m.chunk, "samples") for m in workspace.english()])


def _frame(noun: type[Noun], paths: list[Path]) -> pl.LazyFrame:
    if paths:
        return pl.scan_parquet(paths)
    empty = pl.from_arrow(SCHEMAS[noun].empty_table())
    return empty.lazy() if isinstance(empty, pl.DataFrame) else pl.LazyFrame()


def _funnel(workspace: Workspace, accepted: int) -> dict[str, int]:
    drafts = scan(workspace, "translate", TwinDraft, "twins").filter(pl.col("state") == "ok")
    languages = _counts(scan(workspace, "release", ReleaseRow, "rows").group_by(_released("language")).len())
    return {
        "became samples": _rows(workspace, "ingest"),
        "kept by curation": _rows(workspace, "curate"),
        **({"made of those": made} if (made := _rows(workspace, "make")) else {}),
        "translated": number_of(drafts),
        "accepted by the gate": accepted,
        "English going out": languages.get("en", 0),
        "Arabic going out": languages.get("ar", 0),
    }


def _losses(workspace: Workspace, stage: str) -> list[Loss]:
    place = pl.format("{}:{}", pl.col("origin").struct.field("file"), pl.col("origin").struct.field("row"))
    frame = (
        scan(workspace, stage, Exclusion, "excluded")
        .group_by("stage", "reason", pl.col("sample").is_not_null().alias("became"))
        .agg(pl.len(), place.first().alias("place"), pl.col("detail").first())
        .sort("len", "reason", "became", descending=[True, False, False])
        .collect(engine="streaming")
    )
    return [
        Loss(
            stage=row["stage"],
            reason=row["reason"],
            count=row["len"],
            became_sample=row["became"],
            example=f"{row['place']} {row['detail']}".strip()[:160],
        )
        for row in frame.iter_rows(named=True)
    ]


def _histogram(scores: pl.LazyFrame) -> dict[tuple[int, str], int]:
    # 100 belongs to the last bar, not to a bar of its own.
    edge = (pl.col("score") / BIN).floor().clip(0, 100 // BIN - 1).cast(pl.Int32) * BIN
    frame = scores.filter(pl.col("score").is_not_null()).group_by(edge.alias("edge"), "verdict").len()
    return {(edge, verdict): number for edge, verdict, number in sorted(frame.collect(engine="streaming").iter_rows())}


def _shares(workspace: Workspace, by: pl.Expr) -> list[Share]:
    curated = _counts(scan_english(workspace).group_by(by.alias("value")).len())
    rows = scan(workspace, "release", ReleaseRow, "rows").select(pl.col("sample").struct.unnest())
    out = rows.group_by(by.alias("value"), "language").len().collect(engine="streaming")
    sent = {(value, language): number for value, language, number in out.iter_rows()}
    values = sorted(curated, key=lambda value: (-curated[value], value))
    return [Share(value, curated[value], sent.get((value, "en"), 0), sent.get((value, "ar"), 0)) for value in values]


def _findings(scores: pl.LazyFrame) -> list[CheckCount]:
    single = scores.select("sample", "findings").explode("findings").filter(pl.col("findings").is_not_null())
    single = single.select("sample", pl.col("findings").struct.unnest())
    counts = [(pl.col("severity") == name).sum().alias(name) for name in ("neutral", "minor", "major", "critical")]
    frame = single.group_by("check").agg(*counts, pl.col("sample").n_unique().alias("samples"))
    rows = frame.sort("samples", "check", descending=[True, False]).collect(engine="streaming").iter_rows(named=True)
    return [CheckCount(**row) for row in rows]


def _released(name: str) -> pl.Expr:
    return pl.col("sample").struct.field(name)


def _rows(workspace: Workspace, stage: str) -> int:
    return sum(manifest.counts["samples"] for manifest in workspace.manifests(stage))


def _counts(grouped: pl.LazyFrame) -> dict[str, int]:
    return dict(sorted(grouped.collect(engine="streaming").iter_rows()))
