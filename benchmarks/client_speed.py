"""The client with ledger and governor beside the bare `openai` client with its aiohttp transport: same server, same run.

64 calls in flight at 20 ms each. The server is a process of its own. Peers live in virtual environments of their own, because
they need other versions of openai: `client_speed.py --peer curator=PATH/TO/VENV --peer distilabel=PATH/TO/VENV`
(`curator-litellm` is the same environment with its other backend), or `make bench PEERS="--peer …"`.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path

import openai
import orjson
from aiohttp import web
from peers import PEERS

from pipeline.database import open_database
from pipeline.llm.client import Client, Request
from pipeline.llm.ledger import Ledger
from pipeline.settings import EndpointSettings, PriceSettings

CALLS, FLYING, LATENCY_S, ROUNDS = 3000, 64, 0.020, 5
TEXT = "Is there a nodule in the right upper lobe of the lung in slice {}?"
SYSTEM = "Translate the values into Modern Standard Arabic. Answer with JSON that has the same keys."
ANSWER = '{"question": "هل توجد عقيدة في الفص العلوي من الرئة اليمنى؟"}'
Ask = Callable[[int], Awaitable[object]]


def serve(address: Connection) -> None:
    """A loopback endpoint whose every answer takes 20 ms."""
    message = {"role": "assistant", "content": ANSWER, "refusal": None}
    body = orjson.dumps(
        {
            "id": "x", "object": "chat.completion", "created": 0, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 60, "completion_tokens": 30, "total_tokens": 90},
        }
    )  # fmt: skip

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(LATENCY_S)
        return web.Response(body=body, content_type="application/json")

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address.send(f"http://127.0.0.1:{runner.addresses[0][1]}/v1")
        await asyncio.Event().wait()

    asyncio.run(run())


async def _rate(ask: Ask, calls: int) -> float:
    """Calls a second with 64 of them in flight."""
    numbers = iter(range(calls))

    async def worker() -> None:
        for number in numbers:
            await ask(number)

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(FLYING)))
    return calls / (time.perf_counter() - start)


def bare(url: str, _folder: Path, calls: int) -> float:
    """AsyncOpenAI with the aiohttp transport, nothing else."""

    async def run() -> float:
        client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, http_client=openai.DefaultAioHttpClient())

        async def ask(number: int) -> object:
            answer = await client.chat.completions.create(
                model="m", max_tokens=64, temperature=0.0, seed=0,
                messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": TEXT.format(number)}],
            )  # fmt: skip
            return answer.choices[0].message.content

        try:
            return await _rate(ask, calls)
        finally:
            await client.close()

    return asyncio.run(run())


def ours(url: str, folder: Path, calls: int) -> float:
    """The same through our client: governor, ledger on disk, money cap."""
    price = PriceSettings(input=1.0, output=4.0)
    endpoint = EndpointSettings(base_url=url, model="m", concurrency=FLYING, rpm=10_000_000, tpm=10_000_000_000, price=price)
    engine = open_database(f"sqlite:///{folder / f'{time.monotonic_ns()}.db'}")

    async def run() -> float:
        client = Client(endpoint, url, Ledger(engine, 1000.0))

        async def ask(number: int) -> object:
            messages = ({"role": "system", "content": SYSTEM}, {"role": "user", "content": TEXT.format(number)})
            call = await client.ask(Request(messages=messages, max_tokens=64, temperature=0.0, seed=0, schema_=None), _check)
            assert call.state == "ok"
            return call.text

        try:
            return await _rate(ask, calls)
        finally:
            await client.close()

    rate = asyncio.run(run())
    assert Ledger(engine).totals()["ok"] == calls, "each answer is in the ledger"
    engine.dispose()
    return rate


def _check(text: str) -> str | None:
    return None if isinstance(orjson.loads(text), dict) else "no object"


def peer(name: str, venv: str | None, url: str, calls: int) -> str:
    """One line about a peer that does the same work in its own virtual environment."""
    if venv is None:
        return f"{name:<16} not installed (give --peer {name}=VENV)"
    command = [str(Path(venv) / "bin" / "python"), "-c", PEERS[name], url, str(calls), str(FLYING), SYSTEM, TEXT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"{name:<16} failed: {(done.stderr.strip() or 'without a word').splitlines()[-1]}"
    return f"{name:<16} {float(done.stdout.strip().splitlines()[-1]):8.0f} calls/s"


def main() -> None:
    """Print calls a second of both, alternating, and the ratio of the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=VENV")
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    venvs = dict(entry.partition("=")[::2] for entry in options.peer)
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    server = context.Process(target=serve, args=(sender,), daemon=True)
    server.start()
    try:
        url = receiver.recv()
        rates: dict[str, list[float]] = {"bare": [], "ours": []}
        with tempfile.TemporaryDirectory() as name:
            for _ in range(options.rounds):
                rates["bare"].append(bare(url, Path(name), options.calls))
                rates["ours"].append(ours(url, Path(name), options.calls))
        for name, found in rates.items():
            shown = " ".join(f"{rate:.0f}" for rate in found)
            sys.stdout.write(f"{name:<16} {statistics.median(found):8.0f} calls/s   (rounds: {shown})\n")
        ratios = [mine / theirs for mine, theirs in zip(rates["ours"], rates["bare"], strict=True)]
        sys.stdout.write(f"{'ratio':<16} {statistics.median(ratios):8.2f} of bare, median of {options.rounds} rounds\n")
        for name in PEERS:
            sys.stdout.write(peer(name, venvs.get(name), url, options.calls) + "\n")
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
