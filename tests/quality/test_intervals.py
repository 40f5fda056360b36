"""Intervals against published values and an independent implementation, and what they promise on drawn samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pipeline.quality.intervals import Z95, draws_needed, effective_size, wilson

#: Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3: (errors, n, low, high).
NEWCOMBE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]


@pytest.mark.parametrize(("errors", "n", "low", "high"), NEWCOMBE)
def test_the_interval_is_the_published_one(errors, n, low, high):
    assert [round(end, 4) for end in wilson(errors / n, n)] == [low, high]


@pytest.mark.parametrize("errors", [0, 1, 3, 49, 50])
def test_the_interval_is_the_one_that_scipy_computes(errors):
    theirs = binomtest(errors, 50).proportion_ci(0.95, method="wilson")
    assert wilson(errors / 50, 50) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize("n", [1, 5, 20, 189, 10_000])
def test_no_error_among_n_leaves_the_share_that_the_formula_gives_by_hand(n):
    """z² / (n + z²), which p ± 1.96 standard errors would call 0."""
    assert wilson(0.0, n) == pytest.approx((0.0, Z95**2 / (n + Z95**2)))
    assert wilson(1.0, n) == pytest.approx((n / (n + Z95**2), 1.0))
    assert wilson(0.0, n).low == 0.0
    assert wilson(1.0, n).high == 1.0


def test_nothing_drawn_tells_nothing():
    assert wilson(0.0, 0) == (0.0, 1.0)
    assert effective_size([]) == 0.0


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_holds_the_share_and_narrows_with_n(errors, n):
    share = min(errors, n) / n
    near, far = wilson(share, n), wilson(share, 4 * n)
    assert 0 <= near.low <= share <= near.high <= 1
    assert far.high - far.low < near.high - near.low


def test_equal_weights_count_each_and_unequal_ones_count_less():
    assert effective_size([3.0] * 7) == pytest.approx(7)
    assert effective_size([1.0] * 50 + [99.0]) == pytest.approx(149**2 / (50 + 99**2))
    assert effective_size([1.0] * 50 + [99.0]) < 2.3, "one draw speaks for two thirds of all"


def test_189_without_an_error_show_at_most_two_percent_and_188_do_not():
    """The number that the documents give."""
    assert draws_needed(0, 0, 0.02) == 189
    assert wilson(0.0, 188).high > 0.02 >= wilson(0.0, 189).high


@given(st.integers(0, 20), st.integers(1, 300), st.sampled_from([0.005, 0.01, 0.02, 0.05, 0.2]))
def test_the_number_needed_is_the_smallest_that_is_enough(errors, n, limit):
    errors = min(errors, n)
    more = draws_needed(errors, n, limit)
    assert wilson(errors / (n + more), n + more).high <= limit + 1e-9
    if more:
        assert wilson(errors / (n + more - 1), n + more - 1).high > limit


#: name: (size, draws, error rate) of each stratum; a small stratum, over-sampled by the minimum, is where errors hide or not.
WORLDS = {
    "even": [(10_000, 200, 0.02), (5_000, 100, 0.02)],
    "errors in the large stratum": [(10_000, 200, 0.03), *[(300, 20, 0.0)] * 8],
    "errors in the small strata": [(10_000, 200, 0.0), *[(300, 20, 0.08)] * 8],
    "many small strata": [(400, 20, 0.04)] * 12,
}


@pytest.mark.parametrize("world", WORLDS)
def test_the_weighted_interval_lies_below_the_truth_as_seldom_as_it_says(world):
    """2,000 audits of each world: the upper end of a 95 % interval may be too low in 2.5 %; of 20,000 it was in 0.0 to 1.7 %."""
    random, strata = np.random.default_rng(7), WORLDS[world]
    sizes, draws, rates = (np.array(column) for column in zip(*strata, strict=True))
    truth = (sizes * rates).sum() / sizes.sum()
    n = effective_size(np.repeat(sizes / draws, draws))
    found = random.binomial(draws, rates, (2000, len(strata))) / draws
    shares = found @ (sizes / sizes.sum())
    assert np.mean([wilson(share, n).high < truth for share in shares]) <= 0.025
