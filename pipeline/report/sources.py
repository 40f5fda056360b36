"""What each source gave: its pictures with their first words, what fell out where, how long its texts are, what was there twice.

In: a workspace's tables and images. Out: one SourcePage a source, in the config's order. Memory: flat, each count by streaming;
of the pictures a dozen a source are opened.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from pipeline.curate.dedup import STAGE as DUPLICATES
from pipeline.report.masked import masked
from pipeline.report.tables import count_by, number_of, scan_chunks
from pipeline.report.thumbs import data_uri
from pipeline.workspace import ChunkManifest, Workspace, source_chunk
from schemas.release import ReleaseRow
from schemas.sample import IMAGE_MARK, Exclusion, ImageRef, Sample

#: Pictures of a contact sheet, their longer side in pixels, and characters of the words beneath: about 4 kB a picture.
_PICTURES, _SIDE, _WORDS = 12, 160, 140
#: Upper edges of the bars of lengths, in characters of a sample's English; the last bar is open.
_EDGES = (50, 100, 200, 400, 800, 1600, 3200)
_CLUSTERS, _COPIES = 5, 3


@dataclass(frozen=True)
class Shown:
    """One picture of the contact sheet."""

    uri: str | None
    """None when the image is gone or damaged."""
    words: str
    modality: str
    sample: str


@dataclass(frozen=True)
class Cluster:
    """A sample that stayed and those that fell as copies of it."""

    kept: str
    words: str
    """Of the one that stayed; empty where it is another source's."""
    copies: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class SourcePage:
    """One source of the config."""

    name: str
    funnel: dict[str, int]
    reasons: dict[str, int]
    """Reason to records and samples that fell out before translation."""
    lengths: dict[str, int]
    """Characters of a sample's turns to samples."""
    languages: dict[str, int]
    """Language to samples read or left out for it, and those that go out."""
    pictures: tuple[Shown, ...]
    clusters: tuple[Cluster, ...]
    masked: dict[str, int]
    """Placeholder of de-identification to how often it was put in."""
    places: tuple[tuple[str, str], ...]
    """(sample, words around a placeholder)."""


def sources(workspace: Workspace) -> list[SourcePage]:
    """A page for each source of which something was read."""
    # Read once for all sources: 1.6M records have 1,600 chunks a stage.
    stages = {stage: _by_source(workspace.manifests(stage)) for stage in ("ingest", "curate", "make", "release")}
    return [
        _source(workspace, group, {stage: found.get(group, []) for stage, found in stages.items()}) for group in stages["ingest"]
    ]


def _by_source(manifests: Iterable[ChunkManifest]) -> dict[str, list[ChunkManifest]]:
    groups: dict[str, list[ChunkManifest]] = {}
    for manifest in manifests:
        groups.setdefault(source_chunk(manifest.chunk).rpartition("-")[0], []).append(manifest)
    return groups


def _source(workspace: Workspace, group: str, chunks: Mapping[str, list[ChunkManifest]]) -> SourcePage:
    read, kept, made = (scan_chunks(workspace, Sample, "samples", chunks[stage]) for stage in ("ingest", "curate", "make"))
    lost = [scan_chunks(workspace, Exclusion, "excluded", chunks[stage]) for stage in ("ingest", "curate")]
    rows = scan_chunks(workspace, ReleaseRow, "rows", chunks["release"])
    out = count_by(rows, pl.col("sample").struct.field("language"))
    reasons: dict[str, int] = {}
    for frame in lost:
        for reason, count in count_by(frame, pl.col("reason")).items():
            reasons[reason] = reasons.get(reason, 0) + count
    counts, places = masked(kept)
    return SourcePage(
        name=group.partition("-")[2] or group,
        funnel={
            "samples": number_of(read),
            "kept": number_of(kept),
            **({"made of them": number_of(made)} if chunks["make"] else {}),
            "English going out": out.get("en", 0),
            "Arabic going out": out.get("ar", 0),
        },
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        lengths=_lengths(read),
        languages=_languages(read, reasons),
        pictures=tuple(_pictures(workspace, read)),
        clusters=tuple(_clusters(workspace, read, [manifest.chunk for manifest in chunks["ingest"]])),
        masked=counts,
        places=places,
    )


def _lengths(read: pl.LazyFrame) -> dict[str, int]:
    size = pl.col("turns").list.eval(pl.element().struct.field("text").str.len_chars()).list.sum()
    bar = pl.sum_horizontal((size >= edge).cast(pl.Int32) for edge in _EDGES).cast(pl.String)
    found = count_by(read, bar)
    return {label: found[str(number)] for number, label in enumerate(_labels()) if str(number) in found}


def _labels() -> list[str]:
    inner = [f"{low}–{high - 1}" for low, high in pairwise(_EDGES)]
    return [f"under {_EDGES[0]}", *inner, f"{_EDGES[-1]} and more"]


def _languages(read: pl.LazyFrame, reasons: dict[str, int]) -> dict[str, int]:
    found = count_by(read, pl.col("language"))
    if "other_language" in reasons:
        found["left out (another one)"] = reasons["other_language"]
    return found


def _pictures(workspace: Workspace, read: pl.LazyFrame) -> Iterable[Shown]:
    """Samples with pictures, at even distances in the order of the source: the same ones each time."""
    with_images = read.filter(pl.col("images").list.len() > 0)
    count = number_of(with_images)
    every = max(1, -(-count // _PICTURES))
    columns = (
        pl.col("id"),
        pl.col("images").list.first().alias("image"),
        pl.col("turns").list.first().struct.field("text").alias("words"),
    )
    frame = with_images.select(*columns).gather_every(every).head(_PICTURES).collect(engine="streaming")
    for row in frame.iter_rows(named=True):
        image = ImageRef.model_validate(row["image"])
        yield Shown(data_uri(workspace.images, image, _SIDE), _short(row["words"]), image.modality, row["id"])


def _clusters(workspace: Workspace, read: pl.LazyFrame, chunks: list[str]) -> Iterable[Cluster]:
    """The samples with the most copies in this source."""
    path = workspace.table_path(DUPLICATES, "all", "fallen")
    if not path.exists():
        return
    frame = (
        pl.scan_parquet(path)
        .filter(pl.col("chunk").is_in(chunks))
        .group_by("kept")
        .agg(pl.len().alias("copies"), pl.col("id").sort().head(_COPIES).alias("examples"))
        .sort("copies", "kept", descending=[True, False])
        .head(_CLUSTERS)
        .collect(engine="streaming")
    )
    said = dict(
        read.filter(pl.col("id").is_in(frame["kept"].to_list())).select("id", "turns").collect(engine="streaming").iter_rows()
    )
    for row in frame.iter_rows(named=True):
        words = " ".join(turn["text"] for turn in said.get(row["kept"], []))
        yield Cluster(row["kept"], _short(words), row["copies"], tuple(row["examples"]))


def _short(text: str) -> str:
    words = " ".join(text.replace(IMAGE_MARK, " ").split())
    return words if len(words) <= _WORDS else f"{words[:_WORDS]}…"
