"""Small makers of errors: a right pair goes in, a wrong target comes out, or None where the error cannot be made.

None of them reads the gate's word lists: a word that is missing there is to be found here.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from tests.quality.pairs import RIGHT, Right

_SIDES = {"يسرى": "يمنى", "يسار": "يمين", "أيسر": "أيمن"}
_NEGATIONS = ("لا", "لم", "لن", "ليس", "ليست", "غير", "دون", "بدون", "عدم", "ينفي", "خالية", "ألا")
#: "Not only", "no longer": nothing is denied. لا يزال, لا سيما: nor here.
_NO_NEGATION = re.compile(
    r"\b(?:not (?:only|limited|just)|no (?:longer|more|matter)|(?:or|if) not)\b|لا (?:تزال|يزال|سيما|بد)|لا الحصر", re.I
)
_ENGLISH_NEGATION = re.compile(r"\b(?:no|not|never|without|denies|cannot|none)\b|n['’]t\b", re.I)
_NEGATION = re.compile(rf"(?<!\w)و?(?:{'|'.join(_NEGATIONS)})(?!\w) ?")
_NUMBER = re.compile(r"(?<![\w.,٫٬/-])[0-9٠-٩]+(?:[.,٫٬][0-9٠-٩]+)*(?![\w/-])")
_WORDS = {"ثلاث": "أربع", "ثلاثة": "أربعة", "أربع": "خمس", "عشرة": "سبعة", "عشرون": "ثلاثون"}
_UNITS = {
    "ملغ": "غ",
    "مل": "ل",
    "سم": "مم",
    "مم": "سم",
    "ملم": "سم",
    "كغ": "غ",
    "أيام": "أسابيع",
    "أسابيع": "أشهر",
    "ساعات": "أيام",
}
_ORGANS = {"الكبد": "الكلية", "الرئة": "الكلية", "الطحال": "الكبد", "القلب": "الدماغ", "الدماغ": "القلب"}
_ORGAN = re.compile(r"\b(?:liver|lungs?|lobe|chest|pneumo\w+|spleen|heart|\w*cardial|brain|kidneys?|abdomen|headache)\b", re.I)
_END = re.compile(r"[.!?؟]\s*$")


def flip_side(source: str, target: str) -> str | None:
    """The one side of the text becomes the other."""
    if len(re.findall(r"\b(?:left|right)\b", source, re.I)) != 1:
        return None
    for one, other in (*_SIDES.items(), *((other, one) for one, other in _SIDES.items())):
        if one in target:
            return target.replace(one, other)
    return None


def drop_negation(source: str, target: str) -> str | None:
    """The only negation goes."""
    if _NO_NEGATION.search(f"{source}\n{target}"):
        return None
    if len(_ENGLISH_NEGATION.findall(source)) != 1 or len(_NEGATION.findall(target)) != 1:
        return None
    return _NEGATION.sub("", target, count=1)


def change_number(_source: str, target: str) -> str | None:
    """The last digit of the first number that stands alone becomes another one of the same script."""
    number = _NUMBER.search(target)
    if not number:
        return None
    place = number.end() - 1
    other = chr(ord(target[place]) + (4 if _value(target[place]) < 5 else -4))
    return target[:place] + other + target[place + 1 :]


def drop_number(_source: str, target: str) -> str | None:
    """A number of two digits and more goes."""
    number = re.search(r"(?<![\w.,٫٬/-])[0-9٠-٩]{2,}(?![\w.,٫٬/%٪-])", target)
    return f"{target[: number.start()]}{target[number.end() :]}" if number else None


def change_number_word(_source: str, target: str) -> str | None:
    """Three becomes four, spelled out."""
    return _swap_word(target, _WORDS)


def swap_unit(_source: str, target: str) -> str | None:
    """Milligrams become grams, days weeks, right behind a number."""
    for one, other in _UNITS.items():
        found = re.search(rf"(?<=[0-9٠-٩] ){one}(?!\w)(?! زئبق)", target)
        if found:
            return f"{target[: found.start()]}{other}{target[found.end() :]}"
    return None


def change_level(_source: str, target: str) -> str | None:
    """L4 becomes L2."""
    found = re.search(r"(?<=[TLCS])\d{1,2}", target)
    return f"{target[: found.start()]}{'2' if found.group() != '2' else '1'}{target[found.end() :]}" if found else None


def swap_yes_no(source: str, target: str) -> str | None:
    """The answer says the opposite."""
    if not re.match(r"(?:Yes|No)\b[,.]", source):
        return None
    return target.replace("نعم،", "لا،", 1) if target.startswith("نعم") else target.replace("لا،", "نعم،", 1)


def swap_organ(source: str, target: str) -> str | None:
    """The liver becomes a kidney, where the text names it once: "heart" and "pericardial" say the same organ twice."""
    return _swap_word(target, _ORGANS) if len(_ORGAN.findall(source)) == 1 else None


def cut_end(source: str, target: str) -> str | None:
    """The last two fifths of the words go, and the full stop with them."""
    words = target.split(" ")
    if len(source) < 25 or len(words) < 4 or not _END.search(target) or not _END.search(source):
        return None
    return " ".join(words[: len(words) * 3 // 5]).rstrip(".!?؟،")


def keep_first_half(_source: str, target: str) -> str | None:
    """The second half of the words goes."""
    words = target.split()
    return " ".join(words[: len(words) // 2]) if len(words) >= 10 else None


def keep_last_half(_source: str, target: str) -> str | None:
    """The first half of the words goes."""
    words = target.split()
    return " ".join(words[len(words) // 2 :]) if len(words) >= 10 else None


def lose_most(source: str, target: str) -> str | None:
    """A third of a longer text is left, with a full stop."""
    words = target.split()
    return " ".join(words[: len(words) // 3]).rstrip(".،") + "." if len(source) >= 100 and "\n" not in source else None


def leave_english(source: str, _target: str) -> str | None:
    """Nothing is translated."""
    return source if len(re.findall(r"[a-z]{3,}", source)) >= 2 else None


def leave_capitals(source: str, target: str) -> str | None:
    """Nothing is translated, and all of it is in capitals, as in many reports."""
    return source if source.isupper() and len(source.split()) > 3 and target != source else None


def leave_half_english(source: str, target: str) -> str | None:
    """The second half is left in English."""
    words, english = target.split(), source.split()
    if len(english) < 9 or "\n" in source:
        return None
    return " ".join((*words[: len(words) // 2], *english[len(english) // 2 :]))


def leave_three_words(_source: str, target: str) -> str | None:
    """Three English words stand in the middle."""
    return f"{target[:-1]} in the abdomen{target[-1:]}" if _END.search(target) else None


def persian_letters(_source: str, target: str) -> str | None:
    """Persian keh and yeh in place of the Arabic ones."""
    return target.replace("ك", "ک").replace("ي", "ی") if re.search("[كي]", target) else None


def mojibake(_source: str, target: str) -> str | None:
    """UTF-8 read as Latin-1."""
    return target.encode().decode("latin-1")


def windows_mojibake(_source: str, target: str) -> str | None:
    """UTF-8 read as Windows-1252, what that has not replaced."""
    return target.encode().decode("cp1252", "replace")


def loop(_source: str, target: str) -> str | None:
    """The last three words come four times more."""
    last = " ".join(re.sub(r"[.؟!?]\s*$", "", target).split()[-3:])
    return f"{target} {' '.join([last] * 4)}." if len(last.split()) == 3 else None


def preamble(_source: str, target: str) -> str | None:
    """A chat model announces its translation."""
    return f"بالتأكيد! إليك الترجمة العربية:\n{target}"


def closing_note(_source: str, target: str) -> str | None:
    """A chat model is polite after its translation."""
    return f"{target}\nآمل أن تكون الترجمة مفيدة."


def lose_image(_source: str, target: str) -> str | None:
    """The mark of the picture goes."""
    return target.replace("<image>", "").strip() if "<image>" in target else None


def move_image(_source: str, target: str) -> str | None:
    """The mark of the picture goes to the other end."""
    if "<image>" not in target:
        return None
    rest = target.replace("<image>", "").strip()
    return f"{rest}\n<image>" if target.startswith("<image>") else f"<image>\n{rest}"


def change_option(_source: str, target: str) -> str | None:
    """The first option's letter becomes another one."""
    found = re.search(r"^[A-H](?=\. )", target, re.M)
    return f"{target[: found.start()]}{chr(ord(found.group()) + 1)}{target[found.end() :]}" if found else None


