"""The nouns: rows survive the way through Arrow, and wrong rows do not get in."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.base import Noun
from schemas.quality import Finding, Score
from schemas.release import Evidence, ReleaseRow
from schemas.sample import REASONS, Exclusion, ImageRef, Origin, Sample, Turn, twin_id
from schemas.tables import SCHEMAS, from_table, to_table
from schemas.translation import TwinDraft

SHA = "0" * 64
TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=40)
ORIGIN = st.builds(Origin, file=TEXT, row=st.integers(1, 10**9), sha256=st.just(SHA))
IMAGE = st.builds(
    ImageRef,
    sha256=st.just(SHA),
    media_type=st.sampled_from(["image/png", "image/jpeg"]),
    width=st.integers(1, 4096),
    height=st.integers(1, 4096),
    modality=st.sampled_from(["ct", "mri", "cxr"]),
    phash=st.just("f" * 16),
)
SAMPLE = st.builds(
    Sample,
    id=st.from_regex(r"[a-z0-9_-]{1,30}", fullmatch=True),
    corpus=TEXT,
    record=TEXT,
    split=st.sampled_from(["train", "test"]),
    task=st.sampled_from(["vqa", "report"]),
    language=st.sampled_from(["en", "ar"]),
    turns=st.lists(st.builds(Turn, role=st.sampled_from(["user", "assistant"]), text=TEXT), max_size=4).map(tuple),
    images=st.lists(IMAGE, max_size=2).map(tuple),
    licence=TEXT,
    access=st.sampled_from(["open", "credentialed"]),
    pair=st.none() | st.just("x-ar"),
    origin=ORIGIN,
    meta=st.dictionaries(TEXT, TEXT, max_size=3),
)
SPAN = st.none() | st.tuples(st.integers(0, 99), st.integers(0, 99))
FINDING = st.builds(
    Finding, check=TEXT, category=TEXT, severity=st.just("minor"), message=TEXT, source_span=SPAN, target_span=SPAN
)
SCORE = st.builds(
    Score,
    sample=st.just("a-1"),
    score=st.none() | st.floats(0, 100),
    verdict=st.sampled_from(["accept", "review"]),
    findings=st.lists(FINDING, max_size=3).map(tuple),
    similarity=st.none() | st.floats(-1, 1),
    judge=st.none(),
    version=TEXT,
)


def _round_trip(noun: type[Noun], rows: list[Noun]) -> list[Noun]:
    return list(from_table(noun, to_table(noun, rows)))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(rows=st.lists(SAMPLE, max_size=4))
def test_samples_survive_the_table(rows):
    assert _round_trip(Sample, rows) == rows


@settings(deadline=None, max_examples=60, derandomize=True)
@given(rows=st.lists(SCORE, max_size=4))
def test_scores_survive_the_table(rows):
    assert _round_trip(Score, rows) == rows


@settings(deadline=None, max_examples=30, derandomize=True)
@given(sample=SAMPLE, verdict=st.sampled_from(["accept", "review"]))
def test_release_rows_survive_the_table(sample, verdict):
    proof = Evidence(
        score=80.0,
        verdict=verdict,
        score_version="1",
        similarity=None,
        findings=0,
        units=(SHA,),
        calls=(),
        model="m",
        prompt="p",
        round=0,
        judged=False,
    )
    rows = [ReleaseRow(sample=sample, split="train", evidence=None), ReleaseRow(sample=sample, split="train", evidence=proof)]
    assert _round_trip(ReleaseRow, rows) == rows


def test_exclusions_and_drafts_survive_the_table():
    origin = Origin(file="a.json", row=1, sha256=SHA)
    fallen = [Exclusion(stage="ingest", reason="empty_answer", record="1", origin=origin)]
    drafts = [
        TwinDraft(sample="a-1", state="ok", turns=("س", "ج"), units=(SHA,), calls=(), model="m", prompt="p", round=1),
        TwinDraft(
            sample="a-2", state="failed", turns=(), units=(SHA,), calls=(SHA,), model="m", prompt="p", round=0, error="timeout"
        ),
    ]
    assert _round_trip(Exclusion, fallen) == fallen
    assert _round_trip(TwinDraft, drafts) == drafts


@pytest.mark.parametrize("bad", ["A-1", "a.1", "a 1", "", "ع"])
def test_an_id_that_is_no_shard_key_is_refused(bad):
    with pytest.raises(ValidationError):
        TwinDraft(sample="ok", state="ok", turns=(), units=("x",), calls=(), model="", prompt="", round=0)
    origin = Origin(file="a", row=1, sha256=SHA)
    with pytest.raises(ValidationError, match="id"):
        Sample(
            id=bad,
            corpus="c",
            record="1",
            split="train",
            task="vqa",
            language="en",
            turns=(),
            licence="x",
            access="open",
            origin=origin,
        )


def test_a_table_that_somebody_else_wrote_wrongly_is_refused():
    table = pa.table({"sample": ["a"], "score": [1.0]})
    with pytest.raises(ValidationError):
        list(from_table(Score, table))


def test_every_table_names_exactly_the_fields_of_its_noun():
    for noun, schema in SCHEMAS.items():
        assert schema.names == list(noun.model_fields), noun


def test_reasons_name_the_fault():
    for reason, words in REASONS.items():
        assert reason == reason.lower()
        assert words
    assert twin_id("slake-train-1") == "slake-train-1-ar"
