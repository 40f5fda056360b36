"""A sample and its Arabic in segments: pairs for the gate, cases for the judge. Each pair knows where it stands in the sample."""

from collections.abc import Iterator, Sequence

from pipeline.quality.gate import Pair
from pipeline.quality.judge import Case
from schemas.sample import IMAGE_MARK, Sample
from schemas.translation import TwinDraft

#: Of one case: its English characters and segments, at most, and what is shown of the turn before it.
_CASE_CHARS, _CASE_SEGMENTS, _BEFORE_CHARS = 4000, 8, 300


def pairs_of(sample: Sample, draft: TwinDraft) -> list[Pair]:
    """What the gate compares: turns, line by line where both sides have the lines; nothing of a draft without text."""
    if draft.state != "ok":
        return []
    pairs: list[Pair] = []
    at = (0, 0)
    for turn, arabic in zip(sample.turns, draft.turns, strict=True):
        pairs += _lines(Pair(turn.text, arabic, "question" if turn.role == "user" else "answer", at))
        at = _behind(at, turn.text, arabic)
    return pairs


def cases_of(sample: Sample, arabic: Sequence[str]) -> Iterator[Case]:
    """A sample's turns in cases that an answer has room for. The same exchange of two samples is the same case, paid once."""
    about = f"task: {sample.task}"
    group: list[tuple[str, Pair]] = []
    before, at = "", (0, 0)
    for turn, target in zip(sample.turns, arabic, strict=True):
        pair = Pair(turn.text, target, "question" if turn.role == "user" else "answer", at)
        size = sum(len(known.source) for _, known in group) + len(pair.source)
        if group and (size > _CASE_CHARS or len(group) == _CASE_SEGMENTS):
            yield Case(tuple(group), f"{about}{before}")
            before, group = f"\nbefore: {group[-1][1].source[-_BEFORE_CHARS:]}", []
        group.append((f"{pair.kind}_{len(group) + 1}", pair))
        at = _behind(at, turn.text, target)
    yield Case(tuple(group), f"{about}{before}")


def _lines(turn: Pair) -> list[Pair]:
    """A turn line by line where both have the same lines: a wrong option does not hide behind three right ones."""
    english, arabic = turn.source.split("\n"), turn.target.split("\n")
    if len(english) != len(arabic):
        return [turn]
    pairs: list[Pair] = []
    at = turn.at
    for one, other in zip(english, arabic, strict=True):
        if one.strip() != other.strip() or one.strip() not in {"", IMAGE_MARK}:
            pairs.append(Pair(one, other, turn.kind, at))
        at = _behind(at, one, other)
    return pairs


def _behind(at: tuple[int, int], source: str, target: str) -> tuple[int, int]:
    return at[0] + len(source) + 1, at[1] + len(target) + 1
