"""Batches against a server with /v1/files and /v1/batches: joined by id, at half the price, whole after a kill at any point."""

import asyncio
import threading
import time

import pytest

from pipeline.llm import batch as module
from pipeline.llm.batch import BatchClient
from pipeline.llm.ledger import Ledger
from schemas.errors import StoppedError
from tests.llm.asking import (
    DATABASES,
    ONE,
    QUICK,
    SQLITE,
    ask,
    ask_in_batches,
    batch_states,
    check,
    purse_is_right,
    recorded,
    request,
    requests,
    settings,
    states,
)  # fmt: skip
from tests.llm.child import asking, finish

HALF = ONE / 2


@DATABASES
def test_many_requests_become_one_batch_at_half_the_price(batches, engine):
    calls = ask_in_batches(batches.url, engine, requests(30))
    assert [call.state for call in calls] == ["ok"] * 30
    assert batches.sizes() == [30]
    assert Ledger(engine).totals()["cost_usd"] == pytest.approx(30 * HALF)
    assert [call.text for call in calls] == [call.text for call in ask_in_batches(batches.url, engine, requests(30))]
    assert batches.sizes() == [30], "nothing is asked again"
    assert batch_states(engine) == ["collected"]
    assert purse_is_right(engine)


@SQLITE
def test_an_answer_of_a_batch_serves_the_online_client_too(batches, engine):
    ask_in_batches(batches.url, engine, requests(3))
    assert [call.state for call in ask(batches.url, engine, requests(3))] == ["ok"] * 3


@SQLITE
def test_asks_of_several_threads_and_their_copies_share_a_batch(batches, engine):
    threads = [threading.Thread(target=ask_in_batches, args=(batches.url, engine, requests(10))) for _ in range(3)]
    other = threading.Thread(target=ask_in_batches, args=(batches.url, engine, [request("another")]))
    for thread in (*threads, other):
        thread.start()
    for thread in (*threads, other):
        thread.join()
    assert set(batches.asked().values()) == {1}
    assert len(batches.asked()) == 11


@SQLITE
def test_a_full_file_is_not_waited_for_and_none_is_larger(batches, engine, monkeypatch):
    monkeypatch.setattr(module, "MAX_REQUESTS", 4)
    ask_in_batches(batches.url, engine, requests(10))
    assert sorted(batches.sizes()) == [2, 4, 4]
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    ask_in_batches(batches.url, engine, [request(f"by size {number}") for number in range(8)])
    sizes = [len(batches.files[batch["input_file_id"]]) for batch in batches.batches.values()][3:]
    assert len(sizes) > 1
    assert max(sizes) <= 1000


@DATABASES
def test_each_line_is_judged_like_an_online_answer(batches, engine):
    wanted = {
        "good": None, "cut": "long", "form": "broken", "no": "refusal", "wrong": 400, "busy": 429, "server": 500,
        "nothing": "empty",
    }  # fmt: skip
    batches.faults = dict(wanted)
    calls = dict(zip(wanted, ask_in_batches(batches.url, engine, map(request, wanted)), strict=True))
    assert {name: call.state for name, call in calls.items() if call.state != "ok"} == {"no": "refused", "wrong": "permanent"}
    assert calls["wrong"].error == "HTTP 400: ordered by the test"
    assert sorted(states(engine)) == ["invalid"] + ["ok"] * 6 + ["permanent", "refused"] + ["retryable"] * 3 + ["truncated"]
    assert batches.asked() == {
        "good": 1, "cut": 2, "form": 2, "no": 1, "wrong": 1, "busy": 2, "server": 2, "nothing": 2,
    }  # fmt: skip
    assert Ledger(engine).totals()["cost_usd"] == pytest.approx(len(batches.billed) * HALF)
    assert purse_is_right(engine)


@DATABASES
@pytest.mark.parametrize("outcome", ["half", "expired", "cancelled", "failed"])
def test_what_a_batch_leaves_unanswered_goes_into_the_next(batches, engine, outcome):
    batches.outcomes = [outcome]
    calls = ask_in_batches(batches.url, engine, requests(10))
    assert [call.state for call in calls] == ["ok"] * 10
    assert batches.sizes() == ([10, 10] if outcome == "failed" else [10, 5])
    assert Ledger(engine).totals()["cost_usd"] == pytest.approx(10 * HALF)
    assert len(batches.billed) == 10


@SQLITE
def test_batches_that_always_fail_end_and_say_why(batches, engine):
    batches.outcomes = ["failed"] * 9
    (call,) = ask_in_batches(batches.url, engine, [request()], max_retries=2)
    assert call.state == "retryable"
    assert call.error == "batch batch-2 failed without an answer: ordered by the test"
    assert len(batches.batches) == 3
    assert Ledger(engine).totals()["cost_usd"] == 0.0


@SQLITE
@pytest.mark.parametrize("statuses", [[503], [429, 500], [0, 503]])
def test_an_upload_or_a_creation_that_fails_is_tried_again(batches, engine, statuses):
    batches.refusals = [status for status in statuses if status]
    assert ask_in_batches(batches.url, engine, [request()])[0].state == "ok"
    assert len(batches.batches) == 1


