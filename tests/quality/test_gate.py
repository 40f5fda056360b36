"""The gate fails closed: a critical finding rejects, what has no score is not accepted, bad input is one clear error."""

import json
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.buckets import Fate, fate
from pipeline.quality.files import score_file
from pipeline.quality.gate import Gate, Pair
from pipeline.settings import QualitySettings
from schemas.errors import InputError
from schemas.quality import Score
from schemas.review import Decision
from schemas.translation import TwinDraft
from tests import corpora
from tests.quality.encoders import Counting, Fixed
from tests.quality.mutators import ERRORS, made

GOOD = Pair("The liver is enlarged.", "الكبد متضخم.", "answer")
BAD = Pair("The left lung is clear.", "الرئة اليمنى سليمة.", "answer")
CRITICAL = [
    Pair(right.source, target, right.kind)
    for error in ERRORS.values()
    if error.severity == "critical"
    for right, target in made(error)[:2]
]


@settings(deadline=None, max_examples=60, derandomize=True)
@given(accept=st.floats(0, 100), reject=st.floats(0, 100), pair=st.sampled_from(CRITICAL), near=st.sampled_from([-1.0, 0.4, 1.0]))
def test_a_critical_finding_caps_the_score_below_reject_whatever_the_thresholds(accept, reject, pair, near):
    (scored,) = Gate(QualitySettings(accept=accept, reject=reject), Fixed(near)).score([[GOOD, pair]])
    assert "critical" in [f.severity for f in scored.findings]
    assert scored.score < reject or scored.score == 0.0
    assert scored.verdict == "reject"


def test_major_findings_alone_keep_a_perfect_similarity_from_being_accepted():
    question = Pair("Is the liver enlarged?", "هل الكبد متضخم.", "question")
    (scored,) = Gate(QualitySettings(), Fixed(1.0)).score([[question]])
    assert [(f.check, f.severity) for f in scored.findings] == [("question", "major")]
    assert (scored.score, scored.verdict) == (79.0, "refine")


@pytest.mark.parametrize(
    ("near", "verdict"), [(1.0, "accept"), (0.4, "accept"), (0.2, "reject"), (-1.0, "reject"), (0.3, "refine")]
)
def test_similarity_alone_decides_where_no_check_objects(near, verdict):
    # None of these words is in a list that could vouch for the pair.
    # None of these words is in a list that could vouch for the pair.
    long = Pair("The weather has been fine since this time.", "الطقس جميل منذ ذلك الحين.", "answer")
    (scored,) = Gate(QualitySettings(), Fixed(near)).score([[long]])
    assert (scored.findings, scored.verdict) == ((), verdict)
    assert scored.similarity == pytest.approx(near, abs=1e-3)


def test_the_worst_segment_gives_the_score():
    gate = Gate(QualitySettings(), Fixed(1.0))
    alone, together = gate.score([[BAD], [GOOD, BAD, GOOD]])
    assert together.score == alone.score
    assert together.by_pair == ((), *alone.by_pair, ())


def test_an_encoder_that_gives_no_number_accepts_nothing():
    nothing = float("nan")
    one, two = Gate(QualitySettings(), Fixed(nothing)).score([[GOOD], [GOOD, Pair("T2", "T2", "answer"), GOOD]])
    (behind_a_good_one,) = Gate(QualitySettings(), Fixed(1.0, last=nothing)).score([[GOOD, GOOD]])
    assert [s.verdict for s in (one, two, behind_a_good_one)] == ["reject", "reject", "reject"]


@pytest.mark.parametrize("pair", [Pair("", "", "x"), Pair(" \n", "\t", "x"), Pair("", "نعم", "x"), Pair("Yes", "", "x")])
def test_nothing_on_either_side_is_never_accepted(pair):
    (scored,) = Gate(QualitySettings(), Fixed(1.0)).score([[pair]])
    assert [f.check for f in scored.findings] == ["empty"]
    assert scored.verdict == "reject"


def test_where_nothing_resembles_anything_both_an_omission_and_an_addition_are_found():
    source = "The liver is enlarged. The lungs are clear. The heart is normal. Nothing else is seen."
    target = "الكبد متضخم. الرئتان سليمتان. القلب طبيعي. لا يُرى شيء آخر."
    (scored,) = Gate(QualitySettings(), Counting()).score([[Pair(source, target, "answer")]])
    lost = [f for f in scored.findings if f.check == "alignment"]
    assert {f.category for f in lost} == {"accuracy/omission", "accuracy/addition"}
    assert scored.verdict == "reject"


