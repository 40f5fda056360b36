"""What goes into a release: every English sample, curated or made, and each Arabic twin that the gate or an expert let through.

In: English samples, drafts, scores, decisions. Out: tables release/rows (ReleaseRow, twins adjacent) and release/excluded.
Lost: nothing; what does not go out stays in its bucket (pipeline.buckets). Memory: one chunk, and 100 bytes an image.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from pipeline.buckets import Fate, fate
from pipeline.curate.licences import Terms, release_terms
from pipeline.quality.audit import AuditCount
from pipeline.quality.audit_gate import refuse_unaudited
from pipeline.review.store import Said, said
from pipeline.settings import ReleaseSettings, Settings
from pipeline.withdrawn import Gone, withdrawn
from pipeline.workspace import Workspace, fingerprint, noun_table
from schemas.errors import StoppedError
from schemas.quality import Score
from schemas.release import Evidence, ReleaseRow, Tombstone
from schemas.review import Decision
from schemas.sample import Exclusion, Sample, Turn, twin_id
from schemas.translation import TwinDraft

VERSION = "2"
#: A component of samples that share images or a group takes the most protected split of its members (law 6).
_HELD_OUT = ("test", "validation")


@dataclass(frozen=True)
class Selection:
    """What `select` wrote."""

    fingerprint: str
    chunks: tuple[str, ...]
    rows: int
    awaiting_review: int
    terms: Terms
    audit: dict[str, Any] = field(default_factory=dict)
    """What experts found in a random sample of the accepted translations (pipeline.quality.audit)."""
    withdrawn: tuple[Tombstone, ...] = ()
    """Takedowns of earlier versions, which this one leaves out."""


def select(settings: Settings, workspace: Workspace, engine: Engine, progress: Callable[[int], None] | None = None) -> Selection:
    """Write the rows of the next release, chunk by chunk, in an order that depends on the sources alone.

    Raises StoppedError (exit 3) when samples wait for an expert and the config says `awaiting_review: refuse`, or when the audit
    does not show what `max_error_rate` demands.
    """
    chunks = [manifest.chunk for manifest in workspace.english()]
    words = said(engine)
    terms = release_terms(sorted({source.corpus for source in settings.sources}))
    mark = _fingerprint(settings, workspace, words)
    splits = SplitPlan(settings.release, workspace)
    audit = AuditCount(settings, engine)
    stones = withdrawn(workspace)
    awaiting = rows = 0
    for chunk in chunks:
        chosen = _ChunkChoice(settings, words, splits, Gone(stones))
        for sample, draft, score in joined(workspace, chunk):
            chosen.take(sample, draft, score)
            audit.see(sample, draft, score)
            if progress:
                progress(1)
        tables = {"rows": noun_table(ReleaseRow, chosen.rows), "excluded": noun_table(Exclusion, chosen.excluded)}
        workspace.write_chunk("release", chunk, mark, tables)
        awaiting += chosen.awaiting
        rows += len(chosen.rows)
    workspace.drop_chunks("release", chunks)
    if awaiting and settings.release.awaiting_review == "refuse":
        raise StoppedError(f"{awaiting} samples wait for an expert and `release.awaiting_review` is refuse. Run `bimedv review`.")
    found = audit.audit()
    refuse_unaudited(found, settings.release, workspace.root)
    return Selection(mark, tuple(chunks), rows, awaiting, terms, found.figures(), stones)


def joined(workspace: Workspace, chunk: str) -> Iterator[tuple[Sample, TwinDraft | None, Score | None]]:
    """Each English sample of a chunk with its draft and score, where they exist yet."""
    drafts: dict[str, TwinDraft] = {}
    scores: dict[str, Score] = {}
    if workspace.manifest_path("translate", chunk).exists():
        drafts = {draft.sample: draft for draft in workspace.rows("translate", TwinDraft, "twins", chunk)}
    if workspace.manifest_path("score", chunk).exists():
        scores = {score.sample: score for score in workspace.rows("score", Score, "scores", chunk)}
    for sample in workspace.english_rows(chunk):
        yield sample, drafts.get(sample.id), scores.get(sample.id)


class SplitPlan:
    """The release's split of every sample: by config fractions, but what shares an image or a group stays together (law 6).

    A group is what a corpus says that no split may part: a patient, a figure, a question and its paraphrases.
    """

    def __init__(self, release: ReleaseSettings, workspace: Workspace) -> None:
        self._release = release
        self._parent: dict[str, str] = {}
        self._held: dict[str, str] = {}
        for sample in workspace.english_rows():
            self._add(sample)
        for image, split in list(self._held.items()):
            self._protect(self._root(image), split)

    def split(self, sample: Sample) -> str:
        """train, validation or test. Twins share an id, and what was made shares its parent's: they never part."""
        keys = _keys(sample)
        if not keys:
            return sample.split if sample.split in _HELD_OUT else self._drawn(sample.meta.get("made_from", sample.id))
        root = self._root(keys[0])
        return self._held.get(root) or self._drawn(root)

    def _add(self, sample: Sample) -> None:
        keys = _keys(sample)
        for key in keys:
            self._parent.setdefault(key, key)
            self._join(keys[0], key)
            if sample.split in _HELD_OUT:
                self._protect(key, sample.split)

    def _protect(self, image: str, split: str) -> None:
        known = self._held.get(image, split)
        self._held[image] = min(known, split, key=_HELD_OUT.index)

    def _root(self, image: str) -> str:
        while self._parent[image] != image:
            self._parent[image] = self._parent[self._parent[image]]
            image = self._parent[image]
        return image

    def _join(self, one: str, other: str) -> None:
        roots = sorted((self._root(one), self._root(other)))
        self._parent[roots[1]] = roots[0]

    def _drawn(self, key: str) -> str:
        """A split drawn by hash, so that adding a sample never moves another one."""
        point = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
        for split, share in self._release.splits.items():
            if point < share:
                return split
            point -= share
        return next(reversed(self._release.splits))


