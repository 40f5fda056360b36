"""What was made is in the sums, and the laws notice when it is not, or when it leads nowhere."""

import pytest

from flows.laws import prove
from pipeline.curate.dedup import find_duplicates
from pipeline.curate.stage import curate_chunk
from pipeline.database import open_database
from pipeline.select import select
from pipeline.status import count
from pipeline.trace import trace
from pipeline.workspace import made_chunk, noun_table
from schemas.sample import Exclusion, Origin, Sample
from schemas.translation import Making
from tests.curate.samples import SHA, ingested, sample
from tests.make.conftest import CHUNK

ROWS = [
    sample("s1", "Is the heart enlarged in this image?", "Yes", images=["x"]),
    sample("s3", "Is there a fracture of the left rib?", "No", images=["z"]),
    sample("s4", "Which modality was used to take this image?", "CT", images=["x"]),
]
ROWS = [one.model_copy(update={"origin": Origin(file="a.json", row=row, sha256=SHA)}) for row, one in enumerate(ROWS, 1)]


@pytest.fixture
def made(desk):
    """One sample made, one unfaithful, one at which the endpoint failed; nothing is translated yet."""
    ingested(desk.folder, ROWS)
    settings = desk.settings(expand_answers=None)
    find_duplicates(settings, desk.workspace)
    curate_chunk(settings, desk.workspace, CHUNK)
    desk.maker.fails_at = "Which modality"
    assert desk.make(settings).counts["failed"] == 1
    engine = open_database(settings.database_url())
    yield desk, settings, engine
    engine.dispose()


def test_what_was_asked_for_is_owed_and_in_one_bucket_each(made):
    desk, settings, engine = made
    tally = count(settings, desk.workspace, engine)
    assert tally.whole()
    # 3 read and 1 made, each with a twin; 1 unfaithful; 1 that failed.
    assert tally.owed == 4 * 2 + 1 + 1
    assert (dict(tally.excluded), dict(tally.failed), tally.pending) == ({"unfaithful": 1}, {"permanent": 1}, 8)
    assert (tally.read, tally.sampled) == (3, 3), "no record was read for what was made"
    assert prove(settings, desk.workspace, engine)["conservation"] == []


@pytest.mark.parametrize("table", ["samples", "excluded", "makings"])
def test_a_row_that_is_gone_breaks_conservation(made, table):
    desk, settings, engine = made
    name = made_chunk(CHUNK)
    rows = {"samples": (Sample, desk.made()), "excluded": (Exclusion, desk.lost()), "makings": (Making, desk.makings())}
    tables = {key: noun_table(noun, [] if key == table else found) for key, (noun, found) in rows.items()}
    desk.workspace.write_chunk("make", name, "tampered", tables, {"failed": 1})
    (fault, *_) = prove(settings, desk.workspace, engine)["conservation"]
    assert fault.startswith(f"make {name}: s")


def test_a_made_sample_that_leads_to_no_record_or_call_breaks_traceability(made):
    desk, settings, engine = made
    select(settings, desk.workspace, engine)
    assert prove(settings, desk.workspace, engine)["traceable"] == []
    (good,) = desk.made()
    for meta, words in (({"made_from": "s9"}, "lead back to a record"), ({"made_calls": "f" * 64}, "not in the ledger")):
        changed = good.model_copy(update={"meta": good.meta | meta})
        tables = {"samples": noun_table(Sample, [changed]), "excluded": noun_table(Exclusion, desk.lost())}
        tables["makings"] = noun_table(Making, desk.makings())
        desk.workspace.write_chunk("make", made_chunk(CHUNK), words, tables, {"failed": 1})
        select(settings, desk.workspace, engine)
        (fault,) = prove(settings, desk.workspace, engine)["traceable"]
        assert "s1-expand" in fault
        assert words in fault


def test_a_made_sample_can_be_traced_before_it_is_translated(made):
    desk, settings, engine = made
    told = trace(settings, desk.workspace, engine, "s1-expand", None)
    assert (told["bucket"], told["made"]["parent"], told["source"]["record"]) == ("pending", "s1", "s1")
    assert [call["state"] for call in told["made"]["calls"]] == ["ok"]
    lost = trace(settings, desk.workspace, engine, "s3-expand", None)
    assert (lost["bucket"], lost["reason"]) == ("excluded", "unfaithful")