def test_a_dropped_and_an_added_sentence_are_found_by_the_embedded_encoder(gate):
    source = "The liver is enlarged. The lungs are clear on both sides. The heart is of normal size. The bones show no fracture."
    whole = "الكبد متضخم. الرئتان سليمتان في الجانبين. القلب بحجم طبيعي. لا تُظهر العظام أي كسر."
    added = f"{whole} يذهب الأولاد إلى المدرسة بالحافلة كل صباح."
    right, more = gate.score([[Pair(source, whole, "answer")], [Pair(source, added, "answer")]])
    assert (right.verdict, right.findings) == ("accept", ())
    assert [f.category for f in more.findings if f.check == "alignment"] == ["accuracy/addition"]
    assert more.verdict != "accept"


def test_all_pairs_of_all_items_go_to_the_encoder_in_one_batch_and_come_back_in_order():
    encoder = Counting()
    items = [[GOOD], [], [GOOD, BAD], [Pair("T2", "T2", "answer")]]
    scored = Gate(QualitySettings(), encoder).score(items)
    assert encoder.batches == 1
    assert [len(s.by_pair) for s in scored] == [1, 0, 2, 1]
    assert scored[1].verdict == "accept", "all of it came from the closed table"
    assert [f.check for f in scored[2].by_pair[1] if f.severity == "critical"] == ["laterality"]


def test_unrelated_text_is_not_accepted_though_no_check_objects(gate):
    fluent = "يذهب الأولاد إلى المدرسة كل صباح في الحافلة الكبيرة."
    sources = [
        "The patient should rest for some time.",
        "Was anything unusual noticed by the family?",
        "This is a benign condition.",
    ]
    scored = gate.score([[Pair(source, fluent, "answer")] for source in sources])
    assert [s.verdict for s in scored if s.verdict == "accept"] == []


def test_the_arabic_that_other_tests_translate_with_is_accepted(gate):
    scored = gate.score([[Pair(source, target, "text")] for source, target in corpora.ARABIC.items()])
    assert [source for source, s in zip(corpora.ARABIC, scored, strict=True) if s.verdict != "accept"] == []


# Law 2: what becomes of a twin, over every state of draft, score and decision.
DRAFTS = (None, "ok", "unusable", "failed")
SCORES = (None, *product(("accept", "refine", "review", "reject"), (None, 0.0, 95.0), (None, 95.0)))
WORDS = (None, "accept", "edit", "reject")
POLICIES = ("review", "accept")


def _expected(draft, score, word, policy):
    """The whole law in the order in which it is read."""
    if draft is None:
        return Fate("pending")
    if draft == "failed":
        return Fate("failed", "timeout")
    if word == "reject":
        return Fate("excluded", "review_rejected")
    if word == "edit" or (word == "accept" and draft == "ok"):
        return Fate("accepted")
    if draft == "unusable":
        return Fate("awaiting_review")
    if score is None:
        return Fate("pending")
    verdict, number, judge = score
    if number is None or verdict in ("refine", "review"):
        return Fate("awaiting_review")
    if verdict == "reject":
        return Fate("excluded", "rejected")
    return Fate("awaiting_review" if judge is None and policy == "review" else "accepted")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("draft", DRAFTS)
def test_each_state_of_a_twin_has_the_bucket_that_the_law_gives_it(draft, policy):
    for score, word in product(SCORES, WORDS):
        found = fate(_draft(draft), _score(score), _decision(word), QualitySettings(without_judge=policy))
        assert found == _expected(draft, score, word, policy), (draft, score, word, policy)


def test_no_score_means_review_and_only_accept_or_an_expert_leads_out():
    for draft, score, word, policy in product(DRAFTS, SCORES, WORDS, POLICIES):
        end = fate(_draft(draft), _score(score), _decision(word), QualitySettings(without_judge=policy)).bucket
        if draft == "ok" and word is None and score is not None and score[1] is None:
            assert end == "awaiting_review"
        if end == "accepted" and word is None:
            assert (draft, score[0]) == ("ok", "accept")
            assert score[1] is not None


def _draft(state):
    if state is None:
        return None
    turns = ("س", "ج") if state == "ok" else ()
    return TwinDraft(
        sample="a-1", state=state, turns=turns, units=(), calls=(), model="m", prompt="p", round=0, error="timeout: 9 s"
    )


