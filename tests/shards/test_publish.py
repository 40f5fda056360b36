"""Publishing: what arrives is what was built, what is there is not sent again, and nothing goes where it may not."""

import json
import shutil
import subprocess
import sys

import fsspec
import pytest

from schemas.errors import AccessError, InputError, StoppedError
from shards.publish import Storage, publish
from shards.verify import verify
from tests.shards.hub_server import HubServer
from tests.shards.made import pictures, release, rows


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A release in several shards. Do not change it."""
    folder = tmp_path_factory.mktemp("publish")
    return release(folder, rows(pictures(folder)), shard_bytes=6_000)


def _held(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_release_in_a_folder_is_the_same_release(whole, tmp_path):
    told = publish(whole, Storage(str(tmp_path / "out")))
    assert _held(tmp_path / "out") == _held(whole)
    assert (told["sent"], told["there"], told["files"]) == (len(_held(whole)), 0, len(_held(whole)))
    assert verify(tmp_path / "out").ok


def test_a_second_time_sends_nothing_and_after_a_loss_only_what_is_missing(whole, tmp_path):
    target = Storage(str(tmp_path / "out"))
    publish(whole, target)
    assert publish(whole, target)["sent"] == 0
    lost, changed = sorted((tmp_path / "out").rglob("*.tar"))[:2]
    lost.unlink()
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    assert publish(whole, target)["sent"] == 2
    assert _held(tmp_path / "out") == _held(whole)


@pytest.mark.parametrize("blocked", [".nv-meta", "README.md"])
def test_a_half_sent_release_has_no_manifest(whole, tmp_path, blocked):
    """As when a disk is full after the shards: what is there is no release, and the next run goes on."""
    place = tmp_path / "out" / blocked
    place.parent.mkdir()
    if blocked == "README.md":
        place.mkdir()
    else:
        place.write_text("a file where a folder should be")
    with pytest.raises(InputError, match=r"cannot be (written|read back)"):
        publish(whole, Storage(str(tmp_path / "out")))
    assert not (tmp_path / "out/manifest.json").exists()
    assert not list((tmp_path / "out").rglob("*.part"))
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    publish(whole, Storage(str(tmp_path / "out")))
    assert _held(tmp_path / "out") == _held(whole)


def test_a_storage_that_fsspec_knows_takes_it_too(whole):
    told = publish(whole, Storage("memory://published/r"))
    files = fsspec.filesystem("memory")
    for name, data in _held(whole).items():
        assert files.cat_file(f"/published/r/{name}") == data
    assert told["sent"] == told["files"]


def test_a_dry_run_names_the_files_and_makes_nothing(whole, tmp_path):
    told = publish(whole, Storage(str(tmp_path / "out")), dry_run=True)
    assert set(told["to_send"]) == set(_held(whole))
    assert told["to_send"][-1] == "manifest.json"
    assert told["sent"] == 0
    assert not (tmp_path / "out").exists()


def test_a_damaged_release_and_one_that_may_not_go_out_are_not_sent(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "copy")
    shard = next((tmp_path / "copy").rglob("*.tar"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="Nothing was sent"):
        publish(tmp_path / "copy", Storage(str(tmp_path / "out")))
    terms = {"licence": "research-only", "redistributable": False, "reasons": ["mimic_cxr: access is credentialed"]}
    closed = release(tmp_path, rows(pictures(tmp_path)), "closed", terms=terms)
    with pytest.raises(AccessError, match="mimic_cxr: access is credentialed"):
        publish(closed, Storage(str(tmp_path / "out")))
    assert not (tmp_path / "out").exists()
    assert publish(closed, Storage(str(tmp_path / "out")), inside=True)["sent"] > 0


def test_the_folder_of_another_version_is_not_overwritten(whole, tmp_path):
    publish(whole, Storage(str(tmp_path / "out")))
    before = _held(tmp_path / "out")
    newer = release(tmp_path, rows(pictures(tmp_path)), "newer", version="0.2.0")
    with pytest.raises(InputError, match=r"holds another release already. Give r 0\.2\.0 a folder of its own"):
        publish(newer, Storage(str(tmp_path / "out")))
    assert _held(tmp_path / "out") == before


class _Forgetful(Storage):
    """A storage that loses a file without saying so."""

    def send(self, files, release, progress):
        super().send([file for file in files if not file.name.endswith("DATASHEET.md")], release, progress)


def test_a_file_that_did_not_arrive_is_noticed(whole, tmp_path):
    with pytest.raises(StoppedError, match=r"1 files are not there as they were sent, such as DATASHEET\.md"):
        publish(whole, _Forgetful(str(tmp_path / "out")))


def test_the_command_refuses_with_exit_code_4(whole, tmp_path, bimedv):
    told = bimedv("release", "publish", whole, tmp_path / "out", "--dry-run", "--json")
    assert (told.code, told.json["dry_run"], len(told.json["to_send"])) == (0, True, told.json["files"])
    terms = {"licence": "research-only", "redistributable": False, "reasons": ["no"]}
    closed = release(tmp_path, rows(pictures(tmp_path)), "closed", terms=terms)
    assert bimedv("release", "publish", closed, tmp_path / "out").code == 4


@pytest.fixture
def hub():
    with HubServer() as server:
        yield server


_SEND = """
import json, sys
from pathlib import Path
from schemas.errors import InputError
from shards.hub import Hub
from shards.publish import publish
for folder in sys.argv[2:]:
    try:
        print(json.dumps(publish(Path(folder), Hub("o/n", sys.argv[1]))), flush=True)
    except InputError as error:
        print(json.dumps({"error": str(error)}), flush=True)
"""


def _send(hub, home, *folders):
    """In a process of its own: huggingface_hub is set up by the environment, once."""
    env = {"HF_HUB_DISABLE_XET": "1", "HF_HOME": str(home), "HF_TOKEN": "hf_test", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _SEND, hub.url, *map(str, folders)],
        capture_output=True, text=True, check=False, env=env | {"PYTHONPATH": ":".join(sys.path)}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_hub_gets_the_release_goes_on_after_a_break_and_takes_the_next_version(whole, hub, tmp_path):
    newer = release(tmp_path, rows(pictures(tmp_path))[1:], "newer", version="0.2.0")
    hub.repository.refuse = 1
    (broken,) = _send(hub, tmp_path, whole)
    assert "o/n: Error while uploading" in broken["error"]
    assert "manifest.json" not in hub.repository.files
    sent, again = _send(hub, tmp_path, whole, whole)
    assert hub.repository.files == _held(whole)
    assert (sent["sent"], again["sent"], again["there"]) == (sent["files"], 0, sent["files"])
    assert len(hub.repository.uploads) == len(set(hub.repository.uploads)), "what arrived is not sent again"
    assert (hub.repository.commits[-1], hub.repository.tags) == ("r 0.1.0", ["v0.1.0"])
    _send(hub, tmp_path, newer)
    assert hub.repository.files == _held(newer)
    assert hub.repository.tags == ["v0.1.0", "v0.2.0"]
