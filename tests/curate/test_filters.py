"""Filters: which samples fall with which reason, and that answers lose their frame and never their advice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate.filters import fault, without_boilerplate
from schemas.sample import IMAGE_MARK, REASONS
from tests.curate.samples import sample

MARK = f"{IMAGE_MARK}\n"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"turns": [("user", "Why?")]}, "invalid_turns"),
        ({"turns": [("assistant", "Because.")]}, "invalid_turns"),
        ({"turns": [("user", "Why?"), ("user", "Why?")]}, "invalid_turns"),
        ({"turns": [("system", "Be brief.")]}, "invalid_turns"),
        ({"turns": []}, "invalid_turns"),
        ({"question": f"{MARK}What?"}, "image_count"),
        ({"turns": [("user", "What?"), ("assistant", "That.")], "images": ["x"]}, "image_count"),
        ({"question": " \n"}, "empty_question"),
        ({"question": "", "images": ["x"]}, "empty_question"),
        ({"answer": " "}, "empty_answer"),
        ({"turns": [("user", "Why?"), ("assistant", "So."), ("user", "And?"), ("assistant", "")]}, "empty_answer"),
        ({"answer": "x" * 2000}, "too_long"),
        ({"question": "?"}, "too_short"),
        ({"question": "x", "images": ["x"]}, "too_short"),
        ({"answer": "I'm unable to view the attached image."}, "image_unseen"),
        ({"answer": "Sorry, I cannot see images."}, "image_unseen"),
        ({"answer": "I can’t access your X-ray, but in general it heals."}, "image_unseen"),
        ({"answer": "As an AI I give no diagnosis."}, "image_unseen"),
        ({"answer": "No image was provided."}, "image_unseen"),
        ({"answer": "No pictures have been attached."}, "image_unseen"),
    ],
)
def test_what_falls_says_why(changes, reason):
    found, _ = fault(sample("s", **changes), 1000)
    assert found == reason
    assert reason in REASONS


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"turns": [("system", "Be brief."), ("user", "Why?"), ("assistant", "No.")]},
        {"images": ["x", "y"]},
        {"answer": "I cannot see any fracture in this image."},
        {"answer": "I can't see a reason to worry."},
        {"answer": "The patient is unable to see with the left eye."},
        {"answer": "No"},
        {"answer": "None"},
        {"question": "CT", "answer": "2"},
        {"answer": "x" * 980},
    ],
)
def test_what_is_worth_learning_from_stays(changes):
    assert fault(sample("s", **changes), 1000) is None


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Hello, take two tablets.", "take two tablets."),
        ("Hi, Thanks for your query. I have gone through your query. Drink water.", "Drink water."),
        ("Dear patient, drink water.", "drink water."),
        ("Hello dear! Welcome to our clinic. Drink water.", "Drink water."),
        ("Drink water. Take care.", "Drink water."),
        ("Drink water. I hope this helps. Regards, Dr. A", "Drink water."),
        ("Drink water.\nHope this helps.\nThanks", "Drink water."),
        ("Drink water. Wishing you a good recovery!", "Drink water."),
        ("Drink water. Kind regards, your doctor", "Drink water."),
    ],
)
def test_the_frame_of_an_answer_goes(text, bare):
    assert without_boilerplate(text) == bare


@pytest.mark.parametrize(
    "text",
    [
        "Keep it dry and take care of the wound.",
        "Rest. Take care of the wound.",
        "Take care not to lift anything.",
        "With regards to your question, take iron.",
        "Hi-res CT shows a nodule, which is benign.",
        "Histology was normal.",
        "I hope so.",
        "He wishes to stop; I hope that he does not, as it is dangerous",
        "Thanks.",
        "",
    ],
)
def test_advice_stays_word_for_word(text):
    assert without_boilerplate(text) == text


def test_advice_behind_a_thanks_stays():
    assert without_boilerplate("Thank you for asking, but you must stop aspirin now.") == "but you must stop aspirin now."


@given(
    st.text()
    | st.lists(st.sampled_from(["Hello,", "thanks ", "regards", ". ", "\n", "take care", "I hope this", "!", "x"])).map("".join)
)
def test_nothing_is_added_and_never_all_taken(text):
    bare = without_boilerplate(text)
    assert bare in text
    assert bool(bare) == bool(text)


@pytest.mark.parametrize(
    "text",
    [
        ". " + "thanks " * 60 + "?",
        "thanks " * 4000 + "?",
        ". " + "regards. " * 4000 + "?",
        "\n " * 20_000 + "?",
        "hope that I" * 4000,
    ],
)
def test_an_answer_of_nothing_but_thanks_takes_no_minutes(text):
    """26 times `thanks` took longer than the suite's timeout: each could end one phrase and begin the next."""
    assert without_boilerplate(text)
