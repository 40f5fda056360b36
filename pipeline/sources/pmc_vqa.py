"""PMC-VQA v1 and v2: multiple choice about figures. `Answer` is text in v1 and a letter in v2; `Answer_label` tells."""

import re
from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase

from pipeline.sources.base import Corpus, Draft, Record, dropped, exchange, kept, text, unparsed
from pipeline.sources.streams import csv_records

_PREFIX = re.compile(r"^\s*[A-D]\s*:\s*")
_LETTERS = "ABCD"
_HELD_OUT = {"test": "test", "val": "validation", "valid": "validation", "validation": "validation"}


def _read(path: Path) -> Iterator[Record]:
    for row, raw in csv_records(path):
        if raw is None:
            yield unparsed(row)
            continue
        name = text(raw, "index") or f"{Path(text(raw, 'Figure_path')).stem}-{row}"
        question = text(raw, "Question")
        options = [_PREFIX.sub("", raw.get(f"Choice {letter}", "")).strip() for letter in _LETTERS]
        letter = _letter(raw, options)
        if not question:
            yield dropped(raw, row, name, "empty_question")
        elif not text(raw, "Figure_path"):
            yield dropped(raw, row, name, "missing_field", "no Figure_path")
        elif not all(options):
            yield dropped(raw, row, name, "invalid_options", f"an option is empty: {options}")
        elif letter is None:
            found = text(raw, "Answer_label") or _answer(raw)
            reason = "invalid_options" if found else "empty_answer"
            yield dropped(raw, row, name, reason, f"the answer {found!r} is none of the options" if found else "")
        else:
            # The column in v2 can only protect: a row that calls itself test is none of train, whatever the file is called.
            split = _HELD_OUT.get(text(raw, "split").lower())
            yield kept(raw, row, name, mcq(question, options, letter, image=text(raw, "Figure_path")), split=split)


def mcq(question: str, options: list[str], letter: str, image: str = "") -> Draft:
    """A multiple-choice exchange: options as lines `A. text`, the answer as `B. text`."""
    lines = [f"{mark}. {option}" for mark, option in zip(ascii_uppercase, options, strict=False)]
    answer = lines[ascii_uppercase.index(letter)]
    return exchange("mcq", "\n".join([question, *lines]), answer, (image,) if image else (), answer_type="CLOSED")


def _letter(raw: dict[str, str], options: list[str]) -> str | None:
    label, answer = text(raw, "Answer_label").upper(), _answer(raw)
    if "Answer_label" not in raw and answer.upper() in set(_LETTERS):
        return answer.upper()
    wanted = _PREFIX.sub("", answer).strip().casefold()
    matches = [letter for letter, option in zip(_LETTERS, options, strict=True) if option.casefold() == wanted]
    if label in set(_LETTERS):
        # A text that is another option contradicts the letter; which of the two is right nobody can tell.
        return label if not matches or label in matches else None
    return matches[0] if len(matches) == 1 else None


def _answer(raw: dict[str, str]) -> str:
    # The official loader reads a misspelt column.
    return text(raw, "Answer") or text(raw, "Anwser")


PMC_VQA = Corpus(
    name="pmc_vqa",
    title="PMC-VQA: multiple choice about figures of open-access articles",
    tasks=("mcq",),
    layout="train.csv, test.csv, test_clean.csv with images/; train_2.csv, test_2.csv with images_2/figures/",
    fields="Figure_path, Question, Answer, Choice A, Choice B, Choice C, Choice D, Answer_label (v1); index, Caption, split in "
    "v2, where Answer is the letter; Anwser in a derived file",
    fingerprint=("Figure_path", "Choice A"),
    licence="CC-BY-SA-4.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Zhang et al., PMC-VQA, 2023",
    splits={"train": "train.csv", "test": "test_clean.csv"},
    counts="176,948 train, 2,000 test_clean (v1)",
    read=_read,
)
