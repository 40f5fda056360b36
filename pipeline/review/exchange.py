"""The queue as JSON Lines: out with an empty decision block in each line, back in with the experts' words.

An import is all or nothing: every line is checked first, and all faults are shown at once.
"""

from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, get_args

import orjson
from pydantic import ValidationError
from sqlalchemy import Engine, select

from pipeline.database import DecisionRow, ReviewRow, session
from pipeline.quality.checks import run_checks
from pipeline.review.store import waiting
from pipeline.translate.memory import remember
from pipeline.workspace import write_atomic
from schemas.base import Access, Severity
from schemas.errors import InputError
from schemas.review import Decision, DecisionVerdict, ErrorSpan, Order, ReviewItem
from schemas.sample import IMAGE_MARK

_VERDICTS: tuple[DecisionVerdict, ...] = ("accept", "edit", "reject")
_SEVERITIES: tuple[Severity, ...] = get_args(Severity)
#: Faults shown of one file: more are the same mistake again.
_SHOWN = 50
#: What goes out when no class is named.
_OPEN: tuple[Access, ...] = ("open",)
_BLANK: dict[str, Any] = {"verdict": None, "turns": [], "comment": "", "seconds": 0}


class Exported(NamedTuple):
    """What an export wrote, and what it kept back because of its class."""

    items: int
    left_out: dict[str, int]
    """Access class to undecided items of it."""


def export(
    engine: Engine,
    path: Path,
    queue: str | None = None,
    limit: int | None = None,
    access: Collection[Access] = _OPEN,
    order: Order = "riskiest",
) -> Exported:
    """Write undecided items, riskiest first or at random.

    A file is passed on easily: classes that are not open have to be named (law 7).
    """
    lines: list[bytes] = []
    left_out: Counter[str] = Counter()
    for item in waiting(engine, queue, order):
        if item.access not in access:
            left_out[item.access] += 1
            continue
        if limit is not None and len(lines) >= limit:
            continue
        shown = item.model_dump(
            mode="json", include={"id", "sample", "content", "source_turns", "target_turns", "score", "findings"}
        )
        lines.append(orjson.dumps(shown | {"decision": _BLANK}))
    write_atomic(path, b"".join(line + b"\n" for line in lines))
    return Exported(len(lines), dict(sorted(left_out.items())))


def import_decisions(engine: Engine, path: Path, reviewer: str) -> dict[str, Any]:
    """Take decisions over; counts by verdict, lines without a verdict, and warnings on edits that checks find fault with.

    Raises InputError with every faulty line; then nothing was taken.
    """
    if not reviewer.strip():
        raise InputError("--reviewer is empty. Give the expert's name or pseudonym.")
    lines = _lines(path)
    with session(engine) as opened:
        known = {row.id: ReviewItem.model_validate(row.item) for row in opened.scalars(select(ReviewRow))}
    taken = _taken(path, lines, known, reviewer)
    _write(engine, taken)
    counts = Counter(decision.verdict for _, decision in taken)
    return {
        **{verdict: counts[verdict] for verdict in _VERDICTS},
        "undecided": len(lines) - len(taken),
        "warnings": [warning for item, decision in taken for warning in _warnings(item, decision)],
    }


def _lines(path: Path) -> list[tuple[int, bytes]]:
    try:
        raw = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Name a file of `bimedv review export`.") from None
    return [(number, line) for number, line in enumerate(raw, 1) if line.strip()]


def _taken(
    path: Path, lines: list[tuple[int, bytes]], known: dict[str, ReviewItem], reviewer: str
) -> list[tuple[ReviewItem, Decision]]:
    """The decisions of a file, or InputError with all its faults."""
    faults: list[str] = []
    first: dict[str, tuple[int, Decision]] = {}
    for number, line in lines:
        try:
            made, fault = _decision(orjson.loads(line), known, reviewer)
        except orjson.JSONDecodeError as error:
            made, fault = None, f"not JSON: {error}. Keep the lines as exported and fill `decision` in."
        if made and not _same(first.setdefault(made.item, (number, made))[1], made):
            fault = f"{made.item} is decided otherwise in line {first[made.item][0]}. Keep one of the two."
        if fault:
            faults.append(f"{path}:{number}: {fault}")
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more."] if len(faults) > _SHOWN else []
        raise InputError("\n".join([*faults[:_SHOWN], *more, "Nothing was imported."]))
    return [(known[item], made) for item, (_, made) in first.items()]


