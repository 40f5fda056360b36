"""A build that is killed goes on where it was, with the same bytes; what is finished is proved, not believed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.workspace import noun_table, write_parquet
from schemas.errors import InputError
from schemas.release import ReleaseRow
from shards.read import Shard
from shards.release import ReleaseInfo, build, load_manifest
from shards.verify import verify
from tests.shards.made import GATE, pair, pictures, release, row, rows, sample

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import sys
from pathlib import Path
from tests.shards.test_resume import built
built(Path(sys.argv[1]))
"""
TERMS = {"licence": "CC-BY-4.0", "redistributable": True, "reasons": []}


def info(**changes):
    values = {"name": "r", "version": "0.1.0", "shard_bytes": 6_000, "gate": GATE, "config": {}, "toolchain": {}, "terms": TERMS}
    return ReleaseInfo(**(values | changes))


def built(folder, out="out", **changes):
    build([folder / "rows.parquet"], folder / "images", folder / out, info(**changes), workers=2)
    return folder / out


def prepared(folder, pairs):
    store = pictures(folder)
    all_rows = [one for number in range(pairs) for one in pair(number, (store[number % 3],) if number % 3 else ())]
    write_parquet(folder / "rows.parquet", noun_table(ReleaseRow, all_rows))


def bytes_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def killed(folder, finished):
    """A build in a process of its own, killed once so many shards are finished; what it left of them."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(folder)], cwd=ROOT)
    notes = folder / ".out.building" / ".finished"
    deadline = time.monotonic() + 60
    while len(list(notes.glob("*.json"))) < finished:
        assert child.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    child.send_signal(signal.SIGKILL)
    child.wait()
    return {path.name.removesuffix(".json"): None for path in notes.glob("*.json")}


def test_a_killed_build_goes_on_and_gives_the_same_bytes(tmp_path):
    prepared(tmp_path, 300)
    left = killed(tmp_path, 5)
    work = tmp_path / ".out.building"
    assert not (tmp_path / "out").exists()
    before = {path.name: path.stat().st_ino for path in work.rglob("*.tar") if path.name in left}
    assert len(before) >= 5
    folder = built(tmp_path)
    after = {path.name: path.stat().st_ino for path in folder.rglob("*.tar")}
    assert {name: after[name] for name in before} == before
    assert bytes_of(folder) == bytes_of(built(tmp_path, "undisturbed"))
    assert verify(folder).ok
    assert not work.exists()


def test_a_finished_shard_that_was_damaged_since_is_written_again(tmp_path):
    prepared(tmp_path, 300)
    names = killed(tmp_path, 3)
    for path in (tmp_path / ".out.building").rglob("*.tar"):
        if path.name in names:
            os.truncate(path, 700)
    assert verify(built(tmp_path)).ok


def test_another_config_starts_from_the_beginning(tmp_path):
    prepared(tmp_path, 300)
    killed(tmp_path, 3)
    folder = built(tmp_path, toolchain={"bimedv": "2"})
    assert bytes_of(folder) == bytes_of(built(tmp_path, "undisturbed", toolchain={"bimedv": "2"}))


def test_as_many_images_as_a_shard_can_be_named_after_are_written_and_more_are_told(tmp_path):
    """A shard's name has a word for each image, so it is the file system that sets the limit, not a member's number."""
    image = pictures(tmp_path)[0]
    name = "a-release-of-a-rather-long-name"
    folder = release(tmp_path, [row(sample(1, images=(image,) * 40))], "most", name=name, version="10.11.12-rc1")
    assert verify(folder).ok
    assert len(load_manifest(folder).shards) == 1
    with Shard(next(folder.rglob("*.tar"))) as shard:
        assert sorted(shard[0][1]) == sorted(f"{number}.jpg" for number in range(40))
    for count in (41, 101):
        with pytest.raises(InputError, match=f"slake-train-1: {count} images, a sample of a shard has 40 at most"):
            release(tmp_path, [row(sample(1, images=(image,) * count))])
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("workers", [2, 4])
def test_any_number_of_workers_writes_the_bytes_of_one(tmp_path, workers):
    store = pictures(tmp_path)
    one, many = (release(tmp_path, rows(store), f"w{number}", number, shard_bytes=6_000) for number in (1, workers))
    assert bytes_of(one) == bytes_of(many)
