"""Residual identifiers become placeholders; the sources' own redactions become one form.

Medical numbers stay: doses, levels (L4-L5), ratios (12/13), pressures (120/80), ages. What looks like a date needs two
separators or a month's name; what looks like a phone number needs its form.
"""

import re
from collections import Counter

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_NAME = r"[A-Z][a-z]+(?:[-'][A-Z][a-z]+)?"
_YEAR = r"(?:19|20)\d{2}"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_STREET = r"(?:Street|St\.|Avenue|Ave\.|Road|Rd\.|Boulevard|Blvd\.|Lane|Drive)"
#: What stands before a name; `re` wants lookbehinds of one width, hence one for each.
_TITLES = ("Dr. ", "Dr ", "Mr. ", "Mr ", "Mrs. ", "Mrs ", "Ms. ", "Ms ", "Doctor ", "Nurse ")

#: In this order: an e-mail address holds what would pass for a name, a phone number what would pass for a date.
_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("[REDACTED]", re.compile(r"(?:\bX{4,}\b(?:[ ,]+X{4,}\b)*)|(?:\[\*\*.{0,80}?\*\*\])|(?:(?<!_)_{3}(?!_))")),
    ("[EMAIL]", re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")),
    (
        "[PHONE]",
        re.compile(
            r"(?<![\d.,/-])(?:(?:\+\d{1,3}[ .-]?\d{2,4}[ .-]|\(\d{2,4}\)[ .-]?)\d{3,4}[ .-]?\d{3,4}|"
            r"\d{3}[-.]\d{3,4}[-.]\d{4})(?![\d/-])"
        ),
    ),
    ("[ID]", re.compile(r"\b(?:MRN|[Mm]edical [Rr]ecord (?:[Nn]umber|[Nn]o\.?)|[Pp]atient ID|SSN)\s*[:#]?\s*[A-Z0-9-]{4,}\b")),
    ("[DATE]", re.compile(rf"(?<![\d./]){_DAY}[/-]{_DAY}[/-](?:19|20)?\d{{2}}(?![\d/])")),
    ("[DATE]", re.compile(rf"(?<!\d){_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)")),
    ("[DATE]", re.compile(rf"\b{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR}\b|\b\d{{1,2}} {_MONTH}\.?,? {_YEAR}\b")),
    ("[ADDRESS]", re.compile(rf"\b\d{{1,5}} (?:{_NAME} ){{1,3}}{_STREET}(?=\W|$)")),
    ("[NAME]", re.compile("|".join(rf"(?<=\b{re.escape(title)}){_NAME}(?: {_NAME})?" for title in _TITLES))),
)


def deidentify(text: str) -> tuple[str, Counter[str]]:
    """The text with placeholders, and how often each was put in."""
    counts: Counter[str] = Counter()
    for placeholder, pattern in _RULES:
        text, found = pattern.subn(placeholder, text)
        if found:
            counts[placeholder] += found
    return text, counts
