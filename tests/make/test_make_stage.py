"""The make stage against a real HTTP endpoint: paid once, closed on every fault, and each made sample leads back."""

import json

import pytest

from pipeline.curate.stage import curate_chunk
from pipeline.make.plan import make_plan
from pipeline.select import SplitPlan
from pipeline.settings import ReleaseSettings
from pipeline.workspace import made_chunk
from schemas.errors import AccessError, StoppedError
from schemas.sample import IMAGE_MARK, REASONS
from tests.curate.samples import configured, ingested, sample
from tests.make.maker import CAPTION, EFFUSION, MADE, NODULE, expanded

HEART = sample(
    "s1", "Is the heart enlarged in this image?", "Yes", images=["x"], meta={"modality": "ct", "answer_type": "CLOSED"}
)
PNEUMONIA = sample("s2", "Does the patient have pneumonia?", "No", images=["y"], split="test")
RIB = sample("s3", "Is there a fracture of the left rib?", "No", images=["z"])
MODALITY = sample("s4", "Which modality was used to take this image?", "CT", images=["x"])
CAPTIONED = sample("s5", "Describe this X-ray.", CAPTION, images=["v"], task="caption")


def _ids(samples):
    return [one.id for one in samples]


def test_a_made_sample_is_its_parents_derivative_and_says_how_it_came_about(desk):
    desk.curated(HEART)
    settings = desk.settings(expand_answers=None)
    manifest = desk.make(settings)
    assert (manifest.stage, manifest.chunk, manifest.counts["samples"]) == ("make", made_chunk("00-llava-00000"), 1)
    (made,) = desk.made()
    assert (made.id, made.pair) == ("s1-expand", "s1-expand-ar")
    assert [turn.text for turn in made.turns] == [HEART.turns[0].text, "Yes, the heart is enlarged in this image."]
    same = ("corpus", "record", "split", "task", "language", "images", "licence", "access", "origin")
    assert all(getattr(made, name) == getattr(HEART, name) for name in same)
    (making,) = desk.makings()
    assert made.meta == {
        "modality": "ct", "made_by": "expand_answers", "made_from": "s1", "made_prompt": making.prompt,
        "made_model": "test-model", "made_calls": ",".join(making.calls),
    }  # fmt: skip
    assert (making.parent, making.state, making.made) == ("s1", "ok", ("s1-expand",))
    assert len(making.calls) == len(desk.maker.requests) == 1


def test_what_is_unfaithful_is_asked_again_with_the_fault_named_and_then_stays_out(desk):
    desk.curated(PNEUMONIA, RIB)
    desk.make(desk.settings(expand_answers=None))
    assert [one.turns[1].text for one in desk.made()] == ["No, the patient does not have pneumonia."]
    assert len(desk.makings()[0].calls) == 2, "the second answer rests on the first"
    (lost,) = desk.lost()
    assert (lost.stage, lost.reason, lost.sample, lost.record) == ("make", "unfaithful", "s3-expand", "s3")
    assert "right is new" in lost.detail
    assert set(REASONS) >= {"unfaithful", "not_made"}
    wishes = [r["messages"][-1]["content"] for r in desk.maker.requests if r["messages"][-2]["role"] == "assistant"]
    wishes = [wish for wish in wishes if wish.startswith("That answer cannot be used")]
    assert len(wishes) == 2
    assert any("the negation is lost" in wish for wish in wishes)
    assert any("right is new: the source does not say it" in wish for wish in wishes)


@pytest.mark.parametrize(
    ("faults", "words", "requests"),
    [
        (["refusal"], "refused", 1),
        (["length", "length"], "truncated", 2),
        (["broken", "broken"], "invalid", 2),
        (["blank"] * 2, "invalid", 2),
    ],
)
def test_a_bad_answer_is_excluded_and_not_paid_for_again(desk, faults, words, requests):
    desk.curated(HEART)
    desk.maker.faults = list(faults)
    settings = desk.settings(expand_answers=None)
    desk.make(settings)
    (lost,) = desk.lost()
    assert (desk.made(), lost.reason, lost.sample) == ([], "not_made", "s1-expand")
    assert lost.detail.startswith(words)
    assert desk.makings()[0].state == "unusable"
    assert len(desk.maker.requests) == requests
    for path in (desk.folder / "tables" / "make").iterdir():
        path.unlink()
    desk.make(settings)
    assert len(desk.maker.requests) == requests, "what was answered badly was answered"
    assert desk.lost() == [lost]


def test_what_the_endpoint_failed_at_is_tried_again_and_nothing_else_is(desk):
    desk.curated(HEART, MODALITY)
    settings = desk.settings(expand_answers=None)
    desk.maker.faults = [400]
    first = desk.make(settings)
    assert first.counts["failed"] == 1
    assert sorted(making.state for making in desk.makings()) == ["failed", "ok"]
    assert desk.lost() == [], "a failure is no loss: it is tried again"
    second = desk.make(settings)
    assert len(desk.maker.requests) == 3
    assert (second.counts["failed"], _ids(desk.made())) == (0, ["s1-expand", "s4-expand"])
    assert second.fingerprint != first.fingerprint, "translation has to see that there are more"
    assert desk.make(settings) == second
    assert len(desk.maker.requests) == 3


