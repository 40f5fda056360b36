"""Where the decisions come from: the queue of a workspace, weighted by how it was read, and files of labelled pairs."""

import orjson
import pytest

from pipeline.database import AdjudicationRow, session
from pipeline.quality.calibrate import calibrate
from pipeline.quality.calibration_data import from_workspace
from pipeline.quality.calibration_file import UNSTATED, from_file
from pipeline.quality.gate import Pair
from pipeline.review.store import content_of
from schemas.errors import InputError
from schemas.review import Adjudication, Decision
from tests.quality.decided import Run, Text
from tests.quality.labels import QUALITY, finding


@pytest.fixture
def run(tmp_path):
    """Make a run; its database is closed afterwards."""
    made = []

    def make(texts, **options):
        made.append(Run(tmp_path, **options).write(texts))
        return made[-1]

    yield make
    for one in made:
        one.engine.dispose()


def _labels(run):
    return from_workspace(run.settings, run.workspace, run.engine)


def _rows(run):
    return {row.id.split("-", 2)[2]: row for row in _labels(run).rows}


def test_a_queue_read_from_one_end_is_weighted_up_to_all_of_its_cell(run):
    texts = [*(Text(f"a{n}", 97.0) for n in range(10)), *(Text(f"b{n}", 83.0) for n in range(3))]
    made = run(texts)
    made.decide("dr-a", {"a0": "accept", "a1": "edit", "a2": "accept", "a3": "reject", "b0": "accept"})
    rows = _rows(made)
    assert {name: row.weight for name, row in rows.items()} == {"a0": 2.5, "a1": 2.5, "a2": 2.5, "a3": 2.5, "b0": 3.0}
    assert {name for name, row in rows.items() if row.changed} == {"a1", "a3"}
    assert rows["a1"].said == ("edit",)
    assert _labels(made).unseen == {}


def test_texts_of_a_corpus_and_score_that_nobody_has_decided_are_unseen(run):
    texts = [Text("a0", 97.0), Text("b0", 97.5, corpus="iu_xray"), Text("b1", 84.0, corpus="iu_xray"), Text("a1", 91.0)]
    made = run(texts)
    made.decide("dr-a", {"a0": "accept"})
    assert _labels(made).unseen == {84: 1, 91: 1, 97: 1}


def test_what_could_never_be_accepted_is_not_unseen(run):
    texts = [
        Text("a0"),
        Text("bad", 20.0, "reject"),
        Text("none", None, "review"),
        Text("gone", None, "review", state="unusable"),
    ]
    made = run(texts)
    assert _labels(made).unseen == {97: 1}
    made.decide("dr-a", {"none": "edit", "gone": "edit", "a0": "accept"})
    rows = _rows(made)
    assert set(rows) == {"none", "a0"}, "there was no translation to accept"
    assert (rows["none"].score, rows["none"].candidate) == (None, False)


def test_the_audit_weighs_by_the_probability_of_the_draw(run):
    texts = [*(Text(f"a{n}") for n in range(40)), *(Text(f"b{n}", corpus="iu_xray") for n in range(4))]
    made = run(texts, without_judge="accept", audit_minimum=5)
    drawn = made.queue("audit")
    assert len(drawn) == 9
    made.decide("dr-a", dict.fromkeys(drawn, "accept"))
    rows = _rows(made)
    assert {row.weight for row in rows.values() if row.corpus == "slake"} == {8.0}
    assert {row.weight for row in rows.values() if row.corpus == "iu_xray"} == {1.0}
    assert _labels(made).unseen == {}


def test_an_audited_stratum_of_which_nothing_is_decided_is_unseen(run):
    texts = [*(Text(f"a{n}") for n in range(8)), *(Text(f"b{n}", corpus="iu_xray") for n in range(4))]
    made = run(texts, without_judge="accept", audit_minimum=5)
    made.decide("dr-a", {next(name for name in made.queue("audit") if name.startswith("a")): "accept"})
    assert _labels(made).unseen == {97: 4}


