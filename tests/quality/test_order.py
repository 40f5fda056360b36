"""Items of a list in each other's place are found, by their words or by their numbers; right lists are left alone."""

import numpy as np
import pytest

from pipeline.quality.checks import run_checks
from pipeline.quality.order import exchanged
from tests.quality.encoders import Fixed

SOURCE = "What is most likely?\nA. Acute appendicitis\nB. Gallstones\nC. A fracture of the hip\nD. Normal"
RIGHT = "ما الأرجح؟\nA. التهاب الزائدة الدودية الحاد\nB. حصى المرارة\nC. كسر في الورك\nD. طبيعي"
SWAPPED = "ما الأرجح؟\nA. كسر في الورك\nB. حصى المرارة\nC. التهاب الزائدة الدودية الحاد\nD. طبيعي"


@pytest.fixture(scope="module")
def encoder():
    from pipeline.quality.encoder import embedded_encoder

    return embedded_encoder()


def test_two_options_with_each_others_arabic_are_named_with_their_place(encoder):
    found = exchanged(encoder, [(SOURCE, RIGHT), (SOURCE, SWAPPED)])
    assert list(found) == [1]
    assert found[1].severity == "critical"
    assert found[1].message == "'Acute appendicitis' and 'A fracture of the hip' have each other's Arabic"
    assert SOURCE[slice(*found[1].source_span)] == "Acute appendicitis"
    assert SWAPPED[slice(*found[1].target_span)] == "كسر في الورك"


@pytest.mark.parametrize(
    ("source", "target", "check"),
    [
        ("A. 5 mg\nB. 50 mg\nC. 500 mg", "A. 50 ملغ\nB. 5 ملغ\nC. 500 ملغ", "numbers"),
        ("A. C4-C5\nB. C5-C6\nC. C6-C7", "A. C5-C6\nB. C4-C5\nC. C6-C7", "codes"),
        ("1. After 3 months\n2. After 6 months", "1. بعد 6 أشهر\n2. بعد 3 أشهر", "numbers"),
    ],
)
def test_options_that_differ_by_a_number_are_read_one_by_one(source, target, check):
    assert check in {finding.check for finding in run_checks(source, target, "text")}


@pytest.mark.parametrize("pair", [("", ""), ("A. x", "A. x"), ("A. one\nB. two", "واحد"), ("A. \ud800\nB. two", "A. \nB. ب")])
def test_what_is_no_list_on_both_sides_has_no_order(pair):
    assert exchanged(Fixed(1.0), [pair]) == {}


def test_an_encoder_to_which_all_is_alike_names_no_exchange():
    class Alike:
        def encode(self, texts):
            return np.ones((len(texts), 4), np.float32) / 2

    assert exchanged(Alike(), [(SOURCE, SWAPPED)]) == {}
