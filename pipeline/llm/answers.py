"""Requests, and what their answers are worth. In: a provider's answer, or the error instead of one. Out: a Call with its state.

No pydantic on this road: the SDK's models cost 0.6 ms a call (of 1.1 ms), as much as everything else together.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pipeline.settings import PriceSettings
from pipeline.workspace import fingerprint
from schemas.base import Noun
from schemas.translation import Call, CallState

#: English and JSON have about 4 characters a token with every common tokenizer, Arabic 2 (measured with Gemma's on
#: TICO-19: 4.5 and 2.6). Used for rates and estimates, which should rather be too high.
CHARS_PER_TOKEN = {"en": 4.0, "ar": 2.0}
#: Roles and separators around one message, and the frame of a whole prompt, in tokens: more than any known chat template.
_MESSAGE_TOKENS, _FRAME_TOKENS = 16, 64
_RETRYABLE = frozenset((408, 409, 425, 429))
#: States that an answer gives; what was answered is never asked for again.
ANSWERED = ("ok", "truncated", "refused", "invalid")
_AGAIN = "That answer cannot be used: {fault}. Answer again, completely, and only in the form that was asked for."

_LOOP = re.compile(r"(.{2,80}?)\1{3,}.{0,80}$", re.S)

Check = Callable[[str], str | None]
"""Says what is wrong with an answer's form; None when it can be parsed."""


def loops(text: str) -> bool:
    """Whether a text ends in the same 2 to 80 characters four times over: more room would bring more of the same."""
    return _LOOP.search(text[-800:]) is not None


class Request(Noun):
    """What is sent: everything that decides the answer, and nothing else."""

    messages: tuple[dict[str, str], ...]
    max_tokens: int
    temperature: float
    seed: int
    schema_: dict[str, Any] | None
    """JSON schema of the answer; None where the endpoint has no structured output."""

    def key(self, model: str) -> str:
        """Identity in the ledger; texts that differ in Unicode composition only are the same.

        Where the model is served is no part of it: a server that moves to another address is not paid again.
        """
        return fingerprint(model, self.plain() | {"messages": [_composed(message) for message in self.messages]})

    def plain(self) -> dict[str, Any]:
        """The fields as they are; model_dump copies deeply, at 5 times the cost."""
        return {
            "messages": self.messages, "max_tokens": self.max_tokens, "temperature": self.temperature, "seed": self.seed,
            "schema_": self.schema_,
        }  # fmt: skip

    def tokens(self) -> int:
        """The prompt's tokens, estimated, and all that it may answer."""
        return int(sum(len(message["content"]) for message in self.messages) / CHARS_PER_TOKEN["en"]) + self.max_tokens

    def most_usd(self, price: PriceSettings) -> float:
        """The most that it can cost: no tokenizer makes more tokens than a text has bytes."""
        prompt = sum(len(message["content"].encode()) + _MESSAGE_TOKENS for message in self.messages) + _FRAME_TOKENS
        prompt += len(orjson.dumps(self.schema_)) if self.schema_ else 0
        return (prompt * price.input + self.max_tokens * price.output) / 1e6

    def with_more_room(self) -> "Request":
        """For an answer that max_tokens cut off."""
        return self.model_copy(update={"max_tokens": 2 * self.max_tokens})

    def asked_again(self, answer: str, fault: str) -> "Request":
        """For an answer of the wrong form: the conversation goes on with what is wrong with it."""
        more = ({"role": "assistant", "content": answer}, {"role": "user", "content": _AGAIN.format(fault=fault)})
        return self.model_copy(update={"messages": (*self.messages, *more)})


def body_of(request: Request, model: str) -> dict[str, Any]:
    """The JSON that goes over the wire."""
    body: dict[str, Any] = {
        "model": model, "messages": request.messages, "max_tokens": request.max_tokens,
        "temperature": request.temperature, "seed": request.seed,
    }  # fmt: skip
    if request.schema_ is not None:
        form = {"name": "answer", "strict": True, "schema": request.schema_}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body


