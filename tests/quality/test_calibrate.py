"""What is fitted on decisions, held against hand-made counts and independent implementations, and what the artifact may claim."""

import os
from dataclasses import replace

import orjson
import pytest
from sklearn.metrics import cohen_kappa_score

from pipeline.buckets import covered, fate
from pipeline.quality.calibrate import as_bytes, calibrate, covers, load_calibration
from pipeline.quality.calibration_fit import agreement, checks_worth, fit_curve
from schemas.errors import InputError
from schemas.quality import Score
from schemas.translation import TwinDraft
from tests.quality.labels import QUALITY, finding, labels, row, rows

#: The lower the score, the more is changed.
GRADED = (
    *rows(97, 100, 1), *rows(86, 37, 3, start=200), *rows(70, 20, 20, start=300), *rows(50, 6, 14, start=400),
    *rows(10, 1, 29, start=500),
)  # fmt: skip
_EXPERT = ("accept", "edit", "reject")
_GATE = {"accept": 0, "review": 1, "reject": 2}


@pytest.fixture(scope="module")
def found():
    return calibrate(labels(GRADED), risk=0.07)


def test_the_curve_falls_and_goes_through_the_shares(found):
    values = [knot.probability for knot in found.knots]
    assert values == sorted(values, reverse=True)
    assert [(knot.score, knot.probability) for knot in found.knots] == [
        (10, pytest.approx(29 / 30)), (50, pytest.approx(0.7)), (70, pytest.approx(0.5)), (86, pytest.approx(3 / 40)),
        (97, pytest.approx(1 / 101, abs=1e-6)),
    ]  # fmt: skip


def test_a_curve_that_would_rise_is_levelled():
    """95 has more changed texts than 85: the score cannot tell them apart, so both get the share of both."""
    curve = fit_curve(sorted((*rows(95, 30, 10), *rows(85, 38, 2, start=100)), key=lambda one: one.id))
    assert {knot.probability for knot in curve.knots} == {12 / 80}


def test_weights_count_in_the_curve():
    curve = fit_curve((*rows(90, 10, weight=3.0), *rows(90, 0, 10, start=50)))
    assert curve.knots[0].probability == 0.25
    assert curve.metrics.base_rate == 0.25


def test_the_auc_counts_pairs_and_halves_ties():
    changed, good = rows(50, 0, 2) + rows(90, 0, 1, start=10), rows(90, 3, start=20) + rows(95, 1, start=30)
    pairs = [1.0 if bad.score < fine.score else 0.5 if bad.score == fine.score else 0.0 for bad in changed for fine in good]
    assert fit_curve(changed + good).metrics.auc == pytest.approx(sum(pairs) / len(pairs), abs=1e-6)


def test_predictions_are_made_by_fits_that_had_not_seen_the_text():
    """On labels that have nothing to do with the score: a fit is never worse than the base rate on what it has seen."""
    odd = tuple(row(f"r{n:03d}", 40 + n * 0.5, n % 2 == 0) for n in range(100))
    assert fit_curve(odd).metrics.brier > fit_curve(odd).metrics.brier_base
    assert fit_curve(GRADED).metrics.brier < 0.5 * fit_curve(GRADED).metrics.brier_base


def test_the_bins_hold_every_text_once_and_give_the_calibration_error(found):
    bins = found.reliability
    assert sum(one.n for one in bins) == len(GRADED)
    error = sum(one.n * abs(one.predicted - one.observed) for one in bins) / len(GRADED)
    assert found.metrics.ece == pytest.approx(error, abs=1e-5)
    assert all(one.low <= one.observed <= one.high for one in bins)


WORDS = [("accept", 95.0)] * 30 + [("edit", 95.0)] * 4 + [("edit", 60.0)] * 12 + [("accept", 60.0)] * 6 + [("reject", 10.0)] * 9
WORDS += [("edit", 10.0)] * 5 + [("accept", 10.0)]


def _told(words):
    return [row(f"r{n:03d}", score, said != "accept", (said,)) for n, (said, score) in enumerate(words)]


def test_the_kappa_is_the_one_that_scikit_learn_computes():
    told = _told(WORDS)
    theirs = cohen_kappa_score(
        [_GATE[one.verdict] for one in told], [_EXPERT.index(one.said[0]) for one in told], weights="quadratic", labels=[0, 1, 2]
    )
    mine = agreement(told)
    assert mine.kappa == pytest.approx(theirs, abs=1e-6)
    assert mine.low < mine.kappa < mine.high
    assert mine.table == ((30, 4, 0), (6, 12, 0), (1, 5, 9))


