"""Anybody's data set for Hugging Face: Parquet with an Image feature, or a split that `datasets` has saved to a folder.

In: rows with columns that are known by their names. Out: conversations (`messages`, `conversations`), questions with answers, or
captions; a row whose columns give none of these falls. Images lie in the rows; where a row has only an image's path, it counts
from `images`, or from the folder of the shard. A question without an image is a question about text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Record, dropped, exchange, fault_of, images_of, kept, text, unparsed
from pipeline.sources.chats import conversation
from pipeline.sources.parquet import PARQUET, parquet_records
from pipeline.sources.templates import DESCRIBE_IMAGE

_IMAGES = ("images", "image")
_TURNS = ("messages", "conversations")
_IDS = ("id", "qid", "question_id", "image_id")
_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "dev": "validation",
    "validation": "validation",
    "test": "test",
}


def _read(path: Path) -> Iterator[Record]:
    for row, raw in parquet_records(path):
        if raw is None:
            yield unparsed(row)
        else:
            yield replace(_record(raw, row), split=_SPLITS.get(text(raw, "split").lower()))


def _record(raw: dict[str, Any], row: int) -> Record:
    # An image's id is no id of a row where an image is asked about twice.
    name = next((text(raw, key) for key in _IDS[: -1 if "question" in raw else None] if text(raw, key)), f"row-{row}")
    said = next((raw[key] for key in _TURNS if raw.get(key)), None)
    if said is not None:
        return conversation(raw, row, _listed(said), name)
    if not {"question", "caption", "text"} & raw.keys():
        return dropped(
            raw, row, name, "missing_field", f"no question, caption, text or turns among {', '.join(sorted(raw))[:200]}"
        )
    images = images_of(raw, *_IMAGES)
    if "question" in raw:
        question, answer = text(raw, "question"), text(raw, "answer")
        fault = fault_of(question, answer)
        draft = exchange("vqa" if images else "text_qa", question, answer, images, **_meta(raw))
    else:
        caption = text(raw, "caption") or text(raw, "text")
        fault = fault_of(DESCRIBE_IMAGE, caption) or (None if images else "missing_image")
        draft = exchange("caption", DESCRIBE_IMAGE, caption, images, **_meta(raw))
    if fault:
        return dropped(raw, row, name, fault, "neither bytes nor a path" if fault == "missing_image" else "")
    return kept(raw, row, name, draft)


def _meta(raw: Mapping[str, Any]) -> dict[str, str]:
    return {key: text(raw, key) for key in ("question_type", "answer_type")} | {"modality": text(raw, "modality").lower()}


def _listed(said: object) -> object:
    """Turns as a list: `datasets` before version 4 keeps a list of structs as a struct of lists."""
    if not isinstance(said, Mapping) or not all(isinstance(values, list) for values in said.values()):
        return said
    if len({len(values) for values in said.values()}) != 1:
        return None
    return [dict(zip(said, values, strict=True)) for values in zip(*said.values(), strict=True)]


HF_DATASET = Corpus(
    name="hf_dataset",
    title="Any Hugging Face data set: Parquet with an Image feature, or a split saved to a folder",
    tasks=("conversation", "caption", "vqa", "text_qa"),
    layout="data/<split>-00000-of-0000N.parquet: the folder, `data/<split>-*.parquet`, or a folder with state.json",
    fields="image or images {bytes, path}; question and answer, messages or conversations, caption or text; id, split, …",
    fingerprint=(PARQUET, "image"),
    forms=((PARQUET, "images"), (PARQUET, "question", "answer"), (PARQUET, "messages"), (PARQUET, "conversations")),
    licence="unknown",
    access="open",
    redistribution=False,
    derivatives=True,
    citation="as the data set's owner says",
    read=_read,
)
