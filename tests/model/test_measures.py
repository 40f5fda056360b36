"""The measures by table: both languages, whole words, and the two definitions of a closed question side by side."""

import random

import pytest

from model.generate import language
from model.measures import bleu_1, chrf, closed_historical, closed_strict, clustered, exact, interval, token_f1


@pytest.mark.parametrize(
    ("answer", "reference", "strict", "historical"),
    [
        ("Yes", "yes", 1.0, 1.0),
        ("No", "Yes", 0.0, 0.0),
        ("Yes, there is no doubt", "yes", 0.0, 1.0),  # it says both: right for the historical measure, not for the strict one
        ("It could be yes or no", "No", 0.0, 1.0),
        ("It is not enlarged", "No", 0.0, 1.0),  # "not" stands for "no": half of {no, not} is more than .4
        ("There is nothing abnormal", "No", 0.0, 0.0),
        ("", "yes", 0.0, 0.0),
        ("yesterday", "yes", 0.0, 0.0),
        ("Yes.", "Yes. The heart is enlarged.", 1.0, None),
        ("نعم", "نعم", 1.0, 1.0),
        ("لا", "نعم", 0.0, 0.0),
        ("نعم، القلب متضخم", "نعم", 1.0, 1.0),
        ("لا، القلب سليم", "لا", 1.0, 1.0),
        ("الأبهر", "لا", 0.0, 0.0),  # lam and alif inside a word are no answer
        ("بلا شك نعم", "نعم", 1.0, 1.0),  # "without" is not "no"
        ("لا، والسؤال نعم", "لا", 0.0, 1.0),
        ("لا", "لا، القلب سليم", 1.0, None),
    ],
)
def test_closed_questions(answer, reference, strict, historical):
    assert closed_strict(answer, reference) == strict
    assert closed_historical(answer, reference) == historical


@pytest.mark.parametrize(
    "reference",
    [
        "The liver",
        "No acute cardiopulmonary disease.",
        "لا يوجد انصباب جنبي.",
        "الكبد",
        "Yesterday",
        "لاحقًا",
        "",
        "Nothing",
        "not",
    ],
)
def test_an_open_reference_is_not_scored_as_closed(reference):
    """A report that opens with "no effusion" is a finding, not an answer of no."""
    assert closed_strict("no", reference) is None
    assert closed_historical("no", reference) is None


@pytest.mark.parametrize(
    ("answer", "reference", "f1"),
    [
        ("الكبد غير طبيعي", "الكبد غير طبيعي.", 1.0),
        ("الكبد سليم", "الكبد غير طبيعي", 0.4),
        ("الرئة", "الكبد", 0.0),
        ("the liver", "The liver.", 1.0),
        ("the the the", "the liver", 0.4),
        ("", "liver", 0.0),
        ("", "", 0.0),
    ],
)
def test_token_f1_counts_words_in_any_script(answer, reference, f1):
    assert token_f1(answer, reference) == pytest.approx(f1)


def test_exact_is_about_words_and_their_order():
    assert exact("The liver.", "the LIVER") == 1.0
    assert exact("الكبد غير طبيعي.", "الكبد غير طبيعي") == 1.0
    assert exact("liver the", "the liver") == 0.0


def test_bleu_1_pays_for_brevity_and_counts_a_word_as_often_as_the_reference_has_it():
    assert bleu_1("في الفص العلوي", "في الفص العلوي") == 1.0
    assert bleu_1("liver liver liver", "liver") == pytest.approx(1 / 3)
    assert 0 < bleu_1("liver", "the liver is abnormal") < 0.1
    assert bleu_1("", "liver") == 0.0


def test_chrf_is_100_for_the_reference_and_falls_with_the_words_that_are_lost():
    reference = ["تقع العقيدة في الفص العلوي الأيمن."]
    whole, half, other = (chrf([answer], reference) for answer in (reference[0], "تقع العقيدة في الفص.", "نعم"))
    assert whole == pytest.approx(100)
    assert whole > half > 30 > other


def test_the_interval_holds_the_mean_and_is_the_same_each_time():
    draw = random.Random(3)
    values = {f"c{number}": [draw.random()] for number in range(40)}
    low, high = interval(values)
    assert low < sum(value for (value,) in values.values()) / 40 < high
    assert interval(values) == (low, high)
    assert interval(values, seed=8) != (low, high)
    assert interval({"one": [0.25, 0.75]}) == (0.5, 0.5)


def test_items_of_one_cluster_count_as_the_little_that_they_tell():
    """40 answers about 4 pictures, all alike within a picture, are 4 observations."""
    pairs = [(f"picture-{number % 4}", float(number % 4 < 2)) for number in range(40)]
    together = interval(clustered(pairs))
    apart = interval(clustered([(f"item-{number}", value) for number, (_, value) in enumerate(pairs)]))
    assert together[1] - together[0] > 2 * (apart[1] - apart[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Is the heart enlarged?", "en"),
        ("هل القلب متضخم؟", "ar"),
        ("ما نتيجة CT؟", "ar"),
        ("ما معنى pneumothorax؟", "ar"),
        ("The word قلب means heart", "en"),
        ("123 ?", "en"),
        ("٣٫٥", "en"),
        ("", "en"),
    ],
)
def test_the_language_of_a_question_is_that_of_its_letters(text, expected):
    assert language(text) == expected
