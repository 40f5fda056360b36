"""From a number and findings to a verdict: where the lines are for a corpus and a task, and what no number outweighs.

In: a score from 0 to 100, the findings behind it, the config's thresholds. Out: the score under its caps, and the verdict.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.settings import QualitySettings
from schemas.base import Task, Verdict
from schemas.quality import Finding


@dataclass(frozen=True)
class Limits:
    """Accept from, reject below, in points."""

    accept: float
    reject: float


def limits_for(quality: QualitySettings, corpus: str = "", task: Task | None = None) -> Limits:
    """The thresholds of a sample: the higher of what its corpus and its task ask for, else the general one."""
    named = [own for own in (quality.by_corpus.get(corpus), task and quality.by_task.get(task)) if own]
    accept = max((own.accept for own in named if own.accept is not None), default=quality.accept)
    reject = max((own.reject for own in named if own.reject is not None), default=quality.reject)
    return Limits(accept, min(reject, accept))


def capped(score: float, findings: Iterable[Finding], limits: Limits) -> float:
    """The score, below `reject` when any finding is critical; one decimal."""
    if any(finding.severity == "critical" for finding in findings):
        score = min(score, max(0.0, limits.reject - 1))
    return round(score, 1)


def verdict(score: float, findings: Iterable[Finding], limits: Limits) -> Verdict:
    """accept, refine or reject. A critical finding rejects in words too: with `reject: 0` there is no score below it."""
    if any(finding.severity == "critical" for finding in findings) or score < limits.reject:
        return "reject"
    return "accept" if score >= limits.accept else "refine"
