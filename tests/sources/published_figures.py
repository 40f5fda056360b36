"""Captions and reports as published, hand-written: PMC-OA, ROCO, Quilt-1M, MedTrinity, LLaVA-Med's figures, IU X-ray, MIMIC."""

import json

import pyarrow as pa

from tests.sources.forms import Published, lines
from tests.sources.published_tables import IMAGE, image_bytes, parquet, table

_PMC_OA = Published(
    {
        "pmc_oa.jsonl": lines([
            {"image": "PMC9000001_Fig3_4.jpg", "caption": "A. A cyst.", "alignment_type": "Title", "alignment_score": 0.42},
            {"image": "PMC9000001_Fig3_5.jpg", "caption": "B. None."},
            {"image": "PMC9000002_Fig1_1.jpg", "caption": ""},
            {"image": None, "caption": "No picture."},
            '{"image": "PMC9000003_Fig1_1.jpg", "capt',
            {"image": "PMC9000001_Fig3_4.jpg", "caption": "The part occurs twice."},
        ]),
    },
    (
        ("PMC9000001_Fig3_4", 1), ("PMC9000001_Fig3_5", 1), ("PMC9000002_Fig1_1", "empty_answer"), ("row-4", "missing_field"),
        ("row-5", "not_json"), ("PMC9000001_Fig3_4", 1),
    ),
)  # fmt: skip
_PMC_BETA = Published(
    {"pmc_oa_beta.jsonl": lines([{"image": "PMC9000009_F1_1.jpg", "caption": "(A) One. (B) Two."}])},
    (("PMC9000009_F1_1", 1),),
)

_ROCO_TEXT = (
    b"ROCO_00001\t Axial CT of the head with a\tsubdural collection.\n"
    b"ROCO_00002\t \n"
    b"ROCO_00003 without a tab\n"
    b"ROCO_00004\t None\r\n"
    b"\n"
    b"ROCO_00005\t Fever of 38\xb0C.\n"
    b"ROCO_00006"
)
_ROCO_OUTCOMES = (
    ("ROCO_00001", 1), ("ROCO_00002", "empty_answer"), ("ROCO_00003 without a tab", "not_json"), ("ROCO_00004", 1),
    ("ROCO_00005", 1), ("ROCO_00006", "not_json"),
)  # fmt: skip
_ROCO = Published(
    {
        "data/test/radiology/captions.txt": _ROCO_TEXT,
        "data/test/radiology/dlinks.txt": b"ROCO_00001\twget -r ftp://x.test/PMC1.tar.gz -P .\tfile.jpg\n",
        "data/test/radiology/licences.txt": b"ROCO_ID,PMC_ID,CC\nROCO_00001,PMC9000001,CC BY-NC\nROCO_00004,PMC9000004,CC BY\n",
    },
    _ROCO_OUTCOMES,
)
_ROCO_FOLDER = Published(dict(_ROCO.files), _ROCO_OUTCOMES, "data/test/radiology")

_ROCOV2 = Published(
    {
        "valid_captions.csv": (
            b"\xef\xbb\xbfID,Caption\nROCOv2_2023_valid_000001,\"CT of the chest, axial.\"\nROCOv2_2023_valid_000002,\n"
            b",Nameless.\nROCOv2_2023_valid_000004,NA\nROCOv2_2023_valid_000005,a,b\n"
        ),
        "valid_concepts.csv": b"ID,CUIs\nROCOv2_2023_valid_000001,C0817096;C0040405\nROCOv2_2023_valid_000004,C0041618\n",
    },
    (
        ("ROCOv2_2023_valid_000001", 1), ("ROCOv2_2023_valid_000002", "empty_answer"), ("row-3", "missing_field"),
        ("ROCOv2_2023_valid_000004", 1), ("row-5", "not_json"),
    ),
)  # fmt: skip
_ROCOV2_HOSTED = Published(
    {
        "data/train-00000-of-00001.parquet": parquet(table({
            "image": (IMAGE, [{"bytes": image_bytes(41), "path": None}, None]),
            "image_id": (pa.string(), ["ROCOv2_2023_train_000001", "ROCOv2_2023_train_000002"]),
            "caption": (pa.string(), [" Ultrasound of the liver.", "Its image is lost."]),
            "cui": (pa.list_(pa.string()), [["C0041618"], []]),
        })),
    },
    (("ROCOv2_2023_train_000001", 1), ("ROCOv2_2023_train_000002", "missing_field")),
)  # fmt: skip

