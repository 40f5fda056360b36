"""The end of a run: count, write the report, and show both where people look (terminal, Prefect's pages)."""

import sys
from pathlib import Path
from typing import Any

import orjson
from prefect.artifacts import create_link_artifact, create_markdown_artifact
from sqlalchemy import Engine

from flows.publish import model_path, release_path
from pipeline.quality.stage import all_judged
from pipeline.report import RunFacts, calls_by_endpoint, summary_markdown, write_report
from pipeline.settings import Settings
from pipeline.status import built_release, status
from pipeline.translate.estimate import compared
from pipeline.workspace import Workspace
from schemas.release import MANIFEST
from shards.card import audit_rows


def finish(settings: Settings, workspace: Workspace, engine: Engine, seconds: dict[str, float]) -> dict[str, Any]:
    """Write the run's report and Prefect artifacts. Returns status, path of the report, seconds and facts."""
    facts = gather(settings, workspace, engine, seconds)
    path = write_report(facts, workspace, workspace.reports / f"{settings.name}.html")
    create_markdown_artifact(summary_markdown(facts), key=f"{_key(settings.name)}-summary", description="Counts of the run")
    create_link_artifact(path.as_uri(), link_text="Run report", key=f"{_key(settings.name)}-report", description="One HTML page")
    return {"status": facts.status, "report": str(path), "seconds": seconds, "facts": facts}


def gather(settings: Settings, workspace: Workspace, engine: Engine, seconds: dict[str, float]) -> RunFacts:
    """Everything the report says that does not stand in the tables."""
    release = release_path(settings, workspace)
    built = built_release(settings, workspace)
    model = model_path(settings, workspace)
    return RunFacts(
        name=settings.name,
        version=settings.release.version,
        status=status(settings, workspace, engine),
        seconds=seconds,
        judged=all_judged(workspace),
        without_judge=settings.quality.without_judge,
        calibrated=settings.quality.calibration is not None,
        accept=settings.quality.accept,
        reject=settings.quality.reject,
        release=_release_facts(release) if built else None,
        train=_json(model / "model.json"),
        evaluation=_json(model / "eval.json"),
        commands=_commands(workspace, release if built else None, model if (model / "model.json").exists() else None),
        endpoints=calls_by_endpoint(engine),
        estimate=compared(settings, workspace, engine),
        workspace=_shown(workspace.root),
    )


def _release_facts(release: Path) -> dict[str, Any]:
    manifest = orjson.loads((release / MANIFEST).read_bytes())
    return {
        "path": str(release),
        **{key: manifest[key] for key in ("name", "version", "splits", "samples", "languages", "modalities")},
    } | {"shards": len(manifest["shards"]), "audit": audit_rows(manifest.get("audit", {}))}


def _json(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    value: dict[str, Any] = orjson.loads(path.read_bytes())
    return value


def _commands(workspace: Workspace, release: Path | None, model: Path | None) -> list[str]:
    """What can be typed next: only of what is there."""
    command, root = _shown(Path(sys.argv[0])) if sys.argv[0].endswith("/bimedv") else "bimedv", _shown(workspace.root)
    commands = [f"{command} status --check --workspace {root}"]
    if workspace.manifests("score"):
        commands.append(f"{command} review export --output queue.jsonl --workspace {root}")
    if release is not None:
        commands.append(f"{command} release verify {_shown(release)}")
    if model is not None:
        commands.append(f"{command} chat {_shown(model)} --question 'What modality is this image?'")
    return commands


def _shown(path: Path) -> str:
    """As a person would type it here: relative where the path lies under the current folder."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _key(name: str) -> str:
    return name.replace("_", "-")
