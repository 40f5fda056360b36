"""Export and import: nothing is taken when a line is wrong, and every wrong line is named with its reason."""

import orjson
import pytest
from sqlalchemy import func, select

from pipeline.database import DecisionRow, MemoryRow, session
from pipeline.review.draw import place
from pipeline.review.exchange import import_decisions
from pipeline.review.store import decisions
from schemas.errors import InputError
from tests.review.conftest import BOTH, identity, said

pytestmark = BOTH


def _counts(desk):
    with session(desk.engine) as opened:
        return [opened.scalar(select(func.count()).select_from(table)) for table in (DecisionRow, MemoryRow)]


def test_a_line_shows_what_an_expert_needs_and_an_empty_decision(desk):
    row = desk.item("risky")
    assert row["source_turns"] == ["Is the heart enlarged?", "Yes"]
    assert row["target_turns"] == ["هل القلب متضخم؟", "نعم"]
    assert row["findings"][0]["message"] == "3 is gone"
    assert row["score"] == 45.0
    assert row["decision"] == {"verdict": None, "turns": [], "comment": "", "seconds": 0}
    assert "access" not in row


def test_export_takes_a_queue_and_a_limit(desk):
    assert [row["sample"] for row in desk.export(limit=2)] == [identity("unscored"), identity("silent")]
    assert [row["sample"] for row in desk.export(queue="unusable")] == [identity("silent")]
    assert desk.export(queue="audit") == []


def test_at_random_the_same_items_come_in_an_order_that_risk_has_no_part_in(desk):
    names = [row["sample"] for row in desk.export(order="random")]
    assert names == sorted(names, key=place)
    assert set(names) == {row["sample"] for row in desk.export()}
    assert [row["sample"] for row in desk.export(order="random", limit=2)] == names[:2]


def test_what_comes_back_untouched_decides_nothing(desk):
    told = desk.decide("dr-a", *desk.export())
    assert told == {"accept": 0, "edit": 0, "reject": 0, "undecided": 6, "warnings": []}
    assert _counts(desk) == [0, 0]


def test_decisions_come_back_with_reviewer_comment_and_time(desk):
    row = said(desk.item("risky"), "edit", "هل القلب متضخم هنا؟", "نعم")
    row["decision"] |= {"comment": "clearer", "seconds": 12.5}
    told = desk.decide("dr-a", row, said(desk.item("doubtful"), "accept"))
    assert (told["edit"], told["accept"], told["reject"], told["undecided"]) == (1, 1, 0, 0)
    word = decisions(desk.engine)[identity("risky")]
    assert (word.reviewer, word.comment, word.seconds) == ("dr-a", "clearer", 12.5)
    assert word.turns == ("هل القلب متضخم هنا؟", "نعم")
    assert decisions(desk.engine)[identity("doubtful")].turns == ()


def test_the_same_file_twice_changes_nothing_and_a_later_word_replaces_the_earlier(desk):
    row = desk.item("risky")
    desk.decide("dr-a", said(row, "accept"))
    first = decisions(desk.engine)
    desk.decide("dr-a", said(row, "accept"))
    assert decisions(desk.engine) == first
    desk.decide("dr-a", said(row, "reject"))
    assert decisions(desk.engine)[identity("risky")].verdict == "reject"
    assert _counts(desk)[0] == 1


def _faults(desk):
    """name of a fault: (line, what its message must say)."""
    risky, pictured, silent = desk.item("risky"), desk.item("pictured"), desk.item("silent")
    return {
        "wrong verdict": (said(risky, "approve"), ["'approve'", "accept, edit, reject"]),
        "too few turns": (said(risky, "edit", "نعم"), ["has 1 texts", "has 2 turns"]),
        "turns that are no texts": (said(risky, "edit", "نعم", 3), ["expected a list of texts"]),
        "turns that are no list": (risky | {"decision": {"verdict": "edit", "turns": "نعم"}}, ["expected a list of texts"]),
        "an empty turn": (said(risky, "edit", "هل القلب متضخم؟", " "), ["turns[1] is empty"]),
        "a lost image mark": (said(pictured, "edit", "ما العضو؟", "الكبد."), ["turns[0] has 0 <image> marks", "source 1"]),
        "stale content": (said(risky | {"content": "0" * 64}, "accept"), ["changed since this line was exported"]),
        "unknown id": (said(risky | {"id": "gate:nobody"}, "accept"), ["'gate:nobody'", "not in the queue"]),
        "no decision block": ({"id": risky["id"]}, ["no `decision` block"]),
        "not an object": (b"[1, 2]", ["no `decision` block"]),
        "accepting what is not there": (said(silent, "accept"), ["there is no translation", "verdict edit"]),
        "not JSON": (b'{"id": "gate', ["not JSON"]),
        "not UTF-8": (b'{"id": "\xff"}', ["not JSON"]),
        "seconds that are no number": (
            risky | {"decision": {"verdict": "accept", "seconds": "ten"}}, ["decision.seconds is 'ten'"],
        ),
        "seconds below zero": (risky | {"decision": {"verdict": "accept", "seconds": -1}}, ["decision.seconds is -1"]),
    }  # fmt: skip


