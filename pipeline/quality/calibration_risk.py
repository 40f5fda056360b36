"""From which score on the stated risk holds: the accept threshold with its bound.

In: decided rows and where nobody has decided. Out: a Line. Nothing is claimed where the decisions do not show it.

Sources. The test at each threshold: C. J. Clopper, E. S. Pearson (1934), "The use of confidence or fiducial limits illustrated in
the case of the binomial", Biometrika 26, 404-413, one-sided and exact; for weighted rows with Kish's effective size: E. L. Korn,
B. I. Graubard (1998), "Confidence intervals for proportions with small expected number of positive counts estimated from survey
data", Survey Methodology 24, 193-201. Looking at many thresholds: A. N. Angelopoulos, S. Bates, E. J. Candès, M. I. Jordan,
L. Lei (2021), "Learn then Test: calibrating predictive algorithms to achieve risk control", arXiv:2110.01052, fixed-sequence
testing: from the top down, each at the full level, until the first failure. Where the share is 5.01 % at every score, so that
each claim of 5 % is false, one was made in 5.0 % of 3,000 draws of 150 decisions, 3.4 % of 300, 2.3 % of 300 of unlike weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING

from pipeline.quality.calibration_data import Labels
from schemas.calibration import RiskStep

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

TOP = 100
#: Changed texts that the first test has to bear. Of 59 decisions (risk 5 %, 95 %) it bears none: with a true share of 1 % it
#: would fail in 45 % of all calibrations; of 124 it bears two and fails in 13 %.
_BORNE = (2, 1, 0)
#: And it takes half of the decisions that the gate's own line has, so that a slip at the top does not end the sequence. In 300
#: draws of 400 decisions each, something was claimed in 99 % instead of 85 % where 1 % is changed throughout, in 94 % instead of
#: 87 % where 1 % is changed from 95 up and 10 % below; three quarters gave 100 and 19 %.
_START_SHARE = 0.5
_MOST = 10**7
_DIGITS = 6


@dataclass(frozen=True)
class Line:
    """What the sequence of tests found."""

    threshold: float | None
    bound: float | None
    start: float
    needed: int | None
    """See schemas.calibration.Calibration."""
    steps: tuple[RiskStep, ...]


@dataclass(frozen=True)
class _Above:
    """The decisions at or above one whole point of score."""

    point: int
    n: int
    changed: int
    weight: float
    share: float
    effective: float
    """Kish's number of decisions of equal weight that say as much: (Σw)² / Σw²."""
    unseen: int

    @property
    def unknown(self) -> float:
        """Share of the texts that lie where nobody has decided anything; they count as changed."""
        return self.unseen / (self.weight + self.unseen) if self.unseen else 0.0


def upper_bound(changed: "Numbers | float", n: "Numbers | float", confidence: float) -> "Numbers":
    """Clopper-Pearson's one-sided upper bound of a share; both may be effective sizes. Nothing seen: 1."""
    import numpy as np
    from scipy.stats import beta

    k, size = np.asarray(changed, dtype=float), np.asarray(n, dtype=float)
    whole = k >= size
    found = beta.ppf(confidence, k + 1, np.where(whole, 1.0, size - k))
    return np.where(whole, 1.0, found)


def smallest_n(changed: float, risk: float, confidence: float) -> int:
    """The fewest decisions of which so many may be changed and the bound still be at most the risk."""
    low, high = ceil(changed), max(1, ceil(changed))
    while upper_bound(changed, high, confidence) > risk:
        low, high = high, high * 2
        if high > _MOST:
            return _MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if upper_bound(changed, middle, confidence) <= risk else (middle, high)
    return high


