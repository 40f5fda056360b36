"""`bimedv access`: what may be sent where, and the signed attestations that may allow it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.common import ConfigArgument, JsonOption, WorkspaceOption, answer

if TYPE_CHECKING:
    from pipeline.access import Ruling


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    group = typer.Typer(help="What may be sent where: check a config, sign an attestation.", no_args_is_help=True)
    group.command()(check)
    group.command()(keygen)
    group.command()(sign)
    app.add_typer(group, name="access")


def check(config: ConfigArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Say for every source and endpoint of a config whether the one may go to the other, and why. Sends and writes nothing.

    Exit code 4 when one may not: such a config is refused as a whole.

    Example: bimedv access check configs/demo.yaml
    """
    from pipeline.access import rulings
    from pipeline.settings import load_settings

    found = rulings(load_settings(config, workspace))
    lawful = all(each.allowed for each in found)
    answer(as_json, {"lawful": lawful, "rulings": [each.as_json() for each in found]}, "\n".join(_line(each) for each in found))
    raise typer.Exit(0 if lawful else 4)


def keygen(
    path: Annotated[
        Path, typer.Argument(metavar="KEY", help="File of the private key: not in a workspace, not in a repository.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Make an approver's key: a private file for the approver alone, and a public line for the config's `approvers`.

    Example: bimedv access keygen ~/.bimedv-approver.pem
    """
    from pipeline.attestation import keygen as make

    public = make(path)
    answer(
        as_json,
        {"private": str(path), "public": public},
        f"{path} is yours alone. For the config's approvers:\n{public}",
    )


def sign(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The attestation (YAML), filled in.")],
    key: Annotated[Path, typer.Option("--key", help="The approver's private key, of `access keygen`.")],
    as_json: JsonOption = False,
) -> None:
    """Sign an attestation as its approver. Read it first: you vouch for every line.

    Example: bimedv access sign attestation.yaml --key ~/.bimedv-approver.pem
    """
    from datetime import UTC, datetime

    from pipeline.attestation import sign as put

    signed = put(path, key, datetime.now(UTC).date())
    value = signed.model_dump(mode="json")
    lines = [f"{name:<20} {', '.join(item) if isinstance(item, list) else item}" for name, item in value.items()]
    answer(as_json, value, "\n".join([f"signed: {path}", *lines]))


def _line(found: "Ruling") -> str:
    from pipeline.access import refusal_text

    if not found.allowed:
        return f"REFUSED  {refusal_text(found)}"
    return f"allowed  {found.corpus} ({found.access}) -> endpoints.{found.role} ({found.endpoint}): {found.because}"
