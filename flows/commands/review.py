"""`bimedv review`: the experts' queue as files."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import JsonOption, WorkspaceOption, answer, find_run
from schemas.base import Access
from schemas.review import Order


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    group = typer.Typer(help="The experts' queue: export it, import decisions, count.", no_args_is_help=True)
    group.command("export")(export_)
    group.command("import")(import_)
    group.command()(stats)
    app.add_typer(group, name="review")


def export_(
    output: Annotated[Path, typer.Option("--output", "-o", help="JSON Lines; one item a line.")],
    queue: Annotated[str | None, typer.Option(help="gate, unjudged, unusable or audit; all when not given.")] = None,
    limit: Annotated[int | None, typer.Option(help="Items at most.", min=1)] = None,
    order: Annotated[Order, typer.Option(help="Riskiest first; random for a calibration, which needs all scores.")] = "riskiest",
    access: Annotated[Access, typer.Option(help="Access class to write; not every expert may see every class.")] = "open",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write undecided items for an expert to fill in: set decision.verdict to accept, edit or reject.

    Example: bimedv review export --output queue.jsonl --limit 50
    """
    from pipeline.database import open_database
    from pipeline.review.exchange import export

    settings, _ = find_run(workspace)
    wrote = export(open_database(settings.database_url()), output, queue, limit, (access,), order)
    kept = [f"left out: {number} {name} (--access {name} writes them)" for name, number in wrote.left_out.items()]
    value = {"items": wrote.items, "path": str(output), "left_out": wrote.left_out}
    answer(as_json, value, "\n".join([f"{wrote.items} items -> {output}", *kept]))


def import_(
    path: Annotated[Path, typer.Argument(help="A file of `review export` with decisions filled in.")],
    reviewer: Annotated[str, typer.Option(help="Name or pseudonym of the expert.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take decisions over; all lines or, when one is wrong, none. The next `bimedv release` uses them.

    Example: bimedv review import queue.jsonl --reviewer dr-a
    """
    from pipeline.database import open_database
    from pipeline.review.exchange import import_decisions

    settings, _ = find_run(workspace)
    value = import_decisions(open_database(settings.database_url()), path, reviewer)
    answer(as_json, value, "\n".join(f"{key:<10} {item}" for key, item in value.items()))


def stats(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Count waiting and decided items by queue and reviewer.

    Example: bimedv review stats
    """
    from pipeline.database import open_database
    from pipeline.review.store import stats as count

    settings, _ = find_run(workspace)
    value = count(open_database(settings.database_url()))
    answer(as_json, value, "\n".join(f"{key:<20} {item}" for key, item in value.items()))
