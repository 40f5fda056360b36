"""The held-out split as questions: one for each assistant turn, with what came before it and what it depends on."""

import pytest

from model.benchmarks.held_out import held_out
from schemas.errors import InputError
from tests.model.conftest import EXCHANGES, FOLLOW_UP, rows


def test_every_assistant_turn_is_asked_with_what_came_before(release):
    items = {item.id: item for item in held_out(release)}
    assert set(items) == {"slake-train-4#1", "slake-train-4#3", "slake-train-4-ar#1", "slake-train-4-ar#3"}
    (question, answer), _, _ = EXCHANGES[-1]
    first, second = items["slake-train-4#1"], items["slake-train-4#3"]
    assert (first.turns, first.reference) == ((("user", question),), answer)
    assert second.turns == (("user", question), ("assistant", answer), ("user", FOLLOW_UP[0][0]))
    assert second.reference == FOLLOW_UP[0][1]
    assert all(item.turns[-1][0] == "user" for item in items.values())
    assert items["slake-train-4-ar#3"].reference == FOLLOW_UP[1][1]
    assert {item.language for item in items.values()} == {"en", "ar"}


def test_a_pair_is_one_cluster(release):
    assert {item.cluster for item in held_out(release)} == {"slake-train-4"}


def test_all_questions_about_one_picture_are_one_cluster(make_release, pictures):
    items = list(held_out(make_release(rows(pictures[1], split="validation"))))
    clusters = {item.id.split("#")[0].removesuffix("-ar"): item.cluster for item in items}
    assert clusters["slake-train-0"] == clusters["slake-train-2"] == pictures[1][0].sha256
    assert clusters["slake-train-1"] == pictures[1][1].sha256
    assert len(set(clusters.values())) == 4
    assert all(len(item.images) == item.turns[0][1].count("<image>") for item in items)


def test_test_samples_are_asked_where_there_is_no_validation_split(make_release, pictures):
    items = list(held_out(make_release(rows(pictures[1], held=("test",)))))
    assert {item.id.split("#")[0] for item in items} == {"slake-train-4", "slake-train-4-ar"}


def test_a_release_that_holds_nothing_out_cannot_be_asked(make_release, pictures):
    everything = [row.model_copy(update={"split": "train"}) for row in rows(pictures[1])]
    with pytest.raises(InputError, match="no validation or test samples"):
        list(held_out(make_release(everything)))
