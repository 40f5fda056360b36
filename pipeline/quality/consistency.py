"""One English term, several Arabic ones: inside a sample and across a release.

In: samples with their Arabic, the glossary with its variants. Out: terms and whole segments that were said in several ways, with
how often. A soft signal: human translators take the glossary's first form 54 % of the time (FINDINGS), so nothing is refused.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.quality.arabic import fold
from pipeline.quality.forms import form_pattern
from pipeline.quality.gate import Pair
from pipeline.translate.glossary import Glossary
from pipeline.translate.termfiles import Term
from schemas.quality import Finding

#: Segments of fewer letters are closed answers, whose Arabic a table fixes.
_LEAST_CHARS = 12
_EXAMPLES = 3


@dataclass
class Variety:
    """How one English wording was said: Arabic form to the number of texts, and samples to look at."""

    forms: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, form: str, sample: str) -> None:
        """One more text with this form."""
        self.forms[form] += 1
        seen = self.samples.setdefault(form, [])
        if len(seen) < _EXAMPLES and sample not in seen:
            seen.append(sample)

    def as_json(self) -> list[dict[str, Any]]:
        """Forms, the commonest first."""
        ranked = sorted(self.forms.items(), key=lambda item: (-item[1], item[0]))
        return [{"arabic": form, "texts": count, "samples": self.samples[form]} for form, count in ranked]


def mixed_terms(glossary: Glossary, pairs: Sequence[Pair]) -> list[Finding]:
    """A finding for each term that one sample says in two of its ways; severity neutral, because both may be right."""
    said: dict[str, dict[str, tuple[int, int]]] = {}
    for pair in pairs:
        for term, form, span in _said(glossary, pair):
            said.setdefault(term.en, {}).setdefault(form, (span[0] + pair.at[1], span[1] + pair.at[1]))
    return [
        Finding(
            check="consistency",
            category="terminology/inconsistent",
            severity="neutral",
            message=f"{english!r} is said in {len(forms)} ways: {', '.join(sorted(forms))}",
            target_span=max(forms.values()),
        )
        for english, forms in said.items()
        if len(forms) > 1
    ]


def varieties(glossary: Glossary, samples: Iterable[tuple[str, Sequence[Pair]]]) -> dict[str, dict[str, Variety]]:
    """{"terms", "segments"}: English wording to its Arabic forms, only those with more than one, over (sample id, pairs)."""
    terms: dict[str, Variety] = {}
    segments: dict[str, Variety] = {}
    for name, pairs in samples:
        for pair in pairs:
            for term, form, _ in _said(glossary, pair):
                terms.setdefault(term.en, Variety()).add(form, name)
            if len(pair.source) >= _LEAST_CHARS and "\n" not in pair.source:
                segments.setdefault(pair.source.strip(), Variety()).add(pair.target.strip(), name)
    return {"terms": _several(terms), "segments": _several(segments)}


def _several(found: dict[str, Variety]) -> dict[str, Variety]:
    """Those with more than one form; what was said in the most ways, and most often, first."""
    several = {english: variety for english, variety in found.items() if len(variety.forms) > 1}
    return dict(sorted(several.items(), key=lambda item: (-len(item[1].forms), -item[1].forms.total(), item[0])))


def _said(glossary: Glossary, pair: Pair) -> Iterator[tuple[Term, str, tuple[int, int]]]:
    """Terms of the source with the one of their forms that stands in the target; the longest, where one form holds another."""
    folded = fold(pair.target)
    for term in glossary.slice_for(pair.source, limit=64):
        if not term.variants:
            continue
        for form in sorted((term.ar, *term.variants), key=len, reverse=True):
            found = form_pattern(form).search(folded.text)
            if found:
                yield term, form, folded.span(*found.span())
                break
