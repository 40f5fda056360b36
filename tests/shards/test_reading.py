"""Readers: any sample in one read, an order that depends on seed and epoch alone, resumable anywhere; foreign shards, too."""

import gzip
import io
import subprocess
import tarfile
import tempfile
import warnings
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from schemas.errors import InputError
from shards.read import Shard, parse
from shards.reader import Order, Reader, permutation
from shards.release import load_manifest
from shards.stream import stream
from shards.tar import TarWriter, index_bytes
from shards.torch_data import Stream
from tests.shards.made import pictures, release, row, rows, sample


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """37 samples in many shards. Do not change it."""
    folder = tmp_path_factory.mktemp("reading")
    return release(folder, [*rows(pictures(folder)), *(row(sample(n)) for n in range(100, 121))], shard_bytes=9_000)


def _name(one):
    return one[0]["id"]


def _ids(samples):
    return [_name(one) for one in samples]


@pytest.fixture
def reader(whole):
    with Reader(whole) as opened:
        yield opened


def test_the_reader_gives_the_same_as_a_walk_over_the_shards(whole, reader):
    walked = [one for path in sorted(whole.rglob("*.tar")) for one in stream(str(path))]
    assert len(reader) == len(walked) == 37
    for number in np.random.default_rng(3).permutation(37):
        record, images = reader[int(number)]
        assert walked[number].record() == record
        assert {name: data for name, data in walked[number].members.items() if name != "json"} == images
    with pytest.raises(IndexError):
        reader[37]


def test_a_split_and_a_kind_of_shard_can_be_taken_alone(whole):
    with Reader(whole, "validation") as held:
        assert _ids(held) == ["slake-train-11", "slake-train-11-ar"]
    with Reader(whole, "train", groups=("jpg",)) as shown:
        assert _ids(shown) == ["slake-train-9", "slake-train-9-ar"]


def test_a_checked_reader_refuses_a_changed_shard_and_a_plain_one_a_missing_index(tmp_path):
    folder = release(tmp_path, rows(pictures(tmp_path)))
    shard = next(folder.rglob("*-text-*.tar"))
    data = bytearray(shard.read_bytes())
    data[700] ^= 1
    shard.write_bytes(data)
    with Reader(folder, checked=True) as opened, pytest.raises(InputError, match="its sha256 is not the manifest's"):
        _ids(opened)
    shard.with_name(f"{shard.name}.idx").unlink()
    with pytest.raises(InputError, match=r"text-000000\.tar\.idx: cannot be read"):
        Reader(folder)


def test_the_order_is_a_permutation_of_seed_and_epoch_that_never_changes():
    """By the formula in plain integers: a run that was started last year goes on in the same order."""
    start = _splitmix(_splitmix(1) ^ 0)
    wanted = sorted(range(1000), key=lambda number: _splitmix(start + number))
    assert permutation(1000, seed=1, epoch=0).tolist() == wanted
    for seed, epoch in ((1, 1), (2, 0), (-1, 7)):
        other = permutation(1000, seed, epoch)
        assert sorted(other.tolist()) == list(range(1000))
        assert other.tolist() != permutation(1000, 1, 0).tolist()


def _splitmix(value):
    value = (value + 0x9E3779B97F4A7C15) % 2**64
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return value ^ (value >> 31)


