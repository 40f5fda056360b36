"""The road as Prefect flows: one for each stage, one for the whole.

Each flow takes a config file and reads it itself, so that a deployment needs nothing else. A stage whose chunks are all
up to date costs about a second. `bimedv run` and the deployments call the same functions.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from prefect import Task, flow
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from flows import progress, tasks
from flows.approval import approval
from flows.facts import finish
from flows.preflight import check_run
from flows.publish import build_release, train_and_measure
from flows.runner import results, task_runner
from pipeline.access import check_endpoints
from pipeline.database import open_database
from pipeline.llm.embedded import endpoints
from pipeline.make.plan import make_plan
from pipeline.settings import Settings, load_settings
from pipeline.sources.registry import corpus
from pipeline.status import save_settings
from pipeline.workspace import STAGES, ChunkManifest, Workspace, stages_between
from schemas.errors import InputError

#: What must have run before a stage has anything to work on.
_BEFORE = {"curate": "ingest", "make": "curate", "translate": "curate", "score": "translate"}


@flow(name="ingest", flow_run_name="ingest {config}")
def ingest(config: str, workspace: str | None = None) -> list[ChunkManifest]:
    """Read the sources of a config into samples.

    Args:
        config: path of the config file
        workspace: folder of the run; the config's own when not given
    """
    settings, place = _open(config, workspace)
    total = sum(source.limit or 0 for source in settings.sources) if all(s.limit for s in settings.sources) else None
    with progress.stage("ingest", total), task_runner(settings.runner) as runner:
        futures = [
            runner.submit(tasks.ingest, {"settings": settings, "workspace": place, "index": index})
            for index in range(len(settings.sources))
        ]
        manifests = [manifest for chunk in results(futures) for manifest in chunk]
        if settings.runner.kind == "dask":
            progress.advance(sum(sum(manifest.counts.values()) for manifest in manifests))
    place.drop_chunks("ingest", [manifest.chunk for manifest in manifests])
    return manifests


@flow(name="curate", flow_run_name="curate {config}")
def curate(config: str, workspace: str | None = None) -> list[ChunkManifest]:
    """Clean, de-identify, deduplicate and filter the ingested samples.

    Args:
        config: path of the config file
        workspace: folder of the run; the config's own when not given
    """
    settings, place = _open(config, workspace)
    tasks.duplicates(settings, place)
    return _map(settings, place, ("curate", place.manifests("ingest")), tasks.curate)


@flow(name="make", flow_run_name="make {config}")
def make(config: str, workspace: str | None = None) -> list[ChunkManifest]:
    """Make English samples of curated ones with a language model, as the recipes under `make:` say; without any, nothing.

    Args:
        config: path of the config file
        workspace: folder of the run; the config's own when not given
    """
    settings, place = _open(config, workspace)
    if not settings.make.recipes():
        progress.log.info("make: the config names no recipes, so nothing is made")
        place.drop_chunks("make", ())
        return []
    check_endpoints(settings)
    plan = make_plan(settings, place)
    with endpoints(settings) as resolved:
        more = {"plan": plan, "endpoints": resolved}
        return _map(settings, place, ("make", place.manifests("curate")), tasks.make, more)


@flow(name="translate", flow_run_name="translate {config}")
def translate(config: str, workspace: str | None = None) -> list[ChunkManifest]:
    """Translate the curated samples into Arabic, refining what the gate flags.

    Args:
        config: path of the config file
        workspace: folder of the run; the config's own when not given
    """
    settings, place = _open(config, workspace)
    check_endpoints(settings)
    with endpoints(settings) as resolved:
        return _map(settings, place, ("translate", place.english()), tasks.translate, {"endpoints": resolved})


@flow(name="score", flow_run_name="score {config}")
def score(config: str, workspace: str | None = None) -> list[ChunkManifest]:
    """Score the translations, give verdicts, and fill the experts' queue.

    Args:
        config: path of the config file
        workspace: folder of the run; the config's own when not given
    """
    settings, place = _open(config, workspace)
    english = {manifest.chunk for manifest in place.english()}
    # A curation since then may have taken a chunk away.
    translated = [manifest for manifest in place.manifests("translate") if manifest.chunk in english]
    if settings.endpoints.judge is None:
        manifests = _map(settings, place, ("score", translated), tasks.score)
    else:
        check_endpoints(settings)
        with endpoints(settings) as resolved:
            manifests = _map(settings, place, ("score", translated), tasks.score, {"endpoints": resolved})
    tasks.queue(settings, place)
    return manifests


@flow(name="release", flow_run_name="release {config}")
def release(config: str, workspace: str | None = None) -> dict[str, Any]:
    """Choose what goes out and write the shards, the manifest and the card.

    Args:
        config: path of the config file
        workspace: folder of the run; the config's own when not given
    """
    settings, place = _open(config, workspace)
    total = sum(manifest.counts["samples"] for manifest in place.english())
    with progress.stage("select", total):
        chosen = tasks.selection(settings, place)
    agreed = approval(settings, place, chosen, config)
    with progress.stage("release", chosen.rows):
        said = agreed.model_dump(include={"by", "reason"}) if agreed else {}
        return build_release(settings, place, chosen, said, progress.advance)


@flow(name="train", flow_run_name="train {config}")
def train(config: str, workspace: str | None = None) -> dict[str, Any]:
    """Train the model on the release in two stages and measure it on the held-out split.

    Args:
        config: path of the config file
        workspace: folder of the run; the config's own when not given
    """
    settings, place = _open(config, workspace)
    if settings.train.preset == "none":
        return {}
    with progress.stage("train", None):
        return train_and_measure(settings, place, progress.advance)


#: Chunks of 1,000 rows that wait for their batches at the same time: about a batch file of 50,000 requests.
_BATCH_CHUNKS = 50

FLOWS: dict[str, Callable[..., Any]] = {
    "ingest": ingest,
    "curate": curate,
    "make": make,
    "translate": translate,
    "score": score,
    "release": release,
    "train": train,
}


@flow(name="road", flow_run_name="road {config}")
def road(config: str, workspace: str | None = None, from_stage: str = STAGES[0], until_stage: str = STAGES[-1]) -> dict[str, Any]:
    """Take the sources of a config all the way: ingest, curate, make, translate, score, release, train, and the report.

    Args:
        config: path of the config file
        workspace: folder of the run; the config's own when not given
        from_stage: first stage to run; the ones before it must have run
        until_stage: last stage to run
    """
    settings, place = _open(config, workspace)
    stages = stages_between(from_stage, until_stage)
    check_run(settings, stages)
    seconds: dict[str, float] = {}
    for name in stages:
        if name == "make" and not settings.make.recipes() and not place.manifests("make"):
            continue
        start = time.monotonic()
        # The road's own heartbeat tells the server that this process lives; ending one a stage costs .7 s each.
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            FLOWS[name](config, workspace)
        seconds[name] = time.monotonic() - start
    return finish(settings, place, open_database(settings.database_url()), seconds)


def _open(config: str, workspace: str | None) -> tuple[Settings, Workspace]:
    settings = load_settings(Path(config), Path(workspace) if workspace else None)
    for source in settings.sources:
        corpus(source.corpus)
    place = Workspace(settings.workspace)
    save_settings(settings, place)
    # Here once, so that tasks running at the same time find the tables made.
    open_database(settings.database_url()).dispose()
    return settings, place


def _map(
    settings: Settings,
    place: Workspace,
    stage: tuple[str, list[ChunkManifest]],
    work: Task[Any, Any],
    more: Mapping[str, Any] = MappingProxyType({}),
) -> list[ChunkManifest]:
    """Run one stage over the chunks that it works on; `more` goes to every task."""
    name, chunks = stage
    if not chunks:
        raise InputError(f"{name}: there is nothing to work on. Run `bimedv {_BEFORE[name]}` with this config first.")
    sizes = [chunk.counts["twins" if name == "score" else "samples"] for chunk in chunks]
    runner_settings = settings.runner
    if name in ("make", "translate", "score") and settings.translate.mode == "batch":
        # A chunk waits up to a day for its batch: all of them at once, so that their requests share batches and wait once.
        workers = max(settings.runner.workers, min(len(chunks), _BATCH_CHUNKS))
        runner_settings = settings.runner.model_copy(update={"workers": workers})
    with progress.stage(name, sum(sizes)), task_runner(runner_settings) as runner:
        futures = [
            runner.submit(work, {"settings": settings, "workspace": place, "chunk": chunk.chunk, **more}) for chunk in chunks
        ]
        manifests: list[ChunkManifest] = results(futures, sizes if settings.runner.kind == "dask" else ())
    place.drop_chunks(name, [manifest.chunk for manifest in manifests])
    return manifests
