"""The whole road in another process, against a real HTTP endpoint: it counts, resumes, and pays once."""

import re
import shutil
import signal
import time

import pytest

from tests.endpoint import COMPLETION_TOKENS, PROMPT_TOKENS
from tests.flows.conftest import OWN_SERVER, released


def test_every_record_and_sample_is_somewhere(finished):
    told = finished.answer.json
    records, samples = told["records"], told["samples"]
    assert records["read"] == finished.corpora.records
    assert records["sampled"] + sum(records["excluded"].values()) == records["read"]
    assert sum(records["excluded"].values()) == finished.corpora.traps
    assert set(records["excluded"]) == {"missing_image", "unreadable_image", "empty_answer"}
    parts = samples["released"] + sum(samples["excluded"].values()) + samples["awaiting_review"] + samples["pending"]
    assert parts + sum(samples["failed"].values()) == samples["owed"]
    assert samples["released"] > records["sampled"], "no Arabic was released"


def test_the_laws_hold_and_the_release_verifies(finished, bimedv):
    status = bimedv("status", "--check", "--workspace", finished.workspace, "--json")
    assert status.code == 0
    assert set(status.json["laws"].values()) == {True}
    assert len(status.json["laws"]) == 7
    verified = bimedv("release", "verify", finished.workspace / "releases" / "small-0.1.0", "--json")
    assert verified.json == {"ok": True, "problems": []}


def test_the_ledgers_cost_is_the_providers_usage(finished):
    calls = finished.answer.json["calls"]
    assert calls["requests"] == finished.requests
    assert calls["prompt_tokens"] == finished.requests * PROMPT_TOKENS
    expected = finished.requests * (PROMPT_TOKENS * 1.0 + COMPLETION_TOKENS * 4.0) / 1e6
    assert calls["cost_usd"] == pytest.approx(expected, abs=1e-12)


def test_a_wrong_translation_is_not_released(finished):
    everything = b"".join(released(finished.workspace).values())
    assert "القلب متضخم".encode() in everything
    assert "الحافلة الكبيرة".encode() not in everything


def test_the_report_is_one_file_about_this_run(finished):
    page = (finished.workspace / "reports" / "small.html").read_text(encoding="utf-8")
    assert 'dir="rtl"' in page
    assert "unreadable_image" in page
    assert re.findall(r"""(?:src|href)=["'](?!data:|#|\.\./|file:)[^"']*""", page) == []


def test_without_its_tables_a_run_asks_nothing_again_and_changes_no_byte(corpora, endpoint, bimedv):
    """That a plain second run changes nothing is shown where docs/road.md says it (tests/docs)."""
    config = corpora.config(endpoint.url)
    assert bimedv("run", config).code == 0
    before, asked = released(corpora.folder / "work"), len(endpoint.requests)
    assert asked > 0
    for name in ("tables", "releases", "images"):
        shutil.rmtree(corpora.folder / "work" / name)
    assert bimedv("run", config).code == 0
    assert len(endpoint.requests) == asked, "the ledger gives everything back"
    assert released(corpora.folder / "work") == before


def test_ctrl_c_ends_in_order_and_says_how_to_go_on(corpora, endpoint, started):
    endpoint.delay = 0.5
    config = corpora.config(endpoint.url)
    process = started("run", config, env=OWN_SERVER)
    limit = time.monotonic() + 60
    while not endpoint.requests and time.monotonic() < limit:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "run the same command again" in told
    assert "Traceback" not in told


def test_failures_of_the_endpoint_are_counted_and_mended_by_the_next_run(corpora, endpoint, bimedv):
    endpoint.faults = [400] * 4
    config = corpora.config(endpoint.url)
    first = bimedv("run", config, "--json")
    assert first.code == 1
    assert sum(first.json["samples"]["failed"].values()) > 0
    second = bimedv("run", config, "--json")
    assert second.code == 0
    assert second.json["samples"]["failed"] == {}


def test_the_budget_stops_the_run_with_exit_3(corpora, endpoint, bimedv):
    # The next call may cost .0036 at most, by the bytes of its prompt; one costs .00018 in the end.
    config = corpora.config(endpoint.url, translate={"budget_usd": 0.0042})
    stopped = bimedv("run", config)
    assert stopped.code == 3
    assert "budget" in stopped.err
    spent = bimedv("status", "--workspace", corpora.folder / "work", "--json").json["calls"]["cost_usd"]
    assert 0 < spent <= 0.0042


def test_reviewers_words_reach_the_next_release(corpora, endpoint, bimedv, tmp_path):
    import orjson

    config = corpora.config(endpoint.url, quality={"without_judge": "review"})
    assert bimedv("run", config).code == 0
    place, queue = corpora.folder / "work", tmp_path / "queue.jsonl"
    assert b"-ar.json" not in b"".join(released(place).values()), "nothing may go out unread"
    assert bimedv("review", "export", "--output", queue, "--workspace", place).code == 0
    items = [orjson.loads(line) for line in queue.read_bytes().splitlines()]
    edited = next(item for item in items if "<image>" in item["source_turns"][0])
    accepted, rejected = [item for item in items if item is not edited][:2]
    edited["decision"] |= {
        "verdict": "edit",
        "turns": [t.split("\n")[0] + "\nنص راجعه الطبيب." if "<image>" in t else "نعم" for t in edited["source_turns"]],
    }
    accepted["decision"]["verdict"], rejected["decision"]["verdict"] = "accept", "reject"
    queue.write_bytes(b"\n".join(orjson.dumps(item) for item in items))
    told = bimedv("review", "import", queue, "--reviewer", "dr-a", "--workspace", place, "--json")
    assert (told.json["edit"], told.json["accept"], told.json["reject"]) == (1, 1, 1)
    assert bimedv("run", config).code == 0
    everything = b"".join(released(place).values())
    assert "نص راجعه الطبيب".encode() in everything
    assert f"{accepted['sample']}-ar.json".encode() in everything
    assert f"{rejected['sample']}-ar.json".encode() not in everything
