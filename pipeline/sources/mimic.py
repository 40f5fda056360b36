"""MIMIC-CXR's reports with the images of MIMIC-CXR-JPG, and MIMIC-III's radiology notes. Both are credentialed (docs/access.md).

In: mimic_cxr_sectioned.csv, the folder or zip of report texts, or R2Gen's annotation.json; NOTEEVENTS.csv. Out: reports and
summaries. Splits are by patient: the split file must lie beside the reports, since without it nobody knows who is test. Every
record carries its patient as `group`. Lost, with a reason: studies that the split file does not know, notes that are not of
radiology or that were written in error, and reports without what there is to learn from.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.sources.archives import archive, is_archive
from pipeline.sources.base import Corpus, Record, dropped, images_of, kept, text, unparsed
from pipeline.sources.containers import beside, split
from pipeline.sources.repair import read_stray
from pipeline.sources.reports import Report, last_paragraph, report, sections, summary
from pipeline.sources.streams import SECTIONS, csv_records, is_sectioned, json_sections
from schemas.errors import InputError

#: Stands among the field names of a folder or archive of report texts.
REPORT_FILES = "(report files)"
_REPORT = re.compile(r"(?:^|/)p\d{8}/s\d{8}\.txt$")
_SPLIT_FILES = tuple(f"mimic-cxr-2.{minor}.0-split.csv{end}" for minor in (0, 1) for end in ("", ".gz"))
_SPLITS = {"test": "test", "validate": "validation", "val": "validation", "validation": "validation"}
_META = {"modality": "cxr", "body_region": "Chest"}
_FINDINGS, _IMPRESSION = ("FINDINGS", "FINDINGS AND IMPRESSION"), ("IMPRESSION", "CONCLUSION")
#: What a description such as `CT HEAD W/O CONTRAST` begins with or says.
_DESCRIBED = (
    (r"\bCTA?\b", "ct"), (r"\bMR[AI]?\b", "mri"), (r"ULTRASOUND|\bUS\b|DUPLEX", "us"), (r"^(?:PORTABLE )?CHEST\b|CXR", "cxr"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Study:
    subject: str
    split: str | None
    images: tuple[str, ...]


def report_fields(path: Path) -> set[str]:
    """The mark of a folder or archive of MIMIC-CXR's report texts, else nothing."""
    if path.is_dir():
        found = any(_REPORT.search(one.as_posix()) for one in path.rglob("s*.txt"))
    else:
        found = split(path)[1] is None and is_archive(path) and any(map(_REPORT.search, archive(path).names()))
    return {REPORT_FILES, "study", "text"} if found else set()


def _read_cxr(path: Path) -> Iterator[Record]:
    if report_fields(path):
        return _reports(path)
    return _annotated(path) if is_sectioned(path) else _sectioned(path)


def _sectioned(path: Path) -> Iterator[Record]:
    studies = _studies(path)
    for row, raw in csv_records(path):
        if raw is None:
            yield unparsed(row)
            continue
        findings, impression = text(raw, "findings"), text(raw, "impression")
        whole = "" if findings or impression else text(raw, "last_paragraph")
        said = Report(findings=findings, impression=impression, whole=whole)
        yield _of_study(raw, row, text(raw, "study"), said, studies)


def _reports(path: Path) -> Iterator[Record]:
    studies = _studies(path)
    for row, (name, data) in enumerate(_texts(path), 1):
        words = read_stray(data.decode("utf-8", "surrogateescape"))
        told = sections(words)
        findings, impression = _named(told, _FINDINGS), _named(told, _IMPRESSION)
        whole = "" if findings or impression else last_paragraph(words)
        said = Report(findings=findings, impression=impression, whole=whole)
        yield _of_study({"file": name, "text": words}, row, Path(name).stem, said, studies)


