"""What is lost, cut off, said again or added. In: a good pair; out: an Edit or None."""

import re
from itertools import pairwise
from random import Random

from pipeline.quality.corruptor.edits import Edit, Good, Span, cut, words

#: Halves and endings are taken of texts of this many words and more; of a shorter one nobody could say what is half.
_WORDS = 8
_END = re.compile(r"[.!?؟…]\W*$")
_SENTENCE_END = re.compile(r"(?<=[.!?؟])\s+|\n+")
_CLAUSE = re.compile(r"[،,؛;]")


def first_half_lost(good: Good, _dice: Random) -> Edit | None:
    """The text begins in its middle."""
    found = _words(good.target)
    return cut(good.target, (0, found[len(found) // 2][0]), "the first half is missing") if len(found) >= _WORDS else None


def last_half_lost(good: Good, _dice: Random) -> Edit | None:
    """The text stops in its middle, as at a limit of tokens."""
    found = _words(good.target)
    return _stopped(good.target, found[(len(found) - 1) // 2][1], "the last half is missing") if len(found) >= _WORDS else None


def truncated(good: Good, dice: Random) -> Edit | None:
    """The text stops at a word, one to all but two before its end."""
    found = _words(good.target)
    if len(found) < 4 or not _END.search(good.target) or not _END.search(good.source):
        return None
    return _stopped(good.target, found[dice.randrange(1, len(found) - 1)][1], "the end is missing")


def ending_lost(good: Good, dice: Random) -> Edit | None:
    """A third to a half of the words goes at the end, but the sentence is closed."""
    found, end = _words(good.target), _END.search(good.target)
    if len(found) < _WORDS or not end or "\n" in good.target:
        return None
    kept = found[int(len(found) * dice.uniform(0.5, 0.67))][1]
    head = good.target[:kept].rstrip("،,؛;:")
    return cut(good.target, (len(head), end.start()), "the ending is missing")


def most_lost(good: Good, _dice: Random) -> Edit | None:
    """A third of a longer text is left, and closed."""
    found, end = _words(good.target), _END.search(good.target)
    if len(good.source) < 100 or not end or len(found) < _WORDS or "\n" in good.target:
        return None
    head = good.target[: found[len(found) // 3 - 1][1]].rstrip("،,؛;:.")
    return cut(good.target, (len(head), end.start()), "two thirds are missing")


def clause_lost(good: Good, dice: Random) -> Edit | None:
    """What stands between two commas goes."""
    commas = [match.start() for match in _CLAUSE.finditer(good.target)]
    inner = [(a, b) for a, b in pairwise(commas) if len(good.target[a + 1 : b].split()) >= 3]
    return cut(good.target, dice.choice(inner)) if inner else None


def sentence_lost(good: Good, dice: Random) -> Edit | None:
    """One sentence of several goes."""
    borders = [0, *(match.end() for match in _SENTENCE_END.finditer(good.target)), len(good.target)]
    whole = [(a, b) for a, b in pairwise(borders) if len(good.target[a:b].split()) >= 3]
    if len(whole) < 2 or len(whole) != len(borders) - 1:
        return None
    return cut(good.target, dice.choice(whole))


def sentence_appended(good: Good, dice: Random) -> Edit | None:
    """A sentence from somewhere else stands behind."""
    other = _stranger(good, dice)
    added = _SENTENCE_END.split(other)[0]
    added = added if len(added.split()) >= 4 else other
    return _behind(good.target, f" {added}", "a sentence that is not in the source")


def unrelated(good: Good, dice: Random) -> Edit | None:
    """The translation of something else."""
    other = _stranger(good, dice)
    return Edit(other, (0, len(other)), "the translation of another text")


def loop(good: Good, dice: Random) -> Edit | None:
    """The last one to four words come again and again, or all of the text does."""
    closed = _END.search(good.target)
    body = good.target[: closed.start()] if closed else good.target
    found = _words(body)
    if not found:
        return None
    size = dice.choice([1, 2, 3, 4])
    if len(found) > 4 and "\n" not in body and dice.random() < 0.25:
        return _behind(good.target, f" {good.target}" * 2, "all of it comes three times")
    part = body[found[-min(size, len(found))][0] :]
    return _behind(good.target, f" {part}" * dice.randint(4, 8), f"{part!r} comes again and again")


def preamble(good: Good, dice: Random) -> Edit | None:
    """A chat model announces its translation."""
    said = dice.choice(words()["text"]["preambles"]) + dice.choice(["\n", "\n\n", " "])
    return Edit(said + good.target, (0, len(said)), "a chat model announces its translation")


def closing(good: Good, dice: Random) -> Edit | None:
    """A chat model is polite after its translation."""
    return _behind(good.target, dice.choice(["\n", "\n\n", " "]) + dice.choice(words()["text"]["closings"]), "a chat's closing")


def _stopped(target: str, end: int, what: str) -> Edit:
    head = target[:end].rstrip(" .!?؟…،,؛;:")
    return Edit(head, (len(head), len(head)), what)


def _behind(target: str, added: str, what: str) -> Edit:
    return Edit(target + added, (len(target), len(target) + len(added)), what)


def _stranger(good: Good, dice: Random) -> str:
    """Another pair's target; a sentence of our own where none is given. Not one that begins or ends as the right one does.

    Nor a list, a picture's mark or two words: an answer of two words may well be right here too.
    """
    ours = {good.target[:20], good.target[-20:]}
    whole = [other for other in good.others if len(other.split()) >= 4 and "\n" not in other]
    others = [other for other in whole if other[:20] not in ours and other[-20:] not in ours]
    chosen: str = dice.choice(others or words()["text"]["strangers"])
    return chosen


def _words(text: str) -> list[Span]:
    return [match.span() for match in re.finditer(r"\S+", text)]
