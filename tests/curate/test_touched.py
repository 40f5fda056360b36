"""Rows that curation passes on as columns: the outcome is that of every row as a sample, and only few become one."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curate.decontaminate import Benchmarks, Item
from pipeline.curate.dedup import STAGE, find_duplicates, load_duplicates
from pipeline.curate.stage import curate_chunk, curate_samples
from pipeline.curate.touched import touched
from pipeline.workspace import noun_table
from schemas.sample import IMAGE_MARK, Exclusion, Sample
from tests.curate.samples import configured, image, ingested, sample

ITEM = "which of these old wives remedies has ever been shown to shorten a cold by more than one whole day"
TEXTS = st.sampled_from(
    [
        "What is it?",
        "A liver.",
        "Yes",
        "B",
        "",
        " ",
        "?",
        IMAGE_MARK,
        f"{IMAGE_MARK}\nWhere is it?",
        f"{IMAGE_MARK}{IMAGE_MARK}",
        "a < b",
        "<b>bold</b>",
        "&lt;image&gt; x",
        "two  blanks",
        "a \n b",
        "end ",
        "Fever of 38 °C",
        "e\u0301",
        "\u202eYes",
        "Ask Dr. Smith.",
        "Call me on 555-123-4567.",
        "XXXX was seen",
        "12/13/2020",
        "I cannot see the image.",
        "as an AI I do not know",
        "I CAN'T VIEW this scan",
        "Hello, drink water. Take care.",
        "Thanks.",
        "x" * 90,
        ITEM,
        f"Tell me: {ITEM}?",
        ITEM.replace("whole", "full"),
        ITEM[:40],
        "the \u212aidney",
        "İ",
        "a\n\n\nb",
        "I'm unable to analyſe the scan",
    ]
)
ROLES = st.sampled_from(["user", "assistant", "system"])
ALTERNATING = st.lists(TEXTS, min_size=2, max_size=6).map(lambda texts: [*zip(("user", "assistant") * 3, texts, strict=False)])
TURNS = ALTERNATING | st.lists(st.tuples(ROLES, TEXTS), max_size=4)
KINDS = st.fixed_dictionaries(
    {
        "turns": TURNS.map(tuple),
        "images": st.sampled_from([(), (), ("x",), ("x", "y"), ("xray",)]),
        "split": st.sampled_from(["train", "train", "test"]),
        "corpus": st.sampled_from(["llava", "llava", "icliniq"]),
        "meta": st.sampled_from([{}, {"modality": "ct", "cleaned": "nfc"}]),
    }
)
MANY = st.lists(KINDS, max_size=8).map(lambda rows: [sample(f"s{n}", **row) for n, row in enumerate(rows)])
BENCHMARKS = Benchmarks([Item("b 1", (("user", ITEM), ("assistant", "None."))), Item("b 2", (), (image("xray").phash,), True)])


@given(MANY, st.booleans(), st.sampled_from([100, 200]), st.sampled_from([Benchmarks(()), BENCHMARKS]))
@settings(max_examples=150, deadline=None)
def test_rows_that_are_not_touched_would_come_back_as_they_are(rows, deidentify, most, benchmarks):
    config = configured(Path("work"), curate={"deidentify": deidentify, "max_chars": most})
    copies = {row.id: ("exact_duplicate", "other") for row in rows[5:6]}
    flags = touched(noun_table(Sample, rows), config.curate, copies, benchmarks)
    whole = curate_samples(rows, config, copies, benchmarks.hits(rows))
    assert len(flags) == len(rows)
    for row, (after, reason), flag in zip(rows, whole, flags, strict=True):
        assert flag or (after == row and reason is None)


@given(MANY)
@settings(max_examples=25, deadline=None)
def test_a_chunk_gives_the_rows_that_its_samples_give_one_by_one(rows):
    with tempfile.TemporaryDirectory() as name:
        config, workspace = configured(Path(name), curate={"max_chars": 200}), ingested(Path(name), rows)
        find_duplicates(config, workspace)
        copies = load_duplicates(workspace, "00-llava-00000")
        curate_chunk(config, workspace, "00-llava-00000")
        kept = list(workspace.rows("curate", Sample, "samples"))
        fallen = [(one.sample, one.reason, one.detail) for one in workspace.rows("curate", Exclusion, "excluded")]
        assert workspace.manifest(STAGE, "all").counts["fallen"] == len(copies)
    whole = curate_samples(rows, config, copies, [None] * len(rows))
    assert kept == [after for after, reason in whole if reason is None]
    assert fallen == [(row.id, *reason) for row, (_, reason) in zip(rows, whole, strict=True) if reason is not None]


def test_plain_rows_never_become_samples():
    system = (("system", "Be kind."), ("user", "Is it large?"), ("assistant", "It is (2.5 cm)."))
    rows = [
        sample("a"),
        sample("b", "Is there a fracture of the left rib?", "No", images=["x", "y"]),
        sample("c", turns=system),
        sample("d", "Which?", "B", split="test"),
    ]
    assert not touched(noun_table(Sample, rows), configured(Path("work")).curate, {}, BENCHMARKS).any()


def test_each_rule_touches_its_own_row_alone():
    odd = {
        "Is &gt; 5 much?": {},
        "Ask Dr. Smith.": {},
        "I cannot see the image.": {},
        ITEM: {},
        "x" * 300: {},
        "?": {},
        "Why now?": {"images": ["xray"]},
        "And now?": {"corpus": "icliniq"},
        IMAGE_MARK: {},
        "Who said so?": {"turns": (("user", "Who said so?"),)},
    }
    rows = [sample(f"s{n}", text, **more) for n, (text, more) in enumerate(odd.items())]
    plain = [sample(f"p{n}") for n in range(len(rows))]
    mixed = [row for pair in zip(plain, rows, strict=True) for row in pair]
    config = configured(Path("work"), curate={"max_chars": 200}).curate
    flags = touched(noun_table(Sample, mixed), config, {}, BENCHMARKS)
    assert np.flatnonzero(flags).tolist() == list(range(1, len(mixed), 2))
