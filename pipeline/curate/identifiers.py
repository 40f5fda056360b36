"""The patterns of identifiers, each with the placeholder that takes its place. What a pattern calls `head` stays.

Nothing enters; `RULES` leaves, in the order in which they are applied: an e-mail address holds what would pass for a name, a
phone number what would pass for a date. `TRIGGER`, for Rust's regex crate, finds at least every text
in which a rule finds something.
"""

import re

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
#: With a day and a year it is a date in any case.
_WITH_YEAR = rf"(?i:{_MONTH})"
_YEAR = r"(?:19|20)\d{2}"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_NTH = rf"{_DAY}(?:st|nd|rd|th)?"
_TH = rf"{_DAY}(?:st|nd|rd|th)"
#: A day without a year is a date behind one of these; `May 10 mg be given` is none.
_WHEN = r"(?:[Oo]n|[Ss]ince|[Uu]ntil|[Tt]ill|[Ff]rom|[Bb]y|[Bb]efore|[Aa]fter|[Dd]ated|[A-Z][a-z]+day,?)(?: the)? "
_NO_DOSE = r"(?! ?(?:mg|ml|mL|mcg|g|cm|mm|units|tablets|days|weeks|hours|%|[-/.]\d))"

#: Smith, O'Brien, McDonald, Al-Hassan, Müller; with a title before it also van der Berg, J. Smith and, where a dot says that
#: it is one (`MR imaging` is not), SMITH.
_PART = r"(?:[DLO]['’])?(?:Mc|Mac|De|Di|La|Le|Van|Fitz)?[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿĀ-ſ]+"
_NAME = rf"{_PART}(?:[-'’]{_PART})?"
_PARTICLES = r"(?:(?:de|del|da|di|dos|la|le|van|von|der|den|ter|bin|ibn|al|el)[ -])*"
#: Capital letters behind a title or an initial that begin a sentence and name nobody.
_NOBODY = (
    r"(?!(?:Practitioner|Please|My|Your|The|This|That|It|Is|Are|He|She|We|You|They|Who|What|When|Why|How|Can|Could|Did|Do|And|"
    r"Or|In|On|At|Yes|No|Visit|Patient|Name|Date|Phone|Dr|Mr|Mrs|Ms|Prof|Her|His|If|So|But|For|There|Was|Will|Thank|Thanks|Also|Unfortunately|However|Then|After|Since|Doctor)\b)"
)
_INITIALS = r"(?:[A-Z]\.? ?(?=[A-Z]))*"
_PERSON = rf"{_INITIALS}{_PARTICLES}{_NOBODY}{_NAME}(?: {_INITIALS}{_PARTICLES}{_NOBODY}{_NAME}){{0,2}}"
_TITLE = r"(?:(?:[Dd]r|Mr|Mrs|Ms|[Pp]rof)(?:\. ?| )|[Pp]rofessor )(?:[Dd]r\.? )?"
_SPELLED = r"(?:[Dd]octor|[Nn]urse|Miss|Sister) "
_DEGREE = r"(?:MD|M\.D\.|DO|MBBS|FRCR|FRCS|RN|PhD)"
_SAYS_NAME = (
    r"(?:[Mm]y name is|[Pp]atient(?:['’]s)? [Nn]ame:|\b[Nn]ame:|\b[Aa]ttending:|[Rr]eferring physician:|"
    r"\b(?:[Ss]igned|[Dd]ictated|[Rr]eported|[Rr]eviewed|[Ii]nterpreted|[Rr]ead|[Tt]ranscribed)(?: by)?:)"
)
#: Without a colon two names are wanted: `reported by Schmidt` is a paper.
_SIGNED = r"(?:[Ss]igned|[Dd]ictated|[Tt]ranscribed|[Ii]nterpreted) by"

_STREET = (
    r"(?:Street|St\.|St(?=,)|Avenue|Ave\b\.?|Road|Rd\b\.?|Boulevard|Blvd\b\.?|Lane|Ln\b\.?|Drive|Court|Square|Place|Terrace|"
    r"Parkway|Pkwy\b\.?|Crescent|Circle|Way|Dr\.?(?=,|\n|$))(?: [NSEW]{1,2}\b\.?)?"
)
_ROOM = r"(?:Apt|Apartment|Suite|Unit|Flat)\.? #?\w{1,5}"
_TOWN = rf"(?:, {_ROOM})?(?:, {_NOBODY}{_NAME}(?: {_NAME})?)?(?:,? [A-Z]{{2}},? \d{{5}}(?:-\d{{4}})?)?"

