"""The threshold: bounds against an independent implementation, what is claimed, and how often a claim is false."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.quality.calibration_risk import find_line, smallest_n, upper_bound
from tests.quality.labels import finding, labels, row, rows


def _line(*groups, risk=0.05, confidence=0.95, unseen=None):
    return find_line(labels(*groups, unseen=unseen), risk, confidence)


def _step(line, threshold):
    return next(step for step in line.steps if step.threshold == threshold)


@pytest.mark.parametrize(("changed", "n"), [(0, 20), (0, 59), (1, 93), (7, 100), (49, 50), (50, 50)])
def test_the_bound_is_the_one_that_scipy_computes(changed, n):
    """The upper end of a two-sided interval of 90 % is the one-sided bound at 95 %."""
    theirs = binomtest(changed, n).proportion_ci(0.90, method="exact").high
    assert float(upper_bound(changed, n, 0.95)) == pytest.approx(theirs, abs=1e-9)


def test_nothing_decided_shows_nothing():
    assert float(upper_bound(0, 0, 0.95)) == 1.0


def test_59_decisions_without_a_change_show_five_percent_and_58_do_not():
    """1 - 0.05 ** (1 / n) by hand."""
    assert smallest_n(0, 0.05, 0.95) == 59
    assert 1 - 0.05 ** (1 / 59) <= 0.05 < 1 - 0.05 ** (1 / 58)
    assert _line(rows(90, 59)).threshold == 90
    assert _line(rows(90, 58)).threshold is None


def test_the_threshold_is_the_lowest_score_from_which_the_bound_holds():
    line = _line(rows(95, 150, 1), rows(85, 50, 1, start=200), rows(82, 5, 25, start=300))
    assert (line.threshold, line.needed) == (85, 0)
    assert line.bound == pytest.approx(float(upper_bound(2, 202, 0.95)), abs=2e-6)
    assert line.bound <= 0.05 < _step(line, 82).bound


def test_the_tests_stop_at_the_first_failure_even_where_a_lower_score_would_pass():
    line = _line(rows(95, 130, 1), rows(90, 20, 9, start=200), rows(82, 110, start=300), risk=0.07)
    assert _step(line, 82).bound <= 0.07 < _step(line, 90).bound
    assert (line.start, line.threshold) == (90, None)
    line = _line(rows(95, 160, 1), rows(90, 20, 9, start=200), rows(82, 110, start=300), risk=0.07)
    assert _step(line, 82).bound <= 0.07 < _step(line, 90).bound
    assert (line.start, line.threshold) == (95, 95)
    assert [step.threshold for step in line.steps if step.tested] == [95, 94, 93, 92, 91, 90]


def test_nothing_is_claimed_below_the_lowest_decision():
    """A sample of accepted texts says nothing of what the gate would accept with a lower line."""
    line = _line(rows(88, 200))
    assert line.threshold == 88
    assert _step(line, 45).bound == line.bound


def test_where_the_sequence_begins_does_not_depend_on_what_was_decided():
    counts = [(97, 60), (93, 80), (85, 120), (81, 40)]
    good = _line(*(rows(score, n, start=1000 * score) for score, n in counts))
    bad = _line(*(rows(score, 0, n, start=1000 * score) for score, n in counts))
    assert good.start == bad.start == 85
    assert (good.threshold, bad.threshold) == (81, None)


def test_the_sequence_begins_among_the_accepted_where_there_are_enough_of_them():
    """110 decisions bear one changed text; to bear two it would have to begin with those that the gate doubts."""
    line = _line(rows(90, 109, 1), rows(70, 5, 25, start=200))
    assert (line.start, line.threshold) == (90, 90)
    assert _line(rows(90, 30), rows(70, 150, start=200)).start == 70


def test_texts_that_the_gate_never_accepts_have_no_say():
    lost = [row(f"x{n}", None, True) for n in range(50)]
    grave = [row(f"y{n}", 90.0, True, findings=[finding("numbers", "critical")]) for n in range(50)]
    line = _line(rows(90, 60), lost, grave)
    assert (line.threshold, _step(line, 90).n) == (90, 60)


def test_a_text_that_its_corpus_stops_above_the_general_line_has_no_say():
    stopped = tuple(replace(row(f"x{n}", 90.0, True), verdict="review", candidate=False) for n in range(50))
    assert _line(rows(90, 60), stopped).threshold == 90


def test_texts_where_nobody_has_decided_anything_count_as_changed():
    """97 rows of weight 1 and 3 texts unseen: 3 % are taken for changed before anything is counted."""
    whole, partly = _line(rows(90, 97)), _line(rows(90, 97), unseen={92: 3})
    bound = float(upper_bound(0, 97, 0.95))
    assert whole.bound == pytest.approx(bound, abs=2e-6)
    assert _step(partly, 90).bound == pytest.approx(0.97 * bound + 0.03, abs=2e-6)
    assert partly.threshold is None
    assert _line(rows(90, 97), unseen={89: 3}).threshold == 90, "what lies below is not accepted"


def test_no_number_of_decisions_helps_while_too_much_is_unseen():
    line = _line(rows(90, 100), unseen={95: 20})
    assert (line.threshold, line.needed) == (None, None)


def test_equal_weights_change_nothing_and_unequal_ones_cost_certainty():
    one, seven = _line(rows(90, 100, 1)), _line(rows(90, 100, 1, weight=7.0))
    assert one.steps == seven.steps
    heavy = _line(rows(90, 100), rows(91, 5, start=500, weight=40.0))
    assert _step(heavy, 90).bound > _step(_line(rows(90, 105)), 90).bound
    assert heavy.threshold is None


def test_a_row_that_weighs_nothing_has_no_say():
    assert _line(rows(90, 60), rows(91, 0, 40, start=100, weight=0.0)).threshold == 90


@pytest.mark.parametrize(("good", "changed"), [(0, 0), (30, 0), (58, 0), (60, 2), (118, 7)])
def test_as_many_decisions_as_it_asks_for_are_enough_and_one_fewer_is_not(good, changed):
    line = _line(rows(90, good, changed))
    assert line.threshold is None
    more = line.needed
    assert _line(rows(90, good, changed), rows(90, more, start=5000)).threshold == 90
    assert _line(rows(90, good, changed), rows(90, more - 1, start=5000)).threshold is None


@pytest.mark.parametrize(("n", "heavy"), [(150, 1.0), (300, 5.0)])
def test_a_world_just_above_the_risk_is_let_through_as_seldom_as_it_says(n, heavy):
    """The share of changed texts is 5.01 % at every score, so each claim is false: 5 % of 300 draws may make one.

    24 are the 98th percentile of that; taking the lowest score that passes, without an order, makes 30 and more.
    """
    random, plain = np.random.default_rng(11), row("p", 90.0)
    claims = 0
    for _ in range(300):
        scores = np.clip(100 - np.abs(random.normal(0, 8, n)), 80, 100).round(1)
        changed, weights = random.random(n) < 0.0501, np.where(random.random(n) < 0.2, heavy, 1.0)
        drawn = enumerate(zip(scores.tolist(), changed.tolist(), weights.tolist(), strict=True))
        made = [replace(plain, id=str(name), score=score, changed=bad, weight=weight) for name, (score, bad, weight) in drawn]
        claims += _line(made).threshold is not None
    assert claims <= 24
