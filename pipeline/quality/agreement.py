"""Whether the Arabic of a sample agrees with itself where the English does: an answer with the option that it names, say.

In: the segments of one sample, with their Arabic. Out: findings by segment. Each segment may be a good translation by itself and
the sample still teach the wrong answer: "B: Axial" as ب: محوري in the options and as ب: سهمي in the answer.
"""

import re
from collections.abc import Sequence

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


def agreement(pairs: Sequence[tuple[str, str]]) -> dict[int, list[Finding]]:
    """Findings by the number of the segment that says something else than an earlier one whose English it repeats."""
    if len(pairs) < 2:
        return {}
    english = [_plain(source) for source, _ in pairs]
    arabic = [_plain(target) for _, target in pairs]
    found: dict[int, list[Finding]] = {}
    for number in range(1, len(pairs)):
        before = range(number)
        said = [_repeated(english, arabic, number, before), _other_choice(pairs, number, before)]
        findings = [finding for finding in said if finding]
        if findings:
            found[number] = findings
    return found


def _repeated(english: list[str], arabic: list[str], number: int, before: range) -> Finding | None:
    """The same English as an earlier segment, and the Arabic of another one: the answer names an option that it does not mean."""
    same = [other for other in before if english[other] == english[number] and english[number]]
    if not same or any(arabic[other] == arabic[number] for other in same):
        return None
    strangers = [other for other in before if arabic[other] == arabic[number] and english[other] != english[number]]
    if strangers:
        return _finding(f"says {english[strangers[0]][:60]!r}, not {english[number][:60]!r}", "critical")
    if _words(arabic[number]).isdisjoint(_words(arabic[same[0]])):
        return _finding(f"{english[number][:60]!r} has other Arabic words than where the sample says it first", "minor")
    return None


def _other_choice(pairs: Sequence[tuple[str, str]], number: int, before: range) -> Finding | None:
    """ "Is it CT or MRI?": the answer is one of the two, and its Arabic has words of the other one only."""
    answer = _plain(pairs[number][0])
    if not answer or len(answer.split()) > _MOST_WORDS:
        return None
    for other in reversed(before):
        question, asked = pairs[other]
        sides, ways = _OR.split(fold(question).text), _ARABIC_OR.split(fold(asked).text)
        if "?" not in question or len(sides) != 2 or len(ways) != 2:
            continue
        meant = [answer in side for side in sides]
        if sum(meant) != 1:
            continue
        said = _words(_plain(pairs[number][1]))
        here, there = (_words(ways[place]) for place in ((0, 1) if meant[0] else (1, 0)))
        if said & (there - here) and not said & here:
            return _finding(f"the question offers {answer!r}, and the Arabic answer takes the other choice", "critical")
    return None


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold(_MARK.sub("", text)).text))


def _words(text: str) -> frozenset[str]:
    return frozenset(form for word in arabic_words(fold(text).text) if len(word.text) > 2 for form in bare_forms(word.text)[-1:])


def _finding(message: str, severity: Severity) -> Finding:
    return Finding(check="agreement", category="accuracy/mistranslation", severity=severity, message=message)
