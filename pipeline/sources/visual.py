"""Exchanges about images, of any corpus: what a source says of its pictures, to one Record."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.images.inline import Inline
from pipeline.sources.base import Record, dropped, exchange, fault_of, kept
from pipeline.sources.templates import DESCRIBE_IMAGE
from schemas.base import Task


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A question about pictures with its answer; without a question of its own, a caption."""

    images: tuple[str | Inline, ...]
    answer: str
    question: str = DESCRIBE_IMAGE
    task: Task = "vqa"
    split: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)


def seen(raw: object, row: int, name: str, said: Seen) -> Record:
    """The record: one draft, or the reason why it gives none."""
    fault = fault_of(said.question, said.answer)
    if fault:
        return dropped(raw, row, name, fault)
    if not said.images:
        return dropped(raw, row, name, "missing_field", "no image")
    return kept(raw, row, name, exchange(said.task, said.question, said.answer, said.images, **said.meta), split=said.split)


def closed(answer: str) -> str:
    """CLOSED for yes and no, which need no more to be told apart; empty for what nobody can tell."""
    return "CLOSED" if answer.strip().rstrip(".").lower() in ("yes", "no") else ""
