"""Calls to one endpoint: asked in the ledger first, sent with a reservation, retried when a retry can help.

In: requests. Out: one settled Call each. A bad answer is a state, never an exception; what stops everything (a refused
key, an empty account, the budget) is a StoppedError.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import openai
from openai.types.chat import ChatCompletion

from pipeline.llm.ledger import Ledger, clock
from pipeline.settings import EndpointSettings, PriceSettings, api_key
from pipeline.workspace import fingerprint
from schemas.base import Noun
from schemas.errors import StoppedError
from schemas.translation import Call, CallState

#: First pause before a retry, doubled each time, and the longest one that a Retry-After header gets, in seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_POLL_SECONDS = 0.2
#: English and JSON have about 4 characters a token with every common tokenizer, Arabic 2 (measured with Gemma's on
#: TICO-19: 4.5 and 2.6). Used for reservations and estimates, which should rather be too high.
CHARS_PER_TOKEN = {"en": 4.0, "ar": 2.0}


class Request(Noun):
    """What is sent: everything that decides the answer, and nothing else."""

    messages: tuple[dict[str, str], ...]
    max_tokens: int
    temperature: float
    seed: int
    schema_: dict[str, Any] | None
    """JSON schema of the answer; None where the endpoint has no structured output."""

    def key(self, endpoint: str, model: str) -> str:
        """Identity in the ledger."""
        return fingerprint(endpoint, model, self.model_dump())


Check = Callable[[str], str | None]
"""Says what is wrong with an answer's form; None when it can be parsed."""


class Client:
    """One endpoint inside one event loop; close it in the loop that used it."""

    def __init__(self, endpoint: EndpointSettings, name: str, ledger: Ledger) -> None:
        self._endpoint, self._name, self._ledger = endpoint, name, ledger
        self._slots = asyncio.Semaphore(endpoint.concurrency)
        self._pace = _Pace(endpoint)
        self._openai = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=api_key(endpoint),
            max_retries=0,
            timeout=endpoint.timeout_s,
            http_client=openai.DefaultAioHttpClient(),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._openai.close()

    def key(self, request: Request) -> str:
        """The request's identity at this endpoint."""
        return request.key(self._name, self._endpoint.model)

    async def ask(self, request: Request, check: Check) -> Call:
        """The answer: from the ledger when it is there, else paid for. The last attempt's Call when none was good."""
        key = self.key(request)
        pause = _FIRST_PAUSE
        invalid = 0
        call: Call | None = None
        async with self._slots:
            for left in range(self._endpoint.max_retries, -1, -1):
                known = self._ledger.answers([key]).get(key)
                if known:
                    return known
                call, wait = await self._attempt(key, request, check)
                invalid += call.state == "invalid"
                if call.state not in ("retryable", "invalid") or invalid > 1 or not left:
                    break
                await asyncio.sleep(min(wait if wait is not None else pause, _LONGEST_PAUSE))
                pause *= 2
        assert call is not None
        return call

    async def _attempt(self, key: str, request: Request, check: Check) -> tuple[Call, float | None]:
        attempt = None
        body = request.model_dump()
        while attempt is None:
            attempt = self._ledger.begin(key, self._name, self._endpoint.model, body, self._most(request))
            if attempt is None:
                # Another process asks the same: its answer will do.
                await asyncio.sleep(_POLL_SECONDS)
                known = self._ledger.answers([key]).get(key)
                if known:
                    return known, None
        try:
            return await self._sent(key, attempt, request, check)
        finally:
            self._ledger.landed(key)

    async def _sent(self, key: str, attempt: int, request: Request, check: Check) -> tuple[Call, float | None]:
        await self._pace.wait(_prompt_tokens(request) + request.max_tokens)
        start = clock()
        blank = Call(key=key, attempt=attempt, endpoint=self._name, model=self._endpoint.model, state="sent")
        try:
            call, wait = _judged(blank, await self._send(request), check, self._endpoint.price), None
        except (openai.APIError, json.JSONDecodeError) as error:
            call, wait = _failed(blank, error)
        call = call.model_copy(update={"latency_s": clock() - start})
        self._ledger.settle(call)
        if _stops(call):
            key_name = self._endpoint.api_key_env or "the key"
            raise StoppedError(f"{self._endpoint.base_url} refuses: {call.error}. Check {key_name} and the account.")
        return call, wait

    async def _send(self, request: Request) -> ChatCompletion:
        form: dict[str, Any] = {}
        if request.schema_ is not None:
            form["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": request.schema_},
            }
        answer: ChatCompletion = await self._openai.chat.completions.create(
            model=self._endpoint.model,
            messages=list(request.messages),  # type: ignore[arg-type]  # plain dicts are what goes over the wire
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            seed=request.seed,
            **form,
        )
        return answer

    def _most(self, request: Request) -> float:
        """The most the call can cost: the prompt at 2 characters a token, and every token it may answer."""
        price = self._endpoint.price
        prompt = sum(len(message["content"]) for message in request.messages) / CHARS_PER_TOKEN["ar"]
        return (prompt * price.input + request.max_tokens * price.output) / 1e6


