"""Texts as numbers: the words are those that the pattern finds, and the same words in another order are another text."""

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.curate.dedup import TOKENS
from pipeline.curate.grams import digests, grams, hash_of, words_of
from pipeline.curate.overlap import WORDS

PIECES = st.sampled_from(
    [
        "lung",
        "Lungs,",
        " ",
        "  ",
        "\n",
        "\t",
        "\u00a0",
        "-",
        "<",
        "\u2212",
        "±",
        "5",
        "2.5",
        "120/80",
        ".",
        "x",
        "É",
        "الرئة",
        "_",
        "''",
    ]
)
TEXTS = st.lists(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=30), max_size=5)


@pytest.mark.parametrize("pattern", [TOKENS, WORDS])
@settings(deadline=None)
@given(TEXTS)
@example(["< 5", "-  -\n5.5", "a- 5.-\t6", "5 - 3 <\u00a07", "", "\n"])
def test_the_words_are_those_that_the_pattern_finds_in_the_whole_text(pattern, texts):
    words = words_of(pa.array(texts, pa.string()), pattern)
    found = pl.Series(values=texts, dtype=pl.String).str.to_lowercase().str.extract_all(pattern).to_list()
    assert words.counts().tolist() == [len(each) for each in found]
    assert words.hashes.tolist() == [hash_of("".join(word.split())) for each in found for word in each]


@settings(deadline=None)
@given(TEXTS)
def test_a_text_has_the_same_numbers_whatever_stands_beside_it(texts):
    together = words_of(pa.array(texts, pa.string()), TOKENS)
    keys = digests(together.hashes, together.places)
    runs, places = grams(together, 3)
    for number, text in enumerate(texts):
        alone = words_of(pa.array([text], pa.string()), TOKENS)
        assert digests(alone.hashes, alone.places)[0].tolist() == keys[number].tolist()
        assert grams(alone, 3)[0].tolist() == runs[places[number] : places[number + 1]].tolist()


@settings(deadline=None)
@given(TEXTS)
def test_texts_have_the_same_digest_when_their_words_are_the_same_in_the_same_order(texts):
    texts = [*texts, "no left effusion", "left no effusion", "left effusion", "effusion left", "effusion effusion", "effusion"]
    words = words_of(pa.array(texts, pa.string()), TOKENS)
    keys = [tuple(key) for key in digests(words.hashes, words.places).tolist()]
    said = [tuple(words.hashes[words.places[n] : words.places[n + 1]].tolist()) for n in range(len(texts))]
    assert len(set(keys)) == len(set(said)) == len(set(zip(keys, said, strict=True)))
