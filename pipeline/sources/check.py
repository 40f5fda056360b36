"""`bimedv sources check`: what a download really holds. Reads everything, writes nothing."""

from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.images.inline import Inline
from pipeline.images.pixels import ImageFaultError
from pipeline.images.store import locate
from pipeline.sources.registry import check_form, corpus, identify
from schemas.errors import InputError


def check(path: Path, name: str | None = None, images: Path | None = None) -> dict[str, Any]:
    """Counts of records, samples and what falls out; `missing_images` counts names not found in `images`.

    Without a name the corpus is recognised by its form. Raises InputError when nothing or the wrong corpus is recognised.
    """
    if name is None:
        found = identify(path)
        if not found:
            raise InputError(f"{path}: no corpus has this form. Name one: `bimedv sources check CORPUS {path}`.")
        name = found[0]
    check_form(name, path)
    excluded: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    records = samples = missing = 0
    for record in corpus(name).read(path):
        records += 1
        samples += len(record.drafts)
        languages[record.language] += 1
        if record.reason:
            excluded[record.reason] += 1
        if images is not None:
            missing += sum(not _there(images, image) for draft in record.drafts for image in draft.images)
    return {
        "corpus": name,
        "records": records,
        "samples": samples,
        "excluded": dict(sorted(excluded.items())),
        "missing_images": missing,
        "languages": dict(sorted(languages.items())),
    }


def _there(images: Path, image: str | Inline) -> bool:
    try:
        locate(images, image)
    except ImageFaultError:
        return False
    return True
