"""Batches in the ledger: written before anything is uploaded, so that a new process can adopt what a dead one left.

In: functions for `Ledger.run`, each one transaction. Out: what stands in the tables `batches` and `calls`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from pipeline.database import BatchRow, CallRow
from pipeline.llm import entries
from pipeline.llm.answers import Entry
from pipeline.llm.entries import Begun, Wanted
from pipeline.llm.owner import alive
from schemas.translation import Call, CallState

Work = Callable[[Connection, float], tuple[Any, float]]


@dataclass(frozen=True, slots=True)
class Adopted:
    """A batch that is this process's now."""

    id: str
    provider_id: str | None
    input_file: str | None


def prepare(batch: str, endpoint: str, wanted: Sequence[Wanted], me: str, budget_usd: float | None) -> Work:
    """Write a batch and its calls down, those that fit the budget; gives each call's outcome."""

    def work(connection: Connection, spent: float) -> tuple[list[Begun], float]:
        room = None if budget_usd is None else budget_usd - spent
        outcomes, reserved = entries.begin(connection, wanted, me, room)
        count = sum(isinstance(outcome, Entry) for outcome in outcomes)
        if count:
            row = {"id": batch, "endpoint": endpoint, "state": "prepared", "owner": me, "count": count}
            connection.execute(insert(BatchRow), [row])
        return outcomes, reserved

    return work


def change(batch: str, **values: Any) -> Work:
    """Set columns of a batch; `submitted_at` is set with the state `submitted`."""
    if values.get("state") == "submitted":
        values["submitted_at"] = _now()

    def work(connection: Connection, _spent: float) -> tuple[None, float]:
        connection.execute(update(BatchRow).where(BatchRow.id == batch).values(**values))
        return None, 0.0

    return work


def adopt(endpoint: str, me: str, carried: set[str]) -> Work:
    """Take over the endpoint's living batches that nobody sees to: their process died, or let them go."""

    def work(connection: Connection, _spent: float) -> tuple[list[Adopted], float]:
        living = BatchRow.state.in_(("prepared", "submitted"))
        columns = (BatchRow.id, BatchRow.owner, BatchRow.provider_id, BatchRow.input_file)
        found = []
        for row in connection.execute(select(*columns).where(BatchRow.endpoint == endpoint, living)).all():
            if row.id not in carried and (row.owner == me or not alive(row.owner)):
                connection.execute(update(BatchRow).where(BatchRow.id == row.id).values(owner=me))
                found.append(Adopted(row.id, row.provider_id, row.input_file))
        return found, 0.0

    return work


def open_calls(batch: str) -> Work:
    """The batch's calls without an answer, by key and attempt."""

    def work(connection: Connection, _spent: float) -> tuple[dict[tuple[str, int], Entry], float]:
        columns = (CallRow.key, CallRow.attempt, CallRow.endpoint, CallRow.model, CallRow.cost_usd)
        query = select(*columns).where(CallRow.batch == batch, CallRow.state == "sent")
        return {(row.key, row.attempt): Entry(*row) for row in connection.execute(query)}, 0.0

    return work


def settle(pairs: Sequence[tuple[Entry, Call]]) -> Work:
    """Write what came back for some of a batch's calls."""

    def work(connection: Connection, _spent: float) -> tuple[None, float]:
        entries.settle(connection, [call for _, call in pairs])
        return None, sum(call.cost_usd - entry.reserved_usd for entry, call in pairs)

    return work


def end(batch: str, left: Mapping[Any, Entry], state: str, fault: tuple[CallState, str]) -> tuple[Work, dict[str, Call]]:
    """Close a batch; the calls that it brought no answer for cost nothing and get the state and error of `fault`."""
    pairs = [(entry, entry.settled(*fault)) for entry in left.values()]

    def work(connection: Connection, spent: float) -> tuple[None, float]:
        delta = settle(pairs)(connection, spent)[1] if pairs else 0.0
        values = {"state": state, "collected_at": _now()}
        connection.execute(update(BatchRow).where(BatchRow.id == batch).values(**values))
        return None, delta

    return work, {call.key: call for _, call in pairs}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