@pytest.mark.parametrize("world", [1, 2, 3, 5])
def test_the_ranks_share_an_epoch_without_overlap_and_without_loss(reader, world):
    seen = [_ids(Stream(reader, Order(seed=4, rank=rank, world=world))) for rank in range(world)]
    assert sorted(chain(*seen)) == sorted(_ids(reader))
    alone = _ids(Stream(reader, Order(seed=4)))
    assert [seen[number % world][number // world] for number in range(37)] == alone
    even = [len(Stream(reader, Order(seed=4, rank=rank, world=world, even=True))) for rank in range(world)]
    assert even == [37 // world] * world


@pytest.mark.parametrize("stop", [0, 1, 6, 36, 37])
def test_a_stream_goes_on_from_wherever_it_was_stopped(reader, stop):
    whole_epoch = _ids(Stream(reader, Order(seed=9, epoch=2)))
    first = Stream(reader, Order(seed=9, epoch=2))
    used = [name for name, _ in zip(_ids(first), range(stop), strict=False)]
    state = first.state(stop)
    assert state == {"seed": 9, "epoch": 2, "position": stop}
    rest = Stream(reader, Order(seed=0)).resumed(state)
    assert len(rest) == 37 - stop
    assert used + _ids(rest) == whole_epoch
    assert rest.state(0) == state
    assert _ids(rest.next_epoch()) == _ids(Stream(reader, Order(seed=9, epoch=3)))


@pytest.mark.parametrize("start", [0, 5])
def test_batches_are_the_same_with_workers_and_without(reader, start):
    def batches(workers):
        data = Stream(reader, Order(seed=2), start, batch=4, transform=_name)
        with warnings.catch_warnings():
            # On a machine with one core torch warns of two workers.
            warnings.simplefilter("ignore", UserWarning)
            return list(DataLoader(data, batch_size=4, num_workers=workers, collate_fn=list))

    assert batches(0) == batches(2)
    assert sum(map(len, batches(0))) == 37 - start


def test_what_no_process_can_be_is_refused(reader):
    with pytest.raises(InputError, match="rank is 2 of world 2"):
        Order(seed=1, rank=2, world=2)
    with pytest.raises(InputError, match="batch is 0"):
        Stream(reader, Order(seed=1), batch=0)


def test_torch_knows_the_stream_as_an_iterable_dataset(reader):
    assert isinstance(Stream(reader, Order(seed=1)), torch.utils.data.IterableDataset)


def test_a_shard_of_webdatasets_own_writer_opens(tmp_path):
    import webdataset

    path = tmp_path / "theirs.tar"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with webdataset.TarWriter(str(path)) as writer:
            writer.write({"__key__": "a/0001", "JPG": b"\xff\xd8", "json": {"caption": "A liver."}, "seg.png": b"x"})
            writer.write({"__key__": "a/0002", "txt": "صورة", "cls": 3})
    first, second = stream(str(path))
    assert (first.key, first.record()) == ("a/0001", {"caption": "A liver."})
    assert first.members.keys() == {"jpg", "json", "seg.png"}
    assert second.members["txt"].decode() == "صورة"
    with pytest.raises(InputError, match="sample a/0002: has no JSON member 'json'"):
        second.record()


@pytest.mark.parametrize("form", ["gnu", "pax", "ustar"])
def test_a_shard_that_tar_packed_opens_with_folders_long_names_and_compression(tmp_path, form):
    long = "long-" * 18
    for name in (f"{long}.txt", "one.txt", "one.cls", ".hidden", "README"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text(name)
    subprocess.run(["tar", f"--format={form}", "--sort=name", "-cf", tmp_path / "x.tar", "in"], cwd=tmp_path, check=True)
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress((tmp_path / "x.tar").read_bytes()))
    for path in ("x.tar", "x.tar.gz"):
        found = {one.key: sorted(one.members) for one in stream(str(tmp_path / path))}
        assert found == {f"in/{long}": ["txt"], "in/one": ["cls", "txt"]}


def test_a_shard_at_another_address_opens(whole):
    import fsspec

    path = next(whole.rglob("*-jpg-png-*.tar"))
    with fsspec.open("memory://bucket/ours.tar", "wb") as file:
        file.write(path.read_bytes())
    assert [one.key for one in stream("memory://bucket/ours.tar")] == ["slake-train-10", "slake-train-10-ar"]


def test_damaged_and_cut_archives_are_one_line_with_the_place(tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("a.txt", "b.txt"):
            info = tarfile.TarInfo(name)
            info.size = 2000
            archive.addfile(info, io.BytesIO(b"x" * 2000))
    (tmp_path / "cut.tar").write_bytes(buffer.getvalue()[:4000])
    (tmp_path / "other.tar").write_bytes(b"no tar at all" * 100)
    (tmp_path / "twice.tar").write_bytes(buffer.getvalue().replace(b"b.txt", b"a.TXT"))
    with pytest.raises(InputError, match=r"cut\.tar: damaged or cut behind byte 2560"):
        list(stream(str(tmp_path / "cut.tar")))
    with pytest.raises(InputError, match=r"other\.tar: cannot be opened as a tar"):
        list(stream(str(tmp_path / "other.tar")))
    with pytest.raises(InputError, match="nowhere"):
        list(stream(str(tmp_path / "nowhere.tar")))


def test_energon_finds_every_shard_with_its_count_and_split(whole):
    """By the layout that Energon documents; with the package itself this was read once by hand (docs/log.md)."""
    counts = yaml.safe_load((whole / ".nv-meta/.info.json").read_text(encoding="utf-8"))["shard_counts"]
    parts = yaml.safe_load((whole / ".nv-meta/split.yaml").read_text(encoding="utf-8"))["split_parts"]
    shards = {entry.path: entry for entry in load_manifest(whole).shards}
    assert counts == {path: entry.samples for path, entry in shards.items()}
    assert {part: {shards[path].split for path in paths} for part, paths in parts.items()} == {
        "train": {"train"}, "val": {"validation"}, "test": set(),
    }  # fmt: skip
    assert sorted(path for paths in parts.values() for path in paths) == sorted(shards)
    dataset = yaml.safe_load((whole / ".nv-meta/dataset.yaml").read_text(encoding="utf-8"))
    assert dataset == {"__module__": "megatron.energon", "__class__": "CrudeWebdataset"}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9000), min_size=1, max_size=4), min_size=1, max_size=4), st.integers(2, 6000))
def test_images_of_any_size_are_read_into_place(sizes, text):
    """Small ones come with the record in one read, large ones in one of their own, and the header behind those in another."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x.tar"
        with path.open("wb", buffering=0) as file:
            writer = TarWriter(file)
            for number, lengths in enumerate(sizes):
                record = b'"' + b"x" * (text - 2) + b'"'
                images = [(f"k{number}.{n}.png", bytes([n + 65]) * length) for n, length in enumerate(lengths)]
                writer.add([(f"k{number}.json", record), *images])
            writer.close()
        path.with_name("x.tar.idx").write_bytes(index_bytes(writer.offsets))
        with Shard(path) as shard:
            for number, lengths in enumerate(sizes):
                record, images = shard[number]
                assert len(record) == text - 2
                assert images == {f"{n}.png": bytes([n + 65]) * length for n, length in enumerate(lengths)}
                assert parse(shard.raw(number)) == (record, images)
                assert len(shard.record_bytes(number)) == text
