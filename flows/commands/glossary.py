"""`bimedv glossary`: the terms that translations should use, and the memory of whole segments."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flows.commands.common import JsonOption, WorkspaceOption, answer, find_run
from schemas.base import Access
from schemas.errors import InputError

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.translate.glossary import Glossary

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Config file of the run, in place of --workspace.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    group = typer.Typer(help="Terms and translation memory: list, import, export, find conflicts.", no_args_is_help=True)
    group.command("list")(list_)
    group.command("import")(import_)
    group.command()(export)
    group.command()(conflicts)
    app.add_typer(group, name="glossary")


def list_(
    term: Annotated[str, typer.Argument(metavar="[TERM]", help="Text to find in the English or the Arabic.")] = "",
    domain: Annotated[str | None, typer.Option(help="Terms of this domain only: anatomy, imaging, pathology, …")] = None,
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show terms with gender, variants and notes: the starter glossary's, and with --config or --workspace that run's.

    Example: bimedv glossary list effusion --domain pathology
    """
    from dataclasses import asdict

    from pipeline.quality.arabic import fold

    terms = _glossary(config, workspace).terms
    known = sorted({one.domain for one in terms if one.domain})
    if domain is not None and domain not in known:
        raise InputError(f"--domain {domain}: this glossary has no such domain. Choose from {', '.join(known)}.")
    wanted = fold(term.casefold()).text
    shown = [
        one
        for one in terms
        if domain in (None, one.domain) and any(wanted in fold(form.casefold()).text for form in (*one.english, *one.arabic))
    ]
    rows = [f"{one.en:<36} {one.ar}  ({', '.join(filter(None, (one.gender, one.domain, one.note)))})" for one in shown]
    answer(as_json, {"terms": [asdict(one) for one in shown]}, "\n".join([*rows, f"{len(shown)} of {len(terms)} terms"]))


def import_(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A .tsv (columns en, ar, …), .tbx or .tmx file.")],
    into: Annotated[
        Literal["glossary", "memory"] | None, typer.Option(help="By default TSV and TBX go to the glossary, TMX to the memory.")
    ] = None,
    access: Annotated[
        Access | None, typer.Option(help="Access class of the segments; needed for the memory, and stays with them.")
    ] = None,
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take terms into a workspace's glossary, or segments into its translation memory; the next translation uses them.

    The glossary holds terms, which prompts show to every endpoint. The memory holds whole segments, which are used word for word
    within their access class; what an expert reviewed is never overwritten. A file named under `translate.glossary` in the config
    needs no import.

    Example: bimedv glossary import terms.tbx --workspace work/demo
    """
    from pipeline.database import open_database
    from pipeline.translate.glossary import import_terms, workspace_glossary
    from pipeline.translate.memory import import_memory

    goal = into or ("memory" if path.suffix.lower() == ".tmx" else "glossary")
    if goal == "memory" and access is None:
        raise InputError("--access is missing. Name the class of the segments: open, credentialed or restricted.")
    settings = _run(config, workspace)
    if goal == "memory" and access is not None:
        settings.workspace.mkdir(parents=True, exist_ok=True)
        counts = import_memory(open_database(settings.database_url()), path, access)
    else:
        counts = import_terms(path, workspace_glossary(settings.workspace))
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    answer(as_json, {"into": goal, **counts}, f"{path} -> {goal}: {told}")


def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    form: Annotated[Literal["tsv", "tbx", "tmx"], typer.Option("--format", help="Form of the file.")] = "tsv",
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the terms for a spreadsheet (TSV) or a translator's tool (TBX, TMX); nothing is lost in any of the three.

    Example: bimedv glossary export --format tbx -o terms.tbx
    """
    from pipeline.translate.termfiles import FORMATS
    from pipeline.workspace import write_atomic

    terms = _glossary(config, workspace).terms
    write_atomic(output, FORMATS[form](terms))
    answer(as_json, {"terms": len(terms), "path": str(output), "format": form}, f"{len(terms)} terms -> {output}")


def conflicts(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILES]...", help="Glossary files to compare with.")] = None,
    config: ConfigOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find English terms whose Arabic differs between files or rows; exit code 1 when there are any.

    Compared are the starter glossary, with --config or --workspace the run's, and the FILES.
    Forms that one row gives as variants of another agree. A translation uses the last file's term.

    Example: bimedv glossary conflicts terms.tsv
    """
    from dataclasses import asdict

    found = _glossary(config, workspace, files or ()).conflicts()
    rows = [f"{one.en}: " + "; ".join(f"{arabic} ({place})" for arabic, place in one.found) for one in found]
    answer(as_json, {"conflicts": [asdict(one) for one in found]}, "\n".join([*rows, f"{len(found)} conflicts"]))
    if found:
        raise typer.Exit(1)


def _glossary(config: Path | None, workspace: Path | None, files: Iterable[Path] = ()) -> "Glossary":
    """The glossary of a run (the starter alone where no run is named) with these files beside it."""
    from pipeline.translate.glossary import load_glossary, run_files

    return load_glossary([*(run_files(_run(config, workspace)) if config or workspace else ()), *files])


def _run(config: Path | None, workspace: Path | None) -> "Settings":
    from pipeline.settings import load_settings

    return load_settings(config, workspace) if config else find_run(workspace)[0]
