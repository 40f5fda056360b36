"""The audit: who is drawn, what experts' words say of the rest, what a release and its card make of it."""

import random

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from flows.laws import _same_bytes
from flows.publish import build_release, release_path
from pipeline.database import DecisionRow, ReviewRow, session
from pipeline.quality.audit import Audit, Item, audit, grade_of
from pipeline.quality.audit_gate import audit_text, demand
from pipeline.quality.intervals import wilson
from pipeline.review.draw import Draw, place
from pipeline.review.store import audited, decisions, waiting
from pipeline.review.store import said as store_said
from pipeline.select import select
from pipeline.settings import QualitySettings, ReleaseSettings, ReviewSettings
from schemas.errors import InputError, StoppedError
from schemas.release import MANIFEST
from schemas.review import Decision, ErrorSpan
from schemas.sample import Sample
from shards.card import card
from shards.release import load_manifest
from tests.review.conftest import BOTH, identity, said

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ACCEPTED = ("Where is the stone?", "In the ureter.", ("أين الحصاة؟", "في الحالب."), 95.0, "accept", "open")
OTHER_TEXT = (*ACCEPTED[:2], ("أين توجد الحصاة؟", "في الحالب."), *ACCEPTED[3:])
ALL_OF_IT = ReviewSettings(audit_fraction=1.0)


def _cases(number, start=0):
    return {f"n{index}": ACCEPTED for index in range(start, start + number)}


def _sample(name, task="text_qa"):
    return Sample.model_construct(id=name, corpus="slake", task=task)


def _drawn(review, samples, before=None):
    draw = Draw(review, before or {})
    for sample in samples:
        draw.see(sample)
    return draw.drawn()


# --- who is drawn ---

GROWTHS = st.lists(
    st.lists(st.tuples(st.sampled_from(["vqa", "report"]), st.integers(0, 400)), max_size=60), min_size=1, max_size=5
)


@given(GROWTHS, st.sampled_from([0.0, 0.02, 0.3, 1.0]), st.integers(0, 12), st.randoms(use_true_random=False))
@hypothesis_settings(deadline=None)
def test_the_sample_grows_and_takes_nobody_back_and_reaches_each_stratums_minimum(growths, fraction, minimum, shuffler):
    review = ReviewSettings(audit_fraction=fraction, audit_minimum=minimum)
    there, before = {}, {}
    for growth in growths:
        there |= {f"{task}-{number}": _sample(f"{task}-{number}", task) for task, number in growth}
        order = list(there.values())
        now = _drawn(review, order, before)
        shuffler.shuffle(order)
        assert _drawn(review, order, before) == now, "files and chunks in another order draw the same"
        assert set(before) <= set(now)
        assert all(now[name] >= before[name] > 0 for name in before)
        for task in ("vqa", "report"):
            stratum = [name for name, sample in there.items() if sample.task == task]
            taken = [name for name in stratum if name in now]
            assert len(taken) >= min(minimum, len(stratum))
            assert {name for name in stratum if place(name) < fraction} <= set(taken)
        before = now


@given(st.integers(1, 200), st.sampled_from([0.0, 0.1]), st.integers(1, 30))
def test_a_first_draw_is_the_lowest_places_of_a_stratum_and_knows_its_probability(size, fraction, minimum):
    """Nothing but the hash decides, so that the sample is a simple random one."""
    names = [f"vqa-{number}" for number in range(size)]
    now = _drawn(ReviewSettings(audit_fraction=fraction, audit_minimum=minimum), map(_sample, names))
    expected = max(min(minimum, size), sum(place(name) < fraction for name in names))
    assert sorted(now, key=place) == sorted(names, key=place)[:expected]
    assert set(now.values()) == {expected / size}


