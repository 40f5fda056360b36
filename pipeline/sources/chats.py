"""Conversations in LLaVA's form: LLaVA-Med's files, its 50-image evaluation questions, and anybody's `llava` JSON.

`conversatons` is how LLaVA-Med's alignment file spells it. `<image>` stands first or last in the first human turn.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Draft, Record, dropped, exchange, fault_of, kept, text, unparsed, with_images
from pipeline.sources.streams import json_records
from schemas.base import Task
from schemas.sample import IMAGE_MARK

_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
#: First true one names the image (REFERENCE.md §4 gives the order).
_DOMAINS = {"chest_xray": "cxr", "mri": "mri", "histology": "histology", "gross": "gross", "ct_scan": "ct"}


def _read(path: Path) -> Iterator[Record]:
    for row, raw in json_records(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
        elif "gpt4_answer" in raw or ("question_id" in raw and "text" in raw):
            yield _question(raw, row)
        else:
            yield _conversation(raw, row)


def _question(raw: dict[str, Any], row: int) -> Record:
    name = text(raw, "question_id") or f"row-{row}"
    question, answer, image = text(raw, "text"), text(raw, "gpt4_answer"), text(raw, "image")
    fault = fault_of(question, answer)
    if fault:
        return dropped(raw, row, name, fault)
    task: Task = "caption" if text(raw, "type") == "detailed_description" else "vqa"
    images = (image,) if image else ()
    return kept(raw, row, name, exchange(task, question, answer, images, modality=_modality(raw)), split="test")


def _conversation(raw: dict[str, Any], row: int) -> Record:
    name = text(raw, "id") or f"row-{row}"
    said = raw.get("conversations") or raw.get("conversatons")
    if not isinstance(said, list) or not said:
        return dropped(raw, row, name, "missing_field", "no conversations")
    images = _images(raw)
    turns = [_turn(turn) for turn in said]
    fault = _fault(turns)
    if fault:
        return dropped(raw, row, name, *fault)
    if images and not any(IMAGE_MARK in words for _, words in turns):
        first = next(index for index, (role, _) in enumerate(turns) if role == "user")
        turns[first] = ("user", with_images(turns[first][1], images))
    task: Task = "caption" if len(turns) == 2 and images else "conversation"
    meta = {"modality": _modality(raw)} if _modality(raw) else {}
    return kept(raw, row, name, Draft(task=task, turns=tuple(turns), images=images, meta=meta))


def _turn(turn: object) -> tuple[str, str]:
    # What is no turn has no role, and the conversation falls: its neighbours may answer each other no longer.
    return (_ROLES.get(text(turn, "from").lower(), ""), text(turn, "value")) if isinstance(turn, dict) else ("", "")


def _fault(turns: list[tuple[str, str]]) -> tuple[str, str] | None:
    roles = [role for role, _ in turns if role != "system"]
    if roles != ["user", "assistant"] * (len(roles) // 2) or not roles:
        return "invalid_turns", f"roles are {[role or '?' for role in roles][:8]}"
    for role, words in turns:
        if not words.replace(IMAGE_MARK, "").strip():
            return ("empty_answer" if role == "assistant" else "empty_question"), ""
    return None


def _images(raw: dict[str, Any]) -> tuple[str, ...]:
    value = raw.get("image")
    values = value if isinstance(value, list) else [value]
    return tuple(str(item).strip() for item in values if item)


def _modality(raw: dict[str, Any]) -> str:
    domain = raw.get("domain")
    if not isinstance(domain, dict):
        return ""
    return next((modality for key, modality in _DOMAINS.items() if domain.get(key)), "")


LLAVA_MED = Corpus(
    name="llava_med",
    title="LLaVA-Med: alignment, instruction and evaluation conversations",
    tasks=("conversation", "caption", "vqa"),
    layout="llava_med_alignment_500k.json, llava_med_instruct_*.json, llava_med_eval_qa50_qa.jsonl; images/<pair_id>.jpg",
    fields="id, image, domain, conversations (or conversatons); question_id, text, gpt4_answer in the evaluation file",
    fingerprint=("domain", "image"),
    licence="CC-BY-NC-4.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Li et al., LLaVA-Med, NeurIPS 2023",
    splits={"test": "llava_med_eval_qa50_qa.jsonl"},
    counts="about 467,710 alignment and 56,708 instruction records; 193 evaluation questions",
    read=_read,
)

LLAVA = Corpus(
    name="llava",
    title="Any conversations in LLaVA's form",
    tasks=("conversation", "caption"),
    layout="one JSON array or JSON Lines; image names relative to `images`",
    fields="id, image (optional, one or a list), conversations: [{from, value}]",
    fingerprint=("conversations",),
    licence="unknown",
    access="open",
    redistribution=False,
    derivatives=True,
    citation="as the file's owner says",
    read=_read,
)
