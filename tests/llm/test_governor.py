"""The governor: seen from the server (how many at once, when), and its rules on their own."""

import asyncio
import itertools
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipeline.llm.governor import Bucket, Governor, governor_of, retry_after
from pipeline.llm.ledger import Ledger
from schemas.errors import StoppedError
from tests.llm.asking import DATABASES, ONE, SQLITE, ask, purse_is_right, recorded, request, requests, settings, states

URL = "http://127.0.0.1:9/v1"


def _grown(limit, calls):
    """The number in flight that is allowed after so many good calls, from the rule."""
    for _ in range(calls):
        limit += 1 / limit
    return limit


@SQLITE
def test_fewer_fly_after_429_and_more_again_after_success(endpoint, engine):
    endpoint.delay = 0.1
    many = {"concurrency": 16, "max_retries": 8}
    ask(endpoint.url, engine, requests(32), **many)
    assert endpoint.flew() == 16
    endpoint.faults = [429] * 16
    calls = ask(endpoint.url, engine, [request(f"busy {number}") for number in range(16)], **many)
    assert {call.state for call in calls} == {"ok"}
    endpoint.flew()
    ask(endpoint.url, engine, [request(f"after {number}") for number in range(24)], **many)
    after = endpoint.flew()
    assert after <= int(_grown(8, 40)) < 16
    ask(endpoint.url, engine, [request(f"later {number}") for number in range(100)], **many)
    assert endpoint.flew() == 16


def test_calls_that_fail_together_count_as_one_sign_of_too_much():
    async def work():
        governor = Governor(settings(URL, concurrency=16))
        limits = []
        for outcomes in (["busy"] * 16, ["busy"] * 8, ["good"] * 4, ["busy", "good", "good"]):
            permits = [await governor.admit(1) for _ in outcomes]
            for permit, outcome in zip(permits, outcomes, strict=True):
                governor.release(permit, outcome)
            limits.append(governor.limit)
        return limits

    assert asyncio.run(work()) == [8, 4, 4, int(_grown(_grown(4, 4) / 2, 2))]


@SQLITE
def test_refusals_that_go_on_leave_one_in_flight(endpoint, engine):
    endpoint.delay = 0.01
    endpoint.faults = [429] * 80
    ask(endpoint.url, engine, requests(8), concurrency=8, max_retries=9)
    governor = governor_of(settings(endpoint.url, concurrency=8))
    assert governor.limit == 1


@SQLITE
def test_threads_share_the_endpoints_limit(endpoint, engine):
    endpoint.delay = 0.1
    threads = [
        threading.Thread(target=ask, args=(endpoint.url, engine, [request(f"{name} {n}") for n in range(8)])) for name in "abc"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert endpoint.flew() == 4
    assert len(recorded(engine)) == 24


@DATABASES
@pytest.mark.parametrize(
    "fault",
    [401, 403, (429, {}, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}})],
)
def test_a_refused_key_stops_the_run_and_nothing_more_is_sent(endpoint, engine, fault):
    ask(endpoint.url, engine, [request("before")])
    endpoint.faults = [fault]
    with pytest.raises(StoppedError, match=r"refuses: HTTP 4\d\d: .*Check the key and the account"):
        ask(endpoint.url, engine, requests(40), concurrency=1)
    assert len(endpoint.requests) == 2
    with pytest.raises(StoppedError, match="refuses"):
        ask(endpoint.url, engine, [request("later")])
    assert len(endpoint.requests) == 2, "failed fast"
    assert [call.state for call in ask(endpoint.url, engine, [request("before")])] == ["ok"], "what is recorded is there"
    assert "sent" not in states(engine)


@SQLITE
def test_what_is_in_flight_when_the_key_is_refused_is_recorded(endpoint, engine):
    endpoint.delay, endpoint.fault_delay = 0.3, 0.0
    endpoint.faults = [None, None, None, 401]
    with pytest.raises(StoppedError, match="refuses"):
        ask(endpoint.url, engine, requests(20))
    assert len(endpoint.billed) == len(recorded(engine)) == 3
    assert "sent" not in states(engine)


@SQLITE
def test_retry_after_holds_the_whole_endpoint(endpoint, engine):
    endpoint.faults = [(429, {"Retry-After": "1"}, {"error": {"message": "slow down"}})]
    times = []

    class Timed(list):
        def append(self, item):
            times.append(time.monotonic())
            super().append(item)

    endpoint.requests = Timed()
    ask(endpoint.url, engine, requests(6), concurrency=1)
    assert times[1] - times[0] >= 1.0, "the next request is another one, and it waits, too"
    assert len(times) == 7


