"""How score and checks map to what experts do: isotonic curve, its reliability, agreement, and what each check is worth.

In: decided rows. Out: the parts of a Calibration; same rows, same numbers. Lost: rows that weigh nothing; for the curve, rows
without a score. Cost: 20 ms for 400 rows, 0.2 s for 10,000, after 1 s for the import of scikit-learn (4 s when the disk is cold).

Sources. Agreement: J. Cohen (1968), "Weighted kappa", Psychological Bulletin 70, 213-220, with quadratic weights; its interval by
bootstrap over texts, because the words on one text are not independent. Expected calibration error: M. P. Naeini, G. F. Cooper,
M. Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning", AAAI, in bins of equally many texts.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING, Any

from pipeline.quality.calibration_data import Labelled
from pipeline.quality.intervals import effective_size, wilson
from schemas.calibration import Agreement, CheckWorth, Group, Knot, Metrics, Reliability, ScoreBar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_SEED, _FOLDS, _BINS, _DRAWS, _BAR = 20260101, 5, 10, 2000, 5
_DIGITS = 6
_GATE, _EXPERT = ("accept", "review", "reject"), ("accept", "edit", "reject")
#: With fewer texts a check's figures may be chance; it is named all the same, with this said.
_FEW = 5


@dataclass(frozen=True)
class Curve:
    """The isotonic fit and how far its cross-validated predictions can be believed."""

    knots: tuple[Knot, ...]
    metrics: Metrics
    reliability: tuple[Reliability, ...]


def fit_curve(rows: Sequence[Labelled]) -> Curve:
    """P(changed) as a falling function of the score. `rows` have scores and weights above 0, in the order of their ids."""
    import numpy as np

    score = np.array([row.score for row in rows], dtype=float)
    changed = np.array([row.changed for row in rows], dtype=float)
    weight = np.array([row.weight for row in rows], dtype=float)
    whole = _isotonic(score, changed, weight)
    knots = tuple(
        Knot(score=round(float(x), 4), probability=_round(y))
        for x, y in zip(whole.X_thresholds_, whole.y_thresholds_, strict=True)
    )
    guessed = _unseen_predictions(score, changed, weight)
    points, error = _reliability(guessed, changed, weight)
    base = float(np.average(changed, weights=weight))
    metrics = Metrics(
        base_rate=_round(base),
        auc=_auc(score, changed, weight),
        brier=_round(np.average((guessed - changed) ** 2, weights=weight)),
        brier_base=_round(base * (1 - base)),
        ece=_round(error),
    )
    return Curve(knots, metrics, points)


def _isotonic(score: "Numbers", changed: "Numbers", weight: "Numbers") -> Any:
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0.0, y_max=1.0, increasing=False, out_of_bounds="clip")
    return model.fit(score, changed, sample_weight=weight)


def _unseen_predictions(score: "Numbers", changed: "Numbers", weight: "Numbers") -> "Numbers":
    """A prediction for each row by a fit without it and a fifth of the others."""
    import numpy as np
    from sklearn.model_selection import KFold

    guessed = np.zeros(len(score))
    for known, held in KFold(_FOLDS, shuffle=True, random_state=_SEED).split(score):
        guessed[held] = _isotonic(score[known], changed[known], weight[known]).predict(score[held])
    return guessed


def _auc(score: "Numbers", changed: "Numbers", weight: "Numbers") -> float | None:
    from sklearn.metrics import roc_auc_score

    if changed.min() == changed.max():
        return None
    return _round(roc_auc_score(changed, -score, sample_weight=weight))


def _reliability(guessed: "Numbers", changed: "Numbers", weight: "Numbers") -> tuple[tuple[Reliability, ...], float]:
    """Bins of about equally many texts, equal predictions in one; and the expected calibration error over them."""
    import numpy as np

    order = np.argsort(guessed, kind="stable")
    least, bins, current = len(order) / _BINS, [], []
    for place, number in enumerate(order):
        current.append(int(number))
        ends = place + 1 == len(order) or guessed[order[place + 1]] > guessed[number]
        if ends and (len(current) >= least or place + 1 == len(order)):
            bins.append(current)
            current = []
    if len(bins) > 1 and len(bins[-1]) < least / 2:
        bins[-2:] = [bins[-2] + bins[-1]]
    points, error = [], 0.0
    for members in bins:
        mass = weight[members]
        predicted, observed = (float(np.average(values[members], weights=mass)) for values in (guessed, changed))
        span = wilson(observed, effective_size(mass.tolist()))
        error += abs(predicted - observed) * float(mass.sum())
        points.append((predicted, observed, span.low, span.high, len(members)))
    names = ("predicted", "observed", "low", "high")
    shown = tuple(Reliability(**dict(zip(names, map(_round, values), strict=True)), n=n) for *values, n in points)
    return shown, error / float(weight.sum())


def agreement(rows: Sequence[Labelled]) -> Agreement:
    """Gate and experts side by side, each word once and unweighted; rows are in the order of their ids."""
    import numpy as np

    told = [row for row in rows if row.said]
    counts = np.zeros((len(told), 9))
    for number, row in enumerate(told):
        for word in row.said:
            counts[number, _GATE.index(row.verdict) * 3 + _EXPERT.index(word)] += 1
    table = counts.sum(axis=0).reshape(3, 3)
    kappa = _kappa(table[None])[0] if told else np.nan
    low = high = np.nan
    if np.isfinite(kappa):
        # Texts with the same words are alike: drawing kinds of text by their shares is drawing texts, in a few kB.
        kinds, sizes = np.unique(counts, axis=0, return_counts=True)
        draws = np.random.default_rng(_SEED).multinomial(len(told), sizes / len(told), size=_DRAWS)
        many = _kappa((draws @ kinds).reshape(-1, 3, 3))
        low, high = np.nanpercentile(many, [2.5, 97.5]) if np.isfinite(many).any() else (np.nan, np.nan)
    return Agreement(
        n=int(table.sum()),
        kappa=_maybe(kappa),
        low=_maybe(low),
        high=_maybe(high),
        table=tuple((int(a), int(b), int(c)) for a, b, c in table),
    )


def _kappa(tables: "Numbers") -> "Numbers":
    """Quadratic weighted kappa of each 3 x 3 table: 1 - Σ w·observed / Σ w·expected; NaN where nothing else could be expected."""
    import numpy as np

    places = np.arange(3)
    weights = (places[:, None] - places[None, :]) ** 2 / 4
    total = tables.sum(axis=(1, 2))
    expected = tables.sum(axis=2)[:, :, None] * tables.sum(axis=1)[:, None, :] / total[:, None, None]
    apart = (weights * expected).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(apart > 0, 1 - (weights * tables).sum(axis=(1, 2)) / apart, np.nan))


def checks_worth(rows: Sequence[Labelled]) -> tuple[CheckWorth, ...]:
    """Each check that fired, the most frequent first. Precision, recall and base rate are weighted, the rest is counted."""
    known = [row for row in rows if row.weight > 0]
    names = sorted({name for row in rows for name in row.checks})
    odds = _log_odds(known, names)
    base = _share(known, lambda row: row.changed)
    found = [_worth(name, rows, known, base or 0.0, odds[name]) for name in names]
    return tuple(sorted(found, key=lambda check: (-check.fired, check.check)))


def _worth(name: str, rows: Sequence[Labelled], known: Sequence[Labelled], base: float, odds: float) -> CheckWorth:
    fired = [row for row in rows if name in row.checks]
    changed = sum(row.changed for row in fired)
    alone = [row for row in fired if row.verdict != "accept" and row.stopping == {name}]
    alone_changed = sum(row.changed for row in alone)
    precision = _share([row for row in known if name in row.checks], lambda row: row.changed)
    reasons = []
    if precision is not None and precision < base:
        reasons.append(f"experts changed {precision:.0%} of the texts where it fired, which is below the {base:.0%} of all texts")
    if len(alone) - alone_changed > alone_changed:
        good = len(alone) - alone_changed
        reasons.append(f"it alone stopped {good} good {_texts(good)} and {alone_changed} that experts changed")
    if reasons and len(fired) < _FEW:
        reasons.append(f"with {len(fired)} {_texts(len(fired))} this may be chance")
    return CheckWorth(
        check=name,
        fired=len(fired),
        changed=changed,
        precision=None if precision is None else _round(precision),
        recall=_maybe(_share([row for row in known if row.changed], lambda row: name in row.checks)),
        log_odds=odds,
        alone_good=len(alone) - alone_changed,
        alone_changed=alone_changed,
        costs="; ".join(reasons),
    )


def _texts(number: int) -> str:
    return "text" if number == 1 else "texts"


def _share(group: Sequence[Labelled], wanted: Callable[[Labelled], bool]) -> float | None:
    mass = fsum(row.weight for row in group)
    return fsum(row.weight for row in group if wanted(row)) / mass if mass else None


def _log_odds(rows: Sequence[Labelled], names: Sequence[str]) -> dict[str, float]:
    """Coefficients of a ridge logistic model of the change on which checks fired (strength 1, scikit-learn's default)."""
    if not names or len({row.changed for row in rows}) < 2:
        return dict.fromkeys(names, 0.0)
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    fired = np.array([[name in row.checks for name in names] for row in rows], dtype=float)
    weight = np.array([row.weight for row in rows])
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit(fired, [row.changed for row in rows], sample_weight=weight * len(rows) / weight.sum())
    # Three decimals: the solver stops within 1e-4 of the optimum.
    return {name: round(float(value), 3) + 0.0 for name, value in zip(names, model.coef_[0], strict=True)}


def histogram(rows: Sequence[Labelled]) -> tuple[ScoreBar, ...]:
    """Decided texts with a score, in bars of 5 points; 100 is in the last bar."""
    counts = Counter((min(int(row.score // _BAR), 100 // _BAR - 1) * _BAR, row.changed) for row in rows if row.score is not None)
    starts = sorted({start for start, _ in counts})
    return tuple(ScoreBar(start=start, unchanged=counts[(start, False)], changed=counts[(start, True)]) for start in starts)


def groups(rows: Sequence[Labelled], threshold: float | None) -> tuple[Group, ...]:
    """Corpora, then tasks, where the rows name any."""
    found = []
    line = 101.0 if threshold is None else threshold
    for axis in ("corpus", "task"):
        for name in sorted({getattr(row, axis) for row in rows} - {""}):
            own = [row for row in rows if getattr(row, axis) == name]
            above = [row for row in own if row.candidate and (row.score or 0.0) >= line]
            found.append(
                Group(
                    name=f"{axis} {name}",
                    n=len(own),
                    changed=sum(row.changed for row in own),
                    above=len(above),
                    above_changed=sum(row.changed for row in above),
                )
            )
    return tuple(found)


def _round(value: "float | np.floating[Any]") -> float:
    return round(float(value), _DIGITS)


def _maybe(value: "float | np.floating[Any] | None") -> float | None:
    return None if value is None or value != value else _round(value)
