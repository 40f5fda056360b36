"""Ids and labels: what is learnt is what the assistant said, and a text comes back as it went in."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from model.tokens import IGNORED, Tokens, train_tokens
from schemas.errors import InputError

TEXTS = [
    "Is the heart enlarged in this image?", "The liver is abnormal.", "There is no pleural effusion.", "Yes", "No",
    "هل القلب متضخم في هذه الصورة؟", "الكبد غير طبيعي.", "لا يوجد انصباب جنبي.", "نعم", "لا", "قَلْبٌ سَلِيمٌ",
]  # fmt: skip


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    return train_tokens(TEXTS * 3, 420, tmp_path_factory.mktemp("tokens") / "tokenizer.model")


def _learnt(tokens, ids, labels):
    """The stretches of labels, cut at their end marks, as text."""
    parts, part = [], []
    for number, label in zip(ids, labels, strict=True):
        assert label in (IGNORED, number), "a label is the id at its own place or nothing"
        if label == tokens.end:
            parts.append(tokens.decode(part))
            part = []
        elif label != IGNORED:
            part.append(label)
    assert part == [], "an answer without its end mark is never learnt to end"
    return parts


WORDS = st.sampled_from(sorted({word for text in TEXTS for word in text.split()} | {"unseen", "جديد", "٣٫٥", "<b>", "7"}))
SAYING = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(SAYING, SAYING), min_size=1, max_size=4), st.integers(0, 3))
def test_labels_are_the_assistants_words_and_end_marks_and_nothing_else(tokens, exchanges, images):
    turns = [(role, text) for user, said in exchanges for role, text in (("user", user), ("assistant", said))]
    turns[0] = ("user", "<image>\n" * images + turns[0][1])
    ids, labels = tokens.sample(turns, image_tokens=4)
    assert _learnt(tokens, ids, labels) == [said for _, said in exchanges]
    assert ids.count(tokens.image) == 4 * images
    assert ids[0] == tokens.start


def test_roles_and_system_words_are_not_learnt(tokens):
    turns = [("system", "The liver is abnormal."), ("user", "Yes"), ("assistant", "No")]
    ids, labels = tokens.sample(turns, 4)
    assert _learnt(tokens, ids, labels) == ["No"]
    assert labels[ids.index(tokens.assistant)] == IGNORED


def test_an_image_mark_takes_its_places_where_it_stands(tokens):
    ids, _ = tokens.sample([("user", "Yes <image> No")], image_tokens=3)
    first = ids.index(tokens.image)
    assert ids[first : first + 3] == [tokens.image] * 3
    assert tokens.decode(ids[:first]) == "Yes"
    assert tokens.decode(ids[first + 3 :]) == "No"


def test_an_answer_is_asked_for_by_opening_the_assistants_turn(tokens):
    told, _ = tokens.sample([("user", "Yes"), ("assistant", "No")], 4)
    asked, labels = tokens.sample([("user", "Yes")], 4, answer=True)
    assert asked == told[: len(asked)], "what is asked must look like what was learnt"
    assert set(labels) == {IGNORED}


@settings(max_examples=100, deadline=None)
@given(st.text(st.one_of(st.characters(min_codepoint=0x600, max_codepoint=0x6FF), st.characters(codec="utf-8")), max_size=40))
def test_any_text_comes_back(tokens, text):
    """Letters that no training text has travel as bytes. White space is white space, as in every unigram model."""
    plain = " ".join(text.split())
    assume(not any(sign in plain for sign in ("<image>", "<|", "\u2581", "\0")))
    assert " ".join(tokens.decode(tokens.encode(plain)).split()) == plain


@pytest.mark.parametrize("text", ["قَلْبٌ سَلِيمٌ", "\ufefb يوجد", "\u0623نف", "\u0627\u0654نف", "ـ تطويل ـ", "H₂O ½ ①"])
def test_nothing_is_normalised_away(tokens, text):
    """NFKC, SentencePiece's own choice, would rewrite ligatures, composed letters and signs."""
    assert tokens.decode(tokens.encode(text)) == text


def test_the_same_texts_give_the_same_tokenizer(tmp_path):
    first, second = tmp_path / "a" / "tokenizer.model", tmp_path / "b" / "tokenizer.model"
    train_tokens(TEXTS, 420, first)
    train_tokens(TEXTS, 420, second)
    assert first.read_bytes() == second.read_bytes()
    train_tokens(TEXTS[:6], 420, second)
    assert first.read_bytes() != second.read_bytes()


def test_a_folder_without_a_tokenizer_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"no tokenizer\.model.*bimedv train"):
        Tokens(tmp_path / "tokenizer.model")
