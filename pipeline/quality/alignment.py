"""What a translation seems to have lost, or to have been given, although each sentence of it reads well.

In: a pair and the likeness of its parts. Out: at most one finding of an omission and one of an addition, on the part that has the
least to stand for it. Three things are weighed together, none of which is enough: how much shorter or longer than usual the
translation is, how near the whole is, and how near the worst part. `benchmarks/alignment_fit.py` makes the weights.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.quality.arabic import fold
from pipeline.quality.semantic import Likeness
from schemas.quality import Finding, Span

#: Shorter sources say too little: an abbreviation written out is many times as long as it.
LEAST_WORDS = 4


#: The sum from which on it is a finding. At 0, of 1,110 right pairs written for this gate 9 were taken for an error, at .5 four
#: (of TICO-19's 1,937 pairs 7 and one), and 2 % less of what was cut or put in is found.
_LEAST = 0.5


class Weights(NamedTuple):
    """A logistic regression; the logarithm of the odds of an error."""

    similarity: float
    """Of the whole."""
    worst: float
    """The least that a part has on the other side: of the source for an omission, of the target for an addition."""
    others: float
    """The same for the parts of the other side, their mean."""
    letters: float
    """Logarithm of the target's letters over the source's."""
    words: float
    """Logarithm of the target's words over the source's."""
    word_length: float
    """Letters of a source's word: long ones become shorter in Arabic."""
    length: float
    """Logarithm of the source's letters."""
    parts: float
    """Logarithm of the number of parts: the worst of many is worse."""
    constant: float


#: Fitted on TICO-19, 1,937 human pairs and 644 texts of two to five of them, against what was cut from and put into them. The
#: constants leave a finding of an omission in .2 % of the pairs and one of an addition in .2 %. What the gate refuses with these
#: findings (and without them): last half kept .95 (.84), middle third cut .65 (.41), a clause cut .54 (.42), one of 2 to 5
#: sentences replaced .89 (.73), a strange sentence before .93 (.87) and behind .97 (.93); right pairs .9 % (.6 %).
OMISSION = Weights(-11.7, -4.74, 1.81, -7.39, -4.84, 0.916, 0.0644, 0.531, -4.068)
ADDITION = Weights(-13.9, -18.7, 3.47, 3.62, 0.619, -0.656, 2.9, -0.869, -0.5272)
#: The weights were fitted on no longer texts, nor on words of such lengths.
_MOST_LETTERS, _LEAST_WORD, _MOST_WORD = 800, 3.0, 9.0


def unmatched(source: str, target: str, pieces: tuple[Sequence[str], Sequence[str]], likeness: Likeness) -> list[Finding]:
    """Findings on what has no counterpart. `pieces`: the parts of both sides, as the likeness counts them."""
    if len(source.split()) < LEAST_WORDS or not math.isfinite(likeness.similarity):
        return []
    here, there = pieces
    found = []
    # Of a text of one part only the length would speak: المرارة سليمة is all of "The gallbladder is unremarkable".
    if len(here) > 1 and _sum(OMISSION, features(source, target, likeness.similarity, likeness.source, likeness.target)) > _LEAST:
        worst = here[likeness.source.index(min(likeness.source))]
        found.append(_finding("omission", f"little or no Arabic for {worst[:80]!r}", _place(worst, source), None))
    if (
        len(there) > 1
        and _sum(ADDITION, features(source, target, likeness.similarity, likeness.target, likeness.source)) > _LEAST
    ):
        worst = there[likeness.target.index(min(likeness.target))]
        found.append(_finding("addition", f"hardly in the source: {worst[:80]!r}", None, _place(worst, target)))
    return found


def features(source: str, target: str, similarity: float, these: Sequence[float], those: Sequence[float]) -> tuple[float, ...]:
    """What is weighed, in the order of `Weights`."""
    words, written = source.split(), max(1, len(target.split()))
    letters = len(source)
    return (
        similarity,
        min(these),
        sum(those) / len(those),
        math.log(max(1, len(fold(target).text)) / letters),
        math.log(written / len(words)),
        min(max(sum(map(len, words)) / len(words), _LEAST_WORD), _MOST_WORD),
        math.log(min(letters, _MOST_LETTERS)),
        math.log(len(these)),
    )


def _sum(weights: Weights, values: tuple[float, ...]) -> float:
    return sum(weight * value for weight, value in zip(weights[:-1], values, strict=True)) + weights.constant


def _place(part: str, text: str) -> Span | None:
    """Where a part stands in the text as given; None where a line break or the like runs through it."""
    plain, wanted = fold(text), fold(part).text
    at = plain.text.find(wanted)
    return plain.span(at, at + len(wanted)) if at >= 0 and wanted else None


def _finding(kind: str, message: str, source_span: Span | None, target_span: Span | None) -> Finding:
    return Finding(
        check="alignment",
        category=f"accuracy/{kind}",
        severity="major",
        message=message,
        source_span=source_span,
        target_span=target_span,
    )
