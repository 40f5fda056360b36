"""Language and script: what was left in English, letters of other languages, damaged characters."""

import re

from schemas.base import Severity
from schemas.quality import Finding, Span

_COPIED = re.compile(r"(?:https?://|www\.)[^\s\u0600-\u06ff]+|\[[A-Z]+\]|<image>")
#: Tatweel stretches letters and is none.
_LETTER = re.compile(r"[^\W\d_\u0640]")
_FIRST_CHARS = 20
_NO_ARABIC = re.compile("[^\\W\\d_\u0621-\u064a\u066e-\u06d3]")
_ARABIC = re.compile("[\u0621-\u063f\u0641-\u064a\u066e-\u06d3\ufb50-\ufdff\ufe70-\ufefc]")
#: Letters as they are drawn, left by a PDF: to a reader they look right, to a search and a model they are others.
_DRAWN = re.compile("[\ufb50-\ufbb1\ufbd3-\ufd3d\ufe70-\ufefc]")
#: What wants translating: words, also in the capitals of reports ("NO ACUTE DISEASE"), unlike T2, MRI or FLAIR STIR.
_ENGLISH_WORD = re.compile(
    r"[a-z]{3,}|\b[A-Z]{6,}\b|\b[A-Z]{5,}\s+[A-Z]{5,}\b|\b(?:THE|IS|ARE|AND|OF|WITH|NO|NOT|FOR)\b"
    r"|\b(?:[Oo]r|of|to|[Ii]n|[Oo]n|by|[Aa]t|[Ii]s|an|as|[Nn]o|[Ii]f|[Dd]o)\b"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_LATIN = re.compile("[a-z]")
#: Two Latin words and more in a row; with one in small letters they are a phrase of English. TICO-19 has none that also stands in
#: its source outside brackets, in 1,937 pairs.
_RUN = re.compile(r"(?<![\w/.@#])[A-Za-z]+(?:[ ,;:]{1,2}(?:[0-9][0-9.,:/%]* )?[A-Za-z]+)+(?![\w@])")
#: Names of species and Latin terms are copied: Staphylococcus aureus, in vitro.
_COPIED_TERM = re.compile(r"(?:us|um|is|ae|ii|i|a|ens|ans|vitro|vivo|situ|novo|coli|pneumoniae|al)$")
#: One such word of English among Arabic: none in the 1,937 right pairs of TICO-19. Words that names have ("of") count before or
#: behind a number or a code alone.
_ENGLISH_SIGN = re.compile(
    r"(?<![\w./@-])(?:the|is|are|was|were|has|have|had|been|be|being|with|than|which|that|this|these|when|will|should|must|may"
    r"|can|could|would|not|but|if|from|by|at|every|per|daily|once|twice|your|you|my|her|his|their|our|its|it|they|we)(?![\w./@-])"
    r"|(?<![\w./@-])(?:of|to|and|or|for|on|in) (?=\d)|(?<=\d )(?:of|to|and|or|for|on|in|at) (?=\S)"
    r"|^\W*(?:The|This|These|There|It|Is|Are|Was|Were|Do|Does|Did|What|Which|How|Why|When|Where|My|Your|He|She|We|You)\b(?=[ ,])"
)
_UNIT = re.compile(r"[mn]?mol|mc?g|kg|[mdf]l|[cmn]m|min|bpm|iu|mmhg|[np]g|meq|kcal|amp")
#: Letters that Persian, Urdu, Kurdish or Pashto have and Arabic has not.
_FOREIGN = re.compile("[پچژگکیےۀہھںٹڈڑۆێڕڵۇېۍ]")
#: Without the Greek mu, which is the micro sign in another dress.
_OTHER_SCRIPT = re.compile(
    "[\u0370-\u03bb\u03bd-\u03ff\u0400-\u04ff\u0590-\u05ff\u0900-\u0dff\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
)
#: UTF-8 read as Latin-1 or Windows-1252: Arabic turns into Ø and Ù with a companion.
_MOJIBAKE = re.compile(
    "[ØÙÚÛ][\u0080-\u00ff\u2018-\u201e\u2020-\u2026\u0152\u0160\u0178\u017d\u02c6\u02dc]|Ã[\u0080-\u00bf]|\ufffd|[\ud800-\udfff]"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]")
#: Share of Arabic among the letters below which a translation counts as not, or only half, done.
_UNTRANSLATED, _HALF = 0.15, 0.5


def untranslated(source: str, target: str, _kind: str) -> list[Finding]:
    """The target is English, or half of it, or three words in a row of it; one word that only English has is major."""
    # An address, a placeholder or a mark is copied, so it says nothing about the language.
    wanted, own = _COPIED.sub(" ", source), _COPIED.sub(" ", target)
    letters, share = _letters(own)
    if letters < 2 and _WORD.search(wanted):
        return [_untranslated("critical", "no word of Arabic")]
    if share < _HALF and letters and not _ENGLISH_WORD.search(wanted):
        # T2, MRI, pH 7.4: nothing that wants translating.
        return []
    if share < _HALF:
        return [_untranslated("critical", f"{'not' if share < _UNTRANSLATED else 'only half'} translated")]
    if not _LATIN.search(own):
        return []
    for run in _RUN.finditer(target):
        if run.group() in source and _is_english(run.group()) and not _is_aside(target, run):
            return [_untranslated("critical", f"left in English: {run.group()[:60]}", run.span())]
    sign = _ENGLISH_SIGN.search(target)
    return [_untranslated("major", f"left in English: {sign.group().strip()}", sign.span())] if sign else []


def _letters(text: str) -> tuple[int, float]:
    """How many letters, two at least where there are more, and the share of Arabic among them."""
    if not _NO_ARABIC.search(text):
        # Most translations: counting 120 letters costs three times as much as seeing that all of them are Arabic.
        return min(2, len(_ARABIC.findall(text, 0, _FIRST_CHARS)) or len(_ARABIC.findall(text))), 1.0
    letters = len(_LETTER.findall(text))
    return letters, len(_ARABIC.findall(text)) / letters if letters else 1.0


def _is_english(run: str) -> bool:
    """A word in small letters that is none of a species, a name or a unit."""
    words = re.findall(r"[A-Za-z]+", run)
    small = [word for word in words if word.islower() and len(word) > 1 and not _UNIT.fullmatch(word)]
    return bool(small) and not (len(words) <= 2 and all(_COPIED_TERM.search(word) for word in small))


def _is_aside(target: str, run: re.Match[str]) -> bool:
    """A name given in brackets behind its Arabic, and nothing else in them."""
    return target[: run.start()].endswith(("(", "[", '("', "(«")) and target[run.end() :].startswith((")", "]", '")', "»)"))


def foreign_script(source: str, target: str, _kind: str) -> list[Finding]:
    """Letters of Persian or Urdu, or of a script that the source does not use."""
    for pattern, name in ((_FOREIGN, "letters that Arabic has not"), (_OTHER_SCRIPT, "another script")):
        found = [match for match in pattern.finditer(target) if match.group() not in source]
        if found:
            shown = "".join(dict.fromkeys(match.group() for match in found))[:10]
            message = f"{name}: {shown}"
            return [
                Finding(
                    check="foreign_script",
                    category="fluency/spelling",
                    severity="major",
                    message=message,
                    target_span=found[0].span(),
                )
            ]
    return []


def encoding(_source: str, target: str, _kind: str) -> list[Finding]:
    """Mojibake, replacement characters, controls and bidirectional overrides."""
    broken = _MOJIBAKE.search(target)
    if broken:
        return [_damaged("critical", "damaged characters", broken.span())]
    drawn = _DRAWN.search(target)
    if drawn:
        return [_damaged("major", "letters as they are drawn (presentation forms), not as they are written", drawn.span())]
    control = _CONTROL.search(target)
    if control:
        return [_damaged("critical", f"control character U+{ord(control.group()):04X}", control.span())]
    return []


def _damaged(severity: Severity, message: str, span: Span) -> Finding:
    category = "fluency/character-encoding"
    return Finding(check="encoding", category=category, severity=severity, message=message, target_span=span)


def _untranslated(severity: Severity, message: str, span: Span | None = None) -> Finding:
    return Finding(check="untranslated", category="accuracy/untranslated", severity=severity, message=message, target_span=span)
