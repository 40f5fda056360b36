"""Which samples are not worth learning from: each filter is a pure function from a sample to a reason, or None."""

import re

from schemas.sample import IMAGE_MARK, Sample

#: Answers that say that the model behind them saw no image.
_UNSEEN = re.compile(
    r"\b(?:I(?: am|'m)? (?:cannot|can't|can not|unable to|not able to) (?:see|view|access|display)|"
    r"(?:as an AI|no image (?:is|was|has been) (?:provided|attached|visible)))\b",
    re.I,
)
_GREETING = re.compile(
    r"^(?:(?:hi|hello|dear|hey)\b[^.!?\n]{0,40}[.,!]\s*)?(?:(?:thank(?:s| you)|welcome)\b[^.!?\n]{0,80}[.!]\s*)?"
    r"(?:I (?:have gone|went) through your (?:query|question)[^.!?\n]{0,80}[.!]\s*)?",
    re.I,
)
_FAREWELL = re.compile(
    r"\s*(?:(?:hope|trust) (?:this|I|that|it)\b[^.!?\n]{0,120}[.!]\s*)?"
    r"(?:(?:thanks|thank you|regards|take care|wish(?:ing)? you)\b[^.!?\n]{0,80}[.!]?\s*)*$",
    re.I,
)
_MIN_CHARS = 2


def fault(sample: Sample, max_chars: int) -> tuple[str, str] | None:
    """(reason, detail) why a sample is left out; None when it stays."""
    roles = [turn.role for turn in sample.turns if turn.role != "system"]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        return "invalid_turns", f"roles are {roles[:8]}"
    marks = sum(turn.text.count(IMAGE_MARK) for turn in sample.turns)
    if marks != len(sample.images):
        return "image_count", f"{marks} marks, {len(sample.images)} images"
    for turn in sample.turns:
        if not turn.text.replace(IMAGE_MARK, "").strip():
            return ("empty_answer" if turn.role == "assistant" else "empty_question"), ""
    chars = sum(len(turn.text) for turn in sample.turns)
    if chars > max_chars:
        return "too_long", f"{chars} characters, at most {max_chars}"
    question = next(turn.text for turn in sample.turns if turn.role == "user")
    if len(question.replace(IMAGE_MARK, "").strip()) < _MIN_CHARS:
        return "too_short", f"{question!r}"
    answer = next(turn.text for turn in reversed(sample.turns) if turn.role == "assistant")
    if _UNSEEN.search(answer):
        return "image_unseen", answer[:80]
    return None


def without_boilerplate(text: str) -> str:
    """An answer without the greeting and farewell that frame every answer of the chat corpora; never the empty text."""
    bare = _FAREWELL.sub("", _GREETING.sub("", text, count=1), count=1).strip()
    return bare or text
