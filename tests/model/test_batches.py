"""Batches: every example once an epoch, in an order that seed and epoch decide; what is too long is counted."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from model.batches import Prepared, batches, epochs, prepare, tensors
from model.data import examples
from model.tokens import IGNORED, train_tokens
from tests.model.conftest import config


@pytest.fixture(scope="module")
def prepared():
    """57 of lengths 3 to 59, each with ids of its own."""
    return [Prepared([number] * length, [number] * length, ()) for number, length in enumerate(range(3, 60))]


@pytest.mark.parametrize("size", [1, 4, 57, 100])
def test_each_example_comes_once_an_epoch(prepared, size):
    groups = batches(prepared, size, seed=1, epoch=0)
    assert Counter(item.ids[0] for group in groups for item in group) == Counter(range(57))
    assert max(map(len, groups)) <= size
    assert sum(len(group) < size for group in groups) <= 1


def test_seed_and_epoch_decide_the_order(prepared):
    def order(seed, epoch):
        return [[item.ids[0] for item in group] for group in batches(prepared, 4, seed, epoch)]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_all_epochs_in_a_row_are_the_epochs(prepared):
    assert list(epochs(prepared, 8, 5, 3)) == [group for epoch in range(3) for group in batches(prepared, 8, 5, epoch)]


def test_neighbours_in_a_batch_are_of_similar_length(prepared):
    spans = [max(lengths) - min(lengths) for group in batches(prepared, 4, 1, 0) if (lengths := [len(i.ids) for i in group])]
    assert max(spans) < 32, "a batch spans two of the 16-token classes at most"


def test_padding_is_neither_seen_nor_learnt():
    short, long = Prepared([5, 6], [IGNORED, 6], ()), Prepared([7, 8, 9], [IGNORED, 8, 9], ())
    made = tensors([short, long], pad=3, side=32, device="cpu")
    assert made["input_ids"].tolist() == [[5, 6, 3], [7, 8, 9]]
    assert made["attention_mask"].tolist() == [[1, 1, 0], [1, 1, 1]]
    assert made["labels"].tolist() == [[IGNORED, 6, IGNORED], [IGNORED, 8, 9]]
    assert "pixel_values" not in made


def test_pictures_stand_in_the_order_of_their_marks(release):
    shown = [example for example in examples(release, "train") if example.images]
    items = [Prepared([4], [4], example.images) for example in shown]
    made = tensors(items, pad=3, side=32, device="cpu")["pixel_values"]
    assert made.shape == (len(shown), 3, 32, 32)
    assert made.dtype == torch.float32
    keys = [example.image_keys[0] for example in shown]
    for one, other in ((0, 1), (0, keys.index(next(key for key in keys if key != keys[0])))):
        assert np.array_equal(made[one], made[other]) == (keys[one] == keys[other])


def test_what_is_too_long_is_left_out_whole_and_counted(release, tmp_path):
    rows = list(examples(release, "train"))
    tokens = train_tokens([text for row in rows for _, text in row.turns], 400, tmp_path / "tokenizer.model")
    limit = config().language.max_tokens
    endless = replace(rows[0], turns=(*rows[0].turns, ("user", "Which organ is this? " * 30), ("assistant", "The liver.")))
    ready, too_long = prepare([endless, *rows, endless], tokens, config())
    assert len(tokens.sample(endless.turns, 4)[0]) > limit
    assert (too_long, len(ready)) == (2, len(rows))
    assert all(len(item.ids) <= limit for item in ready)
    assert all(item.ids[-1] == tokens.end for item in ready), "a cut sample ends in the middle"