def test_who_was_drawn_when_there_were_few_keeps_the_probability_of_then():
    review = ReviewSettings(audit_fraction=0.0, audit_minimum=20)
    trial = _drawn(review, map(_sample, (f"a{number}" for number in range(20))))
    assert set(trial.values()) == {1.0}
    later = _drawn(review, map(_sample, (f"a{number}" for number in range(2000))), trial)
    assert {later[name] for name in trial} == {1.0}
    assert {chance for name, chance in later.items() if name not in trial} == {0.01}


@BOTH
def test_the_queue_holds_the_same_sample_whatever_the_chunks(desk):
    desk.settings = desk.settings.model_copy(update={"review": ReviewSettings(audit_fraction=0.1, audit_minimum=4)})
    desk.write(base={}, **_cases(30))
    assert desk.fill() == {"audit": 4}
    one = audited(desk.engine)
    desk.write(base={}, **_cases(11))
    desk.write(base={}, chunk="000-00001", **_cases(19, 11))
    assert desk.fill() == {"audit": 4}
    assert audited(desk.engine) == one
    assert set(one.values()) == {4 / 30}
    assert set(one) == set(sorted((identity(f"n{number}") for number in range(30)), key=place)[:4])


@BOTH
def test_the_queue_keeps_whom_it_drew_when_samples_arrive(desk):
    desk.settings = desk.settings.model_copy(update={"review": ReviewSettings(audit_fraction=0.0, audit_minimum=5)})
    desk.write(base={}, **_cases(8))
    desk.fill()
    first = audited(desk.engine)
    desk.write(base={}, **_cases(200))
    desk.fill()
    assert set(first) < set(audited(desk.engine)), "the undecided ones, too"
    assert {name: chance for name, chance in audited(desk.engine).items() if name in first} == first


@SQLITE
def test_a_limited_export_is_a_random_part_of_the_sample_and_not_its_riskiest(desk):
    desk.settings = desk.settings.model_copy(update={"review": ALL_OF_IT})
    desk.write(base={}, **{f"n{index}": (*ACCEPTED[:3], 80.0 + index, "accept", "open") for index in range(20)})
    desk.fill()
    names = sorted((identity(f"n{number}") for number in range(20)), key=place)
    assert [row["sample"] for row in desk.export(queue="audit", limit=7)] == names[:7]
    assert all(0 <= item.risk <= 1 for item in waiting(desk.engine, "audit"))


# --- what the words say ---


def _audited(desk):
    return audit(desk.settings, desk.workspace, desk.engine)


def _verdicts(desk, *verdicts, reviewer="dr-a", errors=()):
    """Decide the first lines of the audit's queue; returns their samples."""
    rows = desk.export(queue="audit")[: len(verdicts)]
    lines = [
        said(row, verdict, *(("سؤال؟", "جواب.") if verdict == "edit" else ()))
        for row, verdict in zip(rows, verdicts, strict=True)
    ]
    for line, marks in zip(lines, errors, strict=False):
        line["decision"]["errors"] = marks
    desk.decide(reviewer, *lines)
    return [row["sample"] for row in rows]


@pytest.fixture
def drawn(desk):
    """40 accepted translations, all of them drawn."""
    desk.settings = desk.settings.model_copy(update={"review": ALL_OF_IT})
    desk.write(base={}, **_cases(40))
    desk.fill()
    return desk


@BOTH
def test_edits_and_rejections_are_errors_and_the_rest_waits(drawn):
    _verdicts(drawn, *["accept"] * 8, "edit", "reject")
    found = _audited(drawn)
    (row,) = found.strata()
    assert row == {
        "corpus": "slake", "task": "text_qa", "accepted": 40, "drawn": 40, "decided": 10, "disputed": 0, "waiting": 30,
        "inclusion": 1.0,
    }  # fmt: skip
    overall = found.rate()
    assert (overall.audited, overall.errors, overall.rate) == (10, 2, pytest.approx(0.2))
    assert (overall.low, overall.high) == pytest.approx(wilson(0.2, 10))


