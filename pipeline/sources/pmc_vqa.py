"""PMC-VQA v1 and v2: multiple choice about figures. `Answer` is text in v1 and a letter in v2; `Answer_label` tells.

Out: one exchange a row, options as lines `A. text`, the answer as `B. text`. Rows whose letter and text disagree fall out.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.sources.base import Corpus, Draft, Raw, Record, dropped, exchange, kept, records, text
from pipeline.sources.streams import csv_records

_LETTERS = "ABCD"
_PREFIX = re.compile(r"^\s*[A-D]\s*:\s*")
_NEEDS = ("Figure_path", "Question", *(f"Choice {letter}" for letter in _LETTERS))


def _read(path: Path) -> Iterator[Record]:
    return records(csv_records(path), "index", _NEEDS, _outcome)


def _outcome(raw: Raw, row: int, name: str) -> Record:
    # v1 has no id, and several rows share a figure.
    name = name if text(raw, "index") else f"{Path(text(raw, 'Figure_path')).stem}-{row}"
    question = text(raw, "Question")
    options = [_option(raw, letter) for letter in _LETTERS]
    if not question:
        return dropped(raw, row, name, "empty_question")
    if not all(options):
        return dropped(raw, row, name, "invalid_options", f"an option is empty: {options}")
    label, answer = text(raw, "Answer_label").upper(), _answer(raw)
    if not label and not answer:
        return dropped(raw, row, name, "empty_answer")
    letter = _letter(label, answer, options, lettered="Answer_label" not in raw)
    if letter is None:
        return dropped(raw, row, name, "invalid_options", f"answer {answer!r} with letter {label!r} fits no one option")
    return kept(raw, row, name, multiple_choice(question, options, letter, text(raw, "Figure_path")))


def multiple_choice(question: str, options: list[str], letter: str, image: str = "") -> Draft:
    """A question with two to eight options; `letter` names the right one."""
    lines = [f"{mark}. {option}" for mark, option in zip("ABCDEFGH", options, strict=False)]
    answer = lines["ABCDEFGH".index(letter)]
    return exchange("mcq", "\n".join([question, *lines]), answer, (image,) if image else (), answer_type="CLOSED")


def _option(raw: Raw, letter: str) -> str:
    return re.sub(rf"^\s*{letter}\s*:\s*", "", text(raw, f"Choice {letter}")).strip()


def _answer(raw: Raw) -> str:
    # The official loader reads a misspelt column.
    return text(raw, "Answer") or text(raw, "Anwser")


def _letter(label: str, answer: str, options: list[str], lettered: bool) -> str | None:
    """The right option's letter; None when label and text name different ones, or the text names none or several."""
    if lettered and len(answer) == 1 and answer.upper() in _LETTERS:
        return answer.upper()
    wanted = _PREFIX.sub("", answer).strip().casefold()
    named = [letter for letter, option in zip(_LETTERS, options, strict=True) if option.casefold() == wanted]
    if len(label) == 1 and label in _LETTERS:
        return label if label in named or not named else None
    return named[0] if len(named) == 1 else None


PMC_VQA = Corpus(
    name="pmc_vqa",
    title="PMC-VQA: multiple choice about figures of open-access articles",
    tasks=("mcq",),
    layout="train.csv, test.csv, test_clean.csv with images/; train_2.csv, test_2.csv with images_2/figures/",
    fields="Figure_path, Question, Answer, Choice A to Choice D, Answer_label (v1); Answer is the letter in v2",
    forms=(("Figure_path", "Choice A", "Choice D"),),
    licence="CC-BY-SA-4.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Zhang et al., PMC-VQA, 2023",
    splits={"train": ("train.csv", "train_2.csv"), "test": ("test_clean.csv", "test.csv", "test_2.csv")},
    image_folders=("images", "images_2/figures"),
    counts="v1: 176,948 train, 2,000 test_clean; v2: 152,603 train, 33,430 test",
    caution="train.csv and train_2.csv overlap: take one of them.",
    read=_read,
)
