"""What the gate catches of known errors and what it refuses of good pairs: a measurement, so it always exits with 0.

In: `gate_pairs.jsonl` (good pairs of our own) and, where it lies beside the repository, TICO-19 (human translations).
Out: a table by class of error, the false alarms on each bank, the cost of a pair. Takes 40 s of CPU, 10 s without the encoder.
"""

import argparse
import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from pipeline.quality.checks import run_checks
from pipeline.quality.corruptor import CLASSES, Corruption, corrupt
from pipeline.quality.corruptor.edits import Span
from pipeline.quality.gate import VERSION, Gate, Pair, Scored
from pipeline.settings import QualitySettings
from schemas.quality import Finding

HERE = Path(__file__).parent
OWN = HERE / "gate_pairs.jsonl"
TICO = HERE.parent.parent / "shared" / "corpora" / "tico19" / "en-ar.tmx"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
#: As `bimedv quality score` labels a pair.
KIND = "text"
#: How near a finding has to come to a place where something is missing, in characters.
NEAR = 1
SHOWN = 3


class Good(NamedTuple):
    """A right pair and its bank."""

    bank: str
    id: str
    source: str
    target: str


class Wrong(NamedTuple):
    """A right pair with an error in it, what the checks found and in how many microseconds, and the gate's word."""

    good: Good
    error: Corruption
    found: tuple[Finding, ...]
    micros: float
    scored: Scored

    @property
    def by_checks(self) -> bool:
        """A minor finding refuses nothing."""
        return any(finding.severity in ("major", "critical") for finding in self.found)

    @property
    def refused(self) -> bool:
        """The whole gate does not accept it."""
        return self.scored.verdict != "accept"

    @property
    def critical(self) -> bool:
        """A finding of the whole gate is critical."""
        return any(finding.severity == "critical" for finding in self.scored.findings)

    @property
    def span_hit(self) -> bool | None:
        """A finding points at the error; None where no finding names a place, or where all of the text is the error."""
        here = [f.target_span for f in self.found if f.target_span]
        there = [f.source_span for f in self.found if f.source_span] if self.error.source_span else []
        if not self.by_checks or not here + there:
            return None
        if self.error.span == (0, len(self.error.target)):
            return None
        known = self.error.source_span or (0, 0)
        return any(_touch(span, self.error.span) for span in here) or any(_touch(span, known) for span in there)


class Agreeable:
    """An encoder to which everything is alike: what is caught then is caught by the checks."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The same unit vector for each text."""
        return np.tile(np.array([1.0, 0.0], dtype=np.float32), (len(texts), 1))


def banks() -> dict[str, list[Good]]:
    """Our own pairs, and the human ones where they are; says so where they are not."""
    rows = [json.loads(line) for line in OWN.read_text(encoding="utf-8").splitlines()]
    found = {"own": [Good("own", row["id"], row["source"], row["target"]) for row in rows]}
    if TICO.exists():
        found["tico19"] = list(_tico())
    else:
        print(f"SKIPPED: no TICO-19 at {'/'.join(TICO.parts[-4:])}; false alarms on human translations are not measured\n")
    return found


def errors(name: str, goods: Sequence[Good], limit: int, seed: int) -> Iterator[tuple[Good, Corruption]]:
    """The first pairs in which the error can be made, at most `limit` of them, each with its error."""
    made = 0
    for at, good in enumerate(goods):
        # Seven of the pairs that stand further on: never the pair itself, and no copy of the whole list for each pair.
        others = [goods[(at + step) % len(goods)].target for step in range(1, 8)]
        error = corrupt(name, good.source, good.target, seed, [other for other in others if other != good.target])
        if error is not None:
            yield good, error
            made += 1
        if made == limit:
            return


def judged(made: Sequence[tuple[Good, Corruption]], gate: Gate) -> list[Wrong]:
    """Errors, read by the checks and by the whole gate."""
    scored = gate.score([[Pair(good.source, error.target, KIND)] for good, error in made]) if made else []
    return [
        Wrong(good, error, *_timed(good.source, error.target), word) for (good, error), word in zip(made, scored, strict=True)
    ]


def row(name: str, wrong: Sequence[Wrong]) -> dict[str, Any]:
    """One line of the table; shares are of what was made, the span's of what could be compared."""
    hits = [one.span_hit for one in wrong if one.span_hit is not None]
    return {
        "class": name,
        "severity": CLASSES[name].severity,
        "made": len(wrong),
        "checks": _share([one.by_checks for one in wrong]),
        "gate": _share([one.refused for one in wrong]),
        "critical": _share([one.critical for one in wrong]),
        "span": _share(hits),
        "micros": round(median(one.micros for one in wrong), 1) if wrong else None,
        "accepted": [
            {"id": one.good.id, "what": one.error.what, "source": one.good.source, "target": one.error.target}
            for one in wrong
            if not one.refused
        ],
    }


