"""The curate stage: every sample that comes in is curated or excluded, once, with its reason; again gives the same bytes."""

import json
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curate.dedup import find_duplicates
from pipeline.curate.stage import curate_chunk
from schemas.sample import IMAGE_MARK, REASONS, Exclusion, Overlap, Sample
from tests.curate.samples import configured, ingested, sample

QUESTIONS = st.sampled_from(
    ["What is it?", "", "?", f"{IMAGE_MARK}What?", "Ask Dr. Smith.", "  &lt;b&gt;Is it?  ", "x" * 300, "Why?"]
)
ANSWERS = st.sampled_from(
    ["A liver.", " ", "I cannot see the image.", "\u202eYes", "On 12/13/2020.", "Hello, yes. Regards", "\ud7ff"]
)
SPLITS = st.sampled_from(["train", "test", "validation"])
ROWS = st.lists(st.tuples(QUESTIONS, ANSWERS, SPLITS, st.sampled_from([(), ("x",), ("x", "y")])), max_size=12)


def _curated(folder, sources, **curate):
    workspace = ingested(folder, *sources)
    config = configured(folder, curate={"max_chars": 200} | curate)
    find_duplicates(config, workspace)
    for manifest in workspace.manifests("ingest"):
        curate_chunk(config, workspace, manifest.chunk)
    return list(workspace.rows("curate", Sample, "samples")), list(workspace.rows("curate", Exclusion, "excluded"))


def _bytes(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "tables" / "curate").iterdir())}


@settings(max_examples=15, deadline=None)
@given(ROWS, st.integers(0, 12))
def test_what_comes_in_is_curated_or_excluded_exactly_once(rows, cut):
    many = [sample(f"s{n}", q, a, split=split, images=images) for n, (q, a, split, images) in enumerate(rows)]
    with tempfile.TemporaryDirectory() as name:
        kept, fallen = _curated(Path(name), [many[:cut], many[cut:]])
    assert Counter([one.id for one in kept] + [one.sample for one in fallen]) == Counter(one.id for one in many)
    assert {one.reason for one in fallen} <= set(REASONS)
    assert all(one.stage == "curate" for one in fallen)
    by_id = {one.id: one for one in many}
    for one in kept:
        before = by_id[one.id]
        assert one.model_copy(update={"turns": before.turns, "meta": before.meta}) == before, "only text and notes may change"
        assert [turn.role for turn in one.turns] == [turn.role for turn in before.turns]


def test_the_same_samples_give_the_same_bytes(tmp_path):
    rows = [sample("a", "Is &gt; 5 much?", "Ask Dr. Smith."), sample("b"), sample("c"), sample("d", answer="", images=["x"])]
    for name in ("one", "two"):
        _curated(tmp_path / name, [rows[:2], rows[2:]])
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")


def test_reasons_come_in_the_order_of_the_stage(tmp_path):
    rows = [sample("a"), sample("b"), sample("c", answer=" "), sample("d", "Is it large?", "I cannot see the image.")]
    _, fallen = _curated(tmp_path, [rows])
    assert [(one.sample, one.reason) for one in fallen] == [
        ("b", "exact_duplicate"),
        ("c", "empty_answer"),
        ("d", "image_unseen"),
    ]
    assert fallen[0].detail == "the same as a"


def test_what_was_changed_is_noted_on_the_sample(tmp_path):
    kept, _ = _curated(tmp_path, [[sample("a", "Is &gt; 5 much?", "Ask Dr. Smith and Dr. Jones on 12/13/2020.")]])
    assert kept[0].turns[0].text == "Is > 5 much?"
    assert kept[0].turns[1].text == "Ask Dr. [NAME] and Dr. [NAME] on [DATE]."
    assert kept[0].meta == {"cleaned": "entities", "deidentified": "[DATE]=1,[NAME]=2"}


def test_deidentification_can_be_turned_off_and_then_nothing_is_touched(tmp_path):
    kept, _ = _curated(tmp_path, [[sample("a", "Ask Dr. Smith.")]], deidentify=False)
    assert kept[0].turns[0].text == "Ask Dr. Smith."
    assert kept[0].meta == {}


def test_only_chat_corpora_lose_their_greetings(tmp_path):
    answer = "Hello, drink water. Take care."
    rows = [sample("a", "Why?", answer), sample("b", "Who?", answer, corpus="icliniq")]
    kept, _ = _curated(tmp_path, [rows])
    assert [one.turns[1].text for one in kept] == [answer, "drink water."]
    assert kept[1].meta["cleaned"] == "boilerplate"


def test_an_entity_that_spells_a_mark_makes_no_image(tmp_path):
    _, fallen = _curated(tmp_path, [[sample("a", "&lt;image&gt; What is it?")]])
    assert [one.reason for one in fallen] == ["image_count"]


def test_benchmark_items_fall_from_train_and_say_what_they_share(tmp_path):
    item = "which of these old wives remedies has ever been shown to shorten a cold by more than one whole day"
    said = [{"from": "human", "value": item}, {"from": "gpt", "value": "None."}]
    (tmp_path / "held.json").write_text(json.dumps([{"id": 1, "conversations": said}]))
    workspace = ingested(tmp_path, [sample("a", f"Tell me: {item}?"), sample("b"), sample("c", item[:40], split="test")])
    sources = [{"corpus": "llava", "path": tmp_path / "held.json", "split": "test"}]
    config = configured(tmp_path, sources=sources, curate={"benchmarks": ["llava:test"]})
    find_duplicates(config, workspace)
    curate_chunk(config, workspace, "00-llava-00000")
    (fallen,) = workspace.rows("curate", Exclusion, "excluded")
    assert (fallen.sample, fallen.reason) == ("a", "contaminated")
    (overlap,) = workspace.rows("curate", Overlap, "overlaps")
    assert (overlap.sample, overlap.kind, overlap.item) == ("a", "13 words", "llava:test 1")
    assert (overlap.theirs, overlap.ours) == (
        f"{item}\nNone.",
        "which of these old wives remedies has ever been shown to shorten a",
    )
    assert fallen.detail.startswith(f"13 words of llava:test 1: {item!r} | here: 'Tell me"[:40])
