"""What the text is about: organs, findings, imaging. A fluent sentence about the wrong organ is what an encoder lets through.

The sentence encoder gives "Is the left kidney enlarged?" and هل توجد كتلة في الرئة اليسرى؟ (a mass in the left lung) a
similarity of .51, more than the right translation gets (.41): only words can tell them apart. Word lists: concepts.toml.
"""

import re
import tomllib
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from pipeline.quality.arabic import fold
from pipeline.quality.checks.words import Word, arabic_words
from schemas.base import Severity
from schemas.quality import Finding

Span = tuple[int, int]
#: Group and concept; of a word those that it names by itself, and those that depend on what stands around it.
Name = tuple[str, str]
Names = tuple[tuple[Name, ...], tuple[Name, ...]]
_WORD = re.compile(r"\w+")
#: An English pattern that a word alone decides; of the others the letters that a text must have, the last of them perhaps not.
_ONE_WORD = re.compile(r"(?:[a-z?+*|)]|\(\?:|\\w|\{\d,\d\})+")
_BEGINS = re.compile(r"(?:\(\?<![^)]*\)|\(\?-i:)*(?P<first>\w*)(?P<unsure>[?*{])?")
#: Letters behind a stem at most; words kept apart, as in words.py.
_MOST_ENDING, _MOST_WORDS = 4, 50_000
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
    asked, sure = _english_lists().places(source, _words(source)), _certain_lists().places(folded.text, arabic_words(folded.text))
    if not asked and not sure:
        return []
    said = _arabic_lists().places(folded.text, arabic_words(folded.text))
    findings: list[Finding] = []
    for members in _groups():
        wanted = {name: asked[name][0] for name in members if name in asked}
        covered = {start for name in wanted for start, _ in said.get(name, ())}
        lost = {name: span for name, span in wanted.items() if name not in said}
        new = {name: sure[name][0] for name in members if name in sure and name not in wanted}
        added = {name: span for name, span in new.items() if span[0] not in covered}
        if lost and added:
            was, became = next(iter(lost)), next(iter(added))
            findings.append(_finding(f"{was[1]} became {became[1]}", "critical", lost[was], folded.span(*added[became])))
        elif len(source) <= _SHORT_CHARS:
            findings += [_finding(f"nothing says {name}", "major", span, None) for (_, name), span in lost.items()]
            findings += [
                _finding(f"{name} is not in the source", "minor", None, folded.span(*span)) for (_, name), span in added.items()
            ]
    return findings


def concepts(source: str, folded: str) -> tuple[dict[Name, list[Span]], dict[Name, list[Span]]]:
    """The concepts that a source and a folded target name, with their places."""
    return _english_lists().places(source, _words(source)), _arabic_lists().places(folded, arabic_words(folded))


def question_kind(source: str, target: str, _kind: str) -> list[Finding]:
    """How many, which, where: no question for yes or no, and the other way round."""
    text = fold(target).text
    asked = "?" in source
    if asked and (_WH.match(source) or _HOW_MANY.match(source)) and _HAL.match(text):
        return [_kind_finding("an open question became one for yes or no")]
    if asked and _YES_NO.match(source) and not _HAL.search(text) and _ASKS.match(text.lstrip("؟ \"'«")):
        return [_kind_finding("a question for yes or no became an open one")]
    return []


class _Lists:
    """How each concept is said in one language; each word of a text is looked at once a process, for all concepts together.

    A pattern that a word alone decides never runs on a text. The few that look at what stands around the word run where a word
    is found that they could begin with.
    """

    def __init__(self, patterns: dict[Name, re.Pattern[str]], names_of: Callable[[str], Names]) -> None:
        self._patterns, self._names_of = patterns, names_of
        self._known: dict[str, Names] = {}

    def places(self, text: str, words: Sequence[Word]) -> dict[Name, list[Span]]:
        """Where the concepts are named, each in order of the text."""
        known, found, asked = self._known, dict[Name, list[Span]](), set[Name]()
        for word in words:
            names = known.get(word.text)
            if names is None:
                names = self._learn(word.text)
            for name in names[0]:
                found.setdefault(name, []).append((word.start, word.end))
            asked.update(names[1])
        for name in asked:
            spans = [match.span() for match in self._patterns[name].finditer(text)]
            if spans:
                found[name] = spans
            else:
                found.pop(name, None)
        return found

    def _learn(self, word: str) -> Names:
        if len(self._known) >= _MOST_WORDS:
            self._known.clear()
        self._known[word] = names = self._names_of(word)
        return names


