"""PubMedQA: questions on abstracts. LONG_ANSWER is the abstract's conclusion: it is the answer, never the prompt.

All three sets in both forms: the owners' object keyed by PMID, and Hugging Face's records. What `test_ground_truth.json` beside
the file lists is test: Hugging Face's labelled set and `ori_pqal.json` hold those 500 among the others.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Record, dropped, exchange, fault_of, kept, split_of, text, unparsed
from pipeline.sources.containers import beside
from pipeline.sources.parquet import PARQUET
from pipeline.sources.streams import json_items, json_records, sniff

_GROUND_TRUTH = "test_ground_truth.json"
_HOSTED = ("pubid", "question", "context", "long_answer")


def _read(path: Path) -> Iterator[Record]:
    split, tested = split_of(path), _tested(beside(path, _GROUND_TRUTH))
    for row, name, raw in _items(path):
        if raw is None:
            yield unparsed(row)
        elif not isinstance(raw, dict) or not {"QUESTION", "question"} & set(raw):
            yield dropped(raw, row, name, "missing_field", "no QUESTION")
        else:
            yield _record(raw, row, name, "test" if name in tested else split)


def _record(raw: dict[str, Any], row: int, name: str, split: str | None) -> Record:
    question, conclusion = (text(raw, key) or text(raw, key.lower()) for key in ("QUESTION", "LONG_ANSWER"))
    decision = text(raw, "final_decision").lower()
    answer = f"{decision.capitalize()}. {conclusion}".strip() if decision else conclusion
    fault = fault_of(question, answer)
    if fault:
        return dropped(raw, row, name, fault)
    prompt = "\n".join([*_contexts(raw), question])
    return kept(raw, row, name, exchange("text_qa", prompt, answer, answer_type="CLOSED" if decision else ""), split=split)


def _items(path: Path) -> Iterator[tuple[int, str, Any]]:
    if sniff(path) == "json_dict":
        yield from json_items(path)
        return
    for row, raw in json_records(path):
        yield (row, text(raw, "pubid") or f"row-{row}", raw) if isinstance(raw, dict) else (row, "", None)


def _contexts(raw: dict[str, Any]) -> list[str]:
    given = raw.get("CONTEXTS") or raw.get("context") or ()
    parts = given.get("contexts") or () if isinstance(given, dict) else given
    texts = [str(part).strip() for part in ((parts,) if isinstance(parts, str) else parts)]
    return [part for part in texts if part]


def _tested(path: Path | None) -> frozenset[str]:
    return frozenset(key for _, key, _ in json_items(path)) if path else frozenset()


PUBMEDQA = Corpus(
    name="pubmedqa",
    title="PubMedQA: yes, no or maybe from an abstract",
    tasks=("text_qa",),
    layout="ori_pqal.json, ori_pqaa.json, ori_pqau.json: one JSON object keyed by PMID; or Hugging Face's records",
    fields="QUESTION, CONTEXTS, LABELS, MESHES, YEAR, final_decision, LONG_ANSWER, "
    "reasoning_required_pred, reasoning_free_pred; pubid, question, context, long_answer",
    fingerprint=("QUESTION", "CONTEXTS"),
    forms=(_HOSTED, (*_HOSTED, PARQUET)),
    licence="MIT",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Jin et al., PubMedQA, EMNLP 2019",
    beside=(_GROUND_TRUTH,),
    splits={"validation": "pqaa_dev_set.json", "test": "test_set.json"},
    counts="1,000 labelled, of which 500 are test; 211,269 artificial, yes or no only; 61,249 unlabelled, without a decision",
    read=_read,
)
