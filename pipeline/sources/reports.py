"""Radiology reports of any corpus: findings and impression, or the whole text, to one Record; and the sections of a plain text.

With images the report is written from them; a report without images still teaches to sum findings up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.images.inline import Inline
from pipeline.sources.base import Draft, Record, dropped, exchange, kept
from pipeline.sources.templates import IMPRESSION, REPORT

#: `FINDINGS:` at the beginning of a line. Inside a sentence a word in capitals before a colon is no heading.
_HEADING = re.compile(r"^[ \t]*([A-Z][A-Z /&,()-]*[A-Z)])[ \t]*:", re.M)
_FINAL = re.compile(r"^[ \t]*FINAL (?:RADIOLOGY )?REPORT[ \t]*$", re.M)
_MASK = re.compile(r"\[\*\*.*?\*\*\]", re.S)
_PAGE = re.compile(r"\(Over\).*?\(Cont\)", re.S)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A report as its source has it. One of the three texts may be all that there is."""

    findings: str = ""
    impression: str = ""
    whole: str = ""
    """A report that nobody has divided."""
    images: tuple[str | Inline, ...] = ()
    split: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)


def report(raw: object, row: int, name: str, said: Report) -> Record:
    """The record: a `report` with images, a `summary` without, or the reason why it gives neither."""
    findings, impression, whole = said.findings.strip(), said.impression.strip(), said.whole.strip()
    if not findings and not impression and not whole:
        return dropped(raw, row, name, "empty_answer", "neither findings nor impression")
    if said.images:
        body = "\n".join(f"{head}: {words}" for head, words in (("Findings", findings), ("Impression", impression)) if words)
        return kept(raw, row, name, exchange("report", REPORT, body or whole, said.images, **said.meta), split=said.split)
    if findings and impression:
        return kept(raw, row, name, summary(findings, impression, said.meta), split=said.split)
    return dropped(raw, row, name, "empty_answer", "no images, and not both findings and impression")


def summary(findings: str, impression: str, meta: Mapping[str, str]) -> Draft:
    """Findings to impression, without an image."""
    return exchange("summary", f"{IMPRESSION}\nFindings: {findings}", impression, (), **meta)


def text_only(draft: Draft) -> Draft | None:
    """What is left of a report whose images are not there: findings to impression, when it has both."""
    body = draft.turns[-1][1]
    findings, mark, impression = body.partition("\nImpression: ")
    if not mark or not findings.startswith("Findings: "):
        return None
    return summary(findings.removeprefix("Findings: "), impression, draft.meta)


def sections(text: str) -> list[tuple[str, str]]:
    """(heading, text) in order, of what stands behind FINAL REPORT; before the first heading it is "". Blanks are single ones."""
    text = _PAGE.sub(" ", text)
    final = _FINAL.search(text)
    text = text[final.end() :] if final else text
    marks = list(_HEADING.finditer(text))
    starts = [*(mark.start() for mark in marks), len(text)]
    found = [("", text[: starts[0]])]
    found += [(mark.group(1), text[mark.end() : end]) for mark, end in zip(marks, starts[1:], strict=True)]
    return [(heading, _plain(words)) for heading, words in found if heading or words.strip()]


def last_paragraph(text: str) -> str:
    """What a report without headings ends with, where that is not all of it; some reports are nothing but a title and this."""
    parts = [part for part in re.split(r"\n[ \t]*\n", text) if part.strip()]
    return _plain(parts[-1]) if len(parts) > 1 and not _HEADING.search(parts[-1]) else ""


def _plain(words: str) -> str:
    """One line, with masks in either spelling as `___`."""
    return " ".join(_MASK.sub("___", words).split())
