"""The command as its user calls it: another process, words in, exit code and text out; and one road that ran to its end."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson
import pytest
from filelock import FileLock

from tests import warm
from tests.corpora import Corpora, write_corpora
from tests.endpoint import Endpoint

BIMEDV = Path(sys.executable).with_name("bimedv")


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return orjson.loads(self.out)


#: Set while the shared server runs: a run that has to start its own takes 4 s more.
_PREFECT = {}
#: Environment of a run that finds no Prefect server and starts its own.
OWN_SERVER = {"PREFECT_API_URL": None}


def environment(changes):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    wanted = kept | {"PYTHONUNBUFFERED": "1", "COLUMNS": "200"} | _PREFECT | changes
    return {name: value for name, value in wanted.items() if value is not None}


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory):
    """A Prefect server as a user would run it, for all runs of these tests; yields its environment."""
    home = tmp_path_factory.mktemp("prefect")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api"
    values = {"PREFECT_HOME": str(home), "PREFECT_API_URL": url, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment(values))
    try:
        _await(f"{url}/health")
        _PREFECT.update(values)
        yield values
    finally:
        _PREFECT.clear()
        server.terminate()
        server.wait(20)


def _await(url):
    limit = time.monotonic() + 120
    while time.monotonic() < limit:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"{url} does not answer")


def run_command(*words, cwd=None, env=None):
    if env is None:
        with tempfile.TemporaryDirectory() as folder:
            return Answer(*warm.call([str(word) for word in words], cwd, environment({}), folder, 280))
    done = subprocess.run(
        [BIMEDV, *map(str, words)], capture_output=True, text=True, cwd=cwd, env=environment(env or {}), timeout=280, check=False
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def bimedv():
    return run_command


@pytest.fixture
def started():
    """Start a command in a process group of its own; whatever is left of it at the end is killed."""
    processes = []

    def start(*words, cwd=None, env=None):
        process = subprocess.Popen(
            [BIMEDV, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=cwd, env=environment(env or {}), start_new_session=True,
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@dataclass(frozen=True)
class Finished:
    """A road that ran to its end, for tests that only look."""

    corpora: object
    config: Path
    workspace: Path
    answer: Answer
    requests: int

    def copy(self, folder, endpoint_url):
        """The same in a folder of its own, with another endpoint, for a test that writes."""
        shutil.copytree(self.corpora.folder, folder)
        corpora = replace(self.corpora, folder=folder)
        return replace(self, corpora=corpora, config=corpora.config(endpoint_url, **_MODEL), workspace=folder / "work")


#: What `finished` has beyond the small corpora's config.
_MODEL = {"train": {"preset": "tiny"}}


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """The small corpora taken all the way, model included, with no Prefect server but the run's own. Do not change it.

    Made by the first of the test processes that asks for it (45 s beside others); the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    place = (base if worker_id == "master" else base.parent) / "finished"
    with FileLock(f"{place}.lock"):
        made = place / "made.json"
        if not made.exists():
            _finish(place, made)
        told = json.loads(made.read_text(encoding="utf-8"))
    corpora = Corpora(place / "corpora", told["records"], told["traps"])
    return Finished(corpora, corpora.folder / "config.yaml", corpora.folder / "work", Answer(**told["answer"]), told["requests"])


def _finish(place, made):
    corpora = write_corpora(place / "corpora")
    with Endpoint() as server:
        answer = run_command("run", corpora.config(server.url, **_MODEL), "--json", env=OWN_SERVER)
        assert answer.code == 0, answer.err
        told = {"answer": asdict(answer), "requests": len(server.requests), "records": corpora.records, "traps": corpora.traps}
    made.write_text(json.dumps(told), encoding="utf-8")


def released(workspace):
    """File name to bytes of everything in a workspace's releases."""
    root = workspace / "releases"
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.glob("*/**/*")) if path.is_file()}