_QUILT = Published(
    {
        "quilt_1M_lookup.csv": (
            b",caption,image_path,subset,split,pathology,roi_text,noisy_text,corrected_text,med_umls_ids,magnification,height,"
            b"width,not_histology\n"
            b"0,Nuclei are large.,v1_image_1.jpg,quilt,train,[],\"['here, there']\",n,c,\"[['C1']]\",1.0,512,512,0\n"
            b"1,Mitoses.,v1_image_1.jpg,quilt,val,[],[],n,c,[],,512,512,False\n"
            b"2,A face.,v2_image_1.jpg,quilt,train,[],[],n,c,[],,512,512,1.0\n"
            b"3,,v3_image_1.jpg,quilt,train,[],[],n,c,[],,512,512,0\n"
            b"4,No picture.,,quilt,train,[],[],n,c,[],,512,512,0\n"
            b"5,Cut,v4_image_1.jpg,quilt,tr\n"
        ),
    },
    (
        ("v1_image_1-1", 1), ("v1_image_1-2", 1), ("v2_image_1-3", "other_subject"), ("v3_image_1-4", "empty_answer"),
        ("row-5", "missing_field"), ("row-6", "not_json"),
    ),
)  # fmt: skip

_TRINITY = Published(
    {
        "25M_full/train-00000-of-00001.parquet": parquet(table({
            "file_name": (pa.string(), ["sub/a.jpg", "b.png", None, "c.jpg"]),
            "caption": (pa.string(), ["A lung.", "", "No picture.", "A knee."]),
            "source": (pa.string(), ["slake", "pmc_oa", "pmc_oa", None]),
        })),
    },
    (("slake-a.jpg", 1), ("pmc_oa-b.png", "empty_answer"), ("row-3", "missing_field"), ("c.jpg", 1)),
)  # fmt: skip
_TRINITY_DEMO = Published(
    {
        "MedTrinity-25M/25M_demo/train-00000-of-00001.parquet": parquet(table({
            "image": (IMAGE, [{"bytes": image_bytes(42), "path": "a.jpg"}, None]),
            "id": (pa.string(), ["d1", "d2"]),
            "caption": (pa.string(), ["A heart.", "Its image is lost."]),
        })),
    },
    (("d1", 1), ("d2", "missing_field")),
)  # fmt: skip


def _figure(name, caption, **changes):
    return {
        "pair_id": name,
        "fig_label": "F1",
        "fig_caption": caption,
        "in_text_mention": [{"tokens": "See figure 1."}],
    } | changes


_FIGURES = Published(
    {
        "llava_med_instruct_fig_captions.json": json.dumps({
            "chest_xray": [_figure("9501_F1", " A film of the chest. "), _figure("9502_F1", None)],
            "gross": [_figure("9503_F1", "A liver."), "no record", _figure("9501_F1", "A film of the chest.")],
            "mri": [],
        }, indent=1).encode(),
    },
    (("9501_F1", 1), ("9502_F1", "empty_answer"), ("9503_F1", 1), ("row-4", "not_json"), ("9501_F1", 1)),
)  # fmt: skip


def _citation(name, abstract, images=()):
    told = "".join(f'<AbstractText Label="{label}">{words}</AbstractText>' for label, words in abstract)
    parents = "".join(f'<parentImage id="{image}"><figureId>F1</figureId><caption>c</caption></parentImage>' for image in images)
    return (
        f'<?xml version="1.0" encoding="utf-8"?><eCitation><meta type="rr"/><uId id="{name}"/><MedlineCitation><Abstract>'
        f"{told}</Abstract></MedlineCitation><MeSH><major>normal</major></MeSH>{parents}</eCitation>"
    ).encode()


