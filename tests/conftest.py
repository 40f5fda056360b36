"""Real parts for the tests: an OpenAI-compatible server that we control, corpora on disk, a PostgreSQL server."""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.command import bimedv, finished, prefect_home, started
from tests.corpora import write_corpora
from tests.endpoint import Endpoint

__all__ = ["bimedv", "finished", "prefect_home", "started"]

_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=2, help="kill -9 this often in the test of resuming")
    parser.addoption("--damages", type=int, default=60, help="damage a release this often in the test of verify")


@pytest.fixture
def endpoint():
    """An OpenAI-compatible server on loopback that answers with written Arabic and, on demand, with faults."""
    with Endpoint() as server:
        yield server


@pytest.fixture
def corpora(tmp_path):
    """Folder with a small SLAKE (images), IU X-ray and HealthCareMagic, traps included, and a config over them."""
    return write_corpora(tmp_path / "corpora")


@pytest.fixture(scope="session")
def postgres_url():
    """Address of an empty database on a PostgreSQL server of our own.

    Its folder is not pytest's: pytest locks that one to its own user again whenever another session starts.
    """
    if not _POSTGRES:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="bimedv-postgres-"))
    shutil.chown(folder, "postgres")
    data, port = folder / "data", _free_port()
    _as_postgres("initdb", "-D", str(data), "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    _as_postgres("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        _as_postgres("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def database_url(request, tmp_path):
    """SQLite or PostgreSQL, whichever the test's parameter names; empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url = request.getfixturevalue("postgres_url")
    _empty(url)
    return url


def _empty(url):
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def _as_postgres(tool, *arguments):
    for _ in range(3):
        done = subprocess.run(
            ["runuser", "-u", "postgres", "--", str(_POSTGRES[-1] / tool), *arguments],
            capture_output=True, text=True, cwd="/", check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return
        time.sleep(1)
    pytest.fail(f"{tool}: {done.stderr or done.stdout}")


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
