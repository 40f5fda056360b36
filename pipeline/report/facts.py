"""What the caller tells the report: plain data that does not stand in the tables.

In: nothing. Out: RunFacts, and the sums that every view of it shows alike.
"""

from dataclasses import dataclass, field
from typing import Any

#: The buckets of law 1, in the order in which people read them, with the words that the page uses.
BUCKETS = {
    "released": "released",
    "excluded": "excluded",
    "awaiting_review": "awaiting review",
    "failed": "failed",
    "pending": "pending",
}


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """One run, as its end sees it."""

    name: str
    version: str
    """Of the release."""
    status: dict[str, Any]
    """`bimedv status --json`: records, samples, calls (DESIGN §7)."""
    seconds: dict[str, float]
    """Stage to wall-clock seconds, in the order of the road."""
    judged: bool
    """A judge endpoint is configured, so that a model has read the translations."""
    without_judge: str
    """`quality.without_judge`: review or accept."""
    calibrated: bool = field(default=False, kw_only=True)
    """The config names a calibration that may let translations out which no judge has read."""
    accept: float
    """Score from which the gate accepts, 0 to 100."""
    reject: float
    """Score below which the gate rejects, 0 to 100."""
    release: dict[str, Any] | None
    """path, name, version, shards (number), samples, splits, languages, modalities, audit (rows of its table); None while nothing
    is built."""
    train: dict[str, Any] | None
    evaluation: dict[str, Any] | None
    commands: list[str] = field(default_factory=list)
    """What to type next, one line each."""
    endpoints: list[dict[str, Any]] = field(default_factory=list)
    """Rows of `calls_by_endpoint`: what was asked of whom, and what it cost."""
    estimate: dict[str, dict[str, float]] | None = None
    """What `translate --estimate` said before the run beside what came: name to estimate and actual; None when nobody asked."""
    workspace: str = ""
    """Folder of the run as the terminal names it; the page itself names only paths inside it."""


def bucket_counts(status: dict[str, Any]) -> dict[str, int]:
    """Bucket to samples; reasons summed up."""
    samples = status["samples"]
    return {name: _total(samples[name]) for name in BUCKETS}


def excluded_records(status: dict[str, Any]) -> int:
    """Records that became no sample."""
    return _total(status["records"]["excluded"])


def adds_up(status: dict[str, Any]) -> bool:
    """Law 1 as arithmetic: read = sampled + excluded, and owed = the sum of the buckets."""
    records, samples = status["records"], status["samples"]
    whole = records["read"] == records["sampled"] + excluded_records(status)
    return bool(whole and samples["owed"] == sum(bucket_counts(status).values()))


def warning(facts: RunFacts) -> tuple[str, str] | None:
    """(level, sentence) that must stand first, or None: what a reader would wrongly take for granted."""
    if not adds_up(facts.status):
        return "alarm", "The counts below do not add up: records or samples are lost. Run `bimedv status --check`."
    if not facts.judged and facts.without_judge == "accept":
        return (
            "alarm",
            "No judge model and no clinician has read most of these translations. The config says "
            "`quality.without_judge: accept`, so automatic checks alone decided what was released. Do not use the Arabic "
            "half for care or for publication before it has been reviewed.",
        )
    if facts.judged:
        return None
    if facts.calibrated:
        return (
            "note",
            "No judge model has read these translations. Those whose score a calibration on experts' decisions covers went out; "
            "the others wait for an expert (`quality.calibration`, `quality.without_judge: review`).",
        )
    return (
        "note",
        "No judge model has read these translations. Every one that passed the automatic checks waits for an expert "
        "(`quality.without_judge: review`).",
    )


def clock(seconds: float) -> str:
    """7.2 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def money(dollars: float) -> str:
    """Dollars with cents; four decimals below a dollar, where single calls still show."""
    return f"${dollars:,.2f}" if dollars >= 1 or dollars == 0 else f"${dollars:.4f}"


def _total(value: int | dict[str, int]) -> int:
    return value if isinstance(value, int) else sum(value.values())