@SQLITE
def test_what_an_expert_changed_is_an_error_found_although_it_is_released_otherwise(drawn):
    edited, rejected = _verdicts(drawn, "edit", "reject")
    words = decisions(drawn.engine)
    assert (words[edited].verdict, words[rejected].verdict) == ("edit", "reject")
    assert _audited(drawn).rate().errors == 2
    assert _audited(drawn).rate().accepted == 40, "they are part of what the gate accepted"


@SQLITE
def test_experts_who_differ_have_decided_nothing(drawn):
    name = drawn.export(queue="audit")[0]
    drawn.decide("dr-a", said(name, "accept"))
    drawn.decide("dr-b", said(name, "reject"))
    (row,) = _audited(drawn).strata()
    assert (row["decided"], row["disputed"], row["waiting"]) == (0, 1, 39)
    assert _audited(drawn).rate().rate is None


@SQLITE
def test_law_fail_closed_what_experts_differ_on_waits_although_the_gate_accepts_it(drawn):
    name = drawn.export(queue="audit")[0]
    awaiting = select(drawn.settings, drawn.workspace, drawn.engine).awaiting_review
    drawn.decide("dr-a", said(name, "accept"))
    drawn.decide("dr-b", said(name, "reject"))
    assert len(store_said(drawn.engine).disputed) == 1
    assert select(drawn.settings, drawn.workspace, drawn.engine).awaiting_review == awaiting + 1


@SQLITE
@pytest.mark.parametrize("filled", [False, True])
def test_a_word_on_a_text_that_has_changed_does_not_count(drawn, filled):
    changed, kept = _verdicts(drawn, "reject", "accept")
    drawn.write(base={}, **(_cases(40) | {changed.removeprefix(identity("")): OTHER_TEXT}))
    if filled:
        drawn.fill()
    rate = _audited(drawn).rate()
    assert (rate.audited, rate.errors) == (1, 0)
    assert _audited(drawn).strata()[0]["waiting"] == 39
    assert decisions(drawn.engine)[kept].verdict == "accept"


@BOTH
def test_a_later_word_of_the_audit_outranks_one_that_another_queue_had_on_the_same_text(desk):
    """A sample that waited at the gate was accepted, then the threshold fell and it was drawn for the audit."""
    desk.decide("dr-a", said(desk.item("risky"), "accept"))
    case = ("Is the heart enlarged?", "Yes", ("هل القلب متضخم؟", "نعم"), 45.0, "accept", "open")
    desk.settings = desk.settings.model_copy(update={"review": ALL_OF_IT})
    desk.write(risky=case)
    desk.fill()
    line = next(row for row in desk.export(queue="audit") if row["sample"] == identity("risky"))
    with session(desk.engine) as opened:
        assert {row.id for row in opened.query(ReviewRow).where(ReviewRow.sample == identity("risky"))} == {
            f"gate:{identity('risky')}", f"audit:{identity('risky')}",
        }  # fmt: skip
    _a_day_earlier(desk)
    desk.decide("dr-b", said(line, "reject"))
    assert decisions(desk.engine)[identity("risky")].verdict == "reject"
    assert _audited(desk).rate().errors == 1


def _a_day_earlier(desk):
    with session(desk.engine) as opened:
        for row in opened.query(DecisionRow):
            row.decision = row.decision | {"decided_at": "2020-01-01T00:00:00+00:00"}


def _word(verdict, *severities):
    marks = tuple(ErrorSpan(category="accuracy", severity=name, span=(0, 1), turn=0) for name in severities)
    return Decision(item="audit:x", sample="x", content="0", verdict=verdict, errors=marks, reviewer="a", decided_at="t")


@pytest.mark.parametrize(
    ("word", "grade"),
    [
        (_word("accept"), None),
        (_word("edit"), "major"),
        (_word("reject"), "critical"),
        (_word("edit", "minor"), "minor"),
        (_word("edit", "minor", "critical", "major"), "critical"),
        (_word("reject", "minor"), "minor"),
        (_word("edit", "neutral"), "major"),
        (_word("reject", "grievous"), "critical"),
    ],
)
def test_the_worst_mark_grades_an_error_and_what_is_not_marked_is_taken_for_grave(word, grade):
    assert grade_of(word) == grade