def _texts(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each report, in the order of their names."""
    if path.is_dir():
        for file in sorted(one for one in path.rglob("s*.txt") if _REPORT.search(one.as_posix())):
            yield file.relative_to(path).as_posix(), file.read_bytes()
        return
    box = archive(path)
    for name in sorted(filter(_REPORT.search, box.names())):
        try:
            yield name, box.read(name)
        except OSError as error:
            raise InputError(f"{path}: {name} cannot be read: {error}. Download it again.") from None


def _of_study(raw: object, row: int, told: str, said: Report, studies: dict[str, _Study]) -> Record:
    number = told.removeprefix("s")
    study = studies.get(number)
    if study is None:
        why = f"study {number} is not in the split file" if number else "no study"
        return dropped(raw, row, told or f"row-{row}", "missing_field", why)
    meta = {**_META, "group": f"mimic_cxr:{study.subject}"}
    full = Report(
        findings=said.findings, impression=said.impression, whole=said.whole, images=study.images, split=study.split, meta=meta
    )
    return report(raw, row, f"s{number}", full)


def _studies(path: Path) -> dict[str, _Study]:
    """Study to patient, split and images, from the split file beside the reports. About 100 MB for all 227,827."""
    file = next((found for name in _SPLIT_FILES if (found := beside(path, name))), None)
    if file is None:
        raise InputError(
            f"{path}: {_SPLIT_FILES[1]} (of MIMIC-CXR-JPG) is not beside it. Without it nobody knows which patients are test; "
            "put it there."
        )
    studies: dict[str, _Study] = {}
    for row, raw in csv_records(file):
        if raw is None:
            raise InputError(f"{file}: row {row} has not as many cells as the header. Download it again.")
        subject, number, image = text(raw, "subject_id"), text(raw, "study_id"), text(raw, "dicom_id")
        if not (subject and number and image and text(raw, "split")):
            raise InputError(f"{file}: row {row} lacks dicom_id, study_id, subject_id or split. Download it again.")
        known = studies.get(number, _Study(subject, _SPLITS.get(text(raw, "split").lower()), ()))
        name = f"files/p{subject[:2]}/p{subject}/s{number}/{image}.jpg"
        studies[number] = _Study(known.subject, known.split, (*known.images, name))
    return studies


def _annotated(path: Path) -> Iterator[Record]:
    for row, section, raw in json_sections(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        subject, name = text(raw, "subject_id"), text(raw, "id") or f"row-{row}"
        if not subject:
            yield dropped(raw, row, name, "missing_field", "no subject_id")
            continue
        meta = {**_META, "group": f"mimic_cxr:{subject}"}
        images = images_of(raw, "image_path")
        yield report(raw, row, name, Report(whole=text(raw, "report"), images=images, split=_SPLITS.get(section), meta=meta))


def _named(told: list[tuple[str, str]], headings: tuple[str, ...]) -> str:
    """The first text under one of the headings: what an addendum says under the same one comes later."""
    return next((words for heading, words in told if heading in headings and words), "")


def _read_notes(path: Path) -> Iterator[Record]:
    for row, raw in csv_records(path):
        yield unparsed(row) if raw is None else _note(raw, row)


def _note(raw: dict[str, Any], row: int) -> Record:
    name, subject = text(raw, "ROW_ID") or f"row-{row}", text(raw, "SUBJECT_ID")
    if text(raw, "CATEGORY").lower() != "radiology":
        return dropped(raw, row, name, "other_subject", f"a note of {text(raw, 'CATEGORY') or 'no category'}")
    if text(raw, "ISERROR") in ("1", "1.0"):
        return dropped(raw, row, name, "withdrawn", "the hospital marks it as written in error")
    if not subject:
        return dropped(raw, row, name, "missing_field", "no SUBJECT_ID")
    told = sections(text(raw, "TEXT"))
    impressions = [words for heading, words in told if heading in _IMPRESSION]
    findings = _named(told, _FINDINGS[:1])
    if len(impressions) != 1 or not impressions[0]:
        return dropped(raw, row, name, "empty_answer", f"{len(impressions)} impressions, expected one with words")
    if not findings:
        return dropped(raw, row, name, "empty_question", "no findings")
    described = text(raw, "DESCRIPTION").upper()
    modality = next((kind for pattern, kind in _DESCRIBED if re.search(pattern, described)), "")
    return kept(raw, row, name, summary(findings, impressions[0], {"modality": modality, "group": f"mimic_iii:{subject}"}))


MIMIC_CXR = Corpus(
    name="mimic_cxr",
    title="MIMIC-CXR: chest X-rays (JPG) and their reports",
    tasks=("report", "summary"),
    layout="mimic_cxr_sectioned.csv, mimic-cxr-reports.zip or its files/ folder, beside mimic-cxr-2.0.0-split.csv.gz; images: "
    "the folder that holds files/p10/p10000032/…; R2Gen's annotation.json",
    fields="study, findings, impression, last_paragraph, comparison; dicom_id, study_id, subject_id, split; texts with headings",
    fingerprint=("study", "findings", "impression", "last_paragraph"),
    forms=((REPORT_FILES, "study", "text"), (SECTIONS, "report", "image_path", "subject_id")),
    beside=_SPLIT_FILES,
    licence="PhysioNet-Credentialed-1.5.0",
    access="credentialed",
    redistribution=False,
    derivatives=False,
    citation="Johnson et al., MIMIC-CXR, Scientific Data 2019; MIMIC-CXR-JPG, 2019",
    counts="227,835 studies, 377,110 images; test 5,159 images",
    read=_read_cxr,
)

MIMIC_III = Corpus(
    name="mimic_iii",
    title="MIMIC-III: radiology notes, findings to impression",
    tasks=("summary",),
    layout="NOTEEVENTS.csv or NOTEEVENTS.csv.gz; notes of other categories are left out",
    fields="ROW_ID, SUBJECT_ID, CATEGORY, DESCRIPTION, ISERROR, TEXT, …",
    fingerprint=("ROW_ID", "SUBJECT_ID", "CATEGORY", "TEXT"),
    licence="PhysioNet-Credentialed-1.5.0",
    access="credentialed",
    redistribution=False,
    derivatives=False,
    citation="Johnson et al., MIMIC-III, Scientific Data 2016",
    counts="a published test split names 13,054 notes",
    read=_read_notes,
)
