"""One thread a database writes for all ledgers of this process: what comes in together becomes one transaction.

In: jobs. Out: each job's result, in the event loop that waits for it, after the commit. A transaction of its own for each
begin and settle held 64 calls in flight to 200 a second, 0.43 of the bare client; in groups the ledger is not what limits.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from pipeline.llm import entries
from pipeline.llm.answers import Entry
from pipeline.llm.entries import Begun, Elsewhere, Wanted
from pipeline.llm.owner import owner
from schemas.errors import StoppedError
from schemas.translation import Call

T = TypeVar("T")


class _Reply(Generic[T]):
    """Where a job's result goes: a future of the event loop that asked."""

    __slots__ = ("future", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self.loop.create_future()


@dataclass(slots=True, eq=False)
class _Look:
    key: str
    reply: _Reply[Call | None] = field(default_factory=_Reply)


@dataclass(slots=True, eq=False)
class _Begin:
    want: Wanted
    budget_usd: float | None
    reply: _Reply[Begun] = field(default_factory=_Reply)


@dataclass(slots=True, eq=False)
class _Settle:
    entry: Entry
    call: Call
    reply: _Reply[None] | None


@dataclass(slots=True, eq=False)
class _Run:
    work: Callable[[Connection, float], tuple[Any, float]]
    reply: _Reply[Any] = field(default_factory=_Reply)


_Job = _Look | _Begin | _Settle | _Run
_Outcome = tuple[_Job, Any]


class Writer:
    """Shared by whoever opens the same database; see `opened`."""

    def __init__(self, engine: Engine) -> None:
        self.claims = _Claims()
        self.users = 0
        self._engine = engine
        self._me = owner()
        self._lock = threading.Lock()
        self._jobs: list[_Job] = []
        self._draining = False
        self._name = str(engine.url)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        #: Calls begun and not settled yet, and begins that do not fit the budget until one of those is.
        self._flying: set[tuple[str, int]] = set()
        self._parked: list[_Job] = []

    async def look(self, key: str) -> Call | None:
        """The recorded answer."""
        job = _Look(key)
        self._submit(job)
        return await job.reply.future

    async def begin(self, want: Wanted, budget_usd: float | None) -> Begun:
        """See Ledger.begin."""
        job = _Begin(want, budget_usd)
        self._submit(job)
        return await job.reply.future

    async def settle(self, entry: Entry, call: Call) -> None:
        """Write what came back. It is written even when the caller is cancelled while waiting."""
        reply: _Reply[None] = _Reply()
        self._submit(_Settle(entry, call, reply))
        await reply.future

    async def run(self, work: Callable[[Connection, float], tuple[T, float]]) -> T:
        """Any work as part of a transaction: it gets what is spent, and returns a result and how much that has changed."""
        job = _Run(work)
        self._submit(job)
        result: T = await job.reply.future
        return result

    def give_up(self, entry: Entry) -> None:
        """Nobody waits for this call any more; its outcome is unknown, and its reservation stays counted."""
        with self._lock:
            self._flying.discard((entry.key, entry.attempt))
            self._jobs += self._unparked()
            self._start()

    def close(self) -> None:
        """Write what is left, then end the thread."""
        self._thread.shutdown()

    def _submit(self, job: _Job) -> None:
        with self._lock:
            self._jobs.append(job)
            self._start()

    def _start(self) -> None:
        if self._jobs and not self._draining:
            self._draining = True
            try:
                self._thread.submit(self._drain)
            except RuntimeError:
                # Closed: this is a call given up after its client ended. The next to begin it finds it unfinished.
                self._jobs.clear()

    def _drain(self) -> None:
        while True:
            with self._lock:
                jobs = [job for job in self._jobs if not (isinstance(job, _Begin) and job.reply.future.cancelled())]
                self._jobs = []
                if not jobs:
                    self._draining = False
                    return
            outcomes: list[_Outcome] | None = None
            try:
                outcomes = self._transaction(jobs)
            finally:
                if outcomes is None:
                    # A fault of ours ends this drain: nobody may wait for it for ever.
                    self._draining = False
                    outcomes = [(job, RuntimeError("the ledger could not be written")) for job in jobs]
                self._after(outcomes)

    def _transaction(self, jobs: Sequence[_Job]) -> list[_Outcome]:
        try:
            with self._engine.begin() as connection:
                return self._group(connection, jobs)
        except (SQLAlchemyError, TypeError, ValueError) as error:
            # The last two: psycopg's and orjson's own words for a value that they cannot write.
            _counted.discard(self._name)
            if len(jobs) == 1:
                return [(jobs[0], error)]
        # One job that the database does not take must not take the others with it.
        return [outcome for job in jobs for outcome in self._transaction([job])]

    def _group(self, connection: Connection, jobs: Sequence[_Job]) -> list[_Outcome]:
        looks = [job for job in jobs if isinstance(job, _Look)]
        outcomes: list[_Outcome] = []
        if looks:
            found = entries.answered(connection, [job.key for job in looks])
            outcomes += [(job, found.get(job.key)) for job in looks]
        if len(looks) == len(jobs):
            return outcomes
        before = spent = self._locked(connection)
        settles = [job for job in jobs if isinstance(job, _Settle)]
        if settles:
            entries.settle(connection, [job.call for job in settles])
            spent += sum(job.call.cost_usd - job.entry.reserved_usd for job in settles)
            outcomes += [(job, None) for job in settles]
        for run in (job for job in jobs if isinstance(job, _Run)):
            result, change = run.work(connection, spent)
            spent += change
            outcomes.append((run, result))
        begun, reserved = self._begun(connection, [job for job in jobs if isinstance(job, _Begin)], spent)
        if spent + reserved != before:
            entries.put(connection, spent + reserved)
        return outcomes + begun

    def _begun(self, connection: Connection, jobs: Sequence[_Begin], spent: float) -> tuple[list[_Outcome], float]:
        outcomes: list[_Outcome] = []
        total = 0.0
        for budget in {job.budget_usd for job in jobs}:
            part = [job for job in jobs if job.budget_usd == budget]
            room = None if budget is None else budget - spent - total
            begun, reserved = entries.begin(connection, [job.want for job in part], self._me, room)
            total += reserved
            outcomes += [
                (job, over_budget(budget, spent + total, job.want.reserve_usd) if outcome is Elsewhere.BUDGET else outcome)
                for job, outcome in zip(part, begun, strict=True)
            ]
        return outcomes, total

    def _locked(self, connection: Connection) -> float:
        spent = entries.lock(connection)
        if self._name not in _counted:
            # Once a process: floats drift, and a count of 600,000 calls takes 0.4 s.
            _counted.add(self._name)
            spent = entries.counted(connection)
            entries.put(connection, spent)
        return spent

    def _after(self, outcomes: Sequence[_Outcome]) -> None:
        """After the commit: remember what flies, hold back what may fit later, hand out the rest."""
        replies: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
        with self._lock:
            for job, _ in outcomes:
                if isinstance(job, _Settle):
                    self._flying.discard((job.entry.key, job.entry.attempt))
            for _, outcome in outcomes:
                if isinstance(outcome, Entry):
                    self._flying.add((outcome.key, outcome.attempt))
            parked = [job for job, outcome in outcomes if isinstance(outcome, StoppedError)] if self._flying else []
            if any(isinstance(job, _Settle) for job, _ in outcomes):
                self._jobs += self._unparked()
            self._parked += parked
            for job, outcome in outcomes:
                if job.reply and not (parked and isinstance(outcome, StoppedError)):
                    replies.setdefault(job.reply.loop, []).append((job, outcome))
        for loop, part in replies.items():
            try:
                loop.call_soon_threadsafe(self._deliver, part)
            except RuntimeError:
                # The loop has ended: whoever waited there was cancelled.
                self._undelivered(part)

    def _deliver(self, outcomes: Sequence[_Outcome]) -> None:
        for job, outcome in outcomes:
            future: asyncio.Future[Any] = job.reply.future  # type: ignore[union-attr]  # only jobs with one come here
            if future.done():
                self._undelivered([(job, outcome)])
            elif isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def _undelivered(self, outcomes: Sequence[_Outcome]) -> None:
        for _, outcome in outcomes:
            if isinstance(outcome, Entry):
                self._submit(_Settle(outcome, outcome.settled("retryable", "given up before it was sent"), None))

    def _unparked(self) -> list[_Job]:
        parked, self._parked = self._parked, []
        return parked


def over_budget(budget_usd: float | None, spent_usd: float, next_usd: float) -> StoppedError:
    """The error for a call that does not fit."""
    return StoppedError(
        f"the budget of {budget_usd or 0.0:.2f} USD is reached: {spent_usd:.4f} spent or reserved, the next call may cost "
        f"{next_usd:.4f}. Raise translate.budget_usd to go on; nothing is lost."
    )


class _Claims:
    """Which keys somebody in this process works on: the others wait for the result instead of asking, too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, list[_Reply[None]]] = {}

    async def take(self, key: str) -> None:
        while True:
            with self._lock:
                waiting = self._held.get(key)
                if waiting is None:
                    self._held[key] = []
                    return
                reply: _Reply[None] = _Reply()
                waiting.append(reply)
            await reply.future

    def drop(self, key: str) -> None:
        with self._lock:
            waiting = self._held.pop(key)
        for reply in waiting:
            try:
                reply.loop.call_soon_threadsafe(_wake, reply.future)
            except RuntimeError:
                continue


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


#: Databases whose purse this process has compared with their calls.
_counted: set[str] = set()
_writers: dict[str, Writer] = {}
_writers_lock = threading.Lock()


def opened(engine: Engine) -> Writer:
    """The process's writer of a database; as often as it is opened, `closed` must follow."""
    name = str(engine.url)
    with _writers_lock:
        if name not in _writers:
            _writers[name] = Writer(engine)
        _writers[name].users += 1
        return _writers[name]


def closed(engine: Engine) -> None:
    """Leave the database's writer; the last one ends it."""
    with _writers_lock:
        writer = _writers[str(engine.url)]
        writer.users -= 1
        if writer.users:
            return
        del _writers[str(engine.url)]
    writer.close()
