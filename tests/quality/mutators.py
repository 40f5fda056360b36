"""The errors that the checks must name without exception, made by the corruptor from right pairs.

In: a right pair. Out: its wrong target, or None where the error cannot be made. What is found in shares only, and how large they
are, is what `make bench` prints.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from pipeline.quality.corruptor import Corruption, corrupt
from tests.quality.pairs import RIGHT, Right

Mutate = Callable[[str, str], str | None]
_SEED = 1
#: Seeds that are tried for an error of which only some forms are meant here.
_SEEDS = 40
#: Organs that the lists of the checks have; the corruptor knows more.
_ORGANS = ("كبد", "قلب", "طحال", "دماغ", "كلية", "رئة", "معدة")
#: A word of the heart and of the pericardium name one organ twice: what is swapped once is there still.
_ORGAN = re.compile(r"\b(?:liver|lungs?|lobe|chest|pneumo\w+|spleen|heart|\w*cardial|brain|kidneys?|abdomen|headache)\b", re.I)
#: Of closings those that speak of the translation; how many of the others are found is what the benchmark says.
_TALK = ("الترجمة", "ترجمة")


def _made_by(name: str, meant: Callable[[str, Corruption], bool] = lambda _source, _made: True) -> Mutate:
    def mutate(source: str, target: str) -> str | None:
        for seed in range(_SEED, _SEED + _SEEDS):
            wrong = corrupt(name, source, target, seed)
            if wrong is None:
                return None
            if meant(source, wrong):
                return wrong.target
        return None

    return mutate


def _known_organ(source: str, wrong: Corruption) -> bool:
    if len(_ORGAN.findall(source)) != 1:
        return False
    was, became = wrong.what.split(" became ")
    return was.strip("'") in _ORGANS and became.strip("'") in _ORGANS


def _digits_in_source(_source: str, wrong: Corruption) -> bool:
    return wrong.source_span is not None


def _talks(_source: str, wrong: Corruption) -> bool:
    return any(word in wrong.target[slice(*wrong.span)] for word in _TALK)


flip_side = _made_by("side_swapped")
drop_side = _made_by("side_dropped")
drop_negation = _made_by("negation_dropped")
change_number = _made_by("number_changed")
drop_number = _made_by("number_dropped", _digits_in_source)
change_number_word = _made_by("number_word_changed")
move_decimal = _made_by("decimal_moved")
transpose_digits = _made_by("digits_transposed")
misread_digit = _made_by("eastern_digit_misread")
add_or_lose_zero = _made_by("tenfold")
swap_unit = _made_by("unit_changed")
change_level = _made_by("level_changed")
swap_yes_no = _made_by("yes_no_swapped")
swap_organ = _made_by("organ_swapped", _known_organ)
cut_end = _made_by("truncated")
keep_first_half = _made_by("last_half_lost")
keep_last_half = _made_by("first_half_lost")
lose_most = _made_by("most_lost")
leave_english = _made_by("untranslated")
leave_capitals = _made_by("untranslated", lambda source, _made: source.isupper())
leave_half_english = _made_by("half_untranslated", lambda source, _made: len(source.split()) >= 10)
leave_three_words = _made_by("three_words_left")
persian_letters = _made_by("persian_letters")
persian_text = _made_by("persian_text")
mojibake = _made_by("mojibake_latin1")
windows_mojibake = _made_by("mojibake_cp1252")
loop = _made_by("loop")
preamble = _made_by("preamble")
closing_note = _made_by("closing", _talks)
lose_image = _made_by("image_lost")
move_image = _made_by("image_moved")
double_image = _made_by("image_doubled")
swap_drug = _made_by("drug_swapped")
swap_answer = _made_by("answer_swapped")
append_sentence = _made_by("sentence_appended", lambda source, _made: source.endswith(".") and "\n" not in source)
change_option = _made_by("option_letter_changed")
lose_url = _made_by("url_lost")
translate_placeholder = _made_by("placeholder_translated")
question_to_statement = _made_by("question_to_statement")
statement_to_question = _made_by("statement_to_question")
close_question = _made_by("question_closed")
override = _made_by("bidi_override")
empty = _made_by("empty", lambda _source, wrong: not wrong.target.strip())


class ErrorClass(NamedTuple):
    """An error, the checks of which at least one must name it, and how bad that is."""

    mutate: Mutate
    checks: frozenset[str]
    severity: str
    least: int
    """Right pairs of the bank in which it can be made, at least: a class that nothing makes proves nothing."""


def _classes(**rows: tuple[Mutate, str, str, int]) -> dict[str, ErrorClass]:
    return {
        name: ErrorClass(mutate, frozenset(checks.split()), severity, least)
        for name, (mutate, checks, severity, least) in rows.items()
    }


ERRORS = _classes(
    flip_side=(flip_side, "laterality", "critical", 14),
    drop_side=(drop_side, "laterality", "critical", 14),
    drop_negation=(drop_negation, "negation", "critical", 10),
    change_number=(change_number, "numbers", "critical", 16),
    drop_number=(drop_number, "numbers", "critical", 6),
    change_number_word=(change_number_word, "numbers", "critical", 4),
    move_decimal=(move_decimal, "numbers", "critical", 4),
    transpose_digits=(transpose_digits, "numbers", "critical", 6),
    misread_digit=(misread_digit, "numbers", "critical", 10),
    add_or_lose_zero=(add_or_lose_zero, "numbers", "critical", 8),
    swap_unit=(swap_unit, "units", "critical", 10),
    change_level=(change_level, "codes", "critical", 5),
    swap_yes_no=(swap_yes_no, "polarity", "critical", 4),
    swap_organ=(swap_organ, "terms", "critical", 8),
    swap_drug=(swap_drug, "opposites", "critical", 4),
    swap_answer=(swap_answer, "closed_answer polarity laterality terms", "critical", 3),
    append_sentence=(append_sentence, "extra_sentence", "major", 20),
    cut_end=(cut_end, "truncation", "major", 30),
    lose_most=(lose_most, "length_ratio", "critical", 2),
    leave_english=(leave_english, "untranslated", "critical", 50),
    leave_capitals=(leave_capitals, "untranslated", "critical", 1),
    leave_half_english=(leave_half_english, "untranslated", "critical", 8),
    leave_three_words=(leave_three_words, "untranslated", "critical", 30),
    persian_letters=(persian_letters, "foreign_script", "major", 50),
    persian_text=(persian_text, "foreign_script", "major", 60),
    mojibake=(mojibake, "encoding", "critical", 60),
    windows_mojibake=(windows_mojibake, "encoding", "critical", 60),
    loop=(loop, "repetition", "critical", 50),
    preamble=(preamble, "preamble", "critical", 60),
    closing_note=(closing_note, "preamble", "critical", 60),
    lose_image=(lose_image, "image_marks", "critical", 4),
    move_image=(move_image, "image_marks", "major", 4),
    double_image=(double_image, "image_marks", "critical", 4),
    change_option=(change_option, "option_letters", "critical", 6),
    lose_url=(lose_url, "urls", "major", 1),
    translate_placeholder=(translate_placeholder, "placeholders", "critical", 2),
    question_to_statement=(question_to_statement, "question", "major", 8),
    statement_to_question=(statement_to_question, "question", "major", 30),
    close_question=(close_question, "question_kind", "major", 3),
    override=(override, "encoding", "critical", 60),
    empty=(empty, "empty", "critical", 60),
)


def made(error: ErrorClass) -> list[tuple[Right, str]]:
    """The right pairs in which the error can be made, each with its wrong target."""
    targets = ((right, error.mutate(right.source, right.target)) for right in RIGHT)
    return [(right, target) for right, target in targets if target is not None]
