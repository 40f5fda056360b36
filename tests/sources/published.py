"""One hand-written file set for each corpus, in the form in which it is published, with the traps that its readers fell into.

`outcomes` says, record by record in the order of the file, what must become of it: its id with the number of its drafts, or
with the reason why there are none.
"""

import json

from tests.sources.forms import Published
from tests.sources.forms import array as _array
from tests.sources.forms import lines as _lines
from tests.sources.published_figures import FIGURE_CAPTIONS, IU_FORMS, PUBLISHED_FIGURES
from tests.sources.published_tables import PUBLISHED_TABLES
from tests.sources.published_text import PUBLISHED_TEXT, PUBMEDQA_SETS
from tests.sources.published_vqa import PUBLISHED_VQA


def _slake(qid, question, answer, **changes):
    return {
        "img_id": 3, "img_name": "xmlab3/source.jpg", "question": question, "answer": answer, "q_lang": "en", "qid": qid,
        "location": "Chest", "modality": "X-Ray", "answer_type": "OPEN", "base_type": "vqa", "content_type": "Organ",
        "triple": ["vhead", "_", "_"],
    } | changes  # fmt: skip


_SLAKE = Published(
    {
        # A byte order mark before the array, as an editor on Windows leaves it.
        "train.json": b"\xef\xbb\xbf" + _array([
            _slake(0, " Which organs are shown? ", "Heart, Lung, Spine"),
            _slake(1, "图中显示的是什么器官?", "心脏", q_lang="zh"),
            _slake(2, "Is the heart enlarged?", ""),
            _slake(3, None, "No"),
            _slake(4, "Which structure is missing here?", "None"),
            _slake(5, "How many kidneys are shown?", 2, modality="CT"),
            _slake(6, "Which side is abnormal?", "Left", q_lang=None),
            _slake(7, "Which plane is this?", "Axial", img_name=""),
            _slake(8, "Compare <image> with <image>.", "The same"),
            "a string where a record should be",
            _slake(10, "Does the picture show a lung?", True, q_lang="EN"),
            _slake(None, "Is this a scan of the head?", "No"),
            _slake(12, ["a", "list"], "No"),
        ]),
    },
    (
        ("0", 1), ("1", "other_language"), ("2", "empty_answer"), ("3", "empty_question"), ("4", 1), ("5", 1),
        ("6", "missing_field"), ("7", "missing_field"), ("8", "image_count"), ("row-10", "not_json"), ("10", 1), ("row-12", 1),
        ("12", "empty_question"),
    ),
)  # fmt: skip

_PMC_V1 = Published(
    {
        "train.csv": (
            "Figure_path,Question,Answer,Choice A,Choice B,Choice C,Choice D,Answer_label\n"
            "PMC9000001_F1.jpg,What plane is shown?,Axial,A:Sagittal , B:Axial ,C:\u00a0Coronal,\u200aD:Oblique,B\n"
            'PMC9000001_F1.jpg,"Which stain, if any, was used?",None,"A:H&E, weak",B:PAS,C:None,D:NA,C\n'
            'PMC9000002_F2.jpg,"Two lines\nin one cell?",N/A,A:N/A,B:null,C:nan,"D:the ""halo"" sign",A\n'
            "PMC9000003_F1.jpg,What is marked?,A vein,A:A vein,B:An artery,C:A nerve,D:A duct,B\n"
            "PMC9000003_F1.jpg,What is marked?,Something else,A:A vein,B:An artery,C:A nerve,D:A duct,D\n"
            "PMC9000004_F1.jpg,Which letter is it?,,A:a,B:b,C:c,D:d,AB\n"
            "PMC9000005_F1.jpg,What is missing?,Bone,A:Bone,B:,C:Fat,D:Air,A\n"
            "PMC9000006_F1.jpg,,Bone,A:Bone,B:Skin,C:Fat,D:Air,A\n"
            "PMC9000007_F1.jpg,Is this, in short, bone?,Bone,A:Bone,B:Skin,C:Fat,D:Air,A\n"
            "PMC9000008_F1.jpg,What is it?,,A:Bone,B:Skin,C:Fat,D:Air,\n"
            ",What is it?,Bone,A:Bone,B:Skin,C:Fat,D:Air,A\n"
            "PMC9000009_F1.jpg,What is it?,Bo"
        ).encode(),
    },
    (
        ("PMC9000001_F1-1", 1), ("PMC9000001_F1-2", 1), ("PMC9000002_F2-3", 1), ("PMC9000003_F1-4", "invalid_options"),
        ("PMC9000003_F1-5", 1), ("PMC9000004_F1-6", "invalid_options"), ("PMC9000005_F1-7", "invalid_options"),
        ("PMC9000006_F1-8", "empty_question"), ("row-9", "not_json"), ("PMC9000008_F1-10", "empty_answer"),
        ("-11", "missing_field"), ("row-12", "not_json"),
    ),
)  # fmt: skip

