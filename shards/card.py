"""The dataset card: computed from the manifest, never typed."""

from pathlib import Path
from typing import Any

import jinja2

from schemas.release import Release

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10_000_000, "1M<n<10M"))
#: Our tasks in the Hub's vocabulary.
_TASKS = {
    "vqa": "visual-question-answering",
    "mcq": "visual-question-answering",
    "caption": "image-to-text",
    "report": "image-to-text",
}
#: Licence names in the Hub's vocabulary; everything else is `other` with its name beside it.
_LICENCES = {
    name: name.lower()
    for name in ("MIT", "Apache-2.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0")
}


def card(release: Release, terms: dict[str, Any] | None = None) -> str:
    """The card as Markdown with Hugging Face's YAML front matter."""
    terms = terms or release.config.get("terms") or {}  # type: ignore[assignment]
    template = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
    text = Path(__file__).with_name("card.md.j2").read_text(encoding="utf-8")
    return template.from_string(text).render(
        release=release,
        terms=terms,
        licence=_LICENCES.get(str((terms or {}).get("licence")), "other"),
        tasks=sorted({_TASKS.get(task, "text-generation") for task in release.tasks}),
        size=next((name for limit, name in _SIZES if release.samples < limit), "n>10M"),
        configs=_configs(release),
        audit_rows=audit_rows(release.audit),
        largest=max(release.shards, key=lambda entry: entry.samples).path if release.shards else "",
    )


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
        group = entry.path.rpartition("/")[2].removeprefix(f"{release.name}-{release.version}-{entry.split}-").rpartition("-")[0]
        pattern = f"{entry.split}/{release.name}-{release.version}-{entry.split}-{group}-*.tar"
        configs.setdefault(group, {})[entry.split] = pattern
    return dict(sorted(configs.items()))