@SQLITE
def test_a_batch_that_the_provider_refuses_is_permanent_and_costs_nothing(batches, engine):
    batches.refusals = [400]
    (call,) = ask_in_batches(batches.url, engine, [request()])
    assert (call.state, call.error) == ("permanent", "the batch was refused: HTTP 400: ordered by the test")
    assert batch_states(engine) == ["void"]
    assert Ledger(engine).totals()["cost_usd"] == 0.0


@SQLITE
def test_a_refused_key_stops_the_run(batches, engine):
    batches.refusals = [401]
    with pytest.raises(StoppedError, match="refuses: HTTP 401"):
        ask_in_batches(batches.url, engine, [request()])
    with pytest.raises(StoppedError, match="refuses: HTTP 401"):
        ask_in_batches(batches.url, engine, [request("later")])
    assert batches.batches == {}


@DATABASES
def test_the_budget_is_reserved_before_a_batch_is_sent(batches, engine):
    budget = 10 * request("question 10").most_usd(settings("http://x").price) / 2
    with pytest.raises(StoppedError, match="budget"):
        ask_in_batches(batches.url, engine, requests(60), budget=budget)
    assert batches.sizes()[0] == 10, "what is certain to fit"
    assert len(batches.sizes()) > 1, "what fits once the answers turn out cheaper"
    spent = Ledger(engine).totals()["cost_usd"]
    assert spent == pytest.approx(sum(batches.sizes()) * HALF)
    assert budget - 2 * HALF < spent <= budget
    assert set(states(engine)) == {"ok"}


POINTS = ["upload", "create", "created late", "created", "retrieve", "output", "error"]
#: The tables are the same on both; each kill costs two processes.
KILLED = [("sqlite", point) for point in POINTS] + [("postgres", point) for point in ("create", "created late", "error")]


@pytest.mark.parametrize(("database_url", "point"), KILLED, indirect=["database_url"])
def test_a_kill_at_any_point_neither_pays_twice_nor_loses(batches, engine, database_url, point):
    texts = [f"question {number}" for number in range(12)]
    batches.faults = {"question 0": 500}
    batches.stop_at = "create" if point == "created late" else point
    with asking("batch", batches.url, database_url, texts) as child:
        assert batches.reached.wait(30)
        child.kill()
        child.join()
    batches.lost = point in ("upload", "create")
    batches.go_when_listed = point == "created late"
    if not batches.go_when_listed:
        batches.go.set()
    if batches.lost:
        batches.faults = {}
    assert finish("batch", batches.url, database_url, texts) == 0
    assert recorded(engine) == set(texts)
    assert batches.asked() == dict.fromkeys(texts, 1) | ({} if batches.lost else {"question 0": 2})
    assert Ledger(engine).totals()["cost_usd"] == pytest.approx(len(batches.billed) * HALF)
    assert len(batches.billed) == 12
    assert "sent" not in states(engine)
    assert purse_is_right(engine)


@SQLITE
def test_the_online_client_leaves_alone_what_sits_in_a_batch(batches, engine, database_url):
    batches.stop_at = "retrieve"
    with asking("batch", batches.url, database_url, ["in the batch"]) as child:
        assert batches.reached.wait(30)
        (call,) = ask(batches.url, engine, [request("in the batch")])
        child.kill()
        child.join()
        (after,) = ask(batches.url, engine, [request("in the batch")])
    for left in (call, after):
        assert (left.state, left.error) == ("permanent", "it waits in a batch: run with translate.mode: batch to collect it")
    assert states(engine) == ["sent"]
    batches.go.set()
    assert ask_in_batches(batches.url, engine, [request("in the batch")])[0].state == "ok"
    assert batches.asked() == {"in the batch": 1}


@DATABASES
def test_another_living_process_with_the_same_requests_waits_for_the_batch(batches, engine, database_url):
    texts = [f"question {number}" for number in range(5)]
    batches.stop_at = "retrieve"
    with asking("batch", batches.url, database_url, texts) as one:
        assert batches.reached.wait(30)
        with asking("batch", batches.url, database_url, texts) as two:
            time.sleep(0.5)
            batches.go.set()
            one.join(60), two.join(60)
            assert (one.exitcode, two.exitcode) == (0, 0)
    assert set(batches.asked().values()) == {1}


@SQLITE
def test_a_batch_whose_client_was_closed_is_collected_by_the_next_in_the_same_process(batches, engine):
    batches.stop_at = "retrieve"

    async def given_up():
        client = BatchClient(settings(batches.url), "test", Ledger(engine), QUICK)
        task = asyncio.create_task(client.ask(request(), check))
        await asyncio.to_thread(batches.reached.wait, 30)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()

    asyncio.run(given_up())
    batches.go.set()
    assert ask_in_batches(batches.url, engine, [request()])[0].state == "ok"
    assert batches.asked() == {"Does the patient have pneumonia?": 1}
