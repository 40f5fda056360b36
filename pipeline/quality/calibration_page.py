"""A calibration in words: one self-contained HTML page, and a few lines for a terminal.

In: a Calibration. Out: text. Nothing is fetched, nothing is decided here; the same calibration gives the same bytes. Cost: 1.2 s,
most of it the chart renderer's start.
"""

from pathlib import Path
from typing import Any

from pipeline import report
from pipeline.quality.calibrate import as_bytes
from pipeline.quality.calibration_charts import drawings
from pipeline.workspace import write_atomic
from schemas.calibration import Calibration, RiskStep
from schemas.errors import InputError

#: What each source means for the statement; the reasons stand in pipeline/quality/calibration_data.py.
_SAMPLING = {
    "workspace": (
        "A text drawn for the audit weighs the inverse of its probability, scaled to its corpus and task. The other queues are "
        "read riskiest first: what is decided there is weighted up to all texts of the same queue, corpus and 5 points of "
        "score, and where nobody has decided anything all texts count as changed. Where experts differ a text counts as changed."
    ),
    "file": (
        "The lines are taken for a random sample of the texts that the gate would accept, each weighing what it says (1 where it "
        "says nothing). If they were chosen otherwise, by their score or by how hard they looked, the statement does not hold."
    ),
}
_GATE, _EXPERT = ("accept", "review", "reject"), ("accepted", "edited", "rejected")


def write_page(found: Calibration, out: Path) -> None:
    """Write the page; an older one is replaced whole."""
    text = (
        _environment()
        .get_template("calibration.html.j2")
        .render(
            found=found,
            claim=claim(found),
            drawings=drawings(found),
            sampling=_SAMPLING[found.source],
            steps=_shown_steps(found),
            table=list(zip(_GATE, found.agreement.table, strict=True)),
            experts=_EXPERT,
            style=(Path(report.__file__).parent / "style.css").read_text(encoding="utf-8"),
        )
    )
    write_atomic(out, text.encode())


def write_calibration(found: Calibration, path: Path) -> None:
    """Write the calibration and, beside it, its page. Raises InputError when both would have one name."""
    page = path.with_suffix(".html")
    if page == path:
        raise InputError(f"--output {path}: the page takes that name. Give the calibration one that ends in .json.")
    write_atomic(path, as_bytes(found))
    write_page(found, page)


def claim(found: Calibration) -> str:
    """What the decisions show, in a sentence or two; or that they show nothing, and what is missing."""
    asked = f"at most {percent(found.risk)} of the accepted texts would be changed by an expert"
    first = f"From a score of {found.start:g}"
    if found.threshold is not None:
        step = next(step for step in found.steps if step.threshold == found.threshold)
        return (
            f"From a score of {found.threshold:g}, {asked} ({percent(found.confidence)} confidence): of {step.n} such decisions "
            f"{step.changed} changed the text, and the upper bound of the share is {percent(found.bound)}."
        )
    step = next(step for step in found.steps if step.threshold == found.start)
    shown = (
        f"The decisions show for no score that {asked}, at {percent(found.confidence)} confidence. {first}, {step.n} are decided "
        f"and {step.changed} changed; the upper bound is {percent(step.bound)}."
    )
    return f"{shown} {_missing(found, step.unseen)}"


def _missing(found: Calibration, unseen: int) -> str:
    if found.needed is None:
        return (
            f"No number of decisions without a change would be enough while {unseen:,} texts from there up lie where nobody has "
            "decided anything: let experts decide some of every corpus and score."
        )
    about = f"About {found.needed:,} more decisions without a change from {found.start:g} up would show it"
    rest = f", some of them among the {unseen:,} texts where nobody has decided anything" if unseen else ""
    return f"{about}{rest}. Or allow a higher risk."


def summary(found: Calibration) -> str:
    """For a terminal: the claim, how good the score is, and the checks that cost more than they find."""
    told, agreed = found.metrics, found.agreement
    auc = "not known (one kind of text only)" if told.auc is None else f"{told.auc:.3f}"
    lines = [
        claim(found),
        "",
        f"decisions     {found.n} ({found.n_changed} changed), gate {found.gate}, {'with' if found.judge else 'without'} a judge",
        f"AUC           {auc}",
        f"calibration   expected error {percent(told.ece)}, Brier {told.brier:.3f} (base rate alone {told.brier_base:.3f})",
        f"agreement     quadratic kappa {_kappa(found)} on {agreed.n} words of experts",
    ]
    for check in found.costly:
        lines.append(f"costs more than it finds: {check.check}: {check.costs}")
    return "\n".join(lines)


def percent(share: float | None) -> str:
    """4.7 %: three digits at most."""
    return "none" if share is None else f"{share * 100:.3g} %"


def _kappa(found: Calibration) -> str:
    agreed = found.agreement
    if agreed.kappa is None:
        return "not known (gate or experts have said one thing only)"
    span = "" if agreed.low is None or agreed.high is None else f" ({agreed.low:.2f} to {agreed.high:.2f})"
    return f"{agreed.kappa:.2f}{span}"


def _shown_steps(found: Calibration) -> list[RiskStep]:
    """The tested thresholds, and every fifth of the others as long as decisions are added."""
    low = min((step.threshold for step in found.steps if step.n and step.n > _above(found, step)), default=0.0)
    return [
        step
        for step in found.steps
        if step.tested or step.threshold == found.start or (step.n and step.threshold % 5 == 0 and step.threshold >= low - 4)
    ]


def _above(found: Calibration, step: RiskStep) -> int:
    """Decisions at or above the next higher threshold."""
    return next((one.n for one in found.steps if one.threshold == step.threshold + 1), 0)


def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, count=lambda number: f"{number:,}")
    environment.globals.update(kappa=_kappa)
    return environment
