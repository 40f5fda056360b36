"""Does a made English text say what its source says? Pure checks; nothing is asked of a model.

In: what the source says, what was made, what has to come back. Out: findings, each naming what is new, lost or turned around.
Strict on purpose: a right text that is flagged costs one more question, a wrong one that passes is taught to a model.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.quality.checks.values import float_of
from pipeline.quality.lexicon import lexicon
from pipeline.translate.glossary import Glossary, load_glossary
from pipeline.translate.termfiles import Term
from pipeline.workspace import fingerprint
from schemas.quality import Finding

VERSION = "1"
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_WORD = re.compile(r"[^\W\d_]+")
_CODE = re.compile(r"(?<![A-Za-z\d])([TLCS])-?(\d{1,2})(?![A-Za-z\d])")
#: "No abnormality" is no answer to a question for yes or no.
_CLOSED = re.compile(r"^\W*(yes\b|no(?=\s*(?:[,.;:!]|$)|\s+(?:it|there|the|this|that|he|she|they)\b))", re.I)
_PHRASES = re.compile(r"[.;:!?,\n]+|\b(?:and|or|with|but)\b", re.I)
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_SIDE = re.compile(r"\b(?:(?P<one>left|right)|bilateral\w*|both)\b", re.I)
_BOTH = frozenset({"left", "right"})
#: Words between a side and what it belongs to, at most: "left (lung shows a) nodule".
_REACH = 5
#: Words with the same beginning are forms of one word: fracture, fractured.
_STEM = 5
_SHORT_STEM = 4
_ARTICLES = frozenset({"a", "an", "the", "of", "in", "on"})
#: Fields of the glossary whose terms are things that can be there or not.
_DOMAINS = frozenset({"anatomy", "pathology", "symptom", "drug", "procedure", "laboratory"})
_Named = tuple[tuple[str, re.Pattern[str]], ...]


@dataclass(frozen=True)
class Said:
    """A question and its answer; of a caption or a report the request is the question."""

    question: str
    answer: str

    @property
    def text(self) -> str:
        return f"{self.question}\n{self.answer}"


def faults(source: Said, made: Sequence[Said], keep: str = "") -> list[Finding]:
    """What the made exchanges say beyond the source or against it, and what of `keep` they leave out.

    `keep` is the part of the source that has to come back: the answer that is written out; nothing of a caption, of which a
    question takes one point.
    """
    text, answers = "\n".join(one.text for one in made), "\n".join(one.answer for one in made)
    readers: dict[str, Callable[[str], set[str]]] = {
        "number": _digits, "code": _codes, "side": _sides, "position": _positions, "concept": _concepts,
    }  # fmt: skip
    findings = []
    for check, read in readers.items():
        known = read(source.text) | (_number_words(source.text) if check == "number" else set())
        came_back = read(answers) | (_number_words(answers) if check == "number" else set())
        findings += [
            _finding(check, f"{name} is new: the source does not say it", name, text) for name in sorted(read(text) - known)
        ]
        findings += [_finding(check, f"{name} is lost: the source says it", name) for name in sorted(read(keep) - came_back)]
    return [
        *findings,
        *_measured(source.text, text, keep),
        *_entities(source.text, text),
        *_ties(source, made),
        *_denials(source, made, bool(keep)),
        *_kept(source.question, keep, answers),
    ]


@lru_cache
def version() -> str:
    """Changes with the checks and with every list that they read: what was made under another one is checked again."""
    patterns = {group: [(name, found.pattern) for name, found in named] for group, named in _patterns().items()}
    return fingerprint(VERSION, _words(), lexicon(), patterns, _glossary().id)


def meaning(text: str) -> tuple[str, ...]:
    """A short text as words to compare: case, articles, plurals, number words and names of one organ make no difference."""
    said = text
    for name, pattern in (*_patterns()["body"], *_patterns()["imaging"]):
        said = pattern.sub(f" {name} ", said)
    table = lexicon()["numbers"]["english"]
    words = [str(table.get(word, word)) for word in re.findall(r"\w+", said.casefold()) if word not in _ARTICLES]
    return tuple(word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in words)


def _digits(text: str) -> set[str]:
    """Values in figures, and in words that say nothing but a number."""
    idle = _words()["phrases"]["idle_numbers"]
    spelt = {value for word, value in _spelt(text) if word not in idle}
    return {f"{float_of(match):g}" for match in _NUMBER.findall(text)} | spelt


def _number_words(text: str) -> set[str]:
    """All values in words, idioms too: "both" accounts for 2."""
    return {value for _, value in _spelt(text)}


def _spelt(text: str) -> list[tuple[str, str]]:
    table = lexicon()["numbers"]["english"]
    return [(word, f"{float(table[word]):g}") for word in _WORD.findall(text.casefold()) if word in table]


def _codes(text: str) -> set[str]:
    return {f"{letter}{int(number)}" for letter, number in _CODE.findall(text)}


def _sides(text: str) -> set[str]:
    """Left and right; both and bilateral are the two of them."""
    plain = _no_side().sub(" ", text)
    found: set[str] = set()
    for match in _SIDE.finditer(plain):
        if match["one"]:
            found.add(match["one"].lower())
        elif match.group().lower() != "both" or _pair().match(plain, match.end()):
            found |= _BOTH
    return found


def _positions(text: str) -> set[str]:
    return {name for name, pattern in _patterns()["position"] if pattern.search(text)}


def _concepts(text: str) -> set[str]:
    groups = ("body", "finding", "imaging")
    return {name for group in groups for name, pattern in _patterns()[group] if pattern.search(text)}


def _measured(source: str, made: str, keep: str) -> Iterator[Finding]:
    """A value keeps its unit, and gets none that it did not have."""
    wanted, found = _measures(source), _measures(made)
    values = _digits(source) | _number_words(source)
    for value, unit in sorted(found - wanted):
        if value in values:
            yield _finding("unit", f"{value} {unit} is new: the source says {value} without that unit", value, made)
    for value, unit in sorted(_measures(keep) - found):
        yield _finding("unit", f"{value} {unit} is lost: the source says it", value)


def _measures(text: str) -> set[tuple[str, str]]:
    found = set()
    for match in _measure().finditer(text.casefold()):
        unit = next(name for name, value in match.groupdict().items() if value is not None and name != "value")
        found.add((f"{float_of(match['value']):g}", unit.rpartition("_")[0]))
    return found


def _entities(source: str, made: str) -> Iterator[Finding]:
    """Diseases, structures, drugs and the like by the glossary and by the endings of their names, that the source lacks."""
    stems = {word[:_STEM] for word in _WORD.findall(source.casefold())}
    concepts = _concepts(source)
    common = _words()["phrases"]["common"]
    there = set(_glossary().slice_for(source, limit=10_000))
    for term in _glossary().slice_for(made, limit=10_000):
        if term.domain in _DOMAINS and term.en not in common and term not in there and not _is_known(term, stems, concepts):
            yield _finding("entity", f"{term.en} is new: the source does not say it", term.en, made)
    for word in dict.fromkeys(_WORD.findall(made.casefold())):
        if word not in common and word[:_STEM] not in stems and _ending().search(word) and not _concepts(word):
            yield _finding("entity", f"{word} is new: the source does not say it", word, made)


def _is_known(term: Term, stems: set[str], concepts: set[str]) -> bool:
    """One of its names consists of words of the source and of other words for its concepts; or a concept is what is new."""
    if _concepts(term.en) - concepts:
        return True

    def known(word: str) -> bool:
        return word[:_STEM] in stems or bool(_concepts(word))

    return any(all(map(known, _WORD.findall(name.casefold()))) for name in term.english)


def _ties(source: Said, made: Sequence[Said]) -> Iterator[Finding]:
    """A side that belongs to something else in the source: the nodule of the left lung is not on the right."""
    there = _tied(source.text)
    for name, sides in sorted(_tied("\n".join(one.text for one in made)).items()):
        wrong = sides - there.get(name, sides)
        if wrong:
            known = " and ".join(sorted(there[name]))
            yield _finding("side", f"{name} is {' and '.join(sorted(wrong))}, and {known} in the source", name)


def _tied(text: str) -> dict[str, set[str]]:
    """Each concept with the sides that stand beside it: before it in its phrase, or else behind it."""
    found: dict[str, set[str]] = {}
    for phrase in _PHRASES.split(_no_side().sub(" ", text)):
        sides = [(match.start(), match["one"].lower()) for match in _SIDE.finditer(phrase) if match["one"]]
        for name, start, end in _mentions(phrase) if sides else ():
            before = [side for at, side in sides if at < start and len(phrase[at:start].split()) <= _REACH]
            behind = [side for at, side in sides if at >= end and len(phrase[end:at].split()) <= _REACH]
            if before or behind:
                found.setdefault(name, set()).add(before[-1] if before else behind[0])
    return found


def _mentions(phrase: str) -> list[tuple[str, int, int]]:
    groups = ("body", "finding")
    return [
        (name, *match.span()) for group in groups for name, pattern in _patterns()[group] for match in pattern.finditer(phrase)
    ]


def _denials(source: Said, made: Sequence[Said], whole: bool) -> Iterator[Finding]:
    """What the source affirms is not denied, what it denies is not affirmed; a negation is neither lost nor added."""
    known, said = _claims([source]), _claims(made)
    for name in sorted(said):
        if name in known and not said[name] <= known[name]:
            turned = "denied, and affirmed" if False in said[name] - known[name] else "affirmed, and denied"
            yield _finding("negation", f"{name} is {turned} in the source", name)
    denied = _denies(source.answer) or _denies(source.question)
    answers = "\n".join(one.answer for one in made)
    if _denies(answers) and not denied:
        yield _finding("negation", "a negation is new: the source denies nothing", "")
    if whole and _denies(source.answer) and not _denies(answers):
        yield _finding("negation", "the negation is lost", "")
    closed = _CLOSED.match(source.answer)
    for own in (_CLOSED.match(one.answer) for one in made if whole and closed):
        if closed and (own is None or own[1].lower() != closed[1].lower()):
            yield _finding("negation", f"the answer is {closed[1].lower()}, and the made one does not begin with it", "")


def _claims(exchanges: Sequence[Said]) -> dict[str, set[bool]]:
    """Each finding with how it is claimed: affirmed (True), denied (False), or both of it in different places."""
    found: dict[str, set[bool]] = {}
    for one in exchanges:
        closed = _CLOSED.match(one.answer)
        if closed and not _denies(one.question):
            for name, _ in _findings_in(one.question):
                found.setdefault(name, set()).add(closed[1].lower() == "yes")
        for sentence in _SENTENCES.split(one.answer):
            if not sentence.rstrip().endswith("?"):
                for name, denied in _findings_in(_CLOSED.sub("", sentence)):
                    found.setdefault(name, set()).add(not denied)
    return found


def _findings_in(text: str) -> Iterator[tuple[str, bool]]:
    """(finding, whether it is denied there): by a negation before it in its part of the sentence, or by one right behind it."""
    start = 0
    for end in (*(match.start() for match in _breaks().finditer(text)), len(text)):
        part = text[start:end]
        negations = [match.start() for match in _negation().finditer(_idle_negation().sub(_blanked, part))]
        for name, pattern in _patterns()["finding"]:
            for match in pattern.finditer(part):
                yield name, any(at < match.start() for at in negations) or bool(_denied_after().match(part[match.end() :]))
        start = end


def _denies(text: str) -> bool:
    return bool(_negation().search(_idle_negation().sub(_blanked, text)))


def _blanked(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _kept(question: str, keep: str, answers: str) -> Iterator[Finding]:
    """The words of the answer come back, what was possible stays possible, and of a choice the right one is named first."""
    hedged = _hedges().search(keep)
    if hedged and not _hedges().search(answers):
        yield _finding("certainty", f"{hedged.group()!r} is lost: what was possible is now certain", "")
    stems = {word[:_SHORT_STEM] for word in _WORD.findall(answers.casefold())}
    for word in dict.fromkeys(_WORD.findall(_hedges().sub(" ", keep).casefold())):
        in_other_words = word == "both" and _sides(answers) == _BOTH
        if word[:_SHORT_STEM] not in stems and not in_other_words and not _says_little(word):
            yield _finding("word", f"{word!r} is lost: the source says it", "")
    right, offered = _concepts(keep), _concepts(question)
    first = min(_mentions(answers), key=lambda mention: mention[1], default=None)
    if re.search(r"\bor\b", question) and right & offered and first and first[0] in offered - right:
        yield _finding("choice", f"{first[0]} stands where the answer is {' and '.join(sorted(right))}: name that one first", "")


def _says_little(word: str) -> bool:
    """A small word, a number (compared as one), or a modality, which has several names."""
    numbers, idle = lexicon()["numbers"]["english"], _words()["phrases"]["idle_answer"]
    if word == "both":
        return False
    return len(word) < 3 or word in idle or word in numbers or any(found.search(word) for _, found in _patterns()["imaging"])


@lru_cache
def _words() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


@lru_cache
def _patterns() -> dict[str, _Named]:
    """Names of things by group: those of the gate's concepts, and our own findings and positions."""
    raw = tomllib.loads(Path(__file__).parents[1].joinpath("quality", "concepts.toml").read_text(encoding="utf-8"))
    words = {group: {name: both[0] for name, both in members.items()} for group, members in raw.items()}
    words["finding"] |= _words()["finding"]
    words["position"] = _words()["position"]
    return {
        group: tuple((name, re.compile(rf"\b(?:{'|'.join(forms)})\b", re.I)) for name, forms in members.items())
        for group, members in words.items()
    }


