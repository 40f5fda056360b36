"""The stages' functions as Prefect tasks: a chunk in, a small manifest out (DESIGN.md §9).

Row state lives in our tables and ledger; Prefect sees chunks, retries what a second try can mend, and shows it.
"""

import errno
import threading
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows import progress
from pipeline.curate.dedup import find_duplicates
from pipeline.curate.stage import curate_chunk
from pipeline.database import open_database
from pipeline.ingest import ingest_source
from pipeline.llm.embedded import Resolved
from pipeline.make.plan import Plan
from pipeline.make.stage import make_chunk
from pipeline.quality.stage import score_chunk
from pipeline.review.store import fill_queue
from pipeline.select import Selection, select
from pipeline.settings import Settings
from pipeline.translate.engine import translate_chunk
from pipeline.workspace import ChunkManifest, Workspace
from schemas.errors import BimedvError, StoppedError

#: Set by the first Ctrl-C: chunks under way end, no other begins.
stopping = threading.Event()


def _worth_retrying(_task: object, _run: object, state: Any) -> bool:
    """A user's mistake, a budget, a rule and a full disk stay what they are at a second try; a lost connection may not."""
    error = state.result(raise_on_failure=False)
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return not isinstance(error, BimedvError) and not full and "disk is full" not in str(error)


_OPTIONS: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "persist_result": False,
    "retries": 2,
    "retry_delay_seconds": [2, 10],
    "retry_condition_fn": _worth_retrying,
}


def _go_on() -> None:
    if stopping.is_set():
        raise StoppedError("stopped by Ctrl-C after the chunk under way; run the same command again to go on")


@task(name="ingest source", tags=["ingest"], **_OPTIONS)
def ingest(settings: Settings, workspace: Workspace, index: int) -> list[ChunkManifest]:
    """Read one source into chunks of samples."""
    _go_on()
    return ingest_source(settings, workspace, index, progress.advance)


@task(name="find duplicates", tags=["curate"], **_OPTIONS)
def duplicates(settings: Settings, workspace: Workspace) -> str:
    """Find copies over all sources."""
    _go_on()
    return find_duplicates(settings, workspace)


@task(name="curate chunk", tags=["curate"], **_OPTIONS)
def curate(settings: Settings, workspace: Workspace, chunk: str) -> ChunkManifest:
    """Clean, de-identify and filter one chunk."""
    _go_on()
    return curate_chunk(settings, workspace, chunk, progress.advance)


@task(name="make chunk", tags=["make"], **_OPTIONS)
def make(settings: Settings, workspace: Workspace, chunk: str, plan: Plan, endpoints: Resolved) -> ChunkManifest:
    """Make English samples of one chunk; each answer is in the ledger as it arrives."""
    _go_on()
    return make_chunk(settings, workspace, chunk, plan, endpoints, progress.advance)


@task(name="translate chunk", tags=["translate"], **_OPTIONS)
def translate(settings: Settings, workspace: Workspace, chunk: str, endpoints: Resolved) -> ChunkManifest:
    """Translate one chunk; each answer is in the ledger as it arrives."""
    _go_on()
    return translate_chunk(settings, workspace, chunk, endpoints, progress.advance)


@task(name="score chunk", tags=["score"], **_OPTIONS)
def score(settings: Settings, workspace: Workspace, chunk: str, endpoints: Resolved | None = None) -> ChunkManifest:
    """Score one chunk and give each twin its verdict; the judge's answers are in the ledger as they arrive."""
    _go_on()
    return score_chunk(settings, workspace, chunk, endpoints, progress.advance)


@task(name="fill review queue", tags=["review"], **_OPTIONS)
def queue(settings: Settings, workspace: Workspace) -> dict[str, int]:
    """Bring the experts' queue up to date with the scores."""
    _go_on()
    return fill_queue(settings, workspace, open_database(settings.database_url()))


@task(name="select", tags=["release"], **_OPTIONS)
def selection(settings: Settings, workspace: Workspace) -> Selection:
    """Choose the rows of the next release."""
    _go_on()
    return select(settings, workspace, open_database(settings.database_url()), progress.advance)
