"""What the commands share: their options, how they answer, and which run they speak of."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from typer.core import TyperGroup

from pipeline.settings import Settings
from pipeline.status import load_run
from pipeline.workspace import Workspace
from schemas.errors import InputError

WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", "-w", help="Folder of the run; by default the config's, or the one run under work/.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout; everything else goes to stderr.")]
ConfigArgument = Annotated[Path, typer.Argument(help="Config file of the run (YAML).", metavar="CONFIG")]


class FallbackGroup(TyperGroup):
    """A group whose first word may be a config file: `bimedv release CONFIG` is `bimedv release build CONFIG`."""

    fallback = "build"

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take the fallback command when the first word is none of the group's."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = [self.fallback, *args]
        return super().resolve_command(ctx, args)


def answer(as_json: bool, value: dict[str, Any], text: str) -> None:
    """The command's result: one JSON object, or text for a person."""
    sys.stdout.write(
        orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode() + "\n" if as_json else text.rstrip() + "\n"
    )
    sys.stdout.flush()


def find_workspace(workspace: Path | None) -> Workspace:
    """The named folder; without a name the current folder or the only run under work/."""
    if workspace is not None:
        if not workspace.is_dir():
            raise InputError(f"--workspace {workspace}: there is no such folder.")
        return Workspace(workspace.resolve())
    here = Path.cwd()
    found = [here] if (here / "config.json").exists() else sorted(path.parent for path in here.glob("work/*/config.json"))
    if len(found) == 1:
        return Workspace(found[0])
    names = ", ".join(str(path.relative_to(here)) for path in found) or "none under work/"
    raise InputError(f"which run? Name its folder with --workspace. Found: {names}.")


def find_run(workspace: Path | None) -> tuple[Settings, Workspace]:
    """The workspace and the settings of its last run."""
    place = find_workspace(workspace)
    settings = load_run(place)
    return settings.model_copy(update={"workspace": place.root}), place


@contextmanager
def orchestrated(config: Path, workspace: Path | None, stages: Sequence[str]) -> Iterator[Settings]:
    """Settings of a config, looked at for these stages, with a Prefect server. Flows are imported inside this context only."""
    from flows.interrupt import stop_softly
    from flows.preflight import check_run
    from flows.progress import log
    from flows.server import prefect_server
    from pipeline.settings import load_settings

    settings = load_settings(config, workspace)
    check_run(settings, stages)
    place = Workspace(settings.workspace)
    place.prepare()
    with prefect_server(place, log), stop_softly():
        yield settings
