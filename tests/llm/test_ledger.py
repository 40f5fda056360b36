"""The ledger: who waits for whom, what is written when, and what a kill leaves; on SQLite and on PostgreSQL."""

import asyncio
import random
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from pipeline.database import session
from pipeline.llm.answers import Entry
from pipeline.llm.client import Client
from pipeline.llm.entries import Elsewhere, Wanted
from pipeline.llm.ledger import Ledger
from pipeline.llm.owner import alive, owner
from schemas.errors import StoppedError
from schemas.translation import Call
from tests.llm.asking import (
    DATABASES,
    ONE,
    SQLITE,
    ask,
    check,
    purse_is_right,
    question,
    recorded,
    request,
    requests,
    settings,
    states,
)  # fmt: skip
from tests.llm.child import asking, finish


def _want(reserve=0.5, of=None):
    asked = of or request()
    return Wanted(asked.key("m"), "test", "m", asked.plain(), reserve)


def _in_ledger(engine, work, budget=None):
    async def run():
        ledger = Ledger(engine, budget)
        ledger.open()
        try:
            return await work(ledger)
        finally:
            ledger.close()

    return asyncio.run(run())


def test_an_owner_is_a_process_and_its_start():
    me = owner()
    host, pid, start = me.rsplit(":", 2)
    assert alive(me)
    assert not alive(f"{host}:{pid}:{int(start) - 1}"), "an earlier process with the same number"
    assert not alive("")
    assert alive(f"elsewhere-{host}:{pid}:{start}"), "nobody here can tell"
    ended = subprocess.Popen(["true"])
    name = f"{host}:{ended.pid}"
    while (Path("/proc") / str(ended.pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
    assert not alive(f"{name}:{start}")
    assert not alive(f"{name}:ended"), "nobody has asked for its exit code yet, and it has ended all the same"
    ended.wait()


@DATABASES
def test_two_workers_with_the_same_request_send_it_once(endpoint, engine):
    endpoint.delay = 0.3
    answers = []
    threads = [threading.Thread(target=lambda: answers.extend(ask(endpoint.url, engine, [request()]))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [call.state for call in answers] == ["ok"] * 3
    assert len(endpoint.requests) == 1


@DATABASES
def test_two_processes_with_the_same_requests_send_each_once(endpoint, engine, database_url):
    endpoint.delay = 0.05
    texts = [f"question {number}" for number in range(12)]
    engine.dispose()
    with asking("online", endpoint.url, database_url, texts) as one, asking("online", endpoint.url, database_url, texts) as two:
        one.join(60), two.join(60)
        assert (one.exitcode, two.exitcode) == (0, 0)
    assert sorted(question(body) for body in endpoint.requests) == sorted(texts)
    assert purse_is_right(engine)


@DATABASES
def test_two_processes_share_one_budget(endpoint, engine, database_url):
    endpoint.delay = 0.02
    budget = 30 * ONE
    texts = [[f"{name} {number}" for number in range(60)] for name in "ab"]
    with (
        asking("online", endpoint.url, database_url, texts[0], budget=budget, concurrency=16) as one,
        asking("online", endpoint.url, database_url, texts[1], budget=budget, concurrency=16) as two,
    ):
        one.join(60), two.join(60)
        assert (one.exitcode, two.exitcode) == (3, 3)
    assert budget - 6 * ONE < Ledger(engine).totals()["cost_usd"] <= budget
    assert purse_is_right(engine)


@DATABASES
def test_a_call_is_on_disk_with_its_reservation_before_it_is_sent(endpoint, engine):
    endpoint.faults = ["hang"]
    thread = threading.Thread(target=ask, args=(endpoint.url, engine, [request()]), kwargs={"timeout_s": 0.5, "max_retries": 0})
    thread.start()
    while not endpoint.requests:
        time.sleep(0.01)
    assert states(engine) == ["sent"]
    assert Ledger(engine).totals()["cost_usd"] == request().most_usd(settings("http://x").price)
    thread.join()


@DATABASES
def test_a_call_whose_process_died_is_sent_again_and_stays_counted(endpoint, engine):
    async def begin(ledger):
        return await ledger.begin(_want(0.5))

    assert isinstance(_in_ledger(engine, begin), Entry)
    (call,) = ask(endpoint.url, engine, [request()])
    assert (call.state, call.attempt) == ("ok", 2)
    assert Ledger(engine).totals()["cost_usd"] == pytest.approx(0.5 + ONE), "what the lost call may have cost stays counted"
    assert purse_is_right(engine)


@DATABASES
def test_a_call_of_another_living_process_is_waited_for(engine):
    async def begin_twice(ledger):
        first = await ledger.begin(_want())
        with session(engine) as opened:
            opened.execute(text("UPDATE calls SET owner = 'another-host:1:1'"))
        second = await ledger.begin(_want())
        await ledger.settle(first, first.settled("ok", cost_usd=0.1, text="{}"))
        return second, await ledger.begin(_want())

    second, third = _in_ledger(engine, begin_twice)
    assert second is Elsewhere.PROCESS
    assert isinstance(third, Call)
    assert (third.state, third.text, third.cost_usd) == ("ok", "{}", 0.1)


@DATABASES
def test_a_call_that_does_not_fit_waits_for_what_is_in_flight(engine):
    async def work(ledger):
        first = await ledger.begin(_want(0.7, request("a")))
        waiting = asyncio.create_task(ledger.begin(_want(0.7, request("b"))))
        await ledger.known("nothing")
        assert not waiting.done()
        await ledger.settle(first, first.settled("ok", cost_usd=0.2, text="{}"))
        second = await waiting
        third = asyncio.create_task(ledger.begin(_want(0.7, request("c"))))
        await ledger.known("nothing")
        ledger.give_up(second)
        with pytest.raises(StoppedError, match=r"0\.9000 spent or reserved, the next call may cost 0\.7000"):
            await third
        return second

    assert isinstance(_in_ledger(engine, work, budget=1.0), Entry)
    assert purse_is_right(engine)


@DATABASES
def test_a_record_that_the_database_refuses_hurts_only_itself(engine):
    async def work(ledger):
        wants = [_want(0.1, request("a")), Wanted("k" * 64, "test", "m", {"bad": {1, 2}}, 0.1), _want(0.1, request("b"))]
        return await asyncio.gather(*(ledger.begin(want) for want in wants), return_exceptions=True)

    first, bad, last = _in_ledger(engine, work)
    assert isinstance(first, Entry)
    assert isinstance(last, Entry)
    assert "not JSON serializable" in str(bad)
    assert purse_is_right(engine)


@SQLITE
def test_a_call_given_up_before_it_was_sent_costs_nothing(engine):
    async def work(ledger):
        task = asyncio.create_task(ledger.begin(_want()))
        await asyncio.sleep(0)
        task.cancel()
        # The writer may have been faster or slower than the cancellation: neither leaves a reservation.
        await ledger.known("nothing")
        await asyncio.sleep(0)
        await ledger.known("nothing")

    _in_ledger(engine, work)
    assert Ledger(engine).totals()["cost_usd"] == 0.0
    assert states(engine) in ([], ["retryable"])


@SQLITE
def test_a_cancelled_run_leaves_calls_that_the_next_one_asks_again(endpoint, engine):
    endpoint.delay = 5

    async def cancelled():
        client = Client(settings(endpoint.url), "test", Ledger(engine))
        asking = asyncio.gather(*(client.ask(each, check) for each in requests(8)))
        try:
            async with asyncio.timeout(20):
                while len(endpoint.requests) < 4:
                    await asyncio.sleep(0.01)
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
        finally:
            endpoint.delay = 0
            await client.close()

    asyncio.run(cancelled())
    assert len(endpoint.requests) == 4
    assert {call.state for call in ask(endpoint.url, engine, requests(8))} == {"ok"}
    assert sorted(states(engine)) == ["ok"] * 8 + ["retryable"] * 4
    assert purse_is_right(engine)


@SQLITE
def test_a_recorded_answer_that_does_not_pass_the_check_is_asked_again_with_the_fault(endpoint, engine):
    async def work(ledger):
        entry = await ledger.begin(_want())
        await ledger.settle(entry, entry.settled("ok", cost_usd=0.1, text="no JSON"))

    _in_ledger(engine, work)
    (call,) = ask(endpoint.url, engine, [request()])
    assert call.state == "ok"
    assert sorted(states(engine)) == ["invalid", "ok"]
    assert len(endpoint.requests[0]["messages"]) == 3


@SQLITE
def test_ten_thousand_recorded_answers_are_found_without_a_request(endpoint, engine):
    async def work(ledger):
        wanted = [_want(0.0, each) for each in requests(2000)]
        begun = await asyncio.gather(*(ledger.begin(want) for want in wanted))
        await asyncio.gather(*(ledger.settle(entry, entry.settled("ok", text="{}")) for entry in begun))

    _in_ledger(engine, work)
    assert {call.state for call in ask(endpoint.url, engine, requests(2000) * 5, concurrency=1)} == {"ok"}
    assert endpoint.requests == []


KILLS = {"sqlite": 10, "postgresql": 4}


@DATABASES
def test_kill_9_at_random_moments_pays_no_recorded_answer_again(endpoint, engine, database_url):
    chance = random.Random(9)
    endpoint.delay = 0.01
    texts = [f"question {number}" for number in range(300)]
    concurrency, kills = 8, KILLS[engine.dialect.name]
    seen = []
    for _ in range(kills):
        target = len(endpoint.requests) + chance.randrange(1, 30)
        with asking("online", endpoint.url, database_url, texts, concurrency=concurrency) as child:
            while len(endpoint.requests) < target:
                time.sleep(0.001)
            time.sleep(chance.random() * 0.01)
            child.kill()
            child.join()
        seen.append((len(endpoint.requests), recorded(engine)))
    assert finish("online", endpoint.url, database_url, texts, concurrency=concurrency) == 0
    assert recorded(engine) == set(texts), "nothing is lost"
    for sent, known in seen:
        assert not known & {question(body) for body in endpoint.requests[sent:]}, "recorded, and paid again"
    assert any(known for _, known in seen)
    assert len(endpoint.requests) <= len(texts) + kills * concurrency, "at most what was in flight is repeated"
    assert states(engine).count("ok") == len(texts)
    lost = states(engine).count("retryable") * request(texts[100]).most_usd(settings("http://x").price)
    assert Ledger(engine).totals()["cost_usd"] == pytest.approx(300 * ONE + lost, rel=0.02)
    assert purse_is_right(engine)