_IU_XML = Published(
    {
        "ecgen-radiology/1.xml": _citation(
            "CXR1",
            [("COMPARISON", "None."), ("FINDINGS", "Lungs are\n clear. XXXX."), ("IMPRESSION", "Normal.")],
            ["CXR1_1_IM-0001-3001", "CXR1_1_IM-0001-4001"],
        ),
        "ecgen-radiology/2.xml": _citation("CXR2", [("FINDINGS", "A large heart."), ("IMPRESSION", "Cardiomegaly.")]),
        "ecgen-radiology/3.xml": _citation("CXR3", [("FINDINGS", ""), ("IMPRESSION", "Normal.")]),
        "ecgen-radiology/4.xml": _citation("CXR4", [("FINDINGS", ""), ("IMPRESSION", "")], ["CXR4_1"]),
        "ecgen-radiology/5.xml": b"<eCitation><uId id='CXR5'/>",
    },
    (("CXR1", 1), ("CXR2", 1), ("CXR3", "empty_answer"), ("CXR4", "empty_answer"), ("5", "not_json")),
    "ecgen-radiology",
)
_IU_PAGE = Published({"7.xml": _citation("CXR7", [("IMPRESSION", "Normal.")], ["CXR7_1"])}, (("CXR7", 1),))


def _annotated(name, report, images=None, **changes):
    return {"id": name, "report": report, "image_path": images or [f"{name}/0.png", f"{name}/1.png"]} | changes


_IU_R2GEN = Published(
    {
        # One line, as `json.dump` writes it.
        "annotation.json": json.dumps({
            "train": [_annotated("CXR1_1_IM-0001", " the lungs are clear . ", split="train"), _annotated("CXR2", None)],
            "val": [_annotated("CXR3", "no effusion ."), 5],
            "test": [_annotated("CXR4", "normal heart ."), _annotated("CXR5", "no image .", image_path=[])],
        }).encode(),
    },
    (
        ("CXR1_1_IM-0001", 1), ("CXR2", "empty_answer"), ("CXR3", 1), ("row-4", "not_json"), ("CXR4", 1),
        ("CXR5", "empty_answer"),
    ),
)  # fmt: skip

_SPLIT = (
    b"dicom_id,study_id,subject_id,split\n"
    b"aa-1,50000001,10000001,train\naa-2,50000001,10000001,train\nbb-1,50000002,10000002,test\ncc-1,50000003,10000001,validate\n"
    b"dd-1,50000004,10000003,train\n"
)
_CXR_TABLE = Published(
    {
        "mimic_cxr_sectioned.csv": (
            b"study,impression,findings,last_paragraph,comparison\n"
            b's50000001,No acute process.,"Lungs are clear,\n heart is large.",,None.\n'
            b"s50000002,,,Stable appearance.,\n"
            b"s50000003,,,,\n"
            b"s50000009,Normal.,Clear.,,\n"
            b"s50000004,Nor\n"
        ),
        "mimic-cxr-2.0.0-split.csv": _SPLIT,
    },
    (("s50000001", 1), ("s50000002", 1), ("s50000003", "empty_answer"), ("s50000009", "missing_field"), ("row-5", "not_json")),
)


def _text(body):
    return f"                                 FINAL REPORT\n EXAMINATION:  CHEST (PA AND LAT)\n \n {body}\n".encode()


