"""SLAKE's cross-language leak: its English and its Chinese questions split the images differently (72 English test images are in
the Chinese training set). No image of the English test set may reach training, whoever asks about it.
"""

import json

from pipeline.curate.dedup import find_duplicates
from pipeline.curate.stage import curate_chunk
from pipeline.ingest import ingest_source
from pipeline.workspace import Workspace
from schemas.sample import Exclusion, Sample
from tests.corpora import picture
from tests.curate.samples import configured


def _question(number, image, language="en"):
    question = {"en": "Which organ is the largest one here?", "zh": "图中最大的器官是什么?"}[language]
    return {
        "img_id": number, "img_name": f"xmlab{image}/source.jpg", "question": question, "answer": "Liver", "q_lang": language,
        "qid": number, "location": "Abdomen", "modality": "CT", "answer_type": "OPEN", "content_type": "Organ",
    }  # fmt: skip


def _write(folder):
    """The test set's image 1 is in the training set in Chinese, and, saved again, as image 3 in English."""
    for number, seed, quality in ((1, 1, 95), (2, 2, 95), (3, 1, 60)):
        (folder / "imgs" / f"xmlab{number}").mkdir(parents=True)
        picture(seed, (320, 240)).save(folder / "imgs" / f"xmlab{number}" / "source.jpg", quality=quality)
    (folder / "train.json").write_text(json.dumps([_question(1, 1, "zh"), _question(2, 2), _question(3, 3)]))
    (folder / "test.json").write_text(json.dumps([_question(9, 1)]))


def test_no_image_of_the_english_test_set_reaches_training(tmp_path):
    _write(tmp_path)
    sources = [{"corpus": "slake", "path": tmp_path / "train.json", "images": tmp_path / "imgs"}]
    config = configured(tmp_path, sources=sources, curate={"benchmarks": ["slake:test"]})
    workspace = Workspace(tmp_path / "work")
    ingest_source(config, workspace, 0)
    find_duplicates(config, workspace)
    for manifest in workspace.manifests("ingest"):
        curate_chunk(config, workspace, manifest.chunk)
    assert [one.record for one in workspace.rows("curate", Sample, "samples")] == ["2"]
    (other,) = workspace.rows("ingest", Exclusion, "excluded")
    assert (other.record, other.reason) == ("1", "other_language")
    (leak,) = workspace.rows("curate", Exclusion, "excluded")
    assert (leak.record, leak.reason) == ("3", "contaminated")
    assert leak.detail.startswith("an image of slake:test 9: 'Which organ is the largest one here?\\nLiver' | here: ")
