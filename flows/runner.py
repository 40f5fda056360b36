"""Where tasks run: threads of this process, or a Dask cluster."""

import logging
from typing import Any

from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from pipeline.settings import RunnerSettings
from schemas.errors import InputError

log = logging.getLogger("bimedv")


def task_runner(runner: RunnerSettings) -> TaskRunner[Any]:
    """The runner that the config names. With `dask` and no address a local cluster lives as long as the stage.

    Raises InputError when Dask is asked for and not installed, or its scheduler does not answer.
    """
    if runner.kind == "threads":
        return ThreadPoolTaskRunner(max_workers=runner.workers)
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError:
        raise InputError("runner.kind is dask, and prefect-dask is not installed. Run `pip install 'bimedv[dask]'`.") from None
    if runner.address is None:
        log.info("Dask: a local cluster of %d processes", runner.workers)
        options = {"n_workers": runner.workers, "threads_per_worker": 1, "dashboard_address": None}
        return DaskTaskRunner(cluster_kwargs=options)
    _ask_scheduler(runner.address)
    return DaskTaskRunner(address=runner.address)


def results(futures: list[PrefectFuture[Any]]) -> list[Any]:
    """Wait for all, then return results in order; the first failure is raised after the others have ended."""
    for future in futures:
        future.wait()
    return [future.result() for future in futures]


def _ask_scheduler(address: str) -> None:
    from distributed import Client

    try:
        Client(address, timeout=10, set_as_default=False).close()
    except (OSError, ValueError) as error:
        fault = type(error).__name__
        raise InputError(
            f"runner.address: no Dask scheduler answers at {address} ({fault}). Start it, or leave the key out."
        ) from None
