"""Folding: what is the same to a reader is the same to the checks, and each place leads back to the text as given."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.arabic import bare, fold, word_pattern

ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمنهويءأإآؤئىةٱ"
MARKS = "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0670\u0640"
TEXT = st.text(st.one_of(st.sampled_from(ARABIC + MARKS + "٠١٢٣٤٥٦٧٨٩۴٪٫٬ aB9.-\n"), st.characters()), max_size=60)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(text=TEXT)
def test_every_folded_character_stands_for_the_character_it_came_from(text):
    folded = fold(text)
    assert len(folded.at) == len(folded.text) + 1
    assert folded.at[-1] == len(text)
    assert list(folded.at) == [*sorted(set(folded.at[:-1])), len(text)]
    for place, character in enumerate(folded.text):
        assert fold(text[folded.at[place]]).text == character


@settings(deadline=None, max_examples=300, derandomize=True)
@given(text=TEXT, data=st.data())
def test_a_span_of_the_folded_text_covers_the_same_text_as_given(text, data):
    folded = fold(text)
    start = data.draw(st.integers(0, len(folded.text)))
    end = data.draw(st.integers(start, len(folded.text)))
    first, last = folded.span(start, end)
    assert 0 <= first <= last <= len(text)
    if end > start:
        assert fold(text[first:last]).text == folded.text[start:end]


@settings(deadline=None, max_examples=300, derandomize=True)
@given(text=TEXT)
def test_folding_twice_changes_nothing_more(text):
    once = fold(text).text
    assert fold(once).text == once


@settings(deadline=None, max_examples=300, derandomize=True)
@given(text=st.text(st.sampled_from(ARABIC + MARKS + "٠١٢ éÀ"), max_size=40))
def test_composed_and_decomposed_forms_fold_alike(text):
    composed, taken_apart = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    assert fold(composed).text == fold(taken_apart).text == fold(text).text
    assert bare(composed) == bare(taken_apart) == bare(text)


@pytest.mark.parametrize(
    ("given_text", "folded"),
    [
        ("الرِّئَةُ اليُسْرَى", "الرءه اليسري".replace("ء", "ي")),
        ("أإآٱا", "ااااا"),
        ("كبـــد", "كبد"),
        ("١٢٫٥٪ و٣٬٠٠٠", "12.5% و3,000"),
        ("۴۵", "45"),
        ("MRI–T2", "mri-t2"),
        ("\u200fنعم\u200e", "نعم"),
        ("", ""),
    ],
)
def test_what_readers_take_for_the_same_folds_to_one_form(given_text, folded):
    assert fold(given_text).text == folded


def test_the_encoder_sees_letters_as_they_are_and_digits_that_it_knows():
    assert bare("القِياسُ ١١٫٢ سـم في الرئة") == "القياس 11.2 سم في الرئة"
    assert bare("ﷺ ﻻ") == "ﷺ ﻻ", "compatibility forms are not rewritten"


@pytest.mark.parametrize("prefix", ["", "و", "ف", "ب", "ل", "ك", "ال", "وال", "فال", "بال", "كال", "وبال", "لل", "ولل"])
def test_a_word_is_found_behind_each_prefix_that_arabic_writes_on(prefix):
    found = word_pattern(["أيسر"]).search(fold(f"الفص {prefix}أيسر هنا").text)
    assert found
    assert found.group() == fold(f"{prefix}أيسر").text


@pytest.mark.parametrize("text", ["الأيسران", "تيسر", "أيسرهم", "سأيسر", "أيس ر"])
def test_a_part_of_another_word_is_not_the_word(text):
    assert word_pattern(["أيسر"]).search(fold(text).text) is None


def test_without_prefixes_only_the_bare_word_counts():
    plain = word_pattern(["لا"], prefixed=False)
    assert plain.search(fold("لا، شكرًا").text)
    assert plain.search(fold("ولا شك").text) is None
    assert word_pattern(["لا"]).search(fold("ولا شك").text)


def test_the_longer_of_two_words_is_taken():
    found = word_pattern(["غير", "غير واضح"]).search(fold("حدّ غيرُ واضحٍ").text)
    assert found is not None
    assert found.group() == "غير واضح"
