"""Work in threads whose results come in order, with few of them waiting: for what frees the interpreter, as Polars does.

In: items and a function. Out: its results, in the items' order. Memory: at most twice as many results as there are workers.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(work: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """The results; the first failure is raised in its place, and no further item is begun after it."""
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
