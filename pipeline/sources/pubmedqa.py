"""PubMedQA: questions on abstracts. LONG_ANSWER is the abstract's conclusion: it is the answer, never the prompt."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Record, dropped, exchange, fault_of, kept, text
from pipeline.sources.streams import json_items


def _read(path: Path) -> Iterator[Record]:
    for row, name, raw in json_items(path):
        if not isinstance(raw, dict) or "QUESTION" not in raw:
            yield dropped(raw, row, name, "missing_field", "no QUESTION")
            continue
        decision, long_answer = text(raw, "final_decision").lower(), text(raw, "LONG_ANSWER")
        answer = f"{decision.capitalize()}. {long_answer}".strip() if decision else long_answer
        fault = fault_of(text(raw, "QUESTION"), answer)
        if fault:
            yield dropped(raw, row, name, fault)
            continue
        yield kept(raw, row, name, exchange("text_qa", _prompt(raw), answer, answer_type="CLOSED" if decision else ""))


def _prompt(raw: dict[str, Any]) -> str:
    given = raw.get("CONTEXTS") or ()
    contexts = [str(part).strip() for part in ((given,) if isinstance(given, str) else given)]
    return "\n".join([*(part for part in contexts if part), text(raw, "QUESTION")])


PUBMEDQA = Corpus(
    name="pubmedqa",
    title="PubMedQA: yes, no or maybe from an abstract",
    tasks=("text_qa",),
    layout="ori_pqal.json, ori_pqaa.json, ori_pqau.json: one JSON object keyed by PMID",
    fields="QUESTION, CONTEXTS, LABELS, MESHES, YEAR, final_decision, LONG_ANSWER",
    fingerprint=("QUESTION", "CONTEXTS"),
    licence="MIT",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Jin et al., PubMedQA, EMNLP 2019",
    counts="1,000 labelled, 211,269 artificial, 61,249 unlabelled",
    read=_read,
)
