"""Chunks are whole or not there, and are made again only when their input or config changed."""

import pytest

from pipeline.workspace import Workspace, fingerprint, noun_table, write_atomic
from schemas.errors import InputError
from schemas.quality import Score

ROW = Score(sample="a-1", score=90.0, verdict="accept", findings=(), similarity=0.5, judge=None, version="1")


def test_a_chunk_is_done_for_its_fingerprint_only(tmp_path):
    place = Workspace(tmp_path)
    place.write_chunk("score", "00-slake-00000", "one", {"scores": noun_table(Score, [ROW])})
    assert place.done("score", "00-slake-00000", "one") is not None
    assert place.done("score", "00-slake-00000", "two") is None
    assert list(place.rows("score", Score, "scores")) == [ROW]


def test_the_same_rows_give_the_same_bytes(tmp_path):
    digests = [
        Workspace(tmp_path / name).write_chunk("score", "c", "f", {"scores": noun_table(Score, [ROW] * 9)}).tables["scores"]
        for name in ("one", "two")
    ]
    assert digests[0] == digests[1]


def test_a_chunk_without_manifest_is_not_there(tmp_path):
    """What a kill between the tables and the manifest leaves behind."""
    place = Workspace(tmp_path)
    place.write_chunk("score", "c", "f", {"scores": noun_table(Score, [ROW])})
    place.manifest_path("score", "c").unlink()
    assert place.manifests("score") == []
    assert list(place.rows("score", Score, "scores")) == []
    assert place.done("score", "c", "f") is None


def test_leftover_chunks_are_dropped_with_their_tables(tmp_path):
    place = Workspace(tmp_path)
    for chunk in ("c0", "c1"):
        place.write_chunk("score", chunk, "f", {"scores": noun_table(Score, [ROW])})
    place.drop_chunks("score", ["c1"])
    assert [manifest.chunk for manifest in place.manifests("score")] == ["c1"]
    assert not place.table_path("score", "c0", "scores").exists()


def test_a_fingerprint_knows_content_not_order():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    assert fingerprint(ROW) == fingerprint(ROW.model_copy())


def test_an_atomic_write_leaves_no_part(tmp_path):
    write_atomic(tmp_path / "deep" / "x.json", b"1")
    write_atomic(tmp_path / "deep" / "x.json", b"2")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "deep").iterdir()] == [("x.json", b"2")]


def test_a_table_of_an_earlier_version_is_read_with_defaults_for_columns_that_it_lacks(tmp_path):
    workspace = Workspace(tmp_path)
    table = noun_table(Score, [ROW])
    workspace.write_chunk("score", "000-00000", "f", {"scores": table.drop_columns(["judge_calls"])})
    assert list(workspace.rows("score", Score, "scores")) == [ROW]


def test_a_table_of_another_shape_is_one_clear_error_that_names_the_stage_to_run_again(tmp_path):
    workspace = Workspace(tmp_path)
    table = noun_table(Score, [ROW])
    workspace.write_chunk("score", "000-00000", "f", {"scores": table.rename_columns({"verdict": "outcome"})})
    with pytest.raises(InputError, match=r"scores.*another version of bimedv.*bimedv score CONFIG"):
        list(workspace.rows("score", Score, "scores"))