def alarms(bank: str, goods: Sequence[Good], gate: Gate) -> dict[str, Any]:
    """Good pairs that the gate refuses, and what a pair costs."""
    start = time.process_time()
    scored = gate.score([[Pair(good.source, good.target, KIND)] for good in goods])
    whole = (time.process_time() - start) / len(goods) * 1e6
    refused = [(good, word) for good, word in zip(goods, scored, strict=True) if word.verdict != "accept"]
    return {
        "bank": bank,
        "pairs": len(goods),
        "refused": [
            {
                "id": good.id,
                "score": word.score,
                "similarity": word.similarity,
                "findings": [f"{f.check} ({f.severity}): {f.message}" for f in word.findings],
                "source": good.source,
                "target": good.target,
            }
            for good, word in refused
        ],
        "micros_checks": round(median(_timed(good.source, good.target)[1] for good in goods), 1),
        "micros_gate": round(whole, 1),
    }


def print_row(line: dict[str, Any]) -> None:
    """One line of the table."""
    shares = "".join(f"{_percent(line[name]):>10}" for name in ("checks", "gate", "critical", "span"))
    print(f"{line['class']:<24}{line['severity']:<10}{line['made']:>5}{shares}{line['micros'] or 0:>9.0f}", flush=True)


def print_misses(line: dict[str, Any]) -> None:
    """The first few that were accepted."""
    for miss in line["accepted"][:SHOWN]:
        print(f"    accepted {miss['id']}: {miss['what'][:70]}\n      {miss['source'][:160]!r}\n      {miss['target'][:160]!r}")


def print_alarms(found: dict[str, Any], show: bool) -> None:
    """False alarms of a bank, by name where they are wanted."""
    share = len(found["refused"]) / found["pairs"]
    print(
        f"{found['bank']:<8} {len(found['refused'])} of {found['pairs']} good pairs refused ({share:.2%}); a pair costs", end=" "
    )
    print(f"{found['micros_checks']:.0f} µs of CPU in the checks (median), {found['micros_gate']:.0f} in the gate (mean)")
    for one in found["refused"] if show else ():
        why = "; ".join(one["findings"]) or "similarity alone"
        print(f"    {one['id']}: score {one['score']}, similarity {one['similarity']}: {why}")
        print(f"      {one['source'][:200]!r}\n      {one['target'][:200]!r}")


def main() -> None:
    """Print the table and the false alarms; write both as JSON where a file is named."""
    asked = _options()
    gate = Gate(QualitySettings(), Agreeable() if asked.no_encoder else None)
    found = banks()
    mixed = [Random(asked.seed).sample(goods, len(goods)) for goods in found.values()]
    print(f"{VERSION}, {'checks alone' if asked.no_encoder else 'checks and encoder'}; µs of CPU time for the checks on a pair")
    print(f"{'class':<24}{'severity':<10}{'made':>5}{'checks':>10}{'gate':>10}{'critical':>10}{'span':>10}{'µs':>9}")
    lines = []
    for name in CLASSES:
        made = [error for goods in mixed for error in errors(name, goods, asked.limit, asked.seed)]
        lines.append(row(name, judged(made, gate)))
        print_row(lines[-1])
        if asked.show:
            print_misses(lines[-1])
    print("\nFalse alarms")
    false = [alarms(bank, goods, gate) for bank, goods in found.items()]
    for one in false:
        print_alarms(one, asked.show)
    if asked.json:
        asked.json.write_text(json.dumps({"version": VERSION, "classes": lines, "alarms": false}, ensure_ascii=False, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What the gate catches of known errors, and what it refuses of good pairs.")
    parser.add_argument("--limit", type=int, default=70, help="errors of a class made from each bank (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other errors (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there, with all errors that were accepted")
    parser.add_argument("--no-encoder", action="store_true", help="the checks alone, in a quarter of the time")
    parser.add_argument("--show", action="store_true", help="list the refused good pairs and some accepted errors")
    return parser.parse_args()


def _tico() -> Iterator[Good]:
    for number, unit in enumerate(ElementTree.parse(TICO).getroot().iter("tu"), 1):
        texts = {tuv.get(LANGUAGE): re.sub(r"\s+", " ", tuv.findtext("seg") or "").strip() for tuv in unit.iter("tuv")}
        yield Good("tico19", f"tico-{number:04d}", texts["en"], texts["ar"])


def _timed(source: str, target: str) -> tuple[tuple[Finding, ...], float]:
    # CPU time: others on the machine made this ten times as long by the clock.
    start = time.thread_time()
    found = run_checks(source, target, KIND)
    return found, (time.thread_time() - start) * 1e6


def _touch(span: Span, known: Span) -> bool:
    if known[0] == known[1]:
        return span[0] - NEAR <= known[0] <= span[1] + NEAR
    return span[0] < known[1] and known[0] < span[1]


def _share(values: Sequence[bool]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


if __name__ == "__main__":
    main()
