"""The dataset card: computed from the manifest, never typed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import jinja2

from schemas.release import Release, ShardEntry

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))
#: Our tasks in the Hub's vocabulary.
_TASKS = {
    "vqa": "visual-question-answering",
    "mcq": "visual-question-answering",
    "caption": "image-to-text",
    "report": "image-to-text",
}
#: What a plot shows, for those who cannot see it; its numbers stand in the file's own description.
_PLOTS = {
    "sources": "Bars: samples of each source by language",
    "modalities": "Bars: samples of each modality by language",
    "tasks": "Bars: samples of each task by language",
    "lengths": "Bars: samples by the words of their turns",
    "scores": "Bars: translations by the gate's score, from 0 to 100",
}
#: Licence names in the Hub's vocabulary; everything else is `other` with its name beside it.
_LICENCES = {
    name: name.lower()
    for name in ("MIT", "Apache-2.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0")
}


def card(release: Release, layout: str = "webdataset", plots: Iterable[str] | None = None) -> str:
    """The card as Markdown with Hugging Face's YAML front matter; `layout` may be `parquet`, for an export.

    `plots` are the paths of the plots that lie beside it, by default those that the manifest names.
    """
    drawn = [name for name in (release.papers if plots is None else plots) if name.startswith("plots/")]
    return _render("card.md.j2", release, layout, drawn)


def datasheet(release: Release) -> str:
    """The datasheet, in the headings of "Datasheets for Datasets": what the manifest cannot answer is said to be unanswered."""
    return _render("datasheet.md.j2", release)


def _render(template: str, release: Release, layout: str = "webdataset", plots: Sequence[str] = ()) -> str:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
    text = Path(__file__).with_name(template).read_text(encoding="utf-8")
    return environment.from_string(text).render(
        release=release,
        layout=layout,
        plots={name: _PLOTS[name.removeprefix("plots/").removesuffix(".svg")] for name in sorted(plots)},
        terms=release.terms,
        about=release.about,
        licence=_LICENCES.get(str(release.terms.get("licence")), "other"),
        tasks=sorted({_TASKS.get(task, "text-generation") for task in release.tasks}),
        size=next((name for limit, name in _SIZES if release.samples < limit), "n>10M"),
        configs=_configs(release),
        features=_features(release),
        audit_rows=audit_rows(release.audit),
        withdrawn=_withdrawn(release),
        largest=max(release.shards, key=lambda entry: entry.samples).path if release.shards else "",
    )


def _withdrawn(release: Release) -> dict[tuple[str, str], int]:
    """(version, reason) to the number of samples that were taken out."""
    return dict(sorted(Counter((stone.version, stone.reason) for stone in release.withdrawn).items()))


def audit_rows(audit: dict[str, Any]) -> list[tuple[str, int, int, str, str]]:
    """(what, audited, errors, rate, 95 % interval) of each rate of the audit; words where the numbers would mislead."""
    if not audit.get("audited"):
        return []
    rates = [("all", audit["overall"])]
    for axis in ("corpus", "task", "severity"):
        rates += [(f"{axis}: {name}", rate) for name, rate in audit[f"by_{axis}"].items()]
    return [
        (name, rate["audited"], rate["errors"], f"{rate['rate']:.2%}", f"{rate['low']:.2%} to {rate['high']:.2%}")
        if rate["enough"]
        else (name, rate["audited"], rate["errors"], "not enough data", "")
        for name, rate in rates
    ]


def _configs(release: Release) -> dict[str, dict[str, str]]:
    """Group of shards (loaders want one set of columns) to {split: pattern}."""
    configs: dict[str, dict[str, str]] = {}
    for entry in release.shards:
        pattern = f"{entry.split}/{release.name}-{release.version}-{entry.split}-{group_in(release, entry)}-*.tar"
        configs.setdefault(group_in(release, entry), {})[entry.split] = pattern
    return dict(sorted(configs.items()))


def _features(release: Release) -> dict[str, dict[str, Any]]:
    """Group to what its shards hold: image columns in order, and of each split bytes and samples."""
    found: dict[str, dict[str, Any]] = {}
    for entry in release.shards:
        group = group_in(release, entry)
        kinds = [] if group == "text" else group.split("-")
        about = found.setdefault(group, {"images": [f"{number}.{kind}" for number, kind in enumerate(kinds)], "splits": {}})
        size, samples = about["splits"].get(entry.split, (0, 0))
        about["splits"][entry.split] = (size + entry.bytes, samples + entry.samples)
    return dict(sorted(found.items()))


def group_in(release: Release, entry: ShardEntry) -> str:
    """A shard's group, from its name: `text`, `png`, `jpg-png`, …"""
    return entry.path.rpartition("/")[2].removeprefix(f"{release.name}-{release.version}-{entry.split}-").rpartition("-")[0]
