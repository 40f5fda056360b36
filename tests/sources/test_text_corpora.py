"""The corpora of text and their traps: which option is right, what is held out, what XML may not do, and what nobody can tell."""

import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.curate.clean import clean
from pipeline.ingest import ingest_source
from pipeline.settings import Settings, SourceSettings
from pipeline.sources.base import language_of, split_of
from pipeline.sources.check import check
from pipeline.sources.choices import options_of, right_letter
from pipeline.sources.registry import CORPORA, check_form, identify
from pipeline.workspace import Workspace
from schemas.errors import InputError
from schemas.sample import Sample
from tests.sources.forms import lines
from tests.sources.published import PUBLISHED


def _read(folder, name, number=0):
    return list(CORPORA[name].read(PUBLISHED[name][number].write(folder)))


def _said(folder, name, number=0):
    """Record id to the texts of its first draft."""
    return {r.id: [text for _, text in r.drafts[0].turns] for r in _read(folder, name, number) if r.drafts}


def _details(folder, name, number=0):
    return {record.id: record.detail for record in _read(folder, name, number)}


def _splits(records):
    return {record.split for record in records if record.drafts}


def _medmcqa(cop, number=0):
    options = {"opa": "Iron", "opb": "Zinc", "opc": "Lead", "opd": "Tin"}
    return {"id": f"n{number}", "question": f"Which metal is number {number}?", **options, "cop": cop}


@pytest.mark.parametrize(
    ("options", "letter", "answer", "right"),
    [
        (("Iron", "Zinc"), "b", "", "B"),
        (("Iron", "Zinc"), "", " zinc ", "B"),
        (("Iron", "Zinc"), "", "b", "B"),
        (("Iron", "Zinc"), "", "B: Zinc", "B"),
        (("Iron", "Zinc"), "B", "B", "B"),
        (("Vitamin A", "A"), "B", "A", "B"),
        (("Iron", "Zinc", "Zinc"), "A", "Iron", "A"),
    ],
)
def test_the_right_option_is_found_by_letter_or_text(options, letter, answer, right):
    assert right_letter(options, letter, answer) == (right, "")


@pytest.mark.parametrize(
    ("options", "letter", "answer", "why"),
    [
        (("Iron", "Zinc"), "C", "", "'C' is none of A to B"),
        (("Iron", "Zinc"), "AB", "", "'AB' is none of A to B"),
        (("Iron", "Zinc"), "A", "Zinc", "the letter is A and the text 'Zinc' is B"),
        (("Iron", "Zinc"), "A", "Tin", "'Tin' is none of the options"),
        (("Iron", "Zinc"), "", "B: Iron", "'B: Iron' is none of the options"),
        (("C", "A", "D"), "", "A", "'A' may be A or B"),
        (("Iron", "iron "), "A", "", "stands twice, as A and B"),
        (("Iron", "iron "), "", "Iron", "stands twice, as A and B"),
    ],
)
def test_where_nobody_can_tell_the_right_option_the_reason_says_why(options, letter, answer, why):
    found, told = right_letter(options, letter, answer)
    assert found == ""
    assert why in told


def test_options_are_read_from_a_mapping_a_list_of_pairs_and_a_list():
    assert options_of({"b": "Zinc", "A": " Iron "}) == ("Iron", "Zinc")
    assert options_of([{"key": "A", "value": "Iron"}, {"key": "B", "value": 2}]) == ("Iron", "2")
    assert options_of(["Iron", None]) == ("Iron", "")
    assert options_of({"A": "Iron", "B": "Zinc", "C": None}) == ("Iron", "Zinc")
    assert options_of({"A": "Iron", "C": "Zinc"}) == options_of("Iron") == options_of(None) == ()


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("test.json", "test"), ("phrases_no_exclude_dev.jsonl", "validation"), ("test-00000-of-00001.parquet", "test"),
        ("a.zip::data/val.json", "validation"), ("train.json", None), ("latest.json", None), ("developed.json", None),
    ],
)  # fmt: skip
def test_a_files_name_tells_its_split_by_whole_words_only(tmp_path, name, split):
    assert split_of(tmp_path / name) == split


