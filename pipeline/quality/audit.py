"""What experts found in a random sample of the translations that the gate accepted by itself: the released error rate.

In: the accepted translations (counted by stratum), the audit's queue, the experts' words. Out: an Audit: rates with 95 %
intervals by corpus, task and severity. An error is what an expert edited or rejected, although the release holds the mended
text or none: the audit speaks of what the gate lets through. Memory: the drawn items.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import ceil, fsum
from typing import Any, Literal, NamedTuple, get_args

from sqlalchemy import Engine

from pipeline.buckets import fate
from pipeline.quality.intervals import draws_needed, effective_size, wilson
from pipeline.review.draw import Stratum, stratum_of
from pipeline.review.store import audited, content_of, words
from pipeline.settings import Settings
from pipeline.workspace import Workspace
from schemas.quality import Score
from schemas.review import Decision
from schemas.sample import Sample
from schemas.translation import TwinDraft

Grade = Literal["minor", "major", "critical"]
State = Literal["decided", "disputed", "waiting"]
#: From light to grave.
GRADES: tuple[Grade, ...] = get_args(Grade)
STATES: tuple[State, ...] = get_args(State)
#: Below this many audited items a rate says nothing that an interval could mend.
ENOUGH = 5
_UNMARKED: dict[str, Grade] = {"edit": "major", "reject": "critical"}
#: Figures of a manifest; a rate of 1.6M translations has no more.
_DIGITS = 6


class Item(NamedTuple):
    """One drawn translation. `grade` is the error's; None: an expert accepted it, or nobody has said anything yet."""

    stratum: Stratum
    inclusion: float
    state: State
    grade: Grade | None


@dataclass(frozen=True)
class Rate:
    """The share of a group's accepted translations that have an error, as far as the audit shows."""

    accepted: int
    audited: int
    errors: int
    """Among the audited, each counted once."""
    rate: float | None
    """Weighted by stratum; None when nothing was audited."""
    low: float
    high: float
    """A 95 % interval. Strata that nobody has audited count as free of errors in `low` and as wrong throughout in `high`."""
    unaudited: float
    """Share of the accepted translations that lie in such strata."""

    def enough(self) -> bool:
        """Whether the rate may be shown as a number."""
        return self.audited >= ENOUGH

    def as_json(self) -> dict[str, Any]:
        """Rounded, with `enough`, so that a reader of the manifest knows what the card shows in words."""
        return {name: _round(value) for name, value in asdict(self).items()} | {"enough": self.enough()}


@dataclass(frozen=True)
class Audit:
    """What was drawn and what experts said of it."""

    sizes: dict[Stratum, int]
    """Accepted translations."""
    items: tuple[Item, ...] = field(repr=False)

    def rate(self, corpus: str | None = None, task: str | None = None, grades: Sequence[Grade] = GRADES) -> Rate:
        """The rate of errors of these grades, over all strata or those of a corpus or a task."""
        return self._parts(corpus, task, grades).rate()

    def more_needed(self, limit: float, grades: Sequence[Grade]) -> int | None:
        """How many more have to be audited without an error before the upper bound is at most `limit`. None: no number does.

        They are taken to spread over the strata as those before did.
        """
        return self._parts(None, None, grades).more_needed(limit)

    def strata(self) -> list[dict[str, Any]]:
        """Accepted, drawn, decided, disputed (its reviewers differ), waiting, and the share drawn, by stratum."""
        counts = Counter((item.stratum, item.state) for item in self.items)
        rows = []
        for stratum, accepted in sorted(self.sizes.items()):
            states: dict[str, int] = {state: counts[(stratum, state)] for state in STATES}
            drawn = sum(states.values())
            named = {"corpus": stratum[0], "task": stratum[1], "accepted": accepted, "drawn": drawn}
            rows.append({**named, **states, "inclusion": _round(drawn / accepted)})
        return rows

    def figures(self) -> dict[str, Any]:
        """What stands in the manifest and the card. Nothing of the desk is in it, such as who still waits: law 4."""
        overall = self.rate()
        if not overall.audited:
            return {"accepted": overall.accepted, "audited": 0}
        return {
            "accepted": overall.accepted,
            "audited": overall.audited,
            "overall": overall.as_json(),
            "by_corpus": {name: self.rate(corpus=name).as_json() for name in sorted({corpus for corpus, _ in self.sizes})},
            "by_task": {name: self.rate(task=name).as_json() for name in sorted({task for _, task in self.sizes})},
            "by_severity": {grade: self.rate(grades=(grade,)).as_json() for grade in reversed(GRADES)},
        }

    def _parts(self, corpus: str | None, task: str | None, grades: Sequence[Grade]) -> "_Parts":
        sizes = {s: n for s, n in self.sizes.items() if corpus in (None, s[0]) and task in (None, s[1])}
        return _parts(sizes, self.items, grades)


