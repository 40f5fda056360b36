"""The papers of a release: read by the programs they are written for, computed from what the shards hold."""

import hashlib
import itertools
import json
import subprocess
import sys
import warnings

import pytest
import yaml
from huggingface_hub import DatasetCard

from shards.read import Shard
from shards.release import load_manifest
from tests.shards.made import pictures, release, rows

ABOUT = {"creator": "A hospital", "url": "https://data.example.org/r", "published": "2026-03-01", "citation": "@misc{r}"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A release of every kind of sample, about which everything is stated. Do not change it."""
    folder = tmp_path_factory.mktemp("papers")
    config = {"release": {"about": ABOUT}, "translator": "test-model", "curate": {"deidentify": True}}
    return release(folder, rows(pictures(folder)), config=config, shard_bytes=6_000)


_CROISSANT = """
import itertools, json, logging, sys, warnings
import mlcroissant
warnings.simplefilter("ignore")
dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
issues = dataset.metadata.ctx.issues
read = {}
for record_set in dataset.metadata.record_sets:
    read[record_set.name] = [
        {key.split("/")[1]: value.decode() if isinstance(value, bytes) else value for key, value in record.items()}
        for record in dataset.records(record_set.name)]
told = {"errors": list(issues.errors), "warnings": list(issues.warnings), "read": read}
print(json.dumps(told, default=lambda value: str(type(value))))
"""


@pytest.fixture(scope="module")
def croissant(whole, tmp_path_factory):
    """What `mlcroissant` says of the release: errors, warnings, and the records of each record set."""
    pytest.importorskip("mlcroissant")
    # In a process of its own: it turns on logging and warnings of others that are errors here.
    home = str(tmp_path_factory.mktemp("home"))
    told = subprocess.run(
        [sys.executable, "-c", _CROISSANT, whole / "croissant.json"],
        capture_output=True, text=True, check=False, env={"HOME": home, "PYTHONPATH": ":".join(sys.path)}, timeout=120,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr[-2000:]
    assert "not standard" not in told.stderr, "the context is the standard's"
    return json.loads(told.stdout.splitlines()[-1])


def test_croissant_is_valid_without_a_warning(croissant):
    assert croissant["errors"] == []
    assert croissant["warnings"] == []


def test_croissant_gives_the_record_of_every_sample(whole, croissant):
    held = {}
    for entry in load_manifest(whole).shards:
        with Shard(whole / entry.path) as shard:
            held |= {record["id"]: (entry.path, shard.offset(number), record) for number, (record, _) in enumerate(shard)}
    assert len(held) == 16
    read = {record["id"]: record for record in croissant["read"]["samples"]}
    assert set(read) == set(held)
    for name, (path, offset, record) in held.items():
        assert (read[name]["shard"], read[name]["offset"]) == (path, offset)
        assert json.loads(read[name]["turns"]) == record["turns"]
        assert (read[name]["pair"], read[name]["images"]) == (record["pair"], len(record["images"]))


def test_croissant_gives_the_pixels_of_every_image(croissant):
    jpg, png = croissant["read"]["jpg-images"], croissant["read"]["png-images"]
    assert sorted(image["sample"] for image in jpg) == [f"slake-train-{name}" for name in ("10", "10-ar", "9", "9-ar")]
    assert sorted(image["sample"] for image in png) == [f"slake-train-{name}" for name in ("10", "10-ar", "11", "11-ar")]
    assert all("Image" in image["content"] for image in (*jpg, *png))


def test_croissant_states_nothing_that_nobody_stated(tmp_path):
    folder = release(tmp_path, rows(pictures(tmp_path)))
    told = json.loads((folder / "croissant.json").read_bytes())
    assert {"creator", "datePublished", "url", "citeAs"}.isdisjoint(told)
    assert "No search for identifiers was made." in told["rai:personalSensitiveInformation"]


def test_the_cards_front_matter_is_valid_and_names_files_that_exist(whole):
    loaded = DatasetCard.load(whole / "README.md")
    front = yaml.safe_load((whole / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    assert loaded.data.language == ["ar", "en"]
    for config, files in itertools.groupby(front["configs"], key=lambda item: item["config_name"]):
        for one in next(files)["data_files"]:
            assert list(whole.glob(one["path"])), (config, one)
    told = {info["config_name"]: {s["name"]: s["num_examples"] for s in info["splits"]} for info in front["dataset_info"]}
    assert told == {"jpg": {"train": 2}, "jpg-png": {"train": 2}, "png": {"validation": 2}, "text": {"train": 10}}


def test_datasets_loads_the_folder_by_its_card(whole, tmp_path):
    """The features in the front matter are the ones that the shards have: otherwise loading fails."""
    import datasets

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = datasets.load_dataset(str(whole), "jpg-png", split="train", cache_dir=str(tmp_path))
    assert loaded[0]["0.jpg"].size == loaded[0]["1.png"].size == (96, 80)
    assert loaded[0]["json"]["turns"][1] == {"role": "assistant", "text": "A liver."}
    assert loaded[0]["json"]["images"][1]["width"] == 96


def test_the_datasheet_says_what_is_known_and_what_is_not(whole):
    text = (whole / "DATASHEET.md").read_text(encoding="utf-8")
    for heading in ("Motivation", "Composition", "Collection", "Uses", "Distribution and licences", "Maintenance"):
        assert f"\n## {heading}\n" in text
    assert "| slake | 16 | 100.0% |" in text
    assert "Translator: test-model. Judge: none." in text
    assert "A hospital" in text
    assert "No expert audit" in text


def test_sha256sum_proves_every_file(whole):
    told = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=whole, capture_output=True, text=True, check=True
    )
    files = {path.relative_to(whole).as_posix() for path in whole.rglob("*") if path.is_file()} - {"SHA256SUMS"}
    assert {line.removesuffix(": OK") for line in told.stdout.splitlines()} == files
    papers = load_manifest(whole).papers
    assert {name: hashlib.sha256((whole / name).read_bytes()).hexdigest() for name in papers} == papers
