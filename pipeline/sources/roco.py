"""ROCO and ROCOv2: figures of articles with their captions. In: tab-separated text, CSV or Parquet; out: captions.

ROCO's captions.txt has no header and a space before each caption; licences.txt beside it (CSV, with a header) tells the licence
of each image. ROCOv2's CSV has concepts in a file of its own; six of them name the modality.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.sources.base import Corpus, Record, dropped, images_of, split_of, text, unparsed
from pipeline.sources.containers import beside, split
from pipeline.sources.parquet import PARQUET
from pipeline.sources.streams import csv_records, json_records, sniff, text_lines
from pipeline.sources.visual import Seen, seen

#: Stands among the field names of ROCO's captions, which have none.
ROCO_LINES = "(roco)"
_LINE = re.compile(r"ROCO_\d+\t")
_FOLDERS = {"test": "test", "validation": "validation", "val": "validation"}
_MODALITY = {
    "C0040405": "ct", "C0024485": "mri", "C0041618": "us", "C1306645": "xray", "C0002978": "other", "C0032743": "other",
}  # fmt: skip


def roco_fields(path: Path) -> set[str]:
    """The fields of ROCO's captions.txt, or of the folder that holds it beside dlinks.txt; else nothing."""
    if path.is_dir():
        return {ROCO_LINES, "id", "caption"} if all((path / name).is_file() for name in ("captions.txt", "dlinks.txt")) else set()
    first = next((line for _, line in text_lines(path)), "") if sniff(path) == "csv" else ""
    return {ROCO_LINES, "id", "caption"} if _LINE.match(first) else set()


def _read_roco(path: Path) -> Iterator[Record]:
    path = path / "captions.txt" if path.is_dir() else path
    held_out = next((_FOLDERS[part] for part in reversed(_folders(path)) if part in _FOLDERS), None)
    rights = _rights(beside(path, "licences.txt"))
    for row, line in text_lines(path):
        name, mark, caption = (part.strip() if part != "\t" else part for part in line.partition("\t"))
        if not mark or not name:
            yield dropped(line, row, name or f"row-{row}", "not_json", "not an id, a tab and a caption")
            continue
        meta = {"image_licence": rights.get(name, "")}
        yield seen(line, row, name, Seen(images=(name,), answer=caption, task="caption", split=held_out, meta=meta))


def _folders(path: Path) -> tuple[str, ...]:
    """`test`, `radiology` of .../test/radiology/captions.txt, in an archive too."""
    outer, inner = split(path)
    return (Path(inner) if inner is not None else outer).parent.parts[-2:]


def _rights(path: Path | None) -> dict[str, str]:
    rows = csv_records(path) if path is not None else iter(())
    return {text(raw, "ROCO_ID"): text(raw, "CC") for _, raw in rows if raw is not None}


def _read_rocov2(path: Path) -> Iterator[Record]:
    hosted, held_out = sniff(path) == "parquet", split_of(path)
    concepts = {} if hosted else _concepts(beside(path, path.name.replace("captions", "concepts")), path)
    for row, raw in json_records(path) if hosted else csv_records(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        name = text(raw, "image_id") or text(raw, "ID")
        caption = text(raw, "caption") or text(raw, "Caption")
        cuis = raw["cui"] if isinstance(raw.get("cui"), list) else concepts.get(name, [])
        images = images_of(raw, "image") if hosted else (name,) if name else ()
        modality = next((_MODALITY[cui] for cui in cuis if cui in _MODALITY), "")
        said = Seen(images=images, answer=caption, task="caption", split=held_out, meta={"modality": modality})
        yield seen(raw, row, name or f"row-{row}", said)


def _concepts(path: Path | None, captions: Path) -> dict[str, list[str]]:
    if path is None or path == captions:
        return {}
    return {text(raw, "ID"): text(raw, "CUIs").split(";") for _, raw in csv_records(path) if raw is not None}


ROCO = Corpus(
    name="roco",
    title="ROCO: radiology (and other) figures of articles, with captions",
    tasks=("caption",),
    layout="data/<split>/radiology/captions.txt, licences.txt, …: the file or its folder; <folder>/images/ROCO_00001.jpg",
    fields="id, a tab, caption; no header. licences.txt: ROCO_ID, PMC_ID, CC",
    fingerprint=(ROCO_LINES, "id", "caption"),
    beside=("licences.txt",),
    # Each image has its own (`image_licence`), NonCommercial ones among them.
    licence="unknown",
    access="open",
    redistribution=False,
    derivatives=True,
    citation="Pelka et al., ROCO, LABELS 2018",
    counts="radiology 65,448 train, 8,180 validation, 8,179 test; others 4,895, 611, 612",
    read=_read_roco,
)

ROCOV2 = Corpus(
    name="rocov2",
    title="ROCOv2: radiology figures of articles, with captions and concepts",
    tasks=("caption",),
    layout="<split>_captions.csv with <split>_concepts.csv and <split>_images.zip (<ID>.jpg); Parquet",
    fields="ID, Caption; ID, CUIs (separated by ;); image, image_id, caption, cui in Parquet",
    fingerprint=("ID", "Caption"),
    forms=((PARQUET, "image_id", "caption", "cui"),),
    beside=("train_concepts.csv", "valid_concepts.csv", "test_concepts.csv"),
    licence="CC-BY-NC-SA-4.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Rückert et al., ROCOv2, Scientific Data 2024",
    splits={"train": "train_captions.csv", "validation": "valid_captions.csv", "test": "test_captions.csv"},
    counts="59,958 train, 9,904 validation, 9,927 test",
    read=_read_rocov2,
)
