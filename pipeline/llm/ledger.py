"""The ledger: each call is written before it is sent and when it returns; an answer that is written is never paid again.

Several threads and processes share it. A request that another living process has under way is waited for, not sent
twice; one whose process has died is sent again, and what it may have cost stays counted. Calls of one moment are written
in one transaction (writer.py), and each is on disk before it is sent and before its answer is given out.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, case, func, select

from pipeline.database import CallRow, session
from pipeline.llm import entries, writer
from pipeline.llm.answers import Entry
from pipeline.llm.entries import Begun, Wanted
from schemas.translation import Call

T = TypeVar("T")


class Ledger:
    """Calls of one workspace. Money is US dollars. Between `open` and `close` calls can be made."""

    def __init__(self, engine: Engine, budget_usd: float | None = None) -> None:
        self.engine = engine
        self.budget_usd = budget_usd
        self._opened: list[writer.Writer] = []

    def open(self) -> None:
        """Start to write; may be nested."""
        self._opened.append(writer.opened(self.engine))

    def close(self) -> None:
        """Undo one `open`; what was begun or settled is on disk then."""
        self._opened.pop()
        writer.closed(self.engine)

    def answers(self, keys: Sequence[str]) -> dict[str, Call]:
        """The recorded good answers among these keys."""
        with session(self.engine) as opened:
            return entries.answered(opened.connection(), keys, ("ok",))

    def totals(self, endpoint: str | None = None, model: str | None = None) -> dict[str, Any]:
        """The `calls` object of `bimedv status`; of one endpoint or model only, when they are given."""
        good = func.sum(case((CallRow.state == "ok", 1), else_=0))
        with session(self.engine) as opened:
            query = select(
                func.count(),
                good,
                func.sum(CallRow.prompt_tokens),
                func.sum(CallRow.completion_tokens),
                func.sum(CallRow.cost_usd),
            )
            for column, wanted in ((CallRow.endpoint, endpoint), (CallRow.model, model)):
                query = query if wanted is None else query.where(column == wanted)
            requests, ok, prompt, completion, cost = opened.execute(query).one()
        return {
            "requests": requests,
            "ok": int(ok or 0),
            "prompt_tokens": int(prompt or 0),
            "completion_tokens": int(completion or 0),
            "cost_usd": float(cost or 0.0),
        }

    @asynccontextmanager
    async def claim(self, key: str) -> AsyncIterator[None]:
        """Nobody else in this process works on the key inside the context; who wants to, waits."""
        claims = self._writer.claims
        await claims.take(key)
        try:
            yield
        finally:
            claims.drop(key)

    async def known(self, key: str) -> Call | None:
        """The recorded answer, whatever it is worth: ok, truncated, refused or invalid."""
        return await self._writer.look(key)

    async def begin(self, want: Wanted) -> Begun:
        """Write a call down before it is sent, with the most it can cost. The caller holds the key's claim.

        An Entry is to be sent, and `settle` or `give_up` must follow. A Call is an answer that somebody else recorded
        meanwhile; Elsewhere says who has the call under way. A call whose reservation does not fit the budget waits for
        what this process has in flight; when nothing is, StoppedError (exit 3) is raised.
        """
        return await self._writer.begin(want, self.budget_usd)

    async def settle(self, entry: Entry, call: Call) -> None:
        """Write what came back; the provider's usage takes the reservation's place."""
        await self._writer.settle(entry, call)

    def give_up(self, entry: Entry) -> None:
        """The call was sent, and nobody waits for its answer any more."""
        self._writer.give_up(entry)

    async def run(self, work: Callable[[Connection, float], tuple[T, float]]) -> T:
        """Any work on the tables, between others' transactions. It gets what is spent, returns a result and the change."""
        return await self._writer.run(work)

    async def reject(self, call: Call, fault: str) -> Call:
        """A recorded answer turns out to be of the wrong form."""
        rejected = call.model_copy(update={"state": "invalid", "error": fault})

        def work(connection: Connection, _spent: float) -> tuple[None, float]:
            entries.mark(connection, [rejected])
            return None, 0.0

        await self._writer.run(work)
        return rejected

    @property
    def _writer(self) -> writer.Writer:
        assert self._opened, "a client opens the ledger before it asks"
        return self._opened[-1]