_PMC_V2 = Published(
    {
        "train_2.csv": (
            "\ufeffindex,Figure_path,Caption,Question,Choice A,Choice B,Choice C,Choice D,Answer,split\n"
            "17,PMC9000011_F1.jpg,A film.,Which side?, A:Left, B:Right, C:Both, D:Neither,b,train\n"
            "18,PMC9000012_F1.jpg,A film.,Which view?,A:AP,B:PA,C:CD,D:Lateral,CD,train\n"
            "19,PMC9000013_F1.jpg,A film.,Which view?,A:AP,B:PA,C:Oblique,D:Lateral,AB,train\n"
            "20,PMC9000014_F1.jpg,A film.,Which view?,A:AP,B:PA,C:Oblique,D:Lateral,D,test\n"
        ).encode(),
    },
    (("17", 1), ("18", 1), ("19", "invalid_options"), ("20", 1)),
)

_PMC_MISSPELT = Published(
    {
        "fixed.csv": (
            b"Figure_path,Caption,Question,Choice A,Choice B,Choice C,Choice D,Anwser\r\n"
            b"PMC9000021_F1.jpg,c,Which organ?, A:Liver, B:Spleen, C:Kidney, D:Heart, B:Spleen \r\n"
            b"PMC9000022_F1.jpg,c,Which organ?, A:Liver, B:Liver, C:Kidney, D:Heart,Liver\r\n"
        ),
    },
    (("PMC9000021_F1-1", 1), ("PMC9000022_F1-2", "invalid_options")),
)


def _said(*turns):
    return [{"from": role, "value": value} for role, value in turns]


def _asked(name, question, answer, **changes):
    return {"id": name, "conversations": _said(("human", question), ("gpt", answer))} | changes


def _figure(name, question, answer, **changes):
    return _asked(name, question, answer, image=f"{name}.jpg", domain=_DOMAIN) | changes


_DOMAIN = {"chest_xray": False, "mri": False, "histology": True, "gross": False, "ct_scan": False}
_LLAVA_MED = Published(
    {
        "llava_med_alignment_500k.json": _array([
            {"id": "7001_F1", "image": "7001_F1.jpg", "domain": _DOMAIN | {"histology": False, "mri": True},
             "conversatons": _said(("human", "<image>\nDescribe it."), ("gpt", "A slice through the knee."))},
            _figure("7001_F2", "", "", conversations=_said(
                ("human", "What is stained?\n<image>"), ("gpt", "Nuclei."), ("human", "How?"), ("gpt", "Blue."),
            )),
            _figure("7001_F3", "No mark?", "None.", domain=None),
            _figure("7001_F4", "", "", conversations=None),
            _figure("7001_F5", "<image>\n<image>\nTwice?", "No."),
            _figure("7001_F6", "<image>", "There was no question."),
            _figure("7001_F1", "<image>\nAgain?", "The id occurs twice."),
            None,
        ]),
    },
    (
        ("7001_F1", 1), ("7001_F2", 1), ("7001_F3", 1), ("7001_F4", "missing_field"), ("7001_F5", "image_count"),
        ("7001_F6", "empty_question"), ("7001_F1", 1), ("row-8", "not_json"),
    ),
)  # fmt: skip


def _evaluated(number, text, answer, **changes):
    return {
        "question_id": number, "image": f"80{number}_F1.jpg", "text": text, "gpt4_answer": answer, "domain": _DOMAIN,
        "type": "conversation", "fig_caption": "Never part of a prompt.", "pair_id": f"80{number}_F1",
    } | changes  # fmt: skip


