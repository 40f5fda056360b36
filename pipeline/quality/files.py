"""Pairs of one's own: a file of JSON Lines through the gate.

In: {"id", "source", "target"} a line. Out: score, verdict and findings a line, same order, written whole or not at all. Memory: a
block of pairs, and 8 bytes for each id.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from pipeline.quality.gate import Gate, Pair, Scored
from pipeline.quality.judge import Judgement, together
from pipeline.workspace import atomic_path
from schemas.errors import InputError

#: Pairs that the encoder sees at once: more gain nothing, and cost 20 kB each.
_BLOCK = 2000
_FIELDS = ("id", "source", "target")


class _Row(NamedTuple):
    line: int
    id: str
    pair: Pair


class Reader(Protocol):
    """Who reads pairs after the gate: a judge."""

    def read(self, pairs: Sequence[Pair], scored: Sequence[Scored]) -> list[Judgement | None]:
        """One word a pair, in order; None where none was asked for."""
        ...


def score_file(
    source: Path,
    output: Path,
    gate: Gate,
    judge: Reader | None = None,
    progress: Callable[[int], None] | None = None,
    block_pairs: int = _BLOCK,
) -> dict[str, Any]:
    """Score JSON Lines of {"id", "source", "target"} into JSON Lines, same order; counts by verdict.

    The file is read twice, first for faults. Raises InputError naming the first line that is no pair, or else the first whose id
    another has; `output` is written whole or not at all, and may be `source` itself. `progress` is told how many pairs more are
    done. `block_pairs` are in memory at a time. `unjudged` counts pairs on which the judge's endpoint failed: they go to review.
    """
    _check(source)
    verdicts: Counter[str] = Counter()
    failed = 0
    with atomic_path(output) as part, part.open("wb") as file, _opened(source) as lines:
        rows = _rows(source, lines)
        while block := list(islice(rows, block_pairs)):
            failed += _score_block(gate, judge, block, file, verdicts)
            if progress:
                progress(len(block))
    unjudged = {"unjudged": failed} if judge else {}
    return {"pairs": verdicts.total(), "verdicts": dict(sorted(verdicts.items())), **unjudged}


def _score_block(gate: Gate, judge: Reader | None, block: list[_Row], file: BinaryIO, verdicts: Counter[str]) -> int:
    """Write the lines of a block, count their verdicts; on how many pairs the judge's endpoint failed."""
    pairs = [row.pair for row in block]
    scored = gate.score([[pair] for pair in pairs])
    words = judge.read(pairs, scored) if judge else [None] * len(pairs)
    limits = gate.limits()
    for row, result, said in zip(block, scored, words, strict=True):
        word = together(result, said, limits)
        verdict = "review" if word.verdict == "refine" else word.verdict
        findings = [finding.model_dump() for finding in word.findings]
        line = {"id": row.id, "score": word.score, "verdict": verdict, "findings": findings}
        if judge:
            line["judge"] = word.judge
        file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        verdicts[verdict] += 1
    return sum(said is not None and said.state == "failed" for said in words)


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
