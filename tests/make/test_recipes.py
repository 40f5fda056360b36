"""The recipes one by one: what each takes, what it asks, and what it makes of an answer or says is wrong with its form."""

import json
import re
from itertools import permutations

import pytest

from pipeline.make.recipe import load_prompt, schema_of
from pipeline.make.recipes import RECIPES
from pipeline.settings import MakeSettings
from schemas.sample import IMAGE_MARK
from tests.curate.samples import sample
from tests.make.maker import CAPTION, EFFUSION, HEART_RIGHT, NODULE, exchanges

SHORT = sample("a", "Which organ is shown?", "Liver", images=["x"])
CLOSED = sample("b", "Is the heart enlarged?", "No", images=["x"])
LONG = sample("c", "Which organ is shown?", "This picture shows the liver and its vessels.", images=["x"])
CAPTIONED = sample("d", "Describe this X-ray.", CAPTION, images=["x"], task="caption")
BLIND = sample("e", "Describe this X-ray.", CAPTION, task="report")
BRIEF = sample("f", "Describe this X-ray.", "A normal chest.", images=["x"], task="caption")
CHAT = sample("g", turns=[("user", "A?"), ("assistant", "B"), ("user", "C?"), ("assistant", "D")], task="conversation")
OPTIONS = sample("h", "Which?\nA. Liver\nB. Lung", "A. Liver", task="mcq")
EVERY = [SHORT, CLOSED, LONG, CAPTIONED, BLIND, BRIEF, CHAT, OPTIONS]


def test_each_recipe_has_its_block_in_the_config_and_a_suffix_of_its_own():
    assert set(RECIPES) == set(MakeSettings.model_fields)
    assert len({recipe.suffix for recipe in RECIPES.values()}) == len(RECIPES)


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("expand_answers", [SHORT, CLOSED]),
        ("caption_to_conversation", [CAPTIONED]),
        ("caption_to_qa", [CAPTIONED]),
        ("qa_to_mcq", [SHORT]),
    ],
)
def test_a_recipe_takes_what_it_can_work_on(name, taken):
    assert [one.id for one in EVERY if RECIPES[name].takes(one)] == [one.id for one in taken]


@pytest.mark.parametrize("name", RECIPES)
def test_a_prompts_example_is_read_by_its_own_recipe_and_is_faithful(name):
    recipe = RECIPES[name]
    prompt = load_prompt(recipe.prompt)
    assert re.fullmatch(rf"{name}-v\d+:[0-9a-f]{{12}}", prompt.id)
    assert prompt.examples
    for shown, answer in prompt.examples:
        value = json.loads(shown)
        parent = sample("p", value.get("question") or value["request"], value.get("answer") or value["caption"], images=["x"])
        made = recipe.parse(parent, answer)
        assert not isinstance(made, str), made
        assert [finding.message for one in made for finding in one.findings] == []


@pytest.mark.parametrize("name", RECIPES)
def test_a_request_shows_the_sample_without_marks_and_asks_for_a_strict_form(name):
    recipe = RECIPES[name]
    parent = CAPTIONED if name.startswith("caption") else SHORT
    request = recipe.request(parent, 1000, structured=True)
    assert IMAGE_MARK not in request.messages[-1]["content"]
    assert set(json.loads(request.messages[-1]["content"])) <= {"question", "answer", "request", "caption"}
    assert request.temperature == 0
    assert request.schema_ == schema_of(recipe.form)
    assert _everywhere(request.schema_, "additionalProperties") == {False}
    assert "$ref" not in json.dumps(request.schema_)
    assert recipe.request(parent, 1000, structured=False).schema_ is None
    assert recipe.request(parent, 50, structured=True).max_tokens == 50


def _everywhere(node, key):
    if isinstance(node, list):
        return {found for one in node for found in _everywhere(one, key)}
    if not isinstance(node, dict):
        return set()
    own = {node[key]} if key in node else set()
    return own | {found for one in node.values() for found in _everywhere(one, key)}


def test_an_expanded_answer_keeps_the_question_and_its_marks():
    (made,) = RECIPES["expand_answers"].parse(SHORT, json.dumps({"answer": " The organ that is shown is the liver. "}))
    assert made.turns == (("user", SHORT.turns[0].text), ("assistant", "The organ that is shown is the liver."))
    assert (made.task, made.findings) == ("vqa", ())


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("not json", "Invalid JSON"),
        ("{}", "answer: Field required"),
        ('{"answer": 3}', "answer: Input should be a valid string"),
        ('{"answer": "The liver is shown.", "note": "x"}', "note: Extra inputs"),
        ('{"answer": "  "}', "a text is empty"),
        ('{"answer": "Liver."}', "no longer than the short answer"),
        ('{"answer": "The organ shown is the liver"}', "does not end a sentence"),
        ('{"answer": "It is seen.\\nThe liver."}', "not one plain paragraph"),
        ('{"answer": "<image> The organ is the liver."}', "not one plain paragraph"),
        ('{"answer": "According to the question the organ is the liver."}', "speaks about the task"),
        (json.dumps({"answer": "The liver " * 60 + "."}), "at most 400"),
    ],
)
def test_an_expanded_answer_of_the_wrong_form_is_told_what_is_wrong(answer, fault):
    told = RECIPES["expand_answers"].parse(SHORT, answer)
    assert isinstance(told, str)
    assert fault in told


