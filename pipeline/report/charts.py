"""The page's charts as inline SVG, drawn by altair and vl-convert without a browser.

In: counts. Out: SVG text whose colours are CSS variables, so that one drawing serves light, dark and print. Cost: 0.8 s
for the first chart (the renderer starts), 70 ms for each further one, measured on 2 cores.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.report.tables import BIN, CheckCount, Share

#: CSS pixels. It is the width of a phone's column, so that a chart is never scaled and its letters stay 12 px.
WIDTH = 340
_ROW = 26
#: Vega wants colours; these stand in for the page's CSS variables and are replaced in the drawing.
STAND_IN = {
    name: f"#0{number:02d}a0b"
    for number, name in enumerate(
        ("ink", "quiet", "line", "en", "ar", "accept", "refine", "review", "reject", "neutral", "minor", "major", "critical"), 10
    )
}
Row = dict[str, str | int | float]


def bars(counts: Mapping[str, int | float], description: str, colours: Mapping[str, str] | None = None) -> str:
    """Horizontal bars with their numbers, in the order given; `colours` names a CSS variable for each bar."""
    import altair as alt

    rows: list[Row] = [
        {"label": label, "n": number, "shown": f"{number:,}", "colour": (colours or {}).get(label, "en")}
        for label, number in counts.items()
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=150, labelPadding=8)),
        x=alt.X("n:Q", axis=None, scale=alt.Scale(domainMin=0, domainMax=max(1, *counts.values()) * 1.22)),
    )
    drawn = base.mark_bar(height=15, cornerRadiusEnd=2).encode(color=_colour("colour", list(STAND_IN), legend=False))
    numbers = base.mark_text(align="left", dx=5).encode(text="shown:N")
    return svg(drawn + numbers, description, height=_ROW * len(rows))


def distribution(histogram: dict[tuple[int, str], int], limits: tuple[float, float], description: str) -> str:
    """Twins by score in bars of BIN points, stacked by verdict, with the gate's two limits (reject, accept) as rules."""
    import altair as alt

    rows: list[Row] = [
        {"from": edge, "to": edge + BIN, "n": number, "verdict": verdict} for (edge, verdict), number in histogram.items()
    ]
    axis = alt.Axis(values=[0, 20, 40, 60, 80, 100], grid=False, tickSize=4)
    drawn = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("from:Q", bin="binned", title="score", scale=alt.Scale(domain=[0, 100]), axis=axis),
            x2="to:Q",
            y=alt.Y("n:Q", title="Arabic twins", axis=_count_axis(max(histogram.values(), default=1))),
            color=_colour("verdict", ["reject", "review", "refine", "accept"], only={str(row["verdict"]) for row in rows}),
        )
    )
    rules = alt.Chart(alt.Data(values=[{"at": limit} for limit in limits])).mark_rule(strokeDash=[3, 3], color=STAND_IN["ink"])
    return svg(drawn + rules.encode(x=alt.X("at:Q")), description, height=180)


def balance(shares: Sequence[Share], description: str) -> str:
    """What goes out in each language, a pair of bars for each value."""
    import altair as alt

    rows: list[Row] = [
        {"label": share.value, "language": name, "n": number, "shown": f"{number:,}"}
        for share in shares
        for name, number in (("English", share.english), ("Arabic", share.arabic))
    ]
    top = max([1, *(int(row["n"]) for row in rows)])
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=110, labelPadding=8)),
        yOffset=alt.YOffset("language:N", sort=["English", "Arabic"]),
        x=alt.X("n:Q", axis=None, scale=alt.Scale(domainMin=0, domainMax=top * 1.22)),
    )
    scale = alt.Scale(domain=["English", "Arabic"], range=[STAND_IN["en"], STAND_IN["ar"]])
    drawn = base.mark_bar(cornerRadiusEnd=2).encode(color=alt.Color("language:N", scale=scale, title=None))
    return svg(drawn + base.mark_text(align="left", dx=5).encode(text="shown:N"), description, height=38 * len(shares))


