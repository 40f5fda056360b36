"""Texts of a restricted corpus stay in the workspace's own files: canary words, looked for everywhere else."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from pipeline.database import CallRow, MemoryRow, ReviewRow, open_database, session
from pipeline.workspace import Workspace
from schemas.release import ReleaseRow
from schemas.sample import Turn
from tests.access.conftest import CANARIES
from tests.command import OWN_SERVER, run_command
from tests.endpoint import UNKNOWN, Endpoint

FIRST, SECOND, _ = CANARIES
#: An endpoint that quotes what it was asked in its error.
ECHO = {"error": {"message": f"I will not translate: Describe the {FIRST} {SECOND} nodule."}}


def config_over(folder, url, **changes):
    """A restricted corpus with canaries in its notes and findings, and a config that lets a local model see it."""
    (folder / "figure1").mkdir(parents=True)
    said = f"The {SECOND} nodule {{}} is in the left lung."
    rows = [f"{number},F,PA,{FIRST} change {number} there,{said.format(number)}" for number in range(6)]
    table = "\n".join(["patientid,sex,view,finding,notes", *rows, ""])
    (folder / "figure1" / "metadata.csv").write_text(table, encoding="utf-8")
    source = {"corpus": "figure1_cxr", "path": "figure1/metadata.csv", "missing_images": "text_only"}
    translator = {"base_url": url, "model": "m", "allows": ["open", "restricted"], "timeout_s": 20, "max_retries": 0}
    values = {
        "name": "kept", "workspace": "work", "sources": [source], "endpoints": {"translator": translator},
        "translate": {"rounds": 0}, "quality": {"without_judge": "accept", "reject": 0}, "train": {"preset": "none"},
        "curate": {"near_duplicates": 1.0}, "release": {"name": "kept", "splits": {"train": 1.0}},
    }  # fmt: skip
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(values | changes), encoding="utf-8")
    return path


def found_in(data):
    """Canaries in bytes or text."""
    raw = data.encode() if isinstance(data, str) else data
    return [word for word in (*CANARIES, UNKNOWN) if word.encode() in raw]


@dataclass(frozen=True)
class Run:
    workspace: Path
    answer: object
    requests: list

    def review(self, *words):
        return run_command("review", "export", "--workspace", self.workspace, *words)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The road over a restricted corpus, on a Prefect server of its own; one request fails with an error that quotes it."""
    folder = tmp_path_factory.mktemp("leaks")
    with Endpoint() as server:
        server.faults = [(400, {}, ECHO)]
        config = config_over(folder, server.url)
        answer = run_command("run", config, env=OWN_SERVER)
        assert answer.code == 1, answer.err
        return Run(folder / "work", answer, server.requests)


def test_the_canaries_live(run):
    """They were translated, and the error that quotes them came: else nothing below could fail."""
    assert found_in(json.dumps(run.requests)) == [FIRST, SECOND]
    engine = open_database(f"sqlite:///{run.workspace / 'bimedv.db'}")
    with session(engine) as opened:
        errors = list(opened.scalars(select(CallRow.error).where(CallRow.state == "permanent")))
    engine.dispose()
    assert errors
    assert found_in(errors[0]) == [FIRST, SECOND]


def test_g7_the_terminal_holds_no_text(run):
    assert "records read" in run.answer.out
    assert found_in(run.answer.out + run.answer.err) == []


def test_g7_prefects_database_and_log_hold_no_text(run):
    """Its artifacts, parameters, states and logs; a server of the user's would have the same."""
    files = [path for path in (run.workspace / ".prefect").rglob("*") if path.is_file()]
    whole = b"".join(path.read_bytes() for path in files)
    assert b"records read" in whole, "the artifact is there, so that this test can see"
    assert found_in(whole) == []


def test_g7_nothing_else_in_the_workspace_holds_text_than_what_is_made_for_it(run):
    holders = {path.relative_to(run.workspace).parts[0] for path in run.workspace.rglob("*") if path.is_file() and _holds(path)}
    assert holders <= {"bimedv.db", "bimedv.db-wal", "tables", "reports", "releases"}
    assert "reports" in holders


def _holds(path):
    return found_in(path.read_bytes()) != []


def test_the_report_shows_texts_and_says_that_it_must_not_be_passed_on(run):
    page = (run.workspace / "reports" / "kept.html").read_text(encoding="utf-8")
    assert found_in(page)
    assert "<strong>Do not pass on</strong> This page shows restricted text." in page
    assert page.index("Do not pass on") < page.index(FIRST)


def test_g9_the_release_says_in_manifest_and_card_that_it_is_not_to_be_passed_on(run):
    (release,) = (path for path in (run.workspace / "releases").iterdir() if path.is_dir())
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    terms = manifest.get("terms") or manifest["config"]["terms"]
    assert terms["redistributable"] is False
    assert "figure1_cxr: access is restricted" in terms["reasons"]
    card = (release / "README.md").read_text(encoding="utf-8")
    assert "not to be passed on:** figure1_cxr: access is restricted" in card
    assert found_in(card) == []