def test_a_fence_around_the_answer_is_taken_off():
    assert not isinstance(RECIPES["expand_answers"].parse(SHORT, '```json\n{"answer": "The organ is the liver."}\n```'), str)


def test_a_conversation_has_the_marks_in_its_first_question_only():
    (made,) = RECIPES["caption_to_conversation"].parse(CAPTIONED, json.dumps(exchanges(NODULE, EFFUSION, HEART_RIGHT)))
    assert [role for role, _ in made.turns] == ["user", "assistant"] * 3
    assert [text.count(IMAGE_MARK) for _, text in made.turns] == [1, 0, 0, 0, 0, 0]
    assert (made.task, made.findings) == ("conversation", ())


def test_single_questions_each_have_their_marks_and_their_own_findings():
    wrong = ("Is there a fracture?", "No, there is no fracture.")
    first, second = RECIPES["caption_to_qa"].parse(CAPTIONED, json.dumps(exchanges(NODULE, wrong)))
    assert [one.turns[0][1].count(IMAGE_MARK) for one in (first, second)] == [1, 1]
    assert first.findings == ()
    assert [finding.check for finding in second.findings] == ["concept"]


@pytest.mark.parametrize(
    ("pairs", "fault"),
    [
        ([NODULE], "between 2 and 4"),
        ([NODULE] * 2, "asked twice"),
        ([(f"Is it {number}?", "No.") for number in range(5)], "between 2 and 4"),
        ([NODULE, ("The heart is not enlarged.", "Yes.")], "is no question"),
        ([NODULE, ("Does the caption name the heart?", "Yes.")], "speaks about the task"),
    ],
)
def test_a_conversation_of_the_wrong_form_is_told_what_is_wrong(pairs, fault):
    told = RECIPES["caption_to_conversation"].parse(CAPTIONED, json.dumps(exchanges(*pairs)))
    assert isinstance(told, str)
    assert fault in told


def _choice(parent, *wrong):
    return RECIPES["qa_to_mcq"].parse(parent, json.dumps({"distractors": wrong}))


@pytest.mark.parametrize("order", list(permutations(["spleen", "Kidney.", " Stomach"])))
@pytest.mark.parametrize("name", ["a", "b", "c", "d", "e"])
def test_exactly_one_option_is_right_and_the_letter_says_which(order, name):
    parent = sample(name, "Which organ is shown?", "Liver.", images=["x"])
    (made,) = _choice(parent, *order)
    question, *options = made.turns[0][1].removeprefix(f"{IMAGE_MARK}\n").split("\n")
    assert question == "Which organ is shown?"
    assert [option[:3] for option in options] == ["A. ", "B. ", "C. ", "D. "]
    texts = [option[3:] for option in options]
    assert len({text.casefold() for text in texts}) == 4
    assert sorted(texts) == ["Kidney", "Liver", "Spleen", "Stomach"]
    answer = made.turns[1][1]
    assert answer in options, "letter and text agree"
    assert answer[3:] == "Liver"
    assert made.task == "mcq"


def test_the_right_option_stands_everywhere_and_for_one_parent_always_in_one_place():
    letters = [_choice(sample(f"s{n}", "Which?", "Liver"), "Spleen", "Kidney", "Lung")[0].turns[1][1][0] for n in range(60)]
    assert set(letters) == set("ABCD")
    assert letters[7] == _choice(sample("s7", "Which?", "Liver"), "Kidney", "Lung", "Spleen")[0].turns[1][1][0]


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (["Spleen", "Kidney"], "exactly 3"),
        (["Spleen", "spleen.", "Lung"], "the same"),
        (["LIVER", "Spleen", "Lung"], "the right answer again"),
        (["Spleen", "Lung", "All of the above"], "no option of its own"),
        (["Spleen", "Lung", "A. Kidney"], "not one plain paragraph"),
    ],
)
def test_options_of_the_wrong_form_are_told_what_is_wrong(wrong, fault):
    told = _choice(SHORT, *wrong)
    assert isinstance(told, str)
    assert fault in told


@pytest.mark.parametrize(
    ("answer", "option"),
    [("Liver", "The hepatic organ liver"), ("CT", "Computed tomography"), ("Right lung", "Lung"), ("2", "Two")],
)
def test_an_option_that_is_right_too_is_found(answer, option):
    (made,) = _choice(sample("a", "Which?", answer), option, "Femur", "Scapula")
    assert [finding.check for finding in made.findings] == ["option"]
    assert "would be right, too" in made.findings[0].message
