"""How far a counted share can be trusted. In: errors among n draws, with weights. Out: 95 % Wilson score intervals.

Sources. The interval: E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22,
209-212; L. D. Brown, T. T. Cai, A. DasGupta (2001), "Interval estimation for a binomial proportion", Statistical Science 16,
101-133, recommend it for small n, where p ± 1.96 standard errors is [0, 0] for no error. The effective sample size of weighted
draws: L. Kish (1965), "Survey Sampling", Wiley, and (1992) "Weighting for unequal Pi", Journal of Official Statistics 8, 183-200.
"""

from collections.abc import Iterable
from math import ceil, fsum, sqrt
from typing import NamedTuple

#: 97.5 % of a normal distribution lie below it: both ends of an interval of 95 %.
Z95 = 1.959963984540054


class Interval(NamedTuple):
    """Both ends, 0 to 1."""

    low: float
    high: float


def wilson(share: float, n: float, z: float = Z95) -> Interval:
    """The score interval of a share (0 to 1) seen among n draws; n may be an effective size. Nothing drawn: [0, 1].

    centre = (p + z²/2n) / (1 + z²/n); half = z / (1 + z²/n) · sqrt(p(1 - p)/n + z²/4n²).
    """
    if n <= 0:
        return Interval(0.0, 1.0)
    scale = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z / scale * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At the ends the interval touches 0 or 1; the arithmetic misses them by 1e-17.
    return Interval(0.0 if share == 0 else max(0.0, centre - half), 1.0 if share == 1 else min(1.0, centre + half))


def effective_size(weights: Iterable[float]) -> float:
    """Kish's n = (Σw)² / Σw²: the draws of equal weight that say as much as these. Equal weights give their number."""
    each = list(weights)
    return fsum(each) ** 2 / fsum(weight * weight for weight in each) if each else 0.0


def draws_needed(errors: float, n: float, limit: float, z: float = Z95) -> int:
    """The smallest number of further draws without an error after which the upper end is at most `limit` (above 0).

    Solved from the equation whose roots are the interval's ends, |p̂ - limit| = z·sqrt(limit(1 - limit)/n): the upper end is
    below the limit as soon as limit·m - errors ≥ z·sqrt(limit(1 - limit)·m), which is a square in sqrt(m).
    """
    spread = z * sqrt(limit * (1 - limit))
    root = (spread + sqrt(spread * spread + 4 * limit * errors)) / (2 * limit)
    # A ten-millionth of a draw is the arithmetic's, not the reader's.
    return max(0, ceil(root * root - n - 1e-7))
