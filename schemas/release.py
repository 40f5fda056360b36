"""What goes out: rows of a release, and its manifest."""

from typing import Any, Literal

from pydantic import Field

from schemas.base import Noun, SampleId, Sha256, Verdict
from schemas.sample import Sample

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"


class Evidence(Noun):
    """Why an Arabic turn may be trusted, and the way back to how it was made (law 5)."""

    score: float | None
    verdict: Verdict
    score_version: str
    similarity: float | None
    findings: int
    units: tuple[Sha256, ...]
    calls: tuple[Sha256, ...]
    model: str
    prompt: str
    round: int
    judged: bool
    """False: no judge model has read it."""
    decision: Literal["accept", "edit"] | None = None
    reviewer: str | None = None


class ReleaseRow(Noun):
    """One sample as it is released; `split` is the release's split. English rows carry no evidence."""

    sample: Sample
    split: str
    evidence: Evidence | None


class ShardEntry(Noun):
    """One shard file of a release."""

    path: str
    """Relative to the manifest."""
    split: str
    images: int
    """Images in each sample of the shard. One number a shard: loaders infer columns from the first samples."""
    samples: int
    bytes: int
    sha256: Sha256
    index_sha256: Sha256
    languages: dict[str, int]
    tokens: int
    """Over all turns, by the release's `tokenizer`."""


class Tombstone(Noun):
    """One sample that an earlier version held and this one, on purpose, does not. It quotes nothing of the sample."""

    sample: SampleId
    corpus: str
    version: str
    """The first version without it."""
    reason: str


class Release(Noun):
    """manifest.json: written last, so that its existence means complete. Holds no time and no path of a machine."""

    name: str
    version: str
    splits: dict[str, int]
    shards: tuple[ShardEntry, ...]
    licences: dict[str, int]
    sources: dict[str, int]
    tasks: dict[str, int]
    languages: dict[str, int]
    modalities: dict[str, int]
    gate: dict[str, int | float | str | bool]
    """Verdict counts, thresholds, whether a judge read the translations."""
    config: dict[str, object]
    """The settings that the release was built from, secrets and paths left out."""
    toolchain: dict[str, str]
    samples: int
    audit: dict[str, Any] = Field(default_factory=dict)
    """The error rate as experts found it in a random sample of what the gate accepted: accepted, audited, and, once something was
    audited, overall, by_corpus, by_task and by_severity, each with audited (n), errors, rate and a 95 % interval (low, high)."""
    tokenizer: str = "white space"
    """What counted tokens: `white space`, or a file's name with the beginning of its sha256."""
    tokens: dict[str, int] = Field(default_factory=dict)
    """Tokens of all turns, by language."""
    words: dict[str, int] = Field(default_factory=dict)
    """White-space separated words of all turns, by language. Tokens over words is the tokenizer's fertility."""
    approval: dict[str, str] = Field(default_factory=dict)
    """Who approved this release before it was built (by), and why (reason); empty where the config asks for no approval."""
    papers: dict[str, Sha256] = Field(default_factory=dict)
    """The files beside the shards (card, datasheet, metadata, Croissant) and their sha256; older releases name none."""
    withdrawn: tuple[Tombstone, ...] = ()
    """What was taken out after it had been released, over all versions; `release build` leaves it out for good."""

    @property
    def terms(self) -> dict[str, Any]:
        """licence, redistributable, reasons; empty when nothing is known of them."""
        found = self.config.get("terms")
        return found if isinstance(found, dict) else {}

    @property
    def about(self) -> dict[str, str]:
        """What the config states of the release: description, creator, url, published, citation; each "" when it does not."""
        settings = self.config.get("release")
        found = settings.get("about") if isinstance(settings, dict) else None
        return found if isinstance(found, dict) else {}
