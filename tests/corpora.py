"""Small corpora of our own in published formats, with the Arabic that a good translator gives for them."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

#: Each of these the gate accepts; test_gate proves it.
ARABIC = {
    "Is the heart enlarged in this image?": "هل القلب متضخم في هذه الصورة؟",
    "Which organ is abnormal in this picture?": "ما العضو غير الطبيعي في هذه الصورة؟",
    "The liver is abnormal.": "الكبد غير طبيعي.",
    "Where is the nodule located?": "أين تقع العقيدة؟",
    "The nodule is in the right upper lobe.": "تقع العقيدة في الفص العلوي الأيمن.",
    "Is there a fracture of the left rib?": "هل يوجد كسر في الضلع الأيسر؟",
    "Which modality was used to take this image?": "ما طريقة التصوير المستخدمة لالتقاط هذه الصورة؟",
    "Does the patient have pneumonia?": "هل يعاني المريض من الالتهاب الرئوي؟",
    "The lungs are clear. There is no pleural effusion or pneumothorax.": (
        "الرئتان سليمتان. لا يوجد انصباب جنبي أو استرواح صدري."
    ),
    "No acute cardiopulmonary disease.": "لا يوجد مرض قلبي رئوي حاد.",
    "I have had a fever and a dry cough for three days. Should I see a doctor?": (
        "أعاني من الحمى والسعال الجاف منذ ثلاثة أيام. هل يجب أن أراجع الطبيب؟"
    ),
    "Fever with a dry cough often passes by itself. See a doctor if you become short of breath.": (
        "غالبًا ما تزول الحمى المصحوبة بسعال جاف من تلقاء نفسها. راجع الطبيب إذا أصبت بضيق في التنفس."
    ),
}
_EXCHANGES = [
    ("Is the heart enlarged in this image?", "Yes"),
    ("Which organ is abnormal in this picture?", "The liver is abnormal."),
    ("Where is the nodule located?", "The nodule is in the right upper lobe."),
    ("Is there a fracture of the left rib?", "No"),
    ("Which modality was used to take this image?", "CT"),
    ("Does the patient have pneumonia?", "No"),
    ("Is the kidney seen behind the stomach here?", "Yes"),
]


@dataclass(frozen=True)
class Corpora:
    """Where the fixture lies; `records` and `traps` are what a run should count."""

    folder: Path
    records: int
    traps: int

    def config(self, endpoint_url, **changes):
        """Write a config over the corpora and return its path; `changes` replace top-level keys."""
        values = {
            "name": "small",
            "workspace": "work",
            "sources": [
                {"corpus": "slake", "path": "slake/train.json", "images": "slake/imgs"},
                {"corpus": "iu_xray", "path": "iu/indiana_reports.csv", "missing_images": "text_only"},
                {"corpus": "healthcaremagic", "path": "chat.json"},
            ],
            "endpoints": {
                "translator": {
                    "base_url": endpoint_url, "model": "test-model", "concurrency": 4, "timeout_s": 20,
                    "price": {"input": 1.0, "output": 4.0},
                }
            },
            "translate": {"rounds": 1, "budget_usd": 1.0},
            "quality": {"without_judge": "accept"},
            "release": {"name": "small", "version": "0.1.0", "splits": {"train": 0.7, "validation": 0.3}},
            "train": {"preset": "none"},
            "runner": {"chunk_rows": 4},
        }  # fmt: skip
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(values | changes, allow_unicode=True), encoding="utf-8")
        return path


def picture(seed, size=(96, 80)):
    """A picture of its own for each seed: shapes, so that no two share a perceptual hash."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (6, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def write_corpora(folder):
    """7 SLAKE exchanges about 4 images with 3 traps, 2 reports (1 empty), 2 chats (1 without an answer)."""
    (folder / "slake" / "imgs").mkdir(parents=True)
    for number in range(1, 5):
        place = folder / "slake" / "imgs" / f"xmlab{number}"
        place.mkdir()
        picture(number).save(place / "source.jpg", quality=95)
    broken = folder / "slake" / "imgs" / "xmlab9"
    broken.mkdir()
    (broken / "source.jpg").write_bytes((folder / "slake" / "imgs" / "xmlab1" / "source.jpg").read_bytes()[:700])
    rows = [_slake(number, question, answer, 1 + number % 4) for number, (question, answer) in enumerate(_EXCHANGES)]
    rows += [_slake(20, "Is this a brain?", "Yes", 9), _slake(21, "Is this a lung?", "Yes", 7), _slake(22, "Is it big?", "", 2)]
    (folder / "slake" / "train.json").write_text(json.dumps(rows), encoding="utf-8")
    reports = folder / "iu"
    reports.mkdir()
    _csv(reports / "indiana_reports.csv", [_report(1, *list(ARABIC)[8:10]), _report(2, "", "")])
    _csv(reports / "indiana_projections.csv", [{"uid": 1, "filename": "1_IM-0001-4001.dcm.png", "projection": "Frontal"}])
    fever, answer = list(ARABIC)[10:12]
    chats = [
        {"instruction": "Answer as a doctor.", "input": fever, "output": answer},
        {"instruction": "", "input": fever, "output": ""},
    ]
    (folder / "chat.json").write_text(json.dumps(chats), encoding="utf-8")
    return Corpora(folder, records=len(rows) + 2 + 2, traps=5)


def _slake(number, question, answer, image):
    return {
        "img_id": image, "img_name": f"xmlab{image}/source.jpg", "question": question, "answer": answer, "q_lang": "en",
        "location": "Abdomen", "modality": "CT", "answer_type": "OPEN", "base_type": "vqa", "content_type": "Organ",
        "triple": ["vhead", "_", "_"], "qid": number,
    }  # fmt: skip


def _report(uid, findings, impression):
    return {
        "uid": uid, "MeSH": "normal", "Problems": "normal", "image": "Chest", "indication": "Cough.", "comparison": "None.",
        "findings": findings, "impression": impression,
    }  # fmt: skip


def _csv(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