def test_retry_after_is_a_number_or_a_date():
    now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    later = format_datetime(now + timedelta(seconds=90), usegmt=True)
    assert retry_after("7", None) == 7.0
    assert retry_after("0.5", None) == 0.5
    assert retry_after("-3", None) == 0.0
    assert retry_after(later, format_datetime(now, usegmt=True)) == 90.0, "by the server's clock, whatever ours says"
    assert retry_after(format_datetime(now, usegmt=True), later) == 0.0
    assert retry_after(None, None) is None
    assert retry_after("soon", None) is None
    ahead = format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)
    assert 40 < (retry_after(ahead, None) or 0) <= 50


def _starts(bucket, needs, seconds=180.0):
    """When calls of these sizes start, each as soon as it may, in seconds of a clock of our own."""
    now = 0.0
    found = []
    for need in needs:
        while (delay := bucket.delay(need, now)) > 0:
            now += delay
        if now > seconds:
            break
        bucket.take(need)
        found.append(now)
    return found


@pytest.mark.parametrize("limit", [1, 7, 60, 600, 10_000])
def test_no_minute_holds_more_requests_than_the_limit_and_few_less(limit):
    starts = _starts(Bucket(limit, 0.0), itertools.repeat(1))
    windows = [sum(start <= other < start + 60.0 - 1e-6 for other in starts) for start in starts[:: max(1, limit // 20)]]
    assert max(windows) <= limit
    assert len(starts) >= 3 * limit * 0.98 - 1


def test_tokens_that_were_reserved_and_not_used_are_given_back():
    bucket = Bucket(6000, 0.0)
    bucket.take(100)
    assert bucket.delay(100, 0.0) == pytest.approx(100 / (5901 / 60))
    bucket.refund(90)
    assert bucket.delay(100, 0.0) == pytest.approx(10 / (5901 / 60))
    bucket.refund(1000)
    assert bucket.delay(100, 0.0) == 0.0
    bucket.take(100)
    assert bucket.delay(1, 0.0) > 0, "no more than a second's worth is ever saved up"


def test_more_than_a_seconds_worth_of_tokens_starts_and_the_next_call_waits_for_it():
    assert _starts(Bucket(6000, 0.0), [5000, 1]) == [0.0, pytest.approx(4901 / (5901 / 60))]


def test_used_tokens_and_unsent_calls_go_back_through_the_permit():
    async def work(outcome, used):
        governor = Governor(settings(URL, rpm=60, tpm=60 * 1000))
        permit = await governor.admit(1000)
        governor.release(permit, outcome, used)
        try:
            async with asyncio.timeout(0.05):
                await governor.admit(1000)
        except TimeoutError:
            return "waits"
        return "starts"

    assert asyncio.run(work("unsent", 0)) == "starts"
    assert asyncio.run(work("good", 10)) == "waits", "a request a second"
    assert asyncio.run(work("busy", 0)) == "waits"


def test_the_newest_settings_of_an_endpoint_hold():
    one = governor_of(settings(URL, concurrency=3))
    assert governor_of(settings(URL, concurrency=5)) is one
    assert one.limit == 5


def test_a_cancelled_waiter_passes_its_turn_on():
    async def work():
        governor = Governor(settings(URL, concurrency=1))
        permit = await governor.admit(1)
        first, second = (asyncio.create_task(governor.admit(1)) for _ in range(2))
        await asyncio.sleep(0)
        governor.release(permit, "good")
        first.cancel()
        await asyncio.wait_for(second, 5)
        return first.cancelled()

    assert asyncio.run(work())


@DATABASES
def test_the_budget_is_never_passed_with_64_in_flight_and_nearly_used_up(endpoint, engine):
    endpoint.delay = 0.02
    budget = 100 * ONE
    with pytest.raises(StoppedError, match=r"budget of 0\.02 USD is reached"):
        ask(endpoint.url, engine, requests(300), budget=budget, concurrency=64)
    spent = Ledger(engine).totals()["cost_usd"]
    assert spent == pytest.approx(len(endpoint.billed) * ONE)
    assert budget - 5 * ONE < spent <= budget, "calls wait for others' refunds before the run stops"
    assert "sent" not in states(engine)
    assert purse_is_right(engine)
