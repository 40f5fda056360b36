"""The corpora as their owners publish them, read whole. They are not part of the project: without them this skips."""

from collections import Counter
from pathlib import Path

import pytest

from pipeline.images.store import load
from pipeline.sources.check import check
from pipeline.sources.registry import CORPORA, identify
from schemas.sample import IMAGE_MARK, REASONS

REAL = Path(__file__).parents[2].parent / "shared" / "corpora"
#: corpus, file, records, samples, what falls out.
FILES = [
    ("slake", "slake/train.json", 9_835, 4_918, {"other_language": 4_916, "empty_answer": 1}),
    ("slake", "slake/validate.json", 2_099, 1_053, {"other_language": 1_046}),
    # 25 reports have neither findings nor impression; 40 of those with images have one of the two.
    ("iu_xray", "iu_xray/indiana_reports.csv", 3_851, 3_826, {"empty_answer": 25}),
    ("pubmedqa", "pubmedqa/ori_pqal.json", 1_000, 1_000, {}),
    ("llava_med", "llava_med/llava_med_eval_qa50_qa.jsonl", 193, 193, {}),
    ("mts_dialog", "mts_dialog/MTS-Dialog-TrainingSet.csv", 1_201, 1_201, {}),
    ("mts_dialog", "mts_dialog/MTS-Dialog-ValidationSet.csv", 100, 100, {}),
    # Up to three questions a row; the file has one byte that is not UTF-8, a degree sign.
    ("figure1_cxr", "figure1_cxr/metadata.csv", 55, 107, {"empty_answer": 1}),
]


def _path(name):
    path = REAL / name
    if not path.exists():
        pytest.skip(f"{name} is not beside this checkout in shared/corpora")
    return path


@pytest.mark.parametrize(("corpus", "name", "records", "samples", "excluded"), FILES)
def test_every_record_of_the_real_file_is_read_or_excluded_with_its_reason(corpus, name, records, samples, excluded):
    path = _path(name)
    assert identify(path) == [corpus]
    read = list(CORPORA[corpus].read(path))
    assert len(read) == records
    assert len({record.id for record in read}) == records
    assert Counter(record.reason for record in read if record.reason) == excluded
    assert sum(len(record.drafts) for record in read) == samples
    for record in read:
        assert bool(record.drafts) != (record.reason is not None)
        assert record.reason in REASONS or record.reason is None
        for draft in record.drafts:
            assert sum(text.count(IMAGE_MARK) for _, text in draft.turns) == len(draft.images)
            assert all(text.strip() for _, text in draft.turns)


def test_no_windows_byte_survives_in_the_figure1_notes():
    texts = [
        text for r in CORPORA["figure1_cxr"].read(_path("figure1_cxr/metadata.csv")) for d in r.drafts for _, text in d.turns
    ]
    assert any("°" in text for text in texts)
    assert not any("\ufffd" in text or "\udcb0" in text for text in texts)


def test_no_answer_of_pubmedqa_stands_in_its_prompt():
    for record in CORPORA["pubmedqa"].read(_path("pubmedqa/ori_pqal.json")):
        (draft,) = record.drafts
        assert draft.turns[1][1].partition(". ")[2] not in draft.turns[0][1]


def test_all_images_of_the_figure1_set_decode_and_the_others_are_counted_missing():
    folder = _path("figure1_cxr/images")
    sizes = [load(folder, path.name).size for path in sorted(folder.iterdir())]
    assert len(sizes) == 31
    assert all(min(size) >= 64 and max(size) <= 1024 for size in sizes)
    metadata = _path("figure1_cxr/metadata.csv")
    named = [image for r in CORPORA["figure1_cxr"].read(metadata) for d in r.drafts for image in d.images]
    stems = {path.stem for path in folder.iterdir()}
    assert check(metadata, images=folder)["missing_images"] == sum(name not in stems for name in named)
