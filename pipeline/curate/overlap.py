"""Which of many known texts a text holds: word for word, by a run of words, or lightly edited.

In: the known texts, each of an owner; a text as words and runs of three words. Out: the known text that it holds and where. An
edited text keeps a share of its runs of three words and most of its words by weight: what stands in every text weighs little.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.curate.grams import Hashes, Places, grams, words_of

WORDS = r"\w+"
#: 13 words is the run that GPT-3's authors used; medical templates ("There is no evidence of …") repeat shorter ones.
RUN = 13
GRAM = 3
#: Of a text that is not editable so many words in a row: 13 of a report on a healthy chest are in one of six other such reports.
_LONG_RUN = 2 * RUN
#: Three words of more owners than this are a template ("what are the symptoms of") and no evidence by themselves.
_TEMPLATE = 3
#: Three words of more texts than this name no candidate: it would take a look at all of them.
_COUNTED = 200
#: Shares of a text's runs of three words, and of its words by weight, from which it is recognised. Measured on 500 items with one
#: or two words replaced: benchmarks/curate_quality.py.
_GRAMS_SHARE, _WORDS_SHARE = 0.35, 0.75
#: A text of fewer words, templates aside, is found inside a longer one only where none is missing; one of fewer than the second,
#: not at all.
_EDITED_WORDS, _HELD_WORDS = 10, 8
#: Weight of a word is the logarithm of how many texts there are for each that has it, and this at most: names of rare diseases
#: are replaced as often as other words.
_HEAVIEST = 2.5
#: Words that may stand between those of an edited text.
_SLACK = 4
_LOOKED_AT = 8
_TABLE_BITS = 24


@dataclass(frozen=True, slots=True)
class Found:
    """A known text and where the other one holds it."""

    text: int
    run: bool
    """A run of words; else most of the text."""
    start: int
    end: int
    """Words of the other text."""


class Overlap:
    """The known texts; those that are not `editable` are found by long runs only."""

    def __init__(self, texts: Sequence[str], owners: Sequence[int], editable: Sequence[bool]) -> None:
        self._words = words_of(pa.array(texts, pa.string()), WORDS)
        self._hashes, self._starts = grams(self._words, GRAM)
        self._editable = editable
        holders = np.repeat(np.arange(len(texts)), np.diff(self._starts))
        pairs = _pairs(self._hashes, holders)
        self._runs, places = np.unique(pairs["run"], return_index=True)
        self._places = np.append(places, len(pairs))
        self._holders: Places = pairs["text"]
        owned = _pairs(pairs["run"], np.array(owners, np.int64)[self._holders])
        self._spread = np.unique(owned["run"], return_counts=True)[1]
        often = np.diff(self._places)
        counted = self._holders[np.repeat(often <= _COUNTED, often)]
        self._sizes = np.maximum(1, np.bincount(counted, minlength=len(texts)))
        said = _pairs(self._words.hashes, np.repeat(np.arange(len(texts)), self._words.counts()))
        kinds, counts = np.unique(said["run"], return_counts=True)
        weights = np.minimum(np.log((len(texts) + 1) / counts), _HEAVIEST)
        self._weights = dict(zip(kinds.tolist(), weights.tolist(), strict=True))
        self._table = np.zeros(1 << _TABLE_BITS, np.bool_)
        self._table[_bits(self._runs)] = True

    def known(self, runs: Hashes) -> npt.NDArray[np.bool_]:
        """Whether each run of three words may be one of a known text: false only where it is none."""
        return self._table[_bits(runs)]

    def find(self, words: Hashes, runs: Hashes) -> Found | None:
        """The known text that a text with these words and runs holds, the likeliest first."""
        for text in self._likely(np.unique(runs)):
            found = self._run(text, runs) or self._edited(text, words, runs)
            if found is not None:
                return found
        return None

    def _likely(self, runs: Hashes) -> list[int]:
        places = self._lookup(runs)
        lists = [self._holders[self._places[at] : self._places[at + 1]] for at in places[places >= 0]]
        lists = [holders for holders in lists if len(holders) <= _COUNTED]
        if len(lists) < 2:
            return []
        texts, shared = np.unique(np.concatenate(lists), return_counts=True)
        share = shared / self._sizes[texts]
        likely = np.flatnonzero((share >= _GRAMS_SHARE) | (shared > RUN - GRAM))
        best: list[int] = texts[likely[np.lexsort((texts[likely], -share[likely]))]][:_LOOKED_AT].tolist()
        return best

    def _lookup(self, runs: Hashes) -> Places:
        """The place of each run among those of the known texts, -1 for none."""
        places = np.minimum(np.searchsorted(self._runs, runs), len(self._runs) - 1)
        return np.where(self._runs[places] == runs, places, -1)

    def _run(self, text: int, runs: Hashes) -> Found | None:
        """Words in a row as they stand in the known text, most of them no template's."""
        theirs = self._hashes[self._starts[text] : self._starts[text + 1]]
        width = (RUN if self._editable[text] else _LONG_RUN) - GRAM + 1
        if len(theirs) < width or len(runs) < width:
            return None
        place = {run: number for number, run in enumerate(theirs.tolist())}
        length, last = 0, -2
        for number, run in enumerate(runs.tolist()):
            at = place.get(run, -2)
            length = length + 1 if at >= 0 and at == last + 1 else int(at >= 0)
            last = at
            if length >= width:
                start = number - width + 1
                if 4 * self._rare(runs[start : number + 1]).sum() > 3 * width:
                    return Found(text, True, start, start + width + GRAM - 1)
        return None

    def _rare(self, runs: Hashes) -> npt.NDArray[np.bool_]:
        """Which runs of three words, all of them of known texts, are no template's."""
        return self._spread[self._lookup(runs)] <= _TEMPLATE

    def _edited(self, text: int, words: Hashes, runs: Hashes) -> Found | None:
        if not self._editable[text]:
            return None
        theirs = self._words.hashes[self._words.places[text] : self._words.places[text + 1]]
        if len(theirs) < _HELD_WORDS:
            return None
        own = self._hashes[self._starts[text] : self._starts[text + 1]]
        # A template's question about something else shares the template only.
        rare = own[self._rare(own)]
        at = np.flatnonzero(np.isin(runs, rare))
        if len(np.unique(runs[at])) < max(1, _GRAMS_SHARE * len(rare)):
            return None
        start, end = _window(at, len(theirs) + _SLACK, len(words))
        wanted, there = Counter(theirs.tolist()), Counter(words[start:end].tolist())
        whole = sum(self._weights[word] * count for word, count in wanted.items())
        share = sum(self._weights[word] * count for word, count in (wanted & there).items()) / whole
        enough = _WORDS_SHARE if len(rare) > _EDITED_WORDS - GRAM else 1.0 - 1e-9
        return Found(text, False, start, end) if share >= enough else None


def _pairs(runs: Hashes, numbers: Places) -> npt.NDArray[np.void]:
    """Each pair once, in order."""
    pairs = np.empty(len(runs), [("run", np.uint64), ("text", np.int64)])
    pairs["run"], pairs["text"] = runs, numbers
    return np.unique(pairs)


def _bits(runs: Hashes) -> Hashes:
    return runs >> np.uint64(64 - _TABLE_BITS)


def _window(at: Places, width: int, words: int) -> tuple[int, int]:
    """The place of so many words that holds most of the shared runs."""
    held = np.searchsorted(at, at + width - GRAM, side="right") - np.arange(len(at))
    best = int(np.argmax(held))
    middle = (int(at[best]) + int(at[best + int(held[best]) - 1]) + GRAM) // 2
    start = max(0, min(middle - width // 2, words - width))
    return start, min(words, start + width)
