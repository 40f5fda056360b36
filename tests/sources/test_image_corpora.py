"""The corpora of images and their traps: what is held out, what stays together, what is nobody's to pass on."""

import gzip
import json
import pickle
import shutil
import zipfile
from collections import Counter

import pytest

from pipeline.access import access_of
from pipeline.curate.licences import release_terms
from pipeline.ingest import ingest_source
from pipeline.select import SplitPlan
from pipeline.settings import ReleaseSettings, Settings, SourceSettings
from pipeline.sources.check import check
from pipeline.sources.registry import CORPORA, check_form, identify
from pipeline.sources.reports import sections
from pipeline.sources.streams import json_sections
from pipeline.workspace import Workspace, noun_table
from schemas.errors import InputError
from schemas.sample import IMAGE_MARK, Exclusion, Sample
from tests.corpora import picture
from tests.sources.published import PUBLISHED


def _read(folder, name, number=0):
    return list(CORPORA[name].read(PUBLISHED[name][number].write(folder)))


def _said(folder, name, number=0):
    """Record id to question and answer of its first draft; of an id that occurs twice, the last."""
    return {r.id: [text for _, text in r.drafts[0].turns] for r in _read(folder, name, number) if r.drafts}


def _metas(folder, name, number=0):
    return {r.id: r.drafts[0].meta for r in _read(folder, name, number) if r.drafts}


def _splits(folder, name, number=0):
    return {r.id: r.split for r in _read(folder, name, number) if r.drafts}


def test_vqa_rad_is_held_out_by_its_own_rows_and_by_the_name_of_a_derived_file(tmp_path):
    splits = _splits(tmp_path, "vqa_rad")
    assert {name for name, split in splits.items() if split == "test"} == {"4", "5"}
    assert {split for name, split in splits.items() if name not in ("4", "5")} == {None}
    assert set(_splits(tmp_path, "vqa_rad", 1).values()) == {"test"}
    assert set(_splits(tmp_path, "vqa_rad", 2).values()) == {"test"}


def test_vqa_rad_reads_numbers_stray_spaces_and_words_that_look_like_gaps(tmp_path):
    said, metas = _said(tmp_path, "vqa_rad"), _metas(tmp_path, "vqa_rad")
    assert said["2"] == [f"{IMAGE_MARK}\nIs a nodule there?", "No"]
    assert [said[name][1] for name in ("3", "4", "9")] == ["2", "None", "True"]
    assert metas["2"]["answer_type"] == "CLOSED"
    assert [metas[name].get("modality") for name in ("2", "3", "4")] == ["cxr", None, "ct"]
    hosted = _metas(tmp_path, "vqa_rad", 2)
    assert hosted["row-1"]["answer_type"] == "CLOSED", "Parquet has lost it; yes and no tell"
    assert "answer_type" not in hosted["row-2"]


def test_a_paraphrase_in_train_follows_its_question_into_test(tmp_path):
    """By its own row it is train's, and it shows another image: only `qid_linked_id` ties it to the test question."""
    row = {"question_type": "PRES", "answer": "No", "answer_type": "CLOSED", "image_organ": "HEAD"}
    rows = [
        row | {"qid": 1, "phrase_type": "test_freeform", "qid_linked_id": "a", "image_name": "1.png", "question": "Is it big?"},
        row | {"qid": 2, "phrase_type": "para", "qid_linked_id": "a", "image_name": "2.png", "question": "Is it large?"},
        row | {"qid": 3, "phrase_type": "freeform", "qid_linked_id": "b", "image_name": "3.png", "question": "Is it old?"},
    ]
    (tmp_path / "rad.json").write_text(json.dumps(rows))
    for number in (1, 2, 3):
        picture(number).save(tmp_path / f"{number}.png")
    splits = _released(tmp_path, SourceSettings(corpus="vqa_rad", path=tmp_path / "rad.json", images=tmp_path))
    assert splits == {"1": "test", "2": "test", "3": "train"}


