"""OmniMedVQA: multiple choice about images of 73 data sets, two to four options. A benchmark: every record is test.

Of the restricted part the publisher gives the questions only; its images are their owners', so its records fall. Which option is
right is told by its text.
"""

from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase

from pipeline.sources.base import Corpus, Record, dropped, text, unparsed
from pipeline.sources.choices import Asked, choice, options_of
from pipeline.sources.streams import json_records

_MODALITY = {
    "ct": "ct", "mr": "mri", "mri": "mri", "x-ray": "xray", "ultrasound": "us", "fundus": "fundus", "histopathology": "histology",
}  # fmt: skip


def _read(path: Path) -> Iterator[Record]:
    restricted = any(part.lower().startswith("restricted") for part in path.parts)
    for row, raw in json_records(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        name = text(raw, "question_id") or f"row-{row}"
        if restricted:
            yield dropped(raw, row, name, "licence_forbids", "of the restricted part, whose images are their owners'")
            continue
        if not text(raw, "image_path"):
            yield dropped(raw, row, name, "missing_field", "no image_path")
            continue
        given = {letter: text(raw, f"option_{letter}") for letter in ascii_uppercase[:6]}
        asked = Asked(
            question=text(raw, "question"),
            options=options_of({letter: option for letter, option in given.items() if option}),
            answer=text(raw, "gt_answer"),
            topic=text(raw, "question_type"),
            image=text(raw, "image_path"),
            modality=_modality(text(raw, "modality_type").lower()),
        )
        yield choice(raw, row, name, asked, "test")


def _modality(told: str) -> str:
    """`CT(Computed Tomography)`, `MR (Mag-netic Resonance Imaging)`, `X-Ray`: the words before the bracket decide."""
    words = told.replace("(", " ").split()
    return next((_MODALITY[word] for word in words if word in _MODALITY), "")


OMNIMEDVQA = Corpus(
    name="omnimedvqa",
    title="OmniMedVQA: a benchmark of multiple choice about images of 73 data sets",
    tasks=("mcq",),
    layout="OmniMedVQA/QA_information/Open-access/<Dataset>.json with OmniMedVQA/Images/; Restricted-access/ has no images",
    fields="question_id, question, image_path, option_A, option_B, option_C, option_D (two at least), gt_answer, "
    "dataset, question_type, modality_type",
    fingerprint=("gt_answer", "option_A"),
    # Each of the 73 has its own.
    licence="unknown",
    access="open",
    redistribution=False,
    derivatives=True,
    citation="Hu et al., OmniMedVQA, CVPR 2024",
    counts="127,995 questions about 118,010 images; about 88,996 of the open part",
    read=_read,
)