def test_the_language_is_what_most_letters_are_of():
    assert language_of("خذ paracetamol عند الحاجة إلى ذلك") == "ar"
    assert language_of("The word سعال means cough.") == "en"
    assert language_of("患者服用 aspirin 三天") == "zh"
    assert language_of("38 °C") == "en"


def test_medmcqa_reads_both_counts_of_cop(tmp_path):
    original, hosted = _said(tmp_path, "medmcqa"), _said(tmp_path, "medmcqa", 1)
    assert original["m1"] == [
        "Which vitamin do oranges hold?\nA. Vitamin A\nB. Vitamin C\nC. Vitamin D\nD. Vitamin K", "B. Vitamin C",
    ]  # fmt: skip
    assert [original[key][1] for key in ("m2", "m3", "m4")] == ["D. All of the above", "A. Vitamin A", "D. Vitamin K"]
    assert [hosted[key][1] for key in ("h1", "h2", "h3")] == ["A. Vitamin A", "B. Vitamin C", "D. Vitamin K"]


def test_medmcqa_keeps_words_that_look_like_missing_values(tmp_path):
    assert _said(tmp_path, "medmcqa")["m2"][0].endswith("A. None\nB. NA\nC. null\nD. All of the above")
    assert _said(tmp_path, "medmcqa", 3)["c1"] == ["Two lines\r\nin one, cell?\nA. None\nB. NA\nC. nan\nD. N/A", "A. None"]


def test_medmcqa_keeps_duplicate_options_unless_the_right_one_is_among_them(tmp_path):
    assert _said(tmp_path, "medmcqa")["m8"][1] == "B. Vitamin C"
    assert _details(tmp_path, "medmcqa")["m7"] == "the right option stands twice, as A and C"


def test_medmcqas_html_is_what_curation_takes_out(tmp_path):
    question = _said(tmp_path, "medmcqa")["m4"][0]
    assert clean(question)[0].startswith("Is 38°C a fever?\nA. ")


@pytest.mark.parametrize("cops", [[1, 2, 3], [1, 0, 4], [3, None]])
def test_a_cop_that_may_count_from_0_or_from_1_is_refused(tmp_path, cops):
    path = tmp_path / "some.jsonl"
    path.write_bytes(lines([_medmcqa(cop) for cop in cops]))
    with pytest.raises(InputError, match=r"some.jsonl: `cop` is .*(Take the whole file|two forms are mixed)") as told:
        list(CORPORA["medmcqa"].read(path))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("cops", "first"), [([0, 1, 3] * 101 + [4], "A. Iron"), ([4, 1, 3] * 101 + [0], "D. Tin")])
def test_one_slip_of_cop_among_many_falls_alone(tmp_path, cops, first):
    path = tmp_path / "train.json"
    path.write_bytes(lines([_medmcqa(cop, number) for number, cop in enumerate(cops)]))
    records = list(CORPORA["medmcqa"].read(path))
    assert records[0].drafts[0].turns[1][1] == first
    assert [record.detail for record in records if record.reason] == [f"the answer '{cops[-1]}' is none of A to D"]


def test_a_test_files_records_are_test_whatever_the_config_says(tmp_path):
    assert _splits(_read(tmp_path, "medmcqa", 1)) == {"validation"}
    assert _splits(_read(tmp_path, "medqa", 1)) == {"test"}
    assert _splits(_read(tmp_path, "medqa")) == {None}
    assert _splits(_read(tmp_path, "medical_meadow", 1)) == {"test"}, "made of MMLU's test questions"
    assert _splits(_read(tmp_path, "pubmedqa", 1)) == {"validation"}


@pytest.mark.parametrize("name", ["mmlu", "usmle", "uphill", "liveqa"])
def test_a_benchmark_is_always_test(tmp_path, name):
    path = PUBLISHED[name][0].write(tmp_path)
    settings = Settings(name="t", workspace=tmp_path, root=tmp_path, sources=(SourceSettings(corpus=name, path=path),))
    ingest_source(settings, Workspace(tmp_path / "work"), 0)
    samples = list(Workspace(tmp_path / "work").rows("ingest", Sample, "samples"))
    assert samples
    assert {sample.split for sample in samples} == {"test"}


