"""Pairs of one's own: a file of JSON Lines through the gate.

In: {"id", "source", "target"} a line. Out: score, verdict and findings a line, same order, written whole or not at all.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from pipeline.quality.gate import Gate, Pair
from pipeline.settings import QualitySettings
from pipeline.workspace import write_atomic
from schemas.errors import InputError


def score_file(source: Path, output: Path, quality: QualitySettings) -> dict[str, Any]:
    """Score JSON Lines of {"id", "source", "target"} into JSON Lines, same order; counts by verdict.

    Raises InputError naming the line of the first fault; `output` is written whole or not at all.
    """
    rows = _read_pairs(source)
    scored = Gate(quality).score([[Pair(row["source"], row["target"], "text")] for row in rows])
    lines = []
    for row, result in zip(rows, scored, strict=True):
        verdict = "review" if result.verdict == "refine" else result.verdict
        findings = [finding.model_dump() for finding in result.findings]
        lines.append(orjson.dumps({"id": row["id"], "score": result.score, "verdict": verdict, "findings": findings}))
    write_atomic(output, b"".join(line + b"\n" for line in lines))
    verdicts = Counter("review" if result.verdict == "refine" else result.verdict for result in scored)
    return {"pairs": len(rows), "verdicts": dict(sorted(verdicts.items()))}


def _read_pairs(path: Path) -> list[dict[str, str]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Name a file of JSON Lines with --input.") from None
    rows: list[dict[str, str]] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{path}:{number}: not JSON: {error}. Each line is one object with id, source and target.") from None
        for name in ("id", "source", "target"):
            if not isinstance(row, dict) or not isinstance(row.get(name), str):
                found = row.get(name) if isinstance(row, dict) else row
                raise InputError(f"{path}:{number}: {name} is {found!r}, expected text. Each line has id, source and target.")
        if row["id"] in seen:
            raise InputError(f"{path}:{number}: id {row['id']!r} occurs a second time. Give each pair its own id.")
        seen.add(row["id"])
        rows.append(row)
    return rows
