"""Medical Meadow's sets in Alpaca's form: flashcards, WikiDoc, MEDIQA and the rest, each one JSON array, to `text_qa` drafts.

The set made of MMLU's test questions is held out, whatever the config calls it. Flashcards without a side fall.
"""

from collections.abc import Iterator
from pathlib import Path

from pipeline.sources.base import Corpus, Record, dropped, exchange, fault_of, kept, split_of, text, unparsed
from pipeline.sources.streams import json_records

#: Constant in the files; it says nothing that the question does not.
_BOILERPLATE = "answer this question truthfully"


def _read(path: Path) -> Iterator[Record]:
    split = "test" if "mmlu" in path.stem.lower() else split_of(path)
    for row, raw in json_records(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        name = text(raw, "id") or str(row)
        instruction, given, answer = text(raw, "instruction"), text(raw, "input"), text(raw, "output")
        bare = instruction.rstrip(".").lower() == _BOILERPLATE
        question = "\n".join(part for part in ("" if bare else instruction, given) if part)
        fault = fault_of(question, answer)
        if fault:
            yield dropped(raw, row, name, fault)
        else:
            yield kept(raw, row, name, exchange("text_qa", question, answer), split=split)


MEDICAL_MEADOW = Corpus(
    name="medical_meadow",
    title="Medical Meadow: flashcards, WikiDoc, MEDIQA and other sets in Alpaca's form",
    tasks=("text_qa",),
    layout="medical_meadow_<set>.json: one JSON array; known by the file's name",
    fields="instruction, input, output",
    fingerprint=("instruction", "input", "output"),
    # Each set has its own, and the repository's GPL is the code's.
    licence="unknown",
    access="open",
    redistribution=False,
    derivatives=True,
    citation="Han et al., MedAlpaca, 2023",
    counts="33,955 flashcards, 67,704 WikiDoc, 5,942 WikiDoc for patients, 2,208 MEDIQA, 10,178 MedQA, 3,787 MMLU (test)",
    read=_read,
)