def test_medqa_has_five_options_or_four(tmp_path):
    five = list(_said(tmp_path, "medqa").values())
    assert five[0] == [
        "A man has chest pain. What helps first?\nA. Rest\nB. Surgery\nC. Aspirin\nD. Heparin\nE. None", "C. Aspirin",
    ]  # fmt: skip
    assert five[1][1] == "E. None"
    four = list(_said(tmp_path, "medqa", 1).values())
    assert [answer for _, answer in four] == ["A. Rest", "A. Rest", "B. Sit"]
    assert four[1][0].endswith("D. Heparin"), "a fifth option that is null is none"


def test_medqa_strips_prefixes_only_where_every_option_has_its_own(tmp_path):
    read = list(_said(tmp_path, "medqa").values())
    assert read[-2] == ["Prefixed options?\nA. Rest\nB. Sit\nC. Run", "B. Sit"]
    assert read[-1] == ["A mould or a prefix?\nA. A. fumigatus\nB. Candida", "A. A. fumigatus"]


def test_a_medqa_letter_and_text_that_contradict_each_other_fall(tmp_path):
    details = [record.detail for record in _read(tmp_path, "medqa") if record.reason == "invalid_options"]
    assert details[0] == "the letter is A and the text 'Heparin' is D"
    assert details[1] == "the answer 'Walking' is none of the options"


def test_medqas_chinese_questions_are_left_out_as_such(tmp_path):
    assert check(PUBLISHED["medqa"][0].write(tmp_path))["languages"] == {"en": 15, "zh": 1}


def test_a_medqa_record_keeps_its_id_when_rows_move(tmp_path):
    rows = PUBLISHED["medqa"][0].files["train.jsonl"].split(b"\n")
    (tmp_path / "moved.jsonl").write_bytes(b"\n".join(rows[-2::-1]))
    moved = {record.id for record in CORPORA["medqa"].read(tmp_path / "moved.jsonl") if record.drafts}
    assert moved == set(_said(tmp_path, "medqa"))


def test_usmle_joins_the_solutions_and_leaves_out_questions_about_pictures(tmp_path):
    read = _said(tmp_path, "usmle")
    assert read["step1-1"] == ["Which metal carries oxygen?\nA. Iron\nB. Zinc", "A. Iron"]
    assert read["step1-4"][1] == "F. f"
    assert _details(tmp_path, "usmle")["step1-3"] == "the question is about a picture"


def test_usmle_without_its_solutions_names_the_file_that_is_missing(tmp_path):
    path = PUBLISHED["usmle"][0].write(tmp_path)
    (tmp_path / "step1_solutions.json").unlink()
    with pytest.raises(InputError, match=r"Put step1_solutions.json beside it"):
        check(path)


def test_solutions_that_change_make_the_chunks_again(tmp_path):
    path = PUBLISHED["usmle"][0].write(tmp_path)
    settings = Settings(name="t", workspace=tmp_path, root=tmp_path, sources=(SourceSettings(corpus="usmle", path=path),))
    before = ingest_source(settings, Workspace(tmp_path / "work"), 0)
    assert ingest_source(settings, Workspace(tmp_path / "work"), 0) == before
    (tmp_path / "step1_solutions.json").write_text(json.dumps({"1": "B"}))
    assert ingest_source(settings, Workspace(tmp_path / "work"), 0)[0].fingerprint != before[0].fingerprint


def test_mmlus_first_row_is_a_question_and_the_subject_is_the_files(tmp_path):
    read = _said(tmp_path, "mmlu")
    assert read["anatomy_test-1"] == ["Which bone is in the thigh?\nA. Femur\nB. Ulna\nC. Radius\nD. None", "A. Femur"]
    assert read["anatomy_test-2"] == ['A "quoted" case,\nin two lines?\nA. NA\nB. nan\nC. null\nD. N/A, none', "D. N/A, none"]
    assert {r.drafts[0].meta["question_type"] for r in _read(tmp_path, "mmlu") if r.drafts} == {"anatomy"}


