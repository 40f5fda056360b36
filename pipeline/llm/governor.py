"""One governor an endpoint and process: how many calls fly, how fast they start, and when none may.

In: the tokens that a call may take. Out: a permit, as soon as requests and tokens a minute, the number in flight and the
endpoint's own Retry-After allow it; StoppedError once the endpoint has refused the key or the account. Event loops of
several threads share it.
"""

import asyncio
import threading
import time
from collections import deque
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

from pipeline.settings import EndpointSettings
from schemas.errors import StoppedError

Outcome = Literal["good", "busy", "unsent"]
"""What a permit was used for: any answer; 429, 5xx, a timeout or a lost connection; nothing."""
#: A Retry-After may hold an endpoint for so long at most, in seconds.
_LONGEST_PAUSE = 3600.0
_BACK_OFF = 0.5
#: What floats lose over millions of small steps; a wait for less might never end.
_ROUNDING = 1e-6

_governors: dict[tuple[str, str | None], "Governor"] = {}
_governors_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Permit:
    """One call may be sent. Give it back with `Governor.release`."""

    tokens: int
    epoch: int


class Governor:
    """Additive increase, multiplicative decrease of the calls in flight; a bucket each for requests and tokens."""

    def __init__(self, endpoint: EndpointSettings) -> None:
        self._lock = threading.Lock()
        self._flying = 0
        self._epoch = 0
        self._pause_until = 0.0
        self._broken: str | None = None
        self._waiting: deque[_Waiter] = deque()
        self._most = self._limit = float(endpoint.concurrency)
        self._requests: Bucket | None = None
        self._tokens: Bucket | None = None
        self._rates: tuple[int, int | None, int | None] | None = None
        self.adapt(endpoint)

    async def admit(self, tokens: int) -> Permit:
        """Wait for a permit. Raises StoppedError once `trip` was called."""
        while True:
            with self._lock:
                delay = self._delay(tokens)
                if delay == 0.0:
                    self._take(tokens)
                    return Permit(tokens, self._epoch)
                waiter = _Waiter(asyncio.get_running_loop())
                self._waiting.append(waiter)
            try:
                async with asyncio.timeout(delay):
                    await waiter.future
            except TimeoutError:
                pass
            finally:
                self._left(waiter)

    def release(self, permit: Permit, outcome: Outcome, used_tokens: int = 0) -> None:
        """Give a permit back: what it did not use of its tokens is free again, and the outcome moves the limit."""
        with self._lock:
            self._flying -= 1
            if outcome == "good":
                self._limit = min(self._most, self._limit + 1 / self._limit)
            elif outcome == "busy" and permit.epoch == self._epoch:
                # Calls that flew together fail together: that is one sign of too much, not sixty-four.
                self._epoch += 1
                self._limit = max(1.0, self._limit * _BACK_OFF)
            if self._tokens and outcome != "busy":
                self._tokens.refund(permit.tokens - used_tokens)
            if self._requests and outcome == "unsent":
                self._requests.refund(1)
            self._wake()

    def pause(self, seconds: float) -> None:
        """Nothing starts for so long: the endpoint said so (Retry-After)."""
        with self._lock:
            self._pause_until = max(self._pause_until, time.monotonic() + min(seconds, _LONGEST_PAUSE))

    @property
    def limit(self) -> int:
        """Calls that may be in flight now."""
        return int(self._limit)

    def check(self) -> None:
        """Raise StoppedError once `trip` was called."""
        if self._broken:
            raise StoppedError(self._broken)

    def trip(self, reason: str) -> None:
        """Nothing starts any more in this process; who waits gets StoppedError."""
        with self._lock:
            self._broken = self._broken or reason
            self._wake(everybody=True)

    def adapt(self, endpoint: EndpointSettings) -> None:
        """Take over an endpoint's limits where they are others than before."""
        rates = (endpoint.concurrency, endpoint.rpm, endpoint.tpm)
        with self._lock:
            if self._rates != rates:
                self._rates = rates
                self._most = self._limit = float(endpoint.concurrency)
                self._requests = Bucket(endpoint.rpm, time.monotonic()) if endpoint.rpm else None
                self._tokens = Bucket(endpoint.tpm, time.monotonic()) if endpoint.tpm else None

    def _delay(self, tokens: int) -> float | None:
        """Seconds until the next try; 0 when a call may start now, None when that takes another's release."""
        self.check()
        if self._flying >= self.limit:
            return None
        now = time.monotonic()
        delay = max(0.0, self._pause_until - now)
        if self._requests:
            delay = max(delay, self._requests.delay(1, now))
        if self._tokens:
            delay = max(delay, self._tokens.delay(tokens, now))
        return delay

    def _take(self, tokens: int) -> None:
        self._flying += 1
        if self._requests:
            self._requests.take(1)
        if self._tokens:
            self._tokens.take(tokens)

    def _wake(self, everybody: bool = False) -> None:
        free = len(self._waiting) if everybody else self.limit - self._flying
        while self._waiting and free > 0:
            free -= self._waiting.popleft().wake()

    def _left(self, waiter: "_Waiter") -> None:
        """A waiter that ended otherwise than by being woken stands in the queue still; one woken for nothing passes it on."""
        with self._lock:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            elif not waiter.future.done() or waiter.future.cancelled():
                self._wake()


class _Waiter:
    """One coroutine that waits, in its own event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.future: asyncio.Future[None] = loop.create_future()

    def wake(self) -> bool:
        """False when its loop is gone."""
        try:
            self._loop.call_soon_threadsafe(self._done)
        except RuntimeError:
            return False
        return True

    def _done(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class Bucket:
    """So much a minute, in portions of a second's worth, so that no window of a minute holds more than the limit."""

    def __init__(self, per_minute: int, now: float) -> None:
        self._burst = max(1.0, per_minute / 60)
        self._rate = (per_minute - self._burst + 1) / 60
        self._level = self._burst
        self._seen = now

    def delay(self, need: int, now: float) -> float:
        """Seconds until `need` fits; more than a second's worth fits as soon as the bucket is full."""
        self._level = min(self._burst, self._level + (now - self._seen) * self._rate)
        self._seen = now
        missing = min(need, self._burst) - self._level
        return missing / self._rate if missing > _ROUNDING else 0.0

    def take(self, need: int) -> None:
        """Reserve; the level may fall below zero."""
        self._level -= need

    def refund(self, unused: int) -> None:
        """Give back what was reserved too much; a negative number takes what was reserved too little."""
        self._level = min(self._burst, self._level + unused)


def governor_of(endpoint: EndpointSettings) -> Governor:
    """The process's governor of an endpoint; the newest caller's limits hold."""
    with _governors_lock:
        name = (endpoint.base_url, endpoint.api_key_env)
        if name not in _governors:
            _governors[name] = Governor(endpoint)
        found = _governors[name]
    found.adapt(endpoint)
    return found


def forget_all() -> None:
    """Start over, as a new process would."""
    with _governors_lock:
        _governors.clear()


def retry_after(value: str | None, date: str | None) -> float | None:
    """Seconds that a Retry-After header asks for: a number, or an HTTP date, counted from the server's own Date header.

    None when there is no such header, or none of these forms.
    """
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        then = parsedate_to_datetime(value)
        now = parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
    return max(0.0, then.timestamp() - (now.timestamp() if now else time.time()))
