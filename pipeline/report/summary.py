"""The run in a few lines: Markdown for Prefect's pages, a table for the terminal. In: RunFacts. Out: text; costs nothing."""

from typing import TYPE_CHECKING

from pipeline.report.facts import BUCKETS, RunFacts, bucket_counts, clock, excluded_records, money, warning

if TYPE_CHECKING:
    from rich.table import Table


def summary_markdown(facts: RunFacts) -> str:
    """Warning, counts with reasons, money and time."""
    records, samples, calls = facts.status["records"], facts.status["samples"], facts.status["calls"]
    said = warning(facts)
    lines = [
        f"# {facts.name} {facts.version}",
        *([f"> {said[1]}"] if said else []),
        f"**{records['read']:,}** records read = {records['sampled']:,} sampled + {excluded_records(facts.status):,} excluded",
        "| bucket | samples |\n|---|--:|\n" + "\n".join(f"| {bucket} | {number:,} |" for bucket, number in _buckets(facts)),
        f"{calls['requests']:,} calls ({calls['ok']:,} ok), {money(calls['cost_usd'])}, {clock(sum(facts.seconds.values()))}",
    ]
    reasons = {**records["excluded"], **samples["excluded"], **samples["failed"]}
    if reasons:
        lines.append("| lost because | count |\n|---|--:|\n" + "\n".join(f"| {_cell(k)} | {n:,} |" for k, n in _merged(facts)))
    return "\n\n".join(lines) + "\n"


def summary_table(facts: RunFacts) -> "Table":
    """Records in, samples per bucket, money, time: what a run shows on a terminal at its end."""
    from rich.markup import escape
    from rich.table import Table

    calls = facts.status["calls"]
    records = facts.status["records"]
    table = Table(title=f"{facts.name} {facts.version}", title_justify="left", show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    table.add_row("records read", f"{records['read']:,}", f"{records['sampled']:,} became samples")
    table.add_row("  excluded", f"{excluded_records(facts.status):,}", escape(_reasons(records["excluded"])))
    table.add_section()
    table.add_row("samples owed", f"{facts.status['samples']['owed']:,}", "each English one, and the Arabic twin it is owed")
    for bucket, number in _buckets(facts):
        table.add_row(f"  {bucket}", f"{number:,}", escape(_why(facts, bucket)))
    table.add_section()
    table.add_row("money", money(calls["cost_usd"]), f"{calls['requests']:,} calls, {calls['ok']:,} ok")
    table.add_row("time", clock(sum(facts.seconds.values())), ", ".join(f"{k} {clock(s)}" for k, s in facts.seconds.items()))
    return table


def summary_closing(facts: RunFacts) -> str:
    """What stands below the table: the warning, where to look, what to try. Lines are whole, so that they can be copied."""
    said = warning(facts)
    report = f"{facts.workspace}/reports/{facts.name}.html" if facts.workspace else f"reports/{facts.name}.html in the workspace"
    return "\n".join([*([said[1], ""] if said else []), f"Report:  {report}", *(f"Try:     {line}" for line in facts.commands)])


def _buckets(facts: RunFacts) -> list[tuple[str, int]]:
    return [(BUCKETS[name], number) for name, number in bucket_counts(facts.status).items()]


def _why(facts: RunFacts, bucket: str) -> str:
    samples = facts.status["samples"]
    if bucket == "released":
        languages = (facts.release or {}).get("languages", {})
        return ", ".join(f"{number:,} {language}" for language, number in sorted(languages.items(), reverse=True))
    return _reasons(samples[bucket]) if isinstance(samples.get(bucket), dict) else ""


def _reasons(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{number:,} {reason}" for reason, number in ordered)


def _merged(facts: RunFacts) -> list[tuple[str, int]]:
    records, samples = facts.status["records"], facts.status["samples"]
    rows = [
        *((f"record: {k}", n) for k, n in records["excluded"].items()),
        *((f"sample: {k}", n) for k, n in samples["excluded"].items()),
        *((f"failed: {k}", n) for k, n in samples["failed"].items()),
    ]
    return sorted(rows, key=lambda pair: (-pair[1], pair[0]))


def _cell(text: str) -> str:
    """A reason may come from an endpoint's error: it must not end a cell or a row."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
