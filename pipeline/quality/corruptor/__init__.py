"""Test bed of the gate: a good pair goes in, the same pair with one known error comes out, with the place of the error.

In: a pair that a clinician would sign, the name of a class of CLASSES, a seed. Out: a Corruption, or None where the class
cannot be made of this pair. Pure: the same pair and seed give the same error on every machine. No maker reads
the gate's word lists.
Used by `make bench` and the tests. It could also plant attention items among what experts review (an item whose error is known
shows whether they still read); nothing does that yet.
"""

import hashlib
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from pipeline.quality.corruptor import form, length, meaning, script, values
from pipeline.quality.corruptor.edits import Good, Maker, Span
from schemas.base import Severity

__all__ = ["CLASSES", "Corruption", "ErrorClass", "corrupt"]


class Corruption(NamedTuple):
    """A wrong Arabic and where it is wrong: `target[:span[0]]` begins the good one, `target[span[1]:]` ends it.

    Where something is missing the span has length zero, and `source_span` says what is missing, if that is known.
    """

    name: str
    target: str
    span: Span
    what: str
    source_span: Span | None


class ErrorClass(NamedTuple):
    """A maker, and the MQM category and severity that a reviewer would give."""

    make: Maker
    category: str
    severity: Severity


def _classes(*rows: tuple[str, Severity, tuple[Maker, ...]]) -> dict[str, ErrorClass]:
    return {make.__name__: ErrorClass(make, category, severity) for category, severity, makers in rows for make in makers}


_VALUES = (
    values.number_changed, values.number_word_changed, values.decimal_moved, values.tenfold, values.digits_transposed,
    values.eastern_digit_misread, values.unit_changed, values.frequency_changed, values.level_changed,
)  # fmt: skip
_MEANINGS = (
    meaning.negation_dropped, meaning.negation_added, meaning.side_swapped, meaning.sides_exchanged, meaning.organ_swapped,
    meaning.drug_swapped, meaning.opposite, meaning.yes_no_swapped, length.unrelated, form.answer_swapped,
)  # fmt: skip
_LOSSES = (
    length.first_half_lost, length.last_half_lost, length.truncated, length.ending_lost, length.most_lost, length.clause_lost,
    length.sentence_lost,
)  # fmt: skip
CLASSES = _classes(
    ("accuracy/mistranslation", "critical", _VALUES),
    ("accuracy/omission", "critical", (values.number_dropped, meaning.side_dropped)),
    ("accuracy/mistranslation", "critical", _MEANINGS),
    ("accuracy/omission", "major", _LOSSES),
    ("accuracy/addition", "major", (length.sentence_appended, length.preamble, length.closing)),
    ("fluency/repetition", "critical", (length.loop,)),
    ("accuracy/untranslated", "critical", (script.untranslated, script.half_untranslated)),
    ("accuracy/untranslated", "major", (script.three_words_left,)),
    ("accuracy/mistranslation", "critical", (script.persian_text,)),
    ("fluency/spelling", "minor", (script.persian_letters,)),
    ("fluency/character-encoding", "critical", (script.mojibake_latin1, script.mojibake_cp1252, script.bidi_override)),
    ("accuracy/omission", "critical", (script.empty, form.image_lost)),
    ("fluency/markup", "major", (form.image_moved, form.image_doubled)),
    ("accuracy/mistranslation", "critical", (form.option_letter_changed, form.option_texts_swapped, form.list_reversed)),
    ("accuracy/mistranslation", "major", (form.placeholder_translated,)),
    ("accuracy/omission", "major", (form.url_lost,)),
    ("accuracy/mistranslation", "major", (form.question_to_statement, form.statement_to_question, form.question_closed)),
)


def corrupt(name: str, source: str, target: str, seed: int, others: Sequence[str] = ()) -> Corruption | None:
    """The pair with one error of the class; None where it cannot be made of it. Raises KeyError for a class that is none.

    `others` are targets of other pairs, for the classes that bring in what does not belong here.
    """
    said = f"{name}\0{seed}\0{source}\0{target}"
    dice = Random(hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest())
    edit = CLASSES[name].make(Good(source, target, tuple(others)), dice)
    return None if edit is None or edit.target == target else Corruption(name, *edit)
