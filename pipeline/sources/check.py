"""`bimedv sources check`: what a download really holds. Reads everything, writes nothing."""

from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.images.inline import Inline
from pipeline.images.pixels import ImageFaultError
from pipeline.images.store import locate
from pipeline.sources.base import Corpus
from pipeline.sources.registry import check_form, corpus, first_fields, identify
from schemas.errors import InputError


def check(path: Path, name: str | None = None, images: Path | None = None) -> dict[str, Any]:
    """Counts of records, samples, splits and what falls out; `missing_images` counts names not found in `images`.

    `oddities` are lines for the user: ids that occur again, fields that the declaration does not know, and for each reason the
    first record that fell. Memory: 100 bytes a record for its id.
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
    splits: Counter[str] = Counter()
    oddities = _unknown(corpus(name), first_fields(path))
    ids: set[int] = set()
    records = samples = missing = 0
    for record in corpus(name).read(path):
        records += 1
        samples += len(record.drafts)
        languages[record.language] += 1
        ids.add(hash((record.split, record.id)))
        for reason, detail in [(record.reason, record.detail)] if record.reason else record.lost:
            if reason not in excluded:
                oddities.append(f"first {reason}: record {record.row}{detail and ', ' + detail}")
            excluded[reason] += 1
        if not record.reason:
            splits[record.split or "as the config says"] += 1
        if images is not None:
            missing += sum(not _there(images, image) for draft in record.drafts for image in draft.images)
    return {
        "corpus": name,
        "records": records,
        "samples": samples,
        "excluded": dict(sorted(excluded.items())),
        "missing_images": missing,
        "languages": dict(sorted(languages.items())),
        "splits": dict(sorted(splits.items())),
        "oddities": [*([f"{again} records repeat an id"] if (again := records - len(ids)) else []), *oddities],
    }


def _unknown(known: Corpus, fields: set[str]) -> list[str]:
    """A line that names fields of the first record which the declaration does not, unless that says that there are more (…)."""
    declared = " ".join(
        [known.fields, *known.fingerprint, *(name for form in (*known.forms, *known.named_forms) for name in form)]
    )
    strange = sorted(name for name in fields if name not in declared)
    closed = not {"…", "..."} & set(known.fields.replace(",", " ").split())
    return [f"fields that are not declared: {', '.join(strange)[:300]}"] if strange and closed else []


def _there(images: Path, image: str | Inline) -> bool:
    try:
        locate(images, image)
    except ImageFaultError:
        return False
    return True
