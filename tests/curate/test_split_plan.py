"""The release's splits (law 6): no image and no pair straddles them, and a stranger moves nobody."""

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.laws import _straddling
from pipeline.select import SplitPlan
from pipeline.settings import ReleaseSettings
from pipeline.workspace import Workspace, noun_table
from schemas.release import ReleaseRow
from schemas.sample import Exclusion, Sample
from tests.curate.samples import sample

NAMES = st.sets(st.sampled_from([f"i{n}" for n in range(9)]), max_size=3).map(sorted)
ROWS = st.lists(st.tuples(NAMES, st.sampled_from(["train", "train", "train", "validation", "test"])), min_size=1, max_size=14)
SHARES = st.sampled_from([
    {"train": 0.5, "validation": 0.5}, {"train": 0.3, "validation": 0.3, "test": 0.4}, {"train": 1.0},
    {"test": 0.2, "train": 0.8},
])  # fmt: skip


def _samples(rows):
    return [sample(f"s{n}", split=split, images=images) for n, (images, split) in enumerate(rows)]


def _splits(rows, shares, chunks=1):
    """Sample id to its split in a release of these curated samples."""
    with tempfile.TemporaryDirectory() as name:
        workspace = Workspace(Path(name))
        for number in range(chunks):
            tables = {"samples": noun_table(Sample, rows[number::chunks]), "excluded": noun_table(Exclusion, [])}
            workspace.write_chunk("curate", f"{number:02d}", "m", tables)
        plan = SplitPlan(ReleaseSettings(splits=shares), workspace)
        return {row.id: plan.split(row) for row in rows}


@settings(max_examples=30, deadline=None)
@given(ROWS, SHARES)
def test_no_image_straddles_splits_and_held_out_samples_pull_theirs_along(rows, shares):
    many = _samples(rows)
    splits = _splits(many, shares)
    of_image = {}
    for row in many:
        for image in row.images:
            of_image.setdefault(image.sha256, set()).add(splits[row.id])
        if row.split != "train":
            assert splits[row.id] in ("test", row.split), "a held-out sample may become better protected, never train"
    assert all(len(found) == 1 for found in of_image.values())
    assert set(splits.values()) <= set(shares) | {row.split for row in many} - {"train"}


@settings(max_examples=30, deadline=None)
@given(ROWS, SHARES, st.lists(st.sampled_from(["", "patient 1", "patient 2", "question 3"]), min_size=14, max_size=14))
def test_no_group_straddles_splits_with_images_or_without(rows, shares, groups):
    """A patient, a figure, a question and its paraphrases: what a corpus says that no split may part."""
    pairs = zip(_samples(rows), groups, strict=False)
    many = [one.model_copy(update={"meta": {"group": group} if group else {}}) for one, group in pairs]
    splits = _splits(many, shares)
    of_group = {}
    for row in many:
        of_group.setdefault(row.meta.get("group", row.id), set()).add(splits[row.id])
        assert row.split == "train" or splits[row.id] in ("test", row.split)
    assert all(len(found) == 1 for found in of_group.values())


@settings(max_examples=20, deadline=None)
@given(ROWS, SHARES)
def test_a_pair_never_parts(rows, shares):
    """Twins share images and the English id; asked for either, the plan gives one answer."""
    many = _samples(rows)
    splits = _splits(many, shares)
    twins = [row.model_copy(update={"language": "ar", "pair": row.id}) for row in many]
    assert _splits(twins, shares) == splits


@settings(max_examples=30, deadline=None)
@given(ROWS, SHARES, st.sampled_from(["train", "validation", "test"]), st.integers(0, 14), st.booleans())
def test_a_sample_that_shares_no_image_moves_no_other(rows, shares, split, place, pictured):
    many = _samples(rows)
    stranger = sample("stranger", split=split, images=["never-seen"] if pictured else [])
    after = _splits([*many[:place], stranger, *many[place:]], shares)
    del after["stranger"]
    assert after == _splits(many, shares)


@settings(max_examples=20, deadline=None)
@given(ROWS, SHARES, st.integers(1, 4), st.randoms())
def test_neither_the_order_nor_the_chunks_move_a_sample(rows, shares, chunks, random):
    many = _samples(rows)
    wanted = _splits(many, shares)
    random.shuffle(many)
    assert _splits(many, shares, chunks) == wanted


def test_which_sample_named_an_image_first_makes_no_difference():
    rows = _samples([([f"i{n}", f"j{n}"], "train") for n in range(40)])
    turned = [row.model_copy(update={"images": row.images[::-1]}) for row in reversed(rows)]
    assert _splits(rows, {"train": 0.5, "validation": 0.5}) == _splits(turned, {"train": 0.5, "validation": 0.5})


def test_a_chain_of_shared_images_is_one_component():
    rows = _samples([([f"i{n}", f"i{n + 1}"], "train") for n in range(7)] + [(["i7", "i8"], "test")])
    assert set(_splits(rows, {"train": 1.0}).values()) == {"test"}


def test_test_protects_more_than_validation():
    rows = _samples([(["i1"], "validation"), (["i1", "i2"], "train"), (["i2"], "test")])
    assert set(_splits(rows, {"train": 1.0}).values()) == {"test"}


@pytest.mark.parametrize("pictured", [True, False])
def test_the_shares_are_met(pictured):
    rows = [sample(f"s{n}", images=[f"i{n}"] if pictured else []) for n in range(600)]
    counts = Counter(_splits(rows, {"train": 0.7, "validation": 0.2, "test": 0.1}).values())
    assert abs(counts["train"] - 420) < 60
    assert abs(counts["validation"] - 120) < 45


@pytest.mark.parametrize(
    ("split", "told"), [("train", []), ("test", ["b is in test, and others of its group patient 1 in train"])]
)
def test_the_law_notices_a_group_in_two_splits(split, told):
    grouped = [sample(name).model_copy(update={"meta": {"group": "patient 1"}}) for name in "ab"]
    places = zip([*grouped, sample("c")], ["train", split, "validation"], strict=True)
    assert _straddling([ReleaseRow(sample=one, split=place, evidence=None) for one, place in places]) == told
