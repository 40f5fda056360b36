"""Under which terms a release stands: computed from the corpora's declarations, denied by default."""

from dataclasses import dataclass
from typing import Any

from pipeline.sources.registry import corpus

#: From the freest to the strictest: a release carries the strictest licence of its parts.
_ORDER = (
    "CC0-1.0", "MIT", "Apache-2.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0", "unknown", "research-only",
    "PhysioNet-Credentialed-1.5.0",
)  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """Under what a release stands."""

    licence: str
    redistributable: bool
    """False: for use inside the house that built it; publishing refuses it."""
    reasons: tuple[str, ...]
    """Why not, one for each corpus."""

    def as_json(self) -> dict[str, Any]:
        """For the manifest and the card."""
        return {"licence": self.licence, "redistributable": self.redistributable, "reasons": list(self.reasons)}


def release_terms(names: list[str]) -> Terms:
    """The terms of a release that holds these corpora and their translations, which are derivatives."""
    known = [corpus(name) for name in names]
    reasons = []
    for item in known:
        if item.access != "open":
            reasons.append(f"{item.name}: access is {item.access}")
        elif not item.redistribution:
            reasons.append(f"{item.name}: its licence ({item.licence}) does not let it be passed on")
        elif not item.derivatives:
            reasons.append(f"{item.name}: {item.licence} does not let translations be passed on")
    strictest = max((item.licence for item in known), key=_ORDER.index, default="unknown")
    share_alike = any(item.licence.startswith("CC-BY-SA") for item in known)
    if share_alike and strictest != "CC-BY-SA-4.0":
        reasons.append(f"share-alike and {strictest} parts have no common licence: publish the corpora apart, each under its own")
        strictest = "mixed"
    return Terms(licence=strictest, redistributable=not reasons, reasons=tuple(reasons))
