"""The queue in the database: who waits, what was decided, and which word counts.

A decision holds for the text it was given on (`content`); when the translation changes, the sample waits again.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from pipeline.buckets import fate
from pipeline.database import AdjudicationRow, DecisionRow, ReviewRow, session
from pipeline.review.draw import Draw, place
from pipeline.settings import Settings
from pipeline.workspace import Workspace
from schemas.quality import Score
from schemas.review import Adjudication, Decision, Order, ReviewItem
from schemas.sample import Sample
from schemas.translation import TwinDraft

#: Rows of one query by name.
_BLOCK = 500


def fill_queue(settings: Settings, workspace: Workspace, engine: Engine) -> dict[str, int]:
    """Bring the queue up to date with the scores: waiting items by queue.

    Running it again changes nothing; undecided items of texts that changed or no longer wait are replaced or taken out.
    """
    from pipeline.select import joined

    counts: Counter[str] = Counter()
    owed: set[str] = set()
    drawn = _drawn(settings, workspace, engine)
    with session(engine) as opened:
        decided = set(opened.scalars(select(DecisionRow.item)))
        for manifest in workspace.manifests("score"):
            for sample, draft, score in joined(workspace, manifest.chunk):
                item = _item(_queue(settings, sample, draft, score, drawn), sample, draft, score, drawn.get(sample.id))
                if item is None:
                    continue
                owed.add(item.id)
                counts[item.queue] += 1
                _put(opened, item)
        stale = [name for name in opened.scalars(select(ReviewRow.id)) if name not in owed and name not in decided]
        for start in range(0, len(stale), 500):
            opened.execute(delete(ReviewRow).where(ReviewRow.id.in_(stale[start : start + 500])))
    return dict(sorted(counts.items()))


def content_of(source: tuple[str, ...], target: tuple[str, ...]) -> str:
    """Hash of what an expert sees."""
    return hashlib.sha256("\x1e".join([*source, "\x1d", *target]).encode("utf-8", "surrogatepass")).hexdigest()


def decisions(engine: Engine) -> dict[str, Decision]:
    """Sample id to the word that counts: an adjudication, else what all its reviewers agree on.

    Differing reviewers leave a sample undecided until somebody adjudicates; a word on another text does not count. A sample that
    was decided in one queue and then drawn for the audit has two words on one text: the later one counts.
    """
    told = [word for word in words(engine).values() if word is not None]
    return {word.sample: word for word in sorted(told, key=lambda word: word.decided_at)}


def words(engine: Engine) -> dict[str, Decision | None]:
    """Item id to the word that counts, as `decisions` has it; None while its reviewers differ. Without a word: not in it."""
    with session(engine) as opened:
        current = {row.id: row.content for row in opened.execute(select(ReviewRow.id, ReviewRow.content))}
        ruled = [Adjudication.model_validate(row.adjudication) for row in opened.scalars(select(AdjudicationRow))]
        settled = {item.item: item.decision for item in ruled if current.get(item.item) == item.decision.content}
        said: dict[str, list[Decision]] = {}
        for row in opened.scalars(select(DecisionRow).order_by(DecisionRow.item, DecisionRow.reviewer)):
            if current.get(row.item) == row.content:
                said.setdefault(row.item, []).append(Decision.model_validate(row.decision))
    return {item: settled.get(item) or _agreed(told) for item, told in said.items()}


class Said(NamedTuple):
    """All that experts have said: the word that counts by sample, and samples on which they differ and nobody has adjudicated."""

    decided: dict[str, Decision]
    disputed: frozenset[str]


def said(engine: Engine) -> Said:
    """Decisions and open disputes."""
    with session(engine) as opened:
        samples = {row.id: row.sample for row in opened.execute(select(ReviewRow.id, ReviewRow.sample))}
    return Said(decisions(engine), frozenset(samples[item] for item, word in words(engine).items() if word is None))


def audited(engine: Engine) -> dict[str, float]:
    """Samples in the audit's queue, and the probability with which each was drawn; 0 where an earlier version drew it."""
    with session(engine) as opened:
        rows = opened.execute(select(ReviewRow.sample, ReviewRow.item).where(ReviewRow.queue == "audit"))
        return {sample: item.get("inclusion") or 0.0 for sample, item in rows}


