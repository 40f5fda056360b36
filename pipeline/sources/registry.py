"""The registry of corpora: by name, by the form of a file."""

import difflib
import re
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus
from pipeline.sources.bimed import BIMED
from pipeline.sources.chats import LLAVA, LLAVA_MED, MESSAGES
from pipeline.sources.consumer_qa import LIVEQA, MEDICATION_QA
from pipeline.sources.containers import there
from pipeline.sources.dialogues import ALPACA, GENMEDGPT, HEALTHCAREMAGIC, ICLINIQ, MTS_DIALOG
from pipeline.sources.exams import MEDMCQA, MEDQA, USMLE
from pipeline.sources.figure1_cxr import FIGURE1_CXR
from pipeline.sources.huggingface import HF_DATASET
from pipeline.sources.iu_xray import IU_XRAY
from pipeline.sources.markup import is_xml, tags
from pipeline.sources.meadow import MEDICAL_MEADOW
from pipeline.sources.medquad import MEDQUAD
from pipeline.sources.mmlu import MMLU, columns_of
from pipeline.sources.parquet import PARQUET, is_tables
from pipeline.sources.pickles import PICKLE
from pipeline.sources.pmc_vqa import PMC_VQA
from pipeline.sources.pubmedqa import PUBMEDQA
from pipeline.sources.slake import SLAKE
from pipeline.sources.streams import fields_of
from pipeline.sources.uphill import UPHILL
from schemas.errors import InputError

#: In the order in which a file is tried against them: a special form before the generic one.
CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        BIMED, SLAKE, PMC_VQA, LLAVA_MED, IU_XRAY, PUBMEDQA, MEDMCQA, MEDQA, USMLE, MMLU, MEDQUAD, MEDICATION_QA, LIVEQA, UPHILL,
        MTS_DIALOG, ICLINIQ, HEALTHCAREMAGIC, GENMEDGPT, MEDICAL_MEADOW, FIGURE1_CXR, LLAVA, MESSAGES, ALPACA, HF_DATASET,
    )
}  # fmt: skip
#: What other corpora share.
_GENERIC = {ALPACA.fingerprint, LLAVA.fingerprint, MESSAGES.fingerprint, HF_DATASET.fingerprint}


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
    found = [name for name, known in CORPORA.items() if _fits(known, fields) and (_named(name, stem) or not known.by_name)]
    same = {name for name in found if CORPORA[name].fingerprint == ALPACA.fingerprint}
    return sorted(found, key=lambda name: (not _named(name, stem), name != "alpaca") if name in same else (False, False))


def _named(name: str, stem: str) -> bool:
    return name.replace("_", "") in stem


def _fits(known: Corpus, fields: set[str]) -> bool:
    # Parquet and pickles are read by a corpus that declares it, and by no other: their fields alone look like everybody's.
    marks = fields & {PARQUET, PICKLE}
    return any(set(form) <= fields and marks <= set(form) for form in (known.fingerprint, *known.forms))


def check_form(name: str, path: Path) -> None:
    """Raise InputError when a file is not of the corpus's form, saying which corpus it looks like."""
    known = corpus(name)
    fields, recognised = first_fields(path), identify(path)
    like = [other for other in recognised if other != name]
    fits = _fits(known, fields) or (name == "llava_med" and _fits(LLAVA, fields))
    # A form that could be anybody's does not take a file that is plainly another corpus's.
    if fits and (not known.by_name or name in recognised or all(CORPORA[other].fingerprint in _GENERIC for other in like)):
        return
    missing = ", ".join(key for key in known.fingerprint if key not in fields)
    told = f"the first record has no {missing}" if missing else "it is not published so, or its name does not say that it is"
    hint = f" It looks like {' or '.join(like)}." if like else ""
    found = ", ".join(sorted(fields)[:12]) or "nothing"
    raise InputError(f"{path}: not {name}: {told} (found {found}).{hint} Check `corpus:` and `path:`.")


def first_fields(path: Path) -> set[str]:
    """Field names of the first record that has any, with the `conversatons` of LLaVA-Med's alignment file spelled out."""
    fields = _first_fields(path)
    return fields | {"conversations"} if "conversatons" in fields else fields


def _first_fields(path: Path) -> set[str]:
    if not there(path):
        raise InputError(f"{path}: no such file.")
    if not is_tables(path) and is_xml(path):
        return tags(path)
    return columns_of(path) or fields_of(path)