def _released(folder, source):
    """Record id to the split of its sample in a release of this one source."""
    workspace = Workspace(folder / "work")
    ingest_source(Settings(name="t", workspace=folder / "work", root=folder, sources=(source,)), workspace, 0)
    samples = list(workspace.rows("ingest", Sample, "samples"))
    tables = {"samples": noun_table(Sample, samples), "excluded": noun_table(Exclusion, [])}
    workspace.write_chunk("curate", "00", "m", tables)
    plan = SplitPlan(ReleaseSettings(splits={"train": 1.0}), workspace)
    return {sample.record: plan.split(sample) for sample in samples}


def test_vqa_med_takes_the_first_alternative_and_keeps_commas_and_brackets(tmp_path):
    said, metas = _said(tmp_path, "vqa_med_2019"), _metas(tmp_path, "vqa_med_2019")
    assert said["synpic90101-2"][1] == "face, sinuses, and neck"
    assert said["synpic90102-3"][1] == "(left) renal cyst"
    assert metas["synpic90102-3"]["alternatives"] == "(left) renal cyst#cyst of the kidney"
    assert said["synpic90103-5"][0].endswith("is it 38°C?")
    key, kinds = _said(tmp_path, "vqa_med_2019", 1), _metas(tmp_path, "vqa_med_2019", 1)
    assert key["synpic90201-1"] == [f"{IMAGE_MARK}\nwhat organ system is imaged?", "skull and contents"]
    assert [kinds[f"synpic9020{n}-{n}"].get("question_type") for n in (1, 2, 3)] == ["organ", "abnormality", None]
    assert set(_splits(tmp_path, "vqa_med_2019", 1).values()) == {"test"}
    assert set(_splits(tmp_path, "vqa_med_2019", 3).values()) == {"validation"}
    assert "5 fields between |" in _read(tmp_path, "vqa_med_2019")[8].detail


def test_vqa_meds_categories_stand_in_the_names_of_its_files(tmp_path):
    path = PUBLISHED["vqa_med_2019"][0].write(tmp_path).rename(tmp_path / "C2_Plane_val.txt")
    read = [record for record in CORPORA["vqa_med_2019"].read(path) if record.drafts]
    assert {record.drafts[0].meta["question_type"] for record in read} == {"plane"}
    assert {record.split for record in read} == {"validation"}


def test_the_derived_json_of_two_corpora_is_told_apart_by_the_organ(tmp_path):
    """All else is the same: trainset.json, testset.json, and images called synpic."""
    assert identify(PUBLISHED["vqa_rad"][1].write(tmp_path)) == ["vqa_rad"]
    assert identify(PUBLISHED["vqa_med_2019"][3].write(tmp_path)) == ["vqa_med_2019"]
    assert _metas(tmp_path, "vqa_med_2019", 3)["31"]["question_type"] == "plane"


def test_path_vqas_split_is_told_by_the_image_whatever_the_file_is_called(tmp_path):
    assert set(_splits(tmp_path, "path_vqa").values()) == {"validation"}
    assert _splits(tmp_path, "path_vqa", 1) == {"100": None, "101": None, "102": "test"}
    assert set(_splits(tmp_path, "path_vqa", 2).values()) == {"test"}


def test_path_vqas_best_scored_answer_is_the_answer(tmp_path):
    assert _said(tmp_path, "path_vqa", 1)["101"] == [f"{IMAGE_MARK}\nWhich colour?", "violet"]


def test_path_vqas_pretraining_form_gives_each_question_its_own_answer_or_none(tmp_path):
    records = {record.id: record for record in _read(tmp_path, "path_vqa", 2)}
    assert [draft.turns[1][1] for draft in records["test_0000"].drafts] == ["a cyst", "yes"]
    assert {draft.images for draft in records["test_0000"].drafts} == {("test_0000",)}
    assert records["test_0002"].detail == "2 questions, 1 answers"
    assert records["test_0005"].detail == "question 1 of 1"


