"""Indiana University chest X-rays, the CSV form: one report, 0 to n images that indiana_projections.csv joins by uid.

With images the report is written from them; a report whose images are missing still teaches to sum findings up, when it has
both parts. `XXXX` redactions stay here; curation sees to them. Cost: the 7,466 rows of projections are held in memory.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.sources.base import Corpus, Draft, Raw, Record, dropped, exchange, kept, records, text
from pipeline.sources.streams import csv_records
from pipeline.sources.templates import IMPRESSION, REPORT

_PROJECTIONS = "indiana_projections.csv"


def _read(path: Path) -> Iterator[Record]:
    images = _projections(path.with_name(_PROJECTIONS))
    return records(csv_records(path), "uid", ("uid", "findings", "impression"), partial(_outcome, images))


def _outcome(images: dict[str, tuple[str, ...]], raw: Raw, row: int, name: str) -> Record:
    findings, impression = text(raw, "findings"), text(raw, "impression")
    report = "\n".join(f"{head}: {body}" for head, body in (("Findings", findings), ("Impression", impression)) if body)
    if not report:
        return dropped(raw, row, name, "empty_answer", "neither findings nor impression")
    summary = _summary(findings, impression) if findings and impression else None
    found = images.get(name, ())
    if found:
        draft = exchange("report", REPORT, report, found, modality="cxr", body_region="Chest")
        return kept(raw, row, name, replace(draft, fallback=summary))
    if summary is None:
        return dropped(raw, row, name, "missing_image", f"{_PROJECTIONS} names no image, and only one part is written")
    return kept(raw, row, name, summary)


def _summary(findings: str, impression: str) -> Draft:
    return exchange("summary", f"{IMPRESSION}\nFindings: {findings}", impression, modality="cxr", body_region="Chest")


def _projections(path: Path) -> dict[str, tuple[str, ...]]:
    images: dict[str, tuple[str, ...]] = {}
    if path.exists():
        for _, raw in csv_records(path):
            if isinstance(raw, dict) and text(raw, "filename"):
                uid = text(raw, "uid")
                images[uid] = (*images.get(uid, ()), text(raw, "filename"))
    return images


IU_XRAY = Corpus(
    name="iu_xray",
    title="Indiana University chest X-rays (Open-i), CSV form",
    tasks=("report", "summary"),
    layout="indiana_reports.csv and indiana_projections.csv side by side; images/images_normalized/<filename>",
    fields="uid, MeSH, Problems, image, indication, comparison, findings, impression; uid, filename, projection",
    forms=(("uid", "MeSH", "findings", "impression"),),
    licence="CC-BY-NC-ND-4.0",
    access="open",
    redistribution=True,
    derivatives=False,
    citation="Demner-Fushman et al., JAMIA 2016",
    image_folders=("images/images_normalized", "images_normalized", "images"),
    companions=(_PROJECTIONS,),
    counts="3,851 reports, 7,466 images",
    caution="The licence forbids derivatives: translations of it may not be passed on. There is no official split.",
    read=_read,
)
