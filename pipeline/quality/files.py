"""Pairs of one's own: a file of JSON Lines through the gate.

In: {"id", "source", "target"} a line. Out: score, verdict and findings a line, same order, written whole or not at all. Memory: a
block of pairs, and 8 bytes for each id.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from pipeline.quality.gate import Gate, Pair
from pipeline.settings import QualitySettings
from pipeline.workspace import atomic_path
from schemas.errors import InputError

#: Pairs that the encoder sees at once: more gain nothing, and cost 20 kB each.
_BLOCK = 2000
_FIELDS = ("id", "source", "target")


class _Row(NamedTuple):
    line: int
    id: str
    pair: Pair


def score_file(
    source: Path,
    output: Path,
    quality: QualitySettings,
    progress: Callable[[int], None] | None = None,
    gate: Gate | None = None,
    block_pairs: int = _BLOCK,
) -> dict[str, Any]:
    """Score JSON Lines of {"id", "source", "target"} into JSON Lines, same order; counts by verdict.

    The file is read twice, first for faults. Raises InputError naming the first line that is no pair, or else the first whose id
    another has; `output` is written whole or not at all, and may be `source` itself. `progress` is told how many pairs more are
    done. Another `gate` than the config's may be given. `block_pairs` are in memory at a time.
    """
    _check(source)
    gate = gate or Gate(quality)
    verdicts: Counter[str] = Counter()
    with atomic_path(output) as part, part.open("wb") as file, _opened(source) as lines:
        rows = _rows(source, lines)
        while block := list(islice(rows, block_pairs)):
            verdicts.update(_score_block(gate, block, file))
            if progress:
                progress(len(block))
    return {"pairs": verdicts.total(), "verdicts": dict(sorted(verdicts.items()))}


def _score_block(gate: Gate, block: list[_Row], file: BinaryIO) -> list[str]:
    verdicts: list[str] = []
    for row, result in zip(block, gate.score([[row.pair] for row in block]), strict=True):
        verdict = "review" if result.verdict == "refine" else result.verdict
        findings = [finding.model_dump() for finding in result.findings]
        line = {"id": row.id, "score": result.score, "verdict": verdict, "findings": findings}
        file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        verdicts.append(verdict)
    return verdicts


def _check(path: Path) -> None:
    """Raise for the first line that is no pair or has the id of another: before the hours of a long file, not after."""
    with _opened(path) as lines:
        hashes = np.fromiter((_hash(row.id) for row in _rows(path, lines)), np.uint64)
    alike = _twice(hashes)
    if not alike:
        return
    # Eight bytes may be alike by chance, of a million ids once in 37 million files: then the ids themselves decide.
    seen: set[str] = set()
    with _opened(path) as lines:
        for row in _rows(path, lines):
            if _hash(row.id) in alike:
                if row.id in seen:
                    raise InputError(f"{path}:{row.line}: id {row.id!r} occurs a second time. Give each pair its own id.")
                seen.add(row.id)


def _twice(hashes: NDArray[np.uint64]) -> set[int]:
    hashes.sort()
    return set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())


def _opened(path: Path) -> BinaryIO:
    if path.is_fifo():
        raise InputError(f"{path}: is a pipe, and pairs are read twice. Write them to a file first.")
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Name a file of JSON Lines with --input.") from None


def _rows(path: Path, lines: BinaryIO) -> Iterator[_Row]:
    """The pairs, line by line. A lone surrogate, which is no text, is no JSON either."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{path}:{number}: not JSON: {error}. Each line is one object with id, source and target.") from None
        for name in _FIELDS:
            if not isinstance(row, dict) or not isinstance(row.get(name), str):
                found = row.get(name) if isinstance(row, dict) else row
                raise InputError(f"{path}:{number}: {name} is {found!r}, expected text. Each line has id, source and target.")
        yield _Row(number, row["id"], Pair(row["source"], row["target"], "text"))
