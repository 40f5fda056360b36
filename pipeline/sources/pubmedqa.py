"""PubMedQA: questions on abstracts. LONG_ANSWER is the abstract's conclusion: it is the answer, never the prompt."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.sources.base import Corpus, Raw, Record, dropped, exchange, fault_of, kept, records, text
from pipeline.sources.streams import json_items

_PMID = "pmid"


def _read(path: Path) -> Iterator[Record]:
    rows = ((row, {**raw, _PMID: key} if isinstance(raw, dict) else raw) for row, key, raw in json_items(path))
    return records(rows, _PMID, ("QUESTION", "CONTEXTS"), _outcome)


def _outcome(raw: Raw, row: int, name: str) -> Record:
    question = text(raw, "QUESTION")
    contexts = raw["CONTEXTS"] if isinstance(raw["CONTEXTS"], list) else []
    decision, conclusion = text(raw, "final_decision").lower(), text(raw, "LONG_ANSWER")
    # PQA-U has no decision: its conclusion is the whole answer.
    answer = f"{decision.capitalize()}. {conclusion}".strip() if decision else conclusion
    fault = fault_of(question, answer)
    if fault:
        return dropped(raw, row, name, fault)
    passages = [part.strip() for part in contexts if isinstance(part, str) and part.strip()]
    kind = "CLOSED" if decision else ""
    return kept(raw, row, name, exchange("text_qa", "\n".join([*passages, question]), answer, answer_type=kind))


PUBMEDQA = Corpus(
    name="pubmedqa",
    title="PubMedQA: yes, no or maybe from an abstract",
    tasks=("text_qa",),
    layout="ori_pqal.json, ori_pqaa.json, ori_pqau.json: one JSON object keyed by PMID; test_set.json after its split script",
    fields="QUESTION, CONTEXTS, LABELS, MESHES, YEAR, final_decision, LONG_ANSWER",
    forms=(("QUESTION", "CONTEXTS"),),
    licence="MIT",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Jin et al., PubMedQA, EMNLP 2019",
    splits={"train": ("train_set.json",), "validation": ("dev_set.json",), "test": ("test_set.json",)},
    counts="1,000 labelled, 211,269 artificial, 61,249 unlabelled",
    caution="ori_pqal.json holds the 500 test questions, too: name test_set.json under `curate.benchmarks`.",
    read=_read,
)
