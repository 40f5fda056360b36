"""The client and the ledger against a real HTTP server: states, retries, money; on SQLite and on PostgreSQL."""

import asyncio
import json
import threading

import pytest

from pipeline.database import open_database
from pipeline.llm.client import Client, Request, cost
from pipeline.llm.ledger import Ledger
from pipeline.settings import EndpointSettings, PriceSettings
from schemas.errors import StoppedError
from tests.endpoint import COMPLETION_TOKENS, PROMPT_TOKENS

DATABASES = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
PRICE = PriceSettings(input=1.0, output=4.0)
ONE = (PROMPT_TOKENS * 1.0 + COMPLETION_TOKENS * 4.0) / 1e6


def _request(text="Does the patient have pneumonia?"):
    message = {"role": "user", "content": json.dumps({"question": text})}
    return Request(messages=(message,), max_tokens=64, temperature=0.0, seed=0, schema_=None)


def _check(text):
    try:
        json.loads(text)
    except ValueError:
        return "not JSON"
    return None


def _settings(endpoint, **changes):
    return EndpointSettings(base_url=endpoint.url, model="m", concurrency=4, timeout_s=10, price=PRICE, **changes)


def _ask(endpoint, engine, requests, budget=None, **changes):
    async def work():
        client = Client(_settings(endpoint, **changes), "test", Ledger(engine, budget))
        try:
            return await asyncio.gather(*(client.ask(request, _check) for request in requests))
        finally:
            await client.close()

    return asyncio.run(work())


@pytest.fixture
def engine(database_url):
    opened = open_database(database_url)
    yield opened
    opened.dispose()


@DATABASES
def test_the_same_request_is_paid_once(endpoint, engine):
    same = [_request()] * 3
    calls = _ask(endpoint, engine, same) + _ask(endpoint, engine, same)
    assert len(endpoint.requests) == 1
    assert {call.state for call in calls} == {"ok"}
    tokens = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS}
    assert Ledger(engine).totals() == {"requests": 1, "ok": 1, **tokens, "cost_usd": pytest.approx(ONE)}


@DATABASES
@pytest.mark.parametrize("fault", [429, 500, 503, "html", "drop"])
def test_what_a_retry_can_mend_is_retried(endpoint, engine, fault):
    endpoint.faults = [fault]
    (call,) = _ask(endpoint, engine, [_request()])
    assert call.state == "ok"
    assert call.attempt == 2
    assert len(endpoint.requests) == 2


@DATABASES
@pytest.mark.parametrize(("fault", "state"), [("length", "truncated"), ("refusal", "refused"), (400, "permanent")])
def test_what_it_cannot_mend_is_asked_once_and_never_ok(endpoint, engine, fault, state):
    endpoint.faults = [fault]
    (call,) = _ask(endpoint, engine, [_request()])
    assert call.state == state
    assert len(endpoint.requests) == 1
    assert Ledger(engine).answers([call.key]) == {}


@DATABASES
def test_an_answer_of_the_wrong_form_is_asked_again_once_and_both_are_paid(endpoint, engine):
    endpoint.faults = ["broken", "broken", "broken"]
    (call,) = _ask(endpoint, engine, [_request()])
    assert call.state == "invalid"
    assert len(endpoint.requests) == 2
    assert Ledger(engine).totals()["cost_usd"] == pytest.approx(2 * ONE)


@DATABASES
def test_the_budget_is_never_passed_with_many_calls_at_once(endpoint, engine):
    endpoint.delay = 0.05
    requests = [_request(f"question {number}") for number in range(40)]
    budget = 12 * ONE
    with pytest.raises(StoppedError, match="budget"):
        _ask(endpoint, engine, requests, budget=budget)
    assert 0 < Ledger(engine).totals()["cost_usd"] <= budget


@DATABASES
def test_two_workers_with_the_same_request_send_it_once(endpoint, engine):
    endpoint.delay = 0.3
    answers = []
    threads = [threading.Thread(target=lambda: answers.extend(_ask(endpoint, engine, [_request()]))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [call.state for call in answers] == ["ok"] * 3
    assert len(endpoint.requests) == 1


@DATABASES
def test_a_call_whose_process_died_is_sent_again_and_stays_counted(endpoint, engine):
    ledger = Ledger(engine)
    request = _request()
    key = request.key("test", "m")
    ledger.begin(key, "test", "m", request.model_dump(), 0.5)
    ledger.landed(key)
    (call,) = _ask(endpoint, engine, [request])
    assert (call.state, call.attempt) == ("ok", 2)
    assert ledger.totals()["cost_usd"] == pytest.approx(0.5 + ONE), "what the lost call may have cost stays counted"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_stops_the_run(endpoint, engine, status):
    endpoint.faults = [status]
    with pytest.raises(StoppedError, match="refuses"):
        _ask(endpoint, engine, [_request()])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_retries_end(endpoint, engine):
    endpoint.faults = [429] * 10
    (call,) = _ask(endpoint, engine, [_request()], max_retries=2)
    assert call.state == "retryable"
    assert len(endpoint.requests) == 3


def test_cached_tokens_have_their_own_price():
    price = PriceSettings(input=2.0, output=8.0, cached=0.5)
    assert cost(price, prompt=1000, cached=400, completion=100) == pytest.approx((600 * 2 + 400 * 0.5 + 100 * 8) / 1e6)
    assert cost(PriceSettings(input=2.0), prompt=10, cached=5, completion=0) == pytest.approx(20 / 1e6)
