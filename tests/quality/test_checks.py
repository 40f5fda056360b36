"""Right pairs raise no alarm; each class of error is named by the check that is there for it, and is never accepted."""

import unicodedata

import pytest

from pipeline.quality.checks import CHECKS, run_checks
from pipeline.quality.gate import Gate, Pair
from pipeline.settings import QualitySettings
from tests.quality.encoders import Fixed
from tests.quality.marked import WRITTEN, WRONG
from tests.quality.mutators import ERRORS, made
from tests.quality.pairs import RIGHT

#: Measured 1 of 73: a report with a dual that the encoder does not know (كيسان, two cysts).
_MOST_REFUSED = 2

#: What each kind of finding says.
SAID = (
    ("The left lung is clear.", "الرئة اليمنى سليمة.", "laterality", "left is turned around"),
    ("Take 5 mg now.", "تناول 5 غ الآن.", "units", "5 mg became 5 g"),
    ("Come back in 2 weeks.", "عد بعد ثلاثة أسابيع.", "numbers", "3 is not in the source"),
    ("Come back in 2 weeks.", "عد بعد ٣ أسابيع.", "numbers", "3 is not in the source"),
    ("No fracture is seen.", "يُرى كسر.", "negation", "the negation 'no' is lost"),
    ("Take one tablet in the morning.", "لا تتناول قرصًا في الصباح.", "negation", "denies what the source does not"),
    ("The spleen is enlarged.", "الطحال غير متضخم.", "negation", "denies what the source does not"),
    ("Apply it twice a day.", "ضعه مرتين أسبوعيًا.", "opposites", "daily became weekly"),
    ("It takes five to six days.", "يستغرق من خمسة إلى خمسة أيام.", "numbers", "5 is not in the source"),
    ("The level L4 is narrowed.", "المستوى L3 متضيق.", "codes", "L4 became L3"),
    ("Yes, it is.", "لا، ليس كذلك.", "polarity", "'Yes' at the beginning is turned around"),
    ("See https://a.example/b now.", "انظر الموقع الآن.", "urls", "the address 'https://a.example/b' is missing"),
    ("The liver is enlarged.", "الطحال متضخم.", "terms", "liver became spleen"),
    ("How many ribs are broken?", "هل كُسرت الأضلاع؟", "question_kind", "an open question became one for yes or no"),
    ("Call [NAME] today.", "اتصل بأحمد اليوم.", "placeholders", "placeholders differ: [NAME]"),
    ("<image>\nIs it?", "هل هو؟", "image_marks", "0 <image> marks, the source has 1"),
    ("A. Liver", "B. الكبد", "option_letters", "option letters are B, the source has A"),
    ("BENIGN", "ب", "untranslated", "no word of Arabic"),
    ("THE PATIENT IS STABLE.", "THE PATIENT IS STABLE.", "untranslated", "not translated"),
    ("The patient is stable.", "the المريض مستقر.", "untranslated", "left in English: the"),
    ("  ", "", "empty", "the translation is empty"),
    ("", "نعم", "empty", "there is a translation of nothing"),
    ("A fracture is seen.", "يُرى فراكتشر.", "spelled_out", "'fracture' is written by its sound: فراكتشر"),
    ("Is it large?", "هل هي كبيرة?", "punctuation", "Latin ? for ؟"),
    (
        "The liver is large.",
        "\ufe8d\ufedf\ufb90بد متضخم.",
        "encoding",
        "letters as they are drawn (presentation forms), not as they are written",
    ),
    ("Wait for two days (48 h).", "انتظر يومين () 48 ساعة.", "punctuation", "nothing between the brackets"),
)


def _critical(pair):
    return [f.message for f in run_checks(pair.source, pair.target, pair.kind) if f.severity == "critical"]


