"""PMC-OA: figures of open-access articles with their captions, JSON Lines. In: pmc_oa.jsonl or pmc_oa_beta.jsonl; out: captions.

In the beta, the whole caption of a figure is repeated for each of its parts; in the other a model has cut it up, and
`alignment_score` says how sure it was. The parts of one figure stay in one split: they share its caption.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.sources.base import Corpus, Record, split_of, text, unparsed
from pipeline.sources.streams import json_records
from pipeline.sources.visual import Seen, seen

#: `PMC000001_Fig3_4.jpg`: article and figure, and which part of it.
_PART = re.compile(r"(PMC\d+_.+)_\d+\.\w+$")


def _read(path: Path) -> Iterator[Record]:
    split = split_of(path)
    for row, raw in json_records(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        image = text(raw, "image")
        meta = {
            "group": f"pmc_oa:{found.group(1)}" if (found := _PART.match(Path(image).name)) else "",
            "alignment_type": text(raw, "alignment_type"),
            "alignment_score": text(raw, "alignment_score"),
        }
        said = Seen(images=(image,) if image else (), answer=text(raw, "caption"), task="caption", split=split, meta=meta)
        # The stem says article, figure and part; a part that is there twice is a duplicate id.
        yield seen(raw, row, Path(image).stem or f"row-{row}", said)


PMC_OA = Corpus(
    name="pmc_oa",
    title="PMC-OA: figures of open-access articles and their captions",
    tasks=("caption",),
    layout="pmc_oa.jsonl or pmc_oa_beta.jsonl; images.zip: caption_T060_filtered_top4_sep_v0_subfigures/<image>",
    fields="image, caption; alignment_type, alignment_score (optional); pmcid, url_name in old revisions",
    fingerprint=("image", "caption"),
    # Each article has its own.
    licence="unknown",
    access="open",
    redistribution=False,
    derivatives=True,
    citation="Lin et al., PMC-CLIP, MICCAI 2023",
    counts="about 1.6 million pairs, one split",
    read=_read,
)
