"""Experts' decisions as rows for the calibration, weighted for the population that the gate would accept.

In: a workspace's queue and tables, or a file of labelled pairs. Out: Labels. Lost: texts without a usable translation (nothing to
accept), and words on a text that has changed since. Memory: the decided rows and a few counts.

How decisions are sampled. The audit is a random draw: a text weighs 1 / probability, scaled to its corpus and task. The other
queues are read riskiest first, so what is decided there is no sample of the whole: texts are weighted up to all that stand in the
same queue, corpus and 5 points of score, and of a cell in which nobody has decided anything all texts count as changed. Within
those 5 points the lower scores are read first, which errs to the safe side. Where reviewers differ a text counts as changed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import floor, fsum
from typing import TYPE_CHECKING, Literal

from pipeline.quality.verdict import limits_for, verdict
from pipeline.settings import QualitySettings, Settings
from schemas.base import Verdict
from schemas.errors import InputError
from schemas.quality import Finding, Score
from schemas.review import DecisionVerdict

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from pipeline.workspace import Workspace
    from schemas.sample import Sample

#: Points of score in a cell of the weighting.
_CELL = 5
#: Findings that stop a text: a minor one costs 2 of the 20 points that it may lose.
_STOPPING = ("major", "critical")


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """One text, what the gate said of it and what experts did."""

    id: str
    score: float | None
    verdict: Verdict
    """The gate's: accept, review or reject."""
    checks: frozenset[str]
    """Checks with a finding on it."""
    stopping: frozenset[str]
    """Of those, the ones whose finding is major or critical."""
    said: tuple[DecisionVerdict, ...]
    """One word an expert; empty where only the label is known."""
    changed: bool
    weight: float = 1.0
    corpus: str = ""
    task: str = ""
    candidate: bool = True
    """The gate would accept it if its line were at or below the score."""


@dataclass(frozen=True)
class Labels:
    """All rows, and what is known of the texts that nobody has decided."""

    rows: tuple[Labelled, ...]
    gate: str
    judge: bool
    quality: QualitySettings
    source: Literal["workspace", "file"]
    unseen: dict[int, int] = field(default_factory=dict)
    """Whole points of score to candidates that lie where nobody has decided anything."""


@dataclass(frozen=True)
class Word:
    """What the experts said of one text."""

    said: tuple[DecisionVerdict, ...]
    changed: bool


@dataclass(frozen=True)
class GateWord:
    """What the gate said of one text."""

    score: float | None
    verdict: Verdict
    findings: tuple[Finding, ...]


def labelled(name: str, gate: GateWord, word: Word, quality: QualitySettings, place: tuple[str, str] = ("", "")) -> Labelled:
    """A row of weight 1; `place` is corpus and task."""
    lost = gate.score is None or gate.verdict == "reject" or any(finding.severity == "critical" for finding in gate.findings)
    # Above the general line and yet not accepted: its corpus asks for more, and goes on asking.
    stopped = gate.verdict != "accept" and gate.score is not None and gate.score >= quality.accept
    return Labelled(
        id=name,
        score=gate.score,
        verdict="review" if gate.verdict == "refine" else gate.verdict,
        checks=frozenset(finding.check for finding in gate.findings if finding.severity != "neutral"),
        stopping=frozenset(finding.check for finding in gate.findings if finding.severity in _STOPPING),
        said=word.said,
        changed=word.changed,
        corpus=place[0],
        task=place[1],
        candidate=not lost and not stopped,
    )


def gate_verdict(score: float | None, findings: Iterable[Finding], quality: QualitySettings) -> Verdict:
    """The gate's verdict on a score that a file gives."""
    if score is None:
        return "review"
    found = verdict(score, findings, limits_for(quality))
    return "review" if found == "refine" else found


def from_workspace(settings: Settings, workspace: "Workspace", engine: "Engine") -> Labels:
    """The decisions of a workspace on its texts as they stand. Raises InputError when its scores are not of one kind."""
    from pipeline.review.store import audited
    from pipeline.select import joined

    said, drawn = _words(engine), audited(engine)
    # As if there were no calibration yet: what an earlier one lets out is what this one has to speak of, too.
    quality = settings.quality.model_copy(update={"calibration": None})
    census, kinds = _Census(quality), Counter[tuple[str, bool]]()
    for manifest in workspace.english():
        for sample, draft, score in joined(workspace, manifest.chunk):
            if draft is None or score is None or draft.state != "ok":
                continue
            if score.score is not None and score.verdict != "reject":
                kinds[(score.version, score.judge is not None)] += 1
            word = said.get((sample.id, _content(sample, draft.turns)))
            census.see(sample, score, drawn.get(sample.id), word)
    gate, judge = _one_kind(kinds, workspace)
    rows, unseen = census.weighted()
    return Labels(rows, gate, judge, quality, "workspace", unseen)


