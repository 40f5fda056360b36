"""Where tasks run: threads of this process, or a Dask cluster."""

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows import progress
from pipeline.settings import RunnerSettings
from schemas.errors import InputError

log = logging.getLogger("bimedv")


def task_runner(runner: RunnerSettings) -> TaskRunner[Any]:
    """The runner that the config names. With `dask` and no address a local cluster lives as long as this process.

    Raises InputError when Dask is asked for and not installed, or its scheduler does not answer.
    """
    if runner.kind == "threads":
        return ThreadPoolTaskRunner(max_workers=runner.workers)
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError:
        raise InputError("runner.kind is dask, and prefect-dask is not installed. Run `pip install 'bimedv[dask]'`.") from None
    if runner.address is None:
        return DaskTaskRunner(address=_local_cluster(runner.workers))
    _ask_scheduler(runner.address)
    return DaskTaskRunner(address=runner.address)


def results(futures: list[PrefectFuture[Any]], sizes: Sequence[int] = ()) -> list[Any]:
    """Wait for all, then return results in order; the first failure is raised after the others have ended.

    `sizes` are the items of each future, for progress where the tasks cannot tell it: in a Dask worker's process.
    """
    for number, future in enumerate(futures):
        future.wait()
        if sizes and future.state.is_completed():
            progress.advance(sizes[number])
    return [future.result() for future in futures]


@lru_cache
def _local_cluster(workers: int) -> str:
    """Address of a cluster of our own. One for all stages: one takes 5 s to come and go, and each worker loads the encoder."""
    from distributed import LocalCluster

    # It tells of every connection that opens and closes; what matters comes back with the tasks.
    for name in ("distributed", "tornado"):
        logging.getLogger(name).setLevel(logging.ERROR)
    cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=logging.ERROR)
    log.info("Dask: a local cluster of %d processes at %s", workers, cluster.scheduler_address)
    return str(cluster.scheduler_address)


def _ask_scheduler(address: str) -> None:
    from distributed import Client

    try:
        Client(address, timeout=5, set_as_default=False).close()
    except (OSError, ValueError) as error:
        fault = type(error).__name__
        raise InputError(
            f"runner.address: no Dask scheduler answers at {address} ({fault}). Start it, or leave the key out."
        ) from None