class AuditCount:
    """Counts the accepted translations that pass by, so that a release needs no pass of its own for the audit."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._quality = settings.quality
        self._drawn = audited(engine)
        self._words = words(engine)
        self._sizes: Counter[Stratum] = Counter()
        self._items: list[tuple[str, Item]] = []

    def see(self, sample: Sample, draft: TwinDraft | None, score: Score | None) -> None:
        """Count one sample, if the gate accepts its translation with no expert's word."""
        if draft is None or fate(draft, score, None, self._quality).bucket != "accepted":
            return
        stratum = stratum_of(sample)
        self._sizes[stratum] += 1
        if sample.id in self._drawn:
            # A queue of an earlier version names no probability: all of its stratum then weigh alike.
            inclusion = self._drawn[sample.id] or 1.0
            self._items.append((sample.id, Item(stratum, inclusion, *self._said(sample, draft))))

    def audit(self) -> Audit:
        """The result; the order in which samples passed by does not matter."""
        return Audit(dict(sorted(self._sizes.items())), tuple(item for _, item in sorted(self._items)))

    def _said(self, sample: Sample, draft: TwinDraft) -> tuple[State, Grade | None]:
        name = f"audit:{sample.id}"
        if name not in self._words:
            return "waiting", None
        word = self._words[name]
        if word is None:
            return "disputed", None
        # Translated anew since the queue was filled: the word was on another text.
        same = word.content == content_of(tuple(turn.text for turn in sample.turns), draft.turns)
        return ("decided", grade_of(word)) if same else ("waiting", None)


def audit(settings: Settings, workspace: Workspace, engine: Engine) -> Audit:
    """The audit of a workspace as it stands."""
    from pipeline.select import joined

    count = AuditCount(settings, engine)
    for manifest in workspace.english():
        for sample, draft, score in joined(workspace, manifest.chunk):
            count.see(sample, draft, score)
    return count.audit()


def grade_of(word: Decision) -> Grade | None:
    """How grave the error is that an expert found: the worst of the marked spans, None when the expert accepted the text.

    A rejection without marks is critical, an edit without marks is major. Marks of another severity (neutral, say) do not count.
    """
    if word.verdict == "accept":
        return None
    marked = [grade for grade in GRADES if any(span.severity == grade for span in word.errors)]
    return marked[-1] if marked else _UNMARKED[word.verdict]


@dataclass(frozen=True)
class _Parts:
    """Three parts of a group: strata audited whole are known, strata audited in part are estimated, the rest is not known.

    The estimate is the mean weighted by 1 / probability and scaled to the strata's sizes; its interval is Wilson's with Kish's
    effective sample size. Over 20,000 drawn audits of four kinds its upper end was too low in at most 1.7 %
    (tests/quality/test_intervals.py).
    """

    accepted: int
    known: list[bool]
    """Wrong or not, of each translation."""
    guessed: list[tuple[float, bool]]
    """Weight, wrong or not."""
    unknown: list[int]
    """Sizes of the strata that nobody has audited."""

    def rate(self) -> Rate:
        weight, wrong = self._guessed()
        ends = wilson(wrong / weight if weight else 0.0, self._effective())
        seen, whole = len(self.known) + weight, self.accepted or 1
        return Rate(
            accepted=self.accepted,
            audited=len(self.known) + len(self.guessed),
            errors=self._errors(),
            rate=(sum(self.known) + wrong) / seen if seen else None,
            low=(sum(self.known) + weight * ends.low) / whole,
            high=min(1.0, (sum(self.known) + weight * ends.high + sum(self.unknown)) / whole),
            unaudited=sum(self.unknown) / whole,
        )

    def more_needed(self, limit: float) -> int | None:
        if self._errors() > limit * self.accepted:
            return None
        rest = self.accepted - len(self.known)
        left = rest - len(self.guessed)
        room = (limit * self.accepted - sum(self.known)) / rest if rest else 1.0
        weight, wrong = self._guessed()
        size = self._effective()
        more = draws_needed(wrong / weight * size if weight else 0.0, size, min(room, 1.0)) if room > 0 else left
        # A ten-millionth of a draw is the arithmetic's, not the reader's.
        more = ceil(more * len(self.guessed) / size - 1e-7) if self.guessed else more
        # At the latest when everything is audited, the rate is known.
        return min(left, max(more, len(self.unknown), ENOUGH - len(self.known) - len(self.guessed)))

    def _errors(self) -> int:
        return sum(self.known) + sum(wrong for _, wrong in self.guessed)

    def _guessed(self) -> tuple[float, float]:
        return fsum(weight for weight, _ in self.guessed), fsum(weight for weight, wrong in self.guessed if wrong)

    def _effective(self) -> float:
        return effective_size(weight for weight, _ in self.guessed)


def _parts(sizes: Mapping[Stratum, int], items: Iterable[Item], grades: Sequence[Grade]) -> _Parts:
    decided: dict[Stratum, list[Item]] = {stratum: [] for stratum in sizes}
    for item in items:
        if item.state == "decided" and item.stratum in decided:
            decided[item.stratum].append(item)
    parts = _Parts(sum(sizes.values()), [], [], [size for stratum, size in sizes.items() if not decided[stratum]])
    for stratum, said in decided.items():
        if len(said) == sizes[stratum]:
            parts.known.extend(item.grade in grades for item in said)
            continue
        total = fsum(1 / item.inclusion for item in said)
        parts.guessed.extend((sizes[stratum] / item.inclusion / total, item.grade in grades) for item in said)
    return parts


def _round(value: Any) -> Any:
    return round(value, _DIGITS) if isinstance(value, float) else value
