"""Prompts as files: what goes over the wire, and that an answer of the wrong form never passes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.settings import EndpointSettings
from pipeline.translate.prompt import Ask, load_prompt, parse, parse_delimited, prompt_for
from schemas.quality import Finding

NAMES = ("small-v1", "translate-v2")
TEXTS = {"question": "Is the heart large?", "answer": "It is, see https://a.org/x."}
FORMS = pytest.mark.parametrize("form", ["json", "delimited"])
segments = st.dictionaries(
    st.sampled_from(["question", "answer", "option_a", "findings_2"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).map(str.strip).filter(bool),
    min_size=1,
)


def ask(form="json", name="translate-v2", **more):
    return Ask(load_prompt(name), form, TEXTS, **more)


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_names_what_must_not_change(name):
    prompt = load_prompt(name)
    for word in ("Modern Standard Arabic", "unit", "negation", "side", "certain", "question stays a question", "[NAME]"):
        assert word.lower() in prompt.system.lower(), word
    assert prompt.id.startswith(f"{name}:")
    assert "{findings}" in prompt.refine
    assert set(prompt.forms) == {"json", "delimited"}


def test_the_embedded_model_gets_the_short_prompt_and_all_others_the_full_one():
    assert prompt_for(EndpointSettings()).id.startswith("small-v1")
    assert prompt_for(EndpointSettings(base_url="https://llm.example.org/v1")).id.startswith("translate-v2")


def test_the_system_message_is_the_same_for_all_units_so_that_providers_can_cache_it():
    one = ask(context="task: vqa", terms=(("heart", "قلب"),), similar=(("Is it big?", "هل هو كبير؟"),)).messages()
    other = Ask(load_prompt("translate-v2"), "json", {"findings": "Clear."}).messages()
    assert one[0] == other[0]
    assert one[0]["role"] == "system"
    shown = one[-1]["content"]
    for words in ("task: vqa", "heart = قلب", "Is it big? = هل هو كبير؟"):
        assert words in shown


def test_a_small_model_sees_examples_and_no_context():
    messages = ask(name="small-v1", context="task: vqa", terms=(("heart", "قلب"),)).messages()
    assert [message["role"] for message in messages] == ["system", *["user", "assistant"] * 3, "user"]
    assert messages[-1]["content"] == json.dumps(TEXTS | {"answer": "It is, see ⟦1⟧."}, ensure_ascii=False)


@FORMS
@given(value=segments)
def test_what_is_written_in_a_form_is_read_back_from_it(form, value):
    made = Ask(load_prompt("translate-v2"), form, value)
    written = made.messages()[-1]["content"]
    assert made.parse(written) == value or "<<" in str(value)


@FORMS
def test_addresses_do_not_leave_and_come_back(form):
    made = ask(form)
    sent = made.messages()[-1]["content"]
    assert "https://" not in sent
    assert made.parse(sent) == TEXTS
    assert "marks are none, expected ⟦1⟧" in made.parse(sent.replace("⟦1⟧", ""))


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("", "not JSON"),
        ("Sure! {}", "not JSON"),
        ('{"question": "س"}', "keys are ['question'], expected"),
        ('{"question": "س", "answer": "ج", "note": "x"}', "keys are"),
        ('{"question": "س", "answer": ""}', "answer is empty"),
        ('{"question": "س", "answer": 3}', "answer is empty or not text"),
        ('["س", "ج"]', "keys are list"),
        ('{"question": "س", "answer": "ج"', "not JSON"),
    ],
)
def test_json_of_another_form_is_a_fault(answer, fault):
    assert fault in parse(answer, ("question", "answer"))


def test_a_fence_around_json_is_taken_off():
    assert parse('```json\n{"answer": "ج"}\n```', ("answer",)) == {"answer": "ج"}


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("", "labels are []"),
        ("Here it is:\n<<question>>\nس\n<<answer>>\nج", "text before the first label: 'Here it is:'"),
        ("<<question>>\nس", "labels are ['question']"),
        ("<<answer>>\nج\n<<question>>\nس", "labels are ['answer', 'question']"),
        ("<<question>>\nس\n<<answer>>\n", "answer is empty"),
        ("<<question>>\nس\n<<answer>>\nج\n<<answer>>\nج", "labels are"),
    ],
)
def test_labelled_lines_of_another_form_are_a_fault(answer, fault):
    assert fault in parse_delimited(answer, ("question", "answer"))


@FORMS
def test_a_refinement_names_each_error_and_shows_its_words(form):
    arabic = {"question": "هل القلب كبير؟", "answer": "الرئة"}
    finding = Finding(
        check="terms", category="accuracy/mistranslation", severity="critical", message="heart became lung", target_span=(0, 5)
    )
    *before, answer, wish = ask(form).again(arabic, {"answer": (finding,)})
    assert tuple(before) == ask(form).messages()
    assert answer["role"] == "assistant"
    assert "الرئة" in answer["content"]
    assert "- answer: heart became lung («الرئة»)" in wish["content"]


def test_the_schema_asks_for_each_label_and_nothing_else():
    schema = ask().schema()
    assert schema["required"] == list(TEXTS)
    assert schema["additionalProperties"] is False
    assert ask("delimited").schema() is None
