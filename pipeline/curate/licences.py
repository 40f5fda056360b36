"""What may be sent where, and what a release may contain: computed from the corpora's declarations, denied by default."""

from dataclasses import dataclass
from typing import Any

from pipeline.settings import Settings
from pipeline.sources.registry import corpus
from schemas.errors import AccessError

#: From the freest to the strictest: a release carries the strictest licence of its parts.
_ORDER = (
    "MIT", "Apache-2.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0", "unknown", "research-only",
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


def check_endpoints(settings: Settings) -> None:
    """Refuse, before anything is sent, a corpus whose access class an endpoint does not allow (law 7).

    Raises AccessError (exit 4) that names corpus, endpoint and what would make it lawful.
    """
    named = {"translator": settings.endpoints.translator, "judge": settings.endpoints.judge}
    faults = []
    for name in sorted({source.corpus for source in settings.sources}):
        access = corpus(name).access
        faults += [
            f"{name} is {access}, and endpoints.{role} ({endpoint.base_url}) allows {', '.join(endpoint.allows)}. "
            f"Add `allows: [{', '.join([*endpoint.allows, access])}]` there if your agreement for {name} covers that endpoint, "
            f"or take {name} out."
            for role, endpoint in named.items()
            if endpoint is not None and access not in endpoint.allows
        ]
    if faults:
        raise AccessError("\n".join(faults))


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
