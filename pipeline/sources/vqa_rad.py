"""VQA-RAD: questions of clinicians about radiology images. In: OSF's JSON, the derived trainset.json / testset.json, Parquet.

`phrase_type` tells the split, by question and not by image: where both splits are read, an image that a test question shows goes
to test with all its questions. `qid_linked_id` ties a question to its paraphrases, which no split may part. Answers may be
numbers, `answer_type` has stray spaces, and Hugging Face's Parquet has lost it. What no publisher has verified is read as found.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Record, images_of, split_of, text, unparsed
from pipeline.sources.parquet import PARQUET
from pipeline.sources.streams import json_records
from pipeline.sources.visual import Seen, closed, seen

#: The paper's images are CT or MRI slices of heads, X-rays of chests and CT slices of abdomens.
_MODALITY = {"CHEST": "cxr", "ABD": "ct"}


def _read(path: Path) -> Iterator[Record]:
    split = split_of(path)
    for row, raw in json_records(path):
        yield _record(raw, row, split) if isinstance(raw, dict) else unparsed(row)


def _record(raw: dict[str, Any], row: int, split: str | None) -> Record:
    answer, link, organ = text(raw, "answer"), text(raw, "qid_linked_id"), text(raw, "image_organ").upper()
    meta = {
        "modality": _MODALITY.get(organ, ""),
        "body_region": text(raw, "image_organ"),
        "question_type": text(raw, "question_type"),
        "answer_type": text(raw, "answer_type").upper() or closed(answer),
        "group": f"vqa_rad:{link}" if link else "",
    }
    # A row that calls itself test is none of train, whatever the file is called.
    held_out = "test" if text(raw, "phrase_type").lower().startswith("test") else split
    said = Seen(
        images=images_of(raw, "image_name", "image"), question=text(raw, "question"), answer=answer, split=held_out, meta=meta
    )
    return seen(raw, row, text(raw, "qid") or f"row-{row}", said)


VQA_RAD = Corpus(
    name="vqa_rad",
    title="VQA-RAD: clinicians' questions about radiology images",
    tasks=("vqa",),
    layout="VQA_RAD Dataset Public.json with VQA_RAD Image Folder/; trainset.json, testset.json; Parquet "
    "under a name with vqa-rad",
    fields="qid, phrase_type, qid_linked_id, image_case_url, image_name, image_organ, evaluation, question, question_rephrase, "
    "question_relation, question_frame, question_type, answer, answer_type; "
    "image, question, answer in Parquet",
    fingerprint=("phrase_type", "image_organ", "image_name", "question", "answer"),
    named_forms=(
        ("phrase_type", "image_name", "question", "answer"),
        (PARQUET, "image", "question", "answer"),
    ),
    licence="CC0-1.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Lau et al., VQA-RAD, Scientific Data 2018",
    splits={"train": "trainset.json", "test": "testset.json"},
    counts="2,248 questions about 314 images; in Parquet 1,793 train, 451 test",
    read=_read,
)
