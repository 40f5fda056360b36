"""MedQuAD: a folder of XML pages of the NIH's sites, one page a file, questions with answers in each; or one page.

Two thirds of the answers are empty, because their owners withdrew them: each is left out with its reason. Ids occur in several
folders, so the folder is part of the name. A page that is no XML is one record that cannot be parsed.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Record, dropped, exchange, fault_of, kept
from pipeline.sources.markup import files, prose, tree
from schemas.errors import InputError


def _read(path: Path) -> Iterator[Record]:
    row = 0
    for file in files(path):
        try:
            root = tree(file)
        except InputError as error:
            if file == path:
                raise
            row += 1
            # Relative, so that an exclusion tells no path of this machine.
            detail = str(error).removeprefix(str(path)).lstrip("/:")
            yield dropped(None, row, f"{file.parent.name}/{file.stem}", "not_json", detail)
            continue
        for number, pair in enumerate(_pairs(root), 1):
            row += 1
            yield _record(pair, row, f"{file.parent.name}/", f"{file.stem}-{number}")


def _pairs(root: Any) -> list[Any]:
    # Four of the 11,274 files spell the elements `pair`, `question` and `answer`.
    return [one for one in root.iter() if one.tag in ("QAPair", "pair")]


def _record(pair: Any, row: int, folder: str, place: str) -> Record:
    parts: Mapping[str, Any] = {child.tag.lower(): child for child in pair}
    asked, answered = parts.get("question"), parts.get("answer")
    name = folder + ((asked.get("qid") if asked is not None else None) or place)
    question, answer, kind = prose(asked), prose(answered), (asked.get("qtype") or "") if asked is not None else ""
    raw = {"id": name, "question": question, "answer": answer, "qtype": kind}
    fault = fault_of(question, answer)
    if fault:
        return dropped(raw, row, name, fault, "the owner has withdrawn the answer" if fault == "empty_answer" else "")
    return kept(raw, row, name, exchange("text_qa", question, answer, question_type=kind))


MEDQUAD = Corpus(
    name="medquad",
    title="MedQuAD: questions and answers from the NIH's websites",
    tasks=("text_qa",),
    layout="MedQuAD with 1_CancerGov_QA/*.xml to 12_MPlusHerbsSupplements_QA/*.xml: the folder, its zip, or a part",
    fields="Document: Focus, QAPairs/QAPair: Question (qid, qtype), Answer; in 4 files doc: qaPairs/pair: question, answer",
    fingerprint=("QAPairs",),
    forms=(("doc", "qaPairs"), ("DiseaseFile",)),
    licence="CC-BY-4.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Ben Abacha and Demner-Fushman, BMC Bioinformatics 2019",
    counts="11,274 files, 47,457 questions; 31,034 answers are empty, about 16,400 usable",
    read=_read,
)
