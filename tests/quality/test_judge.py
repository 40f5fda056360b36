"""The judge: errors by a model, the number by our arithmetic, and no number where the model gave no usable word."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.database import open_database
from pipeline.llm.client import Client
from pipeline.llm.governor import forget_all
from pipeline.llm.ledger import Ledger
from pipeline.quality.gate import Pair, Scored
from pipeline.quality.judge import Case, Judge, Judgement, family, findings_of, joined, parse, points, together, worst_of
from pipeline.quality.verdict import Limits, limits_for
from pipeline.settings import EndpointSettings, QualitySettings, ThresholdSettings
from schemas.quality import Finding
from tests.judge_endpoint import JudgeEndpoint, error

QUESTION, ASKED = "Is the left kidney enlarged?", "هل الكلية اليسرى متضخمة؟"
REPORT, TOLD = "No, the left kidney is of normal size and shows no stones.", "لا، الكلية اليسرى طبيعية الحجم ولا تظهر حصوات."
CASE = Case(
    (("question_1", Pair(QUESTION, ASKED, "question")), ("answer_2", Pair(REPORT, TOLD, "answer", (29, 25)))), "task: vqa"
)
LIMITS = Limits(80.0, 40.0)


@pytest.fixture
def judge_server():
    with JudgeEndpoint() as server:
        yield server
    forget_all()


@pytest.fixture
def read(judge_server, tmp_path):
    """Judge cases with a real client against the server: judgements, and the ledger's sums."""

    def work(*cases, votes=2, structured=True, max_tokens=1024):
        async def run():
            ledger = Ledger(open_database(f"sqlite:///{tmp_path / 'ledger.db'}"), None)
            client = Client(EndpointSettings(base_url=judge_server.url, model="j", max_retries=1), "judge", ledger)
            try:
                return await Judge(client, structured, votes, max_tokens).judge(cases)
            finally:
                await client.close()

        return asyncio.run(run())

    return work


def _scored(score=95.0, *findings):
    return Scored(score, "accept", 0.7, (tuple(findings),))


def _found(severity, check="judge"):
    return Finding(check=check, category="accuracy/mistranslation", severity=severity, message="x")


def test_a_judge_without_objections_gives_100_and_each_vote_is_one_call(read, judge_server):
    (word,) = read(CASE)
    assert (word.score, word.findings, word.state) == (100.0, (), "ok")
    assert len(set(word.calls)) == 2
    assert [(body["seed"], body["temperature"]) for body in judge_server.requests] == [(0, 0.0), (1, 0.7)]
    schema = judge_server.requests[0]["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["question_1", "answer_2"]


def test_an_error_has_its_place_in_the_sample_and_its_points_by_our_arithmetic(read, judge_server):
    judge_server.errors[TOLD] = [error("major", "اليسرى", source_text="left kidney")]
    (word,) = read(CASE, votes=1)
    (finding,) = word.findings
    start = 25 + TOLD.index("اليسرى")
    assert finding.target_span == (start, start + len("اليسرى"))
    assert finding.source_span == (29 + REPORT.index("left kidney"), 29 + REPORT.index("left kidney") + len("left kidney"))
    assert word.score == 75.0  # 5 points in 17 words, which count as 20


def test_the_worst_severity_of_two_readings_counts(read, judge_server):
    judge_server.errors[TOLD] = [[error("minor", "اليسرى")], [error("major", "الكلية اليسرى")]]
    (word,) = read(CASE)
    assert [finding.severity for finding in word.findings] == ["major"]


def test_a_critical_error_needs_no_second_reading(read, judge_server):
    judge_server.errors[ASKED] = [error("critical", "اليسرى")]
    (word,) = read(CASE)
    assert len(judge_server.requests) == 1
    assert together(_scored(), word, LIMITS).verdict == "reject"


def test_what_was_read_once_is_not_paid_again(read, judge_server):
    assert read(CASE)[0].score == read(CASE, CASE)[1].score == 100.0
    assert len(judge_server.requests) == 2


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("I think it is fine.", "not JSON"),
        ("[]", "keys are list"),
        ('{"question_1": []}', "expected ['answer_2', 'question_1']"),
        ('{"question_1": [], "answer_2": "none"}', "answer_2 is no list of errors"),
        ('{"question_1": [], "answer_2": [{"severity": "major"}]}', "category: Field required"),
        (json.dumps({"question_1": [], "answer_2": [error("terrible")]}), "severity: Input should be"),
        (json.dumps({"question_1": [], "answer_2": [error("major") | {"score": 3}]}), "score: Extra inputs"),
    ],
)
def test_an_answer_of_another_form_is_no_score_and_no_score_is_review(read, judge_server, says, why):
    judge_server.says = says
    (word,) = read(CASE)
    assert (word.score, word.state) == (None, "unusable")
    assert why in word.error
    end = together(_scored(100.0), word, LIMITS)
    assert (end.score, end.verdict, end.judge) == (None, "review", None)
    assert end.findings[-1].message.startswith("the judge gave no usable word: invalid")
    assert len(judge_server.requests) == 2, "asked once more with the fault named, and no second vote on top"


