"""Semantic similarity of source and target, whole and part by part: one signal beside the checks, not the score.

In: plain texts. Out: a Likeness a pair: how near the two are, and how near each part of one is to what resembles it most on the
other side. Blind to a lost "no" (AUC .547). Every character of a text is seen: what is too long for one part is in more of them.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

_CLAUSE_END = re.compile(r"[.!?؟…:؛;,،—)][\"'»”’)\]]*$")
#: Words of a part: cut behind a comma or a full stop from 3 words on, anywhere after 8. With 12 a middle third that was dropped
#: was found in .62 of TICO-19 pairs instead of .66, with 6 in .62.
_LEAST_WORDS, _MOST_WORDS = 3, 8
#: Parts of a text, about: 100,000 characters would have thousands, and the table that compares them has as many rows as columns.
_MOST_PARTS = 1024
#: Rounded, because the order of additions inside a batch moves the seventh digit.
_DECIMALS = 3
_BLOCK = 2000


class Encoder(Protocol):
    """Anything that turns texts into unit vectors; one row a text."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row a text, in order."""
        ...


@runtime_checkable
class PartEncoder(Protocol):
    """An encoder to which the parts of a text cost less than texts of their own."""

    def encode_parts(self, texts: Sequence[Sequence[str]]) -> list[Vectors]:
        """For each text, given as its parts in order, a row for the whole and one for each part."""
        ...


class Scorer(Protocol):
    """Anything that says how good a translation is: a quality-estimation model, say."""

    @property
    def id(self) -> str:
        """What scores of this scorer are known by."""
        ...

    def similarities(self, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        """For each pair a number, 0 for nothing in common to 1 for perfect; not finite where there is none."""
        ...


class Likeness(NamedTuple):
    """How near a pair is. `source[i]`: the best that the target has for part i of the source; `target` the other way round."""

    similarity: float
    source: tuple[float, ...]
    target: tuple[float, ...]


def similarities(encoder: Encoder, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Cosine of each source with its target, -1 to 1."""
    vectors = encoder.encode([*sources, *targets])
    half = len(sources)
    return [round(float(value), _DECIMALS) for value in np.einsum("ij,ij->i", vectors[:half], vectors[half:])]


def compare(encoder: Encoder, sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]) -> list[Likeness]:
    """The likeness of each pair of texts, given in parts; 2,000 pairs a call of the encoder, of which a pair takes 20 kB."""
    found: list[Likeness] = []
    for at in range(0, len(sources), _BLOCK):
        here, there = sources[at : at + _BLOCK], targets[at : at + _BLOCK]
        rows = _encode_parts(encoder, [*here, *there])
        found += [_likeness(one, other) for one, other in zip(rows[: len(here)], rows[len(here) :], strict=True)]
    return found


def parts(text: str) -> tuple[str, ...]:
    """Clauses, or runs of eight words of a long one, in order; joined by blanks they are the text.

    A text of more than 8,000 words has longer parts, so that it never has more than 3,000.
    """
    words = text.split()
    most = max(_MOST_WORDS, -(-len(words) // _MOST_PARTS))
    least = max(_LEAST_WORDS, most * _LEAST_WORDS // _MOST_WORDS)
    ends = [0]
    for number, word in enumerate(words, 1):
        size = number - ends[-1]
        if size >= most or (size >= least and _CLAUSE_END.search(word)):
            ends.append(number)
    if ends[-1] < len(words):
        if len(words) - ends[-1] < least and len(ends) > 1:
            ends.pop()
        ends.append(len(words))
    return tuple(" ".join(words[start:end]) for start, end in pairwise(ends)) or ("",)


def _encode_parts(encoder: Encoder, texts: Sequence[Sequence[str]]) -> list[Vectors]:
    if isinstance(encoder, PartEncoder):
        return encoder.encode_parts(texts)
    flat = [piece for text in texts for piece in (" ".join(text), *text)]
    vectors = encoder.encode(flat)
    cuts = np.cumsum([1 + len(text) for text in texts])[:-1]
    return np.split(vectors, cuts) if texts else []


def _likeness(source: Vectors, target: Vectors) -> Likeness:
    table = np.round((source @ target.T).astype(np.float64), _DECIMALS)
    return Likeness(float(table[0, 0]), tuple(table[1:].max(axis=1).tolist()), tuple(table[:, 1:].max(axis=0).tolist()))
