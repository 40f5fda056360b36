"""`bimedv quality`: the gate on pairs of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import JsonOption, WorkspaceOption, answer, find_run


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    group = typer.Typer(help="The gate: score English-Arabic pairs.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command()(score)
    group.command()(terms)
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


def terms(
    limit: Annotated[int, typer.Option(help="Terms and segments to show, at most.", min=1)] = 20,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what the accepted translations say in several ways: terms of the glossary, and whole texts.

    Example: bimedv quality terms --workspace work/demo
    """
    from pipeline.quality.consistency import varieties
    from pipeline.quality.segments import pairs_of
    from pipeline.select import joined
    from pipeline.translate.glossary import run_glossary

    settings, place = find_run(workspace)
    rows = (
        (sample.id, pairs_of(sample, draft))
        for manifest in place.manifests("score")
        for sample, draft, score in joined(place, manifest.chunk)
        if draft is not None and score is not None and score.verdict == "accept"
    )
    found = varieties(run_glossary(settings), rows)
    value = {kind: {en: variety.as_json() for en, variety in list(many.items())[:limit]} for kind, many in found.items()}
    lines = [
        f"{english}: " + "; ".join(f"{form['arabic']} ({form['texts']}, e.g. {form['samples'][0]})" for form in forms)
        for many in value.values()
        for english, forms in many.items()
    ]
    answer(as_json, value, "\n".join(lines) or "nothing is said in several ways")
