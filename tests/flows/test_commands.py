"""What users see: help with an example for each command, one clear error a mistake, the exit codes."""

import json
import re

import pytest
from typer.testing import CliRunner

from flows.main import app
from tests.flows.conftest import OWN_SERVER

COMMANDS = [
    "demo", "run", "ingest", "curate", "make", "score", "translate", "train", "eval", "chat", "status", "trace", "doctor",
    "sources list", "sources describe", "sources check", "sources plan", "glossary list", "glossary import",
    "glossary export", "glossary conflicts", "quality score", "quality audit", "quality calibrate",
    "review export", "review import", "review stats", "release build", "release verify", "access check", "access keygen",
    "access sign",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command):
    """In this process: each of these would take a second to start."""
    told = CliRunner().invoke(app, [*command.split(), "--help"])
    assert told.exit_code == 0
    assert re.search(rf"Example: bimedv {command}", told.output), told.output


def test_the_command_shows_its_help(bimedv):
    told = bimedv("--help")
    assert told.code == 0
    for command in COMMANDS:
        assert re.search(rf"\b{command.split()[0]}\b", told.out), told.out


def _refused(answer, code, *words):
    assert answer.code == code, answer.err
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err
    return answer.err


def test_a_missing_config(bimedv, tmp_path):
    _refused(bimedv("run", tmp_path / "none.yaml"), 2, "none.yaml", "no such config file")


def test_all_faults_of_a_config_at_once(corpora, endpoint, bimedv):
    config = corpora.config(endpoint.url, translat={}, quality={"acept": 80}, release={"splits": {"train": 0.5}})
    _refused(bimedv("run", config), 2, "translat", "unknown key", "quality.acept", "accept", "release.splits")
    assert not (corpora.folder / "work").exists()


def test_a_missing_source_file(corpora, endpoint, bimedv):
    config = corpora.config(endpoint.url, sources=[{"corpus": "slake", "path": "slake/test.json"}])
    _refused(bimedv("run", config), 2, "sources[0].path", "does not exist")


def test_a_corpus_that_nobody_knows(corpora, endpoint, bimedv):
    config = corpora.config(endpoint.url, sources=[{"corpus": "slak", "path": "slake/train.json"}])
    _refused(bimedv("run", config), 2, "slak", "Did you mean slake")


def test_a_corpus_given_to_the_wrong_adapter(corpora, endpoint, bimedv):
    config = corpora.config(endpoint.url, sources=[{"corpus": "pmc_vqa", "path": "slake/train.json"}])
    _refused(bimedv("run", config), 2, "not pmc_vqa", "It looks like slake")


def test_a_corpus_that_is_cut_off(corpora, endpoint, bimedv):
    path = corpora.folder / "slake" / "train.json"
    path.write_bytes(path.read_bytes()[:-200])
    _refused(bimedv("run", corpora.config(endpoint.url), env=OWN_SERVER), 2, "train.json", "not JSON after record")


def test_a_preset_that_does_not_exist_is_known_before_any_work(corpora, endpoint, bimedv):
    _refused(bimedv("run", corpora.config(endpoint.url, train={"preset": "huge"})), 2, "huge", "tiny")
    assert not (corpora.folder / "work").exists()


def test_stages_in_the_wrong_order(corpora, endpoint, bimedv):
    config = corpora.config(endpoint.url)
    _refused(bimedv("run", config, "--from", "score", "--until", "curate"), 2, "--from score comes after --until curate")


def test_an_endpoint_that_is_not_there(corpora, bimedv):
    config = corpora.config("http://127.0.0.1:9/v1")
    _refused(bimedv("run", config), 2, "endpoints.translator.base_url", "does not answer")


def test_a_restricted_corpus_is_refused_before_anything_is_sent(corpora, endpoint, bimedv):
    figure = corpora.folder / "figure1"
    figure.mkdir()
    (figure / "metadata.csv").write_text(
        "patientid,offset,sex,age,finding,survival,view,date,location,filename,doi,url,license,clinical_notes,other_notes\n"
        "1,0,M,60,COVID-19,Y,PA,2020,Here,xmlab1/source.jpg,,,CC BY-NC-SA,Fever.,\n",
        encoding="utf-8",
    )
    config = corpora.config(
        endpoint.url, sources=[{"corpus": "figure1_cxr", "path": "figure1/metadata.csv", "images": "slake/imgs"}]
    )
    _refused(bimedv("run", config), 4, "figure1_cxr", "allows")
    assert endpoint.requests == []


