"""Findings, scores and verdicts."""

from schemas.base import Noun, SampleId, Severity, Verdict

Span = tuple[int, int]


class Finding(Noun):
    """One thing wrong with a translation, where a reviewer can see it."""

    check: str
    category: str
    """MQM category, e.g. accuracy/omission, accuracy/mistranslation, accuracy/untranslated, fluency/character-encoding."""
    severity: Severity
    message: str
    source_span: Span | None = None
    target_span: Span | None = None
    """[start, end) in characters of the text as given, not of a normalised form."""


class Score(Noun):
    """The gate's word on one Arabic twin. `score` None means that nothing could be scored: verdict review."""

    sample: SampleId
    """Id of the English sample."""
    score: float | None
    """0 to 100."""
    verdict: Verdict
    findings: tuple[Finding, ...]
    similarity: float | None
    """Semantic QE: lowest cosine over the turns that are long enough to compare."""
    judge: float | None
    """The judge's number, 0 to 100; None when no judge has read it, or gave no usable word."""
    judge_calls: tuple[str, ...] = ()
    """Keys of the calls that the judge's word rests on."""
    version: str
    """Version of the combination: scores of different versions are not compared."""
