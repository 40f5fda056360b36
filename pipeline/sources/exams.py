"""Examination questions without images: MedMCQA, MedQA and the USMLE self-assessment. In: their JSON or CSV; out: `mcq` drafts.

Lost, with a reason: questions whose answer is hidden, contradicts itself or cannot be resolved, Chinese questions, and
questions about a picture that is not there.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from pipeline.sources.base import Corpus, Record, digest, dropped, language_of, split_of, text, unparsed
from pipeline.sources.choices import Asked, choice, options_of
from pipeline.sources.containers import beside
from pipeline.sources.parquet import PARQUET
from pipeline.sources.streams import csv_records, json_items, json_records, sniff
from schemas.errors import InputError

_OPTIONS = ("opa", "opb", "opc", "opd")
#: A value that only the other count could hold is a slip of the pen when it is rarer than this.
_SLIPS = 0.01
#: `is shown in the photograph`: without the picture nobody can answer.
_PICTURE = re.compile(
    r"\b(?:shown|pictured|depicted|seen) in the (?:photo\w*|image|picture|figure|graph|diagram|drawing|illustration)"
    r"|\b(?:photo(?:micro)?graph|image|picture|figure|x-?ray|ECG|scan) (?:is|are) shown\b",
    re.I,
)


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    return csv_records(path) if sniff(path) == "csv" else json_records(path)


def _read_medmcqa(path: Path) -> Iterator[Record]:
    first, split = _counts_from(path), split_of(path)
    for row, raw in _rows(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        asked = Asked(
            question=text(raw, "question"),
            options=tuple(text(raw, key) for key in _OPTIONS),
            letter=_letter(raw, first),
            topic=text(raw, "subject_name"),
        )
        yield choice(raw, row, text(raw, "id") or f"row-{row}", asked, split)


def _counts_from(path: Path) -> int:
    """The number that `cop` gives to the first option: 1 in the original files, 0 in Hugging Face's, and nothing says which.

    Raises InputError where the values allow both: half of the answers would be wrong without a word.
    """
    seen = Counter(_cop(raw) for _, raw in _rows(path) if isinstance(raw, dict))
    zeros, fours = seen[0], seen[4]
    unsure = sum(seen[number] for number in (1, 2, 3))
    if zeros and fours and min(zeros, fours) > _SLIPS * max(zeros, fours):
        raise InputError(f"{path}: `cop` is 0 in {zeros} records and 4 in {fours}: two forms are mixed. Take one as published.")
    if zeros or fours or not unsure:
        return 1 if fours > zeros else 0
    if seen[-1]:
        return 0
    raise InputError(
        f"{path}: `cop` is 1, 2 or 3 in all {unsure} records, so it may count from 0 or from 1. "
        "Take the whole file, which has 0 or 4 as well."
    )


def _letter(raw: dict[str, Any], first: int) -> str:
    number = _cop(raw)
    if number == -1:
        return ""  # Hidden, in Hugging Face's test split.
    return ascii_uppercase[number - first] if number is not None and 0 <= number - first < len(_OPTIONS) else text(raw, "cop")


def _cop(raw: dict[str, Any]) -> int | None:
    found = re.fullmatch(r"(-?\d{1,3})(?:\.0+)?", text(raw, "cop"))
    return int(found.group(1)) if found else None


def _read_medqa(path: Path) -> Iterator[Record]:
    split = split_of(path)
    for row, raw in json_records(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        question, options = text(raw, "question"), options_of(raw.get("options"))
        # The files have no ids; a question and its options make one that stays when rows move.
        name = digest([question, raw.get("options")])[:16]
        language = language_of(question)
        if language != "en":
            yield dropped(raw, row, name, "other_language", f"the question is in {language!r}", language)
            continue
        letter, answer = text(raw, "answer_idx"), text(raw, "answer")
        asked = Asked(question=question, options=options, letter=letter, answer=answer, topic=text(raw, "meta_info"))
        yield choice(raw, row, name, asked, split)


def _read_usmle(path: Path) -> Iterator[Record]:
    solutions, pictured = _solutions(path), _pictured(path)
    for row, raw in json_records(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        number = text(raw, "no")
        name = f"{path.stem}-{number}" if number else f"row-{row}"
        given = text(raw, "solution") or text(raw, "answer_idx") or text(raw, "answer")
        if row - 1 in pictured or _PICTURE.search(text(raw, "question")):
            yield dropped(raw, row, name, "missing_image", "the question is about a picture")
            continue
        if solutions is None and not given:
            raise InputError(f"{path}: the answers are not here. Put {path.stem}_solutions.json beside it.")
        asked = Asked(
            question=text(raw, "question"),
            options=options_of(raw.get("options")),
            letter=(solutions or {}).get(number, ""),
            answer=given,
        )
        yield choice(raw, row, name, asked, "test")


def _solutions(path: Path) -> dict[str, str] | None:
    """Question number to letter."""
    found = beside(path, f"{path.stem}_solutions.json")
    return {key: str(value or "").strip() for _, key, value in json_items(found)} if found else None


def _pictured(path: Path) -> frozenset[int]:
    """0-based places of this step's questions about pictures, as the file's readers take them."""
    found = beside(path, "question_with_images.json")
    if not found:
        return frozenset()
    listed = next((value for _, key, value in json_items(found) if key == path.stem and isinstance(value, list)), ())
    return frozenset(place for place in listed if isinstance(place, int))


MEDMCQA = Corpus(
    name="medmcqa",
    title="MedMCQA: entrance examinations of Indian medical schools",
    tasks=("mcq",),
    layout="train.json, dev.json, test.json: JSON Lines, or CSV with the same columns",
    fields="id, question, opa, opb, opc, opd, cop (from 1; from 0 in Hugging Face's), choice_type, exp, subject_name, topic_name",
    fingerprint=("question", *_OPTIONS),
    forms=(("question", *_OPTIONS, PARQUET),),
    licence="Apache-2.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Pal et al., MedMCQA, CHIL 2022",
    splits={"train": "train.json", "validation": "dev.json", "test": "test.json"},
    counts="182,822 train, 4,183 dev, 6,150 test without answers",
    read=_read_medmcqa,
)

MEDQA = Corpus(
    name="medqa",
    title="MedQA: questions of the US medical licensing examination, 4 or 5 options",
    tasks=("mcq",),
    layout="questions/US/{train,dev,test}.jsonl, or US/4_options/phrases_no_exclude_{train,dev,test}.jsonl; not both",
    fields="question, answer, options, meta_info, answer_idx; metamap_phrases with 4 options",
    fingerprint=("question", "options", "answer_idx"),
    forms=(("question", "options", "meta_info"), ("question", "options", "answer_idx", PARQUET)),
    # The owners' repository says MIT; others mark the questions' licence as unknown.
    licence="MIT",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Jin et al., MedQA, Applied Sciences 2021",
    splits={"train": "train.jsonl", "validation": "dev.jsonl", "test": "test.jsonl"},
    counts="10,178 train, 1,272 dev, 1,273 test (US); the Chinese questions are left out",
    read=_read_medqa,
)

USMLE = Corpus(
    name="usmle",
    title="USMLE self-assessment, steps 1 to 3, as MedAlpaca publishes it; always test",
    tasks=("mcq",),
    layout="step{1,2,3}.json with step{1,2,3}_solutions.json and question_with_images.json beside it",
    fields="no, question, options; number to letter in the solutions",
    fingerprint=("no", "question", "options"),
    licence="unknown",
    access="open",
    redistribution=False,
    derivatives=False,
    citation="Han et al., MedAlpaca, 2023; questions (c) USMLE",
    beside=("{stem}_solutions.json", "question_with_images.json"),
    counts="119, 120 and 135 questions, 325 without images",
    read=_read_usmle,
)
