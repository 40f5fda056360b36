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
_YEAR = r"(?:19|20)\d{2}"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_NTH = rf"{_DAY}(?:st|nd|rd|th)?"
#: Smith, O'Brien, McDonald, Al-Hassan, Müller; with a title before it also van der Berg, J. Smith and, where a dot says
#: that it is one (`MR imaging` is not), SMITH.
_NAME = r"(?:[DLO]['’])?(?:Mc|Mac)?[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿĀ-ſ]+(?:[-'’][A-ZÀ-ÖØ-Þ][a-zß-öø-ÿĀ-ſ]+)?"
_PARTICLES = r"(?:(?:de|da|di|la|le|van|von|der|den|bin|ibn|al|el) )*"
#: Capital letters behind a title or an initial that begin a sentence and name nobody.
_NOBODY = (
    r"(?!(?:Practitioner|Please|My|Your|The|This|That|It|Is|Are|He|She|We|You|They|Who|What|When|Why|How|Can|Could|Did|Do|And|"
    r"Or|In|On|At|Yes|No|Visit)\b)"
)
_PERSON = rf"(?:[A-Z]\.? ?(?=[A-Z]))*{_PARTICLES}{_NOBODY}{_NAME}(?: {_NOBODY}{_NAME})?"
_STREET = r"(?:Street|St\.|St(?=,)|Avenue|Ave\b\.?|Road|Rd\b\.?|Boulevard|Blvd\b\.?|Lane|Drive|Court|Square)"
_RECORD = (
    r"(?:(?i:MRN)|[Mm]edical [Rr]ecord(?: (?:[Nn]umber|[Nn]o\.?))?|[Pp]atient ID|SSN|[Ss]ocial [Ss]ecurity [Nn]umber|"
    r"[Aa]ccession (?:[Nn]umber|[Nn]o\.?))"
)
_CALL = r"(?i:tel|telephone|phone|mobile|cell|fax|whatsapp)(?i:\.| number| no\.)?(?i: is| at)?:? ?"

#: In this order: an e-mail address holds what would pass for a name, a phone number what would pass for a date.
#: What a rule calls `head` stays.
_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("[REDACTED]", re.compile(r"(?:\bX{4,}\b(?:[ ,]+X{4,}\b)*)|(?:\[\*\*.{0,80}?\*\*\])|(?:(?<!_)_{3}(?!_))")),
    ("[EMAIL]", re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")),
    (
        "[ID]",
        re.compile(rf"\b{_RECORD}(?: is| was)?\s*[:#]?\s*(?=[A-Z-]*\d)[A-Z0-9-]{{4,}}\b|(?<![\d-])\d{{3}}-\d\d-\d{{4}}(?![\d-])"),
    ),
    (
        "[PHONE]",
        re.compile(
            r"(?<![\d.,/-])(?:\+\d(?:[ ().-]{0,2}\d){8,14}|\(\d{2,4}\)[ .-]?\d{3,4}[ .-]?\d{3,4}|"
            r"(?:1[-. ])?\d{3}(?:[-.]\d{3,4}[-.]| \d{3} )\d{4})(?![\d/-])"
        ),
    ),
    ("[PHONE]", re.compile(rf"(?P<head>\b{_CALL})\d(?:[ -]?\d){{6,13}}\b")),
    (
        "[DATE]",
        re.compile(rf"(?<![\d./-]){_DAY}([/-]){_DAY}\1(?:19|20)?\d{{2}}(?![\d/-])|(?<![\d.]){_DAY}\.{_DAY}\.{_YEAR}(?!\d)"),
    ),
    ("[DATE]", re.compile(rf"(?<!\d){_YEAR}([-/.])(?:0?[1-9]|1[0-2])\1{_DAY}(?!\d)")),
    ("[DATE]", re.compile(rf"\b{_MONTH}\.? {_NTH},? {_YEAR}\b|\b{_NTH}(?: of)? {_MONTH}\.?,? {_YEAR}\b")),
    ("[ADDRESS]", re.compile(rf"\b\d{{1,5}}[A-Z]? (?:(?:{_NAME}|\d{{1,3}}(?:st|nd|rd|th)) ){{1,3}}{_STREET}(?=\W|$)")),
    (
        "[NAME]",
        re.compile(rf"(?P<head>\b(?:(?:[Dd]r|Mr|Mrs|Ms|[Pp]rof)(?:\. ?| )|Professor ))(?:{_PERSON}|(?<=\. )[A-Z]{{3,}}\b)"),
    ),
    ("[NAME]", re.compile(r"(?P<head>\b(?:DR|MR|MRS|MS)\. ?)[A-Z][A-Z'-]+\b(?: [A-Z][A-Z'-]+\b)?")),
    ("[NAME]", re.compile(rf"(?P<head>\b(?:[Dd]octor|[Nn]urse|Miss) ){_PERSON}")),
)


def deidentify(text: str) -> tuple[str, Counter[str]]:
    """The text with placeholders, and how often each was put in."""
    counts: Counter[str] = Counter()
    for placeholder, pattern in _RULES:
        text, found = pattern.subn(rf"\g<head>{placeholder}" if "head" in pattern.groupindex else placeholder, text)
        if found:
            counts[placeholder] += found
    return text, counts
