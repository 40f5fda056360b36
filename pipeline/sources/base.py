"""What every corpus module speaks: a Record is one source record with its drafts, or the reason why it gives none."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from pipeline.images.inline import Inline
from schemas.base import Access, Task
from schemas.sample import IMAGE_MARK


# Not frozen, though nobody changes them: that costs 1.7 µs a record of the 20 that ingest takes.
@dataclass(kw_only=True, slots=True)
class Draft:
    """A sample before ingest gave it an id and its images."""

    task: Task
    turns: tuple[tuple[str, str], ...]
    """(role, text); one ``<image>`` for each image, in place."""
    images: tuple[str | Inline, ...] = ()
    """Names under the source's image folder, or images that the record carries, in the order of their marks."""
    meta: Mapping[str, str] = field(default_factory=dict)
    """`group`, where there is one, names what the splits may not cut through besides images: a patient, a figure, a question
    that others paraphrase. It means the same in every corpus."""


@dataclass(kw_only=True, slots=True)
class Record:
    """One source record. Exactly one of `drafts` and `reason` says what became of it."""

    id: str
    row: int
    """1-based place in the file."""
    sha256: str
    """Of the record as canonical JSON."""
    drafts: tuple[Draft, ...] = ()
    lost: tuple[tuple[str, str], ...] = ()
    """(reason, detail) of each part that gives no draft beside parts that do: one of many questions about an image."""
    reason: str | None = None
    detail: str = ""
    split: str | None = None
    """The record's own split; None when the corpus leaves it to the file."""
    language: str = "en"


_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]")
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN = re.compile("[A-Za-z]")

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
    forms: tuple[tuple[str, ...], ...] = ()
    """Fingerprints of the other forms in which it is published."""
    named_forms: tuple[tuple[str, ...], ...] = ()
    """Forms that could be anybody's: recognised only where the name of the file or of a folder around it says so."""
    without: tuple[str, ...] = ()
    """Fields that no form of it has: a file with one of them is another corpus's."""
    by_name: bool = False
    """Its form could be anybody's: it is recognised only where the file's name says so."""
    beside: tuple[str, ...] = ()
    """Files beside the named one that the reader looks into; `{stem}` is the named file's name without its suffix."""
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


def split_of(path: Path) -> str | None:
    """The split that a file's name tells: `test_set.json` is test, `dev.json` validation; None leaves it to the config."""
    words = set(re.split("[^a-z]+", path.stem.lower()))
    if words & {"test", "testset"}:
        return "test"
    return "validation" if words & {"dev", "val", "valid", "validate", "validation", "valset"} else None


def language_of(words: str) -> str:
    """ar or zh when most letters are of that script, else en. A Latin drug name inside an Arabic sentence changes nothing."""
    arabic, chinese = len(_ARABIC.findall(words)), len(_CHINESE.findall(words))
    latin = len(_LATIN.findall(words))
    if arabic > max(latin, chinese):
        return "ar"
    # A Chinese character says as much as two or three letters.
    return "zh" if 2 * chinese > latin else "en"


def digest(raw: object) -> str:
    """sha256 of a source record as canonical JSON, so that the same record has the same digest in any file."""
    try:
        data = orjson.dumps(raw, option=orjson.OPT_SORT_KEYS, default=str)
    except orjson.JSONEncodeError:
        # Nested deeper than 254 levels: a digest of the fields that are not.
        fields = raw.items() if isinstance(raw, dict) else ()
        plain = {key: value for key, value in fields if not isinstance(value, dict | list)}
        data = orjson.dumps(plain, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(data).hexdigest()


def dropped(raw: object, row: int, name: str, reason: str, detail: str = "", language: str = "en") -> Record:
    """A record that gives no sample, with the reason."""
    return Record(id=name, row=row, sha256=digest(raw), reason=reason, detail=detail, language=language)


def unparsed(row: int) -> Record:
    """A record that the stream could not parse."""
    return dropped(None, row, f"row-{row}", "not_json", "not a JSON object, or not as many cells as the header")


def kept(raw: object, row: int, name: str, *drafts: Draft, split: str | None = None) -> Record:
    """A record that gives samples; dropped all the same when a draft's marks are not its images."""
    for draft in drafts:
        marks = 0
        for _, words in draft.turns:
            marks += words.count(IMAGE_MARK)
        if marks != len(draft.images):
            return dropped(raw, row, name, "image_count", f"{marks} marks, {len(draft.images)} images")
    return Record(id=name, row=row, sha256=digest(raw), drafts=drafts, split=split)


def text(raw: Mapping[str, Any], key: str) -> str:
    """A field as stripped text; a number or boolean becomes its text, a missing one and a list are empty."""
    value = raw.get(key)
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()


def images_of(raw: Mapping[str, Any], *keys: str) -> tuple[str | Inline, ...]:
    """The images under the first of the keys that has any: names, carried ones, or a list of either."""
    for key in keys:
        value = raw.get(key)
        values = value if isinstance(value, list) else [value]
        found = tuple(item if isinstance(item, Inline) else str(item).strip() for item in values if item)
        if found:
            return found
    return ()


def with_images(question: str, images: tuple[str | Inline, ...]) -> str:
    """The question behind one mark for each image, unless the source has put the marks itself."""
    return question if IMAGE_MARK in question else f"{IMAGE_MARK}\n" * len(images) + question


def exchange(task: Task, question: str, answer: str, images: tuple[str | Inline, ...] = (), **meta: str) -> Draft:
    """A question with its answer."""
    turns = (("user", with_images(question, images)), ("assistant", answer))
    return Draft(task=task, turns=turns, images=images, meta={key: value for key, value in meta.items() if value})


def fault_of(question: str, answer: str) -> str | None:
    """Why an exchange cannot be used, or None."""
    if not question.replace(IMAGE_MARK, "").strip():
        return "empty_question"
    return None if answer.strip() else "empty_answer"
