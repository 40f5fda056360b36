"""Terms written by their sound, and marks of another script: what is named, and what is rightly so."""

import pytest

from pipeline.quality.checks.punctuation import punctuation
from pipeline.quality.checks.spelled import spelled_out


@pytest.mark.parametrize(
    ("source", "target", "word"),
    [
        ("A fracture of the femur is seen.", "يُرى فراكتشر في عظم الفخذ.", "فراكتشر"),
        ("There is pneumonia on the left.", "هناك نيومونيا في اليسار.", "نيومونيا"),
        ("The patient has hypertension.", "المريض لديه الهايبرتنشن.", "الهايبرتنشن"),
        ("Mild cardiomegaly.", "كارديوميغالي خفيف.", "كارديوميغالي"),
        ("Bilateral effusion", "انصباب بايلاترال", "بايلاترال"),
    ],
)
def test_a_term_written_by_its_sound_is_named_with_its_place_on_both_sides(source, target, word):
    (found,) = spelled_out(source, target, "text")
    assert (found.severity, found.category) == ("major", "terminology")
    assert target[slice(*found.target_span)] == word
    assert source[slice(*found.source_span)].lower() in found.message.lower()


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("A fracture of the femur.", "كسر في عظم الفخذ (فراكتشر)."),
        ("Take paracetamol for the virus.", "تناول الباراسيتامول ضد الفيروس."),
        ("Stay 2 meters away.", "ابق على بعد مترين من الأمتار."),
        ("Alzheimer disease", "مرض ألزهايمر"),
        ("The fracture", "الشق"),
    ],
)
def test_arabic_words_borrowed_words_and_names_are_left_alone(source, target):
    assert spelled_out(source, target, "text") == []


@pytest.mark.parametrize(
    ("source", "target", "message", "mark"),
    [
        ("The liver, spleen and kidneys.", "الكبد, والطحال والكليتان.", "Latin , for ،", ","),
        ("Is it large?", "هل هي كبيرة?", "Latin ? for ؟", "?"),
        ("The lungs are clear.", "الرئتان صافيتان。", "。 is no mark of Arabic", "。"),
        ("Findings:", "الموجودات", "a colon at the end on one side only", None),
    ],
)
def test_a_mark_of_another_script_is_minor_and_stands_where_it_is(source, target, message, mark):
    (found,) = punctuation(source, target, "text")
    assert (found.severity, found.message) == ("minor", message)
    assert mark is None or target[slice(*found.target_span)] == mark


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("Give 1,000 mg; then rest.", "أعطِ 1,000 ملغ؛ ثم الراحة."),
        ("Signs: fever, cough", "العلامات: الحمى، والسعال"),
        ("See Table 2, Figure 3.", "انظر Table 2, Figure 3."),
    ],
)
def test_marks_inside_numbers_and_behind_latin_words_stay(source, target):
    assert punctuation(source, target, "text") == []
