"""What the page says of each source: counts, lengths, pictures with their first words, copies."""

import pyarrow as pa

from pipeline.report.sources import Cluster, sources
from pipeline.workspace import Workspace, made_chunk, noun_table
from schemas.sample import Exclusion, Sample
from tests.report.conftest import CASES, CHUNK, HOSTILE


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


def test_placeholders_are_counted_and_shown_in_their_place(make_run):
    run = make_run([(("Who saw him?", "Dr [NAME] saw him on [DATE]."), None, None, None), (("Is it?", "No."), None, None, None)])
    (before, plain) = run.workspace.rows("curate", Sample, "samples")
    noted = before.model_copy(update={"meta": {"deidentified": "[DATE]=2,[NAME]=1"}})
    lost = {"excluded": noun_table(Exclusion, [])}
    run.workspace.write_chunk("curate", CHUNK, "c", {"samples": noun_table(Sample, [noted, plain]), **lost})
    (source,) = sources(run.workspace)
    assert source.masked == {"[DATE]": 2, "[NAME]": 1}
    said = "Who saw him? Dr [NAME] saw him on [DATE]."
    assert source.places == (("slake-train-0", said), ("slake-train-0", said))
    assert f"Placeholders in {source.name}" in run.page()


def test_what_recipes_made_of_a_source_is_counted_with_it(make_run):
    run = make_run([(("Is it?", "No."), None, None, None)])
    (kept,) = run.workspace.rows("curate", Sample, "samples")
    run.workspace.write_chunk("make", made_chunk(CHUNK), "m", {"samples": noun_table(Sample, [kept, kept, kept])})
    (source,) = sources(run.workspace)
    assert (source.funnel["kept"], source.funnel["made of them"]) == (1, 3)


def test_a_workspace_of_which_nothing_was_read_has_no_source(tmp_path):
    assert sources(Workspace(tmp_path)) == []
