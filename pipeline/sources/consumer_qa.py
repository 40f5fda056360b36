"""Consumers' questions with experts' answers: MedicationQA, from a CSV export of its spreadsheet, and LiveQA-Med's XML.

LiveQA is a benchmark and always test; each of a question's one to four reference answers is a draft of its own.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Record, dropped, exchange, fault_of, kept, text, unparsed
from pipeline.sources.markup import prose, tree
from pipeline.sources.streams import csv_records


def _read_medications(path: Path) -> Iterator[Record]:
    for row, raw in csv_records(path):
        if raw is None:
            yield unparsed(row)
            continue
        question, answer, name = text(raw, "Question"), text(raw, "Answer"), f"row-{row}"
        fault = fault_of(question, answer)
        if fault:
            yield dropped(raw, row, name, fault)
        else:
            yield kept(raw, row, name, exchange("text_qa", question, answer, question_type=text(raw, "Question Type")))


def _read_liveqa(path: Path) -> Iterator[Record]:
    for row, asked in enumerate(tree(path).iter("NLM-QUESTION"), 1):
        name = asked.get("qid") or f"row-{row}"
        question = _question(asked)
        answers = [answer for one in asked.iter("ReferenceAnswer", "RefAnswer") if (answer := prose(one.find("ANSWER")))]
        raw = {"qid": name, "question": question, "answers": answers}
        fault = fault_of(question, "".join(answers))
        if fault:
            yield dropped(raw, row, name, fault)
            continue
        yield kept(raw, row, name, *(exchange("text_qa", question, answer) for answer in answers), split="test")


def _question(asked: Any) -> str:
    """The consumer's own words, with the subject; where there are none, the expert's wording."""
    words = [prose(asked.find(f"Original-Question/{part}")) for part in ("SUBJECT", "MESSAGE")]
    own = "\n".join(word for word in words if word)
    return own or prose(asked.find("NIST-PARAPHRASE")) or prose(asked.find("NLM-Summary"))


MEDICATION_QA = Corpus(
    name="medication_qa",
    title="MedicationQA: consumers' questions about medicines",
    tasks=("text_qa",),
    layout="MedInfo2019-QA-Medications.xlsx is not read: save its sheet DrugQA as CSV in UTF-8 and name that file",
    fields="Question, Focus (Drug), Question Type, Answer, Section Title, URL",
    fingerprint=("Question", "Focus (Drug)", "Answer"),
    licence="unknown",
    access="open",
    redistribution=False,
    derivatives=True,
    citation="Ben Abacha et al., MedInfo 2019",
    counts="690 rows",
    read=_read_medications,
)

LIVEQA = Corpus(
    name="liveqa",
    title="LiveQA-Med, TREC 2017: consumers' questions to the NLM; always test",
    tasks=("text_qa",),
    layout="TestDataset/TREC-2017-LiveQA-Medical-Test.xml, or the form -Test-Questions-w-summaries.xml",
    fields="LiveQA2017-Medical-Test-Set-Full/NLM-QUESTION: Original-Question (SUBJECT, MESSAGE), "
    "NIST-PARAPHRASE, ReferenceAnswers/ReferenceAnswer/ANSWER",
    fingerprint=("NLM-QUESTION",),
    licence="unknown",
    access="open",
    redistribution=False,
    derivatives=True,
    citation="Ben Abacha et al., TREC 2017",
    splits={"test": "TREC-2017-LiveQA-Medical-Test.xml"},
    counts="104 questions, 167 answers",
    read=_read_liveqa,
)
