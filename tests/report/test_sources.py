"""What the page says of each source: counts, lengths, pictures with their first words, copies."""

import pyarrow as pa

from pipeline.report.sources import Cluster, sources
from pipeline.workspace import Workspace
from tests.report.conftest import CASES, HOSTILE


def test_a_source_shows_what_it_gave_and_why_the_rest_fell_out(run):
    (source,) = sources(run.workspace)
    assert source.funnel == {"samples": 5, "kept": 5, "English going out": 5, "Arabic going out": 2}
    assert source.reasons == {"missing_image": 2, "empty_answer": 1}
    assert source.languages == {"en": 5}
    assert sum(source.lengths.values()) == len(CASES)
    assert source.lengths["under 50"] == 4
    assert source.clusters == ()


def test_its_pictures_stand_with_their_first_words_and_without_marks(run):
    ((picture,),) = [source.pictures for source in sources(run.workspace)]
    assert (picture.words, picture.modality, picture.sample) == ("Is the heart enlarged?", "ct", "slake-train-0")
    assert picture.uri.startswith("data:image/jpeg;base64,")


def test_pictures_are_taken_at_even_distances_and_a_lost_one_is_said(make_run):
    run = make_run([(("<image>\nWhat is this?", f"Number {number}."), None, None, None) for number in range(30)])
    for path in run.workspace.images.rglob("*.*"):
        path.unlink()
    (source,) = sources(run.workspace)
    assert [picture.sample for picture in source.pictures] == [f"slake-train-{number}" for number in range(0, 30, 3)]
    assert {picture.uri for picture in source.pictures} == {None}
    assert run.page().count("The image is gone or damaged.") >= 10


def test_copies_stand_under_the_sample_that_stayed(make_run):
    run = make_run([(("What is it?", HOSTILE), None, None, None)])
    rows = [
        {"id": f"slake-train-{n}", "reason": "exact_duplicate", "kept": "slake-train-0", "chunk": "000-00000"}
        for n in (3, 1, 2, 4)
    ]
    run.workspace.write_chunk("duplicates", "all", "d", {"fallen": pa.Table.from_pylist(rows)})
    (source,) = sources(run.workspace)
    examples = ("slake-train-1", "slake-train-2", "slake-train-3")
    assert source.clusters == (Cluster("slake-train-0", f"What is it? {HOSTILE}", 4, examples),)
    page = run.page()
    assert "slake-train-3" in page
    assert HOSTILE not in page


def test_a_workspace_of_which_nothing_was_read_has_no_source(tmp_path):
    assert sources(Workspace(tmp_path)) == []
