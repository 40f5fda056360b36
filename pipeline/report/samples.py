"""The side-by-side samples of the page: twenty twins that show the gate at work, chosen the same way every time.

In: scores, samples, drafts, release rows, images. Out: cards. Only the chosen ones are loaded whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeVar

import polars as pl

from pipeline.buckets import fate
from pipeline.report.facts import RunFacts
from pipeline.report.marks import Piece, by_turn, pieces
from pipeline.report.tables import scan, scan_english
from pipeline.report.thumbs import data_uri
from pipeline.settings import QualitySettings
from pipeline.workspace import Workspace
from schemas.base import Noun
from schemas.quality import Finding, Score
from schemas.release import ReleaseRow
from schemas.sample import REASONS, Exclusion, ImageRef, Sample, twin_id
from schemas.tables import from_table
from schemas.translation import TwinDraft

#: What fits a reader's patience, and the verdicts it is shared among: seven accepted, seven for review, six rejected.
SHOWN = 20
_GROUPS = {"accept": 7, "review": 7, "reject": 6}
#: Spans of a finding count over the turns of a sample joined by this.
TURN_JOINT = "\n"
_BUCKET_WORDS = {"accepted": "accepted, not in a release", "awaiting_review": "waits for an expert", "pending": "pending"}

N = TypeVar("N", bound=Noun)


@dataclass(frozen=True)
class Exchange:
    """One turn in both languages; no Arabic pieces when there is no translation."""

    role: str
    english: list[Piece]
    arabic: list[Piece]


@dataclass(frozen=True)
class Picture:
    """An image of a card; `uri` None when the store has lost it."""

    uri: str | None
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class Card:
    """One English sample beside its Arabic twin."""

    id: str
    facts: list[str]
    """Corpus, task, modality, and where the record was read."""
    score: float | None
    verdict: str
    """accept, refine, review, reject, or none while nothing is scored."""
    fate: str
    pictures: list[Picture]
    exchanges: list[Exchange]
    findings: tuple[Finding, ...]
    note: str
    """Why there is no Arabic, or who changed it; may be empty."""


@dataclass(frozen=True)
class _Loaded:
    samples: dict[str, Sample]
    drafts: dict[str, TwinDraft]
    scores: dict[str, Score]
    rows: dict[str, ReleaseRow]
    fallen: dict[str, Exclusion]


def choose(workspace: Workspace, shown: int = SHOWN) -> list[str]:
    """Ids of English samples: a share of each verdict, riskiest first within each; the shares of a missing one go to the rest.

    Risk is 100 minus the score, and highest without a score. Ties go by id. While nothing is scored: the first ids.
    """
    groups = {name: _riskiest(workspace, name, shown) for name in _GROUPS}
    chosen = {name: ids[: _GROUPS[name] * shown // SHOWN] for name, ids in groups.items()}
    spare = [ids[len(chosen[name]) :] for name, ids in groups.items()]
    for found in (sample for row in zip_longest(*spare) for sample in row if sample):
        if sum(map(len, chosen.values())) >= shown:
            break
        name = next(name for name, ids in groups.items() if found in ids)
        chosen[name].append(found)
    ids = [sample for group in chosen.values() for sample in group]
    if ids:
        return ids
    first = scan_english(workspace).select("id").bottom_k(shown, by="id")
    return sorted(first.collect(engine="streaming")["id"])


def cards(workspace: Workspace, facts: RunFacts, shown: int = SHOWN) -> list[Card]:
    """The chosen samples, ready to show."""
    ids = choose(workspace, shown)
    twins = [twin_id(sample) for sample in ids]
    released = pl.col("sample").struct.field("id").is_in(twins)
    loaded = _Loaded(
        samples={s.id: s for s in _rows(Sample, scan_english(workspace), pl.col("id").is_in(ids))},
        drafts={d.sample: d for d in _load(workspace, "translate", TwinDraft, "twins", pl.col("sample").is_in(ids))},
        scores={s.sample: s for s in _load(workspace, "score", Score, "scores", pl.col("sample").is_in(ids))},
        rows={r.sample.id: r for r in _load(workspace, "release", ReleaseRow, "rows", released)},
        fallen={
            e.sample: e for e in _load(workspace, "release", Exclusion, "excluded", pl.col("sample").is_in(twins)) if e.sample
        },
    )
    # A sample that curation has since dropped may still have a score until the next run.
    return [_card(loaded, loaded.samples[sample], workspace, facts) for sample in ids if sample in loaded.samples]


def _riskiest(workspace: Workspace, group: str, shown: int) -> list[str]:
    verdicts = ["review", "refine"] if group == "review" else [group]
    scores = scan(workspace, "score", Score, "scores").filter(pl.col("verdict").is_in(verdicts))
    risk = scores.select("sample", pl.col("score").fill_null(-1.0))
    frame = risk.bottom_k(shown, by=["score", "sample"]).collect(engine="streaming")
    return list(frame.sort("score", "sample")["sample"])


def _load(workspace: Workspace, stage: str, noun: type[N], table: str, wanted: pl.Expr) -> Iterable[N]:
    return _rows(noun, scan(workspace, stage, noun, table), wanted)


def _rows(noun: type[N], frame: pl.LazyFrame, wanted: pl.Expr) -> Iterable[N]:
    return from_table(noun, frame.filter(wanted).collect(engine="streaming").to_arrow())


def _card(loaded: _Loaded, sample: Sample, workspace: Workspace, facts: RunFacts) -> Card:
    draft, score = loaded.drafts.get(sample.id), loaded.scores.get(sample.id)
    row = loaded.rows.get(twin_id(sample.id)) if facts.release else None
    findings = score.findings if score else ()
    return Card(
        id=sample.id,
        facts=[
            sample.corpus,
            sample.task.replace("_", " "),
            *sorted({image.modality for image in sample.images}),
            f"{sample.origin.file}:{sample.origin.row}",
        ],
        score=score.score if score else None,
        verdict=score.verdict if score else "none",
        fate=_fate(loaded, sample, row, facts),
        pictures=[_picture(workspace, image) for image in sample.images[:4]],
        exchanges=_exchanges(sample, [turn.text for turn in row.sample.turns] if row else draft.turns if draft else (), findings),
        findings=findings,
        note=_note(draft, row),
    )


def _fate(loaded: _Loaded, sample: Sample, row: ReleaseRow | None, facts: RunFacts) -> str:
    if row is not None:
        return "released"
    if fallen := loaded.fallen.get(twin_id(sample.id)):
        return f"excluded: {REASONS.get(fallen.reason, fallen.reason)}"
    quality = QualitySettings(without_judge="accept" if facts.without_judge == "accept" else "review")
    end = fate(loaded.drafts.get(sample.id), loaded.scores.get(sample.id), None, quality)
    if end.bucket in ("excluded", "failed"):
        return f"{end.bucket}: {REASONS.get(end.reason, end.reason)}"
    return _BUCKET_WORDS[end.bucket]


def _note(draft: TwinDraft | None, row: ReleaseRow | None) -> str:
    if row is not None and row.evidence is not None and row.evidence.decision == "edit":
        return f"Edited by {row.evidence.reviewer}; marks refer to the machine's text and are left out."
    if draft is None:
        return "Not translated yet."
    return f"No usable translation: {draft.error or draft.state}." if draft.state != "ok" else ""


def _exchanges(sample: Sample, arabic: Iterable[str], findings: tuple[Finding, ...]) -> list[Exchange]:
    english, targets = [turn.text for turn in sample.turns], list(arabic)
    source = by_turn(english, [(f.source_span, f) for f in findings if f.source_span], TURN_JOINT)
    target = by_turn(targets, [(f.target_span, f) for f in findings if f.target_span], TURN_JOINT)
    left = [pieces(text, marks) for text, marks in zip(english, source, strict=True)]
    right = [pieces(text, marks) for text, marks in zip(targets, target, strict=True)]
    return [
        Exchange(turn.role, one, other or [])
        for turn, one, other in zip_longest(sample.turns, left, right[: len(sample.turns)], fillvalue=None)
        if turn is not None and one is not None
    ]


def _picture(workspace: Workspace, image: ImageRef) -> Picture:
    width, height = max(1, image.width), max(1, image.height)
    alt = f"{image.modality} image, {width} by {height} pixels"
    return Picture(uri=data_uri(workspace.images, image), alt=alt, width=width, height=height)