def checks(counts: Sequence[CheckCount], description: str) -> str:
    """Findings of each check, stacked by severity."""
    import altair as alt

    levels = ["critical", "major", "minor", "neutral"]
    rows: list[Row] = [
        {"check": count.check, "severity": level, "n": getattr(count, level), "order": number}
        for count in counts
        for number, level in enumerate(levels)
        if getattr(count, level)
    ]
    top = max((sum(getattr(count, level) for level in levels) for count in counts), default=1)
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(height=15)
        .encode(
            y=alt.Y("check:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=150, labelPadding=8)),
            x=alt.X("n:Q", title="findings", axis=_count_axis(top)),
            color=_colour("severity", levels, only={str(row["severity"]) for row in rows}),
            order="order:Q",
        )
    )
    return svg(chart, description, height=_ROW * len(counts))


def losses(series: dict[str, list[tuple[int, float]]], description: str) -> str:
    """Training loss by step, one line a stage."""
    import altair as alt

    rows: list[Row] = [{"step": step, "loss": loss, "stage": name} for name, points in series.items() for step, loss in points]
    names = list(series)
    scale = alt.Scale(domain=names, range=[STAND_IN[name] for name in ("en", "ar", "review", "reject")][: len(names)])
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("step:Q", title="step", axis=alt.Axis(grid=False, tickMinStep=1, tickCount=5)),
            y=alt.Y("loss:Q", title="loss", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4, domain=False, ticks=False)),
            color=alt.Color("stage:N", scale=scale, title=None),
            # Told apart without colour, too.
            strokeDash=alt.StrokeDash(
                "stage:N", scale=alt.Scale(domain=names, range=[[1, 0], [5, 3], [2, 2], [8, 2]]), title=None
            ),
        )
    )
    return svg(chart, description, height=180)


def _colour(field: str, order: list[str], only: set[str] | None = None, legend: bool = True) -> Any:
    import altair as alt

    domain = [name for name in order if only is None or name in only]
    scale = alt.Scale(domain=domain, range=[STAND_IN[name] for name in domain])
    return alt.Color(f"{field}:N", scale=scale, title=None, legend=alt.Undefined if legend else None)


def _count_axis(top: int) -> Any:
    """An axis of whole numbers: no half samples."""
    import altair as alt

    return alt.Axis(tickCount=min(4, max(1, top)), tickMinStep=1, format="~s", domain=False, ticks=False)


def svg(chart: Any, description: str, height: int) -> str:
    """A chart as SVG in the style of the page; `height` in CSS pixels, without the axes."""
    import altair as alt
    import vl_convert

    styled = chart.properties(width=WIDTH, height=height, autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    ink, quiet, line = STAND_IN["ink"], STAND_IN["quiet"], STAND_IN["line"]
    spec = styled.configure(
        background="transparent",
        font="Liberation Sans, Arial, sans-serif",
        padding=4,
        view={"stroke": None},
        axis={
            "labelColor": ink,
            "titleColor": quiet,
            "titleFontWeight": "normal",
            "titleFontSize": 12,
            "labelFontSize": 12,
            "gridColor": line,
            "domainColor": quiet,
            "tickColor": quiet,
        },
        legend={"labelColor": ink, "labelFontSize": 12, "orient": "top", "symbolType": "square", "offset": 8},
        text={"color": ink, "fontSize": 12},
    ).to_dict()
    return _adapt(vl_convert.vegalite_to_svg(spec), description)


def _adapt(svg: str, description: str) -> str:
    """Colours become CSS variables; to a screen reader the drawing is one image, since a table with the numbers follows."""
    for name, stand_in in STAND_IN.items():
        svg = svg.replace(f'"{stand_in}"', f'"var(--{name})"')
    svg = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", svg)
    svg = _own_ids(svg, description)
    label = description.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _own_ids(svg: str, description: str) -> str:
    """The renderer numbers clips as long as its process lives: named by the drawing, the same page has the same bytes."""
    mark = hashlib.sha256(description.encode()).hexdigest()[:8]
    for number, found in enumerate(dict.fromkeys(re.findall(r'id="([^"]+)"', svg))):
        svg = re.sub(rf'(id="|url\(#|href="#){re.escape(found)}(?=["\)])', rf"\g<1>{mark}-{number}", svg)
    return svg