def test_two_words_on_one_text_are_less_certain_than_on_two():
    """The same words: of 67 texts by two experts each, and of 134 texts."""
    double = agreement([replace(one, said=one.said * 2) for one in _told(WORDS)])
    apart = agreement(_told(WORDS * 2))
    assert double.kappa == apart.kappa
    assert double.n == apart.n == 134
    assert double.high - double.low > 1.25 * (apart.high - apart.low)


def test_a_kappa_is_not_known_where_only_one_thing_was_said():
    assert agreement(_told([("accept", 95.0)] * 40)).kappa is None
    assert agreement(rows(90, 0, 40)).n == 0, "changed, but nobody said whether edited or rejected"


def _worth(*made):
    return {check.check: check for check in checks_worth(made)}


def test_precision_and_recall_are_counted_by_hand():
    fired = [row(f"a{n}", 70.0, n < 6, findings=[finding("numbers")]) for n in range(8)]
    silent = [row(f"b{n}", 95.0, n < 3) for n in range(32)]
    (check,) = checks_worth([*fired, *silent])
    assert (check.check, check.fired, check.changed) == ("numbers", 8, 6)
    assert (check.precision, check.recall) == (0.75, pytest.approx(6 / 9, abs=1e-6))
    assert (check.alone_good, check.alone_changed, check.costs) == (2, 6, "")
    assert check.log_odds > 1


def test_a_check_below_the_base_rate_is_named():
    fired = [row(f"a{n}", 90.0, n < 1, findings=[finding("terms", "minor")]) for n in range(10)]
    (check,) = checks_worth([*fired, *rows(95, 10, 10)])
    assert check.costs == "experts changed 10% of the texts where it fired, which is below the 37% of all texts"
    assert check.log_odds < 0


def test_a_check_that_alone_stops_more_good_texts_than_bad_is_named():
    fired = [row(f"a{n}", 70.0, n < 4, findings=[finding("length_ratio")]) for n in range(10)]
    (check,) = checks_worth([*fired, *rows(95, 97, 3)])
    assert check.precision == 0.4
    assert check.costs == "it alone stopped 6 good texts and 4 that experts changed"


def test_a_check_does_not_pay_for_what_another_stopped_or_the_gate_let_pass():
    both = [row(f"a{n}", 40.0, findings=[finding("length_ratio"), finding("numbers")]) for n in range(5)]
    light = [row(f"b{n}", 79.0, findings=[finding("length_ratio", "minor")]) for n in range(5)]
    passed = [row(f"c{n}", 85.0, findings=[finding("length_ratio", "minor")]) for n in range(5)]
    worth = _worth(*both, *light, *passed, *rows(10, 0, 3))
    assert (worth["length_ratio"].fired, worth["length_ratio"].alone_good) == (15, 0)


def test_neutral_findings_are_notes_and_nobodys_fault():
    assert _worth(row("a", 90.0, findings=[finding("terms", "neutral")]), *rows(95, 5, 5)) == {}


def test_few_texts_are_said_to_be_few():
    (check,) = checks_worth([row("a", 70.0, findings=[finding("codes")]), *rows(95, 50, 3)])
    assert check.costs.endswith("it alone stopped 1 good text and 0 that experts changed; with 1 text this may be chance")


def test_precision_is_weighted_because_queues_are_read_unevenly():
    fired = [row(f"a{n}", 70.0, n < 5, findings=[finding("numbers")], weight=9.0 if n < 5 else 1.0) for n in range(10)]
    (check,) = checks_worth([*fired, *rows(95, 20)])
    assert (check.changed, check.precision) == (5, 0.9)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (rows(90, 12, 5), ("17 decisions", "5 changed, 12 left", "needs 30")),
        (rows(90, 40), ("40 decisions", "0 changed, 40 left", "both kinds")),
        (rows(90, 0, 40), ("40 changed, 0 left",)),
        ([row(f"r{n}", None, True) for n in range(40)] + list(rows(90, 29)), ("29 decisions", "40 more have no score")),
        ([], ("0 decisions",)),
    ],
)
def test_too_few_decisions_and_decisions_of_one_kind_are_refused_with_their_number(made, words):
    with pytest.raises(InputError) as told:
        calibrate(labels(made))
    assert all(word in str(told.value) for word in words), told.value


@pytest.mark.parametrize(
    ("risk", "confidence", "name"), [(0.0, 0.95, "--risk is 0"), (1.0, 0.95, "--risk"), (0.05, 1.0, "--conf")]
)
def test_a_risk_or_confidence_that_means_nothing_is_refused(risk, confidence, name):
    with pytest.raises(InputError, match=name):
        calibrate(labels(GRADED), risk, confidence)


