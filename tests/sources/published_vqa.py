"""The corpora of questions about images as published, hand-written: VQA-RAD, VQA-Med, PathVQA, OmniMedVQA, LLaVA-Med's copies."""

import pickle

import pyarrow as pa

from tests.sources.forms import Published, array
from tests.sources.published_tables import IMAGE, image_bytes, parquet, table


def _without(record, *keys):
    return {key: value for key, value in record.items() if key not in keys}


def _rad(qid, question, answer, **changes):
    return {
        "qid": qid, "phrase_type": "freeform", "qid_linked_id": f"link-{qid}", "image_case_url": "https://x.test/1",
        "image_name": "synpic90001.jpg", "image_organ": "CHEST", "evaluation": "not evaluated", "question": question,
        "question_rephrase": "NULL", "question_relation": "NULL", "question_frame": "NULL", "question_type": "PRES",
        "answer": answer, "answer_type": "CLOSED ",
    } | changes  # fmt: skip


_RAD = Published(
    {
        "VQA_RAD Dataset Public.json": b"\xef\xbb\xbf" + array([
            _rad(1, "Is there a nodule?", " No "),
            _rad(2, "Is a nodule there?", "No", phrase_type="para", qid_linked_id="link-1"),
            _rad(3, "How many ribs are broken?", 2, answer_type="OPEN", question_type="COUNT, ATRIB", image_organ="HEAD"),
            _rad(4, "Which side is it?", "None", phrase_type="test_freeform", answer_type="OPEN", image_organ="ABD"),
            _rad(5, "Is it on the left?", "Yes", phrase_type="test_para", qid_linked_id=None),
            _rad(6, "Is there an answer?", None),
            _rad(7, "", "Yes"),
            _rad(8, "Where is the picture?", "Lost", image_name=""),
            {key: value for key, value in _rad(9, "Is it a film?", True).items() if key != "question_rephrase"},
            ["no", "record"],
            _rad(None, "Has it an id?", "No"),
            _rad(1, "Does the id occur twice?", "Yes"),
        ]),
    },
    (
        ("1", 1), ("2", 1), ("3", 1), ("4", 1), ("5", 1), ("6", "empty_answer"), ("7", "empty_question"),
        ("8", "missing_field"), ("9", 1), ("row-10", "not_json"), ("row-11", 1), ("1", 1),
    ),
)  # fmt: skip


def _derived(qid, answer, **changes):
    return {
        "qid": qid, "image_name": "synpic90002.jpg", "image_organ": "HEAD", "answer": answer, "answer_type": "OPEN",
        "question_type": "PLANE", "question": "Which plane is it?", "phrase_type": "freeform",
    } | changes  # fmt: skip


_RAD_DERIVED = Published(
    {"testset.json": array([_derived(21, "Axial"), _derived(22, 7.5), _derived(23, ""), _derived(24, "x", question=None)])},
    (("21", 1), ("22", 1), ("23", "empty_answer"), ("24", "empty_question")),
)


def _asked(questions, answers, images=None):
    cell = {"bytes": image_bytes(31), "path": None}
    columns = {"image": (IMAGE, images or [cell] * len(questions))}
    return parquet(table(columns | {"question": (pa.string(), questions), "answer": (pa.string(), answers)}))


_RAD_HOSTED = Published(
    {
        "vqa-rad/data/test-00000-of-00001.parquet": _asked(
            ["Is it a chest?", "What is it?", "Where is it?", "Whose is it?"], ["yes", " a lung", None, "mine"],
            [{"bytes": image_bytes(31), "path": None}, {"bytes": image_bytes(31), "path": None}, None, None],
        ),
    },
    (("row-1", 1), ("row-2", 1), ("row-3", "empty_answer"), ("row-4", "missing_field")),
)  # fmt: skip