_WHOSE = (
    r"(?:[Mm]ed(?:ical|\.)? [Rr]ec(?:ord|\.)?|[Hh]ospital|[Pp]atient|[Cc]hart|[Rr]ecord|[Aa]ccession|[Aa]ccount|[Ee]ncounter|"
    r"[Ii]nsurance|[Pp]olicy|MR|[Aa]cc(?:t\.?)?|[Mm]ember|[Pp]assport|[Ss]ocial [Ss]ecurity|[Vv]isit|[Ff]ile|[Cc]ase|NHS)"
)
_RECORD = (
    rf"(?:\b{_WHOSE} ?(?:[Nn]umber|[Nn]o\.?(?=[ :#])|ID|#)|\b(?i:MRN|UHID|SSN)\b|\b[Mm]edical [Rr]ecord|\bID ?[:#])"
    r"(?: (?:is|was|of))?\s*[:#]*\s*"
)
_CALL = (
    r"(?i:tel|telephone|phone|mobile|cell|fax|whatsapp|pager|call|ring|dial|contact|reach)(?i:\.| number| no\.)?"
    r"(?i: me| us| him| her| them)?(?i: is| at| on)?:? ?"
)

_RULES = (
    ("[REDACTED]", r"(?:\bX{4,}\b(?:[ ,]+X{4,}\b)*)|(?:\[\*\*.{0,80}?\*\*\])|(?:(?<!_)_{3}(?!_))"),
    (
        "[EMAIL]",
        r"(?:\b|(?<=_))[\w.+-]+ ?(?:@|\(at\)|\[at\]) ?[\w-]+(?:(?:\.| ?\(dot\) ?| ?\[dot\] ?)[\w-]+)+\b|"
        r"\b[\w.+-]+ at [\w-]+ dot (?:com|org|net|edu)\b",
    ),
    (
        "[ID]",
        rf"(?P<head>{_RECORD})(?:\d{{2,4}}(?: \d{{2,4}}){{1,3}}|(?=[A-Z/-]*\d)[A-Z0-9/-]{{4,}})\b|"
        r"(?<![\d-])\d{3}-\d\d-\d{4}(?![\d-])",
    ),
    (
        "[PHONE]",
        r"(?<![\d.,/-])(?:\+\d(?:[ ().-]{0,2}\d){8,14}|\(\d{2,4}\)[ .-]?\d{3,4}[ .-]?\d{3,4}|"
        r"(?:1[-. ])?\d{3}(?:[-.]\d{3,4}[-.]| \d{3} )\d{4}|0\d{2,3} \d{3,4} \d{4}|0\d{2,4}[ -]\d{6,8}|[6-9]\d{9})"
        r"(?:,? ?ext\.? ?\d{1,5})?(?![\d/-])",
    ),
    ("[PHONE]", rf"(?P<head>\b{_CALL})\d(?:[ -]?\d){{6,13}}\b"),
    (
        "[DATE]",
        rf"(?<![\d./-]){_DAY}([/-]){_DAY}\1(?:19|20)?\d{{2}}(?![\d/-])|(?<![\d.]){_DAY}\.{_DAY}\.{_YEAR}(?!\d)|"
        rf"(?<![\d./-])(?:0[1-9]|1[0-2])/{_YEAR}(?![\d/-])",
    ),
    ("[DATE]", rf"(?<!\d){_YEAR}([-/.])(?:0?[1-9]|1[0-2])\1{_DAY}(?!\d)"),
    (
        "[DATE]",
        rf"\b{_WITH_YEAR}\.? {_NTH},? {_YEAR}\b|\b{_NTH}[ -]?(?:of )?{_WITH_YEAR}\.?,?[ -]?{_YEAR}\b|"
        rf"\b{_MONTH}\.?,?(?: of)? {_YEAR}\b|"
        rf"\b{_MONTH} {_TH}\b|\b{_TH}(?: of)? {_MONTH}\b",
    ),
    ("[DATE]", rf"(?P<head>\b(?:[Dd]ated?|DOB|[Oo]n):? )(?:{_YEAR}[01]\d[0-3]\d|{_DAY}\.{_DAY}\.\d\d)\b(?![.\d])"),
    ("[DATE]", rf"(?P<head>\b{_WHEN})(?:{_MONTH}\.? {_DAY}|{_DAY} {_MONTH})\b{_NO_DOSE}"),
    (
        "[ADDRESS]",
        rf"\b(?:{_ROOM}, )?\d{{1,5}}[A-Z]? (?:[NSEW]\.? )?(?:(?:St\. )?(?:{_NAME}|\d{{1,3}}(?:st|nd|rd|th)) ){{1,3}}"
        rf"{_STREET}(?=\W|$){_TOWN}",
    ),
    ("[ADDRESS]", r"\bP\.? ?O\.? [Bb]ox \d{1,6}\b|(?P<head>\b[Zz](?:ip|IP)(?: [Cc]ode)?(?: is)?:? )\d{5}(?:-\d{4})?\b"),
    ("[NAME]", rf"(?P<head>\b{_TITLE})(?:{_PERSON}|(?<=\. )[A-Z]{{3,}}\b(?: [A-Z]{{3,}}\b)?)"),
    ("[NAME]", r"(?P<head>\b(?:DR|MR|MRS|MS)\. ?)[A-Z][A-Z'-]+\b(?: [A-Z][A-Z'-]+\b)?"),
    ("[NAME]", rf"(?P<head>\b{_SPELLED}){_PERSON}"),
    ("[NAME]", rf"(?P<head>\[NAME\] (?:and|&) ){_NOBODY}{_NAME}\b"),
    ("[NAME]", rf"(?P<head>\b{_SAYS_NAME} )(?:{_NAME}, {_NAME}|{_PERSON})"),
    ("[NAME]", rf"(?P<head>\b(?:{_SIGNED}:? )){_INITIALS}{_NOBODY}{_NAME} {_NAME}"),
    ("[NAME]", rf"(?P<head>(?:^|\n)Patient: ){_NAME}, {_NAME}(?=\s*(?:\n|$))"),
    ("[NAME]", rf"\b{_NAME}(?: [A-Z]\.?)? {_NAME}(?=, {_DEGREE}(?:\W|$))"),
)
RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple((placeholder, re.compile(pattern)) for placeholder, pattern in _RULES)

