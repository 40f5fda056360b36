"""The gate's score held against experts' decisions: what a score means, and from which one on the stated risk holds.

In: Labels. Out: a Calibration (written as JSON), and for the gate the one question whether it covers a score. Importing this is
cheap; scikit-learn (4 s when the disk is cold) is imported by `calibrate`.
"""

from pathlib import Path

import orjson
from pydantic import ValidationError

from pipeline.quality.calibration_data import Labelled, Labels
from pipeline.settings import QualitySettings
from pipeline.workspace import fingerprint
from schemas.calibration import Calibration
from schemas.errors import InputError
from schemas.quality import Score

#: Below this many decisions a curve is a drawing of chance.
ENOUGH = 30


def covers(calibration: Calibration, score: Score, quality: QualitySettings) -> bool:
    """Whether the calibration speaks for this translation: accepted by the gate, scored in the same way, at or above its line.

    Fails closed: no threshold, no score, another version of the gate, a judge on one side only.
    """
    line = calibration.threshold
    if line is None or score.score is None or score.verdict != "accept":
        return False
    if score.version != calibration.gate or (score.judge is not None) != calibration.judge:
        return False
    return score.score >= max(line, quality.accept)


def load_calibration(path: Path) -> Calibration:
    """Read calibration.json. Raises InputError when it is none, or claims what its figures do not show."""
    try:
        return Calibration.model_validate(orjson.loads(path.read_bytes()))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Make it with `bimedv quality calibrate`.") from None
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path}: not JSON: {error}. Make it with `bimedv quality calibrate`.") from None
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "the file"
        raise InputError(f"{path}: {place}: {fault['msg']}. Make it anew with `bimedv quality calibrate`.") from None


def as_bytes(calibration: Calibration) -> bytes:
    """The file's content: the same calibration, the same bytes."""
    return orjson.dumps(calibration.model_dump(mode="json"), option=orjson.OPT_INDENT_2) + b"\n"


def calibrate(labels: Labels, risk: float = 0.05, confidence: float = 0.95) -> Calibration:
    """Fit everything. Raises InputError when there are too few decisions, or when they all say the same.

    `risk` is the share of changed texts that is allowed among the accepted, `confidence` that of calibrations that claim no more
    than is true.
    """
    _check_asked(risk, confidence)
    rows = sorted(labels.rows, key=lambda row: row.id)
    scored = [row for row in rows if row.score is not None and row.weight > 0]
    _check_enough(rows, scored)
    from pipeline.quality.calibration_fit import agreement, checks_worth, fit_curve, groups, histogram
    from pipeline.quality.calibration_risk import find_line

    line, curve = find_line(labels, risk, confidence), fit_curve(scored)
    return Calibration(
        gate=labels.gate,
        judge=labels.judge,
        risk=risk,
        confidence=confidence,
        threshold=line.threshold,
        bound=line.bound,
        start=line.start,
        needed=line.needed,
        source=labels.source,
        n=len(rows),
        n_changed=sum(row.changed for row in rows),
        unscored=sum(row.score is None for row in rows),
        steps=line.steps,
        knots=curve.knots,
        metrics=curve.metrics,
        reliability=curve.reliability,
        histogram=histogram(rows),
        agreement=agreement(rows),
        checks=checks_worth(rows),
        groups=groups(rows, line.threshold),
        data=_digest(labels, rows),
    )


def _check_asked(risk: float, confidence: float) -> None:
    if not 0 < risk < 1:
        raise InputError(f"--risk is {risk:g}, expected a share between 0 and 1, such as 0.05.")
    if not 0.5 <= confidence < 1:
        raise InputError(f"--confidence is {confidence:g}, expected a share from 0.5 to below 1, such as 0.95.")


def _check_enough(rows: list[Labelled], scored: list[Labelled]) -> None:
    changed = sum(row.changed for row in scored)
    if len(scored) >= ENOUGH and 0 < changed < len(scored):
        return
    left_out = f" ({len(rows) - len(scored)} more have no score or no weight)" if len(rows) > len(scored) else ""
    raise InputError(
        f"{len(scored)} decisions on scored texts{left_out}: {changed} changed, {len(scored) - changed} left as they are. "
        f"A calibration needs {ENOUGH} at least, with both kinds among them. Let experts decide more: `bimedv review export`."
    )


def _digest(labels: Labels, rows: list[Labelled]) -> str:
    told = [
        [row.id, row.score, row.verdict, sorted(row.checks), sorted(row.stopping), row.said, row.changed, row.candidate]
        for row in rows
    ]
    weights = [[round(row.weight, 6), row.corpus, row.task] for row in rows]
    return fingerprint(told, weights, sorted(labels.unseen.items()), labels.gate, labels.judge)
