"""SLAKE 1.0: English and Chinese questions about radiology images; the Chinese half is left out with a reason.

The splits of the two languages use different images (72 English test images are Chinese train images), so language is
looked at first. `source.jpg` is every image's name; the folder is its id.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.sources.base import Corpus, Raw, Record, dropped, exchange, fault_of, kept, records, text
from pipeline.sources.streams import json_records

_MODALITY = {"mri": "mri", "ct": "ct", "x-ray": "cxr"}


def _read(path: Path) -> Iterator[Record]:
    return records(json_records(path), "qid", ("question", "answer", "q_lang"), _outcome)


def _outcome(raw: Raw, row: int, name: str) -> Record:
    question, answer, language = text(raw, "question"), text(raw, "answer"), text(raw, "q_lang")
    if language != "en":
        return replace(dropped(raw, row, name, "other_language", f"q_lang is {language!r}"), language=language)
    fault = fault_of(question, answer)
    if fault:
        return dropped(raw, row, name, fault)
    image = text(raw, "img_name")
    draft = exchange(
        "vqa",
        question,
        answer,
        (image,) if image else (),
        modality=_MODALITY.get(text(raw, "modality").lower(), ""),
        body_region=text(raw, "location"),
        question_type=text(raw, "content_type"),
        answer_type=text(raw, "answer_type"),
    )
    return kept(raw, row, name, draft)


SLAKE = Corpus(
    name="slake",
    title="SLAKE 1.0: semantically labelled knowledge-enhanced medical VQA",
    tasks=("vqa",),
    layout="train.json, validate.json, test.json; imgs/xmlab<N>/source.jpg",
    fields="img_id, img_name, question, answer, q_lang, location, modality, answer_type, base_type, content_type, triple, qid",
    forms=(("img_name", "q_lang", "question"),),
    licence="CC-BY-4.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Liu et al., SLAKE, ISBI 2021",
    splits={"train": ("train.json",), "validation": ("validate.json", "validation.json"), "test": ("test.json",)},
    image_folders=("imgs",),
    counts="English: 4,919 train, 1,053 validation, 1,061 test; 642 images",
    caution="Chinese questions are left out: their splits share images with the English ones (72 of the English test's).",
    read=_read,
)