def lose_url(_source: str, target: str) -> str | None:
    """The address becomes words."""
    return re.sub(r"https?://\S+", "الموقع", target) if "://" in target else None


def translate_placeholder(_source: str, target: str) -> str | None:
    """[DATE] becomes an Arabic word."""
    changed = target.replace("[DATE]", "[التاريخ]").replace("[NAME]", "[الاسم]")
    return changed if changed != target else None


def question_to_statement(_source: str, target: str) -> str | None:
    """The question mark becomes a full stop."""
    return f"{target.rstrip()[:-1]}." if target.rstrip().endswith("؟") else None


def statement_to_question(source: str, target: str) -> str | None:
    """The full stop becomes a question mark."""
    return f"{target[:-1]}؟" if target.endswith(".") and source.endswith(".") else None


def close_question(source: str, target: str) -> str | None:
    """An open question becomes one for yes or no."""
    if not re.match(r"(?:What|Which|Where|How)\b[^\n]*\?$", source):
        return None
    return f"هل {target.split(' ', 1)[1]}"


def override(_source: str, target: str) -> str | None:
    """A right-to-left override in the middle."""
    return f"{target[: len(target) // 2]}\u202e{target[len(target) // 2 :]}"


def empty(_source: str, _target: str) -> str | None:
    """Nothing."""
    return " \n"