_MED_TRAIN = Published(
    {
        "All_QA_Pairs_train.txt": (
            b"\xef\xbb\xbfsynpic90101|what modality is shown?|ct with contrast\n"
            b"synpic90101|what organ is shown?|face, sinuses, and neck\n"
            b"synpic90102|what is abnormal?|(left) renal cyst#cyst of the kidney\r\n"
            b"\n"
            b"synpic90102|is it normal?|no\n"
            b"synpic90103|is it 38\xb0C?|yes\n"
            b"synpic90104|what is missing?|\n"
            b"synpic90104||a question\n"
            b"|what is it?|nameless\n"
            b"synpic90105|too|many|bars|here\n"
            b"synpic90106\n"
            b"synpic90107|where does the line br"
        ),
    },
    (
        ("synpic90101-1", 1), ("synpic90101-2", 1), ("synpic90102-3", 1), ("synpic90102-4", 1), ("synpic90103-5", 1),
        ("synpic90104-6", "empty_answer"), ("synpic90104-7", "empty_question"), ("row-8", "not_json"), ("row-9", "not_json"),
        ("row-10", "not_json"), ("synpic90107-11", "empty_answer"),
    ),
)  # fmt: skip
_MED_TEST = Published(
    {
        "VQAMed2019_Test_Questions_w_Ref_Answers.txt": (
            b"synpic90201|organ|what organ system is imaged?|skull and contents# face#\n"
            b"synpic90202|Abnormality|what is alarming?|tumour\n"
            b"synpic90203|what plane is it?|axial\n"
            b"synpic90204|plane|what plane is it?|#\n"
        ),
    },
    (("synpic90201-1", 1), ("synpic90202-2", 1), ("synpic90203-3", 1), ("synpic90204-4", "empty_answer")),
)
_MED_HIDDEN = Published(
    {"VQAMed2019_Test_Questions.txt": b"synpic90301|what plane is it?\nsynpic90302|is it a modality?\n"},
    (("synpic90301-1", "empty_answer"), ("synpic90302-2", "empty_answer")),
)
_MED_DERIVED = Published(
    {
        "VQA-Med-2019/valset.json": array([
            # Alike but for the organ; all of them call themselves freeform.
            _without(_derived(31, "axial#transverse"), "image_organ"),
            _without(_derived(32, "ct", answer_type="closed", question="is \tthis a ct?"), "image_organ", "phrase_type"),
            _without(_derived(33, None), "image_organ"),
            7,
        ]),
    },
    (("31", 1), ("32", 1), ("33", "empty_answer"), ("row-4", "not_json")),
)  # fmt: skip


def _path(image, question, answer):
    return {"image": image, "question": question, "answer": answer}


_PATH_PICKLE = Published(
    {
        "qas/val/val_qa.pkl": pickle.dumps([
            _path("val_0001", " Where are the cells? ", "in the portal tract"),
            _path("val_0001", "Are there cells?", "yes"),
            _path("val_0002", "What is it?", None),
            _path("", "What is it?", "a cell"),
            _path("val_0003", "", "a cell"),
            {("no", "key"): 1},
            _path("val_0004", "How many are there?", 3),
        ]),
    },
    (
        ("val_0001-1", 1), ("val_0001-2", 1), ("val_0002-3", "empty_answer"), ("row-4", "missing_field"),
        ("val_0003-5", "empty_question"), ("row-6", "not_json"), ("val_0004-7", 1),
    ),
)  # fmt: skip


def _scored(number, image, question, label):
    return {"question_id": number, "img_id": image, "sent": question, "label": label, "answer_type": "other"}


_PATH_LXMERT = Published(
    {
        "train_vqa.pkl": pickle.dumps([
            _scored(100, "train_0001", "What is stained?", {"nuclei": 1}),
            _scored(101, "train_0001", "Which colour?", {"blue": 0.3, "violet": 0.9}),
            _scored(102, "test_0001", "Is it pink?", {"no": 1.0}),
            _scored(103, "train_0002", "Unanswered?", {}),
        ]),
    },
    (("100", 1), ("101", 1), ("102", 1), ("103", "empty_answer")),
)  # fmt: skip


def _image(name, questions, answers):
    return {"img_id": name, "labelf": {"pvqa": answers}, "sentf": {"pvqa": questions}}


