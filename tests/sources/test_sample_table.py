"""Ingest's columns are the table of the same samples made one by one, and what is no sample is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sample_table import SampleTable
from pipeline.sources.base import Draft, Record
from pipeline.sources.registry import corpus
from pipeline.workspace import noun_table
from schemas.sample import ImageRef, Origin, Sample, Turn, twin_id

SHA = "ab" * 32
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
IMAGE = st.builds(
    ImageRef, sha256=st.just(SHA), media_type=st.sampled_from(["image/png", "image/jpeg"]), width=st.integers(1, 9),
    height=st.integers(1, 9), modality=TEXT, phash=st.just("0" * 16),
)  # fmt: skip
DRAFT = st.builds(
    Draft,
    task=st.sampled_from(["vqa", "report", "text_qa"]),
    turns=st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), TEXT), max_size=4).map(tuple),
    meta=st.dictionaries(TEXT, TEXT, max_size=2),
)
ROWS = st.lists(
    st.tuples(st.from_regex(r"[a-z0-9_-]{1,93}", fullmatch=True), TEXT, DRAFT, TEXT, st.lists(IMAGE, max_size=2)), max_size=5
)


def _table(rows):
    made = SampleTable(corpus("slake"), "a/train.json")
    for number, (name, record, draft, split, images) in enumerate(rows, 1):
        made.add(name, Record(id=record, row=number, sha256=SHA), draft, split, images)
    assert len(made) == len(rows)
    return made.table()


@given(ROWS)
def test_columns_are_the_samples(rows):
    known = corpus("slake")
    samples = [
        Sample(
            id=name, corpus="slake", record=record, split=split, task=draft.task, language="en",
            turns=tuple(Turn(role=role, text=text) for role, text in draft.turns), images=tuple(images), licence=known.licence,
            access=known.access, pair=twin_id(name), origin=Origin(file="a/train.json", row=number, sha256=SHA), meta=draft.meta,
        )
        for number, (name, record, draft, split, images) in enumerate(rows, 1)
    ]  # fmt: skip
    assert _table(rows).equals(noun_table(Sample, samples))


@pytest.mark.parametrize(
    ("name", "draft"),
    [
        ("A", Draft(task="vqa", turns=(("user", "x"),))),
        ("a" * 94, Draft(task="vqa", turns=(("user", "x"),))),
        ("a", Draft(task="quiz", turns=(("user", "x"),))),
        ("a", Draft(task="vqa", turns=(("human", "x"),))),
    ],
)
def test_what_is_no_sample_is_told(name, draft):
    with pytest.raises(ValueError, match="slake: no task, role or id of a sample"):
        _table([(name, "1", draft, "train", ())])
