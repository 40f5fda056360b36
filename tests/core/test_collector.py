"""The search for cycles is rare while a stage runs, and as it was afterwards, also after an error and with several threads."""

import gc
from threading import Barrier, Thread

import pytest

from pipeline.collector import collecting_rarely


def test_collections_are_rare_inside_and_as_before_outside():
    before = gc.get_threshold()
    assert collecting_rarely(gc.get_threshold)() == (100_000, *before[1:])
    assert gc.get_threshold() == before


def test_an_error_leaves_the_thresholds_as_they_were():
    before = gc.get_threshold()
    with pytest.raises(ZeroDivisionError):
        collecting_rarely(lambda: 1 / 0)()
    assert gc.get_threshold() == before


def test_threads_that_overlap_leave_the_thresholds_as_they_were():
    before = gc.get_threshold()
    together = Barrier(3)
    threads = [Thread(target=collecting_rarely(together.wait)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gc.get_threshold() == before
