"""`bimedv train`, `eval`, `chat`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.common import JsonOption, WorkspaceOption, answer, orchestrated


def register(app: typer.Typer) -> None:
    """Add this module's commands to the app."""
    app.command()(train)
    app.command("eval")(evaluate)
    app.command()(chat)


def train(
    what: Annotated[
        str, typer.Argument(metavar="PRESET|CONFIG", help="A run's config, a preset such as `tiny`, or a training file.")
    ],
    release: Annotated[Path | None, typer.Option(help="Release to train on, when WHAT is a preset.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the model, when WHAT is a preset.")] = None,
    stage: Annotated[str | None, typer.Option(help="align or instruct; both when not given.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be trained and what it takes; train nothing.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train in two stages: the projector alone, then LoRA and projector.

    Example: bimedv train tiny --release work/demo/releases/bimed-v-demo-0.1.0 --output work/model
    """
    from model.config import load_config
    from schemas.errors import InputError

    if plan:
        from model.plan import plan as forecast

        value = forecast(load_config(_preset(what, workspace)), release)
        answer(as_json, value, "\n".join(f"{key:<16} {item}" for key, item in value.items()))
        return
    if _is_run(what):
        with orchestrated(Path(what), workspace, ["train"]):
            from flows.road import train as train_flow

            value = train_flow(what, str(workspace) if workspace else None)
        answer(as_json, value, _train_text(value))
        return
    if release is None or output is None:
        raise InputError(f"train {what}: name the release and the folder of the model: --release PATH --output PATH.")
    from model.train import train as teach

    report = teach(release, output, load_config(what), stage=stage)
    value = {"train": report.as_json(), "model": str(output)}
    answer(as_json, value, _train_text(value))


def evaluate(
    model: Annotated[Path, typer.Argument(help="Folder of a trained model.")],
    release: Annotated[Path, typer.Option(help="Release whose held-out split is asked.")],
    benchmark: Annotated[list[str] | None, typer.Option(help="Name of a benchmark; may be given more than once.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a model on samples that it was not trained on, by language and task.

    Example: bimedv eval work/demo/models/tiny --release work/demo/releases/bimed-v-demo-0.1.0
    """
    from model.evaluate import evaluate as measure

    value = measure(model, release, benchmark or ["held_out"])
    answer(as_json, value, "\n".join(_flat(value)))


def chat(
    model: Annotated[Path, typer.Argument(help="Folder of a trained model.")],
    question: Annotated[
        str | None, typer.Option("--question", "-q", help="Ask once; without it, a conversation on the terminal.")
    ] = None,
    image: Annotated[Path | None, typer.Option("--image", "-i", help="Image that the question is about.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a trained model; it answers in the language of the question.

    Example: bimedv chat work/demo/models/tiny --question "ما نوع هذه الصورة؟"
    """
    from model.generate import Chat

    mind = Chat(model)
    if question is not None:
        said = mind.answer(question, image)
        answer(as_json, {"question": question, "answer": said}, said)
        return
    while True:
        try:
            asked = typer.prompt("you")
        except typer.Abort:
            return
        typer.echo(mind.answer(asked, image))


def _is_run(what: str) -> bool:
    import yaml

    path = Path(what)
    if not path.is_file():
        return False
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    return isinstance(raw, dict) and "sources" in raw


def _preset(what: str, workspace: Path | None) -> str:
    if not _is_run(what):
        return what
    from pipeline.settings import load_settings

    return load_settings(Path(what), workspace).train.preset


def _train_text(value: dict[str, Any]) -> str:
    return "\n".join(_flat(value)) or "train.preset is none: nothing to train"


def _flat(value: dict[str, Any], head: str = "") -> list[str]:
    lines = []
    for key, item in value.items():
        if isinstance(item, dict):
            lines += _flat(item, f"{head}{key}.")
        else:
            lines.append(f"{head}{key:<28} {item}")
    return lines