@pytest.mark.parametrize(
    ("fault", "state"), [("refusal", "unusable"), ("length", "unusable"), (400, "failed"), ("html", "failed")]
)
def test_a_refused_cut_off_or_failed_reading_is_no_score(read, judge_server, fault, state):
    judge_server.faults = [fault] * 4
    (word,) = read(CASE)
    assert (word.score, word.state) == (None, state)
    assert together(_scored(100.0), word, LIMITS).verdict == "review"


def test_a_judge_that_knows_no_schema_is_asked_without_one(read, judge_server):
    judge_server.schemas = False
    (word,) = read(CASE)
    assert (word.score, word.state) == (100.0, "ok")
    assert ["response_format" in body for body in judge_server.requests] == [True, False, False]


def test_one_part_without_a_word_leaves_the_whole_sample_without_a_score():
    good = Judgement(100.0, (), ("a",))
    for state in ("unusable", "failed"):
        whole = joined([good, Judgement(None, (), ("b",), state, "why")], 100)
        assert (whole.score, whole.state, whole.error, whole.calls) == (None, state, "why", ("a", "b"))
    assert joined([good, Judgement(80.0, (_found("minor"),), ("b",))], 50).score == 98.0


def test_words_that_the_judge_misquotes_have_no_place_but_stay_an_error():
    answer = json.dumps({"question_1": [error("major", "كلمة أخرى", source_text="kidneys")], "answer_2": []})
    (finding,) = findings_of(CASE, answer)
    assert (finding.source_span, finding.target_span, finding.severity) == (None, None, "major")


def test_a_fence_around_the_answer_is_taken_off_and_nothing_else():
    assert parse(CASE, '```json\n{"question_1": [], "answer_2": []}\n```') == {"question_1": [], "answer_2": []}
    assert "not JSON" in parse(CASE, 'Here: {"question_1": [], "answer_2": []}')


@pytest.mark.parametrize(
    ("severities", "words", "score"),
    [([], 0, 100.0), (["minor"], 3, 95.0), (["major"], 100, 95.0), (["critical"], 200, 87.5), (["critical"], 10, 0.0),
     (["major", "minor", "minor"], 50, 86.0), (["neutral"], 20, 100.0)],
)  # fmt: skip
def test_points_are_mqm_for_100_words(severities, words, score):
    assert points([_found(severity) for severity in severities], words) == score


def test_the_lower_number_counts_and_no_text_is_so_long_that_a_major_error_is_accepted():
    assert together(_scored(91.0), Judgement(97.0, (), ()), LIMITS).score == 91.0
    assert together(_scored(97.0), Judgement(91.0, (), ()), LIMITS).score == 91.0
    long = together(_scored(), Judgement(99.0, (_found("major"),), ()), LIMITS)
    assert (long.score, long.verdict, long.judge) == (79.0, "refine", 99.0)


def test_without_a_judge_the_gates_word_stands_and_is_marked_unread():
    word = together(_scored(91.0), None, LIMITS)
    assert (word.score, word.verdict, word.judge) == (91.0, "accept", None)


SEVERITIES = st.lists(st.sampled_from(["neutral", "minor", "major", "critical"]), max_size=4)


@given(st.floats(0, 100), SEVERITIES, SEVERITIES, st.integers(0, 100), st.integers(0, 100), st.booleans())
def test_law_fail_closed_no_critical_and_no_missing_word_is_ever_accepted(by_gate, ours, theirs, accept, reject, usable):
    limits = Limits(max(accept, reject), min(accept, reject))
    judgement = Judgement(100.0 if usable else None, tuple(map(_found, theirs)), (), "ok" if usable else "unusable", "")
    word = together(_scored(by_gate, *(_found(severity, "x") for severity in ours)), judgement, limits)
    if not usable or "critical" in [*ours, *theirs] or "major" in theirs:
        assert word.verdict != "accept"
    if usable and "critical" in [*ours, *theirs]:
        assert word.verdict == "reject"
        assert word.score <= max(0.0, limits.reject - 1)


@given(SEVERITIES, SEVERITIES)
def test_a_second_reading_never_makes_it_better(first, second):
    one, other = [_found(severity) for severity in first], [_found(severity) for severity in second]
    merged = worst_of(one, other)
    assert points(merged, 100) <= points(worst_of([], one), 100)
    rank = ["neutral", "minor", "major", "critical"].index
    assert max(map(rank, [*first, *second]), default=0) == max((rank(finding.severity) for finding in merged), default=0)


def test_thresholds_of_corpus_and_task_outrank_the_general_ones_and_the_higher_counts():
    quality = QualitySettings(
        by_corpus={"slake": ThresholdSettings(accept=85, reject=50)}, by_task={"report": ThresholdSettings(accept=95)}
    )
    assert limits_for(quality) == limits_for(quality, "iu_xray", "vqa") == Limits(80.0, 40.0)
    assert limits_for(quality, "slake", "vqa") == Limits(85.0, 50.0)
    assert limits_for(quality, "slake", "report") == Limits(95.0, 50.0)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o-mini", "gpt"),
        ("meta-llama/Llama-3.1-8B", "llama"),
        ("Qwen/Qwen2.5-72B-Instruct", "qwen"),
        ("gemma-3-270m", "gemma"),
        ("7b", "7b"),
    ],
)
def test_a_models_family_is_the_word_that_its_name_begins_with(model, name):
    assert family(model) == name
