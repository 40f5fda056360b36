"""What experts' decisions say of the gate's score: the artifact of `bimedv quality calibrate`, and its parts.

Nothing of it names a text, a sample, a path or a time: the same decisions give the same bytes, and the file may be passed on.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.base import Noun, Sha256

FORMAT = "bimedv-calibration-1"


class Knot(Noun):
    """A corner of the isotonic curve; between two corners it is a straight line, beyond the last ones it is level."""

    score: float
    probability: float
    """That an expert changes the text."""


class RiskStep(Noun):
    """What the decisions say of all texts at or above one score."""

    threshold: float
    n: int
    """Decisions at or above it."""
    changed: int
    share: float | None
    """Of changed texts, weighted; None without a decision."""
    bound: float
    """One-sided upper bound of the share; what lies where nobody has decided anything counts as changed."""
    unseen: int
    """Texts at or above it that lie where nobody has decided anything."""
    tested: bool
    """Part of the fixed sequence; the others are shown and claim nothing."""


class CheckWorth(Noun):
    """What one check finds, and what it costs."""

    check: str
    fired: int
    """Texts with a finding of it."""
    changed: int
    """Of those, texts that experts changed."""
    precision: float | None
    """Weighted share of changed texts among those where it fired; None when all of those weigh nothing."""
    recall: float | None
    """Weighted share of those where it fired among the changed texts."""
    log_odds: float
    """Weight in a logistic model of all checks together: above 0 it speaks for a change when the others are held."""
    alone_good: int
    """Unchanged texts that the gate stopped with no other check's finding of major or critical severity."""
    alone_changed: int
    """Changed texts likewise."""
    costs: str
    """Why it costs more than it finds; empty when it does not."""


class Reliability(Noun):
    """Texts with alike predictions (each made by a fit that had not seen the text), and what experts did."""

    predicted: float
    observed: float
    low: float
    high: float
    """95 % Wilson interval of `observed`."""
    n: int


class ScoreBar(Noun):
    """Decided texts by score, 5 points a bar."""

    start: int
    unchanged: int
    changed: int


class Agreement(Noun):
    """The gate's verdict beside the experts'."""

    n: int
    """Experts' words whose verdict is known."""
    kappa: float | None
    """Quadratic weighted; None when either side has said one thing only."""
    low: float | None
    high: float | None
    """95 % bootstrap interval, texts drawn whole with all their experts' words."""
    table: tuple[tuple[int, int, int], ...]
    """Rows: gate accept, review, reject; columns: expert accept, edit, reject."""


class Metrics(Noun):
    """How well the score tells changed texts from unchanged ones, weighted."""

    base_rate: float
    """Share of changed texts."""
    auc: float | None
    """Probability that a changed text has a lower score than an unchanged one; None when the scored texts are of one kind."""
    brier: float
    """Mean squared error of the cross-validated predictions."""
    brier_base: float
    """The same for a prediction that is the base rate throughout."""
    ece: float
    """Expected calibration error of the cross-validated predictions: mean distance of predicted and observed share."""


class Group(Noun):
    """One corpus or task; the stated risk holds for all of them together and not for each."""

    name: str
    n: int
    changed: int
    above: int
    """Decisions at or above the threshold; 0 without one."""
    above_changed: int


class Calibration(Noun):
    """calibration.json. It claims something only where `threshold` is a number."""

    format: Literal["bimedv-calibration-1"] = "bimedv-calibration-1"
    gate: str
    """Version of the scores it was fitted on; it says nothing of others."""
    judge: bool
    """Whether those scores had a judge's word in them."""
    risk: float = Field(gt=0.0, lt=1.0)
    """Share of changed texts that is to be kept among those at or above the threshold."""
    confidence: float = Field(gt=0.0, lt=1.0)
    threshold: float | None
    """Lowest score from which the bound is at most the risk; None: the decisions do not show it for any score."""
    bound: float | None
    """The upper bound at the threshold."""
    start: float
    """Score at which the sequence of tests began, or would begin."""
    needed: int | None
    """Further decisions without a change from `start` up that would show the risk there; 0: it is shown; None: no number does."""
    source: Literal["workspace", "file"]
    n: int
    n_changed: int
    unscored: int
    """Of `n`, texts without a score: they are never accepted."""
    steps: tuple[RiskStep, ...]
    knots: tuple[Knot, ...]
    metrics: Metrics
    reliability: tuple[Reliability, ...]
    histogram: tuple[ScoreBar, ...]
    agreement: Agreement
    checks: tuple[CheckWorth, ...]
    groups: tuple[Group, ...]
    data: Sha256
    """Of the decisions it was made from, whatever their order."""

    @model_validator(mode="after")
    def _claims_what_it_shows(self) -> Self:
        """A file that was edited by hand does not claim what its bound does not show."""
        if (self.threshold is None) != (self.bound is None):
            raise ValueError("threshold and bound are there together or not at all")
        if self.bound is not None and self.bound > self.risk:
            raise ValueError(f"bound {self.bound:g} is above the risk {self.risk:g}")
        return self

    @property
    def costly(self) -> tuple[CheckWorth, ...]:
        """Checks that cost more than they find."""
        return tuple(check for check in self.checks if check.costs)
