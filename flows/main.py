"""The `bimedv` command: words in, verbs of the API called, exit codes out.

Only what every command needs is imported here: `bimedv --help` answers in a third of a second because torch, Prefect
and the encoders are imported by the commands that use them.
"""

import logging
import sys

import typer
from sqlalchemy.exc import SQLAlchemyError

from flows.commands import access, glossary, inspect, models, quality, release, review, road, sources
from schemas.errors import BimedvError

app = typer.Typer(
    name="bimedv",
    help="English medical corpora in; a checked English-Arabic dataset and a model out. Start with `bimedv demo`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
for module in (road, sources, glossary, quality, review, release, models, inspect, access):
    module.register(app)


def main() -> None:
    """Run the command. A user's mistake is one line on stderr; a traceback is a fault of ours."""
    # Our own lines only: on the root logger this handler would print Prefect's and Dask's, tracebacks of failed tasks included.
    log, handler = logging.getLogger("bimedv"), logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False
    try:
        app()
    except BimedvError as error:
        sys.stderr.write(f"bimedv: {error}\n")
        sys.exit(error.exit_code)
    except (OSError, SQLAlchemyError) as error:
        told = _disk_error(error)
        if told is None:
            raise
        sys.stderr.write(f"bimedv: {told}. Nothing half-written is left; mend it and run again.\n")
        sys.exit(2)


def _disk_error(error: BaseException) -> str | None:
    """What the system says of a disk or a file; None when the error is of another kind, hence ours."""
    if isinstance(error, OSError) and error.errno is not None:
        return f"{error.strerror}: {error.filename or 'the workspace'}"
    # SQLite's words for ENOSPC; the driver wraps them twice.
    return "No space left on device: the database" if "disk is full" in str(error) else None
