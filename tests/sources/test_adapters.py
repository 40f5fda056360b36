"""Each adapter on its corpus as published: nothing is lost, and the traps are read as what they are."""

import pytest

from pipeline.sources.registry import CORPORA
from schemas.sample import IMAGE_MARK, REASONS
from tests.sources.published import PUBLISHED

CASES = [pytest.param(name, number, id=f"{name}-{number}") for name, many in PUBLISHED.items() for number in range(len(many))]


def _read(folder, name, number=0):
    return list(CORPORA[name].read(PUBLISHED[name][number].write(folder)))


def _exchanges(folder, name, number=0):
    """Record id to the texts of its first draft."""
    return {r.id: [text for _, text in r.drafts[0].turns] for r in _read(folder, name, number) if r.drafts}


def _details(folder, name, number=0):
    return {record.id: record.detail for record in _read(folder, name, number)}


def test_every_corpus_has_a_published_file():
    assert set(PUBLISHED) == set(CORPORA), "a new corpus needs its published form in tests/sources/published.py"
    assert all(PUBLISHED.values())


@pytest.mark.parametrize(("name", "number"), CASES)
def test_each_source_record_gives_one_record_with_drafts_or_a_reason(tmp_path, name, number):
    records = _read(tmp_path, name, number)
    assert tuple((r.id, r.reason or len(r.drafts)) for r in records) == PUBLISHED[name][number].outcomes
    assert [record.row for record in records] == list(range(1, len(records) + 1))
    for record in records:
        assert bool(record.drafts) != (record.reason is not None)
        assert record.reason is None or record.reason in REASONS
        assert len(record.sha256) == 64


