"""Verify: whatever byte of a release changes, is cut off, is missing or is too much, it says so and says where."""

import hashlib
import random
import shutil

import orjson
import pytest

from shards.papers import sums
from shards.read import Shard
from shards.release import load_manifest
from shards.tar import index_bytes, read_index
from shards.verify import verify
from tests.shards.made import pair, pictures, release, row, rows, sample


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A release in several shards. Do not change it."""
    folder = tmp_path_factory.mktemp("damage")
    return release(folder, rows(pictures(folder)), shard_bytes=6_000)


@pytest.fixture
def copy(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


def _shard(folder, group):
    return min(folder.rglob(f"*-{group}-000000.tar"))


def _name(folder, path):
    return path.relative_to(folder).as_posix()


def _place(path, offset):
    """(sample, its first byte) that lies there, by the index."""
    with Shard(path) as shard:
        for number in range(len(shard)):
            if shard.offset(number) <= offset < shard.offset(number) + shard.size(number):
                return shard[number][0]["id"], shard.offset(number)
    return None, None


def test_a_clean_release_raises_no_alarm(whole):
    assert verify(whole).problems == ()
    assert verify(whole, quick=True).problems == ()


def test_every_damaged_byte_and_every_cut_is_found_and_named(copy, request):
    """`--damages 300` for the long form. Every file is hit: shards more often, because they are what grows."""
    chance = random.Random(7)
    shards = sorted(copy.rglob("*.tar"))
    files = [*shards, *shards, *(path for path in sorted(copy.rglob("*")) if path.is_file() and path.suffix != ".tar")]
    for number in range(request.config.getoption("--damages")):
        path = files[number % len(files)]
        kept = path.read_bytes()
        place, cut = chance.randrange(len(kept)), chance.random() < 0.3
        sample_id, start = _place(path, place) if path.suffix == ".tar" else (None, None)
        if cut:
            path.write_bytes(kept[:place])
        else:
            path.write_bytes(kept[:place] + bytes([kept[place] ^ chance.randrange(1, 256)]) + kept[place + 1 :])
        found = verify(copy).problems
        what = f"{_name(copy, path)} {'cut' if cut else 'changed'} at byte {place}: {found}"
        assert any(problem.file == _name(copy, path) for problem in found), what
        if sample_id:
            hits = [problem for problem in found if problem.sample == sample_id and problem.file == _name(copy, path)]
            assert hits, what
            assert all(start <= problem.offset for problem in hits), what
        path.write_bytes(kept)
    assert verify(copy).ok


def test_a_changed_letter_inside_a_record_is_traced_to_its_sample(copy):
    """The JSON stays valid and means something else: only the checksums know."""
    path = _shard(copy, "text")
    data = path.read_bytes()
    place = data.rindex(b"liver")
    path.write_bytes(data[:place] + b"LIVER" + data[place + 5 :])
    with Shard(path) as shard:
        number = max(n for n in range(len(shard)) if shard.offset(n) <= place)
        name = shard[number][0]["id"]
        wanted = (_name(copy, path), "its record is not the one that metadata.jsonl names", shard.offset(number) + 512, name)
    told = [(problem.file, problem.message, problem.offset, problem.sample) for problem in verify(copy).problems]
    assert told == [(_name(copy, path), "its sha256 is not the manifest's", None, None), wanted]


def test_a_file_that_appeared_and_one_that_is_gone_are_named(copy):
    (copy / "train" / "notes.txt").write_text("x")
    (copy / "DATASHEET.md").unlink()
    assert {(problem.file, problem.message) for problem in verify(copy, quick=True).problems} == {
        ("train/notes.txt", "is in the folder and not in the manifest"), ("DATASHEET.md", "is missing"),
    }  # fmt: skip


def test_an_index_of_another_shard_is_named_with_its_owner(copy):
    mine, other = _shard(copy, "jpg"), _shard(copy, "jpg-png")
    shutil.copyfile(f"{other}.idx", f"{mine}.idx")
    first = verify(copy, quick=True).problems[0]
    assert (first.file, first.message) == (f"{_name(copy, mine)}.idx", f"is the index of {_name(copy, other)}")


def test_two_shards_exchanged_are_named(copy):
    mine, other = _shard(copy, "jpg"), _shard(copy, "jpg-png")
    shutil.copyfile(other, mine)
    told = {(problem.file, problem.message) for problem in verify(copy).problems}
    assert (_name(copy, mine), f"is {_name(copy, other)} under another name") in told


def _forge(folder, changed):
    """Change the manifest and write its checksum anew: what somebody does who wants it to pass."""
    told = orjson.loads((folder / "manifest.json").read_bytes()) | changed
    (folder / "manifest.json").write_bytes(orjson.dumps(told))
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_bytes(sums(load_manifest(folder), digest))


def _messages(folder):
    return [problem.message for problem in verify(folder).problems]


def test_a_manifest_that_counts_wrongly_is_found_out(copy):
    _forge(copy, {"licences": {"CC BY": 15}})
    assert _messages(copy) == ["licences are {'CC BY': 15}, the shards hold {'CC BY': 16}"]
    _forge(copy, {"licences": {"CC BY": 16}, "samples": 99})
    assert _messages(copy) == ["samples is 99, the shards' entries sum to another number"]


def test_the_shards_of_a_release_of_another_name_are_no_part_of_it(copy):
    _forge(copy, {"name": "other"})
    assert _messages(copy) == ["is no shard of other 0.1.0, split " + path.parent.name for path in sorted(copy.rglob("*.tar"))]


def test_a_manifest_does_not_lead_out_of_its_folder(copy):
    entries = [orjson.loads(orjson.dumps(entry.model_dump())) for entry in load_manifest(copy).shards]
    entries[0]["path"] = "../../secret.tar"
    _forge(copy, {"shards": entries})
    assert "its shard ../../secret.tar lies outside of the release" in _messages(copy)


def test_a_missing_image_is_named_with_its_sample(copy):
    """Whoever cuts a member out and mends index, manifest and checksums is still told."""
    path = _shard(copy, "jpg")
    with Shard(path) as shard:
        pieces = [shard.raw(number) for number in range(len(shard))]
        length = 512 + -(-len(shard.record_bytes(1)) // 512) * 512
    pieces[1] = pieces[1][:length]
    path.write_bytes(b"".join(pieces) + bytes(1024))
    offsets = [0, len(pieces[0]), len(pieces[0]) + len(pieces[1])]
    index = index_bytes(offsets)
    path.with_name(f"{path.name}.idx").write_bytes(index)
    assert read_index(path.with_name(f"{path.name}.idx")) == tuple(offsets)
    entries = [entry.model_dump() for entry in load_manifest(copy).shards]
    for entry in entries:
        if entry["path"] == _name(copy, path):
            entry |= {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
            entry |= {"index_sha256": hashlib.sha256(index).hexdigest()}
    _forge(copy, {"shards": entries})
    (problem,) = verify(copy).problems
    assert (problem.sample, problem.offset) == ("slake-train-9-ar", offsets[1])
    assert problem.message == "image members are [], the record names ['0.jpg']"


def test_a_closed_record_in_an_open_release_is_against_law_7(tmp_path):
    closed = sample(1).model_copy(update={"access": "credentialed"})
    open_terms = {"licence": "CC-BY-4.0", "redistributable": True, "reasons": []}
    folder = release(tmp_path, [row(closed), *pair(2)], terms=open_terms)
    (problem,) = verify(folder).problems
    assert "credentialed" in problem.message
    assert problem.message.endswith("(law 7)")
    assert problem.sample == "slake-train-1"


def test_quick_reads_no_image(copy):
    """It is for a first look: a picture's changed byte is what it does not see, a changed index it does."""
    path = _shard(copy, "jpg")
    data = bytearray(path.read_bytes())
    data[data.index(b"\xff\xd8\xff") + 40] ^= 1
    path.write_bytes(data)
    assert verify(copy, quick=True).ok
    assert not verify(copy).ok