def test_a_word_on_a_translation_that_was_accepted_later_is_no_random_one(run):
    made = run([Text(f"a{n}") for n in range(8)])
    made.decide("dr-a", {"a0": "accept", "a1": "edit"})
    made.settings = made.settings.model_copy(
        update={"quality": made.settings.quality.model_copy(update={"without_judge": "accept"})}
    )
    assert {row.weight for row in _rows(made).values()} == {0.0}
    assert _labels(made).unseen == {97: 8}


def test_experts_who_differ_have_found_a_change_and_both_words_count_for_agreement(run):
    made = run([Text("a0"), Text("a1")])
    lines = made.queue()
    made.decide("dr-a", {"a0": "accept", "a1": "accept"}, lines)
    made.decide("dr-b", {"a0": "edit", "a1": "accept"}, lines)
    rows = _rows(made)
    assert (rows["a0"].said, rows["a0"].changed) == (("accept", "edit"), True)
    assert (rows["a1"].said, rows["a1"].changed) == (("accept", "accept"), False)


def test_an_adjudication_settles_what_experts_differ_about(run):
    made = run([Text("a0")])
    lines = made.queue()
    made.decide("dr-a", {"a0": "accept"}, lines)
    made.decide("dr-b", {"a0": "edit"}, lines)
    content = content_of(("Which organ?", "The liver is normal."), ("أي عضو؟", "الكبد طبيعي."))
    ruling = Decision(
        item="unjudged:slake-train-a0",
        sample="slake-train-a0",
        content=content,
        verdict="accept",
        reviewer="dr-c",
        decided_at="2030",
    )
    settled = Adjudication(item=ruling.item, decision=ruling, over=("dr-a", "dr-b"))
    with session(made.engine) as opened:
        opened.add(AdjudicationRow(item=settled.item, adjudication=settled.model_dump(mode="json")))
    row = _rows(made)["a0"]
    assert (row.said, row.changed) == (("accept",), False)


def test_a_word_on_another_text_does_not_count(run):
    made = run([Text("a0"), Text("a1")])
    made.decide("dr-a", {"a0": "accept", "a1": "accept"})
    made.write([Text("a0", arabic="الطحال طبيعي."), Text("a1")])
    assert set(_rows(made)) == {"a1"}


def test_what_an_earlier_calibration_lets_out_is_weighted_as_before(run, tmp_path):
    made = run([Text(f"a{n}") for n in range(8)])
    made.decide("dr-a", {"a0": "accept", "a1": "edit"})
    before = _labels(made)
    quality = made.settings.quality.model_copy(update={"calibration": tmp_path / "calibration.json"})
    made.settings = made.settings.model_copy(update={"quality": quality})
    assert _labels(made) == before


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (
            [Text("a0"), Text("a1", version="checks-2")],
            ("several kinds", "1 checks-1 without", "1 checks-2 without", "score CONFIG"),
        ),
        ([Text("a0"), Text("a1", judge=90.0)], ("1 checks-1 with a judge",)),
        ([Text("a0", None, "review", state="unusable")], ("nothing is scored here",)),
    ],
)
def test_scores_that_are_not_of_one_kind_are_refused(run, texts, words):
    with pytest.raises(InputError) as told:
        _labels(run(texts))
    assert all(word in str(told.value) for word in words), told.value


def test_a_judge_that_did_not_read_rejected_texts_is_a_judge_all_the_same(run):
    made = run([Text("a0", judge=100.0), Text("bad", 20.0, "reject"), Text("none", None, "review")])
    assert _labels(made).judge is True


def test_a_workspace_gives_a_calibration(run):
    """60 of 60 texts decided, 2 of them changed: 2 of 60 may be 10.2 % (Clopper-Pearson, one-sided, 95 %)."""
    made = run([Text(f"a{n}") for n in range(60)])
    made.decide("dr-a", {f"a{n}": "edit" if n < 2 else "accept" for n in range(60)})
    found = calibrate(_labels(made), risk=0.11)
    assert (found.threshold, round(found.bound, 3)) == (97, 0.101)
    assert (found.source, found.gate, found.n, found.n_changed) == ("workspace", "checks-1", 60, 2)
    assert [(group.name, group.above, group.above_changed) for group in found.groups] == [
        ("corpus slake", 60, 2), ("task text_qa", 60, 2),
    ]  # fmt: skip


