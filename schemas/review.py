"""The experts' queue: items, decisions, adjudications."""

from typing import Literal

from schemas.base import Access, Noun, SampleId
from schemas.quality import Finding, Span

DecisionVerdict = Literal["accept", "edit", "reject"]
Order = Literal["riskiest", "random"]
"""In what order undecided items come."""


class ErrorSpan(Noun):
    """An expert's MQM mark in the Arabic text."""

    category: str
    severity: str
    span: Span
    turn: int


class ReviewItem(Noun):
    """One Arabic twin that waits for an expert's word."""

    id: str
    """queue:sample"""
    queue: str
    """gate (the verdict was review), unjudged (accepted without a judge), unusable (no usable translation), audit."""
    sample: SampleId
    access: Access
    """Class of the source; what an expert writes inherits it (law 7)."""
    source_turns: tuple[str, ...]
    target_turns: tuple[str, ...]
    score: float | None
    risk: float
    """Riskiest first: 100 minus the score; 100 when there is no score. In the audit 0 to 1, in the order of the draw: of a random
    sample the experts' first hundred must be random, too."""
    findings: tuple[Finding, ...]
    content: str
    """Hash of source and target: a decision for another text does not count for this one."""
    assignee: str | None = None
    lease_until: str | None = None
    inclusion: float | None = None
    """Of the audit: the probability with which it was drawn, so that rates can be weighted back."""


class Decision(Noun):
    """An expert's word on an item. `edit` carries the corrected turns."""

    item: str
    sample: SampleId
    content: str
    verdict: DecisionVerdict
    turns: tuple[str, ...] = ()
    errors: tuple[ErrorSpan, ...] = ()
    reviewer: str
    seconds: float = 0.0
    comment: str = ""
    decided_at: str


class Adjudication(Noun):
    """The word that settles differing decisions on one item."""

    item: str
    decision: Decision
    over: tuple[str, ...]
    """Reviewers whose decisions it settles."""
