"""The registry of corpora: by name, by the form of a file."""

import difflib
import re
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus
from pipeline.sources.chats import LLAVA, LLAVA_MED
from pipeline.sources.dialogues import ALPACA, GENMEDGPT, HEALTHCAREMAGIC, ICLINIQ, MTS_DIALOG
from pipeline.sources.figure1_cxr import FIGURE1_CXR
from pipeline.sources.iu_xray import IU_XRAY
from pipeline.sources.pmc_vqa import PMC_VQA
from pipeline.sources.pubmedqa import PUBMEDQA
from pipeline.sources.slake import SLAKE
from pipeline.sources.streams import csv_records, json_items, json_records, sniff
from schemas.errors import InputError

#: In the order in which a file is tried against them: a special form before the generic one.
CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        SLAKE, PMC_VQA, LLAVA_MED, IU_XRAY, PUBMEDQA, MTS_DIALOG, ICLINIQ, HEALTHCAREMAGIC, GENMEDGPT, FIGURE1_CXR, LLAVA, ALPACA,
    )
}  # fmt: skip


def corpus(name: str) -> Corpus:
    """The corpus of that name. Raises InputError that names the closest ones."""
    if name in CORPORA:
        return CORPORA[name]
    close = difflib.get_close_matches(name, CORPORA, n=3) or sorted(CORPORA)
    raise InputError(f"there is no corpus {name!r}. Did you mean {', '.join(close)}? `bimedv sources list` names all.")


def describe(name: str) -> dict[str, Any]:
    """A corpus's declaration as plain values."""
    known = corpus(name)
    return {key: getattr(known, key) for key in Corpus.__slots__ if key != "read"}


def identify(path: Path) -> list[str]:
    """Names of the corpora whose form the first record has, likeliest first; empty when none fits.

    Files in Alpaca's form all look alike: the one that the file's name tells comes first, else the generic one, which claims
    no licence.
    """
    fields = first_fields(path)
    stem = re.sub(r"[^a-z0-9]", "", path.stem.lower())
    found = [name for name, known in CORPORA.items() if set(known.fingerprint) <= fields]
    same = {name for name in found if CORPORA[name].fingerprint == ALPACA.fingerprint}
    return sorted(found, key=lambda name: (name not in stem, name != "alpaca") if name in same else (False, False))


def check_form(name: str, path: Path) -> None:
    """Raise InputError when a file is not of the corpus's form, saying which corpus it looks like."""
    known = corpus(name)
    fields = first_fields(path)
    if set(known.fingerprint) <= fields or (name == "llava_med" and "conversations" in fields):
        return
    missing = [key for key in known.fingerprint if key not in fields]
    like = [other for other in identify(path) if other != name]
    hint = f" It looks like {' or '.join(like)}." if like else ""
    found = ", ".join(sorted(fields)[:12]) or "nothing"
    raise InputError(
        f"{path}: not {name}: the first record has no {', '.join(missing)} (found {found}).{hint} Check `corpus:` and `path:`."
    )


def first_fields(path: Path) -> set[str]:
    """Field names of the first record that has any, with the `conversatons` of LLaVA-Med's alignment file spelled out."""
    fields = _first_fields(path)
    return fields | {"conversations"} if "conversatons" in fields else fields


def _first_fields(path: Path) -> set[str]:
    if not path.exists():
        raise InputError(f"{path}: no such file.")
    kind = sniff(path)
    if kind == "csv":
        return next((set(raw) for _, raw in csv_records(path) if raw is not None), set())
    if kind == "json_dict":
        return next((set(raw) for _, _, raw in json_items(path) if isinstance(raw, dict)), set())
    return next((set(raw) for _, raw in json_records(path) if isinstance(raw, dict)), set())
