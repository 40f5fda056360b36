"""What the words of a text say: entries of a word list, looked up word by word.

In: folded text. Out: the concepts that it names, each with its first place. A text of 20 words costs 6 µs a language, because
a word is taken apart once a process (a regular expression of the same 900 entries takes 400 µs).
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from pipeline.quality.arabic import fold
from schemas.quality import Span

_ENGLISH = re.compile(r"[a-z]+|\d+(?:[.,]\d+)*")
_ARABIC = re.compile(r"\w+")
#: Words kept apart: enough for every frequent word of a corpus, and a bound on memory.
_MOST_WORDS = 50_000
#: Letters that inflection adds to a stem at most.
_MOST_ENDING = 4
_NOTHING = "_"
#: Words of two letters that "and" is written onto.
_PARTICLES = frozenset({"لا", "لم", "لن", "ما"})
#: What a verb of two words may end in: لا تتجاوزوا.
_ENDINGS = ("", "وا", "ون", "ا", "ي", "ه", "ها")
_NONE: frozenset[str] = frozenset()


class Said(NamedTuple):
    """A concept of a group; `certain` when the word means little else."""

    group: str
    member: str
    certain: bool


class Word(NamedTuple):
    """A word of a folded text and its place there."""

    text: str
    start: int
    end: int


class Words:
    """One language's entries: `word`, `stem*` (English), `stem` and `word$` (Arabic), two words, `~` for an ambiguous one.

    In two English words a number is written 0 ("over 0"). Two words, and a longer stem, win over what is part of them; the
    member `_` says nothing, and so silences a part.
    """

    def __init__(self, entries: Iterable[tuple[str, Said]], arabic: bool) -> None:
        self._arabic = arabic
        self._exact: dict[str, list[Said]] = {}
        self._stems: dict[str, list[Said]] = {}
        self._pairs: dict[str, list[Said]] = {}
        for entry, said in entries:
            self._add(entry.lstrip("~"), said._replace(certain=not entry.startswith("~")))
        self._firsts = {pair.split(" ")[0] for pair in self._pairs}
        self._known: dict[str, tuple[tuple[Said, ...], bool]] = {}

    def _add(self, entry: str, said: Said) -> None:
        text = fold(entry.rstrip("*$")).text
        if " " in text:
            self._pairs.setdefault(text, []).append(said)
        elif entry.endswith("*") or (self._arabic and not entry.endswith("$")):
            self._stems.setdefault(text, []).append(said)
        else:
            self._exact.setdefault(text, []).append(said)

    def find(self, words: list[Word]) -> list[tuple[Said, Span]]:
        """What the words say, in their order."""
        found: list[tuple[Said, Span]] = []
        known = self._known
        silent: frozenset[str] = _NONE
        for number, (text, start, end) in enumerate(words):
            entry = known.get(text)
            if entry is None:
                entry = self._learn(text)
            said, opens = entry
            if not said and not opens:
                silent = _NONE
                continue
            quiet, silent = silent, _NONE
            if opens and number + 1 < len(words) and words[number + 1].start - end == 1:
                pair = self._pair(text, words[number + 1].text)
                silent = frozenset(one.group for one in pair)
                found += [(one, (start, words[number + 1].end)) for one in pair if one.member != _NOTHING]
            for one in said:
                if one.group not in quiet and one.group not in silent:
                    found.append((one, (start, end)))
        return found

    def _learn(self, text: str) -> tuple[tuple[Said, ...], bool]:
        if len(self._known) >= _MOST_WORDS:
            self._known.clear()
        said = tuple(one for one in self._of(text) if one.member != _NOTHING)
        self._known[text] = entry = said, self._opens(text)
        return entry

    def _of(self, text: str) -> list[Said]:
        """Of each group what the entries that cover most of the word say."""
        found: list[Said] = []
        for form in bare_forms(text) if self._arabic else (text,):
            shortest = max(2, len(form) - _MOST_ENDING) if self._arabic else 2
            for size in range(len(form), shortest - 1, -1):
                known = {one.group for one in found}
                entries = self._stems.get(form[:size], [])
                if size == len(form):
                    entries = [*self._exact.get(form, []), *entries]
                found += [one for one in entries if one.group not in known]
        return found

    def _opens(self, text: str) -> bool:
        if text[:1].isdigit():
            return "0" in self._firsts
        return not self._firsts.isdisjoint(bare_forms(text)) if self._arabic else text in self._firsts

    def _pair(self, one: str, other: str) -> list[Said]:
        if not self._arabic:
            return self._pairs.get(f"{_number(one)} {_number(other)}", [])
        for first in bare_forms(_number(one)):
            for second in bare_forms(_number(other)):
                for ending in _ENDINGS:
                    said = self._pairs.get(f"{first} {second.removesuffix(ending)}") if second.endswith(ending) else None
                    if said is not None:
                        return said
        return []


@lru_cache(maxsize=64)
def english_words(text: str) -> list[Word]:
    """Words and numbers of a folded English text."""
    return [Word(match.group(), *match.span()) for match in _ENGLISH.finditer(text)]


@lru_cache(maxsize=64)
def arabic_words(text: str) -> list[Word]:
    """Words of a folded Arabic text, with what is written onto them."""
    return [Word(match.group(), *match.span()) for match in _ARABIC.finditer(text)]


@lru_cache(maxsize=_MOST_WORDS)
def bare_forms(word: str) -> tuple[str, ...]:
    """A folded Arabic word as it stands, then without the conjunctions, prepositions and article that may be written on it."""
    forms = [word]
    if word[:1] in ("و", "ف") and (len(word) > 3 or word[1:] in _PARTICLES):
        forms.append(word[1:])
    for form in tuple(forms):
        if form[:2] in ("ال", "لل") and len(form) > 4:
            forms.append(form[2:])
        elif form[:1] in ("ب", "ل", "ك") and len(form) > 3:
            forms.append(form[1:])
            if form[1:3] == "ال" and len(form) > 5:
                forms.append(form[3:])
    return tuple(dict.fromkeys(forms))


def _number(word: str) -> str:
    return "0" if word[:1].isdigit() else word
