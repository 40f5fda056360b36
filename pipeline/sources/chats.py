"""Conversations in LLaVA's form: LLaVA-Med's files, its 50-image evaluation questions, and anybody's `llava` JSON.

`conversatons` is how LLaVA-Med's alignment file spells it. `<image>` stands first or last in the first human turn and keeps
its place. Lost: captions and in-text mentions beside the evaluation questions, which name the answer.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.sources.base import Corpus, Raw, Record, conversation, dropped, exchange, fault_of, kept, records, text, with_images
from pipeline.sources.streams import json_records
from schemas.base import Task
from schemas.sample import IMAGE_MARK

_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
#: The first true one names the image: a stained slide with both `histology` and `gross` set is a slide.
_DOMAINS = {"chest_xray": "cxr", "mri": "mri", "histology": "histology", "gross": "gross", "ct_scan": "ct"}
#: What LLaVA-Med's alignment file asks of every figure, in 20 wordings ("Provide a brief description of …").
_DESCRIBE = re.compile(
    r"\b(describe|description|caption|summar|narrat|portray|explain the (visual|various)|illustrat|depict|break ?down"
    r"|walk through|characteriz|relay|present a compact)", re.I
)  # fmt: skip


def _read(path: Path) -> Iterator[Record]:
    return records(json_records(path), "", (), _outcome)


def _outcome(raw: Raw, row: int, name: str) -> Record:
    if "question_id" in raw and "text" in raw:
        return _question(raw, row, text(raw, "question_id") or name)
    return _conversation(raw, row, text(raw, "id") or name)


def _question(raw: Raw, row: int, name: str) -> Record:
    question, answer, image = text(raw, "text"), text(raw, "gpt4_answer"), text(raw, "image")
    images = (image,) if image else ()
    fault = fault_of(question, answer)
    if fault:
        return dropped(raw, row, name, fault)
    marks = question.count(IMAGE_MARK)
    if marks not in (0, len(images)):
        return dropped(raw, row, name, "image_count", f"{marks} marks, {len(images)} images")
    task: Task = "caption" if text(raw, "type") == "detail_description" else "vqa"
    return kept(raw, row, name, exchange(task, question, answer, images, modality=_modality(raw)), split="test")


def _conversation(raw: Raw, row: int, name: str) -> Record:
    said = raw.get("conversations") or raw.get("conversatons")
    if not isinstance(said, list) or not said:
        return dropped(raw, row, name, "missing_field", "no conversations")
    images = _images(raw)
    turns = [(_ROLES.get(text(turn, "from"), ""), text(turn, "value")) if isinstance(turn, dict) else ("", "") for turn in said]
    fault = _fault(turns, len(images))
    if fault:
        return dropped(raw, row, name, *fault)
    first = next(index for index, (role, _) in enumerate(turns) if role == "user")
    if not any(IMAGE_MARK in words for _, words in turns):
        turns[first] = ("user", with_images(turns[first][1], images))
    task = _task(turns, images)
    answer_type = text(raw, "answer_type").upper()
    return kept(raw, row, name, conversation(task, tuple(turns), images, modality=_modality(raw), answer_type=answer_type))


def _fault(turns: list[tuple[str, str]], images: int) -> tuple[str, str] | None:
    said = turns[1:] if turns[0][0] == "system" else turns
    roles = [role for role, _ in said]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        return "invalid_turns", f"roles are {', '.join(role or '?' for role in roles[:8]) or 'none'}"
    for role, words in turns:
        if not words.replace(IMAGE_MARK, "").strip():
            return ("empty_answer" if role == "assistant" else "empty_question"), f"an empty {role} turn"
    marks = sum(words.count(IMAGE_MARK) for _, words in turns)
    return None if marks in (0, images) else ("image_count", f"{marks} marks, {images} images")


def _task(turns: list[tuple[str, str]], images: tuple[str, ...]) -> Task:
    """One exchange about an image is a caption or a question by what is asked; all else is a conversation."""
    if len(turns) != 2:
        return "conversation"
    if not images:
        return "text_qa"
    return "caption" if _DESCRIBE.search(turns[0][1]) else "vqa"


def _images(raw: Raw) -> tuple[str, ...]:
    value = raw.get("image")
    values = value if isinstance(value, list) else [value]
    return tuple(item.strip() for item in values if isinstance(item, str) and item.strip())


def _modality(raw: Raw) -> str:
    domain = raw.get("domain")
    if not isinstance(domain, dict):
        return ""
    return next((modality for key, modality in _DOMAINS.items() if domain.get(key)), "")


_FORMS = (("conversations",), ("conversatons",))

LLAVA = Corpus(
    name="llava",
    title="Any conversations in LLaVA's form",
    tasks=("conversation", "vqa", "caption", "text_qa"),
    layout="one JSON array or JSON Lines; image names relative to `images`",
    fields="id, image (optional, one or a list), conversations: [{from, value}]",
    forms=_FORMS,
    licence="unknown",
    access="restricted",
    redistribution=False,
    derivatives=False,
    citation="as the file's owner says",
    image_folders=("images",),
    caution="Its licence is not known here, so it counts as restricted: it goes to no endpoint that does not allow that.",
    read=_read,
)

LLAVA_MED = Corpus(
    name="llava_med",
    title="LLaVA-Med: alignment, instruction and evaluation conversations",
    tasks=("conversation", "caption", "vqa"),
    layout="llava_med_alignment_500k.json, llava_med_instruct_*.json, llava_med_eval_qa50_qa.jsonl; images/<pair_id>.jpg",
    fields="id, image, domain, conversations (or conversatons); question_id, text, gpt4_answer in the evaluation file",
    forms=(("domain", "conversations"), ("domain", "conversatons"), ("question_id", "gpt4_answer", "text"), *_FORMS),
    licence="CC-BY-NC-4.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Li et al., LLaVA-Med, NeurIPS 2023",
    splits={"test": ("llava_med_eval_qa50_qa.jsonl",)},
    own_split=True,
    image_folders=("images",),
    counts="about 467,710 alignment and 56,708 instruction records; 193 evaluation questions",
    caution="Some images cannot be fetched any more; their records are excluded as missing_image.",
    read=_read,
)
