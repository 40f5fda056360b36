"""Which samples are not worth learning from: each filter is a pure function from a sample to a reason, or None."""

import re

import numpy as np
import numpy.typing as npt

from pipeline.curate.columns import Turns
from schemas.sample import IMAGE_MARK, Sample

_PICTURE = r"(?:images?|pictures?|photos?|photographs?|scans?|x-?rays?|radiographs?|films?|attachments?|uploads?|files?)"
#: Answers that say that the model behind them saw no image. `I cannot see a fracture` is a finding and stays.
UNSEEN = (
    r"\b(?:I(?: am|['’]m)? (?:cannot|can['’]t|can not|could not|couldn['’]t|unable to|not able to) "
    r"(?:see|view|access|display|open|interpret|analy[sz]e) "
    rf"(?:(?:the|this|that|these|those|your|any|an?|attached|uploaded|actual|medical|provided) )*{_PICTURE}|"
    rf"as an AI|no {_PICTURE} (?:is|are|was|were|has been|have been) (?:provided|attached|uploaded|visible|shared))\b"
)
_UNSEEN_ANSWER = re.compile(UNSEEN, re.I)
#: `Hi-res CT` greets nobody; a comma ends a thanks, because advice may follow it.
_GREETING = re.compile(
    r"^(?:(?:hi|hello|dear|hey)(?![\w-])[^.,!?\n]{0,40}[.,!]\s*)?(?:(?:thank(?:s| you)|welcome)\b[^.,!?\n]{0,80}[.,!]\s*)?"
    r"(?:I (?:have gone|went) through your (?:query|question)[^.,!?\n]{0,80}[.,!]\s*)?",
    re.I,
)
#: Whole sentences at the end only: `Keep it dry and take care of the wound.` is advice. The quantifiers with a second plus
#: give nothing back: without them 26 times `thanks` took minutes.
_FAREWELL = re.compile(
    r"(?:(?<=[.!?])\s+|\n\s*)(?:(?:I |we )?(?:hope|trust) (?:this|I|that|it)\b[^.!?\n]{0,120}+[.!]\s*+)?"
    r"(?:(?:(?:many |best |kind |warm |with )*(?:thanks|thank you|regards|wishes)|take care(?! (?:of|that|not|to|with)\b)|"
    r"(?:I )?wish(?:ing)? you)\b(?:Dr\.|[^.!?\n]){0,80}+[.!]?+\s*+)*+$",
    re.I,
)
#: A farewell is looked for in this much of the end: over the whole of a long text the search takes quadratic time.
_FAREWELL_CHARS = 600
_MIN_CHARS = 2
#: Corpora of chats with doctors, whose answers have a greeting and a farewell around them.
CHATS = frozenset({"healthcaremagic", "icliniq", "genmedgpt"})


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
    if _UNSEEN_ANSWER.search(answer):
        return "image_unseen", answer[:80]
    return None


def suspicious(turns: Turns, images: npt.NDArray[np.int64], max_chars: int) -> npt.NDArray[np.bool_]:
    """Which of many samples `fault` may leave out for another reason than UNSEEN, told from their turns and counts of images.

    False only where it finds nothing in texts that are as `clean` leaves them.
    """
    spoken = ~turns.having("system")
    said = turns.sums(spoken)
    # The place of a turn among those of its sample that are no system's.
    place = np.cumsum(spoken) - 1 - np.repeat(np.cumsum(said) - said, turns.counts)
    wrong = spoken & ~np.where(place % 2 == 0, turns.having("user"), turns.having("assistant"))
    bare = turns.texts.str.replace_all(IMAGE_MARK, "", literal=True).str.strip_chars().str.len_chars().to_numpy()
    wrong |= bare < np.where(turns.having("user"), _MIN_CHARS, 1)
    marks = turns.sums(turns.texts.str.count_matches(IMAGE_MARK, literal=True).to_numpy())
    chars = turns.sums(turns.texts.str.len_chars().to_numpy())
    return turns.any(wrong) | np.asarray((said == 0) | (said % 2 == 1) | (marks != images) | (chars > max_chars), np.bool_)


def without_boilerplate(text: str) -> str:
    """An answer without the greeting and farewell that frame every answer of the chat corpora; never the empty text."""
    body = _GREETING.sub("", text, count=1)
    bare = (body[:-_FAREWELL_CHARS] + _FAREWELL.sub("", body[-_FAREWELL_CHARS:], count=1)).strip()
    return bare or text
