"""Progress of the stage under way: a bar on a terminal, plain lines in a log.

Tasks in threads report items through `advance`. Tasks in Dask workers report to their own process, where nobody looks;
there the finished chunks are what moves.
"""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

log = logging.getLogger("bimedv")
_LINE_SECONDS = 10.0


class _Meter:
    def __init__(self, stage: str, total: int | None) -> None:
        self.stage, self.total, self.done = stage, total, 0
        self.lock = Lock()
        self.spoke = time.monotonic()
        self.bar: tuple[Progress, int] | None = None

    def advance(self, items: int) -> None:
        with self.lock:
            self.done += items
            if self.bar:
                self.bar[0].advance(self.bar[1], items)  # type: ignore[arg-type]  # rich's TaskID is an int
            elif time.monotonic() - self.spoke > _LINE_SECONDS:
                self.spoke = time.monotonic()
                log.info("%s: %d%s", self.stage, self.done, f" of {self.total}" if self.total else "")


_current: list[_Meter] = []


def advance(items: int) -> None:
    """Count finished items of the stage under way."""
    if _current:
        _current[-1].advance(items)


@contextmanager
def stage(name: str, total: int | None) -> Iterator[None]:
    """Show a stage's progress; `total` None while it is not known."""
    meter = _Meter(name, total)
    _current.append(meter)
    start = time.monotonic()
    try:
        if sys.stderr.isatty():
            with _bar() as bar:
                meter.bar = (bar, bar.add_task(name, total=total))
                yield
        else:
            yield
        log.info("%-10s %6d items  %5.1f s", name, meter.done, time.monotonic() - start)
    finally:
        _current.pop()


def _bar() -> Progress:
    from rich.console import Console

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
