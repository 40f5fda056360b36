"""Short texts that the encoder knows badly: word lists vouch for right ones, and for nothing else."""

import pytest

from pipeline.quality.gate import Gate, Pair
from pipeline.quality.support import support
from pipeline.settings import QualitySettings
from tests.quality.encoders import Fixed

RIGHT = [
    ("The gallbladder is unremarkable.", "المرارة سليمة."),
    ("Right kidney", "الكُلية اليُمنى"),
    ("Hypodense", "ناقص الكثافة"),
    ("Portal vein is patent with normal flow.", "الوريد البابي سالك وجريانه طبيعي."),
    ("Left kidney, 5 mm stone", "الكلية اليسرى، حصاة ٥ ملم"),
]
WRONG = [
    ("The gallbladder is unremarkable.", "الطحال متضخم."),
    ("Portal vein is patent with normal flow.", "الوريد البابي."),
    ("Right kidney", "الرئة اليمنى والقلب والكبد"),
    ("Left kidney, 5 mm stone", "يذهب الأولاد إلى المدرسة"),
    ("", ""),
    ("the of", "في من"),
    ("\ud800", "\udfff"),
]


@pytest.mark.parametrize(("source", "target"), RIGHT)
def test_what_the_lists_know_on_both_sides_is_vouched_for(source, target):
    assert support(source, target) >= 0.5


@pytest.mark.parametrize(("source", "target"), WRONG)
def test_what_is_lost_added_or_another_thing_is_not(source, target):
    assert support(source, target) < 0.45


def test_a_vouched_text_is_accepted_at_a_similarity_that_refuses_others():
    right, unknown, wrong = Gate(QualitySettings(), Fixed(0.3)).score(
        [
            [Pair("The gallbladder is unremarkable.", "المرارة سليمة.", "text")],
            [Pair("The weather is fine today.", "الطقس جميل اليوم.", "text")],
            [Pair("The gallbladder is unremarkable.", "الطحال سليم.", "text")],
        ]
    )
    assert right.verdict == "accept"
    assert unknown.verdict != "accept"
    assert wrong.verdict == "reject"


def test_word_lists_lift_nothing_to_the_top():
    (scored,) = Gate(QualitySettings(), Fixed(0.3)).score([[Pair("Right kidney", "الكلية اليمنى", "text")]])
    assert 80 <= scored.score < 90
