"""Work ahead: results come in the order of the items, a failure comes in its place, and few results wait."""

import threading

import pytest

from pipeline.ahead import ahead


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_items_whichever_is_ready_first(workers):
    last = threading.Event()

    def work(item):
        # The first one waits until the second one is done, where two can be under way.
        if item == 0 and workers > 1:
            assert last.wait(10)
        if item == 1:
            last.set()
        return item * item

    assert list(ahead(work, range(20), workers)) == [item * item for item in range(20)]


def test_a_failure_comes_in_its_place_and_ends_the_work():
    begun = []

    def work(item):
        begun.append(item)
        if item == 3:
            raise OSError("the disk is gone")
        return item

    found = ahead(work, range(100), 2)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="the disk is gone"):
        list(found)
    assert len(begun) <= 3 + 2 * 2


def test_no_more_than_twice_the_workers_are_taken_before_one_is_asked_for():
    taken = []
    found = ahead(lambda item: item, (taken.append(item) or item for item in range(50)), 3)
    assert next(found) == 0
    assert len(taken) == 6
    assert list(found) == list(range(1, 50))