def cost(price: PriceSettings, prompt: int, cached: int, completion: int) -> float:
    """US dollars of one answer by the price table; `cached` of the `prompt` tokens at their own price."""
    cheap = price.input if price.cached is None else price.cached
    return ((prompt - cached) * price.input + cached * cheap + completion * price.output) / 1e6


@dataclass(frozen=True, slots=True)
class Entry:
    """A call as it stands in the ledger before it is sent."""

    key: str
    attempt: int
    endpoint: str
    model: str
    reserved_usd: float
    """The most it can cost."""

    def settled(self, state: CallState, error: str | None = None, cost_usd: float = 0.0, **more: Any) -> Call:
        """The Call that this entry became."""
        return Call.model_construct(
            key=self.key, attempt=self.attempt, endpoint=self.endpoint, model=self.model, state=state, error=error,
            cost_usd=cost_usd, **more,
        )  # fmt: skip


def judged(entry: Entry, raw: bytes, check: Check, price: PriceSettings) -> Call:
    """The Call for the body of an HTTP 200. What is not JSON (a proxy's page, half a body) is retryable and costs nothing."""
    try:
        answer = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return entry.settled("retryable", f"the answer is not JSON: {_shown(raw)}")
    return completed(entry, answer, check, price)


def completed(entry: Entry, answer: object, check: Check, price: PriceSettings, factor: float = 1.0) -> Call:
    """The Call for a completion; `factor` on the price in batch mode. Without usage it costs what was reserved."""
    if not isinstance(answer, dict) or not isinstance(answer.get("choices"), list):
        return entry.settled("retryable", f"the answer is not a completion: {_shown(orjson.dumps(answer))}")
    state, text, error = _state(answer["choices"], check)
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return entry.settled(state, error, entry.reserved_usd, text=text)
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    cached = min(prompt, _count(usage.get("prompt_tokens_details"), "cached_tokens"))
    usd = factor * cost(price, prompt, cached, completion)
    return entry.settled(state, error, usd, text=text, prompt_tokens=prompt, cached_tokens=cached, completion_tokens=completion)


def failed(entry: Entry, status: int, raw: bytes) -> Call:
    """The Call for an HTTP error; nothing is charged for those."""
    state: CallState = "retryable" if status in _RETRYABLE or status >= 500 else "permanent"
    words = _message(raw)
    if 300 <= status < 400:
        words = "it redirects to another address, and texts go to the one that the config names only; mend base_url"
    if status == 404:
        words = f"no model {entry.model!r} there, or a wrong base_url ({words})"
    return entry.settled(state, f"HTTP {status}: {words}")


def refuses(status: int, raw: bytes) -> bool:
    """Whether an HTTP error says that this key or account will not be served: no call of this process can succeed."""
    return status in (401, 402, 403) or (status == 429 and b"insufficient_quota" in raw)


def _state(choices: list[Any], check: Check) -> tuple[CallState, str | None, str | None]:
    choice = choices[0] if choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return "retryable", None, "no choices in the answer"
    text = message.get("content")
    # PostgreSQL takes no NUL in a text.
    text = text.replace("\x00", "\N{REPLACEMENT CHARACTER}") if isinstance(text, str) else ""
    reason, refusal = choice.get("finish_reason"), message.get("refusal")
    if reason == "content_filter" or refusal:
        return "refused", text, str(refusal or "content filter")
    if reason == "length":
        return "truncated", text, "stopped by max_tokens"
    fault = check(text)
    return ("invalid", text, fault) if fault else ("ok", text, None)


def _count(usage: object, name: str) -> int:
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) and value > 0 else 0


def _message(raw: bytes) -> str:
    """The error's own words from the form that OpenAI's API gives them, else the start of whatever came."""
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _shown(raw)
    error = found.get("error", found) if isinstance(found, dict) else found
    words = error.get("message") if isinstance(error, dict) else error
    return " ".join(words.split())[:300] if isinstance(words, str) else _shown(raw)


def _shown(raw: bytes) -> str:
    words = " ".join(raw[:400].decode(errors="replace").replace("\x00", " ").split())
    return f"{words[:120]!r}" if words else "it is empty"


def _composed(message: dict[str, str]) -> dict[str, str]:
    return {name: unicodedata.normalize("NFC", text) for name, text in message.items()}
