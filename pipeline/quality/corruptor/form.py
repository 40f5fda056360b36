"""What must come back exactly (marks, options, lists, placeholders, addresses), and the kind of sentence.

In: a good pair; out: an Edit or None.
"""

import re
from random import Random

from pipeline.quality.corruptor.edits import Edit, Good, compared, cut, put, words

_IMAGE = "<image>"
_OPTION = re.compile(r"^(?P<letter>[A-H])(?P<sign>[.)]\s+)(?P<text>.+)$", re.M)
_STEP = re.compile(r"^(?P<letter>\d+)(?P<sign>[.)]\s+)(?P<text>.+)$", re.M)
_URL = re.compile(r"(?:https?://|www\.)[^\s،؛؟()]*[^\s،؛؟().,]")
_OPEN = re.compile(r"(?:What|Which|Where|How)\b[^\n]*\?$")


def image_lost(good: Good, _dice: Random) -> Edit | None:
    """The mark of the picture goes."""
    at = good.target.find(_IMAGE)
    if at < 0:
        return None
    end = at + len(_IMAGE)
    return cut(good.target, (at, end + 1 if good.target[end : end + 1] == "\n" else end))


def image_moved(good: Good, _dice: Random) -> Edit | None:
    """The mark of the picture stands at the other end."""
    if good.target.count(_IMAGE) != 1:
        return None
    rest = good.target.replace(_IMAGE, "").strip()
    if not rest:
        return None
    wrong = f"{rest}\n{_IMAGE}" if good.target.lstrip().startswith(_IMAGE) else f"{_IMAGE}\n{rest}"
    return compared(good.target, wrong, f"{_IMAGE} is moved")


def image_doubled(good: Good, dice: Random) -> Edit | None:
    """The mark of the picture stands twice."""
    if _IMAGE not in good.target:
        return None
    return compared(good.target, dice.choice([f"{good.target}\n{_IMAGE}", f"{_IMAGE}\n{good.target}"]), f"one {_IMAGE} too many")


def option_letter_changed(good: Good, dice: Random) -> Edit | None:
    """One option has another's letter, or an Arabic one."""
    options = list(_OPTION.finditer(good.target))
    if not options:
        return None
    found = dice.choice(options)
    others = [letter for letter in "ABCDEأبج" if letter != found["letter"]]
    return put(good.target, found.span("letter"), dice.choice(others))


def option_texts_swapped(good: Good, dice: Random) -> Edit | None:
    """Two options have each other's text: the right letter then names a wrong answer."""
    options = list(_OPTION.finditer(good.target))
    if len(options) < 2:
        return None
    one, other = sorted(dice.sample(options, 2), key=lambda match: match.start())
    text, (a, b), (c, d) = good.target, one.span("text"), other.span("text")
    wrong = text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]
    return compared(text, wrong, f"the texts of {one['letter']} and {other['letter']} are swapped")


def list_reversed(good: Good, _dice: Random) -> Edit | None:
    """The items of a list of three and more come in reverse order behind the same numbers or letters."""
    for pattern in (_OPTION, _STEP):
        items = list(pattern.finditer(good.target))
        if len(items) >= 3:
            texts = [item["text"] for item in items]
            wrong = good.target
            for item, text in zip(reversed(items), texts, strict=True):
                wrong = wrong[: item.start("text")] + text + wrong[item.end("text") :]
            return compared(good.target, wrong, "the list is reversed")
    return None


def placeholder_translated(good: Good, dice: Random) -> Edit | None:
    """[DATE] becomes an Arabic word in brackets."""
    table = words()["text"]["placeholders"]
    found = [(at.span(), table[name]) for name in table for at in re.finditer(re.escape(name), good.target)]
    return put(good.target, *dice.choice(found)) if found else None


def url_lost(good: Good, dice: Random) -> Edit | None:
    """An address becomes words, or loses its end."""
    found = list(_URL.finditer(good.target))
    if not found:
        return None
    at = dice.choice(found)
    return put(good.target, at.span(), dice.choice(["الموقع الإلكتروني", at.group()[:-3]]))


def question_to_statement(good: Good, _dice: Random) -> Edit | None:
    """The question mark at the end becomes a full stop."""
    at = len(good.target.rstrip()) - 1
    return put(good.target, (at, at + 1), ".") if at > 0 and good.target[at] in "؟?" else None


def statement_to_question(good: Good, _dice: Random) -> Edit | None:
    """The full stop at the end becomes a question mark."""
    at = len(good.target.rstrip()) - 1
    return (
        put(good.target, (at, at + 1), "؟") if at > 0 and good.target[at] == "." and good.source.rstrip().endswith(".") else None
    )


def answer_swapped(good: Good, dice: Random) -> Edit | None:
    """An answer of a word or two becomes another answer to the same question."""
    said = good.source.strip().rstrip(".").lower()
    for row in words()["answers"]["rows"]:
        if said in row:
            other = dice.choice([arabic for english, arabic in row.items() if english != said])
            return Edit(other, (0, len(other)), f"the answer {said!r} became {other!r}")
    return None


def question_closed(good: Good, _dice: Random) -> Edit | None:
    """What, which or where becomes a question for yes or no."""
    first = re.match(r"\S+ ", good.target)
    if not first or not _OPEN.match(good.source) or "\n" in good.target or first.group().strip() == "هل":
        return None
    return put(good.target, (0, first.end()), "هل ")
