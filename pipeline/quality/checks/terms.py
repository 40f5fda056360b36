"""What the text is about: organs, findings, imaging. A fluent sentence about the wrong organ is what an encoder lets through.

The sentence encoder gives "Is the left kidney enlarged?" and هل توجد كتلة في الرئة اليسرى؟ (a mass in the left lung) a
similarity of .51, more than the right translation gets (.41): only words can tell them apart. Word lists: concepts.toml.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

from pipeline.quality.arabic import fold
from schemas.base import Severity
from schemas.quality import Finding

Span = tuple[int, int]
_PREFIX = r"(?:[وف]?(?:[بلك](?:ال)?|ال|لل)?)?"
#: Up to this many characters a text has one subject, and a concept that comes from nowhere is none of a paraphrase.
_SHORT_CHARS = 90
_HOW_MANY = re.compile(r"^\s*how (?:many|much)\b", re.I)
_WH = re.compile(r"^\s*(?:what|which|where|when|why|who|how)\b", re.I)
_YES_NO = re.compile(r"^\s*(?:is|are|was|were|does|do|did|has|have|can|could|should|will|would)\b[^,;]*\?\s*$", re.I)
_HAL = re.compile(r"^\W*(?:و|ف)?هل(?!\w)")
_ASKS = re.compile(r"(?<!\w)(?:و|ف|ب|ل)?(?:ما|ماذا|ماهي|ماهو|اين|متي|كيف|لماذا|كم|من|اي|ايه|باي|لاي|في اي|الي اي)(?!\w)")


def terms(source: str, target: str, _kind: str) -> list[Finding]:
    """One concept in another's place is critical; in a short text a lost one is major, an added one worth a look."""
    folded = fold(target)
    findings: list[Finding] = []
    for any_word, group in _concepts():
        # One search tells most texts that a group is none of theirs.
        if not any_word.english.search(source) and not any_word.certain.search(folded.text):
            continue
        wanted = {name: found.span() for name, words in group.items() if (found := words.english.search(source))}
        covered = {match.start() for name in wanted for match in group[name].arabic.finditer(folded.text)}
        lost = {name: span for name, span in wanted.items() if not group[name].arabic.search(folded.text)}
        added = {
            name: match.span()
            for name, words in group.items()
            if name not in wanted and (match := words.certain.search(folded.text)) and match.start() not in covered
        }
        if lost and added:
            was, became = next(iter(lost)), next(iter(added))
            findings.append(_finding(f"{was} became {became}", "critical", lost[was], folded.span(*added[became])))
        elif len(source) <= _SHORT_CHARS:
            findings += [_finding(f"nothing says {name}", "major", span, None) for name, span in lost.items()]
            findings += [
                _finding(f"{name} is not in the source", "minor", None, folded.span(*span)) for name, span in added.items()
            ]
    return findings


def question_kind(source: str, target: str, _kind: str) -> list[Finding]:
    """How many, which, where: no question for yes or no, and the other way round."""
    text = fold(target).text
    asked = "?" in source
    if asked and (_WH.match(source) or _HOW_MANY.match(source)) and _HAL.match(text):
        return [_kind_finding("an open question became one for yes or no")]
    if asked and _YES_NO.match(source) and not _HAL.search(text) and _ASKS.match(text.lstrip("؟ \"'«")):
        return [_kind_finding("a question for yes or no became an open one")]
    return []


@dataclass(frozen=True)
class _Words:
    """How a concept is said: `arabic` in any way, `certain` in ways that mean nothing else."""

    english: re.Pattern[str]
    arabic: re.Pattern[str]
    certain: re.Pattern[str]


@lru_cache
def _concepts() -> tuple[tuple[_Words, dict[str, _Words]], ...]:
    """Each group, behind the words of all its concepts."""
    raw = tomllib.loads(Path(__file__).parents[1].joinpath("concepts.toml").read_text(encoding="utf-8"))
    return tuple((_all(members), {name: _words(*words) for name, words in members.items()}) for members in raw.values())


def _all(members: dict[str, list[list[str]]]) -> _Words:
    english, arabic = zip(*members.values(), strict=True)
    return _words(list(chain.from_iterable(english)), list(chain.from_iterable(arabic)))


def _words(english: list[str], stems: list[str]) -> _Words:
    return _Words(
        re.compile(rf"\b(?:{'|'.join(english)})\b", re.I),
        _arabic([stem.lstrip("~") for stem in stems]),
        _arabic([stem for stem in stems if not stem.startswith("~")]),
    )


def _arabic(stems: list[str]) -> re.Pattern[str]:
    folded = sorted((fold(stem).text for stem in stems), key=len, reverse=True)
    forms = [stem[:-1] if stem.endswith("$") else rf"{stem}\w{{0,4}}" for stem in folded]
    return re.compile(rf"(?<!\w){_PREFIX}(?:{'|'.join(forms)})(?!\w)" if forms else r"(?!)")


def _finding(message: str, severity: Severity, source: Span | None, target: Span | None) -> Finding:
    return Finding(
        check="terms",
        category="accuracy/mistranslation",
        severity=severity,
        message=message,
        source_span=source,
        target_span=target,
    )


def _kind_finding(message: str) -> Finding:
    return Finding(check="question_kind", category="accuracy/mistranslation", severity="major", message=message)
