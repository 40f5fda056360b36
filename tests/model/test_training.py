"""Training: it learns what can be learnt by heart, gives the same bytes twice, and is not done twice."""

import json
import re

import pytest
import torch
from transformers import LlavaForConditionalGeneration

from model.build import PROJECTOR, from_tokens
from model.evaluate import evaluate
from model.generate import Chat
from model.tokens import FILE, Tokens
from model.train import SUMMARY, WEIGHTS, train
from schemas.errors import InputError
from schemas.sample import Turn
from tests.model.conftest import config, rows

TOY = config()


@pytest.fixture(scope="module")
def trained(release, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained") / "toy"
    return out, train(release, out, TOY)


def _bytes(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _saved(folder):
    return LlavaForConditionalGeneration.from_pretrained(folder / WEIGHTS, local_files_only=True).state_dict()


def test_what_can_be_learnt_by_heart_is_learnt(trained):
    _, report = trained
    instruct = report.stages["instruct"]
    assert instruct["last_loss"] < 0.5 * instruct["first_loss"], instruct["losses"]
    assert len(instruct["losses"]) == instruct["steps"] == TOY.instruct.epochs * 2
    assert (report.samples, report.too_long) == (8, 0)
    assert report.stages["align"]["samples"] == 6, "samples with an image"


def test_stage_1_loss_goes_down_with_the_projector_alone(release, tmp_path):
    long = config(align={"epochs": 20, "batch": 4, "lr": 0.01, "projector_lr": 0.01})
    report = train(release, tmp_path, long, stage="align")
    assert report.stages["align"]["last_loss"] < report.stages["align"]["first_loss"]
    assert set(report.stages) == {"align"}
    assert not (tmp_path / WEIGHTS).exists()


def test_the_tower_leaves_the_training_as_it_came(trained):
    out, _ = trained
    fresh = from_tokens(TOY, Tokens(out / FILE)).state_dict()
    saved = _saved(out)
    changed = {name for name in saved if not torch.equal(saved[name], fresh[name])}
    assert changed
    assert not any("vision_tower" in name for name in changed)
    assert any("vision_tower" in name for name in saved)
    assert {name for name in saved if PROJECTOR in name} <= changed
    touched = {name for name in changed if PROJECTOR not in name}
    assert all(name.endswith("proj.weight") for name in touched), "LoRA is merged into linear layers only"


def test_the_same_seed_gives_the_same_bytes(release, trained, tmp_path):
    train(release, tmp_path, TOY)
    first, second = _bytes(trained[0]), _bytes(tmp_path)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_another_seed_gives_other_weights(release, trained, tmp_path):
    train(release, tmp_path, config(seed=12, instruct={"epochs": 1, "batch": 8, "lr": 0.01, "projector_lr": 0.01}))
    one, other = _saved(trained[0]), _saved(tmp_path)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_instruct_before_align_is_refused_and_leaves_nothing_behind(release, tmp_path):
    with pytest.raises(InputError, match="the align stage has not run"):
        train(release, tmp_path / "model", TOY, stage="instruct")
    assert not (tmp_path / "model").exists()
    with pytest.raises(InputError, match=r"'tune', expected align or instruct"):
        train(release, tmp_path / "model", TOY, stage="tune")


def test_the_stages_one_by_one_give_what_both_at_once_give(release, trained, tmp_path):
    train(release, tmp_path, TOY, stage="align")
    train(release, tmp_path, TOY, stage="instruct")
    assert _bytes(tmp_path) == _bytes(trained[0])


def test_a_finished_training_is_not_done_again(release, trained):
    out, report = trained
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    steps = []
    again = train(release, out, TOY, progress=steps.append)
    assert steps == []
    assert again.as_json() == report.as_json()
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_changed_config_trains_anew_and_never_mixes_with_what_was_there(release, tmp_path):
    short = {"epochs": 1, "batch": 8, "lr": 0.01, "projector_lr": 0.01}
    train(release, tmp_path, config(instruct=short))
    train(release, tmp_path, config(instruct=short, seed=99), stage="align")
    with pytest.raises(InputError, match="no trained model here"):
        Chat(tmp_path)


def test_samples_beyond_the_window_are_counted_in_the_report(make_release, pictures, tmp_path):
    made = rows(pictures[1])
    first = made[6].sample
    endless = first.model_copy(update={"turns": (Turn(role="user", text="What treats a fever? " * 40), first.turns[1])})
    made[6] = made[6].model_copy(update={"sample": endless})
    quick = config(
        align={"epochs": 1, "batch": 8, "lr": 0.01, "projector_lr": 0.01},
        instruct={"epochs": 1, "batch": 8, "lr": 0.01, "projector_lr": 0.01},
    )
    report = train(make_release(made), tmp_path, quick)
    assert (report.samples, report.too_long) == (7, 1)
    assert json.loads((tmp_path / SUMMARY).read_text(encoding="utf-8"))["too_long"] == 1


def test_a_release_without_training_samples_is_an_error_that_names_it(make_release, pictures, tmp_path):
    empty = make_release(rows(pictures[1], split="validation"))
    with pytest.raises(InputError, match="the train split is empty"):
        train(empty, tmp_path, TOY)
    with pytest.raises(InputError, match="no manifest"):
        train(tmp_path, tmp_path / "model", TOY)


def test_a_model_that_learnt_by_heart_answers_in_the_language_of_the_question(trained):
    """It opens by its folder alone, though no preset has its name."""
    chat = Chat(trained[0])
    english, arabic = chat.answer("What treats a fever?"), chat.answer("ما علاج الحمى؟")
    assert "water" in english
    assert "والماء" in arabic
    assert chat.answer("What treats a fever?") == english
    assert not re.search("[\u0621-\u064a]", english)
    assert not re.search("[A-Za-z]", arabic)
    with pytest.raises(InputError, match="the question is empty"):
        chat.answer(" <image> ")


def test_an_evaluation_is_of_one_model_on_one_release(trained, release, make_release, pictures):
    """Asked about another release it measures again: the first one's figures would be a wrong answer."""
    out, _ = trained
    first = evaluate(out, release, ["held_out"])
    assert first["held_out"]["en"]["items"] == first["held_out"]["ar"]["items"] == 2
    written = (out / "eval.json").stat().st_mtime_ns
    assert evaluate(out, release, ["held_out"]) == first
    assert (out / "eval.json").stat().st_mtime_ns == written, "asked twice, measured once"
    english = [row.model_copy(update={"sample": row.sample.model_copy(update={"pair": None})}) for row in rows(pictures[1])]
    other = make_release([row for row in english if row.sample.language == "en"])
    assert "ar" not in evaluate(out, other, ["held_out"])["held_out"]


def test_what_cannot_be_measured_says_so(trained, release, tmp_path):
    with pytest.raises(InputError, match=r"vqa_rad: unknown\. Known: held_out"):
        evaluate(trained[0], release, ["vqa_rad"])
    with pytest.raises(InputError, match="no trained model here"):
        evaluate(tmp_path, release, ["held_out"])
