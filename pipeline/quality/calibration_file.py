"""Labelled pairs of one's own as rows for the calibration.

In: JSON Lines of {"id", "source", "target", "changed"}, or with "score" and "findings" instead of the texts; "verdict", "weight",
"corpus" and "task" as one likes. Out: Labels. The lines are taken for a random sample of what is to be accepted; where they are
none, "weight" says for how many texts a line stands. Cost: 2 ms a line that has to be scored, on one core.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import orjson
from pydantic import ValidationError

from pipeline.quality.calibration_data import GateWord, Labelled, Labels, Word, gate_verdict, kind_words, labelled
from pipeline.settings import QualitySettings
from schemas.errors import InputError
from schemas.quality import Finding
from schemas.review import DecisionVerdict

UNSTATED = "unstated"
_VERDICTS: tuple[DecisionVerdict, ...] = get_args(DecisionVerdict)
_KEYS = ("id", "source", "target", "score", "findings", "changed", "verdict", "weight", "corpus", "task", "version", "judge")
_FORM = "Each line is one object with id, changed and either source and target or score and findings."


def from_file(path: Path, quality: QualitySettings) -> Labels:
    """Read labelled lines; what brings no score is scored by the gate. Raises InputError naming the line of the first fault."""
    from pipeline.quality.gate import Gate, Pair

    rows, gate_here = _lines(path), Gate(quality)
    ours = gate_here.version
    bare = [number for number, row in rows.items() if "score" not in row]
    scored = gate_here.score([[Pair(rows[number]["source"], rows[number]["target"], "text")] for number in bare])
    own = {number: (result.score, result.findings) for number, result in zip(bare, scored, strict=True)}
    found: list[Labelled] = []
    kinds: dict[tuple[str, bool], int] = {}
    for number, row in rows.items():
        points, findings = own[number] if number in own else (row["score"], _findings(path, number, row))
        # Scores that do not say which gate gave them are nobody's: a calibration on them covers nothing (law 2).
        version, judge = (ours, False) if number in own else (row.get("version", UNSTATED), row.get("judge", False))
        kinds.setdefault((version, judge), number)
        found.append(_row(row, points, findings, quality))
    if len(kinds) > 1:
        (one, _), (other, line) = sorted(kinds.items(), key=lambda kind: kind[1])[:2]
        raise InputError(f"{path}:{line}: a score of {kind_words(*other)} after some of {kind_words(*one)}. Use one way.")
    gate, judge = next(iter(kinds), (ours, False))
    return Labels(tuple(sorted(found, key=lambda row: row.id)), gate, judge, quality, "file")


def _row(row: dict[str, Any], points: float | None, findings: tuple[Finding, ...], quality: QualitySettings) -> Labelled:
    changed = row["changed"]
    said: tuple[DecisionVerdict, ...] = (row["verdict"],) if "verdict" in row else () if changed else ("accept",)
    gate = GateWord(points, gate_verdict(points, findings, quality), findings)
    made = labelled(row["id"], gate, Word(said, changed), quality, (row.get("corpus", ""), row.get("task", "")))
    return replace(made, weight=float(row.get("weight", 1.0)))


def _lines(path: Path) -> dict[int, dict[str, Any]]:
    """Line number to a row whose fields are of the right kind; lines are split at line feeds alone, as JSON Lines has it."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Name a file of JSON Lines with --input.") from None
    rows: dict[int, dict[str, Any]] = {}
    first: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{path}:{number}: not JSON: {error}. {_FORM}") from None
        fault = _fault(row)
        if fault:
            raise InputError(f"{path}:{number}: {fault}")
        if row["id"] in first:
            raise InputError(f"{path}:{number}: id {row['id']!r} occurs a second time, after line {first[row['id']]}. Keep one.")
        first[row["id"]] = number
        rows[number] = row
    return rows


def _fault(row: Any) -> str | None:
    """The first fault of a line; a missing `changed` is filled in from the verdict."""
    if not isinstance(row, dict):
        return f"found {row!r:.80}, expected an object. {_FORM}"
    unknown = sorted(set(row) - set(_KEYS))
    if unknown:
        return f"unknown key {unknown[0]!r}. Allowed: {', '.join(_KEYS)}."
    texts = ("id",) if "score" in row else ("id", "source", "target")
    optional = [name for name in ("corpus", "task", "version") if name in row]
    for name in (*texts, *optional):
        if not isinstance(row.get(name), str):
            return f"{name} is {row.get(name)!r}, expected text. {_FORM}"
    return _label_fault(row) or _number_fault(row)


def _label_fault(row: dict[str, Any]) -> str | None:
    said = row.get("verdict")
    if said is None:
        row.pop("verdict", None)
    elif said not in _VERDICTS:
        return f"verdict is {said!r}, expected the expert's: {', '.join(_VERDICTS)}. The gate's own is worked out; leave it out."
    else:
        row.setdefault("changed", said != "accept")
    changed = row.get("changed")
    if not isinstance(changed, bool):
        return f"changed is {changed!r}, expected true (an expert would edit or reject the text) or false."
    if said is not None and changed != (said != "accept"):
        return f"changed is {changed}, verdict is {said!r}, which contradict each other. `verdict` is the expert's."
    return None


def _number_fault(row: dict[str, Any]) -> str | None:
    if "weight" in row and not _number(row["weight"], 0.0, math.inf):
        return f"weight is {row['weight']!r}, expected a number from 0."
    if "judge" in row and not isinstance(row["judge"], bool):
        return f"judge is {row['judge']!r}, expected true or false: whether the score has a judge's word in it."
    if "score" not in row:
        return None
    if row["score"] is not None and not _number(row["score"], 0.0, 100.0):
        return f"score is {row['score']!r}, expected a number from 0 to 100, or null where nothing could be scored."
    if not isinstance(row.get("findings"), list):
        return f"findings is {row.get('findings')!r}, expected a list; an empty one where nothing was found."
    return None


def _number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and low <= value <= high


def _findings(path: Path, number: int, row: dict[str, Any]) -> tuple[Finding, ...]:
    try:
        return tuple(Finding.model_validate(finding) for finding in row["findings"])
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        told = f"findings: {place}: {fault['msg']}. Take them over as `bimedv quality score` writes them."
        raise InputError(f"{path}:{number}: {told}") from None
