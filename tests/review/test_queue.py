"""The queue: who waits and in which order, whose word counts, and what an edit leaves behind."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from pipeline.database import AdjudicationRow, DecisionRow, MemoryRow, ReviewRow, session
from pipeline.review.store import decisions, stats, waiting
from pipeline.settings import QualitySettings, ReviewSettings
from pipeline.status import count
from pipeline.translate.memory import recall
from pipeline.workspace import noun_table
from schemas.review import Adjudication, Decision
from schemas.sample import Exclusion, Sample
from schemas.translation import Unit
from tests.review.conftest import BOTH, CASES, CHUNK, SHA, identity, said

pytestmark = BOTH


def _everything(desk):
    with session(desk.engine) as opened:
        return [(row.id, row.queue, row.content, row.risk, row.item) for row in opened.scalars(select(ReviewRow))]


def test_whom_the_gate_does_not_trust_waits_riskiest_first(desk):
    assert [item.sample for item in waiting(desk.engine)] == [
        identity(name) for name in ("unscored", "silent", "risky", "pictured", "doubtful", "secret")
    ]
    assert desk.fill() == {"gate": 5, "unusable": 1}
    assert [item.sample for item in waiting(desk.engine, "unusable")] == [identity("silent")]


def test_filling_it_again_changes_nothing(desk):
    before = _everything(desk)
    assert desk.fill() == desk.fill()
    assert _everything(desk) == before


def test_without_a_judge_accepted_ones_wait_too_unless_the_config_says_otherwise(desk):
    desk.settings = desk.settings.model_copy(update={"quality": QualitySettings()})
    assert desk.fill() == {"gate": 5, "unjudged": 1, "unusable": 1}
    desk.settings = desk.settings.model_copy(update={"quality": QualitySettings(without_judge="accept")})
    desk.fill()
    assert identity("good") not in {item.sample for item in waiting(desk.engine)}


def test_the_audit_draws_from_what_goes_out_by_itself(desk):
    desk.settings = desk.settings.model_copy(update={"review": ReviewSettings(audit_fraction=1.0)})
    assert desk.fill() == {"audit": 1, "gate": 5, "unusable": 1}
    assert [item.sample for item in waiting(desk.engine, "audit")] == [identity("good")]


def test_a_text_that_changed_is_replaced_and_one_that_waits_no_more_goes(desk):
    question, answer, _, points, verdict, access = CASES["risky"]
    other = (question, answer, ("هل تضخم القلب؟", "نعم"), points, verdict, access)
    desk.write(risky=other, doubtful=(*CASES["doubtful"][:3], 99.0, "accept", "open"))
    before = {item.sample: item.content for item in waiting(desk.engine)}
    desk.fill()
    after = {item.sample: item.content for item in waiting(desk.engine)}
    assert set(before) - set(after) == {identity("doubtful")}
    assert {sample for sample in after if after[sample] != before[sample]} == {identity("risky")}


def test_one_experts_word_counts_and_its_item_is_not_handed_out_again(desk):
    desk.decide("dr-a", said(desk.item("risky"), "accept"))
    assert decisions(desk.engine)[identity("risky")].verdict == "accept"
    assert identity("risky") not in {row["sample"] for row in desk.export()}
    assert len(desk.export()) == 5


def test_experts_who_agree_have_decided_and_experts_who_differ_have_not(desk):
    risky, doubtful = desk.item("risky"), desk.item("doubtful")
    desk.decide("dr-a", said(risky, "accept"), said(doubtful, "edit", "أين الحصاة؟", "في الحالب الأيسر."))
    desk.decide("dr-b", said(risky, "accept"), said(doubtful, "edit", "أين الحصاة؟", "في الحالب."))
    counted = decisions(desk.engine)
    assert counted[identity("risky")].verdict == "accept"
    assert identity("doubtful") not in counted, "two edits that differ are two opinions"


def _adjudicate(desk, name, verdict):
    with session(desk.engine) as opened:
        row = opened.scalars(select(DecisionRow).where(DecisionRow.sample == identity(name))).first()
        word = Decision.model_validate(row.decision).model_copy(
            update={"verdict": verdict, "reviewer": "chief", "decided_at": datetime.now(UTC).isoformat()}
        )
        settled = Adjudication(item=row.item, decision=word, over=("dr-a", "dr-b"))
        opened.add(AdjudicationRow(item=row.item, adjudication=settled.model_dump(mode="json")))


def test_an_adjudication_settles_it(desk):
    risky = desk.item("risky")
    desk.decide("dr-a", said(risky, "accept"))
    desk.decide("dr-b", said(risky, "reject"))
    assert identity("risky") not in decisions(desk.engine)
    _adjudicate(desk, "risky", "reject")
    word = decisions(desk.engine)[identity("risky")]
    assert (word.verdict, word.reviewer) == ("reject", "chief")


def test_an_adjudication_of_a_text_that_has_changed_counts_no_more(desk):
    """The experts look at the new text; the word on the old one must not settle it."""
    risky = desk.item("risky")
    desk.decide("dr-a", said(risky, "reject"))
    desk.decide("dr-b", said(risky, "accept"))
    _adjudicate(desk, "risky", "accept")
    desk.write(risky=("Is the heart enlarged?", "Yes", ("هل القلب سليم؟", "نعم"), 45.0, "review", "open"))
    desk.fill()
    assert identity("risky") not in decisions(desk.engine)
    desk.decide("dr-a", said(desk.item("risky"), "reject"))
    assert decisions(desk.engine)[identity("risky")].verdict == "reject"


def test_a_word_on_a_text_that_has_changed_does_not_count_and_the_item_waits_again(desk):
    desk.decide("dr-a", said(desk.item("risky"), "accept"))
    desk.write(risky=("Is the heart enlarged?", "Yes", ("هل القلب سليم؟", "نعم"), 45.0, "review", "open"))
    desk.fill()
    assert identity("risky") not in decisions(desk.engine)
    assert desk.item("risky")["target_turns"][0] == "هل القلب سليم؟"


def test_a_decided_item_stays_decided_when_the_queue_is_filled_again(desk):
    desk.decide("dr-a", said(desk.item("risky"), "reject"))
    desk.fill()
    assert decisions(desk.engine)[identity("risky")].verdict == "reject"
    assert len(desk.export()) == 5


def test_decisions_move_samples_between_buckets_and_lose_none(desk):
    """Law 1 with experts in it."""
    samples = list(desk.workspace.rows("curate", Sample, "samples"))
    desk.workspace.write_chunk(
        "ingest", CHUNK, "i", {"samples": noun_table(Sample, samples), "excluded": noun_table(Exclusion, [])}
    )
    desk.workspace.write_chunk(
        "curate", CHUNK, "c", {"samples": noun_table(Sample, samples), "excluded": noun_table(Exclusion, [])}
    )
    before = count(desk.settings, desk.workspace, desk.engine)
    desk.decide("dr-a", said(desk.item("risky"), "reject"), said(desk.item("doubtful"), "accept"))
    after = count(desk.settings, desk.workspace, desk.engine)
    assert before.owed == after.owed == 2 * len(CASES)
    assert (before.awaiting_review, after.awaiting_review) == (6, 4)
    assert after.excluded == before.excluded + type(before.excluded)({"review_rejected": 1})
    assert (before.pending, after.pending) == (9, 10), "accepted, and not in a release yet"


def test_stats_count_items_words_and_reviewers(desk):
    risky = desk.item("risky")
    desk.decide("dr-a", said(risky, "accept"), said(desk.item("doubtful"), "reject"))
    desk.decide("dr-b", said(risky, "accept"))
    assert stats(desk.engine) == {
        "items": 6,
        "waiting": 4,
        "queues": {"gate": 5, "unusable": 1},
        "verdicts": {"accept": 2, "reject": 1},
        "reviewers": {"dr-a": 2, "dr-b": 1},
    }


def _memory(desk):
    with session(desk.engine) as opened:
        return {(row.source, row.access): row.target for row in opened.scalars(select(MemoryRow))}


def _unit(text, access):
    return Unit(
        key=SHA, source="en", target="ar", task="text_qa", labels=("question",), segments=(text,), context="", access=access,
        corpus="slake",
    )  # fmt: skip


def test_an_edit_is_remembered_for_its_access_class_alone(desk):
    """Law 7: what an expert wrote on a credentialed record must not surface in an open one."""
    desk.decide("dr-a", said(desk.item("secret"), "edit", "أين توجد الحصاة؟", "في الكلية اليمنى."))
    assert _memory(desk) == {
        ("Where is the stone?", "credentialed"): "أين توجد الحصاة؟",
        ("In the kidney.", "credentialed"): "في الكلية اليمنى.",
    }
    question = "Where is the stone?"
    assert recall(desk.engine, [_unit(question, "open")]) == {}
    assert recall(desk.engine, [_unit(question, "credentialed")]) == {(question, "credentialed"): "أين توجد الحصاة؟"}
    desk.decide("dr-a", said(desk.item("doubtful"), "edit", "أين الحصاة الآن؟", "في الحالب."))
    both = recall(desk.engine, [_unit(question, "credentialed"), _unit(question, "open")])
    assert both == {(question, "credentialed"): "أين توجد الحصاة؟", (question, "open"): "أين الحصاة الآن؟"}


def test_a_rejected_text_is_not_remembered_and_an_image_mark_is_no_word(desk):
    desk.decide("dr-a", said(desk.item("doubtful"), "reject"), said(desk.item("pictured"), "accept"))
    assert _memory(desk) == {("Which organ?", "open"): "ما العضو؟", ("The liver.", "open"): "الكبد."}


@pytest.mark.parametrize("verdict", ["accept", "edit"])
def test_words_of_many_lines_are_not_taken_for_one_segment(desk, verdict):
    case = ("Findings?", "Clear lungs.\nNormal heart.", ("النتائج؟", "الرئتان سليمتان.\nالقلب سليم."), 60.0, "review", "open")
    desk.write(risky=case)
    desk.fill()
    desk.decide("dr-a", said(desk.item("risky"), verdict, *case[2]))
    assert _memory(desk) == {("Findings?", "open"): "النتائج؟"}