def test_law_same_decisions_same_bytes_in_any_order(found):
    assert as_bytes(calibrate(labels(tuple(reversed(GRADED))), risk=0.07)) == as_bytes(found)


def test_another_decision_gives_another_digest(found):
    other = (replace(GRADED[0], changed=True), *GRADED[1:])
    assert calibrate(labels(other), risk=0.07).data != found.data
    assert calibrate(labels(GRADED, unseen={90: 1}), risk=0.07).data != found.data


def test_what_is_written_is_read_again(found, tmp_path):
    path = tmp_path / "calibration.json"
    path.write_bytes(as_bytes(found))
    assert load_calibration(path) == found
    assert found.threshold == 86


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bound": 0.3}, "above the risk"),
        ({"bound": None}, "together or not at all"),
        ({"threshold": None}, "together or not at all"),
        ({"format": "bimedv-calibration-9"}, "format"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_an_artifact_that_claims_what_it_does_not_show_is_refused(found, tmp_path, change, words):
    path = tmp_path / "calibration.json"
    path.write_bytes(orjson.dumps(found.model_dump(mode="json") | change))
    with pytest.raises(InputError, match=words):
        load_calibration(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"'])
def test_a_file_that_is_no_calibration_is_one_error_with_its_name(tmp_path, content):
    path = tmp_path / "calibration.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"calibration\.json: .*bimedv quality calibrate"):
        load_calibration(path)
    with pytest.raises(InputError, match="No such file"):
        load_calibration(tmp_path / "gone.json")


SCORE = Score(sample="a", score=86.0, verdict="accept", findings=(), similarity=0.6, judge=None, version="checks-1")


@pytest.mark.parametrize(
    ("change", "covered"),
    [
        ({}, True),
        ({"score": 85.9}, False),
        ({"score": 100.0}, True),
        ({"score": None, "verdict": "review"}, False),
        ({"verdict": "review"}, False),
        ({"verdict": "reject"}, False),
        ({"version": "checks-2"}, False),
        ({"judge": 99.0}, False),
    ],
)
def test_law_fail_closed_only_scores_of_its_own_kind_at_or_above_the_line_are_covered(found, change, covered):
    assert covers(found, SCORE.model_copy(update=change), QUALITY) is covered


def test_law_fail_closed_a_calibration_without_a_threshold_covers_nothing(found):
    nothing = calibrate(labels(GRADED), risk=0.001)
    assert (nothing.threshold, nothing.bound) == (None, None)
    assert nothing.needed > 1000
    assert not covers(nothing, SCORE.model_copy(update={"score": 100.0}), QUALITY)


def test_a_config_that_asks_for_more_than_the_calibration_gets_it(found):
    assert not covers(found, SCORE, QUALITY.model_copy(update={"accept": 90.0}))


def test_scores_with_a_judge_are_covered_by_a_calibration_with_one(found):
    judged = found.model_copy(update={"judge": True})
    assert covers(judged, SCORE.model_copy(update={"judge": 95.0}), QUALITY)
    assert not covers(judged, SCORE, QUALITY)


def test_a_covered_translation_goes_out_unread_and_the_others_wait(found, tmp_path):
    path = tmp_path / "calibration.json"
    path.write_bytes(as_bytes(found))
    quality = QUALITY.model_copy(update={"calibration": path, "without_judge": "review"})
    draft = TwinDraft(sample="a-1", state="ok", turns=("نص",), units=(), calls=(), model="m", prompt="p", round=0, error="")
    low = SCORE.model_copy(update={"score": found.threshold - 0.1})
    assert fate(draft, SCORE, None, quality).bucket == "accepted"
    assert fate(draft, low, None, quality).bucket == "awaiting_review"
    assert fate(draft, SCORE, None, QUALITY.model_copy(update={"without_judge": "review"})).bucket == "awaiting_review"
    assert fate(draft, SCORE, None, quality, disputed=True).bucket == "awaiting_review", "experts who differ outweigh it"


def test_a_calibration_that_was_made_anew_counts_at_once(found, tmp_path):
    path = tmp_path / "calibration.json"
    path.write_bytes(as_bytes(found))
    quality = QUALITY.model_copy(update={"calibration": path})
    assert covered(SCORE, quality)
    path.write_bytes(as_bytes(calibrate(labels(GRADED), risk=0.001)))
    os.utime(path, ns=(0, 1))
    assert not covered(SCORE, quality)
