"""MedTrinity-25M: images of 90 data sets with captions that a model wrote. In: Parquet of either configuration; out: captions.

The demo carries its images; the full one names them, and they lie in tar files packed with zstd. `source` says which data set
an image is from: VQA-RAD, SLAKE, PathVQA, PMC-OA and Quilt-1M are among them, so name your benchmarks under `curate.benchmarks`.
"""

from collections.abc import Iterator
from pathlib import Path

from pipeline.sources.base import Corpus, Record, images_of, split_of, text, unparsed
from pipeline.sources.parquet import PARQUET, parquet_records
from pipeline.sources.visual import Seen, seen


def _read(path: Path) -> Iterator[Record]:
    split = split_of(path)
    for row, raw in parquet_records(path):
        if raw is None:
            yield unparsed(row)
            continue
        # The tar files are joined by base name.
        named = Path(text(raw, "file_name")).name
        images = images_of(raw, "image") or ((named,) if named else ())
        source = text(raw, "source")
        said = Seen(images=images, answer=text(raw, "caption"), task="caption", split=split, meta={"source": source})
        yield seen(raw, row, text(raw, "id") or (f"{source}-{named}".strip("-") if named else f"row-{row}"), said)


MEDTRINITY = Corpus(
    name="medtrinity",
    title="MedTrinity-25M: images of 90 data sets, with captions that a model wrote",
    tasks=("caption",),
    layout="25M_demo/*.parquet under a name with medtrinity; 25M_full/*.parquet with 25M_accessible/*.tar.zst",
    fields="image, id, caption (demo); file_name, caption, source (full)",
    fingerprint=(PARQUET, "file_name", "caption", "source"),
    named_forms=((PARQUET, "image", "id", "caption"),),
    # Behind a login and terms; each of the data sets has its own licence besides.
    licence="unknown",
    access="restricted",
    redistribution=False,
    derivatives=False,
    citation="Xie et al., MedTrinity-25M, ICLR 2025",
    counts="25,016,845 images; about 162,000 in the demo",
    read=_read,
)