FAULTS = [
    "wrong verdict", "too few turns", "turns that are no texts", "turns that are no list", "an empty turn", "a lost image mark",
    "stale content", "unknown id", "no decision block", "not an object", "accepting what is not there", "not JSON", "not UTF-8",
    "seconds that are no number", "seconds below zero",
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_line_is_named_with_its_reason_and_nothing_is_taken(desk, fault):
    line, words = _faults(desk)[fault]
    good = said(desk.item("doubtful"), "accept")
    with pytest.raises(InputError) as told:
        desk.decide("dr-a", good, line)
    assert "decided.jsonl:2: " in str(told.value)
    for word in words:
        assert word in str(told.value)
    assert _counts(desk) == [0, 0], "the good line beside it is not taken either"


def test_all_faults_are_shown_at_once(desk):
    lines = [line for line, _ in _faults(desk).values()]
    assert list(_faults(desk)) == FAULTS
    with pytest.raises(InputError) as told:
        desk.decide("dr-a", *lines)
    *named, last = str(told.value).splitlines()
    assert [line.split(": ")[0].rsplit(":")[-1] for line in named] == [str(number) for number in range(1, len(lines) + 1)]
    assert last == "Nothing was imported."


def test_a_file_that_is_wrong_throughout_does_not_flood_the_terminal(desk):
    with pytest.raises(InputError, match="… and 10 more"):
        desk.decide("dr-a", *[said(desk.item("risky"), "approve")] * 60)


def test_one_item_twice_in_a_file_with_different_words_is_refused(desk):
    """Which of the two did the expert mean? The order of lines is no answer."""
    row = desk.item("risky")
    with pytest.raises(InputError, match=r"decided\.jsonl:2: .*line 1"):
        desk.decide("dr-a", said(row, "accept"), said(row, "reject"))
    assert _counts(desk) == [0, 0]


def test_a_missing_file_and_a_missing_name_say_what_to_do(desk):
    with pytest.raises(InputError, match=r"none\.jsonl: No such file"):
        import_decisions(desk.engine, desk.folder / "none.jsonl", "dr-a")
    with pytest.raises(InputError, match="--reviewer is empty"):
        desk.decide(" ", said(desk.item("risky"), "accept"))


def test_blank_lines_and_windows_line_ends_are_no_faults(desk):
    path = desk.folder / "windows.jsonl"
    path.write_bytes(b"\r\n" + orjson.dumps(said(desk.item("risky"), "accept")) + b"\r\n\r\n")
    assert import_decisions(desk.engine, path, "dr-a")["accept"] == 1


def test_a_slip_of_the_pen_in_an_edit_is_taken_and_warned_of(desk):
    told = desk.decide("dr-a", said(desk.item("doubtful"), "edit", "أين الحصاة؟", "In the ureter."))
    assert told["edit"] == 1
    assert any(desk.item("secret")["id"] not in warning and "doubtful" in warning for warning in told["warnings"])
    assert decisions(desk.engine)[identity("doubtful")].turns[1] == "In the ureter."


def test_an_edit_brings_the_translation_that_was_missing(desk):
    told = desk.decide("dr-a", said(desk.item("silent"), "edit", "هل توجد حمى؟", "لا"))
    assert told["edit"] == 1
    assert decisions(desk.engine)[identity("silent")].turns == ("هل توجد حمى؟", "لا")
