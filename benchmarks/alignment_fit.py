"""Makes the weights of `pipeline/quality/alignment.py` from TICO-19 and says what they find of what was cut and added.

In: the human pairs, and texts of two to five of them in a row. Out: the two lines of weights, to be copied; by class the share of
errors that the weights find; false alarms. All pairs make the weights; what they find is reported of each half of the pairs for
weights that the other half made.
"""

import math
import re
import sys
from collections.abc import Callable
from random import Random
from typing import NamedTuple

import numpy as np
from gate_quality import banks
from numpy.typing import NDArray

from pipeline.quality.alignment import LEAST_WORDS, Weights, features
from pipeline.quality.encoder import embedded_encoder
from pipeline.quality.gate import plain
from pipeline.quality.semantic import Likeness, compare, parts

#: Share of human pairs that may have a finding of one kind.
MOST_ALARMS = 0.002
#: What is cut away, in words of the target: from, to, in sixths.
CUTS = {"first half": (0, 3), "last half": (3, 6), "first third": (0, 2), "middle third": (2, 4), "last third": (4, 6)}
_CLAUSE = re.compile(r"(?<=[،,؛;])\s+")


class Case(NamedTuple):
    """A pair, right or wrong; `group` is that of the pair that it was made from."""

    kind: str
    group: int
    source: str
    target: str


def cases(pairs: list[tuple[str, str]], draw: Random) -> list[Case]:
    """All right pairs, and what is made of each."""
    found: list[Case] = []
    for number, (source, target) in enumerate(pairs):
        found.append(Case("right", number, source, target))
        words, clauses = target.split(), _CLAUSE.split(target)
        if len(words) >= 8:
            for name, (start, end) in CUTS.items():
                at, to = len(words) * start // 6, len(words) * end // 6
                found.append(Case(f"no {name}", number, source, _ended(" ".join(words[:at] + words[to:]), source)))
        if len(clauses) > 2:
            gone = draw.randrange(1, len(clauses) - 1)
            found.append(Case("no clause", number, source, " ".join(clauses[:gone] + clauses[gone + 1 :])))
        other = _stranger(pairs, target, draw)
        found.append(Case("sentence behind", number, source, f"{target} {other}"))
        found.append(Case("sentence before", number, source, f"{other} {target}"))
    for number in range(0, len(pairs) - 5, 3):
        few = pairs[number : number + draw.choice((2, 2, 3, 4, 5))]
        found += _of_several(number, few, _stranger(pairs, few[0][1], draw), draw)
    return found


def _ended(target: str, source: str) -> str:
    """A text with a full stop where the source ends with one: else the check `truncation` finds it."""
    return target.rstrip(" ،؛:") + "." if source.endswith(".") and not target.endswith(".") else target


def _of_several(number: int, few: list[tuple[str, str]], other: str, draw: Random) -> list[Case]:
    source, targets = " ".join(one for one, _ in few), [two for _, two in few]
    at = draw.randrange(len(few))
    made = {
        "right, several": targets,
        "no sentence": targets[:at] + targets[at + 1 :],
        "sentence among": [*targets[:at], other, *targets[at:]],
        "sentence replaced": [*targets[:at], other, *targets[at + 1 :]],
    }
    return [Case(kind, number, source, " ".join(texts)) for kind, texts in made.items()]


def _stranger(pairs: list[tuple[str, str]], target: str, draw: Random) -> str:
    while True:
        other = draw.choice(pairs)[1]
        if other != target and 30 <= len(other) <= 110:
            return other


def fitted(rows: NDArray[np.float64], kinds: NDArray[np.str_]) -> Weights:
    """A logistic regression, each kind of error weighing the same; `MOST_ALARMS` of the right pairs lie above 0."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    right = np.char.startswith(kinds, "right")
    names, counts = np.unique(kinds, return_counts=True)
    count = dict(zip(names.tolist(), counts.tolist(), strict=True))
    # A kind that can be made in few pairs does not weigh as much as the others: its few would decide.
    weights = [1.0 if kind.startswith("right") else right.sum() / (len(names) - 2) / max(count[kind], 300) for kind in kinds]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000))
    model.fit(rows, ~right, logisticregression__sample_weight=weights)
    scale, line = model[0], model[1]
    slopes = line.coef_[0] / scale.scale_
    constant = float(np.quantile(rows[kinds == "right"] @ slopes, 1 - MOST_ALARMS))
    return Weights._make([*(float(f"{slope:.3g}") for slope in slopes), float(f"{-constant:.4g}")])


def report(name: str, made: list[Case], near: list[Likeness], wanted: Callable[[str], bool], side: bool) -> None:
    """Print the weights that all cases make, and what those of each half find in the other."""
    rows = np.array(
        [
            features(case.source, case.target, one.similarity, *((one.source, one.target) if side else (one.target, one.source)))
            for case, one in zip(made, near, strict=True)
        ]
    )
    several = np.array([len(one.source if side else one.target) > 1 for one in near])
    several &= np.array([len(case.source.split()) >= LEAST_WORDS for case in made])
    kinds, even = np.array([case.kind for case in made]), np.array([case.group % 2 == 0 for case in made])
    right = np.char.startswith(kinds, "right")
    # Texts of one part are not judged by the weights, but make them: how short a text may be for its length to mean something.
    used = right | np.array([wanted(kind) for kind in kinds])
    above = np.zeros(len(made), bool)
    for half in (even, ~even):
        weights = fitted(rows[used & half], kinds[used & half])
        above[~half] = (rows[~half] @ np.array(weights[:-1]) + weights.constant > 0) & several[~half]
    weights = fitted(rows[used], kinds[used])
    sys.stdout.write(f"{name} = Weights({', '.join(f'{weight:g}' for weight in weights)})\n")
    for kind in dict.fromkeys(kinds):
        if wanted(kind) or kind.startswith("right"):
            sys.stdout.write(f"  {kind:<20}{(kinds == kind).sum():>6}  {above[kinds == kind].mean():.3f}\n")


def main() -> None:
    """Print the weights and what they find."""
    found = banks()
    if "tico19" not in found:
        return
    pairs = [(good.source, good.target) for good in found["tico19"]]
    made = cases(pairs, Random(5))
    near = compare(embedded_encoder(), [parts(plain(case.source)) for case in made], [parts(plain(case.target)) for case in made])
    assert all(math.isfinite(one.similarity) for one in near)
    report("OMISSION", made, near, lambda kind: kind.startswith("no "), side=True)
    report("ADDITION", made, near, lambda kind: kind.startswith("sentence"), side=False)


if __name__ == "__main__":
    main()