def test_one_unanswered_question_of_an_image_falls_alone_and_is_counted(tmp_path):
    path = PUBLISHED["path_vqa"][2].write(tmp_path)
    assert {r.id: r.lost for r in CORPORA["path_vqa"].read(path)}["test_0003"] == (("empty_question", "question 2 of 2"),)
    assert check(path)["excluded"]["empty_question"] == 3
    source = SourceSettings(corpus="path_vqa", path=path, missing_images="text_only")
    workspace = Workspace(tmp_path / "work")
    ingest_source(Settings(name="t", workspace=tmp_path / "work", root=tmp_path, sources=(source,)), workspace, 0)
    fallen = {one.sample: one.detail for one in workspace.rows("ingest", Exclusion, "excluded") if one.sample}
    assert fallen == {"path_vqa-test-test_0003-lost-1": "question 2 of 2"}


def test_a_pickle_of_path_vqa_that_calls_something_is_refused_unread(tmp_path):
    (tmp_path / "train_qa.pkl").write_bytes(pickle.dumps([print]))
    with pytest.raises(InputError, match=r"asks for builtins.print.*Nothing of it was run"):
        check(tmp_path / "train_qa.pkl", "path_vqa")


def test_a_folder_of_images_without_suffixes_in_the_questions_is_found(tmp_path):
    path = PUBLISHED["path_vqa"][0].write(tmp_path)
    folder = tmp_path / "images" / "val"
    folder.mkdir(parents=True)
    picture(1).save(folder / "val_0001.jpg")
    assert check(path, images=folder)["missing_images"] == 1


def test_parquet_that_could_be_anybodys_takes_a_corpuss_name_and_licence_from_its_folder_only(tmp_path):
    path = PUBLISHED["vqa_rad"][2].write(tmp_path)
    assert identify(path)[0] == "vqa_rad"
    plain = shutil.copy(path, tmp_path / "train.parquet")
    assert identify(plain) == ["hf_dataset"]
    check_form("vqa_rad", plain)
    with pytest.raises(InputError, match=r"not path_vqa.* It looks like vqa_rad"):
        check_form("path_vqa", path)


def test_omnimedvqa_is_always_test_and_its_restricted_part_gives_nothing(tmp_path):
    assert set(_splits(tmp_path, "omnimedvqa").values()) == {"test"}
    said, metas = _said(tmp_path, "omnimedvqa"), _metas(tmp_path, "omnimedvqa")
    assert said["Set_1"][1] == "B. Lung"
    assert said["Set_2"][0] == f"{IMAGE_MARK}\nWhich organ is it?\nA. Liver\nB. Lung"
    assert said["Set_3"][1] == "D. None"
    assert [metas[name]["modality"] for name in ("Set_1", "Set_2", "Set_3")] == ["mri", "xray", "ct"]
    assert check(PUBLISHED["omnimedvqa"][1].write(tmp_path))["samples"] == 0


def test_llava_meds_copies_lose_the_options_and_lend_no_licence(tmp_path):
    path = PUBLISHED["llava_med_vqa"][0].write(tmp_path)
    said = _said(tmp_path, "llava_med_vqa")
    assert said["c1-1"] == [f"Is it large?\n{IMAGE_MARK}", "yes"]
    assert said["c1-2"] == [f"{IMAGE_MARK}\nIs it large?", "no"]
    assert set(_splits(tmp_path, "llava_med_vqa").values()) == {"test"}
    with pytest.raises(InputError, match=r"not llava_med: .* It looks like llava_med_vqa"):
        check_form("llava_med", path)


def test_figure_captions_know_their_domain_and_those_of_the_evaluation_are_held_out(tmp_path):
    metas = _metas(tmp_path, "llava_med", 2)
    assert [metas[name]["modality"] for name in ("9501_F1", "9503_F1")] == ["gross", "gross"], (
        "the last of an id that is twice there"
    )
    assert set(_splits(tmp_path, "llava_med", 2).values()) == {None}
    path = PUBLISHED["llava_med"][2].write(tmp_path).rename(tmp_path / "llava_med_eval_qa50_fig_captions.json")
    assert {record.split for record in CORPORA["llava_med"].read(path) if record.drafts} == {"test"}


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_a_cut_object_of_lists_names_the_last_good_record(tmp_path, cut):
    data = json.dumps({"train": [{"id": n} for n in range(20)], "test": [{"id": n} for n in range(20)]}).encode()
    path = tmp_path / "annotation.json"
    path.write_bytes(data[: int(len(data) * cut)])
    read = []
    with pytest.raises(InputError, match=r"not JSON after record \d+: .* The file is cut") as told:
        read += json_sections(path)
    assert "\n" not in str(told.value)


