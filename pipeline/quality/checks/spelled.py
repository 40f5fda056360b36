"""English in Arabic letters: فراكتشر for a fracture. The reader gets sounds where Arabic has a word.

In: the glossary's English words that Arabic translates. A word is accused where none of its Arabic stands in the target and a
word there has its consonants. Drugs and eponyms are rightly written by their sound, and the glossary has them so.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from pipeline.quality.arabic import fold
from pipeline.quality.checks.words import Word, arabic_words, bare_forms, english_words
from pipeline.translate.glossary import STARTER
from pipeline.translate.termfiles import read_terms
from schemas.quality import Finding

#: Fewer consonants, and shorter Arabic words, are met by chance.
_LEAST, _LEAST_LETTERS = 3, 5
#: Letters of both alphabets by what is heard: vowels, h and Arabic's own throat sounds say nothing. Sounds that Arabic writes in
#: several ways (p, v, g, ch) are one.
_ENGLISH = (
    ("ture", "TSR"), ("tion", "SN"), ("sion", "SN"), ("sch", "S"), ("tch", "S"), ("ph", "F"), ("th", "T"), ("sh", "S"),
    ("ck", "K"), ("qu", "K"), ("gh", "G"), ("pn", "N"), ("x", "KS"), ("b", "B"), ("p", "B"), ("d", "D"), ("f", "F"), ("v", "F"),
    ("g", "G"), ("j", "G"), ("k", "K"), ("q", "K"), ("l", "L"), ("m", "M"), ("n", "N"), ("r", "R"),
    ("s", "S"), ("t", "T"), ("z", "S"),
)  # fmt: skip
_ARABIC = {
    **dict.fromkeys("ب", "B"), **dict.fromkeys("تطث", "T"), **dict.fromkeys("دضذ", "D"), **dict.fromkeys("سصزظش", "S"),
    **dict.fromkeys("جغ", "G"), **dict.fromkeys("كقخ", "K"), **dict.fromkeys("ف", "F"), "ل": "L", "م": "M", "ن": "N", "ر": "R",
}  # fmt: skip
_WITH_THE = re.compile("[وف]?[بكل]ال")
_SOUNDS = re.compile("|".join(sorted((letters for letters, _ in _ENGLISH), key=len, reverse=True)) + "|c[eiy]|ch?")
_BY_LETTERS = dict(_ENGLISH)
#: What inflection adds to a borrowed word: plural, feminine, relation.
_ENDINGS = ("", "ات", "ه", "يه", "ي", "يا")


class _Known(NamedTuple):
    """An English word of the glossary: its Arabic words, folded, and its consonants as they may be heard."""

    arabic: tuple[str, ...]
    heard: frozenset[str]


def spelled_out(source: str, target: str, _kind: str) -> list[Finding]:
    """A term that Arabic has a word for, written in Arabic letters."""
    plain = fold(source)
    said = [(word, known) for word in english_words(plain.text) if (known := _known().get(word.text))]
    if not said:
        return []
    folded = fold(target)
    words = arabic_words(folded.text)
    for word in words:
        sounds = _heard(word.text)
        for english, known in said:
            if not sounds.isdisjoint(known.heard) and not _translated(words, known.arabic):
                span = plain.span(english.start, english.end)
                return [_finding(source[slice(*span)], word.text, span, folded.span(word.start, word.end))]
    return []


def _translated(words: list[Word], stems: tuple[str, ...]) -> bool:
    return any(form.startswith(stems) for word in words for form in bare_forms(word.text))


@lru_cache(maxsize=50_000)
def _heard(word: str) -> frozenset[str]:
    """What a folded Arabic word may sound like to English ears, with and without what is written onto it."""
    forms = bare_forms(word)
    # بال is a preposition and the article, never the beginning of a borrowed word: بالعدوى is not "blood".
    return _sounds(forms if not _WITH_THE.match(word) else forms[-1:], _LEAST_LETTERS)


def _sounds(forms: Iterable[str], least: int) -> frozenset[str]:
    stems = (form.removesuffix(ending) for form in forms for ending in _ENDINGS if form.endswith(ending))
    return frozenset(_once("".join(_ARABIC.get(letter, "") for letter in stem)) for stem in stems if len(stem) >= least)


def _english_sounds(word: str) -> frozenset[str]:
    """The ways in which a word may be heard: c is k or s, ch is sh or k."""
    ways = [""]
    for match in _SOUNDS.finditer(word):
        letters = match.group()
        sounds = ("K", "S") if letters == "ch" else ("S",) if letters in ("ce", "ci", "cy") else (_BY_LETTERS.get(letters, "K"),)
        ways = [way + sound for way in ways for sound in sounds]
    return frozenset(way for way in map(_once, ways) if len(way) >= _LEAST)


def _once(sounds: str) -> str:
    return re.sub(r"(.)\1+", r"\1", sounds)


@lru_cache(maxsize=1)
def _known() -> dict[str, _Known]:
    arabic: dict[str, set[str]] = {}
    for term, _ in read_terms(STARTER)[0]:
        for english in term.english:
            word = fold(english).text
            if word.isalpha() and len(word) >= _LEAST_LETTERS:
                arabic.setdefault(word, set()).update(part for form in term.arabic for part in fold(form).text.split())
    known = {}
    for word, forms in arabic.items():
        heard = _english_sounds(word)
        # A word that Arabic has borrowed (فيروس) is rightly written so, and its broken plural has the same consonants.
        if heard.isdisjoint(_sounds(forms, 1)):
            known[word] = _Known(tuple(form[:-1] if form.endswith("ه") else form for form in forms if len(form) > 2), heard)
            known.setdefault(f"{word}s", known[word])
    return known


def _finding(english: str, arabic: str, source: tuple[int, int], target: tuple[int, int]) -> Finding:
    return Finding(
        check="spelled_out",
        category="terminology",
        severity="major",
        message=f"{english!r} is written by its sound: {arabic}",
        source_span=source,
        target_span=target,
    )
