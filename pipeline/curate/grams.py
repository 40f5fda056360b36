"""Texts as numbers: the words of many texts at once as 64-bit hashes, and hashes of the runs of n words in them.

In: an Arrow column of texts and a pattern of words. Out: flat arrays with the place where each text begins. 70 words take 9 µs;
word by word in Python they take 45 µs. The same text has the same numbers whatever stands beside it, in any process.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
#: A sign that stands apart from its number.
_APART = r"([-+\x{2212}<>≤≥±])\s+(\d)"
#: Odd multipliers of 64-bit mixing functions (splitmix64).
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of texts: those of text i are `hashes[places[i]:places[i + 1]]`."""

    hashes: Hashes
    places: Places
    kinds: npt.NDArray[np.int64]
    """Number in `vocabulary` of each word."""
    vocabulary: tuple[str, ...]

    def counts(self) -> Places:
        """How many words each text has."""
        return np.diff(self.places)

    def marked(self, number: Callable[[str], int]) -> tuple[Hashes, Places]:
        """Those of the words to which `number` gives another one than 0, as these numbers."""
        numbers = np.fromiter(map(number, self.vocabulary), np.uint64, len(self.vocabulary))[self.kinds]
        chosen = numbers != 0
        return numbers[chosen], np.concatenate([[0], np.cumsum(chosen)])[self.places]


def words_of(texts: pa.Array | pa.ChunkedArray, pattern: str) -> Words:
    """The words that the pattern (of Rust's regex crate) finds in the texts in lower case, blanks inside a word left out.

    A word may hold blanks between a sign and its number only. So the pattern goes through what stands between blanks, once for
    each that there is: over the texts themselves it takes twice the time of all the rest.
    """
    plain = pl.Series(values=texts, dtype=pl.String).str.to_lowercase().str.replace_all(_APART, "${1}${2}")
    pieces = pc.split_pattern(plain.str.replace_all("\n", " ", literal=True).to_arrow(), " ")
    flat = pieces.values.dictionary_encode()
    found = pl.Series(values=flat.dictionary, dtype=pl.String).str.extract_all(pattern)
    vocabulary = tuple(found.filter(found.list.len() > 0).explode().to_list())
    hashes = np.fromiter(map(hash_of, vocabulary), np.uint64, len(vocabulary))
    held = _starts(found.list.len().to_numpy())
    kinds, ends = _ranges(held, flat.indices.to_numpy())
    return Words(hashes[kinds], ends[pieces.offsets.to_numpy()], kinds, vocabulary)


def _starts(counts: npt.NDArray[Any]) -> Places:
    """Where each of several runs begins, and the end of the last one."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _ranges(starts: Places, chosen: npt.NDArray[Any]) -> tuple[Places, Places]:
    """The numbers from `starts[i]` to `starts[i + 1]` for each chosen i, in a row, and where each range begins in it."""
    counts = np.diff(starts)[chosen]
    places = _starts(counts)
    return np.repeat(starts[chosen] - places[:-1], counts) + np.arange(places[-1]), places


@lru_cache(maxsize=1 << 17)
def hash_of(word: str) -> int:
    """64 bits of blake2b, never 0."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little") or 1


def digests(numbers: Hashes, places: Places) -> Hashes:
    """128 bits of each text's numbers in their order, as two columns: sums of each number mixed with its place.

    Two of a million texts have the same by chance once in 10^26; who wants two texts to have the same can make them.
    """
    at = np.arange(len(numbers), dtype=np.uint64) - np.repeat(places[:-1], np.diff(places)).astype(np.uint64)
    columns = []
    for first, second in ((_FIRST, _SECOND), (_SECOND, _FIRST)):
        mixed = (numbers ^ ((at + np.uint64(1)) * first)) * second
        mixed ^= mixed >> np.uint64(31)
        mixed *= first
        mixed ^= mixed >> np.uint64(29)
        columns.append(np.diff(np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed)])[places]))
    return np.stack(columns, axis=1)


def grams(words: Words, size: int) -> tuple[Hashes, Places]:
    """Hashes of the runs of `size` words, in order; a text of fewer words has none."""
    counts = np.maximum(words.counts() - size + 1, 0)
    places = _starts(counts)
    starts = np.repeat(words.places[:-1] - places[:-1], counts) + np.arange(places[-1])
    mixed = np.zeros(len(starts), np.uint64)
    for step in range(size):
        mixed = (mixed ^ words.hashes[starts + step]) * _FIRST
        mixed ^= mixed >> np.uint64(29)
    return mixed * _SECOND, places
