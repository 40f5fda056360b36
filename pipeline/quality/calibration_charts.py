"""The calibration page's charts as inline SVG. In: parts of a Calibration. Out: SVG text in the style of the run report."""

from collections.abc import Sequence
from typing import Any

from pipeline.report.charts import STAND_IN, Row, svg
from schemas.calibration import Calibration, CheckWorth, Knot, Reliability, RiskStep, ScoreBar

#: Checks shown as bars; the table below them has all.
_MOST_CHECKS = 14
_HEIGHT = 190


def drawings(found: Calibration) -> dict[str, str]:
    """Chart name to SVG; what has nothing to show is left out."""
    drawn = {
        "risk": _risk(found),
        "scores": _scores(found.histogram, found.threshold),
        "curve": _curve(found.knots, found.threshold),
        "reliability": _reliability(found.reliability),
    }
    known = [check for check in found.checks if check.precision is not None]
    # A named one is seen, however seldom it fires.
    shown = sorted(known, key=lambda check: not check.costs)[:_MOST_CHECKS]
    if shown:
        drawn["checks"] = _checks(shown, found.metrics.base_rate)
    return drawn


def _risk(found: Calibration) -> str:
    import altair as alt

    steps = [step for step in found.steps if step.n]
    top = min(1.0, max(3 * found.risk, 1.25 * max((step.share or 0.0 for step in steps), default=0.0)))
    series = {"share that experts changed": "en", "upper bound": "reject"}
    rows: list[Row] = [
        {"score": step.threshold, "share": value, "what": name}
        for step in steps
        for name, value in zip(series, (step.share or 0.0, step.bound), strict=True)
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("score:Q", title="accepted from this score", scale=_span(steps), axis=_plain_axis(6)),
        y=alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, top]), axis=_share_axis()),
        color=_colours(series),
    )
    parts = base.mark_line(strokeWidth=2, clip=True, interpolate="step-before") + _level(found.risk)
    shown = f"the bound reaches {_percent(found.bound)} from {found.threshold:g}" if found.threshold is not None else "no claim"
    text = f"Share of changed texts at or above each score, with its upper bound; risk {_percent(found.risk)}; {shown}"
    return svg(parts if found.threshold is None else parts + _upright(found.threshold), text, _HEIGHT)


def _scores(bars: Sequence[ScoreBar], threshold: float | None) -> str:
    import altair as alt

    series = {"left as it is": "accept", "changed": "reject"}
    rows: list[Row] = [
        {"from": bar.start, "to": bar.start + 5, "n": number, "what": name}
        for bar in bars
        for name, number in zip(series, (bar.unchanged, bar.changed), strict=True)
    ]
    most = max((bar.unchanged + bar.changed for bar in bars), default=1)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("from:Q", bin="binned", title="score", scale=alt.Scale(domain=[0, 100]), axis=_plain_axis(6)),
        x2="to:Q",
        y=alt.Y("n:Q", title="texts", axis=alt.Axis(tickCount=min(4, most), tickMinStep=1, domain=False, ticks=False)),
        color=_colours(series),
    )
    drawn = base.mark_bar(binSpacing=1)
    shown = (f"{bar.start} {bar.unchanged + bar.changed} ({bar.changed} changed)" for bar in bars)
    text = "Decided texts by score: " + ", ".join(shown)
    return svg(drawn if threshold is None else drawn + _upright(threshold), text, _HEIGHT)


def _curve(knots: Sequence[Knot], threshold: float | None) -> str:
    import altair as alt

    rows: list[Row] = [{"score": knot.score, "probability": knot.probability} for knot in knots]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("score:Q", title="score", scale=alt.Scale(domain=[0, 100]), axis=_plain_axis(6)),
        y=alt.Y("probability:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=_share_axis()),
    )
    drawn = base.mark_line(strokeWidth=2, color=STAND_IN["en"])
    ends = f"{_percent(knots[0].probability)} at {knots[0].score:g}, {_percent(knots[-1].probability)} at {knots[-1].score:g}"
    text = f"Probability that an expert changes a text, by score: {ends}"
    return svg(drawn if threshold is None else drawn + _upright(threshold), text, _HEIGHT)


