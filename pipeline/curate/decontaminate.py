"""Benchmark items stay out of training (law 6): by image, by exact text, by a run of 13 words.

A short question alone is no contamination ("Is this a CT?" is everybody's); a benchmark's image is by itself.
"""

import hashlib
import re
from collections.abc import Iterable

from schemas.sample import Sample

#: 13 words is the run that GPT-3's authors used; medical templates ("There is no evidence of …") repeat shorter ones.
_RUN = 13
_EXACT_WORDS = 8
_WORDS = re.compile(r"\w+")


class Benchmarks:
    """What must not be trained on: hashes only, so that a benchmark of 100,000 items takes about 100 MB."""

    def __init__(self, items: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        self._images: set[str] = set()
        self._texts: set[bytes] = set()
        self._runs: set[bytes] = set()
        for text, images in items:
            self._images.update(images)
            words = _words(text)
            if len(words) >= _EXACT_WORDS and not images:
                self._texts.add(_hash(words))
            self._runs.update(_runs(words))

    def hit(self, sample: Sample) -> str | None:
        """What a train sample shares with a benchmark, in words; None for nothing, and for held-out samples."""
        if sample.split != "train":
            return None
        if any(image.phash in self._images for image in sample.images):
            return "an image of a benchmark"
        words = _words("\n".join(turn.text for turn in sample.turns))
        if _hash(words) in self._texts:
            return "the text of a benchmark item"
        for number, run in enumerate(_runs(words)):
            if run in self._runs:
                return f"{_RUN} words of a benchmark item: {' '.join(words[number : number + _RUN])[:120]}"
        return None


def _words(text: str) -> list[str]:
    return _WORDS.findall(text.replace("<image>", " ").lower())


def _runs(words: list[str]) -> list[bytes]:
    return [_hash(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)]


def _hash(words: list[str]) -> bytes:
    return hashlib.blake2b(" ".join(words).encode(), digest_size=12).digest()
