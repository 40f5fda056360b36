"""Quilt-1M: histopathology images from teaching videos with what is said over them. In: quilt_1M_lookup.csv; out: captions.

Given out on request and for research. Images that the later revision marks as no histology fall.
"""

from collections.abc import Iterator
from pathlib import Path

from pipeline.sources.base import Corpus, Record, dropped, text, unparsed
from pipeline.sources.streams import csv_records
from pipeline.sources.visual import Seen, seen

_HELD_OUT = {"test": "test", "val": "validation", "valid": "validation", "validation": "validation"}
_TRUE = ("1", "1.0", "true", "yes")


def _read(path: Path) -> Iterator[Record]:
    for row, raw in csv_records(path):
        if raw is None:
            yield unparsed(row)
            continue
        image = text(raw, "image_path")
        # One image has several captions.
        name = f"{Path(image).stem or 'row'}-{row}"
        if text(raw, "not_histology").lower() in _TRUE:
            yield dropped(raw, row, name, "other_subject", "marked as no histology")
            continue
        meta = {"modality": "histology", "question_type": text(raw, "subset"), "magnification": text(raw, "magnification")}
        said = Seen(
            images=(image,) if image else (),
            answer=text(raw, "caption"),
            task="caption",
            split=_HELD_OUT.get(text(raw, "split").lower()),
            meta=meta,
        )
        yield seen(raw, row, name, said)


QUILT_1M = Corpus(
    name="quilt_1m",
    title="Quilt-1M: histopathology images of teaching videos, with captions",
    tasks=("caption",),
    layout="quilt_1M_lookup.csv with quilt_1m/<image_path>",
    fields="caption, image_path, subset, split, pathology, roi_text, noisy_text, corrected_text, med_umls_ids, magnification, "
    "height, width; single_wsi, not_histology in the later revision",
    fingerprint=("image_path", "caption", "noisy_text", "corrected_text", "med_umls_ids"),
    licence="research-only",
    access="restricted",
    redistribution=False,
    derivatives=False,
    citation="Ikezogwo et al., Quilt-1M, NeurIPS 2023",
    counts="1,017,712 rows",
    read=_read,
)
