"""An endpoint's embeddings as the scorer: how near source and Arabic are, on a scale made for that model.

In: pairs. Out: a number a pair, 0 to 1. No two models mean the same by a cosine of .7, so known pairs, right ones and unrelated
ones, say first what it is worth; a model that cannot tell them apart is refused. Each text is a call of its own in the ledger,
under the run's budget: a text that was embedded once is not paid again.
"""

import asyncio
import base64
import json
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import httpx2
import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Engine

from pipeline.database import open_database
from pipeline.llm.answers import Request
from pipeline.llm.client import Client
from pipeline.llm.ledger import Ledger
from pipeline.llm.outcomes import all_ended
from pipeline.settings import EndpointSettings, Settings
from schemas.errors import InputError, StoppedError
from schemas.translation import Call

_ANCHORS = Path(__file__).with_name("anchors.jsonl")
#: What unrelated pairs (their median and 95th percentile) and right ones (their 5th percentile and median) are worth. With the
#: embedded encoder these are its own points for TICO-19, within 4.
_WORTH = (0.1, 0.45, 0.83, 0.96)
#: Right pairs have to lie above unrelated ones by this much at least, 5th percentile above the 95th.
_LEAST_GAP = 0.02
_DECIMALS = 3


class EndpointScorer:
    """A `Scorer` on `endpoints.scorer`; texts have been allowed to go there (`check_rows`)."""

    def __init__(self, settings: Settings) -> None:
        assert settings.endpoints.scorer is not None
        self._endpoint, self._budget = settings.endpoints.scorer, settings.translate.budget_usd
        self._engine: Engine = open_database(settings.database_url())
        self._scale: tuple[float, ...] | None = None

    @property
    def id(self) -> str:
        """What scores of this scorer are known by."""
        return self._endpoint.model

    def similarities(self, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        """A number a pair; not a number where the model took one of the texts for too long, say.

        Raises StoppedError when the endpoint does not answer, budget or account are used up; InputError when the model cannot
        tell translations from unrelated texts.
        """
        if self._scale is None:
            self._scale = self._measured()
        near = self._cosines(sources, targets)
        return [
            round(float(np.interp(value, self._scale, _WORTH)), _DECIMALS) if math.isfinite(value) else value for value in near
        ]

    def _measured(self) -> tuple[float, ...]:
        sources, targets = anchors()
        right = self._cosines(sources, targets)
        unrelated = self._cosines(sources, targets[1:] + targets[:1])
        low, high = np.percentile(unrelated, [50, 95]), np.percentile(right, [5, 50])
        if not high[0] >= low[1] + _LEAST_GAP:
            raise InputError(
                f"endpoints.scorer: {self._endpoint.model} gives right pairs {high[0]:.2f} and unrelated ones {low[1]:.2f} (5th "
                "and 95th percentile): it cannot tell them apart. Name a multilingual model, or use `quality.scorer: embedded`."
            )
        return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    def _cosines(self, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        texts = list(dict.fromkeys([*sources, *targets]))
        calls = dict(zip(texts, asyncio.run(_embedded(self._endpoint, self._engine, self._budget, texts)), strict=True))
        down = next((call for call in calls.values() if call.state == "retryable"), None)
        if down is not None:
            # Scored as worthless, a translation would be rejected because a server was away.
            raise StoppedError(f"endpoints.scorer ({self._endpoint.base_url}) fails: {down.error}. Run again to go on.")
        return [_cosine(calls[source], calls[target]) for source, target in zip(sources, targets, strict=True)]


class _Embedder(Client):
    """The client, on the endpoint's other address. The vector is kept in the ledger as the answer's text."""

    async def _post(self, request: Request) -> httpx2.Response:
        body = {"model": self._endpoint.model, "input": [request.messages[0]["content"]], "encoding_format": "float"}
        response = await self._openai.post("/embeddings", cast_to=httpx2.Response, content=orjson.dumps(body))
        return httpx2.Response(response.status_code, headers={}, content=_as_answer(response.content))


@lru_cache(maxsize=1)
def anchors() -> tuple[list[str], list[str]]:
    """Right pairs of 5 to 22 words, as two lists."""
    rows = [json.loads(line) for line in _ANCHORS.read_text(encoding="utf-8").splitlines()]
    return [row["source"] for row in rows], [row["target"] for row in rows]


async def _embedded(endpoint: EndpointSettings, engine: Engine, budget: float | None, texts: Sequence[str]) -> list[Call]:
    client = _Embedder(endpoint, endpoint.base_url, Ledger(engine, budget))
    try:
        return await all_ended([client.ask(_request(text), _fault) for text in texts])
    finally:
        await client.close()


def _request(text: str) -> Request:
    # The role keeps it apart from a question to a model of the same name.
    content = text.encode("utf-8", "replace").decode()
    return Request(messages=({"role": "input", "content": content},), max_tokens=0, temperature=0.0, seed=0, schema_=None)


def _as_answer(raw: bytes) -> bytes:
    """A list of embeddings in the form of a chat's answer, so that the ledger reads one form; anything else as it came."""
    try:
        value = orjson.loads(raw)
        vector = np.asarray(value["data"][0]["embedding"], np.float32)
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, ValueError):
        return raw
    text = base64.b64encode(vector.astype("<f4").tobytes()).decode()
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return orjson.dumps({"choices": [choice], "usage": value.get("usage")})


def _vector(call: Call) -> NDArray[np.float32] | None:
    if call.state != "ok" or not call.text:
        return None
    vector = np.frombuffer(base64.b64decode(call.text), "<f4")
    size = np.linalg.norm(vector)
    return (vector / size).astype(np.float32) if np.isfinite(size) and size > 0 else None


def _cosine(one: Call, other: Call) -> float:
    here, there = _vector(one), _vector(other)
    return math.nan if here is None or there is None or here.shape != there.shape else float(here @ there)


def _fault(text: str) -> str | None:
    return None if text else "no embedding in the answer"
