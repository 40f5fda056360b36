"""Measures for answers in English and Arabic: tokens are Unicode words, never ASCII only (FINDINGS: Arabic ROUGE 0.0).

Closed accuracy has several published definitions; the historical one (MultiMedEval: token sets, recall of at least .4)
counts an answer that says yes and no as right. Both it and the strict one are given, by name.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

_WORD = re.compile(r"\w+")
_YES, _NO = frozenset({"yes", "نعم"}), frozenset({"no", "لا"})
#: A reference that is closed: yes or no alone, or as a sentence's opening. "No acute disease" and "لا يوجد انصباب" are not.
_CLOSED = re.compile(r"\s*(yes|no|نعم|لا)\s*(?:[.,;:!،؛]|$)", re.IGNORECASE)
_RECALL_HISTORICAL = 0.4


def words(text: str) -> list[str]:
    """Lower-case Unicode words."""
    return _WORD.findall(text.lower())


def exact(answer: str, reference: str) -> float:
    """1.0 when the words agree, in order."""
    return float(words(answer) == words(reference))


def token_f1(answer: str, reference: str) -> float:
    """F1 of the bags of words, 0 to 1."""
    said, wanted = Counter(words(answer)), Counter(words(reference))
    common = (said & wanted).total()
    return 2 * common / (said.total() + wanted.total()) if common else 0.0


def bleu_1(answer: str, reference: str) -> float:
    """Unigram precision with the brevity penalty, 0 to 1."""
    said, wanted = words(answer), words(reference)
    if not said:
        return 0.0
    precision = (Counter(said) & Counter(wanted)).total() / len(said)
    import math

    return precision * (1.0 if len(said) >= len(wanted) else math.exp(1 - len(wanted) / len(said)))


def closed_strict(answer: str, reference: str) -> float | None:
    """The reference's yes or no in the answer, and not its contrary; None when the reference opens with neither."""
    closed = _CLOSED.match(reference)
    return None if closed is None else float(_polarity(words(answer)) == _polarity(words(closed[1])))


def closed_historical(answer: str, reference: str) -> float | None:
    """MultiMedEval's: recall of the reference's word set in the answer's of at least .4 (REFERENCE.md §6)."""
    if _polarity(words(reference)) is None or len(words(reference)) != 1:
        return None
    wanted = set(words(reference)) | ({"not"} if words(reference) == ["no"] else set())
    return float(len(wanted & set(words(answer))) / len(wanted) >= _RECALL_HISTORICAL)


def chrf(answers: Sequence[str], references: Sequence[str]) -> float:
    """chrF++ of a corpus, 0 to 100 (sacrebleu)."""
    from sacrebleu.metrics.chrf import CHRF

    return float(CHRF(word_order=2).corpus_score(list(answers), [list(references)]).score)


def interval(values: Mapping[str, Sequence[float]], draws: int = 500, seed: int = 7) -> tuple[float, float]:
    """95 % bootstrap interval of the mean, drawing whole clusters: items of one image or pair are not independent."""
    draw = random.Random(seed)
    clusters = [list(group) for _, group in sorted(values.items())]
    means = sorted(fmean(value for group in draw.choices(clusters, k=len(clusters)) for value in group) for _ in range(draws))
    return means[int(0.025 * draws)], means[int(0.975 * draws) - 1]


def clustered(pairs: Sequence[tuple[str, float]]) -> dict[str, list[float]]:
    """(cluster, value) pairs by cluster."""
    groups: dict[str, list[float]] = defaultdict(list)
    for cluster, value in pairs:
        groups[cluster].append(value)
    return groups


def _polarity(said: Sequence[str]) -> str | None:
    yes, no = any(word in _YES for word in said), any(word in _NO for word in said)
    return None if yes == no else ("yes" if yes else "no")
