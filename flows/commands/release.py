"""`bimedv release`: build, verify, and the card."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import ConfigArgument, FallbackGroup, JsonOption, WorkspaceOption, answer, orchestrated
from schemas.errors import InputError

ReleaseArgument = Annotated[Path, typer.Argument(help="Folder of a release.", metavar="RELEASE")]


class Form(StrEnum):
    """What `release export` writes."""

    PARQUET = "parquet"
    LLAVA = "llava"


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    group = typer.Typer(
        help="Releases: build one from a run, verify one from its files, print its card. `bimedv release CONFIG` builds.",
        no_args_is_help=True,
        cls=FallbackGroup,
    )
    group.command()(build)
    group.command()(approve)
    group.command()(verify)
    group.command()(diff)
    group.command()(export)
    group.command()(redact)
    group.command()(publish)
    group.command()(card)
    app.add_typer(group, name="release")


def build(config: ConfigArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Choose what goes out and write shards, manifest and card. The same input gives the same bytes.

    Example: bimedv release build configs/demo.yaml
    """
    with orchestrated(config, workspace, ["release"]):
        from flows.road import release

        value = release(str(config), str(workspace) if workspace else None)
    answer(
        as_json,
        value,
        f"{value['samples']} samples in {value['shards']} shards, manifest sha256 {value['sha256']}\n{value['path']}",
    )


