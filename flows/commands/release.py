"""`bimedv release`: build, verify, and the card."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import ConfigArgument, FallbackGroup, JsonOption, WorkspaceOption, answer, orchestrated


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    group = typer.Typer(
        help="Releases: build one from a run, verify one from its files, print its card. `bimedv release CONFIG` builds.",
        no_args_is_help=True,
        cls=FallbackGroup,
    )
    group.command()(build)
    group.command()(verify)
    group.command()(card)
    app.add_typer(group, name="release")


def build(config: ConfigArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Choose what goes out and write shards, manifest and card. The same input gives the same bytes.

    Example: bimedv release build configs/demo.yaml
    """
    with orchestrated(config, workspace, ["release"]):
        from flows.road import release

        value = release(str(config), str(workspace) if workspace else None)
    answer(
        as_json,
        value,
        f"{value['samples']} samples in {value['shards']} shards, manifest sha256 {value['sha256']}\n{value['path']}",
    )


def verify(
    path: Annotated[Path, typer.Argument(help="Folder of a release.")],
    quick: Annotated[bool, typer.Option(help="Sizes, indexes and counts only; no checksums, no decoding.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Prove a release from its files alone; exit 1 and say what is wrong where, when something is.

    Example: bimedv release verify work/demo/releases/bimed-v-demo-0.1.0
    """
    from shards.verify import verify as prove

    report = prove(path, quick=quick)
    problems = [asdict(problem) for problem in report.problems]
    lines = [f"{item['file']} @ {item['offset']} {item['sample'] or ''}: {item['message']}" for item in problems]
    answer(as_json, {"ok": report.ok, "problems": problems}, "\n".join(lines) if lines else f"{path}: whole and lawful")
    raise typer.Exit(0 if report.ok else 1)


def card(path: Annotated[Path, typer.Argument(help="Folder of a release.")]) -> None:
    """Print the dataset card of a release, computed from its manifest.

    Example: bimedv release card work/demo/releases/bimed-v-demo-0.1.0
    """
    from shards.card import card as describe
    from shards.release import load_manifest

    answer(False, {}, describe(load_manifest(path)))
