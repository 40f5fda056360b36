"""Score and verdict: checks and semantic similarity into one number from 0 to 100, and the reasons for it.

The combination (VERSION names it): the similarity of the worst segment gives the start, through `_CURVE`; each finding
takes its weight off; any critical finding caps the score below `quality.reject`. No score means review (law 2).
Cost of a pair of TICO-19's length on one core: 0.3 ms for the checks, 2 ms for the encoder (`benchmarks/gate_speed.py`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.quality.agreement import agreement
from pipeline.quality.alignment import unmatched
from pipeline.quality.arabic import bare
from pipeline.quality.checks import run_checks
from pipeline.quality.encoder import embedded_encoder
from pipeline.quality.order import exchanged
from pipeline.quality.scorers import model_digest, scorer_of
from pipeline.quality.semantic import Encoder, Likeness, Scorer, compare, parts
from pipeline.quality.support import support
from pipeline.quality.verdict import Limits, capped, limits_for, verdict
from pipeline.settings import QualitySettings
from schemas.base import Task, Verdict
from schemas.quality import Finding, Span
from schemas.sample import IMAGE_MARK

VERSION = "checks-use-10"
#: Similarity to points. Human pairs of TICO-19 lie at .43 / .53 / .75 (1st, 5th, 50th percentile), unrelated ones below .3.
_CURVE = ((-1.0, 0.0), (0.1, 10.0), (0.25, 45.0), (0.38, 80.0), (0.55, 92.0), (0.8, 100.0))
#: A short text says little to the encoder: below this many words the curve is asked for less.
_SHORT_WORDS, _SHORT_GIFT = 4, 0.1
#: Where the encoder knows a short text badly, word lists may vouch for it: from this share of both sides on, and up to this
#: similarity. Of 1,311 right pairs of up to 14 words 15 lie below .38, and 11 of those have this share; of 1,311 unrelated ones
#: one has it.
_VOUCHED_WORDS, _LEAST_SHARE, _VOUCHED_GIFT, _VOUCHED_TO = 14, 0.45, 0.3, 0.45
_WEIGHTS = {"neutral": 0.0, "minor": 2.0, "major": 21.0, "critical": 60.0}


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


class _Near(NamedTuple):
    """How near a pair is, what that is worth from 0 to 100, and the parts that were compared."""

    similarity: float
    points: float
    pieces: tuple[Sequence[str], Sequence[str]]
    likeness: Likeness
    order: Finding | None
    """Items of a list in each other's place."""