def test_mmlus_other_subjects_are_refused_by_name(tmp_path):
    path = PUBLISHED["mmlu"][0].write(tmp_path).rename(tmp_path / "astronomy_test.csv")
    with pytest.raises(InputError, match="astronomy is none of MMLU's medical subjects: anatomy, "):
        list(CORPORA["mmlu"].read(path))


def test_mmlu_in_hugging_faces_form_keeps_the_medical_subjects(tmp_path):
    rows = [
        {"question": "Which bone?", "subject": "anatomy", "choices": ["Femur", "Ulna"], "answer": 1},
        {"question": "Which star?", "subject": "astronomy", "choices": ["Sun", "Moon"], "answer": 0},
        {"question": "Which place?", "subject": "anatomy", "choices": ["Femur", "Ulna"], "answer": 3},
    ]
    path = tmp_path / "test-00000-of-00001.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert identify(path)[0] == "mmlu"
    records = list(CORPORA["mmlu"].read(path))
    assert records[0].drafts[0].turns[1][1] == "B. Ulna"
    assert [record.reason for record in records] == [None, "other_subject", "invalid_options"]


def test_medmcqa_is_read_from_parquet(tmp_path):
    path = tmp_path / "train-00000-of-00001.parquet"
    pq.write_table(pa.Table.from_pylist([_medmcqa(0), _medmcqa(3, 1)]), path)
    assert check(path) | {"languages": {}} == {
        "corpus": "medmcqa", "records": 2, "samples": 2, "excluded": {}, "missing_images": 0, "languages": {},
        "splits": {"as the config says": 2}, "oddities": [],
    }  # fmt: skip


def test_medquads_layout_is_not_text(tmp_path):
    assert _said(tmp_path, "medquad")["1_Cancer_QA/0000001-1"] == [
        "What (are) fevers?", "They are warm.\n- Rest <b>well</b> & drink a lot.\n- Sleep.\nSee a doctor soon.",
    ]  # fmt: skip


def test_medquads_withdrawn_answers_fall_with_their_reason(tmp_path):
    told = check(PUBLISHED["medquad"][0].write(tmp_path))
    assert told["excluded"] == {"empty_answer": 4, "empty_question": 1, "not_json": 2}
    assert _details(tmp_path, "medquad")["10_MPlus_ADAM_QA/0000001-3"] == "the owner has withdrawn the answer"


def test_an_xml_file_of_a_stranger_reads_nothing_and_grows_nothing(tmp_path):
    """No entity is followed: neither one that names a file nor one that multiplies; and no path of this machine is told."""
    records = {record.id: record for record in _read(tmp_path, "medquad")}
    assert records["1_Cancer_QA/0000004"].detail.startswith("1_Cancer_QA/0000004.xml: it declares entities of its own")
    assert records["1_Cancer_QA/0000003"].detail.startswith("1_Cancer_QA/0000003.xml: not XML: ")
    assert str(tmp_path) not in str(records)


