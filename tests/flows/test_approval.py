"""A release that a person has to approve: by the command or on the page of a real Prefect server, for that selection alone."""

import json
import re
import time
import urllib.error
import urllib.request

import pytest
import yaml

from pipeline.workspace import Workspace
from shards.release import load_manifest
from tests.command import OWN_SERVER

WHO = {"by": "expert-1", "reason": "Audit seen."}


def _api(server, path, body):
    request = urllib.request.Request(
        f"{server['PREFECT_API_URL']}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    limit = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            # A busy server's SQLite is locked for a moment; Prefect's own client asks again, too.
            if error.code != 503 or time.monotonic() > limit:
                raise
            time.sleep(0.5)


def _paused(server, process):
    """The run that waits on the page."""
    wanted = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}}
    limit = time.monotonic() + 120
    while time.monotonic() < limit:
        for run in _api(server, "flow_runs/filter", wanted):
            return run
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.2)
    pytest.fail("no run is paused")


@pytest.fixture
def held(finished, endpoint, tmp_path):
    """A run of which the next release needs an approval; what `finished` released is gone."""
    copy = finished.copy(tmp_path / "copy", endpoint.url)
    _config(copy, approval=True)
    return copy


def _config(run, **release):
    stated = yaml.safe_load(run.config.read_text(encoding="utf-8"))
    stated["release"] |= {"version": "0.2.0"} | release
    run.config.write_text(yaml.safe_dump(stated, allow_unicode=True), encoding="utf-8")


def test_a_run_with_its_own_server_stops_and_the_command_approves_this_selection_alone(held, bimedv):
    folder = held.workspace / "releases" / "small-0.2.0"
    stopped = bimedv("release", "build", held.config, env=OWN_SERVER)
    assert stopped.code == 3, stopped.err
    assert "small 0.2.0 waits for a person's approval" in stopped.err
    assert "audit: none of" in stopped.err
    assert not folder.exists()
    assert bimedv("release", "approve", held.config, "--by", "expert-1").code == 2
    shown = bimedv("release", "approve", held.config, "--json").json
    assert shown["decision"] is None
    assert sum(sum(of.values()) for of in shown["by_source"].values()) == shown["samples"]
    told = bimedv("release", "approve", held.config, "--by", WHO["by"], "--reason", WHO["reason"], "--json").json
    assert told["decision"] == WHO | {"approved": True}
    built = bimedv("release", "build", held.config, "--json")
    assert built.code == 0, built.err
    assert load_manifest(folder).approval == WHO
    assert built.json["samples"] == shown["samples"]
    checked = bimedv("status", "--check", "--workspace", held.workspace, "--json")
    assert checked.code == 0, checked.json.get("broken")
    _config(held, splits={"train": 0.5, "validation": 0.5})
    assert bimedv("release", "approve", held.config, "--json").json["decision"] is None, "another selection"


@pytest.mark.parametrize(
    ("words", "approve"), [(("release", "build"), False), (("run", "--until", "release"), True)], ids=["build", "road"]
)
def test_a_run_on_a_server_waits_for_the_page(held, started, server, words, approve):
    folder = held.workspace / "releases" / "small-0.2.0"
    process = started(*words, held.config)
    run = _paused(server, process)
    assert not folder.exists()
    _api(server, f"flow_runs/{run['id']}/resume", {"run_input": WHO | {"approve": approve}})
    _, err = process.communicate(timeout=120)
    assert process.returncode == (0 if approve else 3), err
    assert re.search(rf"small 0.2.0 waits for a person's approval: http\S+{run['id']}$", err, re.M), err
    if approve:
        assert load_manifest(folder).approval == WHO
    else:
        assert "small 0.2.0 was refused by expert-1: Audit seen. Nothing" in err
        assert not folder.exists()


def test_nobody_comes_and_nothing_is_released(held, started, server):
    _config(held, approval=True, approval_hours=0.0008)
    process = started("release", "build", held.config)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 3, err
    assert "nobody approved small 0.2.0 within" in err
    assert not list((Workspace(held.workspace).releases).glob("small-0.2.0*"))