_CXR_TEXTS = Published(
    {
        "files/p10/p10000001/s50000001.txt": b" WET READ: ___ 5:01 PM\n  IMPRESSION: A first guess.\n" + _text(
            "INDICATION:  Cough\n \n FINDINGS: \n \n Lungs are clear.  Ratio 3:1 is\n normal.\n \n IMPRESSION: \n"
            " No change.\n ADDENDUM:\n IMPRESSION: Late."
        ),
        "files/p10/p10000001/s50000003.txt": _text("FINDINGS AND IMPRESSION: Clear."),
        "files/p10/p10000002/s50000002.txt": b" FINAL REPORT\n AP CHEST\n \n The tube has been removed.\n",
        "files/p10/p10000003/s50000004.txt": _text("INDICATION: Cough."),
        "files/p10/p10000003/s50000008.txt": _text("IMPRESSION: Normal."),
        "files/index.txt": b"no report",
        "mimic-cxr-2.0.0-split.csv": _SPLIT,
    },
    (
        ("s50000001", 1), ("s50000003", 1), ("s50000002", 1), ("s50000004", "empty_answer"), ("s50000008", "missing_field"),
    ),
    "files",
)  # fmt: skip
_CXR_R2GEN = Published(
    {
        "annotation.json": json.dumps({
            "train": [_annotated("aa-1", "clear .", ["p10/p10000001/s50000001/aa-1.jpg"], subject_id=10000001)],
            "test": [_annotated("bb-1", "no .", ["p10/p10000002/s50000002/bb-1.jpg"], subject_id=None, study_id=50000002), None],
        }).encode(),
    },
    (("aa-1", 1), ("bb-1", "missing_field"), ("row-3", "not_json")),
)  # fmt: skip


def _note(row, body, subject="7", category="Radiology", described="CT HEAD W/O CONTRAST", error=""):
    cell = body.replace('"', '""')
    return f'{row},{subject},8,2101-10-20,,,{category},{described},,{error},"{cell}"\n'


_NOTE = (
    "[**2101-10-20**] 5:00 PM\n CT HEAD W/O CONTRAST      Clip # [**Clip Number (Radiology) 1**]\n Reason: fall\n ______\n"
    "                FINAL REPORT\n INDICATION:  Fall.\n\n FINDINGS:  No bleed in [**Known lastname 9**].\n     (Over)\n\n"
    " [**2101-10-20**] CT HEAD     (Cont)\n The sinuses are clear.\n\n IMPRESSION:  Normal.\n"
)
_NOTES = Published(
    {
        "NOTEEVENTS.csv": (
            '"ROW_ID","SUBJECT_ID","HADM_ID","CHARTDATE","CHARTTIME","STORETIME","CATEGORY","DESCRIPTION","CGID","ISERROR","TEXT"\n'
            + _note(1, _NOTE)
            + _note(2, "Admitted.", category="Discharge summary")
            + _note(3, _NOTE, error="1")
            + _note(4, f"{_NOTE} IMPRESSION: A second one.")
            + _note(5, "FINAL REPORT\n FINDINGS: Clear.")
            + _note(6, "FINAL REPORT\n IMPRESSION: Clear.")
            + _note(7, _NOTE, subject="")
            + _note(8, _NOTE, described="CHEST (PORTABLE AP)")
            + "9,7,8\n"
        ).encode(),
    },
    (
        ("1", 1), ("2", "other_subject"), ("3", "withdrawn"), ("4", "empty_answer"), ("5", "empty_answer"),
        ("6", "empty_question"), ("7", "missing_field"), ("8", 1), ("row-9", "not_json"),
    ),
)  # fmt: skip

IU_FORMS, FIGURE_CAPTIONS = (_IU_XML, _IU_PAGE, _IU_R2GEN), (_FIGURES,)
PUBLISHED_FIGURES: dict[str, tuple[Published, ...]] = {
    "pmc_oa": (_PMC_OA, _PMC_BETA),
    "roco": (_ROCO, _ROCO_FOLDER),
    "rocov2": (_ROCOV2, _ROCOV2_HOSTED),
    "quilt_1m": (_QUILT,),
    "medtrinity": (_TRINITY, _TRINITY_DEMO),
    "mimic_cxr": (_CXR_TABLE, _CXR_TEXTS, _CXR_R2GEN),
    "mimic_iii": (_NOTES,),
}