class _Pace:
    """Spreads starts so that requests and tokens a minute keep below the endpoint's limits."""

    def __init__(self, endpoint: EndpointSettings) -> None:
        self._rpm, self._tpm = endpoint.rpm, endpoint.tpm
        self._next = 0.0

    async def wait(self, tokens: int) -> None:
        if self._rpm is None and self._tpm is None:
            return
        start = max(self._next, clock())
        by_requests = 60.0 / self._rpm if self._rpm else 0.0
        by_tokens = 60.0 * tokens / self._tpm if self._tpm else 0.0
        self._next = start + max(by_requests, by_tokens)
        await asyncio.sleep(start - clock())


def cost(price: PriceSettings, prompt: int, cached: int, completion: int) -> float:
    """US dollars of one answer by the price table; `cached` of the `prompt` tokens at their own price."""
    cheap = price.input if price.cached is None else price.cached
    return ((prompt - cached) * price.input + cached * cheap + completion * price.output) / 1e6


def _judged(blank: Call, answer: ChatCompletion, check: Check, price: PriceSettings) -> Call:
    if not isinstance(answer, ChatCompletion):
        # A proxy's HTML page with status 200 comes out of the SDK as text.
        return blank.model_copy(update={"state": "retryable", "error": f"not a completion: {str(answer)[:100]!r}"})
    usage = answer.usage
    prompt = usage.prompt_tokens if usage else 0
    completion = usage.completion_tokens if usage else 0
    details = usage.prompt_tokens_details if usage else None
    cached = (details.cached_tokens or 0) if details else 0
    state, words, error = _state(answer, check)
    return blank.model_copy(
        update={
            "state": state, "text": words, "error": error, "prompt_tokens": prompt, "cached_tokens": cached,
            "completion_tokens": completion, "cost_usd": cost(price, prompt, cached, completion),
        }
    )  # fmt: skip


def _state(answer: ChatCompletion, check: Check) -> tuple[CallState, str | None, str | None]:
    if not answer.choices:
        return "invalid", None, "no choices in the answer"
    choice = answer.choices[0]
    words = choice.message.content or ""
    if choice.finish_reason == "content_filter" or choice.message.refusal:
        return "refused", words, choice.message.refusal or "content filter"
    if choice.finish_reason == "length":
        return "truncated", words, "stopped by max_tokens"
    fault = check(words)
    return ("invalid", words, fault) if fault else ("ok", words, None)


def _failed(blank: Call, error: Exception) -> tuple[Call, float | None]:
    """A call without an answer: nothing was charged as far as anybody can tell."""
    message = " ".join(str(error).split())[:300]
    state: CallState = "retryable"
    wait = None
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        state = "retryable" if status in (408, 409, 429) or status >= 500 else "permanent"
        wait = _retry_after(error)
        message = f"{status}: {message}"
    return blank.model_copy(update={"state": state, "error": f"{type(error).__name__} {message}", "cost_usd": 0.0}), wait


def _retry_after(error: openai.APIStatusError) -> float | None:
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return None


def _stops(call: Call) -> bool:
    fault = call.error or ""
    return call.state in ("permanent", "retryable") and (" 401:" in fault or " 403:" in fault or "insufficient_quota" in fault)


def _prompt_tokens(request: Request) -> int:
    return int(sum(len(message["content"]) for message in request.messages) / CHARS_PER_TOKEN["en"])
