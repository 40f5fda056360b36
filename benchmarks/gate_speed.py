"""The gate: deterministic checks and the sentence encoder, per pair; the floor is Unicode folding of the same text."""

import sys
import time
import unicodedata
from collections.abc import Callable

from pipeline.quality.checks import run_checks
from pipeline.quality.gate import Gate, Pair
from pipeline.settings import QualitySettings

ENGLISH = "There is a {n} mm nodule in the right upper lobe and no pleural effusion; take {n} mg of the drug on day {n}."
ARABIC = "توجد عقيدة بحجم {n} ملم في الفص العلوي الأيمن ولا يوجد انصباب جنبي؛ تناول {n} ملغ من الدواء في اليوم {n}."
PAIRS = 400


def timed(work: Callable[[], object]) -> float:
    """Microseconds a pair, best of three."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best / PAIRS * 1e6


def main() -> None:
    """Print microseconds a pair and the ratio to the floor."""
    pairs = [(ENGLISH.format(n=n), ARABIC.format(n=n)) for n in range(3, PAIRS + 3)]
    gate = Gate(QualitySettings())
    gate.score([[Pair(*pairs[0], "answer")]])
    floor = timed(lambda: [unicodedata.normalize("NFKC", source + target) for source, target in pairs])
    checks = timed(lambda: [run_checks(source, target, "answer") for source, target in pairs])
    whole = timed(lambda: gate.score([[Pair(source, target, "answer")] for source, target in pairs]))
    for name, took in (("NFKC (floor)", floor), ("checks", checks), ("checks+encoder", whole)):
        sys.stdout.write(f"{name:<16} {took:8.1f} µs a pair   {took / floor:8.1f} x the floor\n")


if __name__ == "__main__":
    main()
