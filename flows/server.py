"""A Prefect server for the time of one run, when the user has none.

A child process of ours rather than Prefect's ephemeral server: Dask workers can reach it (they hang with the ephemeral
one, FINDINGS), its pages can be opened while the run goes on, and it dies with us even at kill -9.
"""

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.settings import prefect_api_url, set_environment
from pipeline.workspace import Workspace
from schemas.errors import InputError

_START_SECONDS = 120.0
_PR_SET_PDEATHSIG = 1


#: Addresses of servers that this process has started.
_started: list[str] = []


def is_for_this_run() -> bool:
    """The server in use was started here and ends with the run: nobody can come back to its pages."""
    return bool(_started)


@contextmanager
def prefect_server(workspace: Workspace, log: logging.Logger) -> Iterator[str]:
    """Address of the API to use: the user's own (PREFECT_API_URL), else of a server that lives as long as this context.

    Must be entered before the first `import prefect`, which reads its settings once. Raises InputError when the user's
    server does not answer.
    """
    home = workspace.root / ".prefect"
    home.mkdir(parents=True, exist_ok=True)
    set_environment({"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"})
    own = prefect_api_url()
    if own:
        _await_health(own, 10.0, None)
        # Prefect's own lines and tracebacks go to the server's pages; the terminal has our progress and one clear error.
        set_environment({"PREFECT_LOGGING_EXTRA_LOGGERS": "bimedv", "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"})
        yield own
        return
    # Logs go to the terminal, not to a server that ends with the run: its last lines would arrive after it has gone.
    quiet = {"PREFECT_LOGGING_LEVEL": "CRITICAL", "PREFECT_LOGGING_TO_API_ENABLED": "false"}
    set_environment({"PREFECT_HOME": str(home), **quiet})
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    with (home / "server.log").open("ab") as output:
        process = _start(port, output.fileno())
    try:
        _await_health(url, _START_SECONDS, process)
        set_environment({"PREFECT_API_URL": url})
        _started.append(url)
        log.info("Prefect: %s (for this run; set PREFECT_API_URL to use your own server)", url.removesuffix("/api"))
        yield url
    finally:
        _started.clear()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _start(port: int, output: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-services"]
    return subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)


def _die_with_parent() -> None:
    # Linux: the kernel ends the server when this process ends in any way; elsewhere `finally` has to do.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    os.setpgrp()


def _await_health(url: str, seconds: float, process: subprocess.Popen[bytes] | None) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if process is not None and process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    fix = (
        "Start it with `prefect server start`, or unset PREFECT_API_URL."
        if process is None
        else "See .prefect/server.log in the workspace."
    )
    raise InputError(f"the Prefect server at {url} does not answer. {fix}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