def find_line(labels: Labels, risk: float, confidence: float) -> Line:
    """The lowest whole point of score from which the bound is at most the risk, tested from the top down."""
    many = _all_above(labels)
    bounds = _bounds(many, confidence)
    own = _own_line(many, labels)
    start = _start(many, own, risk, confidence)
    tested, passed = 0, 0
    if start is not None:
        fits = [bound <= risk for bound in bounds[start:]]
        passed = fits.index(False) if False in fits else len(fits)
        tested = min(passed + 1, len(fits))
    # Too few decisions for any test: what is said is said of the gate's own line.
    first = own if start is None else start
    steps = tuple(
        _step(one, bound, start is not None and start <= number < start + tested)
        for number, (one, bound) in enumerate(zip(many, bounds, strict=True))
    )
    if not passed or start is None:
        return Line(None, None, float(many[first].point), _needed(many[first], risk, confidence), steps)
    last = _supported(many, start, start + passed - 1)
    return Line(float(many[last].point), steps[last].bound, float(many[start].point), 0, steps)


def _all_above(labels: Labels) -> list[_Above]:
    """From 100 down to where the gate rejects; rows that weigh nothing are no sample of anything."""
    import numpy as np

    rows = [row for row in labels.rows if row.candidate and row.score is not None and row.weight > 0]
    rows.sort(key=lambda row: (-(row.score or 0.0), row.id))
    weight = np.array([row.weight for row in rows], dtype=float)
    changed = np.array([row.changed for row in rows], dtype=float)
    falling = np.array([-(row.score or 0.0) for row in rows], dtype=float)
    sums = [np.concatenate([[0.0], np.cumsum(part)]) for part in (weight, weight * changed, weight * weight, changed)]
    found = []
    for point in range(TOP, ceil(labels.quality.reject) - 1, -1):
        n = int(np.searchsorted(falling, -point, side="right"))
        mass, wrong, squares, count = (float(part[n]) for part in sums)
        unseen = sum(number for cell, number in labels.unseen.items() if cell >= point)
        effective = mass * mass / squares if n else 0.0
        found.append(_Above(point, n, round(count), mass, wrong / mass if n else 0.0, effective, unseen))
    return found


def _bounds(many: Sequence[_Above], confidence: float) -> list[float]:
    import numpy as np

    size, share, unknown = (np.array([getattr(one, name) for one in many]) for name in ("effective", "share", "unknown"))
    seen = upper_bound(share * size, size, confidence)
    # Rounded up in the last digit, so that what is written down is a bound as well.
    return [min(1.0, ceil(value * 10**_DIGITS - 1e-6) / 10**_DIGITS) for value in seen * (1 - unknown) + unknown]


def _start(many: Sequence[_Above], own: int, risk: float, confidence: float) -> int | None:
    """Where the sequence begins: by the number of decisions alone, so that their outcome has no say in it.

    At or above the gate's own line if there are enough; below it lie texts that the gate itself doubts.
    """
    half = _START_SHARE * many[own].effective
    needs = [max(half, smallest_n(borne, risk, confidence)) for borne in _BORNE]
    for end in (own + 1, len(many)):
        for least in needs:
            enough = [number for number, one in enumerate(many[:end]) if one.effective >= least - 1e-9]
            if enough:
                return enough[0]
    return None


def _own_line(many: Sequence[_Above], labels: Labels) -> int:
    """Place of the gate's own line among the thresholds."""
    return TOP - min(TOP, max(many[-1].point, floor(labels.quality.accept)))


def _supported(many: Sequence[_Above], start: int, last: int) -> int:
    """The highest point with the same decisions: where nobody has decided anything, nothing is claimed."""
    while last > start and many[last - 1].n == many[last].n:
        last -= 1
    return last


def _needed(one: _Above, risk: float, confidence: float) -> int | None:
    """Further decisions without a change after which the bound is at most the risk; weighted ones are an estimate."""
    asked = (risk - one.unknown) / (1 - one.unknown) if one.unknown < 1 else 0.0
    if asked <= 0:
        return None
    return max(1, ceil(smallest_n(one.share * one.effective, asked, confidence) - one.effective - 1e-9))


def _step(one: _Above, bound: float, tested: bool) -> RiskStep:
    return RiskStep(
        threshold=float(one.point),
        n=one.n,
        changed=one.changed,
        share=round(one.share, _DIGITS) if one.n else None,
        bound=bound,
        unseen=one.unseen,
        tested=tested,
    )
