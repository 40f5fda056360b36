"""Cleaning is total and idempotent, says what it changed, and takes nothing away that is written."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.curate.clean import clean, untidy

#: Texts that are made of what the rules look for, so that rules meet each other.
PIECES = st.sampled_from([
    "&", "amp;", "lt;", "#38;", "#x26;", "nbsp;", "<", ">", "b", "br", "/", " ", "\n", "\r\n", "\t", "\u00a0", "\u2028", "\x0b",
    "\x85", "\u200b", "\u202e", "\u2066", "\u00ad", "\ufeff", "\ud800", "\x00", "\x9f", "e\u0301", "\u0301", "\u0344", "\ufb1d",
    "\u0651", "\u064e", "م", "ـ",
])  # fmt: skip
TEXTS = st.text() | st.lists(PIECES, max_size=30).map("".join)


@given(TEXTS)
@example("&" + "amp;" * 30 + "lt;br>")
@example("<b" * 15 + ">" * 15)
@example("&#38;#38;#38;lt;p>")
def test_cleaning_twice_changes_nothing_more(text):
    once, changed = clean(text)
    assert clean(once) == (once, ())
    assert (once != text) == bool(changed)
    assert unicodedata.is_normalized("NFC", once)


@given(TEXTS)
def test_what_is_left_holds_nothing_that_hides(text):
    once, _ = clean(text)
    assert not any(unicodedata.category(sign) in ("Cc", "Cs") for sign in once.replace("\n", "").replace("\t", ""))
    assert not set(once) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u2060\ufeff\u00ad")
    assert once == once.strip()
    assert "\n\n\n" not in once
    assert "  " not in once


ARABIC = [chr(code) for code in range(0x0621, 0x0653) if chr(code) != "\u0640"] + list("٠١٢٣٤٥٦٧٨٩،؛؟٫٪ﷲ")


@given(st.text(st.sampled_from([*ARABIC, *"abc 12.,"])))
def test_arabic_letters_harakat_digits_and_marks_stay(text):
    written = unicodedata.normalize("NFC", text).replace(" ", "")
    assert clean(text)[0].replace(" ", "") == written


def test_ligatures_and_presentation_forms_are_not_rewritten():
    """NFKC would: ﷺ becomes 18 letters, ﻻ two, ² a 2."""
    text = "ﷺ ﻻ ﬁ ² Å"
    assert clean(text)[0] == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "cleaned", "rules"),
    [
        ("plain", "plain", ()),
        ("Fever &gt; 38 &deg;C &amp; chills", "Fever > 38 °C & chills", ("entities",)),
        ("AT&T; a&b; H&P; R&D;", "AT&T; a&b; H&P; R&D;", ()),
        ("&notes; &copyright; &parameter;", "&notes; &copyright; &parameter;", ()),
        ("&#1593;&#x644;&#1575;&#1580;", "علاج", ("entities",)),
        ("<p>One<br/>two</p>", "One two", ("tags", "spaces")),
        ("&lt;b&gt;bold&lt;/b&gt;", "bold", ("entities", "tags", "spaces")),
        ("p < 0.05 and x > y", "p < 0.05 and x > y", ()),
        ("<image>\nWhat?", "<image>\nWhat?", ()),
        ("a\u202eb", "ab", ("bidi",)),
        ("in\u00adflam\u200bmation", "inflammation", ("zero_width",)),
        ("page one\x0cpage two", "page one\npage two", ("spaces",)),
        ("a\x00b", "ab", ("controls",)),
        ("a \u00a0 b  \r\n\r\n\r\n\r\n c ", "a b\n\nc", ("spaces",)),
        ("cafe\u0301", "café", ("nfc",)),
        ("a\ud800b", "ab", ("surrogates",)),
    ],
)
def test_each_rule_does_its_work_and_is_named(text, cleaned, rules):
    assert clean(text) == (cleaned, rules)


def test_crafted_nesting_ends():
    """Level by level this is quadratic, and takes longer than the suite's timeout."""
    for text in ("&" + "amp;" * 100_000, "<b" * 100_000 + ">" * 100_000, "&#38;" * 50_000):
        once, rules = clean(text)
        assert clean(once) == (once, ())
        assert "&amp;" not in once
        assert rules


TIDY = st.sampled_from(
    ["a", "B.", " ", "  ", "\n", "\n\n\n", "<image>", "<b>", "<", "&lt;", "&", "\u00a0", "e\u0301", "\x07", "5"]
)


@given(st.lists(st.lists(TIDY, max_size=12).map("".join) | st.text(max_size=40), max_size=4))
@example(["<", "a<imag", "<imagex", "<<image>image>", " a", "a\n", "a\n\n\nb", "&", "a\n b", "\x7f"])
def test_what_is_not_untidy_is_clean(texts):
    for text, found in zip(texts, untidy(texts), strict=True):
        assert found or clean(text) == (text, ())


def test_plain_text_with_a_mark_and_paragraphs_is_not_untidy():
    assert not untidy(["<image>\nWhat is it?\n\nIt is 5 cm (> 3 cm), clear; 120/80.", "<image>"]).any()
