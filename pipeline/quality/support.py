"""What the words themselves say for a translation that the sentence encoder does not know.

In: a short pair. Out: how much of it word lists can vouch for. The encoder was never taught "the gallbladder is unremarkable" and
gives its right translation a similarity of .26, as it gives to unrelated texts; the glossary knows both words.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from pipeline.quality.arabic import fold
from pipeline.quality.checks.opposites import word_lists
from pipeline.quality.checks.terms import concepts
from pipeline.quality.checks.words import arabic_words, english_words
from pipeline.quality.forms import form_pattern
from pipeline.quality.lexicon import lexicon
from pipeline.translate.glossary import Glossary, load_glossary
from schemas.quality import Span

#: Words that carry no meaning of their own.
_ENGLISH_SMALL = """
    a an the of in on at to for from by with and or is are was were be been being there this that these those it its as do does
    did has have had which what where how who when why can could may will would should seen shown see show any some into within
    than
"""
_ARABIC_SMALL = """
    في من على إلى عن مع أو ثم أن إن هو هي هم هذا هذه ذلك تلك التي الذي كان كانت يكون تكون قد هل ما ماذا أي أين كم كيف متى يوجد
    توجد هناك ثمة تم يتم عند لدى بين كما أيضا بعض كل به بها فيه فيها له لها تظهر يظهر تشاهد يشاهد ترى يرى الصورة صورة و
"""
_DIGITS = re.compile(r"\d")


def support(source: str, target: str) -> float:
    """0 to 1: of both texts' words those that lists name on both sides, as a share; the smaller of the two shares."""
    plain, folded = fold(source), fold(target)
    english = [word for word in english_words(plain.text) if word.text not in _small()[0]]
    arabic = [word for word in arabic_words(folded.text) if word.text not in _small()[1]]
    if not english or not arabic:
        return 0.0
    here, there = list[Span](), list[Span]()
    for one, other in _both(source, plain.text, folded.text):
        here += one
        there += other
    shares = (
        sum(any(start < word.end and word.start < end for start, end in spans) for word in words) / len(words)
        for words, spans in ((english, here), (arabic, there))
    )
    return min(shares)


def _both(source: str, plain: str, folded: str) -> Iterator[tuple[list[Span], list[Span]]]:
    """Places of the source and of the target that say the same."""
    for english, forms in _terms(plain):
        found = [match.span() for form in forms for match in form_pattern(form).finditer(folded)]
        if found:
            yield english, found
    english_said, arabic_said = concepts(source, folded)
    for name in english_said.keys() & arabic_said.keys():
        yield english_said[name], arabic_said[name]
    english_list, arabic_list = word_lists()
    said, back = english_list.find(english_words(plain)), arabic_list.find(arabic_words(folded))
    for entry, span in said:
        same = [there for other, there in back if (other.group, other.member) == (entry.group, entry.member)]
        if same:
            yield [span], same
    for here, there in _small_lists():
        one, other = ([match.span() for match in pattern.finditer(text)] for pattern, text in ((here, plain), (there, folded)))
        if one and other:
            yield one, other
    for word in english_words(plain):
        if _DIGITS.match(word.text):
            same = [(other.start, other.end) for other in arabic_words(folded) if other.text == word.text]
            if same:
                yield [(word.start, word.end)], same


def _terms(plain: str) -> Iterator[tuple[list[Span], tuple[str, ...]]]:
    """Terms of the glossary with their places in the folded source and their Arabic."""
    for term in _glossary().slice_for(plain, limit=64):
        places = [
            match.span() for name in term.english for match in re.finditer(rf"\b{re.escape(fold(name).text)}(?:e?s)?\b", plain)
        ]
        yield places, term.arabic


@lru_cache(maxsize=1)
def _small() -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(_ENGLISH_SMALL.split()), frozenset(fold(_ARABIC_SMALL).text.split())


@lru_cache(maxsize=1)
def _glossary() -> Glossary:
    return load_glossary(())


@lru_cache(maxsize=1)
def _small_lists() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    """Left, right and "no" on both sides."""
    words = lexicon()
    sides = [(rf"\b{side}\b", words["laterality"][side]) for side in ("left", "right")]
    rows = [*sides, (rf"\b(?:{'|'.join(words['negation']['english'])})\b", words["negation"]["arabic"])]
    return tuple(
        (re.compile(english), re.compile(rf"(?<!\w)[وف]?(?:[بك]?ال|لل)?(?:{'|'.join(fold(word).text for word in arabic)})(?!\w)"))
        for english, arabic in rows
    )