_QA50 = Published(
    {
        "qa50.json": _lines([
            _evaluated(0, "What is shown?\n<image>", "A cyst."),
            _evaluated(1, "Describe it.\n<image>", "A wall.", type="detailed_description"),
            _evaluated(2, "What is it?\n<image>", None),
            _evaluated(3, "What is it?\n<image>", "Text only.", image=None),
            "{\"question_id\": 4, \"text\": \"cut",
        ]),
    },
    (("0", 1), ("1", 1), ("2", "empty_answer"), ("3", "image_count"), ("row-5", "not_json")),
)  # fmt: skip

_IU = Published(
    {
        "indiana_reports.csv": (
            b"uid,MeSH,Problems,image,indication,comparison,findings,impression\n"
            b'1,normal,normal,Xray Chest PA and Lateral,XXXX,None.,"Lungs are clear, no\neffusion.",Normal chest.\n'
            b"2,normal,normal,Chest,Cough.,XXXX XXXX.,The heart is large.,Cardiomegaly. XXXX XXXX follow-up.\n"
            b"3,normal,normal,Chest,Cough.,None.,,No acute disease.\n"
            b"4,normal,normal,Chest,Cough.,None.,,\n"
            b"5,normal,normal,Chest,Cough.,None.,,No pneumothorax.\n"
            b"6,normal,normal,Chest,Cough.,None.,The heart is nor\n"
        ),
        "indiana_projections.csv": (
            b"uid,filename,projection\n1,1_IM-0001-4001.dcm.png,Frontal\n1,1_IM-0001-3001.dcm.png,Lateral\n"
            b"5,5_IM-2117-1003002.dcm.png,Frontal\n2,,Frontal\n"
        ),
    },
    (("1", 1), ("2", 1), ("3", "empty_answer"), ("4", "empty_answer"), ("5", 1), ("row-6", "not_json")),
)

_PUBMEDQA = Published(
    {
        # One line without a break, as `json.dump` writes it.
        "ori_pqal.json": json.dumps({
            "90001": {"QUESTION": "Does rest help?", "CONTEXTS": ["Forty patients rested.", " They slept. "],
                      "LONG_ANSWER": "Rest helped those who slept.", "final_decision": "yes", "YEAR": None},
            "90002": {"QUESTION": "Does salt matter?", "CONTEXTS": "One text, not a list.", "LONG_ANSWER": "It may."},
            "90003": {"QUESTION": "Is it safe?", "CONTEXTS": None, "final_decision": "Maybe"},
            "90004": {"QUESTION": "Is it cheap?", "CONTEXTS": [], "LONG_ANSWER": None},
            "90005": {"QUESTION": None, "CONTEXTS": ["x"], "LONG_ANSWER": "y"},
            "90006": "yes",
        }).encode(),
    },
    (
        ("90001", 1), ("90002", 1), ("90003", 1), ("90004", "empty_answer"), ("90005", "empty_question"),
        ("90006", "missing_field"),
    ),
)  # fmt: skip

_MTS = Published(
    {
        "MTS-Dialog-TrainingSet.csv": (
            b"ID,section_header,section_text,dialogue\r\n"
            b'0,GENHX,"He had a fever of 38\xb0C, and took none.",'
            b'"Doctor: How warm?\r\n  Patient: 38\xb0C, I think.\r\n\r\nDoctor: Hm."\r\n'
            b'1,ALLERGY,None,"Doctor: Any allergies?\nPatient: N/A."\n'
            b'2,ROS,,"Doctor: Anything else?\r\nPatient: No."\r\n'
            b'3,CC,Cough.,""\r\n'
            b"4,CC,Cough.\r\n"
            b'5,CC,Cough."Doctor: Hi.",Patient: Hi.\r\n'
            b'6,CC,"Cough."x,"Doctor: Hi."\r\n'
        ),
    },
    (("0", 1), ("1", 1), ("2", "empty_answer"), ("3", "empty_question"), ("row-5", "not_json"), ("5", 1), ("row-7", "not_json")),
)

_DOCTOR = "If you are a doctor, please answer the medical questions based on the patient's description."


def _consulted(given, output, instruction=_DOCTOR):
    return {"instruction": instruction, "input": given, "output": output}


def _answered(given, doctor, chatgpt, chatdoctor):
    return {"input": given, "answer_icliniq": doctor, "answer_chatgpt": chatgpt, "answer_chatdoctor": chatdoctor}


