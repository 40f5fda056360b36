"""Where a run happens makes no difference to what comes out: threads, Dask; SQLite, PostgreSQL."""

import pytest

from tests.command import OWN_SERVER, released


@pytest.fixture
def plain(corpora, endpoint, bimedv):
    """What the run gives with threads and SQLite."""
    config = corpora.config(endpoint.url)
    answer = bimedv("run", config, "--workspace", corpora.folder / "plain", "--json")
    assert answer.code == 0, answer.err
    return answer.json, released(corpora.folder / "plain")


def test_dask_starts_a_server_says_so_and_gives_the_same_bytes(plain, corpora, endpoint, bimedv):
    asked = len(endpoint.requests)
    config = corpora.config(endpoint.url, runner={"kind": "dask", "workers": 2, "chunk_rows": 4})
    answer = bimedv("run", config, "--json", env=OWN_SERVER)
    assert answer.code == 0, answer.err
    assert "Prefect: http://127.0.0.1" in answer.err
    assert "Dask: a local cluster of 2 processes" in answer.err
    assert released(corpora.folder / "work") == plain[1]
    assert answer.json["samples"] == plain[0]["samples"]
    assert len(endpoint.requests) == 2 * asked, "each unit is asked once, whichever process comes first"


def test_a_scheduler_that_is_not_there_is_one_clear_error(corpora, endpoint, bimedv):
    config = corpora.config(endpoint.url, runner={"kind": "dask", "address": "tcp://127.0.0.1:9"})
    answer = bimedv("run", config)
    assert answer.code == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in answer.err
    assert "Traceback" not in answer.err


def test_postgresql_gives_the_same_bytes(plain, corpora, endpoint, bimedv, postgres_url):
    config = corpora.config(endpoint.url, database=postgres_url)
    answer = bimedv("run", config, "--json")
    assert answer.code == 0, answer.err
    assert released(corpora.folder / "work") == plain[1]
    assert answer.json["calls"] == plain[0]["calls"]
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