@SQLITE
def test_marks_come_back_with_the_decision_and_rates_are_told_by_severity(drawn):
    light = [{"turn": 0, "span": [0, 3], "category": "fluency/grammar", "severity": "minor"}]
    _verdicts(drawn, "edit", "edit", *["accept"] * 8, errors=[light])
    by = _audited(drawn).figures()["by_severity"]
    assert {name: rate["errors"] for name, rate in by.items()} == {"critical": 0, "major": 1, "minor": 1}
    assert list(by) == ["critical", "major", "minor"]


MARK = {"turn": 0, "span": [0, 3], "category": "x", "severity": "minor"}
#: (marks, verdict, what the message must say)
FAULTS = [
    ("none", "edit", "decision.errors is 'none', expected a list"),
    ([MARK, {"turn": 0, "span": [0, 3], "category": "x"}], "edit", "decision.errors[1].severity: Field required"),
    ([MARK | {"severity": "bad"}], "edit", "'bad', expected one of neutral, minor, major, critical"),
    ([MARK | {"turn": 2}], "edit", "turn is 2, the translation has turns 0 to 1"),
    ([MARK | {"span": [0, 99]}], "edit", "span is [0, 99], turn 0 has 11 characters"),
    ([MARK | {"span": [3, 1]}], "edit", "span is [3, 1]"),
    ([MARK | {"severity": "major"}], "accept", "verdict is accept, but decision.errors marks an error"),
]


@SQLITE
def test_wrong_marks_are_named_with_their_lines_and_nothing_is_taken(drawn):
    with pytest.raises(InputError) as told:
        _verdicts(drawn, *(verdict for _, verdict, _ in FAULTS), errors=[marks for marks, _, _ in FAULTS])
    lines = str(told.value).splitlines()
    for number, (line, (_, _, fault)) in enumerate(zip(lines[:-1], FAULTS, strict=True), 1):
        assert f"decided.jsonl:{number}: " in line
        assert fault in line
    assert decisions(drawn.engine) == {}


# --- the arithmetic of strata ---

BIG, SMALL = ("slake", "vqa"), ("iu_xray", "report")


def _items(stratum, right, wrong, inclusion, grade="major"):
    return [Item(stratum, inclusion, "decided", None)] * right + [Item(stratum, inclusion, "decided", grade)] * wrong


def test_each_stratum_weighs_what_it_is_large():
    """900 with 1 wrong of 10, 100 with 5 of 10: .9 x .1 + .1 x .5, and not 6 of 20."""
    items = _items(BIG, 9, 1, 10 / 900) + _items(SMALL, 5, 5, 10 / 100)
    found = Audit({BIG: 900, SMALL: 100}, tuple(items))
    overall = found.rate()
    assert overall.rate == pytest.approx(0.14)
    # Kish: (10 x 90 + 10 x 10)² / (10 x 90² + 10 x 10²)
    assert (overall.low, overall.high) == pytest.approx(wilson(0.14, 1000**2 / (10 * 8100 + 10 * 100)))
    assert found.rate(corpus="iu_xray").rate == pytest.approx(0.5)
    assert found.rate(task="vqa").rate == pytest.approx(0.1)
    assert found.rate(task="vqa").high == pytest.approx(wilson(0.1, 10).high)


def test_whom_an_early_draw_took_does_not_outweigh_those_who_came_later():
    """20 of a trial run, all wrong, each for itself; 20 of the 1,980 that followed, all right."""
    items = _items(BIG, 0, 20, 1.0) + _items(BIG, 20, 0, 20 / 1980)
    assert Audit({BIG: 2000}, tuple(items)).rate().rate == pytest.approx(0.01)


