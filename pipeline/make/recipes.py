"""The recipes: which samples each takes, what it shows of them, and what it reads out of the answer.

A new one is a `Recipe` in `RECIPES`, a prompt file, a field of `MakeSettings`, and tests (CONTRIBUTING.md).
"""

import hashlib
import re

from pipeline.make.faithful import Said, faults, meaning
from pipeline.make.recipe import Answer, Made, Recipe, checked, exchange_of, marked
from pipeline.sources.pmc_vqa import mcq
from schemas.quality import Finding
from schemas.sample import Sample

#: An answer of up to this many words is short; a caption of fewer than the other gives one question at most.
_SHORT_WORDS, _CAPTION_WORDS = 6, 12
_CLOSED = re.compile(r"^\W*(?:yes|no|true|false|unknown|not seen|none)\b", re.I)
_LAZY = re.compile(
    r"\b(?:all|none|both|any|either) of (?:the|these)\b|^(?:other|none|unknown|not (?:sure|known|applicable))\b", re.I
)


class _Expanded(Answer):
    answer: str


class _Exchange(Answer):
    question: str
    answer: str


class _Exchanges(Answer):
    exchanges: list[_Exchange]


class _Distractors(Answer):
    distractors: list[str]


def _is_short_answer(sample: Sample) -> bool:
    said = exchange_of(sample)
    return sample.task in ("vqa", "text_qa") and said is not None and len(said[1].split()) <= _SHORT_WORDS


def _is_option(sample: Sample) -> bool:
    """An answer that can stand among options; yes and no have no third."""
    said = exchange_of(sample)
    return _is_short_answer(sample) and said is not None and "\n" not in said[1] and not _CLOSED.match(said[1])


def _is_caption(sample: Sample) -> bool:
    """A question about a caption makes sense only where its picture is."""
    said = exchange_of(sample)
    of_image = sample.task in ("caption", "report") and bool(sample.images)
    return of_image and said is not None and len(said[1].split()) >= _CAPTION_WORDS


def _exchange(sample: Sample) -> tuple[str, str]:
    said = exchange_of(sample)
    assert said is not None, "a recipe asks only about samples that it takes"
    return said


def _question_and_answer(sample: Sample) -> dict[str, str]:
    question, answer = _exchange(sample)
    return {"question": question, "answer": answer}


def _request_and_caption(sample: Sample) -> dict[str, str]:
    request, caption = _exchange(sample)
    return {"request": request, "caption": caption}


def _expanded(sample: Sample, said: _Expanded) -> list[Made]:
    question, short = _exchange(sample)
    answer = checked(said.answer, 400)
    if len(answer.split()) <= max(3, len(short.split())):
        raise ValueError(f"{answer!r} is no longer than the short answer; write a full sentence")
    if not answer.endswith((".", "!")):
        raise ValueError(f"{answer[-40:]!r} does not end a sentence")
    found = faults(Said(question, short), [Said(question, answer)], keep=short)
    turns = (("user", sample.turns[0].text), ("assistant", answer))
    return [Made(sample.task, turns, tuple(found))]


def _exchanges(said: _Exchanges, least: int, most: int) -> list[Said]:
    exchanges = [Said(checked(one.question, 300), checked(one.answer, 600)) for one in said.exchanges]
    if not least <= len(exchanges) <= most:
        raise ValueError(f"{len(exchanges)} exchanges; between {least} and {most} are wanted")
    if len({meaning(one.question) for one in exchanges}) < len(exchanges):
        raise ValueError("a question is asked twice")
    statement = next((one.question for one in exchanges if not one.question.endswith("?")), None)
    if statement is not None:
        raise ValueError(f"{statement[:60]!r} is no question")
    return exchanges


def _conversation(sample: Sample, said: _Exchanges) -> list[Made]:
    source, exchanges = Said(*_exchange(sample)), _exchanges(said, 2, 4)
    first = Said(marked(sample, exchanges[0].question), exchanges[0].answer)
    turns = [turn for one in (first, *exchanges[1:]) for turn in (("user", one.question), ("assistant", one.answer))]
    return [Made("conversation", tuple(turns), tuple(faults(source, exchanges)))]


def _questions(sample: Sample, said: _Exchanges) -> list[Made]:
    source = Said(*_exchange(sample))
    return [
        Made("vqa", (("user", marked(sample, one.question)), ("assistant", one.answer)), tuple(faults(source, [one])))
        for one in _exchanges(said, 1, 4)
    ]


def _options(sample: Sample, said: _Distractors) -> list[Made]:
    """The right option stands where a hash of the parent's id puts it: a model's habits of order teach nothing."""
    answer = _option(_exchange(sample)[1])
    wrong = [_option(checked(one, 120)) for one in said.distractors]
    if len(wrong) != 3:
        raise ValueError(f"{len(wrong)} distractors; exactly 3 are wanted")
    if len({_folded(one) for one in (answer, *wrong)}) < 4:
        raise ValueError("two options are the same, or one is the right answer again")
    lazy = next((one for one in wrong if _LAZY.search(one)), None)
    if lazy is not None:
        raise ValueError(f"{lazy!r} is no option of its own")
    place = int.from_bytes(hashlib.sha256(sample.id.encode()).digest()[:4], "big") % 4
    options = [*wrong[:place], answer, *wrong[place:]]
    draft = mcq(sample.turns[0].text, options, "ABCD"[place])
    found = [_also_right(one) for one in wrong if _is_also_right(one, answer)]
    return [Made("mcq", draft.turns, tuple(found))]


def _option(text: str) -> str:
    plain = text.strip().rstrip(".").strip()
    return plain[:1].upper() + plain[1:]


def _folded(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _is_also_right(option: str, answer: str) -> bool:
    """It says the answer in other words, or with a word more or less: "left lung" is no wrong answer where "lung" is right."""
    one, other = set(meaning(option)), set(meaning(answer))
    return one <= other or other <= one


def _also_right(option: str) -> Finding:
    message = f"{option!r} would be right, too: it says the answer in other words, or with a word more or less"
    return Finding(check="option", category="accuracy/mistranslation", severity="critical", message=message)


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "expand_answers", "expand", False, "expand_answers-v1", _Expanded, _is_short_answer, _question_and_answer, _expanded
        ),
        Recipe(
            "caption_to_conversation", "conv", False, "caption_to_conversation-v1", _Exchanges, _is_caption, _request_and_caption,
            _conversation,
        ),
        Recipe(
            "caption_to_qa", "qa", True, "caption_to_qa-v1", _Exchanges, _is_caption, _request_and_caption, _questions
        ),
        Recipe("qa_to_mcq", "mcq", False, "qa_to_mcq-v1", _Distractors, _is_option, _question_and_answer, _options),
    )
}  # fmt: skip
