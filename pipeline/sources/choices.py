"""Multiple choice of any corpus: a question with its options and what the source says is right, to one Record.

Which option is right is told by a letter, by a text, or by both. Where the two contradict each other, or the right text stands
twice, nobody can tell, and the record falls.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from string import ascii_uppercase

from pipeline.sources.base import Record, dropped, kept
from pipeline.sources.pmc_vqa import mcq

_PREFIX = re.compile(r"^\(?([A-Z])\s*[.:)]\s*(?=\S)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A question as its source puts it."""

    question: str
    options: tuple[str, ...]
    """In order: the first is A."""
    letter: str = ""
    """As the source gives it, with any case; empty when it gives none."""
    answer: str = ""
    """The right option's text; some files write the letter here."""
    topic: str = ""
    image: str = ""
    modality: str = ""


def options_of(value: object) -> tuple[str, ...]:
    """Options from {"A": text}, [{"key": "A", "value": text}] or [text]; empty when a letter before the last is missing."""
    if isinstance(value, list) and all(isinstance(item, dict) and "key" in item for item in value):
        value = {item["key"]: item.get("value") for item in value}
    if isinstance(value, Mapping):
        keyed = {str(key).strip().upper(): _plain(item) for key, item in value.items()}
        while keyed and not keyed[max(keyed)]:
            del keyed[max(keyed)]  # Files for four and five options have `"E": null` where there is no fifth.
        letters = sorted(keyed)
        return tuple(keyed[letter] for letter in letters) if letters == list(ascii_uppercase[: len(letters)]) else ()
    return tuple(_plain(item) for item in value) if isinstance(value, list) else ()


def choice(raw: object, row: int, name: str, asked: Asked, split: str | None = None) -> Record:
    """The record of a question: one `mcq` draft, or the reason why it gives none."""
    options = _unprefixed(asked.options)
    if not asked.question:
        return dropped(raw, row, name, "empty_question")
    if not 2 <= len(options) <= len(ascii_uppercase) or not all(options):
        told = f"an option is empty: {list(options)}" if len(options) > 1 else "fewer than two options, or a letter is left out"
        return dropped(raw, row, name, "invalid_options", told[:300])
    if not asked.letter and not asked.answer:
        return dropped(raw, row, name, "empty_answer")
    letter, fault = right_letter(options, asked.letter, asked.answer)
    if fault:
        return dropped(raw, row, name, "invalid_options", fault[:300])
    draft = mcq(asked.question, list(options), letter, asked.image)
    about = {"question_type": asked.topic, "modality": asked.modality}
    draft = replace(draft, meta={**draft.meta, **{key: value for key, value in about.items() if value}})
    return kept(raw, row, name, draft, split=split)


def right_letter(options: tuple[str, ...], letter: str, answer: str) -> tuple[str, str]:
    """(letter, "") of the right option, or ("", why nobody can tell)."""
    marks, named = ascii_uppercase[: len(options)], letter.strip().upper()
    if named and (len(named) > 1 or named not in marks):
        return "", f"the answer {letter!r} is none of A to {marks[-1]}"
    texts, spelled = _told(options, answer)
    told = (texts or spelled) if named else texts | spelled
    if answer and not told:
        return "", f"the answer {answer!r} is none of the options"
    if named and answer and named not in told:
        return "", f"the letter is {named} and the text {answer!r} is {' and '.join(sorted(told))}"
    right = named or min(told)
    same = [mark for mark, option in zip(marks, options, strict=True) if _folded(option) == _folded(options[marks.index(right)])]
    if len(same) > 1:
        return "", f"the right option stands twice, as {' and '.join(same)}"
    return (right, "") if named or len(told) == 1 else ("", f"the answer {answer!r} may be {' or '.join(sorted(told))}")


def _told(options: tuple[str, ...], answer: str) -> tuple[set[str], set[str]]:
    """Letters of the options whose text the answer is, and the letter that it is or, before that letter's text, begins with."""
    marks, bare = ascii_uppercase[: len(options)], answer.strip()
    texts = {mark for mark, option in zip(marks, options, strict=True) if _folded(option) == _folded(bare)}
    found = _PREFIX.match(bare)
    if len(bare) == 1 and bare.upper() in marks:
        return texts, {bare.upper()}
    if found and found.group(1) in marks and _folded(options[marks.index(found.group(1))]) == _folded(bare[found.end() :]):
        return texts, {found.group(1)}
    return texts, set()


def _unprefixed(options: tuple[str, ...]) -> tuple[str, ...]:
    """Without `A. ` to `D. ` where every option carries its own letter: alone, `A. fumigatus` is a mould."""
    found = [_PREFIX.match(option) for option in options]
    own = all(match and match.group(1) == mark for match, mark in zip(found, ascii_uppercase, strict=False))
    return tuple(option[match.end() :] for option, match in zip(options, found, strict=True) if match) if own else options


def _plain(value: object) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()


def _folded(words: str) -> str:
    return " ".join(words.split()).casefold()
