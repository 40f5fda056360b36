"""The batch API behind the client's `ask`: half the price, an answer within a day.

In: requests of all threads. When they stop arriving, or a file is full, they become a file, then a batch; its answers come
back into the ledger. A batch is written down before it is uploaded and carries our own id at the provider, so that after a
kill at any point a new process finds it there, and neither pays twice nor loses an answer.
"""

import asyncio
import itertools
import threading
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import openai
from openai.types import Batch

from pipeline.llm import batch_files, batch_rows
from pipeline.llm.answers import Check, Entry, Request, failed, refuses
from pipeline.llm.client import CONNECTION_ERRORS, Asker, connection, connection_fault, refusal
from pipeline.llm.entries import Elsewhere, Wanted
from pipeline.llm.governor import governor_of
from pipeline.llm.ledger import Ledger
from pipeline.llm.owner import owner
from pipeline.llm.writer import over_budget
from pipeline.settings import EndpointSettings
from schemas.errors import StoppedError
from schemas.translation import Call, CallState

T = TypeVar("T")
#: The provider's limits of one file.
MAX_REQUESTS, MAX_BYTES = 50_000, 200_000_000
_MARK = "bimedv"
_ENDED = ("completed", "failed", "expired", "cancelled")
_TRIES, _LONGEST_PAUSE = 8, 60.0
_LINES = 1000
_LET_GO = "the batch was let go before it was collected; run again to collect it"


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. `quiet`: nothing arrived for so long, so a file is sent. Polls begin at `first` and slow down to `longest`.

    `unsure`: a batch whose creation may have been under way at a kill is looked for once more after this.
    """

    quiet: float = 1.0
    first: float = 0.2
    longest: float = 30.0
    unsure: float = 5.0


class BatchClient(Asker):
    """Asks like the online client; an `ask` takes as long as its batch."""

    def __init__(self, endpoint: EndpointSettings, name: str, ledger: Ledger, pace: Pace | None = None) -> None:
        super().__init__(endpoint, name, ledger)
        ledger.open()
        self._desk = _entered(endpoint, name, ledger, pace or Pace())

    async def close(self) -> None:
        """Let go. A batch under way stays at the provider, and the next process adopts it."""
        await asyncio.to_thread(_left, self._desk)
        self._ledger.close()

    async def _obtained(self, key: str, request: Request, check: Check) -> Call:
        want = self._want(key, request, self._endpoint.price.batch)
        line = batch_files.request_line(key, request, self._endpoint.model)
        for pause in (*self._pauses(), None):
            call = await self._desk.put(want, line)
            if call.state != "retryable" or pause is None:
                break
            await asyncio.sleep(pause)
        fault = check(call.text or "") if call.state == "ok" else None
        return await self._ledger.reject(call, fault) if fault else call

    def _pauses(self) -> list[float]:
        return [min(self._desk.pace.first * 2**retry, _LONGEST_PAUSE) for retry in range(self._endpoint.max_retries)]


@dataclass(slots=True, eq=False)
class _Ask:
    want: Wanted
    line: bytes
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    future: "asyncio.Future[Call]" = field(init=False)

    def __post_init__(self) -> None:
        self.future = self.loop.create_future()

    def reply(self, result: Call | BaseException) -> None:
        try:
            self.loop.call_soon_threadsafe(self._set, result)
        except RuntimeError:
            # Its loop has ended; the answer is in the ledger.
            return

    def _set(self, result: Call | BaseException) -> None:
        if self.future.done():
            return
        if isinstance(result, BaseException):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


class _Unsent(Exception):
    """The provider does not take it; the state and error that the calls get."""

    def __init__(self, fault: tuple[CallState, str]) -> None:
        super().__init__(fault)
        self.fault = fault


class Desk:
    """One a process, database and endpoint: a thread that collects asks, carries batches and brings answers back."""

    def __init__(self, endpoint: EndpointSettings, name: str, ledger: Ledger, pace: Pace) -> None:
        self.users = 0
        self.id = (str(ledger.engine.url), name)
        self.pace = pace
        self._endpoint, self._name, self._ledger = endpoint, name, ledger
        self._governor = governor_of(endpoint)
        self._me = owner()
        self._lock = threading.Lock()
        self._queue: list[_Ask] = []
        #: Asks whose call somebody else has under way, and asks that do not fit the budget until a batch is collected.
        self._elsewhere: list[_Ask] = []
        self._unfit: list[_Ask] = []
        self._carried: dict[str, asyncio.Task[None]] = {}
        self._closed = False
        self._next_look, self._wait = 0.0, pace.first
        self._openai = connection(endpoint)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), name="batches", daemon=True)
        self._thread.start()
        self._ready.wait()

    async def put(self, want: Wanted, line: bytes) -> Call:
        """The settled call, once a batch has brought it. Raises StoppedError when it does not fit the budget."""
        self._governor.check()
        ask = _Ask(want, line)
        with self._lock:
            self._queue.append(ask)
        self._loop.call_soon_threadsafe(self._bell.set)
        return await ask.future

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._loop.call_soon_threadsafe(self._bell.set)
        self._thread.join()

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._bell = asyncio.Event()
        self._ledger.open()
        self._ready.set()
        try:
            await self._collect_asks()
        finally:
            tasks = dict(self._carried)
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
            for batch in tasks:
                await self._ledger.run(batch_rows.change(batch, owner=""))
            await self._openai.close()
            self._ledger.close()
            for ask in (*self._queue, *self._elsewhere, *self._unfit):
                ask.reply(StoppedError(_LET_GO))

    async def _collect_asks(self) -> None:
        while not self._closed:
            if await self._rang(self.pace.quiet) and not self._full():
                continue
            asks = self._taken()
            if self._loop.time() >= self._next_look:
                # Their owner may have died, or a batch that was adopted has brought them.
                await self._adopt()
                asks, self._elsewhere = asks + self._elsewhere, []
                self._next_look = self._loop.time() + self._wait
                self._wait = min(2 * self._wait, self.pace.longest)
            if asks:
                await self._cut(asks)
            if self._unfit and not self._carried:
                await self._refuse_unfit()

    async def _rang(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        except TimeoutError:
            return False
        self._bell.clear()
        return True

    def _full(self) -> bool:
        with self._lock:
            return len(self._queue) >= MAX_REQUESTS or sum(len(ask.line) + 8 for ask in self._queue) >= MAX_BYTES

    def _taken(self) -> list[_Ask]:
        """As many asks as one file holds; an attempt's number takes up to 8 bytes more."""
        size = count = 0
        with self._lock:
            for ask in self._queue[:MAX_REQUESTS]:
                size += len(ask.line) + 8
                if count and size > MAX_BYTES:
                    break
                count += 1
            taken, self._queue = self._queue[:count], self._queue[count:]
        return [ask for ask in taken if not ask.future.cancelled()]

    async def _cut(self, asks: list[_Ask]) -> None:
        """Write a batch down, with what of it fits the budget, and send it on its way."""
        batch = str(uuid.uuid4())
        wanted = [replace(ask.want, batch=batch) for ask in asks]
        outcomes = await self._ledger.run(batch_rows.prepare(batch, self._name, wanted, self._me, self._ledger.budget_usd))
        members: dict[str, _Ask] = {}
        lines: list[bytes] = []
        for ask, outcome in zip(asks, outcomes, strict=True):
            if isinstance(outcome, Entry):
                members[outcome.key] = ask
                lines.append(batch_files.numbered(ask.line, outcome))
            elif isinstance(outcome, Call):
                ask.reply(outcome)
            else:
                (self._unfit if outcome is Elsewhere.BUDGET else self._elsewhere).append(ask)
        if members:
            self._carry(batch, members, self._sent(batch, b"".join(lines)))

    async def _refuse_unfit(self) -> None:
        unfit, self._unfit = self._unfit, []
        spent = await self._ledger.run(lambda _connection, spent: (spent, 0.0))
        for ask in unfit:
            ask.reply(over_budget(self._ledger.budget_usd, spent, ask.want.reserve_usd))

    async def _adopt(self) -> None:
        adopted = await self._ledger.run(batch_rows.adopt(self._name, self._me, set(self._carried)))
        for found in adopted:
            self._carry(found.id, {}, self._resumed(found))

    def _carry(self, batch: str, members: dict[str, _Ask], work: Awaitable[dict[str, Call]]) -> None:
        async def carry() -> None:
            try:
                calls = await work
                for key, ask in members.items():
                    ask.reply(calls[key])
            except (StoppedError, _Unsent) as error:
                # At the provider or not, nobody knows: whoever looks next adopts it.
                await self._ledger.run(batch_rows.change(batch, owner=""))
                for ask in members.values():
                    blank = Entry(ask.want.key, 0, self._name, self._endpoint.model, 0.0)
                    ask.reply(error if isinstance(error, StoppedError) else blank.settled(*error.fault))
            finally:
                self._done(batch)
                for ask in members.values():
                    ask.reply(StoppedError(_LET_GO))

        self._carried[batch] = asyncio.create_task(carry())

    def _done(self, batch: str) -> None:
        """What did not fit may fit now, and what waited for this batch has its answer."""
        with self._lock:
            self._queue += self._unfit
            self._unfit = []
        self._next_look, self._wait = 0.0, self.pace.first
        self._carried.pop(batch, None)
        self._bell.set()

    async def _sent(self, batch: str, data: bytes) -> dict[str, Call]:
        """Upload, create, and stay with it to the end."""
        try:
            file = await self._tried(lambda: self._openai.files.create(file=(f"{batch}.jsonl", data), purpose="batch"))
        except _Unsent as error:
            return await self._ended(batch, "void", error.fault)
        await self._ledger.run(batch_rows.change(batch, input_file=file.id))
        try:
            created = await self._created(batch, file.id)
        except _Unsent as error:
            if error.fault[0] == "retryable":
                raise
            return await self._ended(batch, "void", error.fault)
        await self._ledger.run(batch_rows.change(batch, state="submitted", provider_id=created.id))
        return await self._collected(batch, created.id)

    async def _created(self, batch: str, file: str) -> Batch:
        """Create it, unless an attempt that seemed to fail has done so."""
        tries = itertools.count()

        async def create() -> Batch:
            found = await self._found(batch) if next(tries) else None
            return found or await self._openai.batches.create(
                input_file_id=file, endpoint=batch_files.URL, completion_window="24h", metadata={_MARK: batch}
            )

        return await self._tried(create)

    async def _found(self, batch: str) -> Batch | None:
        async for candidate in self._openai.batches.list(limit=100):
            if (candidate.metadata or {}).get(_MARK) == batch:
                return candidate
        return None

    async def _resumed(self, adopted: batch_rows.Adopted) -> dict[str, Call]:
        provider_id = adopted.provider_id
        if provider_id is None:
            found = await self._tried(lambda: self._found(adopted.id))
            if found is None and adopted.input_file:
                await asyncio.sleep(self.pace.unsure)
                found = await self._tried(lambda: self._found(adopted.id))
            if found is None:
                return await self._ended(adopted.id, "void", ("retryable", "its batch never reached the provider"))
            provider_id = found.id
            await self._ledger.run(batch_rows.change(adopted.id, state="submitted", provider_id=provider_id))
        return await self._collected(adopted.id, provider_id)

    async def _collected(self, batch: str, provider_id: str) -> dict[str, Call]:
        """Wait for the end, then settle each line. Gives the calls by key."""
        pause = self.pace.first
        while True:
            state = await self._tried(lambda: self._openai.batches.retrieve(provider_id))
            if state.status in _ENDED:
                break
            await asyncio.sleep(pause)
            pause = min(1.5 * pause, self.pace.longest)
        waiting: dict[tuple[str, int], Entry] = await self._ledger.run(batch_rows.open_calls(batch))
        calls: dict[str, Call] = {}
        for file in (state.output_file_id, state.error_file_id):
            if file:
                calls |= await self._settled(file, waiting)
        return calls | await self._ended(batch, "collected", _fault(state))

    async def _settled(self, file: str, waiting: dict[tuple[str, int], Entry]) -> dict[str, Call]:
        raw = (await self._tried(lambda: self._openai.files.content(file))).content
        calls: dict[str, Call] = {}
        pairs: list[tuple[Entry, Call]] = []
        for answer in batch_files.answers(raw):
            entry = waiting.pop((answer.key, answer.attempt), None)
            if entry is None:
                continue
            call = batch_files.settled(entry, answer, self._endpoint.price)
            calls[call.key] = call
            pairs.append((entry, call))
            if len(pairs) == _LINES:
                await self._ledger.run(batch_rows.settle(pairs))
                pairs = []
        if pairs:
            await self._ledger.run(batch_rows.settle(pairs))
        return calls

    async def _ended(self, batch: str, state: str, fault: tuple[CallState, str]) -> dict[str, Call]:
        waiting: dict[tuple[str, int], Entry] = await self._ledger.run(batch_rows.open_calls(batch))
        work, calls = batch_rows.end(batch, waiting, state, fault)
        await self._ledger.run(work)
        return calls

    async def _tried(self, call: Callable[[], Awaitable[T]]) -> T:
        """What the provider says, after retries. Raises _Unsent when it will not, StoppedError when it refuses the key."""
        pause = self.pace.first
        words = ""
        for _ in range(_TRIES):
            try:
                return await call()
            except openai.APIStatusError as error:
                status, raw = error.response.status_code, error.response.content
                outcome = failed(Entry("", 0, "", self._endpoint.model, 0.0), status, raw)
                words = outcome.error or ""
                if refuses(status, raw):
                    stop = refusal(self._endpoint, words)
                    self._governor.trip(stop)
                    raise StoppedError(stop) from None
                if outcome.state != "retryable":
                    raise _Unsent((outcome.state, f"the batch was refused: {words}")) from None
            except CONNECTION_ERRORS as error:
                words = f"the connection failed: {connection_fault(error)}"
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise _Unsent(("retryable", f"the batch API does not answer: {words}"))


def _fault(batch: Batch) -> tuple[CallState, str]:
    """What becomes of the calls that an ended batch has no line for."""
    said = [error.message for error in (batch.errors.data if batch.errors and batch.errors.data else []) if error.message]
    return "retryable", f"batch {batch.id} {batch.status} without an answer" + (f": {'; '.join(said[:3])}" if said else "")


_desks: dict[tuple[str, str], Desk] = {}
_desks_lock = threading.Lock()


def _entered(endpoint: EndpointSettings, name: str, ledger: Ledger, pace: Pace) -> Desk:
    with _desks_lock:
        key = (str(ledger.engine.url), name)
        if key not in _desks:
            _desks[key] = Desk(endpoint, name, ledger, pace)
        _desks[key].users += 1
        return _desks[key]


def _left(desk: Desk) -> None:
    with _desks_lock:
        desk.users -= 1
        if not desk.users:
            del _desks[desk.id]
            # Inside the lock: a new desk must not adopt what this one still carries.
            desk.close()