_HEALTHCAREMAGIC = Published(
    {
        # JSON Lines under .json, the second line cut.
        "HealthCareMagic-100k.json": _lines([
            _consulted(" My knee hurts after running. ", "Rest it for a week."),
            '{"instruction": "x", "input": "My he',
            _consulted("My head hurts.", None),
            _consulted("", "Take water.", "Answer: what helps against thirst?"),
            _consulted("", "Take water."),
            "[1, 2]",
        ]),
    },
    (("1", 1), ("row-2", "not_json"), ("3", "empty_answer"), ("4", 1), ("5", "empty_question"), ("row-6", "not_json")),
)  # fmt: skip
_GENMEDGPT = Published(
    {"GenMedGPT-5k.json": _array([_consulted("I sneeze a lot.", " You may have an allergy.\n"), _consulted(None, None)])},
    (("1", 1), ("2", "empty_question")),
)
_ICLINIQ = Published(
    {
        "iCliniq.json": _array([
            _answered("Is this rash bad?", "It is not.", "As a model, no.", "No."),
            _answered("Is this cut bad?", "", "It will heal.", None),
            _answered("Is this burn bad?", None, "", " "),
        ]),
    },
    (("1", 1), ("2", 1), ("3", "empty_answer")),
)  # fmt: skip
_ALPACA = Published(
    {
        "my_questions.json": _array([
            _consulted("", "A fast rhythm.", "What is tachycardia?"),
            _consulted("Aspirin or ibuprofen", False, "Is this safe in pregnancy?"),
            _consulted("", "No.", None),
        ]),
    },
    (("1", 1), ("2", 1), ("3", "empty_question")),
)  # fmt: skip

_FIGURE1 = Published(
    {
        "metadata.csv": (
            b"patientid,offset,sex,age,finding,survival,temperature,pO2 saturation,view,modality,artifacts/distortion,notes\n"
            b'C-00001a,3,M,50+,Pneumonia,,38.5,90,AP erect,X-ray,,"A man, 50+, with 38.5\xb0C and dyspnoea."\n'
            b"C-00001b,4,M,50+,,,,,PA,X-ray,,\n"
            b"C-00002,,F,,,,,,,X-ray,,\n"
        ),
    },
    (("C-00001a", 3), ("C-00001b", 1), ("C-00002", "empty_answer")),
)

_LLAVA = Published(
    {
        "chat.json": _array([
            _asked(0, "What is a fever?", "A temperature above 38."),
            {"id": "two", "image": ["a.png", "b.png"], "conversations": _said(
                ("system", "Be brief."), ("human", "<image>\n<image>\nWhich is older?"), ("gpt", "The first."),
            )},
            {"id": "from-gpt", "conversations": _said(("gpt", "Hello."), ("human", "Hello."))},
            {"id": "null-turn", "conversations": [*_said(("human", "Am I ill?")), None, *_said(("gpt", "Yes."))]},
            {"id": "tool", "conversations": _said(("human", "Look it up."), ("tool", "{}"), ("gpt", "Done."))},
            _asked("silent", "Why?", None),
            {"id": "open", "conversations": _said(("human", "Why?"), ("gpt", "Because."), ("human", "And?"))},
            _asked("stray", "<image>\nWhat is it?", "There is no image."),
            _asked("echo", "<image>\nWhat?", "This <image> one.", image="a.png"),
        ]),
    },
    (
        ("0", 1), ("two", 1), ("from-gpt", "invalid_turns"), ("null-turn", "invalid_turns"), ("tool", "invalid_turns"),
        ("silent", "empty_answer"), ("open", "invalid_turns"), ("stray", "image_count"), ("echo", "image_count"),
    ),
)  # fmt: skip

PUBLISHED: dict[str, tuple[Published, ...]] = {
    "slake": (_SLAKE,),
    "pmc_vqa": (_PMC_V1, _PMC_V2, _PMC_MISSPELT),
    "llava_med": (_LLAVA_MED, _QA50, *FIGURE_CAPTIONS),
    "iu_xray": (_IU, *IU_FORMS),
    "pubmedqa": (_PUBMEDQA, *PUBMEDQA_SETS),
    "mts_dialog": (_MTS,),
    "icliniq": (_ICLINIQ,),
    "healthcaremagic": (_HEALTHCAREMAGIC,),
    "genmedgpt": (_GENMEDGPT,),
    "figure1_cxr": (_FIGURE1,),
    "llava": (_LLAVA,),
    "alpaca": (_ALPACA,),
    **PUBLISHED_TEXT,
    **PUBLISHED_TABLES,
    **PUBLISHED_VQA,
    **PUBLISHED_FIGURES,
}
