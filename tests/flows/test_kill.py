"""kill -9 at random moments, then the same command again: same bytes, nothing paid twice.

For a long try: `--kills 20 --timeout 0`.
"""

import os
import random
import signal
import sqlite3
import time

from tests.command import OWN_SERVER, released

#: A run imports and looks around for so long before its first stage.
_START_SECONDS = 3.0


def test_killed_at_random_moments_it_resumes_to_the_same_bytes(finished, corpora, endpoint, bimedv, started, pytestconfig):
    """Law 3 and law 4. Moments are spread over the time that a whole run takes; the seed is in the failure's message."""
    config = corpora.config(endpoint.url)
    stages = finished.answer.json["stages"]
    whole = _START_SECONDS + sum(stages.values()) - stages["train"]
    endpoint.delay = 0.05
    seed = random.randrange(10**6)
    draw, place = random.Random(seed), corpora.folder / "disturbed"
    kills = pytestconfig.getoption("kills")
    for number in range(kills):
        process = started("run", config, "--workspace", place)
        time.sleep(whole * (number + draw.random()) / kills)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    # The next run pays again at most for what was under way at each kill: 4 calls in each of 2 chunks.
    last = bimedv("run", config, "--workspace", place, "--json")
    assert last.code == 0, f"seed {seed}: {last.err}"
    assert released(place) == released(finished.workspace), f"seed {seed}"
    with sqlite3.connect(place / "bimedv.db") as ledger:
        twice = ledger.execute("SELECT key FROM calls WHERE state = 'ok' GROUP BY key HAVING count(*) > 1").fetchall()
        lost = ledger.execute("SELECT count(*) FROM calls WHERE error LIKE 'outcome unknown%'").fetchone()[0]
    assert twice == [], f"seed {seed}"
    assert len(endpoint.requests) <= last.json["calls"]["ok"] + lost, f"seed {seed}: more was sent than the ledger knows"
    assert lost <= 8 * kills, f"seed {seed}"
    checked = bimedv("status", "--check", "--workspace", place, "--json")
    assert set(checked.json["laws"].values()) == {True}, f"seed {seed}"


def test_a_server_of_its_own_dies_with_the_run(corpora, endpoint, started):
    """Without this, each kill would leave a Prefect server behind."""
    endpoint.delay = 5
    process = started("run", corpora.config(endpoint.url), env=OWN_SERVER)
    limit = time.monotonic() + 60
    while not endpoint.requests and time.monotonic() < limit:
        time.sleep(0.05)
    servers = _children(process.pid)
    assert servers
    process.send_signal(signal.SIGKILL)
    process.wait()
    limit = time.monotonic() + 20
    while any(_alive(child) for child in servers) and time.monotonic() < limit:
        time.sleep(0.1)
    assert [child for child in servers if _alive(child)] == []


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:  # noqa: PTH123  # not a file of a folder
        return [int(word) for word in file.read().split()]


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
