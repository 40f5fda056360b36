"""What every corpus module speaks: a Record is one source record with its drafts, or the reason why it gives none.

In: parsed records. Out: Records, exactly one for each. Lost: nothing here. Cost: one sha256 a record.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from schemas.base import Access, Task
from schemas.sample import IMAGE_MARK

#: Tasks whose question keeps some sense without its image; a caption or a report has none.
_ASKED = frozenset({"vqa", "mcq", "conversation"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A sample before ingest gave it an id and its images."""

    task: Task
    turns: tuple[tuple[str, str], ...]
    """(role, text); one ``<image>`` for each image, in place."""
    images: tuple[str, ...] = ()
    """Names under the source's image folder, in the order of their marks."""
    meta: Mapping[str, str] = field(default_factory=dict)
    fallback: "Draft | None" = None
    """What is left when an image is missing and the config says `text_only`; None where nothing sound is left."""


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


Raw = Mapping[str, Any]
Reader = Callable[[Path], Iterator[Record]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Corpus:
    """The declaration of a corpus: what `bimedv sources describe` prints."""

    name: str
    title: str
    tasks: tuple[Task, ...]
    layout: str
    fields: str
    forms: tuple[tuple[str, ...], ...]
    """Sets of field names; a record that carries all of one set has the corpus's form."""
    licence: str
    access: Access
    redistribution: bool
    """The licence lets a release that contains it be passed on."""
    derivatives: bool
    """The licence lets a translation be passed on."""
    citation: str
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Split to the published names of its file; they lie beside one another."""
    own_split: bool = False
    """Records may carry a split of their own, whatever the config says of the file."""
    image_folders: tuple[str, ...] = ()
    """Where the published layout has the images, seen from the folder of the file."""
    companions: tuple[str, ...] = ()
    """Files beside the named one that are read with it."""
    counts: str = ""
    caution: str = ""
    """What a user should know before using it."""
    signature: Callable[[Raw], bool] | None = None
    """Tells the corpus from another of the same form by a record's content; only `identify` asks."""
    read: Reader


def records(
    rows: Iterable[tuple[int, Any]], key: str, needs: tuple[str, ...], outcome: Callable[[Raw, int, str], Record]
) -> Iterator[Record]:
    """The outcome of each parsed row, called with (fields, row, the id under `key`).

    A row without one of the fields in `needs` is `missing_field`; what is no set of fields is `not_json`.
    """
    for row, raw in rows:
        if not isinstance(raw, dict):
            yield dropped(raw, row, f"row-{row}", "not_json", f"found {type(raw).__name__}, expected named fields")
            continue
        name = text(raw, key) or f"row-{row}"
        lacking = [need for need in needs if need not in raw]
        yield dropped(raw, row, name, "missing_field", f"no {', '.join(lacking)}") if lacking else outcome(raw, row, name)


def digest(raw: object) -> str:
    """sha256 of a source record as canonical JSON, so that the same record has the same digest in any file."""
    try:
        data = orjson.dumps(raw, option=orjson.OPT_SORT_KEYS, default=str)
    except TypeError:
        # orjson refuses integers beyond 64 bits, which JSON allows.
        data = json.dumps(raw, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode()
    return hashlib.sha256(data).hexdigest()


def dropped(raw: object, row: int, name: str, reason: str, detail: str = "") -> Record:
    """A record that gives no sample, with the reason."""
    return Record(id=name, row=row, sha256=digest(raw), reason=reason, detail=detail)


def kept(raw: object, row: int, name: str, *drafts: Draft, split: str | None = None) -> Record:
    """A record that gives samples, at least one."""
    return Record(id=name, row=row, sha256=digest(raw), drafts=drafts, split=split)


def text(raw: Raw, key: str) -> str:
    """A field as stripped text; a number or boolean becomes its text, a missing one, a list or an object is empty."""
    value = raw.get(key)
    return str(value).strip() if isinstance(value, str | int | float) else ""


def with_images(question: str, images: tuple[str, ...]) -> str:
    """The question behind one mark for each image, unless the source has put the marks itself."""
    return question if IMAGE_MARK in question else f"{IMAGE_MARK}\n" * len(images) + question


def exchange(task: Task, question: str, answer: str, images: tuple[str, ...] = (), **meta: str) -> Draft:
    """A question with its answer. Of a caption or report nothing is left without its images; of a question the text is."""
    turns = (("user", with_images(question, images)), ("assistant", answer))
    return conversation(task, turns, images, **meta)


def conversation(task: Task, turns: tuple[tuple[str, str], ...], images: tuple[str, ...] = (), **meta: str) -> Draft:
    """Turns that carry their image marks. Empty values of `meta` are left out."""
    known = {key: value for key, value in meta.items() if value}
    bare = tuple((role, _unmarked(words)) for role, words in turns)
    fallback = Draft(task=task, turns=bare, meta=known) if images and task in _ASKED else None
    return Draft(task=task, turns=turns, images=images, meta=known, fallback=fallback)


def fault_of(question: str, answer: str) -> str | None:
    """Why an exchange cannot be used, or None."""
    if not question.replace(IMAGE_MARK, "").strip():
        return "empty_question"
    return None if answer.strip() else "empty_answer"


def _unmarked(words: str) -> str:
    return words.replace(f"{IMAGE_MARK}\n", "").replace(f"\n{IMAGE_MARK}", "").replace(IMAGE_MARK, "").strip()
