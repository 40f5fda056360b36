"""`bimedv demo`, `run`, and the stages one by one."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.common import ConfigArgument, JsonOption, WorkspaceOption, answer, orchestrated
from pipeline.workspace import stages_between

REPOSITORY = Path(__file__).resolve().parents[2]
StageOption = Annotated[str, typer.Option(help="ingest, curate, make, translate, score, release or train.", metavar="STAGE")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    app.command()(demo)
    app.command()(run)
    for name, words in _STAGES.items():
        app.command(name, help=f"{words}\n\nExample: bimedv {name} configs/demo.yaml")(_stage(name))
    app.command()(translate)


def demo(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Run the whole road on the examples, with the embedded translator, encoder and a tiny model.

    Example: bimedv demo
    """
    from pipeline.examples import export_images

    export_images(REPOSITORY / "examples" / "images")
    _road(REPOSITORY / "configs" / "demo.yaml", workspace, as_json, {})


def run(
    config: ConfigArgument,
    from_stage: Annotated[str, typer.Option("--from", help="First stage to run.", metavar="STAGE")] = "ingest",
    until_stage: Annotated[str, typer.Option("--until", help="Last stage to run.", metavar="STAGE")] = "train",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a config all the way, or from one stage until another. What is up to date is not done again.

    Stages: ingest, curate, make, translate, score, release, train.

    Example: bimedv run configs/demo.yaml --until score
    """
    _road(config, workspace, as_json, {"from_stage": from_stage, "until_stage": until_stage})


def translate(
    config: ConfigArgument,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what it would take; spend nothing.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Translate the curated samples into Arabic, or say what that would cost.

    Example: bimedv translate configs/demo.yaml --estimate
    """
    if not estimate:
        _run_stage("translate", config, workspace, as_json)
        return
    from pipeline.database import open_database
    from pipeline.llm.tokens import tokenizer
    from pipeline.settings import load_settings
    from pipeline.translate.estimate import keep_estimate
    from pipeline.workspace import Workspace

    settings = load_settings(config, workspace)
    with tokenizer() as counter:
        value = keep_estimate(settings, Workspace(settings.workspace), open_database(settings.database_url()), counter)
    lines = [*(_priced(name, row) for name, row in value["by_source"].items()), _priced("in all", value)]
    if value["judge"]:
        lines.append(f"{'the judge':<16} {_asked(value['judge'])} when `bimedv score` runs")
    answer(as_json, value, "\n".join(lines))


def _priced(name: str, row: dict[str, Any]) -> str:
    return f"{name:<16} {row['units']:>8} units, {_asked(row)}, about {row['hours']:.2f} hours"


def _asked(row: dict[str, Any]) -> str:
    return (
        f"{row['requests']:>8} requests: {row['prompt_tokens']:>10} prompt and {row['completion_tokens']:>10} completion tokens, "
        f"{row['usd']['online']:.2f} USD online ({row['usd']['batch']:.2f} in batch)"
    )


def _road(config: Path, workspace: Path | None, as_json: bool, stages: dict[str, str]) -> None:
    from rich.console import Console

    with orchestrated(config, workspace, stages_between(**stages)):
        from flows.road import road
        from pipeline.report import summary_closing, summary_table

        result: dict[str, Any] = road(str(config), str(workspace) if workspace else None, **stages)
    if as_json:
        answer(True, result["status"] | {"report": result["report"], "stages": result["seconds"]}, "")
    else:
        Console().print(summary_table(result["facts"]))
        answer(False, {}, summary_closing(result["facts"]))
    raise typer.Exit(1 if result["status"]["samples"]["failed"] else 0)


def _stage(name: str) -> Callable[..., None]:
    def command(config: ConfigArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
        _run_stage(name, config, workspace, as_json)

    return command


def _run_stage(name: str, config: Path, workspace: Path | None, as_json: bool) -> None:
    from flows.commands.inspect import status_text

    with orchestrated(config, workspace, [name]) as settings:
        from flows.road import FLOWS
        from pipeline.database import open_database
        from pipeline.status import status
        from pipeline.workspace import Workspace

        FLOWS[name](str(config), str(workspace) if workspace else None)
        value = status(settings, Workspace(settings.workspace), open_database(settings.database_url()))
    answer(as_json, value, status_text(value))
    raise typer.Exit(1 if value["samples"]["failed"] else 0)


_STAGES = {
    "ingest": "Read the sources of a config into samples and images.",
    "curate": "Clean, de-identify, deduplicate and filter the ingested samples.",
    "make": "Make English samples of curated ones with a language model, by the recipes under `make:` in the config.",
    "score": "Score the translations, give verdicts and fill the experts' queue.",
}
