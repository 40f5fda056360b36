"""The deterministic checks: pure, total functions from (source, target, kind) to findings. The registry is the order.

`kind` is the label of the segment (question, answer, option_a, findings, …). A new check is a function and a line here.
"""

from collections.abc import Callable

from pipeline.quality.checks.closed import closed_answer
from pipeline.quality.checks.form import empty, image_marks, option_letters, placeholders, polarity, question, urls
from pipeline.quality.checks.length import extra_sentence, length_ratio, preamble, repetition, truncation
from pipeline.quality.checks.meaning import codes, negation
from pipeline.quality.checks.numbers import numbers
from pipeline.quality.checks.opposites import opposites
from pipeline.quality.checks.pieces import Piece, aligned, items
from pipeline.quality.checks.punctuation import punctuation
from pipeline.quality.checks.script import encoding, foreign_script, untranslated
from pipeline.quality.checks.sides import laterality
from pipeline.quality.checks.spelled import spelled_out
from pipeline.quality.checks.terms import question_kind, terms
from pipeline.quality.checks.units import units
from schemas.quality import Finding, Span

Check = Callable[[str, str, str], list[Finding]]

CHECKS: tuple[Check, ...] = (
    empty, untranslated, foreign_script, encoding, numbers, units, negation, laterality, opposites, codes, polarity,
    closed_answer, option_letters, image_marks, placeholders, urls, question, question_kind, terms, spelled_out, truncation,
    length_ratio, extra_sentence, repetition, preamble, punctuation,
)  # fmt: skip
#: Where the two sides have equally many sentences, each is read with its own: another one's "no" does not stand in for it.
BY_SENTENCE = frozenset({negation, laterality, opposites})
#: Of a list each item is read with its own by these too: options that are exchanged hold the same numbers in all.
BY_ITEM = frozenset({numbers, units, codes})


def run_checks(source: str, target: str, kind: str) -> tuple[Finding, ...]:
    """All findings on one segment, in the order of the registry. An empty target is its only finding."""
    first = empty(source, target, kind)
    if first:
        return tuple(first)
    pieces = aligned(source, target)
    apart = BY_SENTENCE if len(pieces) > 1 else frozenset()
    apart = apart | BY_ITEM if items(pieces) else apart
    findings: list[Finding] = []
    for check in CHECKS[1:]:
        if check in apart:
            for piece in pieces:
                findings += [_moved(finding, piece) for finding in check(piece.source, piece.target, kind)]
        else:
            findings += check(source, target, kind)
    return tuple(findings)


def _moved(finding: Finding, piece: Piece) -> Finding:
    """A finding on a piece as one on the whole."""

    def span(at: Span | None, by: int) -> Span | None:
        return None if at is None else (at[0] + by, at[1] + by)

    return finding.model_copy(
        update={
            "source_span": span(finding.source_span, piece.source_at),
            "target_span": span(finding.target_span, piece.target_at),
        }
    )
