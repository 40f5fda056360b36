"""Punctuation: emptied brackets (major), Latin marks among Arabic words, and a text that ends as another kind of text (minor)."""

import re

from schemas.base import Severity
from schemas.quality import Finding, Span

_MARKS = {",": "،", ";": "؛", "?": "؟"}
_LATIN_MARK = re.compile(r"(?<=[\u0621-\u064a\u064b-\u0652])\s*([,;?])(?=\s|$)")
#: Full stops, commas and semicolons that Arabic does not write.
_OTHER_MARK = re.compile("[。、，；۔]")
#: Nothing between brackets: what stood there is gone.
_HOLLOW = re.compile(r"\(\s*\)|\[\s*\]")
_COLON = re.compile(r":\s*$")


def punctuation(source: str, target: str, _kind: str) -> list[Finding]:
    """At most one finding of each kind: emptied brackets, a mark of another script, a list opened on one side only."""
    found: list[Finding] = []
    hollow = _HOLLOW.search(target)
    if hollow and not _HOLLOW.search(source):
        found.append(_finding("nothing between the brackets", hollow.span(), "major"))
    latin, other = _LATIN_MARK.search(target), _OTHER_MARK.search(target)
    if latin:
        found.append(_finding(f"Latin {latin.group(1)} for {_MARKS[latin.group(1)]}", latin.span(1)))
    elif other and other.group() not in source:
        found.append(_finding(f"{other.group()} is no mark of Arabic", other.span()))
    if bool(_COLON.search(source)) != bool(_COLON.search(target)):
        found.append(_finding("a colon at the end on one side only", None))
    return found


def _finding(message: str, span: Span | None, severity: Severity = "minor") -> Finding:
    return Finding(check="punctuation", category="fluency/punctuation", severity=severity, message=message, target_span=span)
