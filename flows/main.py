"""The `bimedv` command: words in, verbs of the API called, exit codes out.

Only what every command needs is imported here: `bimedv --help` answers in a third of a second because torch, Prefect
and the encoders are imported by the commands that use them.
"""

import logging
import sys

import typer

from flows.commands import inspect, models, quality, release, review, road, sources
from schemas.errors import BimedvError

app = typer.Typer(
    name="bimedv",
    help="English medical corpora in; a checked English-Arabic dataset and a model out. Start with `bimedv demo`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
for module in (road, sources, quality, review, release, models, inspect):
    module.register(app)


def main() -> None:
    """Run the command. A user's mistake is one line on stderr; a traceback is a fault of ours."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("bimedv").setLevel(logging.INFO)
    try:
        app()
    except BimedvError as error:
        sys.stderr.write(f"bimedv: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        place = error.filename or "the workspace"
        sys.stderr.write(f"bimedv: {error.strerror}: {place}. Nothing half-written is left; mend it and run again.\n")
        sys.exit(2)
