"""The corruptor: known errors at known places, the same for the same seed, and none that is no error."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.quality.arabic import fold
from pipeline.quality.corruptor import CLASSES, corrupt
from pipeline.quality.corruptor.edits import words
from tests.quality.pairs import RIGHT

#: What the bank of right pairs has no case of.
MORE = [
    ("The left lung is larger than the right lung.", "الرئة اليسرى أكبر من الرئة اليمنى."),
    ("The liver, which is large, is smooth, and the rest is normal.", "الكبد، وهو كبير الحجم جدا، أملس، والباقي طبيعي."),
    ("1. Shake it.\n2. Open it.\n3. Drink it.", "1. رجها.\n2. افتحها.\n3. اشربها."),
    ("Take it twice a day.", "تناوله مرتين يوميًا."),
]
PAIRS = [(right.source, right.target) for right in RIGHT] + MORE
_BANK = Path(__file__).parents[2] / "benchmarks" / "gate_pairs.jsonl"
ANY = st.text(st.characters() | st.sampled_from("لاكةى٥5.،\n \u202e\ud800"), max_size=60)


def _made(name):
    """(source, target, corruption) of each pair in which the error can be made, with three seeds."""
    tried = ((s, t, corrupt(name, s, t, seed, [target for _, target in MORE])) for s, t in PAIRS for seed in (1, 2, 3))
    return [(source, target, error) for source, target, error in tried if error is not None]


@pytest.mark.parametrize("name", CLASSES)
def test_outside_its_span_a_corruption_is_the_good_target(name):
    made = _made(name)
    assert made, "no pair in which it can be made: nothing would be proved"
    for source, target, error in made:
        start, end = error.span
        assert error.name == name
        assert error.target != target
        assert error.what
        assert 0 <= start <= end <= len(error.target)
        assert target.startswith(error.target[:start]), (target, error)
        assert target.endswith(error.target[end:]), (target, error)
        assert error.source_span is None or 0 <= error.source_span[0] < error.source_span[1] <= len(source)


@pytest.mark.parametrize("name", CLASSES)
def test_the_same_seed_makes_the_same_error(name):
    for source, target in PAIRS[::5]:
        assert corrupt(name, source, target, 7) == corrupt(name, source, target, 7)


def test_another_seed_makes_another_error():
    source, target = "Take 250 mg every 8 hours for 14 days.", "تناول 250 ملغ كل 8 ساعات لمدة 14 يومًا."
    assert len({corrupt("number_changed", source, target, seed).target for seed in range(20)}) > 10


@settings(deadline=None, max_examples=60, derandomize=True)
@given(source=ANY, target=ANY, seed=st.integers())
@example(source="no \ud800 left 5 mg", target="لا \udfff اليسرى ٥ ملغ", seed=1)
@example(source="x² ③", target="² ③ 5", seed=1)
def test_a_corruptor_raises_on_no_text(source, target, seed):
    for name in CLASSES:
        error = corrupt(name, source, target, seed, [source])
        if error is not None:
            assert target.startswith(error.target[: error.span[0]])
            assert target.endswith(error.target[error.span[1] :])


def test_an_unknown_class_is_refused():
    with pytest.raises(KeyError):
        corrupt("typo", "a", "b", 1)


@pytest.mark.parametrize(
    ("name", "source", "target", "wrong", "place"),
    [
        ("negation_dropped", "The spleen is not enlarged.", "الطحال غير متضخم.", "الطحال متضخم.", ""),
        ("side_swapped", "On the left.", "في الجهةِ اليُسـرى.", "في الجهةِ اليمنى.", "يمنى"),
        ("side_dropped", "On the left side.", "في الجهة اليسرى.", "في الجهة.", ""),
        ("yes_no_swapped", "Yes, it is.", "نعم، إنه كذلك.", "لا، إنه كذلك.", "لا"),
        ("decimal_moved", "Take 0.5 mg.", "تناول ٠٫٥ ملغ.", "تناول ٥ ملغ.", "٥"),
        ("digits_transposed", "It is 12.", "هو ١٢.", "هو ٢١.", "٢١"),
        ("list_reversed", "1. A\n2. B\n3. C", "1. ألف\n2. باء\n3. جيم", "1. جيم\n2. باء\n3. ألف", "جيم\n2. باء\n3. ألف"),
        ("image_lost", "<image>\nWhat is it?", "<image>\nما هذا؟", "ما هذا؟", ""),
        ("drug_swapped", "Stop Metformin.", "أوقف Metformin.", None, None),
        ("first_half_lost", "a b c d e f g h", "ا ب ت ث ج ح خ د", "ج ح خ د", ""),
        ("last_half_lost", "a b c d e f g h", "ا ب ت ث ج ح خ د", "ا ب ت ث", ""),
    ],
)
def test_what_an_error_looks_like(name, source, target, wrong, place):
    error = corrupt(name, source, target, 1)
    assert error is not None
    if wrong is None:
        assert error.target.isascii() is False
        assert error.target.split()[1].rstrip(".").isascii(), "a Latin name stays Latin"
    else:
        assert error.target == wrong
        assert error.target[slice(*error.span)] == place


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("negation_dropped", "Not only the liver is enlarged.", "ليس الكبد وحده متضخمًا."),
        ("negation_dropped", "No mass and no stone.", "لا كتلة ولا حصاة."),
        ("negation_dropped", "No, the spleen is normal.", "لا، الطحال طبيعي."),
        ("negation_added", "No mass is seen.", "لا توجد كتلة."),
        ("side_swapped", "You are all right.", "أنت بخير."),
        ("number_changed", "COVID-19 and T2", "كوفيد-19 وT2"),
        ("number_changed", "See https://a.example/12", "انظر https://a.example/12"),
        ("tenfold", "From 0 on.", "ابتداءً من 0."),
        ("unit_changed", "In a review of 2016 of 106 drugs", "في مراجعة 2016 لـ 106 أدوية"),
        ("unit_changed", "The pressure is 140 mmHg.", "الضغط 140 ملم زئبق."),
        ("yes_no_swapped", "No evidence of a mass.", "لا دليل على كتلة."),
        ("organ_swapped", "The same text.", "النص عينه."),
        ("opposite", "It was seen two weeks ago.", "شوهد قبل أسبوعين."),
        ("image_moved", "What is it?", "ما هذا؟"),
        ("list_reversed", "A. One\nB. Two", "A. واحد\nB. اثنان"),
        ("clause_lost", "One, two.", "واحد، اثنان."),
        ("sentence_lost", "One sentence only.", "جملة واحدة فقط."),
    ],
)
def test_where_an_error_cannot_be_made_nothing_is_made(name, source, target):
    assert [corrupt(name, source, target, seed) for seed in range(5)] == [None] * 5


@pytest.mark.parametrize("name", ["side_swapped", "unit_changed", "negation_dropped", "organ_swapped", "opposite"])
def test_decomposed_letters_and_harakat_hide_no_word_from_the_corruptor(name):
    plain = [(source, target) for source, target in PAIRS if corrupt(name, source, target, 1)]
    found = [corrupt(name, source, unicodedata.normalize("NFD", target), 1) for source, target in plain]
    assert plain
    assert None not in found


def test_a_changed_number_has_another_value_in_the_same_script():
    for _, target, error in _made("number_changed"):
        was = {character for character in target if character.isdigit()}
        new = error.target[slice(*error.span)]
        assert fold(new).text != fold(target[error.span[0] : len(target) - len(error.target) + error.span[1]]).text
        assert any(new_digit.isascii() == old.isascii() for new_digit in new if new_digit.isdigit() for old in was)


def test_a_swapped_drug_is_not_the_same_drug_under_another_name():
    for seed in range(200):
        error = corrupt("drug_swapped", "Take paracetamol now.", "تناول الباراسيتامول الآن.", seed)
        assert error.target[slice(*error.span)] not in words()["drugs"]["analgesics"]["paracetamol|acetaminophen"]


def test_an_unrelated_text_comes_from_the_others_and_is_not_the_right_one():
    target = "الكبد متضخم في هذه الصورة."
    others = [target, "الرئة اليمنى سليمة تمامًا.", "نعم"]
    found = {corrupt("unrelated", "The liver is enlarged in this image.", target, seed, others).target for seed in range(20)}
    assert found == {"الرئة اليمنى سليمة تمامًا."}


def test_the_opposites_are_none_of_the_same_word():
    rows = words()["opposites"]["rows"] + words()["frequency"]["rows"] + words()["negation"]["rows"]
    assert [row for row in rows if row[1] in row[2:]] == []
    assert len(words()["opposites"]["rows"]) >= 50
    assert sum(len(drugs) for drugs in words()["drugs"].values()) >= 60


def test_the_bank_of_the_benchmark_holds_enough_good_pairs_of_each_kind():
    rows = [json.loads(line) for line in _BANK.read_text(encoding="utf-8").splitlines()]
    assert len(rows) >= 150
    assert len({row["id"] for row in rows}) == len({row["source"] for row in rows}) == len(rows)
    assert {row["kind"] for row in rows} == {"question", "answer", "report", "instruction", "dialogue", "text", "mcq"}
    assert all(row["source"].strip() and row["target"].strip() for row in rows)
    assert [name for name in CLASSES if not any(corrupt(name, row["source"], row["target"], 1) for row in rows)] == []
