"""Exports: `datasets` opens the Parquet with its images, LLaVA's JSON holds every sample, and nothing half-written is left."""

import hashlib
import io
import json
import warnings

import pytest
from PIL import Image

from schemas.errors import InputError
from schemas.sample import Turn
from shards.export import export
from shards.release import load_manifest
from shards.walk import samples
from tests.shards.made import pictures, release, row, rows, sample


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A release with a caption and a conversation that has a system turn. Do not change it."""
    folder = tmp_path_factory.mktemp("export")
    store = pictures(folder)
    caption = sample(30, images=store[:1]).model_copy(update={"task": "caption"})
    turns = (Turn(role="system", text="You are a doctor."), *sample(31).turns)
    talk = sample(31).model_copy(update={"turns": turns, "task": "conversation"})
    return release(folder, [*rows(store), row(caption), row(talk)], shard_bytes=6_000)


def _held(folder):
    return {record["id"]: (record, members) for _, record, members in samples(folder, load_manifest(folder))}


def test_parquet_loads_with_every_sample_and_its_images(whole, tmp_path):
    import datasets

    told = export(whole, tmp_path / "out", "parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    held = _held(whole)
    assert {name: len(split) for name, split in loaded.items()} == told["splits"] == {"train": 16, "validation": 2}
    assert {item["id"] for split in loaded.values() for item in split} == set(held)
    for item in (item for split in loaded.values() for item in split):
        record, members = held[item["id"]]
        assert item["turns"] == record["turns"]
        assert item["origin"] == record["origin"]
        pictures_ = [Image.open(io.BytesIO(members[image["member"]])) for image in record["images"]]
        assert [image.tobytes() for image in item["images"]] == [image.tobytes() for image in pictures_]


def test_parquet_is_cut_into_files_that_the_card_names_and_is_the_same_each_time(whole, tmp_path):
    told = [export(whole, tmp_path / name, "parquet") for name in ("one", "two")]
    files = sorted(path.name for path in (tmp_path / "one/data").iterdir())
    assert told[0]["files"] == len(files) > 2
    count = sum(name.startswith("train") for name in files)
    assert files[:count] == [f"train-{number:05d}-of-{count:05d}.parquet" for number in range(count)]
    for path in (tmp_path / "one").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_llavas_json_holds_every_sample_and_the_images_it_names(whole, tmp_path):
    told = export(whole, tmp_path / "out", "llava")
    read = {name: json.loads((tmp_path / "out" / name).read_text(encoding="utf-8")) for name in told["files"]}
    assert {name: len(entries) for name, entries in read.items()} == told["files"]
    assert [entry["id"] for entry in read["train/stage1_align.json"]] == ["slake-train-30"]
    everything = {entry["id"]: entry for name, entries in read.items() if "stage2" in name for entry in entries}
    held = _held(whole)
    assert set(everything) == set(held)
    for name, (record, members) in held.items():
        entry = everything[name]
        shown = entry.get("image", [])
        paths = [tmp_path / "out/images" / path for path in ([shown] if isinstance(shown, str) else shown)]
        assert [path.read_bytes() for path in paths] == [members[image["member"]] for image in record["images"]]
        text = "".join(said["value"] for said in entry["conversations"])
        assert text.count("<image>") == len(paths)
        assert [said["from"] for said in entry["conversations"]] == ["human", "gpt"]
    assert told["images"] == len({image["sha256"] for record, _ in held.values() for image in record["images"]})


def test_a_system_turn_leads_the_first_question_in_llavas_json(whole, tmp_path):
    export(whole, tmp_path / "out", "llava")
    entries = json.loads((tmp_path / "out/train/stage2_instruct.json").read_text(encoding="utf-8"))
    (talk,) = (entry for entry in entries if entry["id"] == "slake-train-31")
    assert talk["conversations"][0] == {"from": "human", "value": "You are a doctor.\nWhat is it?"}


def _state(folder):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", ["parquet", "llava"])
def test_an_export_that_fails_leaves_nothing_and_one_that_is_there_stays(tmp_path, form):
    folder = release(tmp_path, rows(pictures(tmp_path)), "release")
    export(folder, tmp_path / "out", form)
    before = _state(tmp_path)
    with pytest.raises(InputError, match="is there already"):
        export(folder, tmp_path / "out", form)
    shard = max(folder.rglob("*.tar"))
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(InputError, match="cannot be read"):
        export(folder, tmp_path / "other", form)
    assert {path for path in _state(tmp_path) if path not in before} == set()


def test_the_command_says_what_it_wrote(whole, tmp_path, bimedv):
    told = bimedv("release", "export", whole, "--format", "llava", "-o", tmp_path / "out", "--json")
    assert (told.code, told.json["samples"], told.json["format"]) == (0, 18, "llava")