def test_g3_everything_derived_is_restricted(run):
    rows = list(Workspace(run.workspace).rows("release", ReleaseRow, "rows"))
    assert {row.sample.access for row in rows} == {"restricted"}
    engine = open_database(f"sqlite:///{run.workspace / 'bimedv.db'}")
    with session(engine) as opened:
        items = [row["access"] for row in opened.scalars(select(ReviewRow.item))]
    engine.dispose()
    assert items
    assert set(items) == {"restricted"}


def test_an_export_leaves_out_what_is_not_open_and_says_how_much(run, tmp_path):
    told = run.review("--output", tmp_path / "queue.jsonl", "--json")
    assert told.code == 0, told.err
    assert told.json["items"] == 0
    assert told.json["left_out"]["restricted"] > 0
    assert (tmp_path / "queue.jsonl").read_bytes() == b""
    assert "--access restricted" in run.review("--output", tmp_path / "queue.jsonl").out


def test_an_export_of_a_named_class_holds_that_class(run, tmp_path):
    out = tmp_path / "queue.jsonl"
    told = run.review("--output", out, "--access", "restricted", "--json")
    assert (told.json["items"], told.json["left_out"]) == (len(out.read_bytes().splitlines()), {})
    assert found_in(out.read_bytes())


def test_g3_what_an_expert_writes_is_restricted_and_warnings_about_it_do_not_quote_it(run, tmp_path):
    copy = shutil.copytree(run.workspace, tmp_path / "work")
    out = tmp_path / "queue.jsonl"
    wanted = ("review", "export", "--workspace", copy, "--output", out, "--access", "restricted")
    assert run_command(*wanted).code == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    row = next(row for row in rows if FIRST in row["source_turns"][-1])
    turns = [*row["target_turns"][:-1], f"تغير {CANARIES[2]} ٧٣٩"]
    row["decision"] |= {"verdict": "edit", "turns": turns}
    out.write_text(json.dumps(row), encoding="utf-8")
    told = run_command("review", "import", out, "--reviewer", "dr-a", "--workspace", copy, "--json")
    assert told.code == 0, told.err
    assert told.json["warnings"] == [f"{row['id']}: numbers"] * 2, "of open text it would say which numbers"
    assert found_in(told.out + told.err) == []
    engine = open_database(f"sqlite:///{copy / 'bimedv.db'}")
    with session(engine) as opened:
        kinds = dict(opened.execute(select(MemoryRow.target, MemoryRow.access)).all())
    engine.dispose()
    assert kinds[turns[-1]] == "restricted"


def test_g7_an_endpoint_that_quotes_the_text_and_refuses_the_key_is_not_quoted(prefect_home, tmp_path):
    """On a server of the user's own, where Prefect keeps logs and tracebacks."""
    with Endpoint() as server:
        server.faults = [(403, {}, ECHO)] * 50
        told = run_command("run", config_over(tmp_path / "corpus", server.url))
    assert told.code == 3, told.err
    assert "refuses: HTTP 403 (the ledger has its words)" in told.err
    assert found_in(told.out + told.err) == []
    kept = b"".join(path.read_bytes() for path in Path(prefect_home["PREFECT_HOME"]).rglob("*") if path.is_file())
    assert b"the ledger has its words" in kept
    assert found_in(kept) == []


def test_law_7_is_broken_where_such_rows_came_from_an_endpoint_that_may_not_see_them(run, tmp_path):
    copy = shutil.copytree(run.workspace, tmp_path / "work")
    told = run_command("status", "--check", "--workspace", copy, "--json")
    assert told.json["laws"]["kept_where_it_must_stay"] is True, told.out
    config = json.loads((copy / "config.json").read_bytes())
    config["endpoints"]["translator"]["base_url"] = "https://llm.example.org/v1"
    (copy / "config.json").write_text(json.dumps(config), encoding="utf-8")
    told = run_command("status", "--check", "--workspace", copy, "--json")
    assert told.json["laws"]["kept_where_it_must_stay"] is False
    assert "(restricted) was sent to https://llm.example.org/v1: the address is not on this machine" in told.out
    assert found_in(told.out) == []


def test_an_endpoint_that_sees_open_data_only_is_quoted():
    from pipeline.llm.client import refusal
    from pipeline.settings import EndpointSettings

    assert "HTTP 403: no such account" in refusal(EndpointSettings(base_url="http://localhost/v1"), "HTTP 403: no such account")


def test_g7_a_failed_statement_does_not_quote_its_row(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    with pytest.raises(SQLAlchemyError) as told, session(engine) as opened:
        opened.add(MemoryRow(key="k", source=FIRST, target=SECOND, access=None, reviewer="r", rank=1))
    engine.dispose()
    assert "NOT NULL" in str(told.value)
    assert found_in(str(told.value)) == []


def test_g7_a_noun_that_does_not_fit_does_not_quote_its_text():
    with pytest.raises(ValidationError) as told:
        Turn.model_validate({"role": FIRST, "text": [SECOND]})
    assert "role" in str(told.value)
    assert found_in(str(told.value)) == []