def test_a_failure_of_the_second_question_waits_for_the_next_run(desk):
    desk.curated(PNEUMONIA)
    settings = desk.settings(expand_answers=None)
    desk.maker.faults = [None, 500]
    assert desk.make(settings).counts["failed"] == 1
    assert (desk.made(), desk.lost()) == ([], [])
    assert desk.make(settings).counts == {"samples": 1, "excluded": 0, "makings": 1, "failed": 0}
    assert len(desk.maker.requests) == 3


def test_the_cost_is_the_endpoints_usage_and_the_same_answers_give_the_same_bytes(desk):
    desk.curated(HEART, PNEUMONIA, RIB, MODALITY, CAPTIONED)
    settings = desk.settings(expand_answers=None, qa_to_mcq=None, caption_to_qa=None, caption_to_conversation=None)
    desk.make(settings)
    before = {path.name: path.read_bytes() for path in (desk.folder / "tables" / "make").iterdir()}
    asked = len(desk.maker.requests)
    totals = desk.totals(settings)
    assert (totals["requests"], totals["ok"]) == (asked, asked)
    assert totals["cost_usd"] == pytest.approx(asked * (100 * 1.0 + 20 * 4.0) / 1e6)
    for path in (desk.folder / "tables" / "make").iterdir():
        path.unlink()
    desk.make(settings)
    assert len(desk.maker.requests) == asked
    assert {path.name: path.read_bytes() for path in (desk.folder / "tables" / "make").iterdir()} == before


def test_of_several_questions_the_faithful_ones_stay_and_the_better_answer_counts(desk):
    desk.curated(CAPTIONED)
    desk.make(desk.settings(caption_to_qa=None))
    assert _ids(desk.made()) == ["s5-qa1", "s5-qa3"]
    assert [one.turns[1].text for one in desk.made()] == [NODULE[1], EFFUSION[1]]
    assert [(one.sample, one.reason) for one in desk.lost()] == [("s5-qa2", "unfaithful")]
    (making,) = desk.makings()
    assert (making.made, len(making.calls)) == (("s5-qa1", "s5-qa2", "s5-qa3"), 2)
    assert {one.task for one in desk.made()} == {"vqa"}


def test_a_second_answer_that_is_no_better_changes_nothing(desk):
    desk.maker.made = MADE | {
        ("You turn the short answer", HEART.turns[0].text.removeprefix(f"{IMAGE_MARK}\n")): expanded("No, it is not.", "")
    }
    desk.curated(HEART)
    desk.make(desk.settings(expand_answers=None))
    assert [one.reason for one in desk.lost()] == ["unfaithful"]
    assert len(desk.makings()[0].calls) == 1


def test_made_text_passes_the_rules_of_curation(desk, tmp_path):
    words = "does the modality used to take this image tell anything about the age of the person in it"
    held = tmp_path / "held.json"
    held.write_text(
        json.dumps([{"id": 1, "conversations": [{"from": "human", "value": words}, {"from": "gpt", "value": "No."}]}])
    )
    contaminated = sample("s6", "Does this tell the age?", "No")
    long = sample("s7", "Is this long?", "Yes")
    key = "You turn the short answer"
    desk.maker.made = {
        (key, "Does this tell the age?"): expanded(f"No, {words.removeprefix('does ')}, which is not told."),
        (key, "Is this long?"): expanded(f"Yes, this is {'very ' * 30}long."),
    }
    desk.blocks = {
        "sources": [{"corpus": "llava", "path": held, "split": "test"}],
        "curate": {"benchmarks": ["llava:test"], "max_chars": 150},
    }
    desk.curated(contaminated, long)
    recipes = {"expand_answers": {"corpora": ["llava"]}}
    translator = {"base_url": desk.maker.url, "model": "test-model"}
    settings = configured(tmp_path, make=recipes, endpoints={"translator": translator}, **desk.blocks)
    desk.make(settings)
    assert {one.sample: one.reason for one in desk.lost()} == {"s6-expand": "contaminated", "s7-expand": "too_long"}