def test_an_object_of_lists_keeps_its_sections_and_what_is_no_record(tmp_path):
    path = tmp_path / "annotation.json"
    path.write_text('{"train": [{"a": [1, {"b": []}]}, 7, []], "val": [], "test": [{"a": NaN}], "note": "x"}')
    assert list(json_sections(path)) == [
        (1, "train", {"a": [1, {"b": []}]}), (2, "train", 7), (3, "train", []), (4, "test", {"a": None}), (5, "note", "x"),
    ]  # fmt: skip


def test_roco_tells_split_and_licence_of_each_image_and_licences_no_release(tmp_path):
    for number in (0, 1):
        metas = _metas(tmp_path, "roco", number)
        assert metas["ROCO_00001"]["image_licence"] == "CC BY-NC"
        assert "image_licence" not in metas["ROCO_00005"]
        assert set(_splits(tmp_path, "roco", number).values()) == {"test"}
    said = _said(tmp_path, "roco")
    assert said["ROCO_00001"][1] == "Axial CT of the head with a\tsubdural collection."
    assert said["ROCO_00004"][1] == "None"
    assert not release_terms(["roco"]).redistributable


def test_rocov2_names_the_modality_by_its_concepts(tmp_path):
    metas = _metas(tmp_path, "rocov2")
    assert [metas[f"ROCOv2_2023_valid_00000{n}"].get("modality") for n in (1, 4)] == ["ct", "us"]
    assert set(_splits(tmp_path, "rocov2").values()) == {"validation"}
    assert _metas(tmp_path, "rocov2", 1)["ROCOv2_2023_train_000001"]["modality"] == "us"


def test_the_parts_of_one_figure_stay_together(tmp_path):
    metas = _metas(tmp_path, "pmc_oa")
    assert metas["PMC9000001_Fig3_4"]["group"] == metas["PMC9000001_Fig3_5"]["group"] == "pmc_oa:PMC9000001_Fig3"
    assert metas["PMC9000001_Fig3_5"].get("alignment_score") is None


def test_open_is_xml_keeps_all_images_of_a_report(tmp_path):
    records = {record.id: record for record in _read(tmp_path, "iu_xray", 1)}
    assert records["CXR1"].drafts[0].images == ("CXR1_1_IM-0001-3001", "CXR1_1_IM-0001-4001")
    assert records["CXR1"].drafts[0].turns[1][1] == "Findings: Lungs are clear. XXXX.\nImpression: Normal."
    assert (records["CXR2"].drafts[0].task, records["CXR2"].drafts[0].images) == ("summary", ())
    assert str(tmp_path) not in records["5"].detail


def test_r2gen_has_its_own_split_and_two_images_a_report(tmp_path):
    assert _splits(tmp_path, "iu_xray", 3) == {"CXR1_1_IM-0001": None, "CXR3": "validation", "CXR4": "test"}
    draft = _read(tmp_path, "iu_xray", 3)[0].drafts[0]
    assert draft.images == ("CXR1_1_IM-0001/0.png", "CXR1_1_IM-0001/1.png")
    assert draft.turns[1][1] == "the lungs are clear ."


def test_r2gens_mimic_is_never_taken_for_the_open_corpus(tmp_path):
    """The two files differ in two fields; without those, in the paths of their images."""
    path = PUBLISHED["mimic_cxr"][2].write(tmp_path)
    assert identify(path) == ["mimic_cxr"]
    with pytest.raises(InputError, match="not iu_xray"):
        check_form("iu_xray", path)
    bare = {"train": [{"id": "a", "report": "clear .", "image_path": ["p10/p10000001/s50000001/a.jpg"]}], "test": [{"id": "b"}]}
    path.write_text(json.dumps(bare))
    with pytest.raises(InputError, match=r"record 1 names images of MIMIC-CXR, which is credentialed.*corpus: mimic_cxr"):
        check(path, "iu_xray")


