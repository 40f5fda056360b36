"""Ctrl-C: once ends the run after the chunks under way, twice ends it now. Nothing is lost either way."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger("bimedv")


@contextmanager
def stop_softly() -> Iterator[None]:
    """Handle SIGINT for the time of a run; the handler that was there before comes back."""

    def first(_signal: int, _frame: FrameType | None) -> None:
        from flows.tasks import stopping

        stopping.set()
        log.info("stopping after the chunk under way; Ctrl-C again stops now")
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
