"""Decontamination: a benchmark's image, text or run of 13 words is found in train, and everybody's short questions are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate.decontaminate import Benchmarks
from tests.curate.samples import image, sample

ITEM = "a man of forty years came with pain behind the breastbone that rose to his jaw while he carried coal upstairs"
WORDS = ITEM.split()


def test_an_image_of_a_benchmark_is_found_by_its_perceptual_hash():
    benchmarks = Benchmarks([("Is this a scan?", (image("x").phash,))])
    assert benchmarks.hit(sample("s", "Anything else?", images=["y", "x"])) == "an image of a benchmark"
    assert benchmarks.hit(sample("s", "Is this a scan?", images=["y"])) is None, "a short question is everybody's"


@pytest.mark.parametrize("start", [0, 3, len(WORDS) - 13])
def test_thirteen_words_of_an_item_are_found_wherever_they_stand(start):
    run = " ".join(WORDS[start : start + 13])
    hit = Benchmarks([(ITEM, ())]).hit(sample("s", "Tell me.", f"Well: {run.upper()}!"))
    assert hit == f"13 words of a benchmark item: {run}"


def test_twelve_words_are_not_enough():
    benchmarks = Benchmarks([(ITEM, ())])
    assert benchmarks.hit(sample("s", "Tell me.", f"Well: {' '.join(WORDS[2:14])} and nothing else")) is None


def test_an_exact_text_of_eight_words_is_found_and_one_of_seven_is_not():
    eight, seven = "what helps best against the common cold today", "what helps best against the common cold"
    benchmarks = Benchmarks([(eight, ()), (seven, ())])
    assert benchmarks.hit(sample("s", "What helps best against", "the common cold, today?")) == "the text of a benchmark item"
    assert benchmarks.hit(sample("s", "What helps best against", "the common cold?")) is None


def test_the_short_text_of_an_item_with_an_image_is_no_contamination():
    """Yes/no questions about other pictures share their words with half of SLAKE."""
    benchmarks = Benchmarks([("is the heart of this person larger than normal Yes", ("0" * 16,))])
    assert benchmarks.hit(sample("s", "Is the heart of this person larger than normal?", "Yes", images=["y"])) is None


@pytest.mark.parametrize("split", ["test", "validation"])
def test_held_out_samples_are_let_alone(split):
    assert Benchmarks([(ITEM, ())]).hit(sample("s", ITEM, split=split)) is None
    assert Benchmarks([(ITEM, ())]).hit(sample("s", ITEM)) is not None


def test_a_mark_is_no_word():
    assert Benchmarks([(ITEM, ())]).hit(sample("s", " ".join([*WORDS[:6], "<image>", *WORDS[6:]]), images=[])) is not None


@given(st.lists(st.text(max_size=30), max_size=5), st.text(max_size=80))
def test_it_is_total_and_no_benchmark_hits_nothing(items, text):
    assert Benchmarks([]).hit(sample("s", text)) is None
    hit = Benchmarks((item, ()) for item in items).hit(sample("s", text))
    assert hit is None or "benchmark" in hit


@given(st.lists(st.sampled_from(WORDS), min_size=13, max_size=40), st.integers(0, 27))
def test_every_verbatim_item_is_found(words, cut):
    text = " ".join(words)
    question, answer = " ".join(words[:cut]), " ".join(words[cut:])
    assert Benchmarks([(text, ())]).hit(sample("s", f"{question}", f"{answer}.")) is not None
