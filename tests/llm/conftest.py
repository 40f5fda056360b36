"""A database, and a process that knows of no endpoint yet."""

import pytest

from pipeline.database import open_database
from pipeline.llm.governor import forget_all
from tests.batch_endpoint import BatchEndpoint


@pytest.fixture(autouse=True)
def fresh_governors():
    """A port that an earlier test's server had must not bring its refusals along."""
    yield
    forget_all()


@pytest.fixture
def engine(database_url):
    opened = open_database(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def batches():
    """An endpoint with a batch API."""
    with BatchEndpoint() as server:
        yield server
