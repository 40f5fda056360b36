"""MedTrinity captions images of VQA-RAD, SLAKE and PathVQA: none that a VQA test set asks about may be trained on."""

import json

import pyarrow as pa

from pipeline.curate.dedup import find_duplicates
from pipeline.curate.stage import curate_chunk
from pipeline.ingest import ingest_source
from pipeline.workspace import Workspace
from schemas.sample import Exclusion, Sample
from tests.corpora import picture
from tests.curate.samples import configured
from tests.sources.published_tables import parquet, table


def _write(folder):
    """VQA-RAD's test image 1, in MedTrinity under another name and smaller; its image 2 is nobody's test image."""
    (folder / "VQA_RAD Image Folder").mkdir(parents=True)
    (folder / "trinity").mkdir()
    picture(1, (320, 240)).save(folder / "VQA_RAD Image Folder" / "synpic1.jpg", quality=95)
    picture(1, (320, 240)).resize((240, 180)).save(folder / "trinity" / "a.jpg", quality=70)
    picture(2, (320, 240)).save(folder / "trinity" / "b.jpg", quality=95)
    question = {
        "qid": 1, "phrase_type": "test_freeform", "qid_linked_id": "03f4", "image_case_url": "", "image_name": "synpic1.jpg",
        "image_organ": "CHEST", "evaluation": "evaluated", "question": "Is the heart enlarged?", "question_rephrase": "NULL",
        "question_relation": "NULL", "question_frame": "NULL", "question_type": "SIZE", "answer": "No", "answer_type": "CLOSED",
    }  # fmt: skip
    (folder / "VQA_RAD Dataset Public.json").write_text(json.dumps([question]))
    captions = {
        "file_name": (pa.string(), ["a.jpg", "b.jpg"]),
        "caption": (pa.string(), ["A chest X-ray whose heart is of normal size.", "A liver with one cyst in it."]),
        "source": (pa.string(), ["vqa_rad", "deeplesion"]),
    }
    (folder / "train.parquet").write_bytes(parquet(table(captions)))


def test_a_caption_of_an_image_that_a_vqa_test_set_asks_about_falls_out(tmp_path):
    _write(tmp_path)
    trinity = {"corpus": "medtrinity", "path": tmp_path / "train.parquet", "images": tmp_path / "trinity"}
    tests = {
        "corpus": "vqa_rad", "path": tmp_path / "VQA_RAD Dataset Public.json", "images": tmp_path / "VQA_RAD Image Folder",
        "split": "test",
    }  # fmt: skip
    config = configured(tmp_path, sources=[trinity, tests], curate={"benchmarks": ["vqa_rad:test"]})
    workspace = Workspace(tmp_path / "work")
    ingest_source(config, workspace, 0)
    find_duplicates(config, workspace)
    for manifest in workspace.manifests("ingest"):
        curate_chunk(config, workspace, manifest.chunk)
    assert [one.meta["source"] for one in workspace.rows("curate", Sample, "samples")] == ["deeplesion"]
    (leak,) = workspace.rows("curate", Exclusion, "excluded")
    assert (leak.record, leak.reason) == ("vqa_rad-a.jpg", "contaminated")
    assert leak.detail.startswith("an image of vqa_rad:test 1: 'Is the heart enlarged?")
