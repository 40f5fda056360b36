"""Indiana University chest X-rays, the CSV form: one report, 0 to n images that indiana_projections.csv joins by uid.

With images the report is written from them; a report whose images are missing still teaches to sum findings up.
"""

from collections.abc import Iterator
from pathlib import Path

from pipeline.sources.base import Corpus, Draft, Record, dropped, exchange, kept, text, unparsed
from pipeline.sources.containers import beside
from pipeline.sources.streams import csv_records
from pipeline.sources.templates import IMPRESSION, REPORT


def _read(path: Path) -> Iterator[Record]:
    images = _projections(beside(path, "indiana_projections.csv"))
    for row, raw in csv_records(path):
        if raw is None:
            yield unparsed(row)
            continue
        name = text(raw, "uid") or f"row-{row}"
        findings, impression = text(raw, "findings"), text(raw, "impression")
        if not findings and not impression:
            yield dropped(raw, row, name, "empty_answer", "neither findings nor impression")
            continue
        found = images.get(name, ())
        meta = {"modality": "cxr", "body_region": "Chest"}
        if found:
            report = "\n".join(f"{head}: {body}" for head, body in (("Findings", findings), ("Impression", impression)) if body)
            yield kept(raw, row, name, exchange("report", REPORT, report, found, **meta))
        elif findings and impression:
            yield kept(raw, row, name, _summary(findings, impression))
        else:
            yield dropped(raw, row, name, "empty_answer", "no images, and not both findings and impression")


def text_only(draft: Draft) -> Draft | None:
    """What is left of a report whose images are not there: findings to impression, when it has both."""
    report = draft.turns[-1][1]
    findings, mark, impression = report.partition("\nImpression: ")
    return _summary(findings.removeprefix("Findings: "), impression) if mark and findings.startswith("Findings: ") else None


def _summary(findings: str, impression: str) -> Draft:
    return exchange("summary", f"{IMPRESSION}\nFindings: {findings}", impression, modality="cxr", body_region="Chest")


def _projections(path: Path | None) -> dict[str, tuple[str, ...]]:
    if path is None:
        return {}
    images: dict[str, tuple[str, ...]] = {}
    for _, raw in csv_records(path):
        if raw is not None and text(raw, "filename"):
            images[text(raw, "uid")] = (*images.get(text(raw, "uid"), ()), text(raw, "filename"))
    return images


IU_XRAY = Corpus(
    name="iu_xray",
    title="Indiana University chest X-rays (Open-i), CSV form",
    tasks=("report", "summary"),
    layout="indiana_reports.csv and indiana_projections.csv side by side; images_normalized/<filename>",
    fields="uid, MeSH, Problems, image, indication, comparison, findings, impression; uid, filename, projection",
    fingerprint=("uid", "MeSH", "findings", "impression"),
    licence="CC-BY-NC-ND-4.0",
    access="open",
    redistribution=True,
    derivatives=False,
    citation="Demner-Fushman et al., JAMIA 2016",
    counts="3,851 reports, 7,466 images",
    read=_read,
)
