"""The ledger: each call is written before it is sent and when it returns; an answer that is written is never paid again.

Several threads and processes share it. A request that another living process has under way is waited for, not sent
twice; one whose process has died is sent again, and what it may have cost stays counted.
"""

import os
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Engine, case, func, select, text
from sqlalchemy.orm import Session

from pipeline.database import CallRow, session
from schemas.errors import StoppedError
from schemas.translation import Call

_CHUNK_KEYS = 500
#: Any constant: the lock that makes "sum, then insert" one step on PostgreSQL.
_BUDGET_LOCK = 7421
#: Requests that threads of this process have under way, by database.
_FLYING: set[tuple[str, str]] = set()
_FLYING_LOCK = Lock()


class Ledger:
    """Calls of one workspace. Money is US dollars."""

    def __init__(self, engine: Engine, budget_usd: float | None = None) -> None:
        self._engine = engine
        self._budget = budget_usd
        self._owner = owner()
        self._database = str(engine.url)

    def answers(self, keys: Sequence[str]) -> dict[str, Call]:
        """The recorded good answers among these keys."""
        found: dict[str, Call] = {}
        with session(self._engine) as opened:
            for start in range(0, len(keys), _CHUNK_KEYS):
                part = keys[start : start + _CHUNK_KEYS]
                query = select(CallRow).where(CallRow.key.in_(part), CallRow.state == "ok")
                found.update({row.key: _call(row) for row in opened.scalars(query)})
        return found

    def begin(self, key: str, endpoint: str, model: str, request: dict[str, Any], reserve_usd: float) -> int | None:
        """Write a call down before it is sent, with the most it can cost. Returns its attempt number.

        None: a living process has the same request under way; ask again later. Raises StoppedError (exit 3) when the
        reservation would lift what is spent and reserved above the budget. After a number, `landed` must follow.
        """
        with _FLYING_LOCK:
            if (self._database, key) in _FLYING:
                return None
            _FLYING.add((self._database, key))
        try:
            attempt = self._written(key, endpoint, model, request, reserve_usd)
        except BaseException:
            self.landed(key)
            raise
        if attempt is None:
            self.landed(key)
        return attempt

    def landed(self, key: str) -> None:
        """The request is no longer under way in this process, however it ended."""
        with _FLYING_LOCK:
            _FLYING.discard((self._database, key))

    def _written(self, key: str, endpoint: str, model: str, request: dict[str, Any], reserve_usd: float) -> int | None:
        with session(self._engine) as opened:
            if opened.get_bind().dialect.name == "postgresql":
                opened.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _BUDGET_LOCK})
            else:
                # Takes SQLite's write lock, so that nobody else decides between our reading and our writing.
                opened.execute(text("UPDATE calls SET state = state WHERE key = :key"), {"key": key})
            earlier = list(opened.scalars(select(CallRow).where(CallRow.key == key).order_by(CallRow.attempt)))
            for row in earlier:
                if row.state == "sent":
                    # Of our own process it would be in _FLYING: it was given up, by Ctrl-C say.
                    if row.owner != self._owner and alive(row.owner):
                        return None
                    row.state, row.error = "retryable", "outcome unknown: the process ended while the call was under way"
            self._check_budget(opened, reserve_usd)
            attempt = earlier[-1].attempt + 1 if earlier else 1
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            usage = {"prompt_tokens": 0, "cached_tokens": 0, "completion_tokens": 0, "latency_s": 0.0}
            opened.add(
                CallRow(
                    key=key, attempt=attempt, endpoint=endpoint, model=model, state="sent", request=request,
                    cost_usd=reserve_usd, sent_at=now, owner=self._owner, **usage,
                )
            )  # fmt: skip
            return attempt

    def settle(self, call: Call) -> None:
        """Write what came back; the provider's usage takes the reservation's place."""
        with session(self._engine) as opened:
            row = opened.get_one(CallRow, (call.key, call.attempt))
            for name in (
                "state",
                "text",
                "error",
                "prompt_tokens",
                "cached_tokens",
                "completion_tokens",
                "cost_usd",
                "latency_s",
            ):
                setattr(row, name, getattr(call, name))

    def totals(self) -> dict[str, Any]:
        """The `calls` object of `bimedv status`."""
        good = func.sum(case((CallRow.state == "ok", 1), else_=0))
        with session(self._engine) as opened:
            query = select(
                func.count(),
                good,
                func.sum(CallRow.prompt_tokens),
                func.sum(CallRow.completion_tokens),
                func.sum(CallRow.cost_usd),
            )
            requests, ok, prompt, completion, cost = opened.execute(query).one()
        return {
            "requests": requests,
            "ok": int(ok or 0),
            "prompt_tokens": int(prompt or 0),
            "completion_tokens": int(completion or 0),
            "cost_usd": float(cost or 0.0),
        }

    def _check_budget(self, opened: Session, reserve_usd: float) -> None:
        if self._budget is None or reserve_usd <= 0:
            return
        spent = float(opened.scalar(select(func.sum(CallRow.cost_usd))) or 0.0)
        if spent + reserve_usd > self._budget:
            raise StoppedError(
                f"the budget of {self._budget:.2f} USD is reached: {spent:.4f} spent or reserved, the next call may cost "
                f"{reserve_usd:.4f}. Raise translate.budget_usd to go on; nothing is lost."
            )


def owner() -> str:
    """This process: host, pid and start, so that a reused pid is another owner."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def alive(name: str) -> bool:
    """Whether the owner still runs. Of another host nobody here can tell: it counts as alive."""
    host, pid, started = name.rsplit(":", 2)
    if host != socket.gethostname():
        return True
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return _started(int(pid)) == started


def _started(pid: int) -> str:
    """Start time in clock ticks since boot (field 22 of /proc/PID/stat); 0 where there is no /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "0"


def _call(row: CallRow) -> Call:
    return Call.model_validate({name: getattr(row, name) for name in Call.model_fields})


def clock() -> float:
    """Seconds of a clock that never jumps."""
    return time.monotonic()
