"""Score and verdict: checks and semantic similarity into one number from 0 to 100, and the reasons for it.

The combination (VERSION names it): the similarity of the worst segment gives the start, through `_CURVE`; each finding
takes its weight off; any critical finding caps the score below `quality.reject`. No score means review (law 2).
Cost of a pair of TICO-19's length on one core: 0.4 ms for the checks, 1 to 2 ms for the encoder.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.quality.arabic import bare
from pipeline.quality.checks import run_checks
from pipeline.quality.semantic import Encoder, embedded_encoder, sentences, similarities, unmatched
from pipeline.quality.verdict import Limits, capped, limits_for, verdict
from pipeline.settings import QualitySettings
from schemas.base import Task, Verdict
from schemas.quality import Finding, Span
from schemas.sample import IMAGE_MARK

VERSION = "checks-use-6"
#: Similarity to points. Human pairs of TICO-19 lie at .43 / .53 / .75 (1st, 5th, 50th percentile), unrelated ones below .3.
_CURVE = ((-1.0, 0.0), (0.1, 10.0), (0.25, 45.0), (0.38, 80.0), (0.55, 92.0), (0.8, 100.0))
#: A short text says little to the encoder: below this many words the curve is asked for less.
_SHORT_WORDS, _SHORT_GIFT = 4, 0.1
_WEIGHTS = {"neutral": 0.0, "minor": 2.0, "major": 21.0, "critical": 60.0}
#: Below this best similarity a sentence has no partner on the other side.
_LOST_SENTENCE = 0.28
_MIN_SENTENCES = 3


@dataclass(frozen=True)
class Pair:
    """A source segment and its Arabic; `kind` is the segment's label."""

    source: str
    target: str
    kind: str
    at: tuple[int, int] = (0, 0)
    """Where the two begin in the sample's turns, joined by line breaks: from there the spans of a sample's findings count."""


@dataclass(frozen=True)
class Scored:
    """The gate's word on one item; `by_pair` holds the findings of each pair, in order."""

    score: float | None
    verdict: Verdict
    similarity: float | None
    by_pair: tuple[tuple[Finding, ...], ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings of the item."""
        return tuple(finding for found in self.by_pair for finding in found)


class Gate:
    """Scores items of aligned pairs. Without an encoder the embedded one is loaded at the first use."""

    def __init__(self, quality: QualitySettings, encoder: Encoder | None = None) -> None:
        self._quality = quality
        self._encoder = encoder

    def score(self, items: Sequence[Sequence[Pair]], limits: Sequence[Limits] | None = None) -> list[Scored]:
        """One Scored an item, in order, by its own `limits` if given; the encoder sees all pairs of all items in one batch."""
        pairs = [pair for item in items for pair in item]
        near = iter(self._similarities(pairs))
        lines = limits if limits is not None else [limits_for(self._quality)] * len(items)
        return [self._scored(item, [next(near) for _ in item], line) for item, line in zip(items, lines, strict=True)]

    def limits(self, corpus: str, task: Task) -> Limits:
        """The thresholds of a corpus and a task."""
        return limits_for(self._quality, corpus, task)

    def _similarities(self, pairs: list[Pair]) -> list[float | None]:
        """Cosine a pair; None where there are no words to compare."""
        worth = [number for number, pair in enumerate(pairs) if _has_words(pair.source) and _has_words(pair.target)]
        values: list[float | None] = [None] * len(pairs)
        if worth:
            sources, targets = [_plain(pairs[n].source) for n in worth], [_plain(pairs[n].target) for n in worth]
            for number, value in zip(worth, similarities(self._coder(), sources, targets), strict=True):
                values[number] = value
        return values

    def _scored(self, item: Sequence[Pair], near: list[float | None], limits: Limits) -> Scored:
        if not item:
            # Every segment came from the closed table: nothing was left to a model.
            return Scored(score=100.0, verdict="accept", similarity=None, by_pair=())
        found = tuple(_placed(p, (*run_checks(p.source, p.target, p.kind), *self._alignment(p))) for p in item)
        known = [value for value in near if value is not None]
        base = min((_points(pair, value) for pair, value in zip(item, near, strict=True) if value is not None), default=100.0)
        findings = [finding for part in found for finding in part]
        score = max(0.0, base - sum(_WEIGHTS[finding.severity] for finding in findings))
        score = capped(score, findings, limits)
        return Scored(score, verdict(score, findings, limits), min(known, default=None), found)

    def _alignment(self, pair: Pair) -> list[Finding]:
        """Sentences of a longer text that have no partner: left out, or added."""
        source, target = sentences(_plain(pair.source)), sentences(_plain(pair.target))
        if len(source) < _MIN_SENTENCES or not target:
            return []
        lost, added = unmatched(self._coder(), source, target, _LOST_SENTENCE)
        found = [("omission", "no Arabic for", source[n]) for n in lost] + [
            ("addition", "not in the source:", target[n]) for n in added
        ]
        return [
            Finding(check="alignment", category=f"accuracy/{kind}", severity="major", message=f"{words} {text[:80]!r}")
            for kind, words, text in found
        ]

    def _coder(self) -> Encoder:
        return self._encoder or embedded_encoder()


def _placed(pair: Pair, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings on a segment as findings on the whole: without this a mark stood beside its word, by the length of `<image>`."""

    def moved(span: Span | None, by: int) -> Span | None:
        return None if span is None else (span[0] + by, span[1] + by)

    english, arabic = pair.at
    return tuple(
        f.model_copy(update={"source_span": moved(f.source_span, english), "target_span": moved(f.target_span, arabic)})
        for f in findings
    )


def _points(pair: Pair, similarity: float) -> float:
    if not math.isfinite(similarity):
        # An encoder that gives no number has said nothing for the pair; min() would pass over it.
        return 0.0
    gift = _SHORT_GIFT if len(pair.source.split()) < _SHORT_WORDS else 0.0
    return float(np.interp(similarity + gift, [x for x, _ in _CURVE], [y for _, y in _CURVE]))


def _plain(text: str) -> str:
    # The encoder chokes on lone surrogates, which only damaged input has; the checks have flagged them.
    return bare(text.replace(IMAGE_MARK, " ")).encode("utf-8", "replace").decode().strip()


def _has_words(text: str) -> bool:
    return sum(character.isalpha() for character in text.replace(IMAGE_MARK, "")) >= 2
