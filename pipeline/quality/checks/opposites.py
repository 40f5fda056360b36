"""One of a few words in another's place: increase and decrease, before and after, March and May, one drug and another.

Word lists: opposites.toml. A group accuses only where the source names one of its members that the target does not, and the
target names one that the source does not: what is paraphrased away, or added, is left to other checks.
"""

import re
import tomllib
from functools import lru_cache
from pathlib import Path

from pipeline.quality.arabic import fold
from pipeline.quality.checks.words import Said, Words, arabic_words, english_words
from schemas.quality import Finding, Span

#: Groups of which "not" makes one member the other.
_TURNED_BY_NO = frozenset({"amount", "comparison"})
_NOT = re.compile(r"\b(?:not|no|never|without|cannot)\b|n['’]t\b")
_ARABIC_NOT = re.compile(r"(?<!\w)[وف]?(?:لا|لم|لن|ليس|ليست|الا|دون|عدم|غير)(?!\w)")
_CLAUSE = re.compile(r"[.;:؛!?؟]")
_BEFORE_CHARS = 36


def opposites(source: str, target: str, _kind: str) -> list[Finding]:
    """Something of the source came back as its opposite, or as another member of its group."""
    english, arabic = word_lists()
    plain = fold(source)
    said = english.find(english_words(plain.text))
    if not said:
        return []
    groups = dict.fromkeys(one.group for one, _ in said if one.certain)
    if not groups:
        return []
    folded = fold(target)
    back = arabic.find(arabic_words(folded.text))
    findings = []
    named = {one.group for one, _ in back if one.certain}
    for group in groups:
        if group not in named:
            continue
        lost = _only(group, said, back)
        added = _only(group, back, said) if lost else {}
        if lost and added:
            (was, place), (became, there) = next(iter(lost.items())), next(iter(added.items()))
            if group in _TURNED_BY_NO and bool(_no(_NOT, plain.text, place)) != bool(_no(_ARABIC_NOT, folded.text, there)):
                # "Less than a week" and "not more than a week".
                continue
            findings.append(
                Finding(
                    check="opposites",
                    category="accuracy/mistranslation",
                    severity="critical",
                    message=f"{was} became {became}",
                    source_span=plain.span(*place),
                    target_span=folded.span(*there),
                )
            )
    return findings


def _no(pattern: re.Pattern[str], text: str, span: Span) -> re.Match[str] | None:
    """A negation in the same clause, close before the word."""
    before = _CLAUSE.split(text[max(0, span[0] - _BEFORE_CHARS) : span[0]])[-1]
    return pattern.search(before)


def _only(group: str, these: list[tuple[Said, Span]], those: list[tuple[Said, Span]]) -> dict[str, Span]:
    """Members that one side says for certain and the other in no way."""
    other = {one.member for one, _ in those if one.group == group}
    found: dict[str, Span] = {}
    for one, span in these:
        if one.group == group and one.certain and one.member not in other:
            found.setdefault(one.member, span)
    return found


@lru_cache(maxsize=1)
def word_lists() -> tuple[Words, Words]:
    """The entries in English and in Arabic."""
    raw = tomllib.loads(Path(__file__).parents[1].joinpath("opposites.toml").read_text(encoding="utf-8"))
    rows = [(Said(group, member, True), forms) for group, members in raw.items() for member, forms in members.items()]
    english, arabic = ([(form, said) for said, forms in rows for form in forms[side]] for side in (0, 1))
    return Words(english, arabic=False), Words(arabic, arabic=True)