_PATH_PRETRAINING = Published(
    {
        "pvqa_test.json": array([
            _image("test_0000", ["What is it?", "Is it large?"], [{"a cyst": 1}, {"yes": 1}]),
            _image("test_0001", [], []),
            _image("test_0002", ["What is it?", "Is it small?"], [{"no": 1}]),
            _image("test_0003", ["What is it?", ""], [{"a cell": 1}, {"no": 1}]),
            _image("", ["What is it?"], [{"a cell": 1}]),
            _image("test_0004", None, {"a": 1}),
            _image("test_0005", ["What is it?"], [{}]),
            "a string",
        ]),
    },
    (
        ("test_0000", 2), ("test_0001", "empty_question"), ("test_0002", "missing_field"), ("test_0003", 1),
        ("row-5", "missing_field"), ("test_0004", "empty_question"), ("test_0005", "empty_answer"), ("row-8", "not_json"),
    ),
)  # fmt: skip
_PATH_BOOK = Published(
    {
        "QA_pairs_vb.json": array([
            {"Image_ID": "Fig.1", "Questions": "What is it?", "Answers": " a gland\n"},
            {"Image_ID": "Fig.1", "Questions": "What is it?", "Answers": " "},
        ]),
    },
    (("Fig.1-1", 1), ("Fig.1-2", "empty_answer")),
)  # fmt: skip
_PATH_HOSTED = Published(
    {"path-vqa/data/train-00000-of-00001.parquet": _asked(["Is it a gland?", "What is it?"], ["no", ""])},
    (("row-1", 1), ("row-2", "empty_answer")),
)


def _omni(name, answer, **changes):
    return {
        "dataset": "Set", "question_id": name, "question_type": "Anatomy Identification", "question": "Which organ is it?",
        "gt_answer": answer, "image_path": f"Images/Set/{name}.png", "option_A": "Liver", "option_B": "Lung",
        "option_C": "Heart", "option_D": "None", "modality_type": "MR (Mag-netic Resonance Imaging)",
    } | changes  # fmt: skip


_OMNI = Published(
    {
        "QA_information/Open-access/Set.json": array([
            _omni("Set_1", " lung "),
            _without(_omni("Set_2", "Liver", modality_type="X-Ray"), "option_C", "option_D"),
            _omni("Set_3", "None", modality_type="CT(Computed Tomography)"),
            _without(_omni("Set_4", "Liver"), "option_C"),
            _omni("Set_5", "Spleen"),
            _omni("Set_6", ""),
            _omni("Set_7", "Liver", image_path=None),
            _omni("Set_8", "Liver", option_D="liver"),
            None,
        ]),
    },
    (
        ("Set_1", 1), ("Set_2", 1), ("Set_3", 1), ("Set_4", "invalid_options"), ("Set_5", "invalid_options"),
        ("Set_6", "empty_answer"), ("Set_7", "missing_field"), ("Set_8", "invalid_options"), ("row-9", "not_json"),
    ),
)  # fmt: skip
_OMNI_RESTRICTED = Published(
    {"QA_information/Restricted-access/Set.json": array([_omni("Set_1", "Lung"), "x"])},
    (("Set_1", "licence_forbids"), ("row-2", "not_json")),
)


def _copied(name, question, answer, **changes):
    said = [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    return {"id": name, "image": f"{name}.jpg", "answer_type": "CLOSED", "conversations": said} | changes


_CLOSED = "Is it large? Please choose from the following two options: [yes, no]"
_COPIES = Published(
    {
        "test.json": array([
            _copied("c1", f"{_CLOSED}\n<image>", "yes"),
            _copied("c1", f"<image>\n{_CLOSED}", "no"),
            _copied("c2", "What is it?\n<image>", "A cyst.", answer_type="OPEN"),
            _without(_copied("c3", "", "", conversatons=_copied("", "<image>\nIs it?", "no")["conversations"]), "conversations"),
            _copied("c4", "What is it?\n<image>", None),
            _copied("c5", "", "", conversations=[]),
            "x",
        ]),
    },
    (
        ("c1-1", 1), ("c1-2", 1), ("c2-3", 1), ("c3-4", 1), ("c4-5", "empty_answer"), ("c5-6", "missing_field"),
        ("row-7", "not_json"),
    ),
)  # fmt: skip

PUBLISHED_VQA: dict[str, tuple[Published, ...]] = {
    "vqa_rad": (_RAD, _RAD_DERIVED, _RAD_HOSTED),
    "vqa_med_2019": (_MED_TRAIN, _MED_TEST, _MED_HIDDEN, _MED_DERIVED),
    "path_vqa": (_PATH_PICKLE, _PATH_LXMERT, _PATH_PRETRAINING, _PATH_BOOK, _PATH_HOSTED),
    "omnimedvqa": (_OMNI, _OMNI_RESTRICTED),
    "llava_med_vqa": (_COPIES,),
}
