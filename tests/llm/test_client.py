"""The client against a real HTTP server: what becomes of each kind of answer; on SQLite and on PostgreSQL."""

import random
from collections import Counter

import pytest

from pipeline.llm.answers import cost
from pipeline.llm.ledger import Ledger
from pipeline.settings import PriceSettings
from tests.endpoint import COMPLETION_TOKENS, PROMPT_TOKENS
from tests.llm.asking import DATABASES, ONE, SQLITE, ask, purse_is_right, question, recorded, request, requests, states


@DATABASES
def test_the_same_request_is_paid_once(endpoint, engine):
    same = [request()] * 3
    calls = ask(endpoint.url, engine, same) + ask(endpoint.url, engine, same)
    assert len(endpoint.requests) == 1
    assert {call.state for call in calls} == {"ok"}
    tokens = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS}
    assert Ledger(engine).totals() == {"requests": 1, "ok": 1, **tokens, "cost_usd": pytest.approx(ONE)}


@SQLITE
def test_the_same_text_in_another_unicode_composition_is_the_same_request(endpoint, engine):
    composed = request().model_copy(update={"messages": ({"role": "user", "content": "caf\u00e9"},)})
    decomposed = {"role": "user", "content": "cafe\u0301"}
    ask(endpoint.url, engine, [composed, composed.model_copy(update={"messages": (decomposed,)})])
    assert len(endpoint.requests) == 1


@SQLITE
def test_what_is_sent_is_the_whole_request_with_its_key(endpoint, engine, monkeypatch):
    monkeypatch.setenv("TEST_KEY", "secret")
    form = {"type": "object", "properties": {"question": {"type": "string"}}}
    ask(endpoint.url, engine, [request().model_copy(update={"schema_": form})], api_key_env="TEST_KEY")
    (body,) = endpoint.requests
    assert {name: body[name] for name in ("model", "max_tokens", "temperature", "seed")} == {
        "model": "m", "max_tokens": 64, "temperature": 0.0, "seed": 0,
    }  # fmt: skip
    assert body["response_format"]["json_schema"] == {"name": "answer", "strict": True, "schema": form}
    assert endpoint.headers[0]["authorization"] == "Bearer secret"


@DATABASES
@pytest.mark.parametrize("fault", [429, 500, 503, "html", "not_json", "drop", "half", "empty"])
def test_what_a_retry_can_mend_is_retried(endpoint, engine, fault):
    endpoint.faults = [fault]
    (call,) = ask(endpoint.url, engine, [request()])
    assert (call.state, call.attempt) == ("ok", 2)
    assert len(endpoint.requests) == 2
    assert states(engine) == ["retryable", "ok"], "the attempt before stays in the ledger"


FAULTS = [
    ("html", "the answer is not JSON: '<html>proxy</html>'"),
    ("not_json", "the answer is not JSON: '{\"choices\": ['"),
    ((200, {}, {"object": "error"}), 'the answer is not a completion: \'{"object":"error"}\''),
    ((200, {}, ""), "the answer is not JSON: it is empty"),
    ("empty", "no choices in the answer"),
    ("drop", "the connection failed: Server disconnected"),
    ("half", "the connection failed: .*Not enough data.*"),
    (500, "HTTP 500: ordered by the test"),
    ("hang", "no answer within 0.3 s"),
]


@SQLITE
@pytest.mark.parametrize(("fault", "words"), FAULTS)
def test_a_broken_answer_says_in_one_line_what_was_wrong(endpoint, engine, fault, words):
    endpoint.faults = [fault]
    (call,) = ask(endpoint.url, engine, [request()], max_retries=0, timeout_s=0.3)
    assert call.state == "retryable"
    assert _matches(words, call.error)


def _matches(words, error):
    import re

    return re.fullmatch(words, error) if ".*" in words else error == words


@SQLITE
def test_a_server_that_hangs_keeps_its_reservation_counted(endpoint, engine):
    endpoint.faults = ["hang"]
    ask(endpoint.url, engine, [request()], max_retries=0, timeout_s=0.3)
    assert Ledger(engine).totals()["cost_usd"] > 64 * 4 / 1e6, "the provider may have answered and charged"
    assert purse_is_right(engine)


@SQLITE
def test_an_unknown_model_is_named_and_the_other_requests_go_on(endpoint, engine):
    endpoint.faults = [(404, {}, {"error": {"message": "The model `m` does not exist"}})]
    first, second = ask(endpoint.url, engine, requests(2), concurrency=1)
    assert (first.state, second.state) == ("permanent", "ok")
    assert first.error == "HTTP 404: no model 'm' there, or a wrong base_url (The model `m` does not exist)"


@DATABASES
@pytest.mark.parametrize(("fault", "state"), [("refusal", "refused"), (400, "permanent")])
def test_what_it_cannot_mend_is_asked_once_and_never_ok(endpoint, engine, fault, state):
    endpoint.faults = [fault]
    (call,) = ask(endpoint.url, engine, [request()])
    assert call.state == state
    assert len(endpoint.requests) == 1
    assert Ledger(engine).answers([call.key]) == {}


