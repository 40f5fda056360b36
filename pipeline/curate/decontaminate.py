"""Benchmark items stay out of training (law 6): by image, by their text, lightly edited or not, by a run of 13 words.

In: the items of the benchmarks; samples. Out: for each train sample what it shares with which item, both texts side by side.
A short question alone is no contamination ("Is this a CT?" is everybody's); a benchmark's image is by itself.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.curate.columns import unfolded
from pipeline.curate.dedup import texts_of
from pipeline.curate.grams import Words, grams, words_of
from pipeline.curate.overlap import GRAM, WORDS, Overlap
from schemas.sample import IMAGE_MARK, Sample

#: A text of fewer words ("Is it safe?") is everybody's even where a sample is that text and nothing else.
_EXACT_WORDS = 4
#: Bits in which the perceptual hash of a copy saved again or at another size differs: 0 in 28 of 31 chest X-rays as JPEG 95, 2 in
#: the others; the nearest two of different patients differ in 8.
_IMAGE_BITS = 2
#: What the report shows of either side, in characters.
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a benchmark."""

    name: str
    """`corpus:split`, and the record's own id."""
    turns: tuple[tuple[str, str], ...]
    """(role, text), without marks of images."""
    images: tuple[str, ...] = ()
    """Perceptual hashes, of those that are there."""
    pictured: bool = False
    """It is about images, there or not: its words alone are everybody's."""

    @property
    def text(self) -> str:
        """All turns, a line break between them."""
        return "\n".join(text for _, text in self.turns).strip()


@dataclass(frozen=True, slots=True)
class Hit:
    """What a sample shares with an item of a benchmark."""

    kind: str
    item: str
    theirs: str
    ours: str

    def __str__(self) -> str:
        return f"{self.kind} of {self.item}: {self.theirs!r} | here: {self.ours!r}"


class Pictures:
    """Images by their perceptual hashes, 16 hex digits each."""

    def __init__(self, hashes: Iterable[str]) -> None:
        self._hashes = np.array([int(each, 16) for each in hashes], np.uint64)

    def place(self, phash: str) -> int | None:
        """Which of them, the first one, is the image with this hash, saved again or not."""
        near = np.bitwise_count(self._hashes ^ np.uint64(int(phash, 16))) <= _IMAGE_BITS
        return int(near.argmax()) if near.any() else None


class Benchmarks:
    """What must not be trained on. An item of 60 words takes about 4 kB."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = tuple(items)
        shown = [(image, item) for item in self._items for image in item.images]
        self._pictures = Pictures(image for image, _ in shown)
        self._shown = [item for _, item in shown]
        texts = [_sound(item.text) for item in self._items]
        words = words_of(pa.array(texts, pa.string()), WORDS)
        counts = words.counts()
        # Backwards, so that the first of several items with the same text gives its name.
        self._exact = {
            _all(words, number): item
            for number, item in reversed([*enumerate(self._items)])
            if not _about_images(item) and counts[number] >= _EXACT_WORDS
        }
        pieces = [(number, text) for number, item in enumerate(self._items) for text in _pieces(item)]
        self._owners = [number for number, _ in pieces]
        plain = [not _about_images(self._items[number]) for number in self._owners]
        self._overlap = Overlap([text for _, text in pieces], self._owners, plain) if pieces else None

    def hit(self, sample: Sample) -> Hit | None:
        """What a train sample shares with a benchmark; None for nothing, and for held-out samples."""
        return self.hits([sample])[0]

    def may_hit(self, table: pa.Table) -> npt.NDArray[np.bool_]:
        """For which samples of a table `hits` may find something: false only where it finds nothing."""
        if self._overlap is None:
            return np.zeros(table.num_rows, np.bool_)
        # The same text is found so, too: it has more than _EXACT_WORDS - GRAM runs, all of them known.
        runs, places = grams(words_of(texts_of(table), WORDS), GRAM)
        flags = np.diff(self._known(runs)[places]) > 1
        if self._shown:
            places, images = unfolded(table, "images")
            near = [self._nearest(phash) is not None for phash in images.field("phash").to_pylist()]
            flags |= np.diff(np.concatenate([[0], np.cumsum(near, dtype=np.int64)])[places]) > 0
        return flags & np.asarray(table["split"].to_numpy() == "train", np.bool_)

    def hits(self, samples: Sequence[Sample]) -> list[Hit | None]:
        """The same for many, in order."""
        if self._overlap is None:
            return [None] * len(samples)
        texts = [_text(sample) for sample in samples]
        words = words_of(pa.array(texts, pa.string()), WORDS)
        runs, places = grams(words, GRAM)
        known = self._known(runs)[places]
        found: list[Hit | None] = []
        for row, sample in enumerate(samples):
            hit = None
            if sample.split == "train":
                hit = self._image(sample, texts[row]) or self._same(words, row, texts[row])
                if hit is None and known[row + 1] - known[row] > 1:
                    hit = self._part(words, row, runs[places[row] : places[row + 1]], texts[row])
            found.append(hit)
        return found

    def _known(self, runs: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """How many of the runs before each place may be a benchmark's."""
        assert self._overlap is not None
        return np.concatenate([[0], np.cumsum(self._overlap.known(runs), dtype=np.int64)])

    def _image(self, sample: Sample, text: str) -> Hit | None:
        for image in sample.images if self._shown else ():
            item = self._nearest(image.phash)
            if item is not None:
                return Hit("an image", item.name, item.text[:_SHOWN], text[:_SHOWN])
        return None

    def _nearest(self, phash: str) -> Item | None:
        """The first item with an image of nearly this hash."""
        place = self._pictures.place(phash)
        return None if place is None else self._shown[place]

    def _same(self, words: Words, row: int, text: str) -> Hit | None:
        item = self._exact.get(_all(words, row))
        return None if item is None else Hit("the text", item.name, item.text[:_SHOWN], text[:_SHOWN])

    def _part(self, words: Words, row: int, runs: npt.NDArray[np.uint64], text: str) -> Hit | None:
        assert self._overlap is not None
        found = self._overlap.find(words.hashes[words.places[row] : words.places[row + 1]], runs)
        if found is None:
            return None
        item = self._items[self._owners[found.text]]
        ours = _between(text, found.start, found.end)
        if found.run:
            return Hit(f"{found.end - found.start} words", item.name, item.text[:_SHOWN], ours)
        return Hit("nearly the text", item.name, item.text[:_SHOWN], ours)


def _text(sample: Sample) -> str:
    """All turns, without marks of images."""
    return _sound("\n".join(turn.text for turn in sample.turns).replace(IMAGE_MARK, " "))


def _sound(text: str) -> str:
    """What was read or made may hold halves of characters, which Arrow does not take."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _about_images(item: Item) -> bool:
    return item.pictured or bool(item.images)


def _pieces(item: Item) -> list[str]:
    """What is looked for: the whole item, and what is asked in it, whose answer a copy may lack."""
    asked = [text.strip() for role, text in item.turns if role == "user"]
    return [_sound(text) for text in dict.fromkeys([item.text, *asked])]


def _all(words: Words, row: int) -> bytes:
    return words.hashes[words.places[row] : words.places[row + 1]].tobytes()


def _between(text: str, start: int, end: int) -> str:
    """The text from one word to another one."""
    spans = [match.span() for match in re.finditer(WORDS, text)][start:end]
    return text[spans[0][0] : spans[-1][1]][:_SHOWN] if spans else text[:_SHOWN]
