"""Indiana University chest X-rays: the CSV form, Open-i's XML, and R2Gen's annotation.json. Out: reports and summaries.

One report, 0 to n images: in the CSV form indiana_projections.csv joins them by uid; in XML they are its `parentImage`; R2Gen has
two a report and a split of its own. The forms name the same images differently and do not join. A report whose images are missing
still teaches to sum findings up.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Record, dropped, images_of, text, unparsed
from pipeline.sources.containers import beside
from pipeline.sources.markup import files, is_xml, prose, tree
from pipeline.sources.reports import Report, report
from pipeline.sources.streams import SECTIONS, csv_records, is_sectioned, json_sections
from schemas.errors import InputError

_META = {"modality": "cxr", "body_region": "Chest"}
_SPLITS = {"test": "test", "val": "validation"}
#: A patient and a study, as MIMIC-CXR's paths name them: R2Gen's file for that corpus looks the same, and may go nowhere.
_MIMIC = re.compile(r"(^|/)p\d{8}/s\d{8}/")


def _read(path: Path) -> Iterator[Record]:
    if is_xml(path):
        return _read_xml(path)
    return _read_annotation(path) if is_sectioned(path) else _read_csv(path)


def _read_csv(path: Path) -> Iterator[Record]:
    images = _projections(beside(path, "indiana_projections.csv"))
    for row, raw in csv_records(path):
        if raw is None:
            yield unparsed(row)
            continue
        name = text(raw, "uid") or f"row-{row}"
        said = Report(findings=text(raw, "findings"), impression=text(raw, "impression"), images=images.get(name, ()), meta=_META)
        yield report(raw, row, name, said)


def _read_xml(path: Path) -> Iterator[Record]:
    for row, file in enumerate(files(path), 1):
        try:
            root = tree(file)
        except InputError as error:
            if file == path:
                raise
            # Relative, so that an exclusion tells no path of this machine.
            yield dropped(None, row, file.stem, "not_json", str(error).removeprefix(str(path)).lstrip("/:"))
            continue
        yield _citation(root, row, file.stem)


def _citation(root: Any, row: int, stem: str) -> Record:
    identity = next(root.iter("uId"), None)
    name = (identity.get("id") if identity is not None else None) or stem
    # An AbstractText may have no text at all.
    told = {(one.get("Label") or "").upper(): prose(one) for one in root.iter("AbstractText")}
    images = tuple(image.get("id") for image in root.iter("parentImage") if image.get("id"))
    raw = {"id": name, "images": list(images), **told}
    said = Report(findings=told.get("FINDINGS", ""), impression=told.get("IMPRESSION", ""), images=images, meta=_META)
    return report(raw, row, name, said)


def _read_annotation(path: Path) -> Iterator[Record]:
    for row, section, raw in json_sections(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        images = images_of(raw, "image_path")
        if any(_MIMIC.search(str(image)) for image in images):
            raise InputError(f"{path}: record {row} names images of MIMIC-CXR, which is credentialed. Name `corpus: mimic_cxr`.")
        said = Report(whole=text(raw, "report"), images=images, split=_SPLITS.get(section), meta=_META)
        yield report(raw, row, text(raw, "id") or f"row-{row}", said)


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
    title="Indiana University chest X-rays (Open-i)",
    tasks=("report", "summary"),
    layout="indiana_reports.csv and indiana_projections.csv with images_normalized/<filename>; ecgen-radiology/*.xml "
    "(folder or archive) with <parentImage id>.png; annotation.json with images/<id>/0.png",
    fields="uid, MeSH, Problems, image, indication, comparison, findings, impression; uid, filename, projection; "
    "eCitation: meta, uId, MedlineCitation (AbstractText), parentImage; id, report, image_path, split under train, val, test",
    fingerprint=("uid", "MeSH", "findings", "impression"),
    forms=(("eCitation",), (SECTIONS, "report", "image_path")),
    without=("subject_id", "study_id"),
    licence="CC-BY-NC-ND-4.0",
    access="open",
    redistribution=True,
    derivatives=False,
    citation="Demner-Fushman et al., JAMIA 2016",
    counts="CSV 3,851 reports, 7,466 images; XML 3,955 reports, 7,470 images; annotation.json 2,069 train, 296 val, 590 test",
    read=_read,
)
