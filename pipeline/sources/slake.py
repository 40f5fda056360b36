"""SLAKE 1.0: English and Chinese questions about radiology images; the Chinese half is left out with a reason.

The splits of the two languages use different images (72 English test images are Chinese train images), so language is
looked at first. `source.jpg` is every image's name; the folder is its id.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Record, dropped, exchange, fault_of, kept, text, unparsed
from pipeline.sources.streams import json_records

#: SLAKE has the first three; the examples, which are in its form, have the others.
_MODALITY = {"mri": "mri", "ct": "ct", "x-ray": "cxr", "ultrasound": "us", "fundus photography": "fundus"}


def _read(path: Path) -> Iterator[Record]:
    for row, raw in json_records(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        name = text(raw, "qid") or f"row-{row}"
        question, answer, language = text(raw, "question"), text(raw, "answer"), text(raw, "q_lang").lower()
        image = text(raw, "img_name")
        if not language or not image:
            yield dropped(raw, row, name, "missing_field", "no img_name" if language else "no q_lang")
            continue
        if language != "en":
            yield dropped(raw, row, name, "other_language", f"q_lang is {language!r}", language)
            continue
        fault = fault_of(question, answer)
        if fault:
            yield dropped(raw, row, name, fault)
            continue
        draft = exchange(
            "vqa",
            question,
            answer,
            (image,),
            modality=_modality(raw),
            body_region=text(raw, "location"),
            question_type=text(raw, "content_type"),
            answer_type=text(raw, "answer_type"),
        )
        yield kept(raw, row, name, draft)


def _modality(raw: Mapping[str, Any]) -> str:
    """SLAKE's X-rays are of chests (all 2,808 questions in train have location Lung); a file in its form may have others."""
    name, location = text(raw, "modality").lower(), text(raw, "location").lower()
    return "xray" if name == "x-ray" and not re.search("lung|chest", location) else _MODALITY.get(name, "")


SLAKE = Corpus(
    name="slake",
    title="SLAKE 1.0: semantically labelled knowledge-enhanced medical VQA",
    tasks=("vqa",),
    layout="train.json, validate.json, test.json; imgs/xmlab<N>/source.jpg",
    fields="img_id, img_name, question, answer, q_lang, location, modality, answer_type, base_type, content_type, triple, qid",
    fingerprint=("img_name", "q_lang", "question", "answer"),
    licence="CC-BY-4.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Liu et al., SLAKE, ISBI 2021",
    splits={"train": "train.json", "validation": "validate.json", "test": "test.json"},
    counts="English: 4,919 train, 1,053 validation, 1,061 test; 642 images",
    read=_read,
)