def approve(
    config: ConfigArgument,
    by: Annotated[str | None, typer.Option(help="Who decides: a name or pseudonym, for the manifest.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the manifest.")] = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Decide that it may not go out.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what would go out; with --by and --reason approve it, for configs with `release.approval`. It holds for this selection
    alone: another sample, score, decision or audit asks again.

    Example: bimedv release approve configs/demo.yaml --by expert-1 --reason "audit of 200 seen"
    """
    from pipeline.approval import Approval, figures, figures_text, record, recorded
    from pipeline.database import open_database
    from pipeline.select import select
    from pipeline.settings import load_settings
    from pipeline.workspace import Workspace

    if (by or "").strip() == "" and (reason or refuse):
        raise InputError("who decides? Name yourself with --by, and say why with --reason.")
    if by and not (reason or "").strip():
        raise InputError("why? Say it with --reason.")
    settings = load_settings(config, workspace)
    place = Workspace(settings.workspace)
    chosen = select(settings, place, open_database(settings.database_url()))
    if by and reason:
        record(settings, place, Approval(selection=chosen.fingerprint, approved=not refuse, by=by, reason=reason))
    found = recorded(settings, place, chosen)
    told = figures(settings, place, chosen) | {"decision": found.model_dump(exclude={"selection"}) if found else None}
    said = (
        "nobody has decided yet"
        if found is None
        else f"{'approved' if found.approved else 'refused'} by {found.by}: {found.reason}"
    )
    answer(as_json, told, f"{told['release']}: {said}\n{figures_text(told)}")


def verify(
    path: ReleaseArgument,
    quick: Annotated[bool, typer.Option(help="Sizes, indexes and counts only; no checksums, no decoding.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Prove a release from its files alone; exit 1 and say what is wrong where, when something is.

    Example: bimedv release verify work/demo/releases/bimed-v-demo-0.1.0
    """
    from shards.verify import verify as prove

    report = prove(path, quick=quick)
    problems = [asdict(problem) for problem in report.problems]
    lines = [f"{item['file']} @ {item['offset']} {item['sample'] or ''}: {item['message']}" for item in problems]
    answer(as_json, {"ok": report.ok, "problems": problems}, "\n".join(lines) if lines else f"{path}: whole and lawful")
    raise typer.Exit(0 if report.ok else 1)


def diff(
    old: Annotated[Path, typer.Argument(help="Folder of the older release.", metavar="OLD")],
    new: Annotated[Path, typer.Argument(help="Folder of the newer release.", metavar="NEW")],
    html: Annotated[Path | None, typer.Option(help="Write a page with a sample of the changes side by side.")] = None,
    samples: Annotated[int, typer.Option(help="Samples of each kind of change on the page, and ids in the answer.", min=0)] = 20,
    any_name: Annotated[bool, typer.Option("--any-name", help="Compare releases of different names, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say which samples were added, removed, retranslated, reworded, rescored, rereviewed or moved; exit 1 when any was.

    Example: bimedv release diff releases/bimed-v-0.1.0 releases/bimed-v-0.2.0 --html changes.html
    """
    from pipeline.workspace import write_atomic
    from shards.diff import KINDS, page
    from shards.diff import diff as compare

    found = compare(old, new, any_name)
    counts, by_source = found.counts(), found.by_source()
    if html is not None:
        write_atomic(html, page(found, samples).encode())
    value = {
        "changed": found.changed,
        "counts": counts,
        "unchanged": found.unchanged,
        "by_source": by_source,
        "ids": {kind: found.ids(kind, samples) for kind in KINDS if counts[kind]},
        "html": str(html) if html else None,
    }
    lines = [f"{kind:<13} {counts[kind]:>8}  {meaning}" for kind, meaning in KINDS.items() if counts[kind]]
    lines += [f"  {name}: " + ", ".join(f"{n} {kind}" for kind, n in of.items() if n) for name, of in by_source.items()]
    answer(as_json, value, "\n".join([*lines, f"unchanged     {found.unchanged:>8}", *([f"-> {html}"] if html else [])]))
    raise typer.Exit(1 if found.changed else 0)


def export(
    path: ReleaseArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to be made.")],
    form: Annotated[
        Form, typer.Option("--format", help="parquet: as the Hugging Face Hub lays it out; llava: JSON for its trainers.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Write a release in another form, with every sample and its images.

    Example: bimedv release export releases/bimed-v-0.1.0 --format parquet -o bimed-v-parquet
    """
    from shards.export import export as write

    value = write(path, output, form.value)
    answer(as_json, value, f"{value['samples']} samples -> {output}\nfiles: {value['files']}")


def publish(
    path: ReleaseArgument,
    to: Annotated[
        str, typer.Argument(help="A folder, an address such as s3://bucket/folder, or hub://OWNER/NAME.", metavar="TO")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent; send nothing.")] = False,
    in_house: Annotated[
        bool, typer.Option("--in-house", help="TO belongs to the house that built it: terms against passing on do not matter.")
    ] = False,
    endpoint: Annotated[str | None, typer.Option(help="Address of a Hub; by default huggingface_hub's.")] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Make the Hub's repository a private one, if it is not there.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Send a verified release to a folder, a storage or a Hub, and check what arrived. Run it again to go on after a stop.

    Example: bimedv release publish releases/bimed-v-0.1.0 s3://datasets/bimed-v/0.1.0 --dry-run
    """
    from flows.progress import advance, stage
    from flows.publish import target
    from shards.publish import publish as send

    if in_house and to.startswith("hub://"):
        raise InputError("--in-house: a Hub is not inside the house. Publish to a folder or a storage of yours.")
    with stage("publish", None):
        value = send(path, target(to, endpoint, private), dry_run, in_house, advance)
    said = "would be sent" if dry_run else "sent and checked"
    count = len(value["to_send"]) if dry_run else value["sent"]
    lines = [f"{value['release']} -> {to}: {count} of {value['files']} files {said}, {value['there']} there already"]
    answer(as_json, value | {"to": to}, "\n  ".join([*lines, *value["to_send"]]))


def redact(
    path: ReleaseArgument,
    reason: Annotated[str, typer.Option(help="Why; it stands in the manifest and the card.")],
    ids: Annotated[list[str] | None, typer.Option("--id", help="Sample to withdraw; may be given often.")] = None,
    ids_file: Annotated[Path | None, typer.Option("--ids", help="File with one id a line.")] = None,
    sources: Annotated[list[str] | None, typer.Option("--source", help="Corpus to withdraw; may be given often.")] = None,
    version: Annotated[str | None, typer.Option(help="Of the new release; by default the last number is raised.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="By default NAME-VERSION beside the old one.")] = None,
    tokens: Annotated[Path | None, typer.Option("--tokenizer", help="File of the tokenizer that the release names.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Withdraw samples: write the next version without them, with a list of tombstones. What was made from them goes, too.

    A release that lies in a workspace, or a named --workspace, remembers it: later builds leave the samples out.

    Example: bimedv release redact releases/bimed-v-0.1.0 --source slake --reason "takedown by the publisher"
    """
    from flows.publish import takedown

    value = takedown(path, [*(ids or []), *_lines(ids_file)], sources or [], reason, (version, output, workspace), tokens)
    text = f"{value['withdrawn']} samples withdrawn, {value['samples']} left: {value['version']}\n{value['path']}"
    answer(as_json, value, text)


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        return path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--ids {path}: cannot be read: {error}. Give a text file with one id a line.") from None


def card(path: ReleaseArgument) -> None:
    """Print the dataset card of a release, computed from its manifest.

    Example: bimedv release card work/demo/releases/bimed-v-demo-0.1.0
    """
    from shards.card import card as describe
    from shards.release import load_manifest

    answer(False, {}, describe(load_manifest(path)))