def _score(value):
    if value is None:
        return None
    verdict, number, judge = value
    return Score(sample="a-1", score=number, verdict=verdict, findings=(), similarity=None, judge=judge, version="1")


def _decision(word):
    if word is None:
        return None
    return Decision(item="gate:a-1", sample="a-1", content="x", verdict=word, reviewer="r", decided_at="2026-01-01T00:00:00Z")


# score_file
def _line(name, source="The liver is enlarged.", target="الكبد متضخم."):
    return json.dumps({"id": name, "source": source, "target": target}, ensure_ascii=False).encode()


def test_a_file_of_pairs_comes_back_line_by_line_in_the_same_order(gate, tmp_path):
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    lines = [_line("z"), b"", _line("a", BAD.source, BAD.target), _line("m", "Are the lungs clear?", "هل الرئتان سليمتان.")]
    source.write_bytes(b"\r\n".join(lines))
    counts = score_file(source, output, Gate(QualitySettings()))
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [(row["id"], row["verdict"]) for row in rows] == [("z", "accept"), ("a", "reject"), ("m", "review")]
    assert counts == {"pairs": 3, "verdicts": {"accept": 1, "reject": 1, "review": 1}}
    assert list(rows[0]) == ["id", "score", "verdict", "findings"]
    assert list(rows[1]["findings"][0]) == ["check", "category", "severity", "message", "source_span", "target_span"]
    start, end = rows[1]["findings"][0]["target_span"]
    assert BAD.target[start:end] == "اليمنى"


def test_an_empty_file_is_no_pairs_and_no_error(tmp_path):
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    source.write_bytes(b"\n \n")
    assert score_file(source, output, Gate(QualitySettings())) == {"pairs": 0, "verdicts": {}}
    assert output.read_bytes() == b""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{not json", "not JSON"),
        (b'{"id": "b", "source": "x", "target": "y"', "not JSON"),
        (b'{"id": "b", "source": "\xff", "target": "y"}', "not JSON"),
        (b'{"id": "b", "source": "\\ud800", "target": "y"}', "not JSON"),
        (b'["b", "x", "y"]', "id is ['b', 'x', 'y'], expected text"),
        (b'"text"', "id is 'text', expected text"),
        (b"null", "id is None, expected text"),
        (b'{"source": "x", "target": "y"}', "id is None, expected text"),
        (b'{"id": 7, "source": "x", "target": "y"}', "id is 7, expected text"),
        (b'{"id": "b", "target": "y"}', "source is None, expected text"),
        (b'{"id": "b", "source": "x"}', "target is None, expected text"),
        (b'{"id": "b", "source": "x", "target": null}', "target is None, expected text"),
        (b'{"id": "b", "source": "x", "target": ["y"]}', "target is ['y'], expected text"),
        (_line("a"), "id 'a' occurs a second time"),
    ],
)
def test_a_bad_line_is_named_by_its_number_and_nothing_is_written(tmp_path, line, words):
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    output.write_bytes(b"from before\n")
    source.write_bytes(b"\n".join([_line("a"), b"", line, _line("c")]))
    with pytest.raises(InputError) as caught:
        score_file(source, output, Gate(QualitySettings()))
    message = str(caught.value)
    assert message.startswith(f"{source}:3: ")
    assert words in message
    assert "\n" not in message
    assert output.read_bytes() == b"from before\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs.jsonl", "scores.jsonl"]


def test_a_file_that_is_not_there_or_is_a_folder_is_one_clear_error(tmp_path):
    for path, words in ((tmp_path / "none.jsonl", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=words):
            score_file(path, tmp_path / "out.jsonl", Gate(QualitySettings()))
    assert list(tmp_path.iterdir()) == []


def test_strange_text_in_a_good_line_is_scored_and_not_accepted(gate, tmp_path):
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    strange = ["", "   ", "\u202eكبد متضخم", "🫁🫀", "<b>كبد</b> liver is enlarged here", "کبد بزرگ شده است.", "\x00", "ه" * 3000]
    source.write_bytes(b"\n".join(_line(f"s{n}", target=target) for n, target in enumerate(strange)))
    score_file(source, output, Gate(QualitySettings()))
    verdicts = [json.loads(line)["verdict"] for line in output.read_text(encoding="utf-8").splitlines()]
    assert len(verdicts) == len(strange)
    assert "accept" not in verdicts
