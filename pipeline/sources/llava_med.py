"""LLaVA-Med's files: alignment, instructions, figure captions, evaluation questions, and its copies of three VQA corpora.

`conversatons` is how the alignment file spells it; `<image>` stands first or last. Figure captions are one JSON object, domain to
records; a figure of two domains occurs in both, under one id. The copies of VQA-RAD, SLAKE and PathVQA have an `answer_type`;
which of the three is not told, so they lend no licence. Their closed questions end in the options, which are taken off.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Draft, Record, images_of, split_of, text, unparsed
from pipeline.sources.chats import DOMAINS, conversation, read_conversations, talk_of
from pipeline.sources.streams import SECTIONS, is_sectioned, json_records, json_sections
from pipeline.sources.visual import Seen, seen

_OPTIONS = re.compile(r"\s*Please choose from the following (?:two )?options:\s*\[[^\]]*\]\.?")


def _read(path: Path) -> Iterator[Record]:
    return _figures(path) if is_sectioned(path) else read_conversations(path)


def _figures(path: Path) -> Iterator[Record]:
    # The evaluation's captions say what its 50 images show.
    split = "test" if "eval" in path.stem.lower() else split_of(path)
    for row, domain, raw in json_sections(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        name = text(raw, "pair_id")
        images = images_of(raw, "image") or ((f"{name}.jpg",) if name else ())
        meta = {"modality": DOMAINS.get(domain, "")}
        said = Seen(images=images, answer=text(raw, "fig_caption"), task="caption", split=split, meta=meta)
        yield seen(raw, row, name or f"row-{row}", said)


def _read_vqa(path: Path) -> Iterator[Record]:
    split = split_of(path)
    for row, raw in json_records(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        # Several questions share the id of their image.
        record = conversation(raw, row, talk_of(raw), f"{text(raw, 'id') or 'row'}-{row}")
        yield replace(record, drafts=tuple(_question(draft, raw) for draft in record.drafts), split=split)


def _question(draft: Draft, raw: dict[str, Any]) -> Draft:
    turns = tuple((role, _OPTIONS.sub("", words) if role == "user" else words) for role, words in draft.turns)
    kind = text(raw, "answer_type").upper()
    return replace(draft, task="vqa", turns=turns, meta={**draft.meta, **({"answer_type": kind} if kind else {})})


LLAVA_MED = Corpus(
    name="llava_med",
    title="LLaVA-Med: alignment, instruction and evaluation conversations, figure captions",
    tasks=("conversation", "caption", "vqa"),
    layout="llava_med_alignment_500k.json, llava_med_instruct_*.json, llava_med_instruct_fig_captions.json, "
    "llava_med_eval_qa50_qa.jsonl; images/<pair_id>.jpg",
    fields="id, image, domain, conversations (or conversatons); question_id, text, gpt4_answer, type in the "
    "evaluation file; pair_id, fig_label, fig_caption, in_text_mention under each domain in the captions",
    fingerprint=("domain", "image"),
    forms=((SECTIONS, "pair_id", "fig_caption"),),
    without=("answer_type",),
    licence="CC-BY-NC-4.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Li et al., LLaVA-Med, NeurIPS 2023",
    splits={"test": "llava_med_eval_qa50_qa.jsonl"},
    counts="about 467,710 alignment and 56,708 instruction records; 193 evaluation questions",
    read=_read,
)

LLAVA_MED_VQA = Corpus(
    name="llava_med_vqa",
    title="LLaVA-Med's copies of VQA-RAD, SLAKE and PathVQA in its own form",
    tasks=("vqa",),
    layout="train.json, test.json; image names relative to `images`",
    fields="id, image, conversations (or conversatons), answer_type",
    fingerprint=("conversations", "image", "answer_type"),
    # Whichever of the three it is.
    licence="unknown",
    access="open",
    redistribution=False,
    derivatives=True,
    citation="Li et al., LLaVA-Med, NeurIPS 2023, and the corpus copied",
    splits={"train": "train.json", "test": "test.json"},
    read=_read_vqa,
)