def _reliability(points: Sequence[Reliability]) -> str:
    import altair as alt

    top = min(1.0, max(0.1, *(max(point.high, point.predicted) for point in points)) * 1.05)
    rows: list[Row] = [point.model_dump() for point in points]
    scale = alt.Scale(domain=[0, top], nice=False)
    base = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("predicted:Q", title="predicted", scale=scale, axis=_share_axis()))
    seen = alt.Y("observed:Q", title="observed", scale=scale, axis=_share_axis())
    spans = base.mark_rule(strokeWidth=1.5, color=STAND_IN["quiet"]).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    dots = base.mark_circle(size=70, opacity=1, color=STAND_IN["en"]).encode(y=seen)
    ends: list[Row] = [{"predicted": 0.0, "observed": 0.0}, {"predicted": top, "observed": top}]
    ideal = alt.Chart(alt.Data(values=ends)).mark_line(strokeDash=[3, 3], strokeWidth=1, color=STAND_IN["ink"])
    text = "Observed beside predicted share of changed texts: " + ", ".join(
        f"{_percent(point.predicted)} predicted, {_percent(point.observed)} observed" for point in points
    )
    return svg(ideal.encode(x="predicted:Q", y=seen) + spans + dots, text, 240)


def _checks(checks: Sequence[CheckWorth], base_rate: float) -> str:
    import altair as alt

    series = {"earns its keep": "en", "costs more": "reject"}
    rows: list[Row] = [
        {
            "check": check.check,
            "precision": check.precision or 0.0,
            "shown": f"{_percent(check.precision)} of {check.fired}",
            "what": "costs more" if check.costs else "earns its keep",
        }
        for check in checks
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("check:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=120, labelPadding=8)),
        x=alt.X("precision:Q", axis=None, scale=alt.Scale(domain=[0, 1.45])),
    )
    bars = base.mark_bar(height=15, cornerRadiusEnd=2).encode(color=_colours(series))
    line = alt.Chart(alt.Data(values=[{"at": base_rate}])).mark_rule(strokeDash=[3, 3], color=STAND_IN["ink"])
    text = "Share of changed texts where a check fired: " + ", ".join(f"{row['check']} {row['shown']}" for row in rows)
    drawn = bars + base.mark_text(align="left", dx=5).encode(text="shown:N") + line.encode(x="at:Q")
    return svg(drawn, f"{text}; of all texts {_percent(base_rate)}", 26 * len(rows))


def _span(steps: Sequence[RiskStep]) -> Any:
    import altair as alt

    low = min((step.threshold for step in steps), default=0.0)
    return alt.Scale(domain=[min(low, 95.0), 100.0], nice=False)


def _colours(series: dict[str, str]) -> Any:
    import altair as alt

    scale = alt.Scale(domain=list(series), range=[STAND_IN[name] for name in series.values()])
    return alt.Color("what:N", scale=scale, title=None)


def _level(share: float) -> Any:
    import altair as alt

    return alt.Chart(alt.Data(values=[{"share": share}])).mark_rule(strokeDash=[3, 3], color=STAND_IN["ink"]).encode(y="share:Q")


def _upright(score: float) -> Any:
    import altair as alt

    return alt.Chart(alt.Data(values=[{"at": score}])).mark_rule(strokeDash=[3, 3], color=STAND_IN["ink"]).encode(x="at:Q")


def _plain_axis(ticks: int) -> Any:
    import altair as alt

    return alt.Axis(tickCount=ticks, grid=False, tickSize=4)


def _share_axis() -> Any:
    import altair as alt

    return alt.Axis(tickCount=5, format="~%", domain=False, ticks=False)


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share * 100:.3g} %"
