"""The judge on pairs of one's own: what `bimedv quality score --judge CONFIG` adds to the gate's word.

In: pairs that the gate has scored. Out: the judge's word for each that it has not rejected. Calls are in the config's ledger and
under its budget, so that a file scored twice is paid once.
"""

import asyncio
from collections.abc import Sequence

from sqlalchemy import Engine

from pipeline.access import check_own_texts
from pipeline.database import open_database
from pipeline.llm.clients import client_for
from pipeline.llm.embedded import Resolved
from pipeline.quality.gate import Pair, Scored
from pipeline.quality.judge import Case, Judge, Judgement
from pipeline.settings import Settings
from schemas.base import Access
from schemas.errors import InputError


def check_judge(settings: Settings, access: Access | None) -> None:
    """Raise InputError when the config has no judge, AccessError when texts of that class may not go to it."""
    if settings.endpoints.judge is None:
        raise InputError("the config names no judge. Add one under `endpoints.judge`, or score without --judge.")
    check_own_texts(settings, access)
    if settings.endpoints.scorer is not None:
        check_own_texts(settings, access, "scorer")


class PairJudge:
    """Reads pairs block by block; texts of that class have been allowed to go to the judge (`check_judge`)."""

    def __init__(self, settings: Settings, endpoints: Resolved) -> None:
        self._settings, self._endpoints = settings, endpoints
        self._engine: Engine = open_database(settings.database_url())

    def read(self, pairs: Sequence[Pair], scored: Sequence[Scored]) -> list[Judgement | None]:
        """One word a pair, in order; None where the gate has rejected it. Raises StoppedError when the budget is used up."""
        worth = [number for number, result in enumerate(scored) if result.verdict != "reject"]
        words = asyncio.run(self._read([Case((("text_1", pairs[number]),)) for number in worth])) if worth else []
        found: list[Judgement | None] = [None] * len(pairs)
        for number, word in zip(worth, words, strict=True):
            found[number] = word
        return found

    async def _read(self, cases: Sequence[Case]) -> list[Judgement]:
        assert self._endpoints.judge is not None
        client = client_for(self._settings, self._endpoints, self._engine, "judge")
        settings = self._settings
        try:
            judge = Judge(client, self._endpoints.judge.structured, settings.quality.votes, settings.translate.max_tokens)
            return await judge.judge(cases)
        finally:
            await client.close()
