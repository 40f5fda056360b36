"""The code and the settings that the documents show: compiled, run on real input, and seen to do what the text says."""

import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from model.benchmarks.held_out import Item
from pipeline.make.faithful import Said, faults
from pipeline.make.recipe import Answer, Made, checked, exchange_of
from pipeline.settings import Settings, load_settings
from pipeline.sources.base import Record, dropped, exchange, fault_of, kept, text
from pipeline.sources.streams import json_records
from pipeline.workspace import ChunkManifest, Workspace, fingerprint, noun_table
from schemas.quality import Finding
from schemas.sample import REASONS, Origin, Sample, Turn
from tests.docs.blocks import blocks


class Brief(Answer):
    """The form in which the example's model answers."""

    answer: str


#: The names that the examples use and a reader imports: nothing else is lent to them.
NAMES = {
    value.__name__: value
    for value in (
        Brief, ChunkManifest, Finding, Item, Iterator, Made, Path, Record, Said, Sample, Settings, Workspace, checked, dropped,
        exchange, exchange_of, fault_of, faults, fingerprint, json_records, kept, noun_table, text,
    )
} | {"json": json}  # fmt: skip


def _example(what):
    """The names that the example of CONTRIBUTING.md defines."""
    (block,) = blocks("python", f"example: {what}")
    names = dict(NAMES)
    exec(compile(block.body, block.place, "exec"), names)
    return names


def test_no_example_is_left_without_a_test():
    shown = {block.mark.removeprefix("example: ") for block in blocks("python") if block.mark}
    assert shown == {"source", "check", "stage", "recipe", "benchmark"}


def test_the_example_source_reads_a_file_and_gives_one_record_each(tmp_path):
    path = tmp_path / "corpus.json"
    rows = [
        {"id": "a", "question": "Where is the stone?", "answer": "In the left ureter."},
        {"question": "Is there fever?", "answer": " "},
        {"id": "c", "question": "", "answer": "Yes."},
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")
    records = list(_example("source")["_read"](path))
    assert [(record.id, record.reason) for record in records] == [
        ("a", None), ("row-2", "empty_answer"), ("c", "empty_question"),
    ]  # fmt: skip
    assert records[0].drafts[0].turns == (("user", "Where is the stone?"), ("assistant", "In the left ureter."))
    assert {record.reason for record in records if record.reason} <= set(REASONS)


def test_the_example_check_flags_its_fault_and_nothing_else():
    check = _example("check")["exclamation"]
    (found,) = check("Call a doctor now!", "اتصل بالطبيب الآن.", "answer")
    assert (found.check, found.severity) == ("exclamation", "minor")
    assert check("Call a doctor now!", "اتصل بالطبيب الآن!", "answer") == []
    assert check("Call a doctor.", "اتصل بالطبيب.", "answer") == []


def test_the_example_stage_writes_its_chunk_once_and_again_when_its_input_changes(tmp_path):
    tidy, workspace = _example("stage")["tidy_chunk"], Workspace(tmp_path)
    workspace.write_chunk("curate", "000-00000", "first", {"samples": noun_table(Sample, [_sample()])})
    written = tidy(None, workspace, "000-00000")
    assert (written.stage, written.counts) == ("tidy", {"samples": 1})
    assert list(workspace.rows("tidy", Sample, "samples")) == [_sample()]
    table = workspace.table_path("tidy", "000-00000", "samples")
    table.write_bytes(b"seen again only if it is not written again")
    assert tidy(None, workspace, "000-00000") == written
    assert table.read_bytes().startswith(b"seen again")
    workspace.write_chunk("curate", "000-00000", "second", {"samples": noun_table(Sample, [_sample()])})
    assert tidy(None, workspace, "000-00000").fingerprint != written.fingerprint
    assert list(workspace.rows("tidy", Sample, "samples")) == [_sample()]


def test_the_example_recipe_makes_of_an_answer_what_it_says_and_finds_what_is_not_true():
    made = _example("recipe")["brief"]
    (good,), (bad,) = (made(_sample(), Brief(answer=text)) for text in ("No, there is no fever.", "Yes, there is fever."))
    assert good.turns == (("user", "Is there fever?"), ("assistant", "No, there is no fever."))
    assert good.findings == ()
    assert {finding.check for finding in bad.findings} == {"negation"}
    with pytest.raises(ValueError, match="not one plain paragraph"):
        made(_sample(), Brief(answer="No.\nNone."))


def test_the_example_benchmark_gives_items_that_a_model_can_be_asked(tmp_path):
    lines = [{"question": "Is the liver enlarged?", "answer": "No"}, {"question": "Which organ?", "answer": "The spleen"}]
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    with warnings.catch_warnings():
        # The example leaves the file to the garbage collector, as a short example may.
        warnings.simplefilter("ignore", ResourceWarning)
        first, second = _example("benchmark")["items"](tmp_path)
    assert (first.turns, first.reference) == ((("user", "Is the liver enlarged?"),), "No")
    assert first.cluster != second.cluster


def _sample():
    return Sample(
        id="slake-train-1", corpus="slake", record="1", split="train", task="text_qa", language="en",
        turns=(Turn(role="user", text="Is there fever?"), Turn(role="assistant", text="No.")), licence="CC BY", access="open",
        origin=Origin(file="a.json", row=1, sha256="0" * 64),
    )  # fmt: skip


PLAIN = [block for block in blocks("python") if not block.mark]


@pytest.mark.parametrize("block", PLAIN, ids=lambda block: block.place)
def test_the_shards_are_read_as_the_document_says(block, finished, capsys):
    release = (finished.workspace / "releases" / "small-0.1.0").as_posix()
    body = block.body.replace("work/demo/releases/bimed-v-demo-0.1.0", release)
    assert release in body
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(body, block.place, "exec"), {})
    told = capsys.readouterr().out
    assert re.search(r"^slake-train-\d+-ar \[.*'json'.*\]$", told, re.M)
    assert re.search(r"^slake-train-\d+ \[.*'0\.(jpg|png)'.*\]$", told, re.M)


SETTINGS = blocks("yaml")


@pytest.mark.parametrize("block", SETTINGS, ids=lambda block: block.place)
def test_the_settings_that_are_shown_load_and_mean_what_they_say(block, tmp_path):
    shown = yaml.safe_load(block.body)
    whole = {"name": "mine", "sources": [{"corpus": "slake", "path": "slake/train.json"}]} | shown
    for source in whole["sources"]:
        path = tmp_path / source["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[]", encoding="utf-8")
        if "images" in source:
            (tmp_path / source["images"]).mkdir(parents=True)
    for endpoint in whole.get("endpoints", {}).values():
        if "attestation" in endpoint:
            (tmp_path / endpoint["attestation"]).write_text("{}", encoding="utf-8")
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(whole), encoding="utf-8")
    loaded = load_settings(config).model_dump(mode="json")
    _holds(loaded, shown, tmp_path)


def _holds(loaded, shown, root):
    """Every value that is shown is the one in force; paths count from the file's folder."""
    if isinstance(shown, dict):
        for key, value in shown.items():
            _holds(loaded[key], value, root)
    elif isinstance(shown, list):
        assert len(loaded) == len(shown)
        for one, other in zip(loaded, shown, strict=True):
            _holds(one, other, root)
    else:
        assert loaded in (shown, str(root / str(shown)))


def test_there_are_settings_and_programs_to_test():
    assert len(SETTINGS) >= 3
    assert len(PLAIN) >= 1