@lru_cache(maxsize=1)
def _groups() -> tuple[tuple[Name, ...], ...]:
    return tuple(tuple((group, name) for name in members) for group, members in _raw().items())


@lru_cache(maxsize=1)
def _raw() -> dict[str, dict[str, list[list[str]]]]:
    raw: dict[str, dict[str, list[list[str]]]]
    raw = tomllib.loads(Path(__file__).parents[1].joinpath("concepts.toml").read_text(encoding="utf-8"))
    return raw


@lru_cache(maxsize=1)
def _english_lists() -> _Lists:
    said = {(group, name): words[0] for group, members in _raw().items() for name, words in members.items()}
    patterns = {name: re.compile(rf"\b(?:{'|'.join(words)})\b", re.I) for name, words in said.items()}
    whole = {name: re.compile("|".join(filter(_ONE_WORD.fullmatch, words)) or "(?!)", re.I) for name, words in said.items()}
    any_word = re.compile("|".join(f"(?:{one.pattern})" for one in whole.values()), re.I)
    firsts = [(_begins(word), name) for name, words in said.items() for word in words if not _ONE_WORD.fullmatch(word)]

    def names_of(word: str) -> Names:
        alone = tuple(name for name, pattern in whole.items() if pattern.fullmatch(word)) if any_word.fullmatch(word) else ()
        return alone, tuple(name for first, name in firsts if word.lower().startswith(first))

    return _Lists(patterns, names_of)


@lru_cache(maxsize=1)
def _arabic_lists() -> _Lists:
    return _stem_lists({name: [stem.lstrip("~") for stem in stems] for name, stems in _stems().items()})


@lru_cache(maxsize=1)
def _certain_lists() -> _Lists:
    """The same without the stems that mean much else, too."""
    return _stem_lists({name: [stem for stem in stems if not stem.startswith("~")] for name, stems in _stems().items()})


def _stems() -> dict[Name, list[str]]:
    return {(group, name): words[1] for group, members in _raw().items() for name, words in members.items()}


def _stem_lists(said: dict[Name, list[str]]) -> _Lists:
    entries = [(fold(stem).text, name) for name, stems in said.items() for stem in stems]
    exact, stems, firsts = dict[str, list[Name]](), dict[str, list[Name]](), list[tuple[str, Name]]()
    for stem, name in entries:
        if not stem.removesuffix("$").isalnum():
            firsts.append((_begins(stem), name))
        else:
            (exact if stem.endswith("$") else stems).setdefault(stem.removesuffix("$"), []).append(name)

    def names_of(word: str) -> Names:
        alone, around = list[Name](), list[Name]()
        for form in _without_prefix(word):
            alone += exact.get(form, ())
            for ending in range(min(_MOST_ENDING, len(form) - 1) + 1):
                alone += stems.get(form[: len(form) - ending], ())
            around += [name for first, name in firsts if form.startswith(first)]
        return tuple(dict.fromkeys(alone)), tuple(dict.fromkeys(around))

    return _Lists({name: _arabic(stems_of) for name, stems_of in said.items()}, names_of)


def _begins(pattern: str) -> str:
    """Letters that each word begins with at which the pattern can match, in small letters; "" where none are sure."""
    match = _BEGINS.match(pattern)
    return match["first"].lower()[: -1 if match["unsure"] else None] if match else ""


def _without_prefix(word: str) -> list[str]:
    """All that may be left of a word once what `_PREFIX` allows is taken off."""
    forms = []
    for rest in (word, word[1:]) if word[:1] in ("و", "ف") else (word,):
        forms.append(rest)
        if rest[:1] in ("ب", "ل", "ك"):
            forms += [rest[1:], rest[3:]] if rest[1:3] == "ال" else [rest[1:]]
        if rest[:2] in ("ال", "لل"):
            forms.append(rest[2:])
    return [form for form in forms if form]


def _words(text: str) -> list[Word]:
    return [Word(match.group(), *match.span()) for match in _WORD.finditer(text)]


def _arabic(stems: list[str]) -> re.Pattern[str]:
    folded = sorted((fold(stem).text for stem in stems), key=len, reverse=True)
    forms = [stem[:-1] if stem.endswith("$") else rf"{stem}\w{{0,{_MOST_ENDING}}}" for stem in folded]
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