def test_mimic_cxr_joins_images_split_and_patient(tmp_path):
    records = {record.id: record for record in _read(tmp_path, "mimic_cxr")}
    draft = records["s50000001"].drafts[0]
    assert draft.images == tuple(f"files/p10/p10000001/s50000001/aa-{n}.jpg" for n in (1, 2))
    assert draft.turns[1][1] == "Findings: Lungs are clear,\n heart is large.\nImpression: No acute process."
    assert draft.meta["group"] == "mimic_cxr:10000001"
    assert records["s50000002"].split == "test"
    assert records["s50000002"].drafts[0].turns[1][1] == "Stable appearance."
    assert records["s50000009"].detail == "study 50000009 is not in the split file"


def test_mimic_cxrs_texts_are_read_from_their_final_report(tmp_path):
    said = _said(tmp_path, "mimic_cxr", 1)
    assert said["s50000001"][1] == "Findings: Lungs are clear. Ratio 3:1 is normal.\nImpression: No change."
    assert said["s50000003"][1] == "Findings: Clear."
    assert said["s50000002"][1] == "The tube has been removed."
    assert _splits(tmp_path, "mimic_cxr", 1)["s50000003"] == "validation"


def test_mimic_cxr_is_read_from_its_zip_as_from_its_folder(tmp_path):
    folder = PUBLISHED["mimic_cxr"][1].write(tmp_path)
    box = tmp_path / "mimic-cxr-reports.zip"
    with zipfile.ZipFile(box, "w") as archive:
        for path in sorted(folder.rglob("*.txt")):
            archive.write(path, path.relative_to(tmp_path).as_posix())
    assert identify(box) == ["mimic_cxr"]
    read = [[record.drafts for record in CORPORA["mimic_cxr"].read(path)] for path in (folder, box)]
    assert read[0] == read[1]


def test_mimic_cxr_without_its_split_file_is_refused(tmp_path):
    path = PUBLISHED["mimic_cxr"][0].write(tmp_path)
    split = tmp_path / "mimic-cxr-2.0.0-split.csv"
    data = split.read_bytes()
    split.unlink()
    with pytest.raises(InputError, match=r"split.csv.gz .* is not beside it. Without it nobody knows which patients are test"):
        check(path)
    (tmp_path / "mimic-cxr-2.0.0-split.csv.gz").write_bytes(gzip.compress(data))
    assert check(path)["samples"] == 2
    (tmp_path / "mimic-cxr-2.0.0-split.csv.gz").write_bytes(gzip.compress(data.replace(b"10000003,train", b"10000003")))
    with pytest.raises(InputError, match="row 5 has not as many cells"):
        check(path)


def test_mimic_iii_sums_up_one_clear_note_and_leaves_out_pages_and_masks(tmp_path):
    records = {record.id: record for record in _read(tmp_path, "mimic_iii")}
    asked, answer = (text for _, text in records["1"].drafts[0].turns)
    assert asked.split("\n")[1] == "Findings: No bleed in ___. The sinuses are clear."
    assert answer == "Normal."
    assert records["1"].drafts[0].meta == {"modality": "ct", "group": "mimic_iii:7"}
    assert records["8"].drafts[0].meta["modality"] == "cxr"
    assert records["4"].detail == "2 impressions, expected one with words"


def test_a_report_without_its_images_is_a_summary_of_the_same_patient(tmp_path):
    path = PUBLISHED["mimic_cxr"][0].write(tmp_path)
    source = SourceSettings(corpus="mimic_cxr", path=path, missing_images="text_only")
    workspace = Workspace(tmp_path / "work")
    ingest_source(Settings(name="t", workspace=tmp_path / "work", root=tmp_path, sources=(source,)), workspace, 0)
    samples = {sample.record: sample for sample in workspace.rows("ingest", Sample, "samples")}
    assert (samples["s50000001"].task, samples["s50000001"].images) == ("summary", ())
    assert samples["s50000001"].meta["group"] == "mimic_cxr:10000001"
    assert "s50000002" not in samples, "an undivided report leaves nothing to ask without its image"