def test_what_was_audited_whole_is_known_and_what_nobody_audited_counts_as_wrong_at_the_upper_end():
    whole = Audit({SMALL: 10}, tuple(_items(SMALL, 9, 1, 1.0))).rate()
    assert (whole.rate, whole.low, whole.high) == pytest.approx((0.1, 0.1, 0.1))
    part = Audit({SMALL: 10, BIG: 30}, tuple(_items(SMALL, 9, 1, 1.0))).rate()
    assert (part.rate, part.low, part.high, part.unaudited) == pytest.approx((0.1, 1 / 40, 31 / 40, 0.75))


def test_four_audited_are_not_enough_to_show_a_rate_and_five_are():
    four, five = (Audit({BIG: 100}, tuple(_items(BIG, n, 0, n / 100))) for n in (4, 5))
    assert not four.figures()["overall"]["enough"]
    assert five.figures()["overall"]["enough"]
    assert "not enough data" in audit_text(four, None, "w")
    assert "not enough data" not in audit_text(five, None, "w").split("severity")[0].split("rate")[1]


# --- the release ---


def _asks(desk, rate, **changes):
    desk.settings = desk.settings.model_copy(update={"release": ReleaseSettings(max_error_rate=rate, **changes)})
    return desk


def _select(desk):
    return select(desk.settings, desk.workspace, desk.engine)


@SQLITE
def test_a_release_is_refused_until_the_bound_is_shown_and_the_message_says_how_to_get_there(drawn):
    _verdicts(_asks(drawn, 0.1), *["accept"] * 9, "reject")
    with pytest.raises(StoppedError) as told:
        _select(drawn)
    assert told.value.exit_code == 3
    message = str(told.value)
    assert f"at most {wilson(0.1, 10).high * 100:.1f} %" in message
    assert "major or worse" in message
    assert "1 of 10 audited have one, rate 10.0 %" in message
    assert "`release.max_error_rate` is 10.0 %" in message
    assert "30 more audited without an error would be enough. 30 wait" in message, "then all are read, and 1 in 40 is known"
    assert f"`bimedv review export --queue audit --output audit.jsonl --workspace {drawn.workspace.root}`" in message
    _verdicts(drawn, *["accept"] * 30)
    assert _select(drawn).audit["overall"]["high"] == pytest.approx(1 / 40)


@SQLITE
def test_only_errors_from_the_chosen_severity_on_count(drawn):
    light = [{"turn": 0, "span": [0, 3], "category": "fluency/grammar", "severity": "minor"}]
    _verdicts(drawn, *["edit"] * 10, *["accept"] * 30, errors=[light] * 10)
    assert _select(_asks(drawn, 0.1)).audit["overall"]["errors"] == 10
    assert _select(_asks(drawn, 0.1, max_error_severity="critical"))
    with pytest.raises(StoppedError, match="minor or worse"):
        _select(_asks(drawn, 0.1, max_error_severity="minor"))


@SQLITE
def test_without_a_demand_nothing_is_asked_and_without_an_audit_every_demand_fails(drawn):
    assert _select(drawn).audit == {"accepted": 40, "audited": 0}
    with pytest.raises(StoppedError, match=r"at most 100\.0 % .*nobody has audited slake text_qa"):
        _select(_asks(drawn, 0.5))


@SQLITE
def test_where_the_gate_accepts_nothing_by_itself_there_is_nothing_to_demand(drawn):
    drawn.settings = drawn.settings.model_copy(update={"quality": QualitySettings(without_judge="review")})
    assert _select(_asks(drawn, 0.01)).audit == {"accepted": 0, "audited": 0}
    assert "nothing to audit" in audit_text(_audited(drawn), demand(_audited(drawn), drawn.settings.release), "w")


def _asked(found, limit):
    return demand(found, ReleaseSettings(max_error_rate=limit))


def test_the_number_still_needed_is_the_one_after_which_the_bound_holds():
    sizes = {BIG: 100_000}
    for wrong, right in ((0, 50), (1, 60), (3, 200)):
        more = _asked(Audit(sizes, tuple(_items(BIG, right, wrong, 0.001))), 0.02).more
        assert _asked(Audit(sizes, tuple(_items(BIG, right + more, wrong, 0.001))), 0.02).met
        assert not _asked(Audit(sizes, tuple(_items(BIG, right + more - 1, wrong, 0.001))), 0.02).met


