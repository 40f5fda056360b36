"""VQA-Med-2019: text with `|` between its fields and no header, or the derived JSON of trainset.json / testset.json.

A line is `image|question|answer`; in the test key `image|category|question|answer`; without an answer where the answers are
hidden. `#` joins alternative right answers: the first is the answer, all of them stay in `alternatives`. Commas are words of an
answer ("face, sinuses, and neck"), and so are brackets, which mark what an answer may leave out.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Record, dropped, images_of, split_of, text, unparsed
from pipeline.sources.streams import json_records, sniff, text_lines
from pipeline.sources.visual import Seen, closed, seen

#: Stands among the field names of a file whose fields are separated by `|`.
PIPES = "(pipes)"
_LINE = re.compile(r"synpic\d+(?:\.\w+)?\|[^|]")
_CATEGORIES = ("modality", "plane", "organ", "abnormality")


def pipe_fields(path: Path) -> set[str]:
    """The fields of a header-less file that begins as VQA-Med's do, else nothing."""
    first = next((line for _, line in text_lines(path)), "") if sniff(path) == "csv" else ""
    return {PIPES, "image_id", "question"} if _LINE.match(first) and 1 <= first.count("|") <= 3 else set()


def _read(path: Path) -> Iterator[Record]:
    return _read_pipes(path) if sniff(path) == "csv" else _read_json(path)


def _read_pipes(path: Path) -> Iterator[Record]:
    split = split_of(path)
    named = next((category for category in _CATEGORIES if category in path.stem.lower()), "")
    for row, line in text_lines(path):
        cells = [cell.strip() for cell in line.split("|")]
        image, *told = cells
        category = told.pop(0).lower() if len(told) > 1 and told[0].lower() in _CATEGORIES else named
        if not image or not 1 <= len(told) <= 2:
            yield dropped(line, row, f"row-{row}", "not_json", f"{len(cells)} fields between |, expected 2 to 4")
            continue
        question, answer = told if len(told) == 2 else (told[0], "")
        yield _asked(line, row, f"{image}-{row}", Seen(images=(image,), question=question, answer=answer, split=split), category)


def _read_json(path: Path) -> Iterator[Record]:
    split = split_of(path)
    for row, raw in json_records(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        said = Seen(
            images=images_of(raw, "image_name"), question=text(raw, "question"), answer=text(raw, "answer"), split=split,
            meta=_told(raw),
        )  # fmt: skip
        yield _asked(raw, row, text(raw, "qid") or f"row-{row}", said, text(raw, "question_type").lower())


def _told(raw: dict[str, Any]) -> dict[str, str]:
    return {"answer_type": text(raw, "answer_type").upper()}


def _asked(raw: object, row: int, name: str, said: Seen, category: str) -> Record:
    alternatives = [part.strip() for part in said.answer.split("#") if part.strip()]
    answer = alternatives[0] if alternatives else ""
    meta = {
        "question_type": category,
        "alternatives": "#".join(alternatives) if len(alternatives) > 1 else "",
        **said.meta,
        "answer_type": said.meta.get("answer_type") or closed(answer),
    }
    return seen(raw, row, name, Seen(images=said.images, question=said.question, answer=answer, split=said.split, meta=meta))


VQA_MED_2019 = Corpus(
    name="vqa_med_2019",
    title="VQA-Med 2019 (ImageCLEF): modality, plane, organ and abnormality of radiology images",
    tasks=("vqa",),
    layout="All_QA_Pairs_train.txt with Train_images/<image>.jpg, QAPairsByCategory/C1_Modality_train.txt, …; "
    "VQAMed2019_Test_Questions_w_Ref_Answers.txt; trainset.json, testset.json",
    fields="image|question|answer; image|category|question|answer in the test key; "
    "qid, image_name, question, answer, question_type, answer_type, phrase_type in JSON",
    fingerprint=(PIPES, "image_id", "question"),
    forms=(("image_name", "question", "answer", "question_type"),),
    named_forms=(("image_name", "question", "answer"),),
    # These tell VQA-RAD's derived JSON (which is alike but for the organ), SLAKE's records and chats from VQA-Med's.
    without=("image_organ", "q_lang", "conversations"),
    licence="CC-BY-4.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Ben Abacha et al., VQA-Med, CLEF 2019",
    splits={
        "train": "All_QA_Pairs_train.txt",
        "validation": "All_QA_Pairs_val.txt",
        "test": "VQAMed2019_Test_Questions_w_Ref_Answers.txt",
    },
    counts="12,792 questions about 3,200 images train, 2,000 about 500 validation, 500 about 500 test",
    read=_read,
)
