"""Conversations: anybody's JSON in LLaVA's form, with LLaVA-Med's evaluation questions, or in OpenAI's form.

`conversatons` is how LLaVA-Med's alignment file spells it. `<image>` stands first or last in the first human turn. In OpenAI's
form (`messages`) the images are parts of the content, or a list of their own that the marks go through in order.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.images.inline import Inline, from_url
from pipeline.sources.base import Corpus, Draft, Record, dropped, exchange, fault_of, images_of, kept, text, unparsed, with_images
from pipeline.sources.streams import json_records
from schemas.base import Task
from schemas.sample import IMAGE_MARK

_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
#: First true one names the image (REFERENCE.md §4 gives the order).
DOMAINS = {"chest_xray": "cxr", "mri": "mri", "histology": "histology", "gross": "gross", "ct_scan": "ct"}


def read_conversations(path: Path) -> Iterator[Record]:
    """Conversations, and the questions of LLaVA-Med's evaluation among them."""
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
    return conversation(raw, row, talk_of(raw), text(raw, "id") or f"row-{row}")


def talk_of(raw: dict[str, Any]) -> object:
    """The turns, under either spelling."""
    return raw.get("conversations") or raw.get("conversatons")


def _read_messages(path: Path) -> Iterator[Record]:
    for row, raw in json_records(path):
        if isinstance(raw, dict):
            yield conversation(raw, row, raw.get("messages"), text(raw, "id") or f"row-{row}")
        else:
            yield unparsed(row)


def conversation(raw: dict[str, Any], row: int, said: object, name: str) -> Record:
    """The record of a list of turns, each {from, value} or {role, content}, or the reason why it gives none."""
    if not isinstance(said, list) or not said:
        return dropped(raw, row, name, "missing_field", "no conversations")
    turns, inside = _turns(said)
    images = inside or images_of(raw, "images", "image")
    fault = _fault(turns)
    if fault:
        return dropped(raw, row, name, *fault)
    if images and not any(IMAGE_MARK in words for _, words in turns):
        first = next(index for index, (role, _) in enumerate(turns) if role == "user")
        turns[first] = ("user", with_images(turns[first][1], images))
    task: Task = "caption" if len(turns) == 2 and images else "conversation"
    modality = _modality(raw)
    meta = {"modality": modality} if modality else {}
    return kept(raw, row, name, Draft(task=task, turns=tuple(turns), images=images, meta=meta))


def _turns(said: list[Any]) -> tuple[list[tuple[str, str]], tuple[str | Inline, ...]]:
    """(role, text) of each turn, and the images that stand inside them."""
    turns: list[tuple[str, str]] = []
    images: list[str | Inline] = []
    for turn in said:
        if not isinstance(turn, dict):
            # What is no turn has no role, and the conversation falls: its neighbours may answer each other no longer.
            turns.append(("", ""))
            continue
        value, role = turn.get("value"), turn.get("from")
        if type(value) is str and type(role) is str and role in _ROLES and len(turn) == 2 and (words := value.strip()):
            # As nearly all are written: a sixth of the time.
            turns.append((_ROLES[role], words))
            continue
        content = turn.get("content")
        words, found = _parts(content) if isinstance(content, list) else (text(turn, "value") or text(turn, "content"), [])
        turns.append((_ROLES.get((text(turn, "from") or text(turn, "role")).lower(), ""), words))
        images += found
    return turns, tuple(images)


def _parts(content: list[Any]) -> tuple[str, list[str | Inline]]:
    """Text with a mark for each image, from parts such as {"type": "text", "text"} and {"type": "image_url", "image_url"}."""
    words: list[str] = []
    images: list[str | Inline] = []
    for part in content:
        if isinstance(part, str):
            words.append(part)
        elif isinstance(part, dict) and part.get("type") in ("image", "image_url"):
            words.append(IMAGE_MARK)
            # In Parquet's one type for all parts, a text part has an empty image and the other way round.
            value = part.get("image") or part.get("image_url") or part.get("url") or part.get("path")
            value = value.get("url") if isinstance(value, dict) else value
            images += [from_url(value) if isinstance(value, str) else value] if isinstance(value, str | Inline) else []
        elif isinstance(part, dict):
            words.append(text(part, "text"))
    return "\n".join(word.strip() for word in words if word.strip()), images


def _fault(turns: list[tuple[str, str]]) -> tuple[str, str] | None:
    roles = [role for role, _ in turns if role != "system"]
    if roles != ["user", "assistant"] * (len(roles) // 2) or not roles:
        return "invalid_turns", f"roles are {[role or '?' for role in roles][:8]}"
    for role, words in turns:
        if not words or ("<" in words and not words.replace(IMAGE_MARK, "").strip()):
            return ("empty_answer" if role == "assistant" else "empty_question"), ""
    return None


def _modality(raw: dict[str, Any]) -> str:
    domain = raw.get("domain")
    if not isinstance(domain, dict):
        return ""
    return next((modality for key, modality in DOMAINS.items() if domain.get(key)), "")


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
    read=read_conversations,
)

MESSAGES = Corpus(
    name="messages",
    title="Any conversations in OpenAI's form, as Qwen and LLaMA-Factory write them too",
    tasks=("conversation", "caption"),
    layout="one JSON array or JSON Lines; image names relative to `images`",
    fields="messages: [{role, content}], content a text or parts {type, text | image | image_url}; images, id (optional)",
    fingerprint=("messages",),
    licence="unknown",
    access="open",
    redistribution=False,
    derivatives=True,
    citation="as the file's owner says",
    read=_read_messages,
)