def waiting(engine: Engine, queue: str | None = None, order: Order = "riskiest") -> Iterator[ReviewItem]:
    """Undecided items, riskiest first; at random they come by a hash of their samples, and so in the same order each time."""
    decided = select(DecisionRow.item).where(DecisionRow.item == ReviewRow.id, DecisionRow.content == ReviewRow.content)
    mine = [~decided.exists(), *([ReviewRow.queue == queue] if queue else [])]
    with session(engine) as opened:
        if order == "riskiest":
            for row in opened.scalars(select(ReviewRow).where(*mine).order_by(ReviewRow.risk.desc(), ReviewRow.id)):
                yield ReviewItem.model_validate(row.item)
            return
        names = sorted(opened.scalars(select(ReviewRow.id).where(*mine)), key=lambda name: place(name.partition(":")[2]))
        for at in range(0, len(names), _BLOCK):
            some = names[at : at + _BLOCK]
            rows = {row.id: row for row in opened.scalars(select(ReviewRow).where(ReviewRow.id.in_(some)))}
            yield from (ReviewItem.model_validate(rows[name].item) for name in some)


def stats(engine: Engine) -> dict[str, Any]:
    """Items by queue, decisions by verdict and by reviewer."""
    with session(engine) as opened:
        queues = _counted(opened, ReviewRow.queue)
        verdicts = _counted(opened, DecisionRow.verdict)
        reviewers = _counted(opened, DecisionRow.reviewer)
    open_items = sum(1 for _ in waiting(engine))
    return {"items": sum(queues.values()), "waiting": open_items, "queues": queues, "verdicts": verdicts, "reviewers": reviewers}


def _counted(opened: Session, column: InstrumentedAttribute[str]) -> dict[str, int]:
    rows = opened.execute(select(column, func.count()).group_by(column).order_by(column))
    return {row[0]: row[1] for row in rows}


def _drawn(settings: Settings, workspace: Workspace, engine: Engine) -> dict[str, float]:
    """Who is in the audit. A pass of its own (30 µs a row, 48 s for 1.6M), as how many a stratum owes is known at its end."""
    from pipeline.select import joined

    draw = Draw(settings.review, audited(engine))
    for manifest in workspace.manifests("score"):
        for sample, draft, score in joined(workspace, manifest.chunk):
            if fate(draft, score, None, settings.quality).bucket == "accepted":
                draw.see(sample)
    return draw.drawn()


def _item(
    queue: str | None, sample: Sample, draft: TwinDraft | None, score: Score | None, inclusion: float | None
) -> ReviewItem | None:
    if queue is None or draft is None:
        return None
    source = tuple(turn.text for turn in sample.turns)
    points = score.score if score else None
    risk = 100.0 if points is None else 100.0 - points
    if queue == "audit" and inclusion:
        # Drawn with probability p, it stands uniformly in [0, p): this shuffles strata of unlike p evenly.
        risk = max(0.0, 1 - place(sample.id) / inclusion)
    return ReviewItem(
        id=f"{queue}:{sample.id}",
        queue=queue,
        sample=sample.id,
        access=sample.access,
        source_turns=source,
        target_turns=draft.turns,
        score=points,
        risk=risk,
        findings=score.findings if score else (),
        content=content_of(source, draft.turns),
        inclusion=inclusion if queue == "audit" else None,
    )


def _queue(
    settings: Settings, sample: Sample, draft: TwinDraft | None, score: Score | None, drawn: Mapping[str, float]
) -> str | None:
    end = fate(draft, score, None, settings.quality)
    if end.bucket == "awaiting_review":
        if draft is not None and draft.state == "unusable":
            return "unusable"
        return "unjudged" if score and score.verdict == "accept" else "gate"
    return "audit" if end.bucket == "accepted" and sample.id in drawn else None


def _put(opened: Session, item: ReviewItem) -> None:
    row = opened.get(ReviewRow, item.id)
    values = {
        "queue": item.queue,
        "sample": item.sample,
        "content": item.content,
        "risk": item.risk,
        "item": item.model_dump(mode="json"),
    }
    if row is None:
        opened.add(ReviewRow(id=item.id, **values))
    elif row.content != item.content or row.item != values["item"]:
        for name, value in values.items():
            setattr(row, name, value)


def _agreed(words: list[Decision]) -> Decision | None:
    first = words[0]
    same = all((word.verdict, word.turns) == (first.verdict, first.turns) for word in words)
    return first if same else None
