"""Doctor and patient: ChatDoctor's files (HealthCareMagic, iCliniq, GenMedGPT, any Alpaca form) and MTS-Dialog."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Reader, Record, dropped, exchange, fault_of, kept, text, unparsed
from pipeline.sources.streams import csv_records, json_records
from pipeline.sources.templates import NOTE

#: Constant in ChatDoctor's files; it says nothing that the question does not.
_BOILERPLATE = re.compile(
    r"^If you are a doctor, please answer the medical questions based on the patient's description\.?$", re.I
)
_ICLINIQ = ("answer_icliniq", "answer_chatdoctor", "answer_chatgpt")


def _read_chats(path: Path) -> Iterator[Record]:
    for row, raw in json_records(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        name = text(raw, "id") or str(row)
        question, answer = _question(raw), _answer(raw)
        fault = fault_of(question, answer)
        yield dropped(raw, row, name, fault) if fault else kept(raw, row, name, exchange("text_qa", question, answer))


def _question(raw: dict[str, Any]) -> str:
    instruction, given = text(raw, "instruction"), text(raw, "input")
    if _BOILERPLATE.match(instruction):
        instruction = ""
    return "\n".join(part for part in (instruction, given) if part)


def _answer(raw: dict[str, Any]) -> str:
    # The human doctor's answer first; the machine-made ones only where there is no other.
    return text(raw, "output") or next((text(raw, key) for key in _ICLINIQ if text(raw, key)), "")


def _read_mts(path: Path) -> Iterator[Record]:
    for row, raw in csv_records(path):
        if raw is None:
            yield unparsed(row)
            continue
        name = text(raw, "ID") or f"row-{row}"
        lines = [line.strip() for line in text(raw, "dialogue").replace("\r", "\n").split("\n")]
        dialogue, note = "\n".join(line for line in lines if line), " ".join(text(raw, "section_text").split())
        fault = fault_of(dialogue, note)
        draft = exchange("summary", f"{NOTE}\n{dialogue}", note, question_type=text(raw, "section_header"))
        yield dropped(raw, row, name, fault) if fault else kept(raw, row, name, draft)


def _chat(name: str, title: str, counts: str, read: Reader = _read_chats) -> Corpus:
    return Corpus(
        name=name,
        title=title,
        tasks=("text_qa",),
        layout="one JSON array",
        fields="input, answer_icliniq, answer_chatgpt, answer_chatdoctor" if name == "icliniq" else "instruction, input, output",
        fingerprint=("input", "answer_icliniq") if name == "icliniq" else ("instruction", "input", "output"),
        licence="unknown" if name == "alpaca" else "Apache-2.0",
        access="open",
        redistribution=name != "alpaca",
        derivatives=True,
        citation="as the file's owner says" if name == "alpaca" else "Li et al., ChatDoctor, Cureus 2023",
        counts=counts,
        read=read,
    )


HEALTHCAREMAGIC = _chat("healthcaremagic", "HealthCareMagic-100k: patients' questions, doctors' answers", "about 112,165 records")
ICLINIQ = _chat("icliniq", "iCliniq: patients' questions with three answers", "about 7,300 records")
GENMEDGPT = _chat("genmedgpt", "GenMedGPT-5k: synthetic consultations", "5,452 records")
ALPACA = _chat("alpaca", "Any file in Alpaca's form", "")

MTS_DIALOG = Corpus(
    name="mts_dialog",
    title="MTS-Dialog: conversations with the note's section",
    tasks=("summary",),
    layout="MTS-Dialog-TrainingSet.csv, MTS-Dialog-ValidationSet.csv, test sets",
    fields="ID, section_header, section_text, dialogue",
    fingerprint=("ID", "section_header", "section_text", "dialogue"),
    licence="CC-BY-4.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Ben Abacha et al., EACL 2023",
    splits={"train": "MTS-Dialog-TrainingSet.csv", "validation": "MTS-Dialog-ValidationSet.csv"},
    counts="1,201 training, 100 validation, 2 x 200 test",
    read=_read_mts,
)