def _keys(sample: Sample) -> list[str]:
    """What ties a sample to others: its images' hashes, and its group."""
    group = sample.meta.get("group", "")
    return [image.sha256 for image in sample.images] + ([f"group {group}"] if group else [])


class _ChunkChoice:
    """Rows and exclusions of one chunk, in the order of its samples."""

    def __init__(self, settings: Settings, words: Said, splits: SplitPlan, gone: Gone) -> None:
        self._settings = settings
        self._words = words
        self._splits = splits
        self._gone = gone
        self.rows: list[ReleaseRow] = []
        self.excluded: list[Exclusion] = []
        self.awaiting = 0

    def take(self, sample: Sample, draft: TwinDraft | None, score: Score | None) -> None:
        if self._gone.english(sample):
            self.excluded += [_exclusion(sample, name, "withdrawn") for name in (sample.id, twin_id(sample.id))]
            return
        split = self._splits.split(sample)
        decision = self._words.decided.get(sample.id)
        end = fate(draft, score, decision, self._settings.quality, sample.id in self._words.disputed)
        if self._gone.twin(sample):
            end = Fate("excluded", "withdrawn")
        english = sample if end.bucket == "accepted" else sample.model_copy(update={"pair": None})
        self.rows.append(ReleaseRow(sample=english, split=split, evidence=None))
        if end.bucket == "accepted" and draft is not None:
            self.rows.append(
                ReleaseRow(sample=_arabic(sample, draft, decision), split=split, evidence=_proof(draft, score, decision))
            )
        elif end.bucket == "excluded":
            self.excluded.append(_exclusion(sample, twin_id(sample.id), end.reason))
        elif end.bucket == "awaiting_review":
            self.awaiting += 1


def _arabic(sample: Sample, draft: TwinDraft, decision: Decision | None) -> Sample:
    texts = decision.turns if decision is not None and decision.verdict == "edit" else draft.turns
    turns = tuple(Turn(role=turn.role, text=text) for turn, text in zip(sample.turns, texts, strict=True))
    return sample.model_copy(update={"id": twin_id(sample.id), "pair": sample.id, "language": "ar", "turns": turns})


def _proof(draft: TwinDraft, score: Score | None, decision: Decision | None) -> Evidence:
    return Evidence(
        score=score.score if score else None,
        verdict=score.verdict if score else "review",
        score_version=score.version if score else "",
        similarity=score.similarity if score else None,
        findings=len(score.findings) if score else 0,
        units=draft.units,
        calls=(*draft.calls, *(score.judge_calls if score else ())),
        model=draft.model,
        prompt=draft.prompt,
        round=draft.round,
        judged=score is not None and score.judge is not None,
        decision=decision.verdict if decision and decision.verdict != "reject" else None,
        reviewer=decision.reviewer if decision else None,
    )


def _exclusion(sample: Sample, name: str, reason: str) -> Exclusion:
    return Exclusion(stage="release", reason=reason, record=sample.record, sample=name, origin=sample.origin)


def _fingerprint(settings: Settings, workspace: Workspace, words: Said) -> str:
    stages = (workspace.english(), workspace.manifests("translate"), workspace.manifests("score"))
    marks = [[manifest.chunk, manifest.fingerprint] for stage in stages for manifest in stage]
    told = sorted((key, word.model_dump(mode="json")) for key, word in words.decided.items())
    calibration = settings.quality.calibration
    claims = hashlib.sha256(calibration.read_bytes()).hexdigest() if calibration else ""
    stones = [stone.model_dump() for stone in withdrawn(workspace)]
    return fingerprint(VERSION, settings.release, settings.quality, claims, marks, told, sorted(words.disputed), stones)