_ANY_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
#: `(?s:.)*` and no bound: counting to 40 takes the automaton 3 µs a turn, not counting .25.
TRIGGER = "|".join(
    (
        r"XXXX|\[\*\*|___|@|[(\[]at[)\]]| at \S+ dot ",
        r"\+\d|\d{6}|\d[- .()/]{1,3}\d{3}|\d[-/.]\d{1,2}[-/.]\d\d|\d/(?:19|20)\d\d",
        r"(?i:mrn|uhid|ssn|medical record|number)(?s:.)*\d|(?:[Nn]o\.?[ :#]|ID|#)(?s:.)*\d",
        r"(?i:tel|phone|mobile|cell|fax|whatsapp|pager|call|ring|dial|contact|reach)(?s:.)*\d[ -]?\d",
        rf"\b{_ANY_MONTH}(?s:.)*\d|\d(?:st|nd|rd|th)?[ -]?(?:of )?{_ANY_MONTH}",
        r"\d[A-Z]? (?s:.)*(?:Street|St\.|St,|Av|Road|Rd|Bl|Lane|Ln|Drive|Court|Square|Place|Terrace|Pa|Pk|Cres|Cir|Way|Dr)",
        r"[Bb]ox \d|[Zz](?:ip|IP)",
        r"(?i:dr|mr|mrs|ms|prof)[. ]|[Pp]rofessor|(?:[Dd]octor|[Nn]urse|Miss|Sister) \p{L}",
        r"[Nn]ame(?: is|:)|[Ss]igned|(?:ed|ead)(?: by|:)|[Aa]ttending:|physician:|Patient: |, (?:MD|M\.D|DO|MBBS|FRC|RN|PhD)",
    )
)