def test_more_errors_than_are_allowed_at_all_cannot_be_audited_away():
    asked = _asked(Audit({BIG: 100}, tuple(_items(BIG, 17, 3, 0.2))), 0.02)
    assert asked.more is None
    assert "More audits cannot help" in asked.words("w")


def test_four_good_ones_of_a_hundred_meet_no_demand_however_lax():
    asked = _asked(Audit({BIG: 100}, tuple(_items(BIG, 4, 0, 0.04))), 0.9)
    assert not asked.met
    assert asked.more == 1
    assert _asked(Audit({BIG: 4}, tuple(_items(BIG, 4, 0, 1.0))), 0.02).met, "but four of four are all of them"


def test_a_stratum_that_nobody_audited_is_named():
    asked = _asked(Audit({BIG: 90_000, SMALL: 10_000}, tuple(_items(BIG, 1000, 0, 1 / 90))), 0.02)
    assert not asked.met
    assert asked.more == 1
    assert "nobody has audited iu_xray report" in asked.words("w")
    assert "None waits: raise `review.audit_minimum`" in asked.words("w")


def _build(desk):
    build_release(desk.settings, desk.workspace, _select(desk))
    folder = release_path(desk.settings, desk.workspace)
    return orjson.loads((folder / MANIFEST).read_bytes())["audit"], (folder / "README.md").read_text(encoding="utf-8")


@SQLITE
def test_the_card_and_the_manifest_carry_the_audit(drawn):
    _verdicts(drawn, *["accept"] * 19, "reject")
    figures, text = _build(drawn)
    assert figures == _audited(drawn).figures()
    assert figures["overall"]["errors"] == 1
    low, high = wilson(0.05, 20)
    assert f"| all | 20 | 1 | 5.00% | {low:.2%} to {high:.2%} |" in text
    assert "| corpus: slake | 20 | 1 | 5.00% |" in text
    assert "| severity: minor | 20 | 0 | 0.00% |" in text
    assert "looked at 20 of the 40 translations" in text
    assert "No expert audit" not in text
    folder = release_path(drawn.settings, drawn.workspace)
    assert card(load_manifest(folder)) == text, "the card is computed from the manifest"


@SQLITE
def test_a_card_without_an_audit_says_so_and_one_with_three_audited_gives_no_rate(drawn):
    figures, text = _build(drawn)
    assert figures == {"accepted": 40, "audited": 0}
    assert "No expert audit was made of the 40 translations" in text
    _verdicts(drawn, "accept", "accept", "reject")
    figures, text = _build(drawn)
    assert "| all | 3 | 1 | not enough data |  |" in text
    assert "33" not in text.partition("## Expert audit")[2].partition("##")[0]


@SQLITE
def test_a_word_that_came_after_the_release_does_not_change_its_bytes(drawn):
    """Law 4: the release is proved from what it was built from."""
    _verdicts(drawn, *["accept"] * 6)
    _build(drawn)
    _verdicts(drawn, *["reject"] * 3)
    assert _audited(drawn).rate().errors == 3
    assert _same_bytes(drawn.settings, drawn.workspace, drawn.engine) == []


@SQLITE
def test_the_order_of_decisions_and_what_still_waits_leave_no_trace_in_the_manifest(drawn):
    rows = drawn.export(queue="audit")
    random.Random(1).shuffle(rows)
    drawn.decide("dr-a", *(said(row, "reject" if number % 5 == 0 else "accept") for number, row in enumerate(rows)))
    one = _audited(drawn).figures()
    assert "waiting" not in orjson.dumps(one).decode()
    drawn.write(base={}, **dict(reversed(_cases(40).items())))
    assert _audited(drawn).figures() == one
