"""A release as a torch dataset that can be stopped and resumed at any sample, on any number of ranks and workers.

In: a Reader, an Order. Out: record and images (or what `transform` makes of them), in the same order for any number of workers.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from torch.utils.data import IterableDataset, get_worker_info

from schemas.errors import InputError
from shards.read import Members
from shards.reader import Order, Reader

Sample = tuple[dict[str, Any], Members]


class Stream(IterableDataset[Any]):
    """One epoch of one rank.

    With workers, give `batch` the DataLoader's batch_size: the loader draws whole batches from its workers in turn, so worker w
    takes the batches w, w + workers, … and the batches come out as they do without workers.
    """

    def __init__(
        self, reader: Reader, order: Order, start: int = 0, batch: int = 1, transform: Callable[[Sample], Any] | None = None
    ) -> None:
        """`start`: samples of this rank's epoch that were used already."""
        if batch < 1 or start < 0:
            raise InputError(f"batch is {batch} and start {start}. A batch has 1 sample or more, and a start is not negative.")
        self._reader, self._order, self._start, self._batch, self._transform = reader, order, start, batch, transform

    def __len__(self) -> int:
        """Samples of this rank that are left of the epoch."""
        return max(0, len(self._order.numbers(len(self._reader))) - self._start)

    def __iter__(self) -> Iterator[Any]:
        numbers = self._order.numbers(len(self._reader))[self._start :]
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        for first in range(worker * self._batch, len(numbers), workers * self._batch):
            for number in numbers[first : first + self._batch]:
                sample = self._reader[int(number)]
                yield sample if self._transform is None else self._transform(sample)

    def state(self, used: int) -> dict[str, int]:
        """What a checkpoint keeps, once `used` samples of this stream have been trained on."""
        return {"seed": self._order.seed, "epoch": self._order.epoch, "position": self._start + used}

    def resumed(self, state: dict[str, int]) -> "Stream":
        """The stream from where a checkpoint stood; rank and world may be others only at an epoch's beginning."""
        order = replace(self._order, seed=state["seed"], epoch=state["epoch"])
        return Stream(self._reader, order, state["position"], self._batch, self._transform)

    def next_epoch(self) -> "Stream":
        """The whole of the following epoch, in another order."""
        return Stream(self._reader, replace(self._order, epoch=self._order.epoch + 1), 0, self._batch, self._transform)