def test_an_api_key_that_is_not_set(corpora, endpoint, bimedv):
    translator = {"base_url": endpoint.url, "model": "m", "api_key_env": "BIMEDV_TEST_KEY"}
    config = corpora.config(endpoint.url, endpoints={"translator": translator})
    _refused(bimedv("run", config), 2, "BIMEDV_TEST_KEY", "export")
    assert endpoint.requests == []


def test_a_judge_that_is_not_there_and_thresholds_of_strangers_are_refused(corpora, endpoint, bimedv):
    judge = {"base_url": "http://127.0.0.1:9/v1", "model": "judge"}
    endpoints = {"translator": {"base_url": endpoint.url, "model": "m"}, "judge": judge}
    _refused(bimedv("run", corpora.config(endpoint.url, endpoints=endpoints)), 2, "endpoints.judge.base_url", "does not answer")
    config = corpora.config(endpoint.url, quality={"by_corpus": {"vqa_rad": {"accept": 90}}, "by_task": {"poem": {"accept": 90}}})
    _refused(bimedv("run", config), 2, "quality.by_task.poem")
    config = corpora.config(endpoint.url, quality={"by_corpus": {"vqa_rad": {"accept": 90}}})
    _refused(bimedv("run", config), 2, "quality.by_corpus: 'vqa_rad' is no corpus of this config")
    assert endpoint.requests == []


def test_batches_are_refused_where_there_is_no_batch_api(corpora, bimedv):
    config = corpora.config("embedded", translate={"mode": "batch"})
    _refused(bimedv("run", config), 2, "the embedded one has none")


def test_a_users_server_that_does_not_answer(corpora, endpoint, bimedv):
    told = bimedv("run", corpora.config(endpoint.url), env={"PREFECT_API_URL": "http://127.0.0.1:9/api"})
    _refused(told, 2, "Prefect server at http://127.0.0.1:9/api does not answer")


def test_trace_walks_back_to_the_record(finished, bimedv):
    told = bimedv("trace", "slake-train-0-ar", "--workspace", finished.workspace, "--json")
    assert told.code == 0
    text = json.dumps(told.json)
    for word in ("slake/train.json", "translate-v2", "test-model", "accept", "small-0.1.0"):
        assert word in text
    _refused(bimedv("trace", "nothing-here", "--workspace", finished.workspace), 2, "nothing-here")


def test_the_gate_on_a_file_of_pairs(bimedv, tmp_path):
    out = tmp_path / "scores.jsonl"
    told = bimedv("quality", "score", "--input", "examples/pairs.jsonl", "--output", out, "--json")
    assert told.code == 0, told.err
    rows = {row["id"]: row for row in map(json.loads, out.read_text(encoding="utf-8").splitlines())}
    assert rows["right"]["verdict"] == "accept"
    assert {row["verdict"] for name, row in rows.items() if name != "right"} == {"reject"}
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id": "a", "source": "x"}\n', encoding="utf-8")
    _refused(bimedv("quality", "score", "--input", bad, "--output", tmp_path / "none.jsonl"), 2, "bad.jsonl:1", "target")
    assert not (tmp_path / "none.jsonl").exists()


def _scripts(text):
    found = {"latin": re.search(r"[A-Za-z]", text), "arabic": re.search(r"[\u0600-\u06ff]", text)}
    return {name for name, hit in found.items() if hit}


def test_chat_answers_in_the_language_of_the_question(finished, bimedv):
    model = finished.workspace / "models" / "tiny"
    english = bimedv("chat", model, "--question", "Is the heart enlarged?", "--json").json
    arabic = bimedv("chat", model, "--question", "هل القلب متضخم؟", "--json").json
    assert _scripts(english["answer"]) == {"latin"}
    # A model of 16 samples may answer with nothing but a full stop; it may not answer in the other language.
    assert _scripts(arabic["answer"]) <= {"arabic"}


def test_eval_measures_the_held_out_split(finished, bimedv):
    told = bimedv("eval", finished.workspace / "models" / "tiny", "--benchmark", "held_out",
                  "--release", finished.workspace / "releases" / "small-0.1.0", "--json")  # fmt: skip
    assert told.code == 0, told.err
    assert told.json


def test_doctor_says_what_is_there(finished, bimedv):
    told = bimedv("doctor", "--json")
    assert told.code in (0, 1)
    assert "Python" in told.out or "python" in told.out


def test_damage_is_found_and_named(finished, bimedv, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(finished.workspace / "releases" / "small-0.1.0", copy)
    shard = next(copy.rglob("*.tar"))
    data = bytearray(shard.read_bytes())
    data[600] ^= 1
    shard.write_bytes(data)
    told = bimedv("release", "verify", copy, "--json")
    assert told.code == 1
    assert any("sha256" in problem["message"] for problem in told.json["problems"])
