"""Calls to one endpoint: asked in the ledger first, sent with a reservation, retried when a retry can help.

In: requests. Out: one settled Call each. A bad answer is a state, never an exception; what stops everything (a refused
key, an empty account, the budget) is a StoppedError.
"""

import asyncio
import time
from abc import ABC, abstractmethod

import aiohttp
import httpx2
import openai
import orjson

from pipeline.access import is_local
from pipeline.llm.answers import CHARS_PER_TOKEN, Check, Entry, Request, body_of, cost, failed, judged, loops, refuses
from pipeline.llm.entries import Elsewhere, Wanted
from pipeline.llm.governor import Outcome, Permit, governor_of, retry_after
from pipeline.llm.ledger import Ledger
from pipeline.settings import EndpointSettings, api_key
from schemas.errors import StoppedError
from schemas.translation import Call

__all__ = [
    "CHARS_PER_TOKEN", "CONNECTION_ERRORS", "Asker", "Check", "Client", "Request", "connection", "connection_fault", "cost",
    "refusal",
]  # fmt: skip

#: First pause before a retry, doubled each time, and the longest one, in seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_POLL_SECONDS = 0.2
#: The aiohttp transport lets some of its own errors through, such as the one for a malformed status line.
CONNECTION_ERRORS = (openai.APIConnectionError, httpx2.HTTPError, aiohttp.ClientError)


class Asker(ABC):
    """What to do about an answer; how it is got, online or in a batch, is the subclass's part."""

    def __init__(self, endpoint: EndpointSettings, name: str, ledger: Ledger) -> None:
        self._endpoint, self._name, self._ledger = endpoint, name, ledger

    @abstractmethod
    async def close(self) -> None:
        """Send nothing more, wait for what is under way, and let go of everything."""

    @abstractmethod
    async def _obtained(self, key: str, request: Request, check: Check) -> Call:
        """An answer that is not recorded yet, or the last fault when there is none. The caller holds the claim."""

    def key(self, request: Request) -> str:
        """The request's identity in the ledger."""
        return request.key(self._endpoint.model)

    async def ask(self, request: Request, check: Check) -> Call:
        """The answer: from the ledger when it is there, else paid for. The last attempt's Call when none was good.

        One that max_tokens cut off is asked for once more with twice the room (unless it loops), one of the wrong form once
        more with the fault named; each is a request of its own with its own key. What is still `truncated` needs less text.
        """
        may_raise = may_repeat = True
        while True:
            call = await self._answer(request, check)
            if call.state == "truncated" and may_raise and not loops(call.text or ""):
                may_raise, cut = False, call
                request = request.with_more_room()
            elif call.state == "invalid" and may_repeat:
                may_repeat = False
                request = request.asked_again(call.text or "", call.error or "")
            elif call.state == "permanent" and not may_raise:
                # The endpoint does not give so much room.
                return cut
            else:
                return call

    async def _answer(self, request: Request, check: Check) -> Call:
        key = self.key(request)
        async with self._ledger.claim(key):
            call = await self._ledger.known(key)
            if call is None:
                return await self._obtained(key, request, check)
            fault = check(call.text or "") if call.state == "ok" else None
            return await self._ledger.reject(call, fault) if fault else call

    def _want(self, key: str, request: Request, factor: float = 1.0) -> Wanted:
        most = factor * request.most_usd(self._endpoint.price)
        return Wanted(key, self._name, self._endpoint.model, request.plain(), most)


