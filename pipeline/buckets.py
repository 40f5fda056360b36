"""Which bucket a sample is in (law 1): the one place that turns drafts, scores and experts' words into a fate.

In: the twin's draft, its score, the effective decision. Out: a Fate. Nothing is read or written here.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pipeline.quality.calibrate import covers, load_calibration
from pipeline.settings import QualitySettings
from schemas.calibration import Calibration
from schemas.quality import Score
from schemas.review import Decision
from schemas.translation import TwinDraft

Bucket = Literal["accepted", "excluded", "awaiting_review", "failed", "pending"]


@dataclass(frozen=True)
class Fate:
    """What is to become of an Arabic twin. `accepted` turns into `released` when a release holds it."""

    bucket: Bucket
    reason: str = ""


def fate(
    draft: TwinDraft | None, score: Score | None, decision: Decision | None, quality: QualitySettings, disputed: bool = False
) -> Fate:
    """The bucket of one Arabic twin.

    Fails closed (law 2): only an expert's word, or the gate's `accept` on a scored translation, leads out. An accepted
    translation that no judge has read goes out only when the config says so in words (`quality.without_judge: accept`), or when
    a calibration on experts' decisions covers its score (`quality.calibration`). One on which experts differ (`disputed`) waits
    for an adjudication, whatever the gate says.
    """
    if draft is None:
        return Fate("pending")
    if draft.state == "failed":
        return Fate("failed", draft.error.split(":")[0] or "endpoint")
    if decision is not None and decision.verdict == "reject":
        return Fate("excluded", "review_rejected")
    if decision is not None and (decision.verdict == "edit" or draft.state == "ok"):
        return Fate("accepted")
    if draft.state == "unusable" or (disputed and decision is None):
        # An expert cannot accept a translation that is not there; an edit brings one.
        return Fate("awaiting_review")
    if score is None:
        return Fate("pending")
    return _gated(score, quality)


def _gated(score: Score, quality: QualitySettings) -> Fate:
    if score.score is None or score.verdict in ("refine", "review"):
        return Fate("awaiting_review")
    if score.verdict == "reject":
        return Fate("excluded", "rejected")
    unread = score.judge is None and quality.without_judge == "review" and not covered(score, quality)
    return Fate("awaiting_review") if unread else Fate("accepted")


def covered(score: Score, quality: QualitySettings) -> bool:
    """Whether the config's calibration speaks for the score. Raises InputError when its file is none."""
    path = quality.calibration
    return path is not None and covers(_calibration(path, path.stat().st_mtime_ns), score, quality)


@lru_cache(maxsize=4)
def _calibration(path: Path, _changed: int) -> Calibration:
    return load_calibration(path)
