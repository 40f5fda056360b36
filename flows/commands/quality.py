"""`bimedv quality`: the gate on pairs of one's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.common import JsonOption, WorkspaceOption, answer, find_run
from schemas.base import Access
from schemas.errors import InputError, StoppedError

if TYPE_CHECKING:
    from pipeline.quality.calibration_data import Labels
    from pipeline.quality.gate import Gate
    from pipeline.quality.judge_pairs import PairJudge


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    group = typer.Typer(help="The gate: score English-Arabic pairs.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command()(score)
    group.command()(terms)
    group.command()(audit)
    group.command()(calibrate)
    app.add_typer(group, name="quality")


def score(
    source: Annotated[Path, typer.Option("--input", help='JSON Lines of {"id", "source", "target"}.')],
    output: Annotated[Path, typer.Option("--output", help="JSON Lines, in the same order.")],
    judge: Annotated[
        Path | None, typer.Option("--judge", help="Config with a judge, its thresholds and its budget.", metavar="CONFIG")
    ] = None,
    access: Annotated[
        Access | None, typer.Option(help="What kind of texts these are: needed where the judge is on another machine.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Score pairs with the deterministic checks and the embedded encoder; say what is wrong and where.

    With --judge a language model reads what the gate does not reject, and each line says what it gave. What it has answered is
    in the ledger of the config's workspace and is not paid again. Exit code 1 when its endpoint failed on some pairs, 3 when
    the budget is used up.

    Example: bimedv quality score --input examples/pairs.jsonl --output scores.jsonl
    """
    from flows.progress import advance, stage
    from pipeline.quality.files import score_file

    if access and not judge:
        raise InputError("--access says where texts may go, and without --judge they go nowhere. Leave it out, or name a judge.")
    with _judge_of(judge, access) as (gate, reader), stage("score", None):
        value = score_file(source, output, gate, reader, progress=advance)
    told = f"{value['pairs']} pairs: " + ", ".join(f"{n} {v}" for v, n in value["verdicts"].items()) + f" -> {output}"
    unjudged = value.get("unjudged", 0)
    answer(as_json, value, told + (f"\nthe judge failed on {unjudged} pairs, which go to review; try again" if unjudged else ""))
    raise typer.Exit(1 if unjudged else 0)


@contextmanager
def _judge_of(config: Path | None, access: Access | None) -> "Iterator[tuple[Gate, PairJudge | None]]":
    from pipeline.quality.gate import Gate
    from pipeline.settings import QualitySettings

    if config is None:
        yield Gate(QualitySettings()), None
        return
    from pipeline.llm.embedded import endpoints
    from pipeline.quality.gates import gate_of
    from pipeline.quality.judge_pairs import PairJudge, check_judge
    from pipeline.settings import load_settings
    from pipeline.workspace import Workspace

    settings = load_settings(config)
    check_judge(settings, access)
    # The ledger of both lies there, and no run need have been started.
    Workspace(settings.workspace).prepare()
    with endpoints(settings, ["judge", "scorer"]) as resolved:
        yield gate_of(settings), PairJudge(settings, resolved)


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


def audit(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Report what experts found in a random sample of the accepted translations: error rates with 95 % intervals.

    Example: bimedv quality audit --workspace work/demo
    """
    from pipeline.database import open_database
    from pipeline.quality.audit import audit as look
    from pipeline.quality.audit_gate import audit_text, demand

    settings, place = find_run(workspace)
    found = look(settings, place, open_database(settings.database_url()))
    asked = demand(found, settings.release)
    value = {"strata": found.strata(), **found.figures(), "demand": asked.as_json() if asked else None}
    answer(as_json, value, audit_text(found, asked, place.root))


def calibrate(
    source: Annotated[
        Path | None,
        typer.Option("--input", help='JSON Lines of {"id", "source", "target", "changed"}; without it the decisions of a run.'),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write, calibration.json by default; the page goes beside it.")
    ] = None,
    risk: Annotated[float, typer.Option(help="Share of accepted texts that an expert may still change.")] = 0.05,
    confidence: Annotated[float, typer.Option(help="Of the statement about the risk.")] = 0.95,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold the score against experts' decisions: from which score on the stated risk holds, and what each check is worth.

    Without --output it writes into the workspace, or with --input into the current folder. Exit code 3 when the decisions show
    the risk for no score; what is written then claims nothing.

    Example: bimedv quality calibrate --workspace work/demo --risk 0.05
    """
    from pipeline.quality.calibrate import calibrate as fit
    from pipeline.quality.calibration_page import summary, write_calibration

    labels, folder = _decisions(source, workspace)
    found = fit(labels, risk, confidence)
    path = output or folder / "calibration.json"
    write_calibration(found, path)
    value = {"path": str(path), "page": str(path.with_suffix(".html")), **found.model_dump(mode="json")}
    answer(as_json, value, f"{summary(found)}\n\n-> {path}, {path.with_suffix('.html')}")
    if found.threshold is None:
        raise StoppedError(f"the risk is not shown for any score: {path} claims nothing and lets no translation through.")


def _decisions(source: Path | None, workspace: Path | None) -> tuple["Labels", Path]:
    """Labelled texts of a file or a run, and the folder that they belong to."""
    if source is not None:
        from pipeline.quality.calibration_file import from_file
        from pipeline.settings import QualitySettings

        if workspace is not None:
            raise InputError("--input and --workspace name two sources of decisions. Give one of them.")
        return from_file(source, QualitySettings()), Path()
    from pipeline.database import open_database
    from pipeline.quality.calibration_data import from_workspace

    settings, place = find_run(workspace)
    return from_workspace(settings, place, open_database(settings.database_url())), place.root