@pytest.mark.parametrize("attribute", ["", ' a="&i;"'])
def test_a_bomb_of_entities_is_one_line(tmp_path, attribute):
    grown = "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True))
    path = tmp_path / "bomb.xml"
    path.write_text(f'<!DOCTYPE Document [<!ENTITY a "haha">{grown}]><Document{attribute}><QAPairs>&i;</QAPairs></Document>')
    with pytest.raises(InputError, match=r"bomb.xml: (it declares entities|not XML)") as told:
        check(path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("entity", ["% x", "x"])
def test_an_entity_that_names_a_file_is_not_followed(tmp_path, entity):
    (tmp_path / "secret.txt").write_text("<Answer>A secret.</Answer>")
    used = "%x;" if entity.startswith("%") else ""
    dtd = f'<!DOCTYPE Document [<!ENTITY {entity} SYSTEM "secret.txt">{used}]>'
    path = tmp_path / "page.xml"
    path.write_text(f"{dtd}<Document><QAPairs><QAPair><Question>Why?</Question></QAPair></QAPairs></Document>")
    with pytest.raises(InputError, match="declares entities of its own"):
        list(CORPORA["medquad"].read(path))


def test_medquad_is_read_from_the_zip_that_github_gives(tmp_path):
    folder = PUBLISHED["medquad"][0].write(tmp_path)
    path = tmp_path / "MedQuAD-master.zip"
    with zipfile.ZipFile(path, "w") as box:
        for file in sorted(folder.rglob("*"), reverse=True):
            if file.is_file():
                box.write(file, f"MedQuAD-master/{file.relative_to(folder).as_posix()}")
    packed = list(CORPORA["medquad"].read(path))
    assert identify(path) == ["medquad"]
    assert [(r.id, r.sha256, r.reason) for r in packed] == [(r.id, r.sha256, r.reason) for r in CORPORA["medquad"].read(folder)]
    assert str(tmp_path) not in str(packed)


def test_a_page_that_changes_in_the_folder_makes_the_chunks_again(tmp_path):
    path = PUBLISHED["medquad"][0].write(tmp_path)
    settings = Settings(name="t", workspace=tmp_path, root=tmp_path, sources=(SourceSettings(corpus="medquad", path=path),))
    before = ingest_source(settings, Workspace(tmp_path / "work"), 0)
    page = path / "1_Cancer_QA" / "0000005.xml"
    page.write_bytes(page.read_bytes().replace(b"It is.", b"It is not."))
    assert ingest_source(settings, Workspace(tmp_path / "work"), 0)[0].fingerprint != before[0].fingerprint


def test_a_folder_without_xml_is_refused(tmp_path):
    with pytest.raises(InputError, match="folder"):
        check_form("medquad", tmp_path)


def test_medication_qa_wants_the_csv_export_and_says_so(tmp_path):
    path = tmp_path / "MedInfo2019-QA-Medications.xlsx"
    with zipfile.ZipFile(path, "w") as box:
        box.writestr("xl/workbook.xml", "<workbook/>")
        box.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    with pytest.raises(InputError, match=r"spreadsheet.*ave it as CSV"):
        check(path)
    assert "save its sheet DrugQA as CSV" in CORPORA["medication_qa"].layout


def test_medication_qa_keeps_line_breaks_in_cells_and_the_answer_none(tmp_path):
    read = _said(tmp_path, "medication_qa")
    assert clean(read["row-1"][1])[0] == "One tablet.\nNot more, please."
    assert read["row-2"] == ["is there an antidote?", "None"]


def test_liveqa_takes_each_reference_answer_under_either_name(tmp_path):
    records = {record.id: record for record in _read(tmp_path, "liveqa")}
    assert [draft.turns for draft in records["TQ1"].drafts] == [
        (("user", "knee\nIt hurts. What helps?"), ("assistant", answer)) for answer in ("Rest.", "Ice & time.")
    ]
    assert records["TQ2"].drafts[0].turns[0][1] == "Is it safe?", "the expert's wording where the consumer's is not there"


def test_a_liveqa_file_that_is_cut_is_refused_in_one_line(tmp_path):
    path = PUBLISHED["liveqa"][0].write(tmp_path)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(InputError, match=r"Test\.xml: not XML: ") as told:
        check(path)
    assert "\n" not in str(told.value)


def test_uphills_true_and_false_are_words(tmp_path):
    read = _said(tmp_path, "uphill")
    assert read["7-neutral"] == ["Does tea cure colds?", "False. No study, none, shows it."]
    assert read["8-neutral"][1] == "True."


def test_uphills_models_are_no_reference(tmp_path):
    records = _read(tmp_path, "uphill", 1)
    assert records[0].drafts[0].turns[1][1] == "Mixture. Partly."
    assert "surely" not in str(records)
    assert records[1].detail == "the same query with another response"


def test_medical_meadow_drops_the_constant_instruction_only(tmp_path):
    read = _said(tmp_path, "medical_meadow")
    assert read["1"] == ["What does a low iron do?", "It makes you tired."]
    assert read["4"][0] == "Answer with yes or no\n<p>Is this a fever?</p>"


def test_a_meadow_file_under_another_name_claims_no_licence_either(tmp_path):
    path = PUBLISHED["medical_meadow"][0].write(tmp_path)
    assert identify(path)[0] == "medical_meadow"
    assert identify(path.rename(tmp_path / "cards.json"))[0] == "alpaca"


def test_bimed_is_told_from_the_fields_of_each_record(tmp_path):
    records = {record.id: record for record in _read(tmp_path, "bimed")}
    assert {key: records[key].drafts[0].task for key in ("b1", "b2", "b6", "b8")} == {
        "b1": "conversation", "b2": "conversation", "b6": "mcq", "b8": "text_qa",
    }  # fmt: skip
    assert records["b2"].drafts[0].turns == (("system", "Be brief."), ("user", "Why?"), ("assistant", "It is a cold."))
    assert records["b6"].drafts[0].turns[1][1] == "B. Zinc"
    assert records["b8"].drafts[0].turns[0][1] == "Say what it is.\nA cough."
    assert records["b9"].detail == "no form is known with the fields id, text"


def test_bimeds_arabic_half_is_counted_and_left_out(tmp_path):
    assert check(PUBLISHED["bimed"][0].write(tmp_path))["languages"] == {"ar": 2, "en": 10}
    assert {r.id for r in _read(tmp_path, "bimed") if r.language == "ar"} == {"b3", "b7"}


def test_bimed_is_recognised_by_its_name_and_takes_no_other_corpuss_file(tmp_path):
    path = PUBLISHED["bimed"][1].write(tmp_path)
    assert identify(path) == ["bimed", "medqa"]
    unnamed = path.rename(tmp_path / "questions.json")
    assert identify(unnamed) == ["medqa"]
    with pytest.raises(InputError, match=r"not bimed: .* It looks like medqa\."):
        check_form("bimed", unnamed)
    (tmp_path / "chat.jsonl").write_bytes(PUBLISHED["bimed"][0].files["bimed1.3m_train.jsonl"])
    check_form("bimed", tmp_path / "chat.jsonl")


def test_bimed_is_read_from_parquet_under_any_name_that_the_config_gives(tmp_path):
    path = tmp_path / "train-00000-of-00001.parquet"
    said = [{"role": "user", "content": "Is it bad?"}, {"role": "assistant", "content": "No."}]
    pq.write_table(pa.Table.from_pylist([{"id": "p1", "messages": said}]), path)
    check_form("bimed", path)
    assert [record.drafts[0].turns for record in CORPORA["bimed"].read(path)] == [(("user", "Is it bad?"), ("assistant", "No."))]


def test_pubmedqas_artificial_and_unlabelled_sets_answer_with_what_they_have(tmp_path):
    artificial, unlabelled = _said(tmp_path, "pubmedqa", 1), _said(tmp_path, "pubmedqa", 2)
    assert [answer for _, answer in artificial.values()] == ["Yes. Rest helps.", "No."]
    assert unlabelled["93"] == ["They rested.\nDoes rest help?", "It may."]
    metas = [record.drafts[0].meta for number in (1, 2) for record in _read(tmp_path, "pubmedqa", number) if record.drafts]
    assert [meta.get("answer_type") for meta in metas] == ["CLOSED", "CLOSED", None]


def test_pubmedqa_in_hugging_faces_form_holds_the_test_questions_out(tmp_path):
    records = {record.id: record for record in _read(tmp_path, "pubmedqa", 3)}
    assert records["95"].drafts[0].turns == (
        ("user", "They rested.\nThey slept.\nDoes rest help?"),
        ("assistant", "Yes. Rest helps."),
    )
    assert {key: records[key].split for key in ("95", "96")} == {"95": None, "96": "test"}
    assert records["96"].drafts[0].turns[1][1] == "Rest helps."
    assert records["97"].drafts[0].turns[0][1] == "Does rest help?"


def test_pubmedqas_own_form_holds_the_test_questions_out_as_well(tmp_path):
    path = PUBLISHED["pubmedqa"][0].write(tmp_path)
    assert _splits(CORPORA["pubmedqa"].read(path)) == {None}
    (tmp_path / "test_ground_truth.json").write_text('{"90002": "maybe"}')
    assert {r.id for r in CORPORA["pubmedqa"].read(path) if r.split == "test"} == {"90002"}


@pytest.mark.parametrize("name", ["usmle", "medication_qa", "liveqa", "uphill", "medical_meadow"])
def test_what_names_no_licence_may_not_be_passed_on(name):
    known = CORPORA[name]
    assert (known.licence, known.redistribution) == ("unknown", False)