def _decision(raw: Any, known: dict[str, ReviewItem], reviewer: str) -> tuple[Decision | None, str | None]:
    """The decision of a line, or its fault, or neither when the line is undecided."""
    if not isinstance(raw, dict) or not isinstance(raw.get("decision"), dict):
        return None, "no `decision` block. Keep the lines as exported and fill `decision` in."
    block, name = raw["decision"], raw.get("id")
    item = known.get(str(name))
    verdict = block.get("verdict")
    if item is None:
        return None, f"id is {name!r}, which is not in the queue. Export again; the sample may no longer need a review."
    if verdict in (None, ""):
        return None, None
    if verdict not in _VERDICTS:
        return None, f"decision.verdict is {verdict!r}, expected one of {', '.join(_VERDICTS)} or null."
    if raw.get("content") != item.content:
        return None, "the translation has changed since this line was exported. Export again."
    turns = block.get("turns") or []
    errors, fault = _errors(item, verdict, block.get("errors") or [])
    seconds = block.get("seconds") or 0
    fault = _edit_fault(item, verdict, turns) or fault
    if not isinstance(seconds, int | float) or seconds < 0:
        fault = fault or f"decision.seconds is {seconds!r}, expected a number from 0."
    if fault:
        return None, fault
    return Decision(
        item=item.id,
        sample=item.sample,
        content=item.content,
        verdict=verdict,
        turns=tuple(turns) if verdict == "edit" else (),
        errors=errors,
        reviewer=reviewer,
        seconds=float(seconds),
        comment=str(block.get("comment") or ""),
        decided_at=datetime.now(UTC).isoformat(timespec="seconds"),
    ), None


def _edit_fault(item: ReviewItem, verdict: str, turns: Any) -> str | None:
    if verdict == "accept" and not item.target_turns:
        return "decision.verdict is accept, but there is no translation. Write one with verdict edit."
    if verdict != "edit":
        return None
    if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
        return f"decision.turns is {turns!r}, expected a list of texts."
    if len(turns) != len(item.source_turns):
        return f"decision.turns has {len(turns)} texts, the sample has {len(item.source_turns)} turns. Give one for each."
    for number, (source, target) in enumerate(zip(item.source_turns, turns, strict=True)):
        if not target.strip():
            return f"decision.turns[{number}] is empty."
        wanted, found = source.count(IMAGE_MARK), target.count(IMAGE_MARK)
        if wanted != found:
            return f"decision.turns[{number}] has {found} {IMAGE_MARK} marks, the source {wanted}."
    return None


def _errors(item: ReviewItem, verdict: DecisionVerdict, raw: Any) -> tuple[tuple[ErrorSpan, ...], str | None]:
    """The expert's marks, or the first fault in them. They stand in the exported translation, not in an edit."""
    if not isinstance(raw, list):
        return (), f"decision.errors is {raw!r}, expected a list."
    found = []
    for number, mark in enumerate(raw):
        place = f"decision.errors[{number}]"
        try:
            span = ErrorSpan.model_validate(mark)
        except ValidationError as error:
            fault = error.errors()[0]
            return (), f"{place}.{'.'.join(map(str, fault['loc']))}: {fault['msg']}. Expected turn, span, category and severity."
        if span.severity not in _SEVERITIES:
            return (), f"{place}.severity is {span.severity!r}, expected one of {', '.join(_SEVERITIES)}."
        if not 0 <= span.turn < len(item.target_turns):
            return (), f"{place}.turn is {span.turn}, the translation has turns 0 to {len(item.target_turns) - 1}."
        if not 0 <= span.span[0] <= span.span[1] <= len(item.target_turns[span.turn]):
            return (), f"{place}.span is {list(span.span)}, turn {span.turn} has {len(item.target_turns[span.turn])} characters."
        found.append(span)
    if verdict == "accept" and any(span.severity != "neutral" for span in found):
        return (), "decision.verdict is accept, but decision.errors marks an error. Edit or reject, or take the marks out."
    return tuple(found), None


def _write(engine: Engine, taken: list[tuple[ReviewItem, Decision]]) -> None:
    with session(engine) as opened:
        for item, decision in taken:
            row = opened.get(DecisionRow, (decision.item, decision.reviewer))
            if row is None:
                row = DecisionRow(item=decision.item, reviewer=decision.reviewer)
                opened.add(row)
            if row.decision and _same(Decision.model_validate(row.decision), decision):
                continue
            row.sample, row.content, row.verdict = decision.sample, decision.content, decision.verdict
            row.decision, row.decided_at = decision.model_dump(mode="json"), decision.decided_at
            _remember(opened, item, decision)


def _remember(opened: Any, item: ReviewItem, decision: Decision) -> None:
    """Whole turns of one line go into the memory; a turn of many lines is many segments, which nobody has aligned."""
    if decision.verdict == "reject":
        return
    arabic = decision.turns if decision.verdict == "edit" else item.target_turns
    for source, target in zip(item.source_turns, arabic, strict=True):
        source, target = _bare(source), _bare(target)
        if "\n" not in source and "\n" not in target:
            remember(opened, source, target, item.access, decision.reviewer)


def _bare(text: str) -> str:
    return text.replace(IMAGE_MARK, "").strip()


def _same(one: Decision, other: Decision) -> bool:
    skip = {"decided_at", "seconds"}
    return one.model_dump(exclude=skip) == other.model_dump(exclude=skip)


def _warnings(item: ReviewItem, decision: Decision) -> list[str]:
    """What the checks think of an edit. An expert's word stands; a slip of the pen is worth a second look."""
    if decision.verdict != "edit":
        return []
    found = [
        finding
        for source, target in zip(item.source_turns, decision.turns, strict=True)
        for finding in run_checks(source, target, "text")
        if finding.severity == "critical"
    ]
    # A message may quote the text, and warnings are printed.
    return [f"{item.id}: {finding.message if item.access == 'open' else finding.check}" for finding in found]