@pytest.mark.parametrize(("name", "number"), CASES)
def test_drafts_are_what_the_declaration_promises(tmp_path, name, number):
    for record in _read(tmp_path, name, number):
        for draft in record.drafts:
            assert draft.task in CORPORA[name].tasks
            assert sum(text.count(IMAGE_MARK) for _, text in draft.turns) == len(draft.images)
            assert all(text.replace(IMAGE_MARK, "").strip() for _, text in draft.turns)
            roles = [role for role, _ in draft.turns if role != "system"]
            assert roles == ["user", "assistant"] * (len(roles) // 2)


def test_the_same_record_has_the_same_digest_in_another_file(tmp_path):
    records = [_read(tmp_path, "genmedgpt")[0], _read(tmp_path, "genmedgpt")[0], _read(tmp_path, "alpaca")[0]]
    assert records[0].sha256 == records[1].sha256 != records[2].sha256


def test_slake_keeps_words_that_look_like_missing_values_and_comma_lists(tmp_path):
    read = _exchanges(tmp_path, "slake")
    assert read["0"] == [f"{IMAGE_MARK}\nWhich organs are shown?", "Heart, Lung, Spine"]
    assert [read[key][1] for key in ("4", "5", "10")] == ["None", "2", "True"]


def test_slake_tells_the_other_language_from_a_language_that_is_not_there(tmp_path):
    records = {record.id: record for record in _read(tmp_path, "slake")}
    assert records["1"].language == "zh"
    assert records["6"].detail == "no q_lang"
    assert records["7"].detail == "no img_name"


def test_slake_names_modality_and_region(tmp_path):
    metas = {record.id: record.drafts[0].meta for record in _read(tmp_path, "slake") if record.drafts}
    assert metas["0"]["modality"] == "cxr"
    assert metas["5"]["modality"] == "ct"
    assert metas["0"]["body_region"] == "Chest"


def test_pmc_vqa_strips_prefixes_and_keeps_na_words(tmp_path):
    read = _exchanges(tmp_path, "pmc_vqa")
    assert read["PMC9000001_F1-1"] == [
        f"{IMAGE_MARK}\nWhat plane is shown?\nA. Sagittal\nB. Axial\nC. Coronal\nD. Oblique", "B. Axial",
    ]  # fmt: skip
    assert read["PMC9000001_F1-2"][0].endswith("used?\nA. H&E, weak\nB. PAS\nC. None\nD. NA")
    assert read["PMC9000001_F1-2"][1] == "C. None"
    assert read["PMC9000002_F2-3"][0].endswith('one cell?\nA. N/A\nB. null\nC. nan\nD. the "halo" sign')
    assert read["PMC9000003_F1-5"][1] == "D. A duct", "a text that is no option leaves the letter alone"


def test_pmc_vqa_answer_is_a_letter_only_where_there_is_no_label_column(tmp_path):
    letters = _exchanges(tmp_path, "pmc_vqa", 1)
    assert letters["17"][1] == "B. Right"
    assert letters["18"][1] == "C. CD", "an abbreviation is no pair of letters"
    assert _exchanges(tmp_path, "pmc_vqa", 2)["PMC9000021_F1-1"][1] == "B. Spleen"


def test_pmc_vqa_says_which_answer_is_none_of_the_options(tmp_path):
    assert "'AB'" in _details(tmp_path, "pmc_vqa", 1)["19"]
    assert "'AB'" in _details(tmp_path, "pmc_vqa")["PMC9000004_F1-6"]


def test_a_pmc_vqa_row_that_calls_itself_test_is_held_out_and_train_is_left_to_the_config(tmp_path):
    assert {record.id: record.split for record in _read(tmp_path, "pmc_vqa", 1)} == {
        "17": None,
        "18": None,
        "19": None,
        "20": "test",
    }


def test_llava_med_reads_both_spellings_and_keeps_the_mark_where_it_stands(tmp_path):
    read = _exchanges(tmp_path, "llava_med")
    assert read["7001_F2"] == [f"What is stained?\n{IMAGE_MARK}", "Nuclei.", "How?", "Blue."]
    assert read["7001_F3"] == [f"{IMAGE_MARK}\nNo mark?", "None."]
    records = _read(tmp_path, "llava_med")
    assert records[0].drafts[0].turns[0] == ("user", f"{IMAGE_MARK}\nDescribe it.")
    assert [r.drafts[0].meta.get("modality") for r in records[:3]] == ["mri", "histology", None]


def test_llava_meds_evaluation_questions_are_held_out_whatever_the_config_says(tmp_path):
    records = _read(tmp_path, "llava_med", 1)
    assert {record.split for record in records if record.drafts} == {"test"}
    assert [record.drafts[0].task for record in records[:2]] == ["vqa", "caption"]
    assert "Never part" not in str([record.drafts for record in records])


def test_iu_xray_joins_all_projections_and_keeps_redactions_for_curation(tmp_path):
    records = {record.id: record for record in _read(tmp_path, "iu_xray")}
    assert records["1"].drafts[0].images == ("1_IM-0001-4001.dcm.png", "1_IM-0001-3001.dcm.png")
    assert records["1"].drafts[0].turns[1][1] == "Findings: Lungs are clear, no\neffusion.\nImpression: Normal chest."
    assert records["5"].drafts[0].turns[1][1] == "Impression: No pneumothorax."
    summary = records["2"].drafts[0]
    assert (summary.task, summary.images) == ("summary", ())
    assert summary.turns[1][1] == "Cardiomegaly. XXXX XXXX follow-up."


def test_an_iu_xray_row_that_is_cut_is_no_report(tmp_path):
    assert "not as many cells" in _details(tmp_path, "iu_xray")["row-6"]


def test_pubmedqas_long_answer_is_never_in_the_prompt(tmp_path):
    read = _exchanges(tmp_path, "pubmedqa")
    assert read["90001"] == ["Forty patients rested.\nThey slept.\nDoes rest help?", "Yes. Rest helped those who slept."]
    assert read["90002"] == ["One text, not a list.\nDoes salt matter?", "It may."]
    assert read["90003"] == ["Is it safe?", "Maybe."]


def test_mts_dialog_survives_line_breaks_in_cells_and_stray_windows_bytes(tmp_path):
    read = _exchanges(tmp_path, "mts_dialog")
    assert read["0"][0].split("\n", 1)[1] == "Doctor: How warm?\nPatient: 38°C, I think.\nDoctor: Hm."
    assert read["0"][1] == "He had a fever of 38°C, and took none."
    assert read["1"][0].endswith("Doctor: Any allergies?\nPatient: N/A.")
    assert read["1"][1] == "None"


def test_the_chat_corpora_drop_the_constant_instruction_only(tmp_path):
    read = _exchanges(tmp_path, "healthcaremagic")
    assert read["1"] == ["My knee hurts after running.", "Rest it for a week."]
    assert read["4"][0] == "Answer: what helps against thirst?"
    assert _exchanges(tmp_path, "alpaca")["2"] == ["Is this safe in pregnancy?\nAspirin or ibuprofen", "False"]


def test_icliniq_takes_the_doctors_answer_before_the_machines(tmp_path):
    read = _exchanges(tmp_path, "icliniq")
    assert [read[key][1] for key in ("1", "2")] == ["It is not.", "It will heal."]


def test_figure1_asks_what_each_row_can_answer(tmp_path):
    drafts = {record.id: record.drafts for record in _read(tmp_path, "figure1_cxr")}
    assert [draft.turns[1][1] for draft in drafts["C-00001a"]] == [
        "AP erect",
        "Pneumonia",
        "A man, 50+, with 38.5°C and dyspnoea.",
    ]
    assert [draft.images for draft in drafts["C-00001b"]] == [("C-00001b",)]


def test_llava_says_which_roles_it_found(tmp_path):
    details = _details(tmp_path, "llava")
    assert details["from-gpt"] == "roles are ['assistant', 'user']"
    assert details["null-turn"] == "roles are ['user', '?', 'assistant']"
    assert details["stray"] == "1 marks, 0 images"
