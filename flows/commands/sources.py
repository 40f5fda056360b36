"""`bimedv sources`: which corpora there are, and what a download holds."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import ConfigArgument, JsonOption, WorkspaceOption, answer


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    group = typer.Typer(help="The corpora: list them, describe one, check a download, plan a config.", no_args_is_help=True)
    group.command("list")(list_)
    group.command()(describe)
    group.command()(check)
    group.command()(plan)
    app.add_typer(group, name="sources")


def list_(as_json: JsonOption = False) -> None:
    """Name every corpus that can be read.

    Example: bimedv sources list
    """
    from pipeline.sources.registry import CORPORA

    value = {
        name: {"title": corpus.title, "licence": corpus.licence, "access": corpus.access} for name, corpus in CORPORA.items()
    }
    lines = [f"{name:<16} {corpus.access:<13} {corpus.licence:<20} {corpus.title}" for name, corpus in CORPORA.items()]
    answer(as_json, value, "\n".join(lines))


def describe(name: Annotated[str, typer.Argument(metavar="CORPUS")], as_json: JsonOption = False) -> None:
    """Tell a corpus's layout, fields, splits, licence, access and citation.

    Example: bimedv sources describe slake
    """
    from pipeline.sources.registry import describe as description

    value = description(name)
    answer(as_json, value, "\n".join(f"{key:<16} {item}" for key, item in value.items()))


def check(
    words: Annotated[list[str], typer.Argument(metavar="[CORPUS] PATH", help="Without CORPUS it is recognised by its form.")],
    images: Annotated[Path | None, typer.Option(help="Folder or archive of the images; without it none is looked for.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Read a download and report records, samples, splits, what falls out and why, missing images and oddities.

    Example: bimedv sources check slake examples/slake/train.json
    """
    from pipeline.sources.check import check as examine
    from schemas.errors import InputError

    if len(words) > 2:
        raise InputError(f"sources check takes [CORPUS] PATH, found {len(words)} words: {' '.join(words)}.")
    value = examine(Path(words[-1]), words[0] if len(words) == 2 else None, images)
    lines = [f"{key:<16} {item}" for key, item in value.items() if key != "oddities"]
    lines += [f"{'oddity':<16} {line}" for line in value["oddities"]]
    answer(as_json, value, "\n".join(lines))


def plan(config: ConfigArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Check every source of a config: counts, licences, and whether its endpoints may see it. Sends and writes nothing.

    Example: bimedv sources plan configs/demo.yaml
    """
    from pipeline.access import check_endpoints
    from pipeline.curate.licences import release_terms
    from pipeline.settings import load_settings
    from pipeline.sources.check import check as examine

    settings = load_settings(config, workspace)
    check_endpoints(settings)
    rows = [examine(source.path, source.corpus) for source in settings.sources]
    terms = release_terms(sorted({source.corpus for source in settings.sources}))
    value = {"sources": rows, "licence": terms.licence, "redistributable": terms.redistributable, "reasons": list(terms.reasons)}
    lines = [f"{row['corpus']:<16} {row['records']:>9} records  {row['samples']:>9} samples" for row in rows]
    lines += [f"release licence: {terms.licence}; redistributable: {terms.redistributable}", *terms.reasons]
    answer(as_json, value, "\n".join(lines))
