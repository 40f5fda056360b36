"""An answer agrees with the option or the choice that it names; what the sample says twice it says alike."""

import pytest

from pipeline.quality.agreement import agreement
from pipeline.quality.gate import Gate, Pair
from pipeline.settings import QualitySettings
from tests.quality.encoders import Fixed

OPTIONS = [
    ("Which plane is shown?", "ما المستوى المعروض؟"),
    ("A: Sagittal", "A: سهمي"),
    ("B: Axial", "B: محوري"),
    ("C: Coronal", "C: إكليلي"),
]
CHOICE = ("Is this a CT or an MRI?", "هل هذا تصوير مقطعي محوسب أم تصوير بالرنين المغناطيسي؟")


@pytest.mark.parametrize("answer", ["B: محوري", "ب: محوري", "محوريّ"])
def test_an_answer_that_says_its_option_agrees(answer):
    assert agreement([*OPTIONS, ("B: Axial", answer)]) == {}


def test_an_answer_that_says_another_option_is_critical():
    found = agreement([*OPTIONS, ("B: Axial", "B: سهمي")])
    assert {number: [(f.severity, f.message) for f in findings] for number, findings in found.items()} == {
        4: [("critical", "says 'sagittal', not 'axial'")]
    }


def test_an_answer_in_other_words_than_its_option_is_named_and_no_more():
    found = agreement([*OPTIONS, ("B: Axial", "B: عرضي")])
    assert [(f.severity, "other Arabic words" in f.message) for f in found[4]] == [("minor", True)]


@pytest.mark.parametrize(
    ("english", "arabic", "wrong"),
    [
        ("MRI", "التصوير بالرنين المغناطيسي", False),
        ("CT", "التصوير المقطعي المحوسب", False),
        ("CT", "الرنين المغناطيسي", True),
        ("MRI", "مقطعي محوسب", True),
        ("Ultrasound", "الرنين المغناطيسي", False),
        ("MRI", "نعم", False),
    ],
)
def test_an_answer_takes_the_choice_that_the_english_takes(english, arabic, wrong):
    found = agreement([CHOICE, (english, arabic)])
    assert [f.severity for f in found.get(1, [])] == ["critical"] * wrong


def test_a_sample_whose_answer_names_another_option_is_rejected_whatever_an_encoder_thinks_of_it():
    right = [Pair(english, arabic, "question") for english, arabic in OPTIONS]
    gate = Gate(QualitySettings(), Fixed(1.0))
    good, bad = gate.score([[*right, Pair("B: Axial", arabic, "answer")] for arabic in ("B: محوري", "B: سهمي")])
    assert (good.verdict, bad.verdict) == ("accept", "reject")
    assert "agreement" in {finding.check for finding in bad.by_pair[-1]}