def test_a_limit_takes_the_same_samples_however_the_chunks_are_cut(desk):
    many = [sample(f"n{number}", "Which organ is shown?", "Liver", images=["x"]) for number in range(12)]
    settings = desk.settings(qa_to_mcq={"limit": 5})
    chosen = []
    for cut in (0, 4, 12):
        desk.curated(*many[:cut], chunk="00-llava-00000")
        desk.curated(*many[cut:], chunk="00-llava-00001")
        plan = make_plan(settings, desk.workspace)
        chosen.append({one.id for part in (many[:cut], many[cut:]) for _, one in plan.orders(settings, part)})
    assert chosen[0] == chosen[1] == chosen[2]
    assert len(chosen[0]) == 5
    desk.curated(*many[:3], chunk="00-llava-00000")
    desk.curated(chunk="00-llava-00001")
    plan = make_plan(settings, desk.workspace)
    assert len(list(plan.orders(settings, many[:3]))) == 3, "a limit that is not reached takes all"


def test_only_the_named_corpora_are_taken(desk):
    desk.curated(HEART, sample("o1", "Is the heart enlarged in this image?", "Yes", corpus="alpaca"))
    desk.make(desk.settings(expand_answers=None))
    assert _ids(desk.made()) == ["s1-expand"]


def test_a_made_id_never_meets_a_read_one(desk):
    long = "s" * 88
    desk.curated(
        HEART, sample("s1-expand", "What?", "A long answer that no recipe here takes for its own."), sample(long, "Is it?", "Yes")
    )
    plan = make_plan(desk.settings(expand_answers=None), desk.workspace)
    from pipeline.make.recipes import RECIPES

    recipe = RECIPES["expand_answers"]
    own = plan.id_of(HEART, recipe, 1)
    assert own != "s1-expand"
    assert own.startswith("s1-")
    assert own.endswith("-expand")
    short = plan.id_of(sample(long, "Is it?", "Yes"), recipe, 1)
    assert len(f"{short}-ar") <= 93
    assert short.endswith("-expand")
    assert plan.id_of(CAPTIONED, RECIPES["caption_to_qa"], 2) == "s5-qa2"


def test_a_restricted_record_is_refused_before_a_byte_is_sent(desk):
    desk.curated(HEART, sample("r1", "Is it?", "Yes", access="restricted"))
    with pytest.raises(AccessError, match=r'(?s)source "llava" is restricted data .*Nothing was sent'):
        desk.make(desk.settings(expand_answers=None))
    assert desk.maker.requests == []
    assert not desk.workspace.manifests("make")


def test_the_budget_stops_it_and_what_was_paid_is_kept(desk):
    desk.curated(HEART, MODALITY, PNEUMONIA)
    desk.blocks = {"translate": {"budget_usd": 0.0015}}
    settings = desk.settings(expand_answers=None)
    with pytest.raises(StoppedError, match="budget"):
        desk.make(settings)
    assert desk.totals(settings)["cost_usd"] <= 0.0015


def test_parent_and_made_are_in_one_split_with_and_without_pictures(desk):
    texts = [sample(f"t{number}", "Is the heart enlarged in this image?", "Yes", task="text_qa") for number in range(40)]
    desk.curated(*texts, HEART, PNEUMONIA)
    desk.make(desk.settings(expand_answers=None))
    plan = SplitPlan(ReleaseSettings(splits={"train": 0.5, "validation": 0.5}), desk.workspace)
    parents = {one.id: one for one in (*texts, HEART, PNEUMONIA)}
    made = desk.made()
    assert len(made) == 42
    assert {plan.split(one) for one in made} == {"train", "validation", "test"}
    assert [one.id for one in made if plan.split(one) != plan.split(parents[one.meta["made_from"]])] == []


def test_the_english_samples_are_the_curated_and_the_made_ones_and_a_new_curation_takes_the_made_away(tmp_path, desk):
    workspace = ingested(tmp_path, [HEART, MODALITY])
    from pipeline.curate.dedup import find_duplicates

    settings = desk.settings(expand_answers=None)
    find_duplicates(settings, workspace)
    curate_chunk(settings, workspace, "00-llava-00000")
    assert _ids(workspace.english_rows()) == ["s1", "s4"]
    desk.make(settings)
    assert [manifest.chunk for manifest in workspace.english()] == ["00-llava-00000", "made-00-llava-00000"]
    assert _ids(workspace.english_rows()) == ["s1", "s4", "s1-expand", "s4-expand"]
    assert _ids(workspace.english_rows("made-00-llava-00000")) == ["s1-expand", "s4-expand"]
    curate_chunk(settings, workspace, "00-llava-00000")
    assert len(workspace.english()) == 2, "an unchanged chunk keeps what was made of it"
    changed = settings.model_copy(update={"curate": settings.curate.model_copy(update={"max_chars": 500})})
    curate_chunk(changed, workspace, "00-llava-00000")
    assert _ids(workspace.english_rows()) == ["s1", "s4"]


def test_an_endpoint_without_schemas_is_asked_for_json_all_the_same(desk):
    desk.blocks = {"translator": {"structured": False}}
    desk.curated(HEART)
    desk.make(desk.settings(expand_answers=None))
    assert "response_format" not in desk.maker.requests[0]
    assert _ids(desk.made()) == ["s1-expand"]
