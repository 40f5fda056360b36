"""The registry of corpora: by name, by the form of a file."""

import difflib
import re
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus
from pipeline.sources.bimed import BIMED
from pipeline.sources.chats import LLAVA, MESSAGES
from pipeline.sources.consumer_qa import LIVEQA, MEDICATION_QA
from pipeline.sources.containers import there
from pipeline.sources.dialogues import ALPACA, GENMEDGPT, HEALTHCAREMAGIC, ICLINIQ, MTS_DIALOG
from pipeline.sources.exams import MEDMCQA, MEDQA, USMLE
from pipeline.sources.figure1_cxr import FIGURE1_CXR
from pipeline.sources.huggingface import HF_DATASET
from pipeline.sources.iu_xray import IU_XRAY
from pipeline.sources.llava_med import LLAVA_MED, LLAVA_MED_VQA
from pipeline.sources.markup import is_xml, tags
from pipeline.sources.meadow import MEDICAL_MEADOW
from pipeline.sources.medquad import MEDQUAD
from pipeline.sources.medtrinity import MEDTRINITY
from pipeline.sources.mimic import MIMIC_CXR, MIMIC_III, REPORT_FILES, report_fields
from pipeline.sources.mmlu import MMLU, columns_of
from pipeline.sources.omnimedvqa import OMNIMEDVQA
from pipeline.sources.parquet import PARQUET, is_tables
from pipeline.sources.path_vqa import PATH_VQA
from pipeline.sources.pickles import PICKLE
from pipeline.sources.pmc_oa import PMC_OA
from pipeline.sources.pmc_vqa import PMC_VQA
from pipeline.sources.pubmedqa import PUBMEDQA
from pipeline.sources.quilt import QUILT_1M
from pipeline.sources.roco import ROCO, ROCO_LINES, ROCOV2, roco_fields
from pipeline.sources.slake import SLAKE
from pipeline.sources.streams import SECTIONS, fields_of
from pipeline.sources.uphill import UPHILL
from pipeline.sources.vqa_med import PIPES, VQA_MED_2019, pipe_fields
from pipeline.sources.vqa_rad import VQA_RAD
from schemas.errors import InputError

#: In the order in which a file is tried against them: a special form before the generic one.
CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        BIMED, SLAKE, VQA_RAD, VQA_MED_2019, PATH_VQA, PMC_VQA, OMNIMEDVQA, LLAVA_MED, LLAVA_MED_VQA, ROCO, ROCOV2, QUILT_1M,
        MEDTRINITY, PMC_OA, MIMIC_CXR, MIMIC_III, IU_XRAY, PUBMEDQA, MEDMCQA, MEDQA, USMLE, MMLU, MEDQUAD, MEDICATION_QA, LIVEQA,
        UPHILL, MTS_DIALOG, ICLINIQ, HEALTHCAREMAGIC, GENMEDGPT, MEDICAL_MEADOW, FIGURE1_CXR, LLAVA, MESSAGES, ALPACA, HF_DATASET,
    )
}  # fmt: skip
#: Marks of a form that only a corpus that declares it may read: its other fields look like everybody's.
_MARKS = {PARQUET, PICKLE, SECTIONS, PIPES, ROCO_LINES, REPORT_FILES}
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
    return _identified(path, first_fields(path))


def _identified(path: Path, fields: set[str]) -> list[str]:
    told = _told(path)
    stem = re.sub(r"[^a-z0-9]", "", path.stem.lower())
    found = [name for name, known in CORPORA.items() if _recognised(known, fields, stem, told)]
    same = {name for name in found if CORPORA[name].fingerprint == ALPACA.fingerprint}
    return sorted(found, key=lambda name: (not _named(name, stem), name != "alpaca") if name in same else (False, False))


def _recognised(known: Corpus, fields: set[str], stem: str, told: str) -> bool:
    if _fits(known, fields, known.forms):
        return not known.by_name or _named(known.name, stem)
    return _fits(known, fields) and _named(known.name, told)


def _told(path: Path) -> str:
    """The names of a file and of the folders around it, as names of corpora are compared."""
    return re.sub(r"[^a-z0-9]", "", "".join(path.parts[-6:]).lower())


def _named(name: str, told: str) -> bool:
    return name.replace("_", "") in told


def _fits(known: Corpus, fields: set[str], forms: tuple[tuple[str, ...], ...] | None = None) -> bool:
    """Whether the fields are of the fingerprint or of one of the forms; without `forms`, of any that the corpus has."""
    forms = (*known.forms, *known.named_forms) if forms is None else forms
    marks = fields & _MARKS
    fitting = any(set(form) <= fields and marks <= set(form) for form in (known.fingerprint, *forms))
    return fitting and not fields & set(known.without)


def check_form(name: str, path: Path) -> None:
    """Raise InputError when a file is not of the corpus's form, saying which corpus it looks like."""
    known = corpus(name)
    fields = first_fields(path)
    recognised = _identified(path, fields)
    like = [other for other in recognised if other != name]
    plain = name == "llava_med" and _fits(LLAVA, fields) and not fields & set(known.without)
    fits = plain or _fits(known, fields)
    anybodys = known.by_name or not (plain or _fits(known, fields, known.forms))
    # A form that could be anybody's does not take a file that is plainly another corpus's.
    if fits and (not anybodys or name in recognised or all(CORPORA[other].fingerprint in _GENERIC for other in like)):
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
    if is_tables(path):
        return fields_of(path)
    if found := report_fields(path):
        return found
    if path.is_dir():
        return roco_fields(path) or tags(path)
    if is_xml(path):
        return tags(path)
    return pipe_fields(path) or roco_fields(path) or columns_of(path) or fields_of(path)
