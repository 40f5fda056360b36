"""A disk that fills up: one clear error, nothing half-written, and with room again the same command goes on."""

import subprocess

import pytest
from sqlalchemy.exc import SQLAlchemyError

from pipeline.database import open_database
from pipeline.llm.ledger import Ledger
from tests.command import released

_SIZE_KB = 700


@pytest.fixture
def small_disk(tmp_path):
    """A folder of a size that a run does not fit into; yields it and a function that gives it room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if _mount(folder, f"size={_SIZE_KB}k").returncode:
        pytest.skip("this user may not mount a tmpfs, so no folder of limited size can be made")
    try:
        yield folder, lambda: _mount(folder, "remount,size=200m")
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(folder, options):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False)


def test_a_full_disk_is_one_error_and_nothing_is_lost(small_disk, corpora, endpoint, bimedv, finished):
    folder, give_room = small_disk
    config = corpora.config(endpoint.url)
    full = bimedv("run", config, "--workspace", folder / "work")
    assert full.code == 2, full.err
    assert "no space left" in full.err.lower()
    assert "Traceback" not in full.err
    assert not list(folder.rglob("manifest.json"))
    give_room()
    assert bimedv("run", config, "--workspace", folder / "work").code == 0
    assert released(folder / "work") == released(finished.workspace)
    assert list(folder.rglob("*.part")) == []


@pytest.mark.parametrize("filled_kb", [600, 650])
def test_a_database_is_made_whole_or_not_at_all(small_disk, filled_kb):
    """In this process: a run up to this point takes 10 s."""
    folder, give_room = small_disk
    (folder / "ballast").write_bytes(b"x" * 1024 * filled_kb)
    url = f"sqlite:///{folder / 'bimedv.db'}"
    with pytest.raises(SQLAlchemyError, match="full"):
        open_database(url)
    give_room()
    engine = open_database(url)
    assert Ledger(engine).totals()["requests"] == 0
    engine.dispose()
