"""`bimedv sources`: which corpora there are, and what a download holds."""

from pathlib import Path
from typing import Annotated, Any

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
    """Hold a config's sources against its `plan` of target counts: what is on this disk, what is missing, in which shares.

    Also says the licence of the release and whether the endpoints may see each source. Sends and writes nothing. Exit code 1 when
    something is missing.

    Example: bimedv sources plan configs/bimed_v.yaml
    """
    from pipeline.access import check_endpoints
    from pipeline.curate.licences import release_terms
    from pipeline.settings import load_settings
    from pipeline.sources.plan import planned

    settings = load_settings(config, workspace, absent_sources=True)
    check_endpoints(settings)
    found = planned(settings)
    terms = release_terms(sorted({source.corpus for source in settings.sources}))
    value = {**found, "licence": terms.licence, "redistributable": terms.redistributable, "reasons": list(terms.reasons)}
    lines = [f"{row['corpus']:<16} {row['records']:>9} records  {row['samples']:>9} samples" for row in found["sources"]]
    lines += _targets(found) if found["rows"] else []
    lines += [f"missing on this disk: {path}" for path in found["missing"]]
    lines += [f"release licence: {terms.licence}; redistributable: {terms.redistributable}", *terms.reasons]
    answer(as_json, value, "\n".join(lines))
    raise typer.Exit(1 if found["missing"] else 0)


def _targets(found: dict[str, Any]) -> list[str]:
    """The table of targets, and the shares beneath it."""
    lines = [f"{'':<32} {'EN target':>11} {'available':>11} {'AR target':>11} {'possible':>11}"]
    for row in found["rows"]:
        target, available = row["target"], row["available"]
        lines.append(f"{row['name']:<32} {target['en']:>11,} {available['en']:>11,} {target['ar']:>11,} {available['ar']:>11,}")
    for axis, sides in found["shares"].items():
        for side, counts in sides.items():
            names = [name for name in counts if not name.endswith("_percent")]
            told = " / ".join(f"{name} {counts[name]:,} ({counts[f'{name}_percent']} %)" for name in names)
            lines.append(f"{axis}, {side}: {told}")
    return lines
