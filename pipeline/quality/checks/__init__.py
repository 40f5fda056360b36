"""The deterministic checks: pure, total functions from (source, target, kind) to findings. The registry is the order.

`kind` is the label of the segment (question, answer, option_a, findings, …). A new check is a function and a line here.
"""

from collections.abc import Callable

from pipeline.quality.checks.form import empty, image_marks, option_letters, placeholders, polarity, question, urls
from pipeline.quality.checks.length import length_ratio, preamble, repetition, truncation
from pipeline.quality.checks.meaning import codes, laterality, negation
from pipeline.quality.checks.numbers import numbers, units
from pipeline.quality.checks.script import encoding, foreign_script, untranslated
from pipeline.quality.checks.terms import question_kind, terms
from schemas.quality import Finding

Check = Callable[[str, str, str], list[Finding]]

CHECKS: tuple[Check, ...] = (
    empty, untranslated, foreign_script, encoding, numbers, units, negation, laterality, codes, polarity, option_letters,
    image_marks, placeholders, urls, question, question_kind, terms, truncation, length_ratio, repetition, preamble,
)  # fmt: skip


def run_checks(source: str, target: str, kind: str) -> tuple[Finding, ...]:
    """All findings on one segment, in the order of the registry. An empty target is its only finding."""
    first = empty(source, target, kind)
    if first:
        return tuple(first)
    return tuple(finding for check in CHECKS[1:] for finding in check(source, target, kind))