class Client(Asker):
    """One endpoint inside one event loop; close it in the loop that used it."""

    def __init__(self, endpoint: EndpointSettings, name: str, ledger: Ledger) -> None:
        super().__init__(endpoint, name, ledger)
        self._slots = asyncio.Semaphore(endpoint.concurrency)
        self._governor = governor_of(endpoint)
        self._openai = connection(endpoint)
        self._closing = False
        ledger.open()

    async def close(self) -> None:
        """Send nothing more, record what is in flight, close the connections."""
        self._closing = True
        try:
            for _ in range(self._endpoint.concurrency):
                await self._slots.acquire()
        finally:
            await self._openai.close()
            self._ledger.close()

    async def _obtained(self, key: str, request: Request, check: Check) -> Call:
        pause = _FIRST_PAUSE
        retries = self._endpoint.max_retries
        while True:
            call, told = await self._attempt(key, request, check)
            if call.state != "retryable" or not retries:
                return call
            retries -= 1
            if not told:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _attempt(self, key: str, request: Request, check: Check) -> tuple[Call, bool]:
        """One attempt, and whether the endpoint itself said when to come again; the governor sees to that then."""
        want = self._want(key, request)
        while True:
            async with self._slots:
                if self._closing:
                    raise StoppedError("the client was closed before this call was sent; run again to go on")
                permit = await self._governor.admit(request.tokens())
                begun: object = None
                try:
                    begun = await self._ledger.begin(want)
                finally:
                    if not isinstance(begun, Entry):
                        self._governor.release(permit, "unsent")
                if isinstance(begun, Entry):
                    return await self._settled(permit, begun, request, check)
            if isinstance(begun, Call):
                return begun, False
            if begun is Elsewhere.BATCH:
                waiting = Entry(key, 0, self._name, self._endpoint.model, 0.0)
                return waiting.settled("permanent", "it waits in a batch: run with translate.mode: batch to collect it"), False
            await asyncio.sleep(_POLL_SECONDS)

    async def _settled(self, permit: Permit, entry: Entry, request: Request, check: Check) -> tuple[Call, bool]:
        start = time.monotonic()
        outcome: Outcome = "busy"
        used = permit.tokens
        stop: str | None = None
        wait: float | None = None
        try:
            async with asyncio.timeout(self._endpoint.timeout_s):
                response = await self._post(request)
            call = judged(entry, response.content, check, self._endpoint.price)
            outcome, used = "good", call.prompt_tokens + call.completion_tokens
        except openai.APIStatusError as error:
            call, wait, stop = self._refused(entry, error)
            outcome = "busy" if call.state == "retryable" else "good"
        except TimeoutError:
            # The provider may go on and charge for it.
            call = entry.settled("retryable", f"no answer within {self._endpoint.timeout_s:g} s", entry.reserved_usd)
        except CONNECTION_ERRORS as error:
            call = entry.settled("retryable", f"the connection failed: {connection_fault(error)}")
        except asyncio.CancelledError:
            self._ledger.give_up(entry)
            raise
        finally:
            self._governor.release(permit, outcome, used)
        call = call.model_copy(update={"latency_s": time.monotonic() - start})
        await self._ledger.settle(entry, call)
        if stop:
            raise StoppedError(stop)
        return call, wait is not None

    async def _post(self, request: Request) -> httpx2.Response:
        content = orjson.dumps(body_of(request, self._endpoint.model))
        return await self._openai.post("/chat/completions", cast_to=httpx2.Response, content=content)

    def _refused(self, entry: Entry, error: openai.APIStatusError) -> tuple[Call, float | None, str | None]:
        """The Call, the seconds to wait that the endpoint named, and why nothing may be sent any more."""
        response = error.response
        call = failed(entry, response.status_code, response.content)
        stop = None
        if refuses(response.status_code, response.content):
            stop = refusal(self._endpoint, call.error or "")
            self._governor.trip(stop)
        wait = retry_after(response.headers.get("retry-after"), response.headers.get("date"))
        if wait:
            self._governor.pause(wait)
        return call, wait, stop


def connection(endpoint: EndpointSettings) -> openai.AsyncOpenAI:
    """The SDK's client. Retries are ours, because each has to be in the ledger."""
    return openai.AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=api_key(endpoint),
        max_retries=0,
        # Ours ends a call first: the SDK's counts each read anew, and one that trickles would never end.
        timeout=2 * endpoint.timeout_s,
        # Texts go to the address that the config names and to no other (law 7): no redirect is followed, and what is meant for
        # this machine does not take the way over a proxy that the environment names.
        http_client=openai.DefaultAioHttpClient(follow_redirects=False, trust_env=not is_local(endpoint.base_url)),
    )


def refusal(endpoint: EndpointSettings, error: str) -> str:
    """The line for an endpoint that will not serve this key or account.

    An error may quote the text that it is about: of an endpoint that sees more than open data, the ledger alone keeps the words.
    """
    if set(endpoint.allows) != {"open"}:
        error = f"{error.partition(':')[0]} (the ledger has its words)"
    return f"{endpoint.base_url} refuses: {error}. Check {endpoint.api_key_env or 'the key'} and the account."


def connection_fault(error: BaseException) -> str:
    """What broke a connection, in the words of whoever noticed first: the SDK's say "timed out" for a lost one, too."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:200] or type(error).__name__