def test_the_bank_holds_all_kinds_of_text_and_what_makes_arabic_hard():
    assert len(RIGHT) >= 60
    assert {right.kind for right in RIGHT} == {"vqa", "mcq", "report", "dialogue"}
    everything = "".join(right.target for right in RIGHT)
    assert set("٠١٢٣٥٦٨٫٬٪ـ\u064f\u0654") <= set(everything)
    assert any(unicodedata.normalize("NFC", right.target) != right.target for right in RIGHT)
    assert len({(right.source, right.target) for right in RIGHT}) == len(RIGHT)


@pytest.mark.parametrize("pair", RIGHT, ids=lambda right: right.source[:40])
def test_a_right_pair_is_never_called_critical(pair):
    assert _critical(pair) == []


def test_the_gate_accepts_the_right_pairs(gate):
    scored = gate.score([[Pair(right.source, right.target, right.kind)] for right in RIGHT])
    refused = [(right.source, s.score) for right, s in zip(RIGHT, scored, strict=True) if s.verdict != "accept"]
    assert len(refused) <= _MOST_REFUSED, refused
    assert all(s.verdict != "reject" for s in scored)


@pytest.mark.parametrize("name", ERRORS)
def test_each_error_is_named_by_its_check_with_its_severity(name):
    error = ERRORS[name]
    wrong = made(error)
    assert len(wrong) >= error.least
    for right, target in wrong:
        findings = run_checks(right.source, target, right.kind)
        named = [f for f in findings if f.check in error.checks and f.severity == error.severity]
        assert named, (name, right.source, target, [(f.check, f.severity) for f in findings])


@pytest.mark.parametrize("name", ERRORS)
def test_no_error_is_accepted_even_by_an_encoder_that_likes_everything(name):
    wrong = made(ERRORS[name])
    scored = Gate(QualitySettings(), Fixed(1.0)).score([[Pair(right.source, target, right.kind)] for right, target in wrong])
    accepted = [(right.source, target) for (right, target), s in zip(wrong, scored, strict=True) if s.verdict == "accept"]
    assert accepted == []


def test_an_error_is_accepted_by_none_even_when_all_other_lines_of_the_item_are_right():
    right = [Pair(r.source, r.target, r.kind) for r in RIGHT if "\n" not in r.source][:5]
    (scored,) = Gate(QualitySettings(), Fixed(1.0)).score(
        [[*right, Pair("The left lung is clear.", "الرئة اليمنى سليمة.", "answer")]]
    )
    assert scored.verdict == "reject"
    assert [f.check for part in scored.by_pair[:5] for f in part if f.severity == "critical"] == []
    assert "laterality" in [f.check for f in scored.by_pair[5]]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_each_check_of_the_registry_is_the_one_that_some_error_needs(check):
    needed = {name for error in ERRORS.values() for name in error.checks} | {wrong.check for wrong in (*WRONG, *WRITTEN)}
    assert check.__name__ in needed | {check for _, _, check, _ in SAID}


@pytest.mark.parametrize(("source", "target", "check", "message"), SAID)
def test_a_finding_says_what_is_wrong(source, target, check, message):
    assert (check, message) in [(f.check, f.message) for f in run_checks(source, target, "text")]


