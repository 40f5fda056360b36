"""The road with recipes: made samples are counted, traced, translated and released, and nothing is paid for twice."""

import pytest

from flows.laws import prove
from flows.preflight import check_run
from flows.road import make
from pipeline.database import open_database
from pipeline.quality.gate import Gate, Pair
from pipeline.settings import QualitySettings, load_settings
from pipeline.status import load_run
from pipeline.trace import trace, trace_text
from pipeline.workspace import Workspace, noun_table
from schemas.errors import AccessError, InputError
from schemas.release import ReleaseRow
from schemas.sample import Sample
from tests.command import released
from tests.make.maker import MADE_ARABIC, Maker

RECIPES = {"expand_answers": {"corpora": ["slake"]}, "qa_to_mcq": {"corpora": ["slake"], "limit": 1}}


@pytest.fixture
def maker():
    with Maker() as server:
        yield server


def test_the_arabic_of_the_fixture_is_what_the_gate_accepts():
    scored = Gate(QualitySettings()).score([[Pair(english, arabic, "answer")] for english, arabic in MADE_ARABIC.items()])
    assert {one.verdict for one in scored} == {"accept"}, [one.findings for one in scored]


def test_the_whole_road_with_recipes(corpora, maker, bimedv):
    sources = [{"corpus": "slake", "path": "slake/train.json", "images": "slake/imgs"}]
    config = corpora.config(maker.url, make=RECIPES, sources=sources, runner={"chunk_rows": 6})
    place = corpora.folder / "work"
    first = bimedv("run", config, "--json")
    assert first.code == 0, first.err
    assert "make" in first.json["stages"]
    assert first.json["samples"]["excluded"]["unfaithful"] == 1
    _made_is_released(Workspace(place))
    _made_leads_back(Workspace(place))
    assert "made of those" in (place / "reports" / "small.html").read_text(encoding="utf-8")
    asked, before = len(maker.requests), released(place)
    assert bimedv("run", config).code == 0
    assert len(maker.requests) == asked, "a second run asks nothing"
    assert released(place) == before


def _made_is_released(workspace):
    rows = list(workspace.rows("release", ReleaseRow, "rows"))
    made = {row.sample.id: row for row in rows if "made_by" in row.sample.meta}
    assert {"slake-train-0-expand", "slake-train-0-expand-ar", "slake-train-5-expand", "slake-train-5-expand-ar"} <= set(made)
    assert "slake-train-3-expand" not in made, "the rib changed its side twice"
    assert [row.sample.task for row in made.values()].count("mcq") >= 1
    splits = {row.sample.id: row.split for row in rows}
    assert all(row.split == splits[row.sample.meta["made_from"]] for row in made.values())
    assert "نعم، القلب متضخم".encode() in b"".join(released(workspace.root).values())


def _made_leads_back(workspace):
    settings = load_run(workspace)
    engine = open_database(settings.database_url())
    try:
        assert {fault for faults in prove(settings, workspace, engine).values() for fault in faults} == set()
        told = trace(settings, workspace, engine, "slake-train-5-expand-ar", None)
        assert (told["made"]["parent"], told["made"]["recipe"]) == ("slake-train-5", "expand_answers")
        assert len(told["made"]["calls"]) == 2
        assert (told["source"]["row"], told["bucket"]) == (6, "accepted")
        lost = trace_text(trace(settings, workspace, engine, "slake-train-3-expand", None))
        assert "slake-train-3-expand: excluded (unfaithful)" in lost
        assert "made from slake-train-3 by expand_answers: test-model, expand_answers-v1" in lost
    finally:
        engine.dispose()


def test_a_recipe_that_nobody_knows_and_a_corpus_that_is_not_there(corpora):
    with pytest.raises(InputError) as told:
        load_settings(corpora.config("embedded", make={"expand": {"corpora": ["slake"]}}))
    allowed = "make.expand: unknown key. Allowed here: caption_to_conversation, caption_to_qa, expand_answers, qa_to_mcq"
    assert allowed in str(told.value)
    with pytest.raises(InputError) as told:
        load_settings(corpora.config("embedded", make={"expand_answers": {"corpora": ["pubmedqa"]}}))
    assert "make.expand_answers.corpora: 'pubmedqa' is no corpus of this config" in str(told.value)
    assert "\n" not in str(told.value)
    with pytest.raises(InputError, match=r"make.expand_answers.corpora"):
        load_settings(corpora.config("embedded", make={"expand_answers": {}}))


def test_a_restricted_corpus_is_refused_before_make_asks(corpora, maker):
    folder = corpora.folder / "figure1"
    folder.mkdir()
    (folder / "metadata.csv").write_text("patientid,finding,view\n1,Pneumonia,PA\n", encoding="utf-8")
    sources = [{"corpus": "figure1_cxr", "path": "figure1/metadata.csv", "missing_images": "text_only"}]
    settings = load_settings(corpora.config(maker.url, sources=sources, make={"expand_answers": {"corpora": ["figure1_cxr"]}}))
    with pytest.raises(AccessError, match='source "figure1_cxr" is restricted data'):
        check_run(settings, ["make"])
    check_run(load_settings(corpora.config(maker.url, sources=sources)), ["make"])
    assert maker.requests == []


def test_without_recipes_nothing_that_was_made_stays_and_nothing_is_asked(corpora, maker):
    config = corpora.config(maker.url)
    workspace = Workspace(corpora.folder / "work")
    workspace.write_chunk("make", "made-00-slake-00000", "m", {"samples": noun_table(Sample, [])})
    assert make.fn(str(config)) == []
    assert workspace.manifests("make") == []
    assert not workspace.table_path("make", "made-00-slake-00000", "samples").exists()
    assert maker.requests == []
