"""One English term, several Arabic ones."""

import pytest

from pipeline.quality.consistency import mixed_terms, varieties
from pipeline.quality.gate import Pair
from pipeline.translate.glossary import load_glossary

NODULE = ("There is a nodule in the lung.", "توجد عقيدة في الرئة.")


@pytest.fixture(scope="module")
def glossary(tmp_path_factory):
    """The starter, and a term with a form of two words and two variants."""
    path = tmp_path_factory.mktemp("terms") / "terms.tsv"
    path.write_text(
        "en\tar\tgender\tdomain\tvariants\tnote\tsynonyms\n"
        "pleural effusion\tانصباب جنبي\tm\tpathology\tانصباب الجنب|ارتشاح بلوري\t\t\n"
        "spleen\tطحال\tm\tanatomy\t\t\t\n",
        encoding="utf-8",
    )
    return load_glossary([path])


def _pairs(*texts):
    at = (0, 0)
    pairs = []
    for source, target in texts:
        pairs.append(Pair(source, target, "answer", at))
        at = (at[0] + len(source) + 1, at[1] + len(target) + 1)
    return pairs


def test_a_term_that_a_sample_says_in_two_ways_is_named_with_the_place_of_the_second(glossary):
    pairs = _pairs(
        ("There is a pleural effusion.", "يوجد انصباب جنبي."), ("The pleural effusion is small.", "الارتشاح البلوري صغير.")
    )
    (finding,) = mixed_terms(glossary, pairs)
    assert finding.message == "'pleural effusion' is said in 2 ways: ارتشاح بلوري, انصباب جنبي"
    assert "\n".join(pair.target for pair in pairs)[slice(*finding.target_span)] == "الارتشاح البلوري"
    assert finding.severity == "neutral", "both forms are right: nothing is refused for it"


@pytest.mark.parametrize("second", ["الانصبابُ الجنبيُّ صغير.", "وبالانصباب الجنبي ألم.", "حجم الانصباب الجنبيّ صغير."])
def test_inflection_article_and_harakat_are_the_same_form(glossary, second):
    pairs = _pairs(("There is a pleural effusion.", "يوجد انصباب جنبي."), ("The pleural effusion is small.", second))
    assert mixed_terms(glossary, pairs) == []


def test_a_term_without_variants_and_a_form_that_the_glossary_does_not_know_say_nothing(glossary):
    pairs = _pairs(
        ("The spleen is seen.", "يظهر الطحال."), ("The spleen is large.", "اللوح كبير."),
        ("A pleural effusion.", "ماء حول الرئة."), ("A pleural effusion.", "انصباب جنبي."),
    )  # fmt: skip
    assert mixed_terms(glossary, pairs) == []


def test_over_a_release_forms_are_counted_with_samples_and_the_most_varied_stands_first(glossary):
    rows = [
        ("a-1", _pairs(("A pleural effusion is seen.", "يُرى انصباب جنبي."), NODULE)),
        ("a-2", _pairs(("No pleural effusion is seen.", "لا يُرى ارتشاح بلوري."))),
        ("a-3", _pairs(("No pleural effusion is seen.", "لا يُرى انصباب جنبي."), NODULE)),
    ]
    found = varieties(glossary, rows)
    assert found["terms"]["pleural effusion"].as_json() == [
        {"arabic": "انصباب جنبي", "texts": 2, "samples": ["a-1", "a-3"]},
        {"arabic": "ارتشاح بلوري", "texts": 1, "samples": ["a-2"]},
    ]
    assert list(found["segments"]) == ["No pleural effusion is seen."], "what was always said alike is not listed"
