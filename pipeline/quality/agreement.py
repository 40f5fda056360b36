"""Whether the Arabic of a sample agrees with itself where the English does: an answer with the option that it names, say.

In: the segments of one sample, with their Arabic. Out: findings by segment. Each segment may be a good translation by itself and
the sample still teach the wrong answer: "B: Axial" as ب: محوري in the options and as ب: سهمي in the answer.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.quality.arabic import fold
from pipeline.quality.checks.words import arabic_words, bare_forms
from schemas.base import Severity
from schemas.quality import Finding

#: "B:", "(b)", "ب.": the mark of an option, in front of its text.
_MARK = re.compile(r"^\W*(?:[A-Za-z]|[أابجدهـ]{1,2})\s*[.:)\-]\s*(?=\S)")
_OR = re.compile(r"\bor\b")
_ARABIC_OR = re.compile(r"(?<!\w)(?:أم|ام|أو|او)(?!\w)")
#: An answer of more words is a sentence of its own, and need not take the question's words.
_MOST_WORDS = 4


class _Offer(NamedTuple):
    """A question that offers two things: its two sides, and the words of its two Arabic sides."""

    english: tuple[str, str]
    arabic: tuple[frozenset[str], frozenset[str]]


def agreement(pairs: Sequence[tuple[str, str]]) -> dict[int, list[Finding]]:
    """Findings by the number of the segment that says something else than an earlier one whose English it repeats."""
    if len(pairs) < 2:
        return {}
    english = [_plain(source) for source, _ in pairs]
    arabic = [_plain(target) for _, target in pairs]
    offers: list[_Offer] = []
    found: dict[int, list[Finding]] = {}
    for number, (source, target) in enumerate(pairs):
        said = [_repeated(english, arabic, number), _other_choice(english[number], arabic[number], offers)]
        findings = [finding for finding in said if finding]
        if findings:
            found[number] = findings
        # Each question is taken apart once, not again for each answer behind it.
        offers += _offered(source, target)
    return found


def _repeated(english: list[str], arabic: list[str], number: int) -> Finding | None:
    """The same English as an earlier segment, and the Arabic of another one: the answer names an option that it does not mean."""
    before = range(number)
    same = [other for other in before if english[other] == english[number] and english[number]]
    if not same or any(arabic[other] == arabic[number] for other in same):
        return None
    strangers = [other for other in before if arabic[other] == arabic[number] and english[other] != english[number]]
    if strangers:
        return _finding(f"says {english[strangers[0]][:60]!r}, not {english[number][:60]!r}", "critical")
    if _words(arabic[number]).isdisjoint(_words(arabic[same[0]])):
        return _finding(f"{english[number][:60]!r} has other Arabic words than where the sample says it first", "minor")
    return None


def _offered(source: str, target: str) -> list[_Offer]:
    """What a question with one "or" on both sides offers; nothing of any other text."""
    sides, ways = _OR.split(fold(source).text), _ARABIC_OR.split(fold(target).text)
    if "?" not in source or len(sides) != 2 or len(ways) != 2:
        return []
    return [_Offer((sides[0], sides[1]), (_words(ways[0]), _words(ways[1])))]


def _other_choice(answer: str, arabic: str, offers: Sequence[_Offer]) -> Finding | None:
    """ "Is it CT or MRI?": the answer is one of the two, and its Arabic has words of the other one only."""
    if not answer or len(answer.split()) > _MOST_WORDS:
        return None
    said = _words(arabic)
    for offer in reversed(offers):
        meant = [answer in side for side in offer.english]
        if sum(meant) != 1:
            continue
        here, there = offer.arabic if meant[0] else offer.arabic[::-1]
        if said & (there - here) and not said & here:
            return _finding(f"the question offers {answer!r}, and the Arabic answer takes the other choice", "critical")
    return None


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold(_MARK.sub("", text)).text))


def _words(text: str) -> frozenset[str]:
    return frozenset(form for word in arabic_words(fold(text).text) if len(word.text) > 2 for form in bare_forms(word.text)[-1:])


def _finding(message: str, severity: Severity) -> Finding:
    return Finding(check="agreement", category="accuracy/mistranslation", severity=severity, message=message)
