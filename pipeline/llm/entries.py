"""The ledger's statements, each over as many calls as came in together. In: a connection inside a transaction.

`lock` comes first in every transaction that writes: it makes "sum, decide, insert" one step on SQLite and on PostgreSQL.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from pipeline.database import CallRow, PurseRow
from pipeline.llm.answers import ANSWERED, Entry
from pipeline.llm.owner import alive
from schemas.translation import Call

#: Keys in one IN list; SQLite takes 32,766 parameters, and longer lists are no faster.
_KEYS = 500
_LOST = "outcome unknown: the process ended while the call was under way"
_FIELDS = tuple(Call.model_fields)
_COLUMNS = [getattr(CallRow, name) for name in _FIELDS]
_ATTEMPT = (CallRow.key == bindparam("of_key"), CallRow.attempt == bindparam("of_attempt"))
_RESULT = ("state", "text", "error", "prompt_tokens", "cached_tokens", "completion_tokens", "cost_usd", "latency_s")
_SETTLE = update(CallRow).where(*_ATTEMPT).values({name: bindparam(f"new_{name}") for name in _RESULT})
_MARK = update(CallRow).where(*_ATTEMPT).values(state=bindparam("new_state"), error=bindparam("new_error"))
_NOTHING = {"prompt_tokens": 0, "cached_tokens": 0, "completion_tokens": 0, "latency_s": 0.0}


class Elsewhere(enum.Enum):
    """Why a call may not be begun, though nobody has its answer."""

    PROCESS = "another living process has it under way"
    BATCH = "it waits in a batch"
    BUDGET = "its reservation would lift what is spent above the budget"


Begun = Entry | Call | Elsewhere
"""A call written down, to be sent now; the answer that is recorded already; or why not."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that somebody wants to begin."""

    key: str
    endpoint: str
    model: str
    request: dict[str, Any]
    reserve_usd: float
    batch: str | None = None


def lock(connection: Connection) -> float:
    """Keep every other writer out until the transaction ends. Returns what is spent and reserved, in US dollars."""
    statement = update(PurseRow).where(PurseRow.id == 1).values(spent_usd=PurseRow.spent_usd).returning(PurseRow.spent_usd)
    return float(connection.execute(statement).scalar_one())


def put(connection: Connection, spent_usd: float) -> None:
    """Set the purse to what `lock` returned plus what the transaction changed."""
    connection.execute(update(PurseRow).where(PurseRow.id == 1).values(spent_usd=spent_usd))


def counted(connection: Connection) -> float:
    """What is spent and reserved, counted over all calls: the truth that the purse repeats."""
    return float(connection.execute(select(func.sum(CallRow.cost_usd))).scalar_one() or 0.0)


def answered(connection: Connection, keys: Sequence[str], states: Sequence[str] = ANSWERED) -> dict[str, Call]:
    """The recorded answers to these keys, whatever they are worth; a good one comes first."""
    found: dict[str, Call] = {}
    for part in _parts(keys):
        query = select(*_COLUMNS).where(CallRow.key.in_(part), CallRow.state.in_(states)).order_by(CallRow.attempt)
        for row in connection.execute(query):
            if row.key not in found or found[row.key].state != "ok":
                found[row.key] = _call(row)
    return found


def begin(connection: Connection, wanted: Sequence[Wanted], me: str, room_usd: float | None) -> tuple[list[Begun], float]:
    """Write calls down before they are sent, each with the most it can cost, as long as `room_usd` lasts.

    Returns an outcome for each and what they reserve together. The caller sees to it that no key is wanted twice and none
    of them is under way in this process.
    """
    earlier = _earlier(connection, [want.key for want in wanted])
    living: dict[str, bool] = {}
    outcomes: list[Begun] = []
    lost: list[dict[str, Any]] = []
    new: list[dict[str, Any]] = []
    reserved = 0.0
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    for want in wanted:
        rows = earlier.get(want.key, [])
        outcome: Begun | None = _standing(rows, me, living)
        if outcome is None and room_usd is not None and want.reserve_usd > 0 and reserved + want.reserve_usd > room_usd:
            outcome = Elsewhere.BUDGET
        if outcome is None:
            lost += [_mark(row, "retryable", _LOST) for row in rows if row.state == "sent"]
            attempt = rows[-1].attempt + 1 if rows else 1
            outcome = Entry(want.key, attempt, want.endpoint, want.model, want.reserve_usd)
            new.append(_row(want, attempt, me, now))
            reserved += want.reserve_usd
        outcomes.append(outcome)
    if lost:
        connection.execute(_MARK, lost)
    if new:
        connection.execute(insert(CallRow), new)
    return outcomes, reserved


def settle(connection: Connection, calls: Sequence[Call]) -> None:
    """Write what came back; the provider's usage takes the reservation's place."""
    values = [
        {"of_key": call.key, "of_attempt": call.attempt} | {f"new_{name}": getattr(call, name) for name in _RESULT}
        for call in calls
    ]
    connection.execute(_SETTLE, values)


def mark(connection: Connection, calls: Sequence[Call]) -> None:
    """Write calls' state and error only."""
    connection.execute(_MARK, [_mark(call, call.state, call.error) for call in calls])


def _earlier(connection: Connection, keys: Sequence[str]) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Any]] = {}
    for part in _parts(keys):
        query = select(*_COLUMNS, CallRow.owner, CallRow.batch).where(CallRow.key.in_(part)).order_by(CallRow.attempt)
        for row in connection.execute(query):
            found.setdefault(row.key, []).append(row)
    return found


def _standing(rows: Iterable[Row[Any]], me: str, living: dict[str, bool]) -> Call | Elsewhere | None:
    """The recorded answer, or who has the call under way; None when it has to be sent."""
    outcome: Call | Elsewhere | None = None
    for row in rows:
        if row.state == "ok" or (row.state in ANSWERED and outcome is None):
            outcome = _call(row)
        elif row.state == "sent" and row.batch is not None:
            outcome = outcome or Elsewhere.BATCH
        elif row.state == "sent" and row.owner != me:
            # Of our own process nobody has it under way, so it was given up, by Ctrl-C say.
            if row.owner not in living:
                living[row.owner] = alive(row.owner)
            if living[row.owner]:
                outcome = outcome or Elsewhere.PROCESS
    return outcome


def _row(want: Wanted, attempt: int, me: str, now: str) -> dict[str, Any]:
    return {
        "key": want.key, "attempt": attempt, "endpoint": want.endpoint, "model": want.model, "state": "sent",
        "request": want.request, "cost_usd": want.reserve_usd, "sent_at": now, "owner": me, "batch": want.batch, **_NOTHING,
    }  # fmt: skip


def _mark(row: Any, state: str, error: str | None) -> dict[str, Any]:
    return {"of_key": row.key, "of_attempt": row.attempt, "new_state": state, "new_error": error}


def _call(row: Row[Any]) -> Call:
    return Call.model_construct(**dict(zip(_FIELDS, row[: len(_FIELDS)], strict=True)))


def _parts(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + _KEYS] for start in range(0, len(keys), _KEYS))
