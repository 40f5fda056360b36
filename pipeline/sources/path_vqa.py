"""PathVQA: questions about pathology images. In: the publisher's pickles, LXMERT's form, Parquet, QA_pairs_vb.json.

A pickle is read as plain data; nothing in it is run. Image ids have no suffix (`train_0422`) and begin with the split. LXMERT's
pretraining form is one record an image with all its questions, or with none; each of the others is one question. One of many
without an answer falls alone. An answer with scores is the highest one. The file in the publisher's repository (QA_pairs_vb.json)
has no images: its records want them all.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Record, dropped, exchange, fault_of, images_of, kept, split_of, text, unparsed
from pipeline.sources.parquet import PARQUET
from pipeline.sources.pickles import PICKLE
from pipeline.sources.streams import json_records
from pipeline.sources.visual import Seen, closed, seen

_SPLITS = {"test": "test", "val": "validation"}
_QUESTIONS, _ANSWERS = ("question", "sent", "Questions"), ("answer", "Answers")


def _read(path: Path) -> Iterator[Record]:
    split = split_of(path)
    for row, raw in json_records(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
        elif "sentf" in raw:
            yield _image(raw, row, split)
        else:
            yield _question(raw, row, split)


def _question(raw: dict[str, Any], row: int, split: str | None) -> Record:
    answer = _best(raw["label"]) if isinstance(raw.get("label"), Mapping) else _first(raw, _ANSWERS)
    images = images_of(raw, "image", "img_id", "Image_ID")
    image = images[0] if images and isinstance(images[0], str) else ""
    said = Seen(
        images=images,
        question=_first(raw, _QUESTIONS),
        answer=answer,
        split=_split(image) or split,
        meta={"answer_type": closed(answer)},
    )
    return seen(raw, row, text(raw, "question_id") or f"{image or 'row'}-{row}", said)


def _image(raw: dict[str, Any], row: int, split: str | None) -> Record:
    """All questions about one image. Of lists that do not fit together nobody can tell which answer belongs to which question."""
    image = text(raw, "img_id")
    asked, answered = _flat(raw.get("sentf")), _flat(raw.get("labelf"))
    name = image or f"row-{row}"
    if not image:
        return dropped(raw, row, name, "missing_field", "no img_id")
    if len(asked) != len(answered):
        return dropped(raw, row, name, "missing_field", f"{len(asked)} questions, {len(answered)} answers")
    if not asked:
        return dropped(raw, row, name, "empty_question", "no question about this image")
    pairs = [(str(question).strip(), _best(answer)) for question, answer in zip(asked, answered, strict=True)]
    faults = [(fault_of(*pair), f"question {number} of {len(pairs)}") for number, pair in enumerate(pairs, 1)]
    lost = tuple((fault, where) for fault, where in faults if fault)
    if len(lost) == len(pairs):
        return dropped(raw, row, name, *lost[0])
    good = [pair for pair, (fault, _) in zip(pairs, faults, strict=True) if not fault]
    drafts = (exchange("vqa", question, answer, (image,), answer_type=closed(answer)) for question, answer in good)
    return replace(kept(raw, row, name, *drafts, split=_split(image) or split), lost=lost)


def _flat(lists: object) -> list[Any]:
    """The questions or answers of all sets (`pvqa`, …) that LXMERT keeps under one image."""
    values = lists.values() if isinstance(lists, Mapping) else ()
    return [item for value in values if isinstance(value, list) for item in value]


def _best(label: object) -> str:
    """The answer with the highest score, the first of equals; a bare answer is itself."""
    if not isinstance(label, Mapping):
        return "" if label is None or isinstance(label, list) else str(label).strip()
    scored = {str(answer).strip(): score for answer, score in label.items() if isinstance(score, int | float)}
    return max(scored, key=lambda answer: float(scored[answer])) if scored else ""


def _first(raw: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return next((found for key in keys if (found := text(raw, key))), "")


def _split(image: str) -> str | None:
    found = re.match(r"(?:.*/)?(train|val|test)_", image)
    return _SPLITS.get(found.group(1)) if found else None


PATH_VQA = Corpus(
    name="path_vqa",
    title="PathVQA: questions about pathology images of textbooks",
    tasks=("vqa",),
    layout="split/qas/<split>/<split>_qa.pkl with split/images/<split>/<image>.jpg; LXMERT's JSON or pickle; Parquet under a "
    "name with path-vqa; data/QA_pairs_vb.json, which has no images",
    fields="image, question, answer; question_id, img_id, sent, label, answer_type, question_type or img_id, sentf, labelf "
    "(LXMERT); Image_ID, Questions, Answers",
    fingerprint=("Image_ID", "Questions", "Answers"),
    forms=(
        (PICKLE, "image", "question", "answer"), (PICKLE, "img_id", "sent", "label"), ("img_id", "sent", "label"),
        ("img_id", "sentf", "labelf"), (PICKLE, "img_id", "sentf", "labelf"),
    ),
    named_forms=((PARQUET, "image", "question", "answer"),),
    # The card says MIT. The images are the textbooks' and their publishers'.
    licence="unknown",
    access="open",
    redistribution=False,
    derivatives=True,
    citation="He et al., PathVQA, 2020",
    splits={"train": "train_qa.pkl", "validation": "val_qa.pkl", "test": "test_qa.pkl"},
    counts="32,795 questions, 4,998 images; in Parquet 19,654 train, 6,259 validation, 6,719 test",
    read=_read,
)  # fmt: skip
