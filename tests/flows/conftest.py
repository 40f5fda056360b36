"""Every run of these tests finds a Prefect server, unless it asks for one of its own."""

import pytest

from tests.command import OWN_SERVER, Finished, released, run_command

__all__ = ["OWN_SERVER", "Finished", "released", "run_command"]


@pytest.fixture(scope="session", autouse=True)
def server(prefect_home):
    """Start the shared server before the first run (4 s once, instead of 4 s a run)."""
    return prefect_home