@DATABASES
def test_an_answer_that_is_cut_off_gets_more_room_once(endpoint, engine):
    endpoint.faults = ["long", "long"]
    (call,) = ask(endpoint.url, engine, [request()])
    assert (call.state, call.attempt) == ("ok", 1)
    assert [body["max_tokens"] for body in endpoint.requests] == [64, 128]
    assert sorted(states(engine)) == ["ok", "truncated"], "the raised request has its own key"
    assert ask(endpoint.url, engine, [request()]) == [call]
    assert len(endpoint.requests) == 2, "neither is sent again"


@DATABASES
def test_an_answer_that_is_cut_off_twice_is_given_back_for_splitting(endpoint, engine):
    endpoint.faults = ["length"] * 5
    (call,) = ask(endpoint.url, engine, [request()]) and ask(endpoint.url, engine, [request()])
    assert call.state == "truncated"
    assert len(endpoint.requests) == 2
    assert Ledger(engine).totals()["cost_usd"] == pytest.approx(2 * ONE)


@SQLITE
def test_an_endpoint_that_gives_no_more_room_leaves_the_answer_truncated(endpoint, engine):
    endpoint.faults = ["length", 400]
    (call,) = ask(endpoint.url, engine, [request()])
    assert (call.state, call.error) == ("truncated", "stopped by max_tokens")


@DATABASES
def test_an_answer_of_the_wrong_form_is_asked_again_with_the_fault(endpoint, engine):
    endpoint.faults = ["broken"]
    (call,) = ask(endpoint.url, engine, [request()])
    assert call.state == "ok"
    more = endpoint.requests[1]["messages"][1:]
    assert [message["role"] for message in more] == ["assistant", "user"]
    assert more[0]["content"] == "Sure! Here is the translation."
    assert "not JSON" in more[1]["content"]
    assert sorted(states(engine)) == ["invalid", "ok"]
    assert Ledger(engine).totals()["cost_usd"] == pytest.approx(2 * ONE)


@DATABASES
@pytest.mark.parametrize("fault", ["broken", "blank"])
def test_an_answer_of_the_wrong_form_is_asked_again_once_and_both_are_paid(endpoint, engine, fault):
    endpoint.faults = [fault] * 5
    (call,) = ask(endpoint.url, engine, [request()]) and ask(endpoint.url, engine, [request()])
    assert (call.state, call.error) == ("invalid", "not JSON")
    assert len(endpoint.requests) == 2
    assert Ledger(engine).totals()["cost_usd"] == pytest.approx(2 * ONE)


@SQLITE
def test_an_answer_without_usage_costs_what_was_reserved(endpoint, engine):
    endpoint.faults = ["no_usage"]
    (call,) = ask(endpoint.url, engine, [request()])
    assert call.state == "ok"
    assert call.cost_usd == request().most_usd(PriceSettings(input=1.0, output=4.0)) > ONE


@SQLITE
def test_retries_end(endpoint, engine):
    endpoint.faults = [429] * 10
    (call,) = ask(endpoint.url, engine, [request()], max_retries=2)
    assert call.state == "retryable"
    assert len(endpoint.requests) == 3


@DATABASES
def test_with_thirty_percent_faults_every_request_ends_in_a_state_and_nothing_good_is_asked_again(endpoint, engine):
    chance = random.Random(7)
    kinds = [429, 500, "drop", "empty", "not_json", "broken", "length"]
    endpoint.faults = [chance.choice(kinds) if chance.random() < 0.3 else None for _ in range(1000)]
    wanted = requests(120)
    good = set()
    while len(good) < len(wanted):
        sent = len(endpoint.requests)
        calls = ask(endpoint.url, engine, wanted, concurrency=16, max_retries=1)
        assert all(call.state in ("ok", "retryable", "truncated", "invalid") for call in calls)
        assert not good & {question(body) for body in endpoint.requests[sent:]}, "answered well, and asked again"
        endpoint.faults = [fault for fault in endpoint.faults if fault not in ("broken", "length")]
        good = {question({"messages": each.messages}) for each, call in zip(wanted, calls, strict=True) if call.state == "ok"}
        unusable = [call for call in calls if call.state in ("truncated", "invalid")]
        if len(good) + len(unusable) == len(wanted):
            break
    assert good == recorded(engine)
    assert Ledger(engine).totals()["cost_usd"] == pytest.approx(len(endpoint.billed) * ONE, abs=1e-12)
    assert purse_is_right(engine)
    assert max(Counter(map(question, endpoint.billed)).values()) <= 3, "an answer, its repetition, its longer version"


def test_cached_tokens_have_their_own_price():
    price = PriceSettings(input=2.0, output=8.0, cached=0.5)
    assert cost(price, prompt=1000, cached=400, completion=100) == pytest.approx((600 * 2 + 400 * 0.5 + 100 * 8) / 1e6)
    assert cost(PriceSettings(input=2.0), prompt=10, cached=5, completion=0) == pytest.approx(20 / 1e6)
