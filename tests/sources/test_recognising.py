"""`sources check` and `identify`: a file is known by its form, and a wrong one is told what it looks like."""

import json

import pytest

from pipeline.sources.check import check
from pipeline.sources.registry import CORPORA, check_form, corpus, describe, identify
from schemas.errors import InputError
from tests.corpora import picture
from tests.sources.published import PUBLISHED

CASES = [(name, number) for name, many in PUBLISHED.items() for number in range(len(many))]
#: Forms that nothing in the file tells apart: only the user knows which corpus it is.
ALIKE = (
    {"healthcaremagic", "genmedgpt", "medical_meadow", "alpaca", "bimed"},
    {"llava", "llava_med", "llava_med_vqa", "bimed"},
    {"hf_dataset", "vqa_rad"},
    {"hf_dataset", "path_vqa"},
    {"hf_dataset", "medtrinity"},
    {"hf_dataset", "rocov2"},
    {"medqa", "bimed"},
    {"hf_dataset", "bimed"},
    {"messages", "bimed"},
)


def _alike(one, other):
    return one == other or any({one, other} <= group for group in ALIKE)


@pytest.mark.parametrize(("name", "number"), CASES)
def test_each_published_file_is_recognised_as_its_own_corpus(tmp_path, name, number):
    path = PUBLISHED[name][number].write(tmp_path)
    assert identify(path)[0] == name
    check_form(name, path)
    told = check(path)
    assert told["corpus"] == name
    outcomes = [outcome for _, outcome in PUBLISHED[name][number].outcomes]
    assert told["records"] == len(outcomes)
    assert told["samples"] == sum(outcome for outcome in outcomes if isinstance(outcome, int))
    lost = sum(len(record.lost) for record in CORPORA[name].read(path))
    assert sum(told["excluded"].values()) - lost == sum(isinstance(outcome, str) for outcome in outcomes)


@pytest.mark.parametrize(("name", "number"), CASES)
def test_a_wrong_corpus_is_refused_and_the_right_one_named(tmp_path, name, number):
    path = PUBLISHED[name][number].write(tmp_path)
    for other in CORPORA:
        if _alike(name, other):
            continue
        with pytest.raises(InputError, match=f"not {other}: .* It looks like .*{name}") as told:
            check_form(other, path)
        assert "\n" not in str(told.value)


def test_a_file_in_alpacas_form_under_no_corpuss_name_is_the_generic_one(tmp_path):
    """The guess must not lend a licence: the generic corpus claims none."""
    path = PUBLISHED["healthcaremagic"][0].write(tmp_path)
    assert identify(path)[:2] == ["healthcaremagic", "alpaca"]
    assert identify(path.rename(tmp_path / "answers.json"))[0] == "alpaca"
    assert CORPORA["alpaca"].licence == "unknown"


def test_a_misspelt_corpus_gets_the_nearest_names():
    with pytest.raises(InputError, match=r"no corpus 'slak'.*slake"):
        corpus("slak")


def test_a_file_of_no_corpus_is_told_so_and_how_to_name_one(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("item,price\nscan,10\n")
    with pytest.raises(InputError, match=r"no corpus has this form.*sources check CORPUS"):
        check(path)


def test_the_second_file_of_a_corpus_is_not_taken_for_the_first(tmp_path):
    PUBLISHED["iu_xray"][0].write(tmp_path)
    with pytest.raises(InputError, match="no MeSH, findings, impression \\(found filename, projection, uid\\)"):
        check_form("iu_xray", tmp_path / "indiana_projections.csv")


def test_missing_images_are_counted_as_ingest_finds_them(tmp_path):
    """By the stem where the corpus leaves the suffix out; a name that leads out of the folder is missing."""
    path = PUBLISHED["figure1_cxr"][0].write(tmp_path)
    folder = tmp_path / "images"
    folder.mkdir()
    picture(1).save(folder / "C-00001a.jpg")
    assert check(path, images=folder)["missing_images"] == 1
    said = [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "A table."}]
    chat = tmp_path / "chat.json"
    chat.write_text(json.dumps([{"id": 1, "image": "../metadata.csv", "conversations": said}]))
    assert check(chat, images=folder)["missing_images"] == 1


def test_check_tells_splits_and_what_is_odd_about_a_download(tmp_path):
    told = check(PUBLISHED["vqa_rad"][0].write(tmp_path))
    assert told["splits"] == {"as the config says": 6, "test": 2}
    assert told["oddities"] == [
        "1 records repeat an id",
        "first empty_answer: record 6",
        "first empty_question: record 7",
        "first missing_field: record 8, no image",
        "first not_json: record 10, not a JSON object, or not as many cells as the header",
    ]


def test_check_names_fields_that_a_corpus_was_not_known_to_have(tmp_path):
    rows = [{"image": "PMC1_Fig1_1.jpg", "caption": "A cyst.", "licence_of_article": "CC BY"}]
    (tmp_path / "pmc_oa.jsonl").write_text(json.dumps(rows[0]))
    assert check(tmp_path / "pmc_oa.jsonl")["oddities"] == ["fields that are not declared: licence_of_article"]


def test_check_counts_languages(tmp_path):
    assert check(PUBLISHED["slake"][0].write(tmp_path))["languages"] == {"en": 12, "zh": 1}


@pytest.mark.parametrize("name", sorted(CORPORA))
def test_a_declaration_says_what_a_user_must_know(name):
    told = describe(name)
    assert "read" not in told
    for key in ("title", "layout", "fields", "licence", "citation", "fingerprint", "tasks"):
        assert told[key], f"{name} has no {key}"
