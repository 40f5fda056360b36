"""Laws of the checks: total, pure, honest about places, and blind to how the same Arabic is written."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.quality.arabic import fold
from pipeline.quality.checks import CHECKS, run_checks
from pipeline.quality.gate import Gate, Pair
from pipeline.settings import QualitySettings
from tests.quality.encoders import Fixed
from tests.quality.mutators import ERRORS, made
from tests.quality.pairs import RIGHT

#: What the checks look for, and what breaks text: put together at random, they meet in ways that nobody writes down.
FRAGMENTS = [
    "no ", "not ", "isn't ", "left lung ", "right ", "Yes, ", "No.", "5 mg ", "1,000 ", "3.5%", "L4-L5 ", "T2", "A. ",
    "\nB. ", "<image>",
    "[NAME]", "https://a.example/x", "Is ", "How many ", "?", "؟", ".", "stage III ", "eleven ", "liver ", "fracture ", "\n", " ",
    "لا ", "ليس ", "الأيسر ", "اليمنى ", "نعم، ", "٥ ملغ ", "١٬٠٠٠ ", "٣٫٥٪ ", "ثلاثون ", "إحدى عشرة ",
    "before ", "more than ", "hyper", "answer is B ", "from 2 to 3 ", "per minute ", "قبل ", "اكثر من ", "ملغ ",
    "الكبد ", "كسر ", "هل ", "حسنًا، ",
    "ـ", "\u064b", "\u0651", "\u0654", "\u200f", "\u202e", "\ud800", "\udfff", "\x00", "\ufeff",
    "İ", "ß", "ſ", "ﷺ", "ﻻ", "🫀", "پ", "Ø§", "１", "৫",
]  # fmt: skip
ANY = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(st.characters(), max_size=6)), max_size=12).map("".join)
ARABIC = st.lists(
    st.sampled_from(
        ["لا ", "ليس ", "دون ", "الفص الأيسر ", "الرئة اليمنى ", "على اليسار ", "٥ ملغ ", "3.5 سم ", "١٬٢٠٠ ", "ثلاثة أيام ",
         "أحد عشر ",
         "٤٠٪ ", "L4 ", "المؤلم ", "آفة ", "الرئوي ", "مسؤول ", "نعم، ", "كسر ", "بعد ", "السفلي ", "؟", ". ", "مئة ", "ثمانية "]
    ), max_size=8,
).map("".join)  # fmt: skip
ENGLISH = st.lists(
    st.sampled_from(
        ["no ", "not ", "without ", "left lobe ", "right lung ", "on the left ", "5 mg ", "3.5 cm ", "1,200 ", "three days ",
         "eleven ",
         "40% ", "L4 ", "painful ", "lesion ", "before ", "upper ", "Yes, ", "fracture ", "?", ". ", "a hundred ", "8 "]
    ), max_size=8,
).map("".join)  # fmt: skip
#: The checks that compare words and values; the others count characters too.
MEANING = {"numbers", "units", "negation", "laterality", "opposites", "codes", "polarity", "terms"}


@settings(deadline=None, max_examples=400, derandomize=True)
@given(source=ANY, target=ANY)
@example(source="see https://a.example/\ud800 now", target="انظر")
@example(source="İİİİİİ no 5 mg", target="٥ غ")
def test_checks_raise_on_no_text_and_point_inside_it(source, target):
    for finding in run_checks(source, target, "text"):
        finding.model_dump_json()  # a lone surrogate in a message would stop the table, the page and the file
        for span, text in ((finding.source_span, source), (finding.target_span, target)):
            if span is not None:
                assert 0 <= span[0] <= span[1] <= len(text), finding


@settings(deadline=None, max_examples=150, derandomize=True)
@given(source=ANY, target=ANY, other=ANY)
def test_a_check_says_the_same_twice_whatever_was_asked_in_between(source, target, other):
    first = run_checks(source, target, "text")
    run_checks(other, target, "answer")
    fold.cache_clear()
    assert run_checks(source, target, "text") == first


@settings(deadline=None, max_examples=150, derandomize=True)
@given(source=ANY, target=ANY)
def test_the_gate_scores_any_text_between_0_and_100(source, target):
    (scored,) = Gate(QualitySettings(), Fixed(1.0)).score([[Pair(source, target, "text")]])
    assert 0.0 <= scored.score <= 100.0
    if not source.strip() or not target.strip():
        assert scored.verdict == "reject"


def test_the_embedded_encoder_takes_any_text(gate):
    pairs = [
        Pair("The liver is \ud800 enlarged.", "الكبد \udfff متضخم.", "x"),
        Pair("🫀🫁 heart", "\x00قلب", "x"),
        Pair("aa", "ـــ", "x"),
    ]
    assert [s.verdict for s in gate.score([[pair] for pair in pairs]) if s.verdict == "accept"] == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    "text", ["ه" * 100_000, "left 5 mg no " * 7_000, "لا ٥ ملغ " * 10_000], ids=["word", "english", "arabic"]
)
def test_a_hundred_thousand_characters_are_no_exception(check, text):
    for source, target in ((text, "الكبد طبيعي."), ("The liver is normal.", text)):
        assert isinstance(check(source, target, "text"), list)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(source=ENGLISH, target=ARABIC)
def test_arabic_indic_and_latin_digits_give_the_same_findings(source, target):
    latin, arabic = run_checks(source, _latin(target), "text"), run_checks(source, _indic(target), "text")
    assert latin == arabic


@settings(deadline=None, max_examples=300, derandomize=True)
@given(source=ENGLISH, target=ARABIC, seed=st.randoms(use_true_random=False))
def test_harakat_and_tatweel_make_no_difference_to_meaning(source, target, seed):
    assert _meaning(source, _adorned(target, seed)) == _meaning(source, target)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(source=ENGLISH, target=ARABIC)
def test_composed_and_decomposed_letters_make_no_difference_to_meaning(source, target):
    forms = {_meaning(source, unicodedata.normalize(form, target)) for form in ("NFC", "NFD")}
    assert forms == {_meaning(source, target)}


@settings(deadline=None, max_examples=1, derandomize=True)
@given(seed=st.randoms(use_true_random=False))
def test_the_score_of_a_right_pair_does_not_depend_on_how_it_is_written(gate, seed):
    plain = [right for right in RIGHT if len(right.target) < 60 and "://" not in right.target][::3]
    ways = (lambda text: text, _indic, _latin, lambda text: _adorned(text, seed), lambda text: unicodedata.normalize("NFD", text))
    scores = [gate.score([[Pair(r.source, way(r.target), r.kind)] for r in plain]) for way in ways]
    for right, *written in zip(plain, *scores, strict=True):
        assert len({(s.score, s.verdict) for s in written}) == 1, (right.source, [(s.score, s.similarity) for s in written])


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_named_in_arabic_indic_digits_and_decomposed_letters_as_well(name):
    error = ERRORS[name]
    for right, wrong in made(error):
        if "://" in right.source:
            continue
        for written in (_indic(wrong), _latin(wrong), unicodedata.normalize("NFD", wrong)):
            named = {f.check for f in run_checks(right.source, written, right.kind) if f.severity == error.severity}
            assert named & error.checks, (name, right.source, written)


def _meaning(source, target):
    """Findings about meaning, with the folded words that they point at in place of the places."""
    found = []
    for f in run_checks(source, target, "text"):
        if f.check in MEANING:
            words = fold(target[slice(*f.target_span)]).text if f.target_span else None
            found.append((f.check, f.severity, f.message, f.source_span, words))
    return tuple(found)


def _indic(text):
    letters = list(text.translate({ord("%"): "٪", **{ord(str(n)): chr(0x0660 + n) for n in range(10)}}))
    return _between_digits("".join(letters), {".": "٫", ",": "٬"})


def _latin(text):
    return text.translate({**{0x0660 + n: str(n) for n in range(10)}, ord("٪"): "%", ord("٫"): ".", ord("٬"): ","})


def _between_digits(text, signs):
    inner = zip(text, " " + text, text[1:] + " ", strict=False)
    return "".join(signs.get(c, c) if before.isdigit() and after.isdigit() else c for c, before, after in inner)


def _adorned(text, seed):
    """Harakat behind some letters, tatweel inside some words."""
    out = []
    for character, after in zip(text, f"{text} "[1:], strict=True):
        out.append(character)
        if "\u0621" <= character <= "\u064a" and character != "ـ":
            out.append(seed.choice(["", "", "\u064e", "\u0650", "\u0651\u064f"]))
            if "\u0621" <= after <= "\u064a":
                out.append(seed.choice(["", "", "", "ـ"]))
    return "".join(out)
