"""What the tests of calls share: requests, their check, and asking many at once."""

import asyncio
import json
import math

import pytest
from sqlalchemy import func, select

from pipeline.database import BatchRow, CallRow, PurseRow, session
from pipeline.llm.batch import BatchClient, Pace
from pipeline.llm.client import Client, Request
from pipeline.llm.ledger import Ledger
from pipeline.settings import EndpointSettings, PriceSettings
from tests.endpoint import COMPLETION_TOKENS, PROMPT_TOKENS, asked_for

DATABASES = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PRICE = PriceSettings(input=1.0, output=4.0)
#: What the endpoint charges for one answer.
ONE = (PROMPT_TOKENS * 1.0 + COMPLETION_TOKENS * 4.0) / 1e6
QUICK = Pace(quiet=0.1, first=0.02, longest=0.1, unsure=0.2)


def request(text="Does the patient have pneumonia?", max_tokens=64):
    message = {"role": "user", "content": json.dumps({"question": text})}
    return Request(messages=(message,), max_tokens=max_tokens, temperature=0.0, seed=0, schema_=None)


def requests(count):
    return [request(f"question {number}") for number in range(count)]


def check(text):
    try:
        json.loads(text)
    except ValueError:
        return "not JSON"
    return None


def settings(url, **changes):
    base = {"model": "m", "concurrency": 4, "timeout_s": 10, "price": PRICE, "max_retries": 4}
    return EndpointSettings(base_url=url, **base | changes)


def ask(url, engine, wanted, budget=None, **changes):
    """Ask all at once through an online client."""
    return _all(lambda: Client(settings(url, **changes), "test", Ledger(engine, budget)), wanted)


def ask_in_batches(url, engine, wanted, budget=None, **changes):
    """Ask all at once through a batch client."""
    return _all(lambda: BatchClient(settings(url, **changes), "test", Ledger(engine, budget), QUICK), wanted)


def _all(make, wanted):
    async def work():
        client = make()
        try:
            return await asyncio.gather(*(client.ask(each, check) for each in wanted))
        finally:
            await client.close()

    return asyncio.run(work())


def question(body):
    """What a request that reached a server asked."""
    return asked_for(body["messages"])["question"]


def recorded(engine, state="ok"):
    """The questions of the calls in a state."""
    with session(engine) as opened:
        return {question(row) for row in opened.scalars(select(CallRow.request).where(CallRow.state == state))}


def states(engine):
    """States of all attempts, in the order of keys and attempts."""
    with session(engine) as opened:
        return list(opened.scalars(select(CallRow.state).order_by(CallRow.key, CallRow.attempt)))


def batch_states(engine):
    with session(engine) as opened:
        return sorted(opened.scalars(select(BatchRow.state)))


def purse_is_right(engine):
    """The purse is the sum of all calls."""
    with session(engine) as opened:
        spent, counted = opened.scalar(select(PurseRow.spent_usd)), opened.scalar(select(func.sum(CallRow.cost_usd)))
    return math.isclose(spent, counted or 0.0, abs_tol=1e-12)
