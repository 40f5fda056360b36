"""`bimedv status`, `trace`, `doctor`: what is there, where it came from, what is missing."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.common import JsonOption, WorkspaceOption, answer, find_run


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    app.command()(status)
    app.command()(trace)
    app.command()(doctor)


def status(
    check: Annotated[
        bool, typer.Option("--check", help="Prove the seven laws on this workspace; exit 1 when one is broken.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count records, samples and calls: everything read and everything owed is in exactly one bucket.

    Example: bimedv status --check --workspace work/demo
    """
    from pipeline.database import open_database
    from pipeline.status import status as count

    settings, place = find_run(workspace)
    engine = open_database(settings.database_url())
    value = count(settings, place, engine)
    broken: list[str] = []
    if check:
        from flows.laws import prove

        faults = prove(settings, place, engine)
        value["laws"] = {law: not found for law, found in faults.items()}
        broken = [f"broken: {law}: {fault}" for law, found in faults.items() for fault in found[:10]]
    answer(as_json, value | ({"broken": broken} if broken else {}), "\n".join([status_text(value), *broken]))
    raise typer.Exit(1 if broken else 0)


def trace(
    sample_id: Annotated[str, typer.Argument(metavar="SAMPLE_ID")],
    release: Annotated[Path | None, typer.Option(help="Folder of a release; without --workspace it alone is asked.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Walk from a sample back to its source record: calls, scores, findings, decisions, and where it was released.

    Example: bimedv trace slake-train-1-ar --workspace work/demo
    """
    from flows.publish import locate, release_path

    if release is not None and workspace is None:
        from shards.find import origin, origin_text

        alone = origin(release, sample_id)
        answer(as_json, alone, origin_text(alone))
        return
    from pipeline.database import open_database
    from pipeline.trace import trace as walk
    from pipeline.trace import trace_text

    settings, place = find_run(workspace)
    found = locate(release or release_path(settings, place), sample_id)
    value = walk(settings, place, open_database(settings.database_url()), sample_id, found)
    answer(as_json, value, trace_text(value))


def doctor(
    config: Annotated[Path | None, typer.Argument(help="Config whose database and endpoints are tried, too.")] = None,
    quick: Annotated[bool, typer.Option(help="Do not start the embedded server.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what is installed, what starts, which endpoint answers, and how to mend what does not.

    Example: bimedv doctor configs/demo.yaml
    """
    from pipeline.doctor import diagnose
    from pipeline.settings import load_settings
    from pipeline.workspace import Workspace

    settings = load_settings(config, workspace) if config else None
    place = Workspace(settings.workspace if settings else (workspace or Path("work")).resolve())
    checks = diagnose(place, settings, quick=quick)
    value = {
        "ok": all(item.ok for item in checks),
        "checks": [{"name": c.name, "ok": c.ok, "found": c.found, "remedy": c.remedy} for c in checks],
    }
    lines = [f"{'ok ' if c.ok else 'NOT'}  {c.name:<28} {c.found}" + ("" if c.ok else f"\n     -> {c.remedy}") for c in checks]
    answer(as_json, value, "\n".join(lines))
    raise typer.Exit(0 if value["ok"] else 1)


def status_text(value: dict[str, Any]) -> str:
    """The status as a person reads it; sums stand where they can be checked."""
    records, samples, calls = value["records"], value["samples"], value["calls"]
    lines = [
        f"records   {records['read']} read = {records['sampled']} sampled + {sum(records['excluded'].values())} excluded",
        *(f"            {count:>6} {reason}" for reason, count in records["excluded"].items()),
        f"samples   {samples['owed']} owed = {samples['released']} released + {sum(samples['excluded'].values())} excluded + "
        f"{samples['awaiting_review']} awaiting review + {sum(samples['failed'].values())} failed + {samples['pending']} pending",
        *(f"            {count:>6} {reason}" for reason, count in {**samples["excluded"], **samples["failed"]}.items()),
        f"calls     {calls['requests']} requests, {calls['ok']} ok, "
        f"{calls['prompt_tokens']} + {calls['completion_tokens']} tokens, {calls['cost_usd']:.4f} USD",
    ]
    lines += [f"law       {'holds ' if holds else 'BROKEN'} {law}" for law, holds in value.get("laws", {}).items()]
    return "\n".join(lines)
