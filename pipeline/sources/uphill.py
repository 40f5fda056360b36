"""UPHILL: health claims asked with five levels of presupposition. An evaluation set, always test.

The draft asks the query and answers with the claim's veracity and why; models' responses are no reference and are not read.
`UPHILL.csv` has a row for each response: the first row of a query counts, the others are duplicates. Memory: one short text a
query, of which there are 9,725.
"""

from collections.abc import Iterator
from pathlib import Path

from pipeline.sources.base import Corpus, Record, dropped, exchange, fault_of, kept, text, unparsed
from pipeline.sources.streams import csv_records

_VERACITIES = ("true", "false", "mixture", "fabricated")


def _read(path: Path) -> Iterator[Record]:
    seen: set[str] = set()
    for row, raw in csv_records(path):
        if raw is None:
            yield unparsed(row)
            continue
        level = text(raw, "presupposition_level")
        claim = text(raw, "claim_id")
        name = f"{claim}-{level.lower().replace(' ', '-')}" if claim and level else f"row-{row}"
        if name in seen:
            yield dropped(raw, row, name, "duplicate_id", "the same query with another response")
            continue
        seen.add(name)
        yield _record(raw, row, name)


def _record(raw: dict[str, str], row: int, name: str) -> Record:
    question, veracity = text(raw, "query_with_presupposition"), text(raw, "claim_veracity").lower()
    fault = fault_of(question, veracity)
    if fault:
        return dropped(raw, row, name, fault)
    if veracity not in _VERACITIES:
        return dropped(raw, row, name, "missing_field", f"claim_veracity is {veracity!r}, expected {', '.join(_VERACITIES)}")
    answer = f"{veracity.capitalize()}. {text(raw, 'veracity_explanation')}".strip()
    level = text(raw, "presupposition_level")
    return kept(raw, row, name, exchange("text_qa", question, answer, question_type=level), split="test")


UPHILL = Corpus(
    name="uphill",
    title="UPHILL: health claims under presuppositions; always test",
    tasks=("text_qa",),
    layout="queries.csv, or UPHILL.csv with several models' responses to each query",
    fields="claim_id, claim, claim_veracity, veracity_explanation, presupposition_level, query_with_presupposition, ...",
    fingerprint=("claim_veracity", "presupposition_level", "query_with_presupposition"),
    licence="unknown",
    access="open",
    redistribution=False,
    derivatives=True,
    citation="Kaur et al., UPHILL, 2023",
    splits={"test": "queries.csv"},
    counts="9,725 queries: 1,945 claims at 5 levels",
    read=_read,
)