class Gate:
    """Scores items of aligned pairs. Without an encoder the embedded one is loaded at the first use.

    A scorer (one given, or that of the config) gives the number in the encoder's place: its 0 to 1 are 0 to 100 points. What
    was left out or added is still looked for part by part, with the encoder.
    """

    def __init__(self, quality: QualitySettings, encoder: Encoder | None = None, scorer: Scorer | None = None) -> None:
        self._quality = quality
        self._encoder = encoder
        self._scorer = scorer

    @property
    def version(self) -> str:
        """What its scores are made by: two scores compare only where this is the same. Another scorer is another gate."""
        if self._scorer is None and self._quality.scorer == "embedded":
            return VERSION
        name = model_digest(Path(self._quality.scorer)) if self._scorer is None else self._scorer.id
        return f"{VERSION}+{name}"

    def score(self, items: Sequence[Sequence[Pair]], limits: Sequence[Limits] | None = None) -> list[Scored]:
        """One Scored an item, in order, by its own `limits` if given; the encoder sees all pairs of all items in one batch."""
        pairs = [pair for item in items for pair in item]
        near = iter(self._compared(pairs))
        lines = limits if limits is not None else [limits_for(self._quality)] * len(items)
        return [self._scored(item, [next(near) for _ in item], line) for item, line in zip(items, lines, strict=True)]

    def limits(self, corpus: str = "", task: Task | None = None) -> Limits:
        """The thresholds of a corpus and a task; of a text of neither the general ones."""
        return limits_for(self._quality, corpus, task)

    def _compared(self, pairs: list[Pair]) -> list[_Near | None]:
        """What encoder and scorer say of each pair; None where there are no words to compare."""
        worth = [number for number, pair in enumerate(pairs) if _has_words(pair.source) and _has_words(pair.target)]
        values: list[_Near | None] = [None] * len(pairs)
        if not worth:
            return values
        pieces = [(parts(plain(pairs[n].source)), parts(plain(pairs[n].target))) for n in worth]
        likenesses = compare(self._coder(), [here for here, _ in pieces], [there for _, there in pieces])
        order = exchanged(self._coder(), [(pairs[n].source, pairs[n].target) for n in worth])
        scorer = self._scoring()
        said = scorer.similarities([pairs[n].source for n in worth], [pairs[n].target for n in worth]) if scorer else None
        for place, (number, piece, likeness) in enumerate(zip(worth, pieces, likenesses, strict=True)):
            near = likeness.similarity if said is None else said[place]
            points = _points(pairs[number], near) if said is None else _percent(near)
            values[number] = _Near(near, points, piece, likeness, order.get(place))
        return values

    def _scored(self, item: Sequence[Pair], near: list[_Near | None], limits: Limits) -> Scored:
        if not item:
            # Every segment came from the closed table: nothing was left to a model.
            return Scored(score=100.0, verdict="accept", similarity=None, by_pair=())
        both = list(zip(item, near, strict=True))
        across = agreement([(pair.source, pair.target) for pair in item])
        found = tuple(
            _placed(p, (*run_checks(p.source, p.target, p.kind), *_alignment(p, one), *across.get(number, ())))
            for number, (p, one) in enumerate(both)
        )
        known = [one.similarity for one in near if one is not None]
        base = min((one.points for one in near if one is not None), default=100.0)
        findings = [finding for part in found for finding in part]
        score = max(0.0, base - sum(_WEIGHTS[finding.severity] for finding in findings))
        score = capped(score, findings, limits)
        return Scored(score, verdict(score, findings, limits), min(known, default=None), found)

    def _coder(self) -> Encoder:
        return self._encoder or embedded_encoder()

    def _scoring(self) -> Scorer | None:
        if self._scorer is None and self._quality.scorer != "embedded":
            self._scorer = scorer_of(Path(self._quality.scorer))
        return self._scorer


def _placed(pair: Pair, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings on a segment as findings on the whole: without this a mark stood beside its word, by the length of `<image>`."""

    def moved(span: Span | None, by: int) -> Span | None:
        return None if span is None else (span[0] + by, span[1] + by)

    english, arabic = pair.at
    return tuple(
        f.model_copy(update={"source_span": moved(f.source_span, english), "target_span": moved(f.target_span, arabic)})
        for f in findings
    )


def _alignment(pair: Pair, near: _Near | None) -> list[Finding]:
    """What was left out, added or exchanged, as far as the parts of the two sides tell."""
    if near is None:
        return []
    found = unmatched(pair.source, pair.target, near.pieces, near.likeness)
    return [*found, near.order] if near.order else found


def _points(pair: Pair, similarity: float) -> float:
    if not math.isfinite(similarity):
        # An encoder that gives no number has said nothing for the pair; min() would pass over it.
        return 0.0
    words = len(pair.source.split())
    near = similarity + (_SHORT_GIFT if words < _SHORT_WORDS else 0.0)
    if words <= _VOUCHED_WORDS and near < _VOUCHED_TO:
        share = support(pair.source, pair.target)
        near = min(near + _VOUCHED_GIFT * share, _VOUCHED_TO) if share >= _LEAST_SHARE else near
    return float(np.interp(near, [x for x, _ in _CURVE], [y for _, y in _CURVE]))


def _percent(value: float) -> float:
    return 100.0 * min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0


def plain(text: str) -> str:
    """A text as encoders are given it: without image marks, harakat and what is no Unicode."""
    # The encoder chokes on lone surrogates, which only damaged input has; the checks have flagged them.
    return bare(text.replace(IMAGE_MARK, " ")).encode("utf-8", "replace").decode().strip()


def _has_words(text: str) -> bool:
    return sum(character.isalpha() for character in text.replace(IMAGE_MARK, "")) >= 2
