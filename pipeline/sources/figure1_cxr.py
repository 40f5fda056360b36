"""The Figure 1 COVID-19 chest X-rays: one row of metadata a patient, one image a row, named by the patient's id."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.sources.base import Corpus, Draft, Record, dropped, exchange, kept, text, unparsed
from pipeline.sources.streams import csv_records
from pipeline.sources.templates import DESCRIBE, FINDING, VIEW

_IMAGE = {"modality": "cxr", "body_region": "Chest"}


def _read(path: Path) -> Iterator[Record]:
    for row, raw in csv_records(path):
        if raw is None:
            yield unparsed(row)
            continue
        name = text(raw, "patientid") or f"row-{row}"
        answers = ((VIEW, text(raw, "view")), (FINDING, text(raw, "finding")), (DESCRIBE, text(raw, "notes")))
        drafts = [_draft(question, answer, name) for question, answer in answers if answer]
        yield kept(raw, row, name, *drafts) if drafts else dropped(raw, row, name, "empty_answer", "no view, finding or notes")


def _draft(question: str, answer: str, name: str) -> Draft:
    return exchange("caption" if question == DESCRIBE else "vqa", question, answer, (name,), **_IMAGE)


FIGURE1_CXR = Corpus(
    name="figure1_cxr",
    title="Figure 1 COVID-19 chest X-ray set",
    tasks=("vqa", "caption"),
    layout="metadata.csv; images/<patientid>.jpg or .png",
    fields="patientid, offset, sex, age, finding, survival, temperature, pO2 saturation, view, modality, "
    "artifacts/distortion, notes",
    fingerprint=("patientid", "finding", "view"),
    licence="research-only",
    access="restricted",
    redistribution=False,
    derivatives=True,
    citation="Figure 1 COVID-19 Chest X-ray Dataset Initiative, 2020",
    counts="55 patients, 48 images",
    read=_read,
)
