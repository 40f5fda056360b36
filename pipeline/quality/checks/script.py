"""Language and script: what was left in English, letters of other languages, damaged characters."""

import re

from schemas.quality import Finding

_LETTER = re.compile(r"[^\W\d_]")
_ARABIC = re.compile("[\u0621-\u064a\u066e-\u06d3]")
_ENGLISH_WORD = re.compile(r"[a-z]{3,}")
#: Three lower-case English words in a row: no false alarm on TICO-19 (FINDINGS).
_ENGLISH_RUN = re.compile(r"(?<![A-Za-z/.@])[a-z]{2,}(?: [a-z]{2,}){2,}(?![A-Za-z])")
#: Letters that Persian, Urdu, Kurdish or Pashto have and Arabic has not.
_FOREIGN = re.compile("[پچژگکیےۀہھںٹڈڑۆێڕڵۇېۍ]")
_OTHER_SCRIPT = re.compile(
    "[\u0370-\u03ff\u0400-\u04ff\u0590-\u05ff\u0900-\u0dff\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
)
#: UTF-8 read as Latin-1 or Windows-1252: Arabic turns into Ø and Ù with a companion.
_MOJIBAKE = re.compile(
    "[ØÙÚÛ][\u0080-\u00ff\u2018-\u201e\u2020-\u2026\u0152\u0160\u0178\u017d\u02c6\u02dc]|Ã[\u0080-\u00bf]|\ufffd|[\ud800-\udfff]"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]")
#: Share of Arabic among the letters below which a translation counts as not, or only half, done.
_UNTRANSLATED, _HALF = 0.15, 0.5


def untranslated(source: str, target: str, _kind: str) -> list[Finding]:
    """The target is English, or half of it, or three words in a row of it."""
    letters = len(_LETTER.findall(target))
    share = len(_ARABIC.findall(target)) / letters if letters else 1.0
    if letters and not _ENGLISH_WORD.search(source) and share < _HALF:
        # T2, MRI, pH 7.4: nothing that wants translating.
        return []
    if not letters and _ENGLISH_WORD.search(source):
        return [Finding(check="untranslated", category="accuracy/untranslated", severity="critical", message="no word of Arabic")]
    if share < _HALF:
        amount = "not" if share < _UNTRANSLATED else "only half"
        return [
            Finding(check="untranslated", category="accuracy/untranslated", severity="critical", message=f"{amount} translated")
        ]
    run = _ENGLISH_RUN.search(target)
    if run:
        message = f"left in English: {run.group()[:60]}"
        return [
            Finding(
                check="untranslated",
                category="accuracy/untranslated",
                severity="critical",
                message=message,
                target_span=run.span(),
            )
        ]
    return []


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
        return [
            Finding(
                check="encoding",
                category="fluency/character-encoding",
                severity="critical",
                message="damaged characters",
                target_span=broken.span(),
            )
        ]
    control = _CONTROL.search(target)
    if control:
        message = f"control character U+{ord(control.group()):04X}"
        return [
            Finding(
                check="encoding",
                category="fluency/character-encoding",
                severity="critical",
                message=message,
                target_span=control.span(),
            )
        ]
    return []