def test_a_heading_stands_at_the_beginning_of_a_line_in_capitals():
    assert sections("TITLE\nFINDINGS: Note: a ratio of 3:1,\n clear.\n\nIMPRESSION:\n") == [
        ("", "TITLE"), ("FINDINGS", "Note: a ratio of 3:1, clear."), ("IMPRESSION", ""),
    ]  # fmt: skip
    assert sections("") == []


def test_quilts_rows_are_apart_and_what_is_no_histology_falls(tmp_path):
    splits = _splits(tmp_path, "quilt_1m")
    assert splits == {"v1_image_1-1": None, "v1_image_1-2": "validation"}
    assert _metas(tmp_path, "quilt_1m")["v1_image_1-1"]["modality"] == "histology"


def test_medtrinity_says_which_data_set_each_image_is_from(tmp_path):
    metas = _metas(tmp_path, "medtrinity")
    assert metas["slake-a.jpg"]["source"] == "slake"
    assert _read(tmp_path, "medtrinity")[0].drafts[0].images == ("a.jpg",)


@pytest.mark.parametrize(
    ("name", "access", "reason"),
    [
        ("mimic_cxr", "credentialed", "access is credentialed"),
        ("mimic_iii", "credentialed", "access is credentialed"),
        ("quilt_1m", "restricted", "access is restricted"),
        ("medtrinity", "restricted", "access is restricted"),
        ("path_vqa", "open", "its licence (unknown) does not let it be passed on"),
        ("pmc_oa", "open", "its licence (unknown) does not let it be passed on"),
        ("omnimedvqa", "open", "its licence (unknown) does not let it be passed on"),
        ("llava_med_vqa", "open", "its licence (unknown) does not let it be passed on"),
    ],
)
def test_what_nobody_may_pass_on_is_in_no_release_that_is_passed_on(name, access, reason):
    assert access_of(name) == access
    assert release_terms(["slake", name]).reasons == (f"{name}: {reason}",)


def test_the_free_ones_are_free():
    assert release_terms(["vqa_rad"]).as_json() == {"licence": "CC0-1.0", "redistributable": True, "reasons": []}
    assert release_terms(["vqa_rad", "vqa_med_2019"]).licence == "CC-BY-4.0"
    assert release_terms(["slake", "rocov2"]).licence == "CC-BY-NC-SA-4.0"


@pytest.mark.parametrize("name", ["vqa_rad", "vqa_med_2019", "path_vqa", "roco", "rocov2", "pmc_oa", "quilt_1m", "mimic_iii"])
@pytest.mark.parametrize(
    ("data", "told"),
    [(b"", "the file is empty"), (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
     (b"<!doctype html><html></html>", "a web page"), ("item,price\nscan,10\n".encode("utf-16"), "UTF-16")],
)  # fmt: skip
def test_what_is_not_the_data_is_named(tmp_path, name, data, told):
    path = PUBLISHED[name][0].write(tmp_path)
    target = path / "captions.txt" if path.is_dir() else path
    if target.suffix == ".pkl":
        target = target.rename(target.with_suffix(".json"))
    target.write_bytes(data)
    with pytest.raises(InputError, match=told) as error:
        check(target, name)
    assert "\n" not in str(error.value)


def test_one_bad_record_among_many_falls_alone(tmp_path):
    good = [f"synpic{n:05d}|what is it?|answer {n}" for n in range(4000)]
    good[2500] = "synpic02500 what is it? answer"
    path = tmp_path / "All_QA_Pairs_train.txt"
    path.write_text("\n".join(good))
    records = list(CORPORA["vqa_med_2019"].read(path))
    assert Counter(record.reason for record in records) == {None: 3999, "not_json": 1}
    assert [record.row for record in records if record.reason] == [2501]
