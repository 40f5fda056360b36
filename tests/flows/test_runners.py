"""Where a run happens makes no difference to what comes out: threads, Dask; SQLite, PostgreSQL."""

import pytest

from tests.command import OWN_SERVER, released


def test_dask_starts_a_server_says_so_and_gives_the_same_bytes(finished, corpora, endpoint, bimedv):
    config = corpora.config(endpoint.url, runner={"kind": "dask", "workers": 2, "chunk_rows": 4})
    answer = bimedv("run", config, "--json", env=OWN_SERVER)
    assert answer.code == 0, answer.err
    assert "Prefect: http://127.0.0.1" in answer.err
    assert "Dask: a local cluster of 2 processes" in answer.err
    assert released(corpora.folder / "work") == released(finished.workspace)
    assert answer.json["samples"] == finished.answer.json["samples"]
    assert len(endpoint.requests) == finished.requests, "each unit is asked for once, whichever process comes first"


def test_a_scheduler_that_is_not_there_is_one_clear_error(corpora, endpoint, bimedv):
    config = corpora.config(endpoint.url, runner={"kind": "dask", "address": "tcp://127.0.0.1:9"})
    answer = bimedv("run", config)
    assert answer.code == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_postgresql_gives_the_same_bytes(finished, corpora, endpoint, bimedv, database_url):
    config = corpora.config(endpoint.url, database=database_url)
    answer = bimedv("run", config, "--json")
    assert answer.code == 0, answer.err
    assert released(corpora.folder / "work") == released(finished.workspace)
    assert answer.json["calls"] == finished.answer.json["calls"]
    assert not (corpora.folder / "work" / "bimedv.db").exists()
    checked = bimedv("status", "--check", "--workspace", corpora.folder / "work", "--json")
    assert checked.code == 0, checked.out


def test_a_database_that_does_not_answer_is_one_clear_error(corpora, endpoint, bimedv):
    config = corpora.config(endpoint.url, database="postgresql+psycopg://me:secret@127.0.0.1:9/none")
    answer = bimedv("run", config)
    assert answer.code == 2
    assert "127.0.0.1:9/none does not open" in answer.err
    assert "secret" not in answer.err
    assert endpoint.requests == []