def _one_kind(kinds: Counter[tuple[str, bool]], workspace: "Workspace") -> tuple[str, bool]:
    if len(kinds) > 1:
        shown = ", ".join(f"{n} {kind_words(*kind)}" for kind, n in sorted(kinds.items()))
        raise InputError(f"{workspace.root}: its scores are of several kinds: {shown}. Run `bimedv score CONFIG` first.")
    if not kinds:
        raise InputError(f"{workspace.root}: nothing is scored here. Run `bimedv score CONFIG`, or name a file with --input.")
    return next(iter(kinds))


def kind_words(version: str, judge: bool) -> str:
    """How scores were made, in words."""
    return f"{version} {'with' if judge else 'without'} a judge"


def _content(sample: "Sample", turns: tuple[str, ...]) -> str:
    from pipeline.review.store import content_of

    return content_of(tuple(turn.text for turn in sample.turns), turns)


def _words(engine: "Engine") -> dict[tuple[str, str], Word]:
    """(sample, content) to the experts' word. An adjudication settles; else any change counts as one."""
    from sqlalchemy import select

    from pipeline.database import AdjudicationRow, DecisionRow, session
    from schemas.review import Adjudication, Decision

    said: dict[tuple[str, str], dict[str, DecisionVerdict]] = defaultdict(dict)
    settled: dict[tuple[str, str], DecisionVerdict] = {}
    with session(engine) as opened:
        # In the order of their times: of two words of one expert on one text, from two queues, the later counts.
        for row in opened.scalars(select(DecisionRow).order_by(DecisionRow.decided_at, DecisionRow.item, DecisionRow.reviewer)):
            told = Decision.model_validate(row.decision)
            said[(told.sample, told.content)][told.reviewer] = told.verdict
        for ruled in opened.scalars(select(AdjudicationRow).order_by(AdjudicationRow.item)):
            decision = Adjudication.model_validate(ruled.adjudication).decision
            settled[(decision.sample, decision.content)] = decision.verdict
    words = {key: tuple(many[reviewer] for reviewer in sorted(many)) for key, many in said.items()}
    words |= {key: (one,) for key, one in settled.items()}
    return {key: Word(many, any(one != "accept" for one in many)) for key, many in words.items()}


@dataclass
class _Stratum:
    """Texts of which one stands for another."""

    size: int = 0
    points: Counter[int] = field(default_factory=Counter)
    """Whole points to candidates."""
    rows: list[Labelled] = field(default_factory=list)
    """Decided; each weighs as much as its draw says, before it is scaled to the size."""


class _Census:
    """Counts all texts that could be accepted, and holds the decided ones."""

    def __init__(self, quality: QualitySettings) -> None:
        self._quality = quality
        self._strata: dict[tuple[str, ...], _Stratum] = defaultdict(_Stratum)

    def see(self, sample: "Sample", score: Score, inclusion: float | None, word: Word | None) -> None:
        """Count a text; keep it when there is a word on it."""
        gate = GateWord(score.score, score.verdict, score.findings)
        row = labelled(sample.id, gate, word or Word((), False), self._quality, (sample.corpus, sample.task))
        random = row.verdict == "accept" and (score.judge is not None or self._quality.without_judge == "accept")
        cell = "none" if row.score is None else str(floor(row.score / _CELL))
        stratum = self._strata[("audit", row.corpus, row.task) if random else (row.verdict, row.corpus, cell)]
        stratum.size += 1
        if row.candidate and row.score is not None:
            stratum.points[floor(row.score)] += 1
        if word is not None:
            # Accepted and decided without having been drawn: a word from before it was accepted, which is no random one.
            weight = 1.0 if not random else 0.0 if inclusion is None else 1 / (inclusion or 1.0)
            stratum.rows.append(replace(row, weight=weight))

    def weighted(self) -> tuple[tuple[Labelled, ...], dict[int, int]]:
        """The decided rows in the order of their ids, scaled to their strata, and the points of those in strata without any."""
        rows: list[Labelled] = []
        unseen: Counter[int] = Counter()
        for stratum in self._strata.values():
            total = fsum(row.weight for row in stratum.rows)
            if not total:
                unseen.update(stratum.points)
            rows += [replace(row, weight=row.weight * stratum.size / total if total else 0.0) for row in stratum.rows]
        return tuple(sorted(rows, key=lambda row: row.id)), dict(sorted(unseen.items()))