@lru_cache
def _measure() -> re.Pattern[str]:
    forms = [(form, name) for name, both in lexicon()["units"].items() for form in both[0]]
    # mmHg before mm: longer forms first.
    parts = [f"(?P<{name}_{number}>{form})" for number, (form, name) in enumerate(sorted(forms, key=lambda one: -len(one[0])))]
    return re.compile(rf"(?P<value>\d+(?:[.,]\d+)*)[ -]?(?:{'|'.join(parts)})(?!\w)")


@lru_cache
def _negation() -> re.Pattern[str]:
    words = [word for word in lexicon()["negation"]["english"] if word != "n't"]
    return re.compile(rf"\b(?:{'|'.join(words)})\b|n['’]t\b", re.I)


@lru_cache
def _idle_negation() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(lexicon()['negation']['english_not'])})", re.I)


@lru_cache
def _pair() -> re.Pattern[str]:
    anatomy = "|".join(word for word in lexicon()["laterality"]["anatomy"] if not word.endswith("s"))
    return re.compile(rf" (?:\w+ ){{0,2}}?(?:{anatomy})s\b", re.I)


def _phrase(name: str) -> Callable[[], re.Pattern[str]]:
    @lru_cache
    def compiled() -> re.Pattern[str]:
        return re.compile(_words()["phrases"][name], re.I)

    return compiled


_breaks, _denied_after, _hedges, _no_side = map(_phrase, ("breaks", "denied_after", "hedges", "no_side"))


@lru_cache
def _ending() -> re.Pattern[str]:
    return re.compile(rf"\w{{3}}(?:{'|'.join(_words()['phrases']['endings'])})$")


@lru_cache
def _glossary() -> Glossary:
    return load_glossary()


def _finding(check: str, message: str, name: str, made: str = "") -> Finding:
    """`name` is looked up in the made text, so that a reader sees where."""
    at = made.casefold().find(name.casefold()) if name and made else -1
    return Finding(
        check=check,
        category="accuracy/omission" if "is lost" in message else "accuracy/addition",
        severity="critical",
        message=message,
        target_span=(at, at + len(name)) if at >= 0 else None,
    )
