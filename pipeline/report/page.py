"""The run report: one self-contained HTML page.

In: RunFacts, a workspace's tables and images. Out: one file, written atomically. Lost: nothing. Cost: 2 s for 100,000 rows,
most of it the chart renderer's start; about 0.5 MB, most of it the thumbnails. The same input gives the same bytes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.report import charts
from pipeline.report.facts import BUCKETS, RunFacts, adds_up, bucket_counts, clock, excluded_records, money, warning
from pipeline.report.samples import cards
from pipeline.report.sources import SourcePage, sources
from pipeline.report.tables import Loss, Overview, Share, overview
from pipeline.report.training import curves, figures, matrices
from pipeline.workspace import STAGES, Workspace, write_atomic
from schemas.sample import REASONS

_HERE = Path(__file__).parent
#: Values shown of a modality, task or corpus: what comes after is summed up as one row.
_VALUES = 12
_TICKED = re.compile("`([^`]+)`")
_ARABIC_STAGES = ("translated", "accepted by the gate", "Arabic going out")
_BUCKET_COLOUR = {
    "released": "accept",
    "excluded": "reject",
    "awaiting review": "review",
    "failed": "critical",
    "pending": "neutral",
}


@dataclass(frozen=True)
class LossRow:
    """One line of the table of losses."""

    stage: str
    reason: str
    meaning: str
    count: int
    example: str


def write_report(facts: RunFacts, workspace: Workspace, out: Path) -> Path:
    """Write the page of a run to `out` and return it; folders are made, an older page is replaced whole."""
    counted = overview(workspace)
    text = (
        _environment()
        .get_template("page.html.j2")
        .render(
            facts=facts,
            warning=warning(facts),
            counted=counted,
            headline=_headline(facts),
            buckets={BUCKETS[name]: number for name, number in bucket_counts(facts.status).items()},
            losses=_loss_groups(facts, counted.losses),
            lost_records=excluded_records(facts.status),
            whole=adds_up(facts.status),
            drawings=_drawings(facts, counted),
            balances=[(title, _capped(shares)) for title, shares in _balances(counted)],
            training=figures(facts.train) + figures(facts.evaluation),
            matrices=matrices(facts.train) + matrices(facts.evaluation),
            cards=cards(workspace, facts),
            sources=[(source, _source_drawings(source, facts)) for source in sources(workspace)],
            places=_places(facts, workspace, out),
            style=(_HERE / "style.css").read_text(encoding="utf-8"),
        )
    )
    write_atomic(out, text.encode())
    return out


def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(clock=clock, money=money, count=lambda number: f"{number:,}", code=_code)
    return environment


def _code(text: str) -> Any:
    """Escaped text with what stands between back ticks as code: sentences are written once, for terminals and pages."""
    from markupsafe import Markup, escape

    return Markup(_TICKED.sub(r"<code>\1</code>", str(escape(text))))


def _headline(facts: RunFacts) -> list[tuple[str, str, str]]:
    """(number, what it is, a word on it): what came out, what waits, what it cost."""
    samples, calls = facts.status["samples"], facts.status["calls"]
    languages = (facts.release or {}).get("languages", {})
    shown = [
        (f"{languages.get('en', 0):,}", "English released", ""),
        (f"{languages.get('ar', 0):,}", "Arabic released", ""),
        (f"{samples['awaiting_review']:,}", "await review", ""),
        (money(calls["cost_usd"]), "spent", f"{calls['requests']:,} calls"),
        (clock(sum(facts.seconds.values())), "this run", f"{len(facts.seconds)} stages"),
    ]
    unfinished = bucket_counts(facts.status)["failed"] + samples["pending"]
    if unfinished:
        shown.insert(3, (f"{unfinished:,}", "failed or pending", "run again to finish"))
    return shown


def _loss_groups(facts: RunFacts, known: Iterable[Loss]) -> list[tuple[str, list[LossRow]]]:
    """Every reason with its count, as `status` counts it; stage and first example come from the tables."""
    found: dict[tuple[bool, str], Loss] = {}
    for loss in known:
        found.setdefault((loss.became_sample, loss.reason), loss)
    samples = facts.status["samples"]
    groups = [
        ("Records that became no sample", facts.status["records"]["excluded"], False),
        ("Samples that fell out", samples["excluded"], True),
        ("Samples that failed and are tried again", samples["failed"], True),
    ]
    return [(title, _loss_rows(counts, became, found)) for title, counts, became in groups if counts]


def _loss_rows(counts: dict[str, int], became: bool, found: dict[tuple[bool, str], Loss]) -> list[LossRow]:
    rows = []
    for reason, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        loss = found.get((became, reason))
        rows.append(
            LossRow(
                stage=loss.stage if loss else "translate" if reason not in REASONS else "gate",
                reason=reason,
                meaning=REASONS.get(reason, "the endpoint did not give a usable answer"),
                count=count,
                example=loss.example if loss else "",
            )
        )
    return rows


def _drawings(facts: RunFacts, counted: Overview) -> dict[str, str]:
    """The charts by name; what has nothing to show is left out."""
    funnel = {"records read": facts.status["records"]["read"], **counted.funnel}
    if facts.release is None:
        funnel = {label: number for label, number in funnel.items() if not label.endswith("going out")}
    buckets = {BUCKETS[name]: number for name, number in bucket_counts(facts.status).items()}
    drawn = {
        "funnel": charts.bars(funnel, _said("From records to samples", funnel), dict.fromkeys(_ARABIC_STAGES, "ar")),
        "buckets": charts.bars(buckets, _said("Samples owed, by bucket", buckets), _BUCKET_COLOUR),
    }
    if counted.histogram:
        drawn["scores"] = charts.distribution(
            counted.histogram, (facts.reject, facts.accept), _said("Scores, by verdict", counted.verdicts)
        )
    if counted.findings:
        worst = counted.findings[:_VALUES]
        drawn["findings"] = charts.checks(worst, _said("Samples with a finding", {c.check: c.samples for c in worst}))
    if facts.release is not None and counted.modality:
        drawn["modality"] = charts.balance(_capped(counted.modality), "Released samples by image modality and language")
    if len(facts.seconds) > 1:
        drawn["seconds"] = charts.bars({k: round(s, 1) for k, s in facts.seconds.items()}, "Seconds of each stage")
    if series := curves(facts.train):
        drawn["training"] = charts.losses(series, "Training loss by step: " + ", ".join(series))
    return drawn


def _source_drawings(source: SourcePage, facts: RunFacts) -> dict[str, str]:
    going = {label: number for label, number in source.funnel.items() if facts.release or not label.endswith("going out")}
    drawn = {"funnel": charts.bars(going, _said(f"{source.name}: what is left", going), dict.fromkeys(_ARABIC_STAGES, "ar"))}
    if source.lengths:
        drawn["lengths"] = charts.bars(source.lengths, _said(f"{source.name}: samples by characters", source.lengths))
    return drawn


def _balances(counted: Overview) -> list[tuple[str, list[Share]]]:
    return [("Modality", counted.modality), ("Task", counted.task), ("Corpus", counted.corpus)]


def _capped(shares: list[Share]) -> list[Share]:
    if len(shares) <= _VALUES:
        return shares
    rest = shares[_VALUES - 1 :]
    total = Share(f"{len(rest)} others", sum(s.curated for s in rest), sum(s.english for s in rest), sum(s.arabic for s in rest))
    return [*shares[: _VALUES - 1], total]


def _said(title: str, counts: dict[str, int]) -> str:
    return f"{title}: " + ", ".join(f"{label} {number:,}" for label, number in counts.items())


def _places(facts: RunFacts, workspace: Workspace, out: Path) -> list[tuple[str, str]]:
    """(path in the workspace, what lies there), only what is there."""
    root = workspace.root
    tables = [(f"tables/{stage}/", f"{len(found)} chunks") for stage in STAGES if (found := workspace.manifests(stage))]
    known = [
        ("config.json", "the settings of this run"),
        ("bimedv.db", "ledger of calls, review queue, decisions"),
        ("images/", "pictures, named by their sha256"),
        *tables,
        *([(f"releases/{Path(str(facts.release['path'])).name}/", _release_line(facts.release))] if facts.release else []),
        ("models/", "trained models"),
    ]
    here = [(path, what) for path, what in known if (root / path).exists()]
    return [*here, (out.relative_to(root).as_posix() if out.is_relative_to(root) else out.name, "this page")]


def _release_line(release: dict[str, Any]) -> str:
    shards = release.get("shards", 0)
    return f"{release.get('samples', 0):,} samples in {shards:,} shard{'' if shards == 1 else 's'}, manifest and card"
