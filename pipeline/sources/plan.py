"""What a config is meant to hold beside what is on this disk: `bimedv sources plan`.

In: settings whose sources may be absent. Out: counts by source, by language and by modality, and the paths that are missing.
Reads every source that is there once; sends and writes nothing.
"""

from collections.abc import Iterable
from typing import Any

from pipeline.settings import PlanRow, Settings
from pipeline.sources.check import check
from pipeline.sources.containers import there


def planned(settings: Settings) -> dict[str, Any]:
    """`sources` as `sources check` counts them, `rows` target and available, `shares` in percent, `missing` paths.

    Available are English samples of sources that are read for training, and of Arabic ones as many as translating all of those
    would give, up to the target. A corpus that several rows are made of is available to each, and counts once in `shares`.
    """
    found: list[dict[str, Any]] = []
    missing: list[str] = []
    english: dict[str, int] = {}
    for source in settings.sources:
        absent = [settings.relative(place) for place in (source.path, source.images) if place is not None and not there(place)]
        missing += absent
        if not there(source.path):
            continue
        row = check(source.path, source.corpus)
        found.append(row)
        if source.split == "train":
            taken = row["samples"] if source.limit is None else min(row["samples"], source.limit)
            english[source.corpus] = english.get(source.corpus, 0) + taken
    rows = [_row(row, english) for row in settings.plan]
    return {
        "sources": found,
        "rows": rows,
        "shares": _shares(settings.plan, rows, english),
        "missing": list(dict.fromkeys(missing)),
    }


def _row(row: PlanRow, english: dict[str, int]) -> dict[str, Any]:
    available = sum(english.get(name, 0) for name in row.corpora)
    return {
        "name": row.name,
        "modality": row.modality,
        "target": {"en": row.en, "ar": row.ar},
        "available": {"en": available, "ar": min(available, row.ar)},
    }


def _shares(
    plan: Iterable[PlanRow], rows: list[dict[str, Any]], english: dict[str, int]
) -> dict[str, dict[str, dict[str, float]]]:
    """{"language", "modality"}: counts and percent, of the target and of what is available."""
    kinds = {name: row.modality for row in plan for name in row.corpora}
    by_kind = {kind: sum(count for name, count in english.items() if kinds.get(name) == kind) for kind in ("text", "image")}
    arabic = {kind: sum(row["available"]["ar"] for row in rows if row["modality"] == kind) for kind in ("text", "image")}
    target = {
        "language": {name: sum(row["target"][name] for row in rows) for name in ("en", "ar")},
        "modality": {kind: sum(sum(row["target"].values()) for row in rows if row["modality"] == kind) for kind in by_kind},
    }
    available = {
        "language": {"en": sum(by_kind.values()), "ar": sum(arabic.values())},
        "modality": {kind: by_kind[kind] + arabic[kind] for kind in by_kind},
    }
    return {
        axis: {"target": _with_percent(target[axis]), "available": _with_percent(available[axis])}
        for axis in ("language", "modality")
    }


def _with_percent(counts: dict[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return counts | {f"{name}_percent": round(100 * count / total, 1) if total else 0.0 for name, count in counts.items()}
