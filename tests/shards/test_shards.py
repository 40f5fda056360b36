"""Shards: the same rows give the same bytes, any reader opens them, damage is found, and no unlawful row gets in."""

import io
import subprocess
import tarfile
import warnings

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import StoppedError
from shards.read import Shard
from shards.tar import TarWriter, index_bytes
from shards.verify import verify
from tests.shards.made import PROOF, pair, pictures, release, row, rows, sample


@pytest.fixture
def store(tmp_path):
    return pictures(tmp_path)


def test_small_shards_of_every_kind_are_proved(tmp_path, store):
    folder = release(tmp_path, rows(store), shard_bytes=6_000)
    assert verify(folder).ok
    assert len(list(folder.rglob("*.tar"))) > 4


def test_gnu_tar_and_python_read_what_was_written(tmp_path, store):
    shard = next(release(tmp_path, rows(store)).rglob("*-jpg-png-*.tar"))
    listed = subprocess.run(["tar", "-tf", shard], capture_output=True, text=True, check=True).stdout.split()
    assert listed[:3] == ["slake-train-10.json", "slake-train-10.0.jpg", "slake-train-10.1.png"]
    with tarfile.open(shard) as archive:
        assert archive.getnames() == listed


def test_webdataset_gives_whole_samples(tmp_path, store):
    import webdataset

    folder = release(tmp_path, rows(store))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seen = {
            sample["__key__"]: sorted(set(sample) - {"__key__", "__url__", "__local_path__"})
            for path in sorted(folder.rglob("*.tar"))
            for sample in webdataset.WebDataset(str(path), shardshuffle=False)
        }
    assert len(seen) == 16
    assert seen["slake-train-10-ar"] == ["0.jpg", "1.png", "json"]


def test_datasets_opens_each_group_even_when_the_first_samples_have_no_twin(tmp_path, store):
    """Types come from the first 5 samples: a null there and a text later was an error for the whole release."""
    import datasets

    folder = release(tmp_path, rows(store))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for group, count in (("text", 10), ("jpg", 2), ("jpg-png", 2)):
            files = sorted(map(str, folder.glob(f"train/*-train-{group}-0*.tar")))
            loaded = datasets.load_dataset(
                "webdataset", data_files={"train": files}, split="train", cache_dir=str(tmp_path / f"cache-{group}")
            )
            assert len(loaded) == count
    assert loaded[0]["json"]["pair"] == "slake-train-10-ar"


def test_the_index_gives_any_sample_in_one_read(tmp_path, store):
    for path in sorted(release(tmp_path, rows(store)).rglob("*.tar")):
        with Shard(path) as shard:
            for number in range(len(shard)):
                record, images = shard[number]
                assert shard.find(record["id"]) == number
                assert set(images) == {image["member"] for image in record["images"]}


@pytest.mark.parametrize("place", [0, 40, 150, 513, 1000, -600, -1])
def test_one_flipped_bit_is_found(tmp_path, store, place):
    folder = release(tmp_path, rows(store))
    path = next(folder.rglob("*-jpg-png-*.tar"))
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)
    problems = verify(folder).problems
    assert any(problem.file == path.relative_to(folder).as_posix() for problem in problems)


@pytest.mark.parametrize("damage", ["cut", "index", "lost", "stranger", "manifest"])
def test_damage_of_files_is_found_without_an_exception(tmp_path, store, damage):
    folder = release(tmp_path, rows(store))
    path = next(folder.rglob("*-jpg-000000.tar"))
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-700])
    elif damage == "index":
        path.with_name(path.name + ".idx").write_bytes(b"123")
    elif damage == "lost":
        path.unlink()
    elif damage == "stranger":
        (folder / "notes.txt").write_text("x")
    else:
        (folder / "manifest.json").write_text("{")
    assert not verify(folder).ok


def _unlawful(store):
    colour = store[0]
    english, arabic = pair(1)
    read_by_none = PROOF.model_copy(update={"score": None, "verdict": "review"})
    return {
        "a twin in another split (law 6)": [english, arabic.model_copy(update={"split": "validation"})],
        "a twin that is missing": [english],
        "an image in two splits (law 6)": [row(sample(1, images=(colour,))), row(sample(2, images=(colour,)), "validation")],
        "an unscored translation (law 2)": [english, row(arabic.sample, evidence=read_by_none)],
        "an id twice": [row(sample(1)), row(sample(1))],
    }


@pytest.mark.parametrize("case", range(5))
def test_unlawful_rows_are_refused_and_nothing_is_written(tmp_path, store, case):
    rows = list(_unlawful(store).values())[case]
    with pytest.raises(StoppedError, match="may not be released"):
        release(tmp_path, rows)
    assert not (tmp_path / "out").exists()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.binary(max_size=1500), min_size=1, max_size=3), min_size=1, max_size=6))
def test_the_writer_agrees_with_tarfile_on_any_content(samples):
    """Law 4 at its smallest: what goes in comes out, at the offsets that the index names."""
    buffer = io.BytesIO()
    writer = TarWriter(buffer)
    for number, parts in enumerate(samples):
        writer.add([(f"k{number}.{part}.bin", data) for part, data in enumerate(parts)])
    writer.close()
    with tarfile.open(fileobj=io.BytesIO(buffer.getvalue())) as archive:
        read = [archive.extractfile(member).read() for member in archive]
    assert read == [data for parts in samples for data in parts]
    assert len(index_bytes(writer.offsets)) == 8 * (len(samples) + 1)
    for number, parts in enumerate(samples):
        piece = buffer.getvalue()[writer.offsets[number] : writer.offsets[number + 1]]
        with tarfile.open(fileobj=io.BytesIO(piece)) as archive:
            assert len(archive.getnames()) == len(parts)


def test_records_are_canonical_json(tmp_path, store):
    with Shard(next(release(tmp_path, rows(store)).rglob("*-text-*.tar"))) as shard:
        for record, _ in shard:
            assert list(record) == sorted(record)
            assert isinstance(orjson.loads(record["meta"]), dict)
