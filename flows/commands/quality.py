"""`bimedv quality`: the gate on pairs of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import JsonOption, answer


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    group = typer.Typer(help="The gate: score English-Arabic pairs.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command()(score)
    app.add_typer(group, name="quality")


def score(
    source: Annotated[Path, typer.Option("--input", help='JSON Lines of {"id", "source", "target"}.')],
    output: Annotated[Path, typer.Option("--output", help="JSON Lines, in the same order.")],
    as_json: JsonOption = False,
) -> None:
    """Score pairs with the deterministic checks and the embedded encoder; say what is wrong and where.

    Example: bimedv quality score --input examples/pairs.jsonl --output scores.jsonl
    """
    from pipeline.quality.files import score_file
    from pipeline.settings import QualitySettings

    value = score_file(source, output, QualitySettings())
    answer(
        as_json,
        value,
        f"{value['pairs']} pairs: " + ", ".join(f"{n} {v}" for v, n in value["verdicts"].items()) + f" -> {output}",
    )
