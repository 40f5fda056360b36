"""What every corpus module speaks: a Record is one source record with its drafts, or the reason why it gives none."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from schemas.base import Access, Task
from schemas.sample import IMAGE_MARK


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A sample before ingest gave it an id and its images."""

    task: Task
    turns: tuple[tuple[str, str], ...]
    """(role, text); one ``<image>`` for each image, in place."""
    images: tuple[str, ...] = ()
    """Names under the source's image folder, in the order of their marks."""
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One source record. Exactly one of `drafts` and `reason` says what became of it."""

    id: str
    row: int
    """1-based place in the file."""
    sha256: str
    """Of the record as canonical JSON."""
    drafts: tuple[Draft, ...] = ()
    reason: str | None = None
    detail: str = ""
    split: str | None = None
    """The record's own split; None when the corpus leaves it to the file."""
    language: str = "en"


Reader = Callable[[Path], Iterator[Record]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Corpus:
    """The declaration of a corpus: what `bimedv sources describe` prints."""

    name: str
    title: str
    tasks: tuple[Task, ...]
    layout: str
    fields: str
    fingerprint: tuple[str, ...]
    """Field names that every record carries; `identify` compares them with the first record."""
    licence: str
    access: Access
    redistribution: bool
    """The licence lets a release that contains it be passed on."""
    derivatives: bool
    """The licence lets a translation be passed on."""
    citation: str
    splits: Mapping[str, str] = field(default_factory=dict)
    """Split to the usual file name beside the others."""
    counts: str = ""
    read: Reader


def digest(raw: object) -> str:
    """sha256 of a source record as canonical JSON, so that the same record has the same digest in any file."""
    return hashlib.sha256(orjson.dumps(raw, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


def dropped(raw: object, row: int, name: str, reason: str, detail: str = "", language: str = "en") -> Record:
    """A record that gives no sample, with the reason."""
    return Record(id=name, row=row, sha256=digest(raw), reason=reason, detail=detail, language=language)


def kept(raw: object, row: int, name: str, *drafts: Draft, split: str | None = None) -> Record:
    """A record that gives samples."""
    return Record(id=name, row=row, sha256=digest(raw), drafts=drafts, split=split)


def text(raw: Mapping[str, Any], key: str) -> str:
    """A field as stripped text; a number or boolean becomes its text, a missing one is empty."""
    value = raw.get(key)
    return "" if value is None else str(value).strip()


def with_images(question: str, images: tuple[str, ...]) -> str:
    """The question behind one mark for each image, unless the source has put the marks itself."""
    return question if IMAGE_MARK in question else f"{IMAGE_MARK}\n" * len(images) + question


def exchange(task: Task, question: str, answer: str, images: tuple[str, ...] = (), **meta: str) -> Draft:
    """A question with its answer."""
    turns = (("user", with_images(question, images)), ("assistant", answer))
    return Draft(task=task, turns=turns, images=images, meta={key: value for key, value in meta.items() if value})


def fault_of(question: str, answer: str) -> str | None:
    """Why an exchange cannot be used, or None."""
    if not question.replace(IMAGE_MARK, "").strip():
        return "empty_question"
    return None if answer.strip() else "empty_answer"