GOOD = {"id": "a", "score": 90.0, "findings": [], "changed": False}


def _file(folder, *rows):
    path = folder / "labelled.jsonl"
    path.write_bytes(b"\n".join(row if isinstance(row, bytes) else orjson.dumps(row) for row in rows))
    return path


def test_lines_with_a_score_are_taken_as_they_are(tmp_path):
    found = [finding("numbers").model_dump()]
    path = _file(
        tmp_path,
        GOOD | {"id": "c", "weight": 2, "corpus": "slake", "task": "vqa"},
        b"",
        GOOD | {"id": "b", "score": 70.0, "findings": found, "changed": True, "verdict": "reject"},
        {"id": "a", "score": None, "findings": [], "verdict": "edit"},
    )
    told = from_file(path, QUALITY)
    assert [(row.id, row.verdict, row.said, row.changed) for row in told.rows] == [
        ("a", "review", ("edit",), True), ("b", "review", ("reject",), True), ("c", "accept", ("accept",), False),
    ]  # fmt: skip
    assert (told.rows[1].stopping, told.rows[2].weight, told.rows[2].corpus) == ({"numbers"}, 2.0, "slake")
    assert (told.gate, told.judge) == (UNSTATED, False), "which gate gave them is not said: nothing is covered by it"


def test_a_changed_text_without_a_verdict_has_no_word_for_the_agreement(tmp_path):
    (row,) = from_file(_file(tmp_path, GOOD | {"changed": True}), QUALITY).rows
    assert (row.changed, row.said) == (True, ())


def test_lines_without_a_score_are_scored_by_the_gate(tmp_path, gate):
    pairs = [("The liver is normal.", "الكبد طبيعي."), ("Take 500 mg twice a day.", "تناول 50 ملغ مرتين في اليوم.")]
    path = _file(tmp_path, *({"id": f"p{n}", "source": s, "target": t, "changed": n == 1} for n, (s, t) in enumerate(pairs)))
    theirs = gate.score([[Pair(source, target, "text")] for source, target in pairs])
    rows = from_file(path, QUALITY).rows
    assert [row.score for row in rows] == [scored.score for scored in theirs]
    assert [row.verdict for row in rows] == ["accept", "reject"]
    assert "units" in rows[1].stopping or "numbers" in rows[1].stopping


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "not JSON"),
        (b"[1]", "expected an object"),
        ({"id": "a", "source": "x", "changed": True}, "target is None"),
        (GOOD | {"id": 7}, "id is 7"),
        (GOOD | {"changed": "yes"}, "changed is 'yes'"),
        ({"id": "a", "score": 90.0, "findings": []}, "changed is None"),
        (GOOD | {"verdict": "review"}, "The gate's own is worked out"),
        (GOOD | {"verdict": "edit"}, "contradict"),
        (GOOD | {"weight": -1}, "weight is -1"),
        (GOOD | {"weight": True}, "weight is True"),
        (GOOD | {"score": 101}, "score is 101"),
        (GOOD | {"score": "90"}, "score is '90'"),
        ({"id": "a", "score": 90.0, "changed": True}, "findings is None"),
        (GOOD | {"findings": [{"check": "x"}]}, "findings: category"),
        (GOOD | {"judge": 3}, "judge is 3"),
        (GOOD | {"corpus": 3}, "corpus is 3"),
        (GOOD | {"wieght": 3}, "unknown key 'wieght'"),
        (GOOD | {"id": "first"}, "occurs a second time, after line 1"),
        (GOOD | {"version": "checks-0"}, "checks-0 without a judge after some of"),
    ],
)
def test_a_wrong_line_is_one_error_with_its_number(tmp_path, line, words):
    with pytest.raises(InputError) as told:
        from_file(_file(tmp_path, GOOD | {"id": "first"}, line), QUALITY)
    assert "labelled.jsonl:2: " in str(told.value)
    assert words in str(told.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        from_file(tmp_path / "gone.jsonl", QUALITY)
