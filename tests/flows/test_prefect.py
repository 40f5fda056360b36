"""The deployments of prefect.yaml on a real server, run by a real worker: what docs and README tell users to type."""

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml

from tests.command import environment, released

ROOT = Path(__file__).parents[2]
PREFECT = Path(sys.executable).with_name("prefect")
FLOWS = {"road", "ingest", "curate", "make", "translate", "score", "release", "train"}


def _prefect(*words):
    done = subprocess.run(
        [PREFECT, "--no-prompt", *words], capture_output=True, text=True, cwd=ROOT, env=environment({}), timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _api(server, path, body=None):
    """What the server says. Its command line takes 3 s a question."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{server['PREFECT_API_URL']}/{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def deployed(server):
    """The lines of README on the shared server: pool and deployments. Yields the deployments by name."""
    _prefect("work-pool", "create", "bimedv", "--type", "process")
    _prefect("deploy", "--all")
    return {item["name"]: item for item in _api(server, "deployments/filter", {})}


def test_every_flow_has_a_deployment_that_says_what_it_does(deployed):
    declared = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    assert set(deployed) == {item["name"] for item in declared} == FLOWS
    for item in declared:
        told = deployed[item["name"]]
        assert told["description"] == item["description"]
        assert told["work_pool_name"] == "bimedv"
        assert told["tags"] == ["bimedv"]
        # Each parameter can be filled in on the server's page, with its explanation beside it.
        shown = told["parameter_openapi_schema"]["properties"]
        assert set(item["parameters"]) == set(shown)
        assert all(shown[name].get("description") for name in shown), shown


def test_a_worker_takes_the_whole_road(server, deployed, corpora, endpoint):
    config = corpora.config(endpoint.url)
    told = _prefect("deployment", "run", "road/road", "-p", f"config={config}", "-p", f"workspace={corpora.folder / 'work'}")
    run = re.search(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", told)[0]
    _prefect("worker", "start", "--pool", "bimedv", "--run-once")
    state = _api(server, f"flow_runs/{run}")["state"]
    assert state["type"] == "COMPLETED", state
    assert any(name.endswith("manifest.json") for name in released(corpora.folder / "work"))
    made = {item["key"]: item["data"] for item in _api(server, "artifacts/latest/filter", {})}
    assert "released" in made["small-summary"]
    assert (corpora.folder / "work" / "reports" / "small.html").as_uri() in made["small-report"]
