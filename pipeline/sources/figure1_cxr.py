"""The Figure 1 COVID-19 chest X-rays: one row of metadata an image, the image named by the patient's id.

Out: up to two questions an image, on the view and on the recorded finding. Left out: `notes`, which tell the patient's history
and give the label away ("labeled covid19") but do not describe the image, and the patient's sex and age.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.sources.base import Corpus, Draft, Raw, Record, dropped, exchange, kept, records, text
from pipeline.sources.streams import csv_records
from pipeline.sources.templates import FINDING, VIEW

_MODALITY = {"x-ray": "cxr", "ct": "ct"}


def _read(path: Path) -> Iterator[Record]:
    return records(csv_records(path), "patientid", ("patientid", "finding", "view"), _outcome)


def _outcome(raw: Raw, row: int, name: str) -> Record:
    answers = ((VIEW, "Plane", text(raw, "view")), (FINDING, "Abnormality", text(raw, "finding")))
    drafts = [_draft(raw, name, *asked) for asked in answers if asked[-1]]
    return kept(raw, row, name, *drafts) if drafts else dropped(raw, row, name, "empty_answer", "neither view nor finding")


def _draft(raw: Raw, name: str, question: str, kind: str, answer: str) -> Draft:
    modality = _MODALITY.get(text(raw, "modality").lower(), "")
    draft = exchange("vqa", question, answer, (name,), modality=modality, body_region="Chest", question_type=kind)
    # The question is ours and about nothing but the image.
    return replace(draft, fallback=None)


FIGURE1_CXR = Corpus(
    name="figure1_cxr",
    title="Figure 1 COVID-19 chest X-ray set",
    tasks=("vqa",),
    layout="metadata.csv; images/<patientid>.jpg or .png",
    fields="patientid, offset, sex, age, finding, survival, temperature, pO2 saturation, view, modality, notes",
    forms=(("patientid", "finding", "view"),),
    licence="research-only",
    access="restricted",
    redistribution=False,
    derivatives=True,
    citation="Figure 1 COVID-19 Chest X-ray Dataset Initiative, 2020",
    image_folders=("images",),
    counts="55 rows, 48 images",
    caution="Finding labels come from the patient's record, not from a reading of the image.",
    read=_read,
)