class ErrorClass(NamedTuple):
    """An error, the checks of which at least one must name it, and how bad that is."""

    mutate: Callable[[str, str], str | None]
    checks: frozenset[str]
    severity: str
    least: int
    """Right pairs of the bank in which it can be made, at least: a class that nothing makes proves nothing."""


def _classes(*rows: tuple[Callable[[str, str], str | None], str, str, int]) -> dict[str, ErrorClass]:
    return {
        mutate.__name__: ErrorClass(mutate, frozenset(checks.split()), severity, least)
        for mutate, checks, severity, least in rows
    }


ERRORS = _classes(
    (flip_side, "laterality", "critical", 14),
    (drop_negation, "negation", "critical", 10),
    (change_number, "numbers", "critical", 16),
    (drop_number, "numbers", "critical", 6),
    (change_number_word, "numbers", "critical", 4),
    (swap_unit, "units", "critical", 10),
    (change_level, "codes", "critical", 5),
    (swap_yes_no, "polarity", "critical", 4),
    (swap_organ, "terms", "critical", 8),
    (cut_end, "truncation", "major", 30),
    (lose_most, "length_ratio", "critical", 2),
    (leave_english, "untranslated", "critical", 50),
    (leave_capitals, "untranslated", "critical", 1),
    (leave_half_english, "untranslated", "critical", 20),
    (leave_three_words, "untranslated", "critical", 40),
    (persian_letters, "foreign_script", "major", 50),
    (mojibake, "encoding", "critical", 60),
    (windows_mojibake, "encoding", "critical", 60),
    (loop, "repetition", "critical", 50),
    (preamble, "preamble", "critical", 60),
    (closing_note, "preamble", "critical", 60),
    (lose_image, "image_marks", "critical", 4),
    (move_image, "image_marks", "major", 4),
    (change_option, "option_letters", "critical", 6),
    (lose_url, "urls", "major", 1),
    (translate_placeholder, "placeholders", "critical", 2),
    (question_to_statement, "question", "major", 8),
    (statement_to_question, "question", "major", 30),
    (close_question, "question_kind", "major", 3),
    (override, "encoding", "critical", 60),
    (empty, "empty", "critical", 60),
)


def made(error: ErrorClass) -> list[tuple[Right, str]]:
    """The right pairs in which the error can be made, each with its wrong target."""
    targets = ((right, error.mutate(right.source, right.target)) for right in RIGHT)
    return [(right, target) for right, target in targets if target is not None]


def _swap_word(target: str, table: dict[str, str]) -> str | None:
    for one, other in table.items():
        changed = re.sub(rf"(?<!\w){one}(?!\w)", other, target, count=1)
        if changed != target:
            return changed
    return None


def _value(digit: str) -> int:
    return int(digit)