@pytest.mark.parametrize(
    ("source", "target", "check", "here", "there"),
    [
        ("İ İ İ: no fracture is seen.", "يُرى كسر.", "negation", "no", None),  # lower() makes two letters of each İ
        ("İ İ İ: take 5 mg now.", "تنـاولْ الآنَ ٥ غ.", "units", "5 mg", "٥ غ"),
        ("The left lung is clear.", "الرِّئةُ اليُمـنى سليمة.", "laterality", "left", "اليُمـنى"),
        ("The dose is 25 drops.", "الجُرعةُ ٢٧ قطرة.", "numbers", None, "٢٧"),
        ("The dose is 25 drops.", "الجُرعةُ قطرات.", "numbers", "25", None),
        ("Wait for 2 weeks.", "انتظِرْ ثلاثةَ أسابيع.", "numbers", None, "ثلاثة"),
        ("The liver is enlarged.", "الطِّحالُ متضخم.", "terms", "liver", "الطِّحال"),
        ("Wait for a while.", "انتظرْ انتظرْ انتظرْ انتظرْ قليلًا.", "repetition", None, "انتظرْ انتظرْ انتظرْ انتظر"),
    ],
)
def test_a_finding_points_at_the_words_as_they_were_given(source, target, check, here, there):
    findings = [f for f in run_checks(source, target, "text") if f.check == check]
    sources = {source[slice(*f.source_span)] for f in findings if f.source_span}
    targets = {target[slice(*f.target_span)] for f in findings if f.target_span}
    assert here is None or here in sources
    assert there is None or there in targets


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("Blood pressure was 140/90 mmHg.", "كان ضغط الدم ١٤٠/٩٠ ملم زئبق."),  # hamza folds on both sides
        ("Eleven stones were removed.", "أزيلت 11 حصاة."),
        ("11 stones were removed.", "أزيلت إحدى عشرة حصاة."),
        ("20 stones were removed.", "أزيلت عشرون حصاة."),
        ("R0 was 3.7 at first.", "كان رقم التكاثر الأساسي 3.7 في البداية."),
        ("Grade II is common.", "الدرجة 2 شائعة."),
        ("[NAME]", "[NAME]"),
        ("https://a.example/b", "https://a.example/b"),
        ("<image>", "<image>"),
        ("T2", "T2"),
        ("The weight is 5 μg.", "الوزن 5 μg."),
        ("It is right in the middle of the chest.", "إنه في منتصف الصدر تمامًا."),
        ("Is the pneumothorax on the right?", "هل استرواح الصدر في الجهة اليمنى؟\u200f"),  # a mark of direction at the end
        ("The lesion was not mentioned and the lung is clear.", "لم تُذكر الآفة والرئة سليمة."),
    ],
)
def test_what_looks_like_an_error_and_is_none(source, target):
    assert [f.message for f in run_checks(source, target, "text") if f.severity in ("major", "critical")] == []


@pytest.mark.parametrize(
    "hiding",
    [
        ("Do not touch it, and avoid alcohol.", "المسه، وتجنب الكحول."),  # "avoid" has its own word
        ("There is no fracture here, only swelling.", "يوجد كسر هنا وتورم فقط."),  # قط is not in فقط
        ("It is not known what caused the fever.", "من المعروف ما سبب الحمى."),  # ما that asks
    ],
    ids=["avoid", "only", "what"],
)
def test_a_word_that_resembles_a_negation_does_not_hide_a_lost_one(hiding):
    assert "negation" in [f.check for f in run_checks(*hiding, "text")]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("Give at most 4 g a day.", "أعطِ ما لا يزيد عن 4 غ في اليوم."),
        ("Adults must not exceed 4 grams.", "على البالغين ألا يتجاوزوا 4 غرامات."),
        ("It is less than one week old.", "لم يمضِ عليه أكثر من أسبوع."),
        ("Over-the-counter drugs may help.", "قد تفيد الأدوية التي تُصرف دون وصفة."),
        ("The mass is heterogeneous.", "الكتلة غير متجانسة."),
        ("Born before 37 weeks", "مولود قبل الأسبوع السابع والثلاثين"),
        ("She was diagnosed at the age of 45.", "شُخّصت في سن الخامسة والأربعين."),
        ("The duodenum is normal.", "الاثنا عشري طبيعي."),
        ("Neither the right nor the left testis is enlarged.", "لا تضخم في أي من الخصيتين اليمنى أو اليسرى."),
        ("The swelling is on the left, isn't it?", "التورم في اليسار، أليس كذلك؟"),
    ],
)
def test_what_is_said_another_way_round_is_no_error(source, target):
    assert [f.message for f in run_checks(source, target, "text") if f.severity in ("major", "critical")] == []
