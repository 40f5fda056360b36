"""Ingest over every published form: each record is samples or one exclusion, ids are unique, and resuming changes nothing."""

import json
import shutil
from collections import Counter

import pytest

from pipeline.images.store import ImageStore
from pipeline.ingest import benchmark_samples, ingest_source
from pipeline.settings import RunnerSettings, Settings, SourceSettings
from pipeline.sources.registry import CORPORA
from pipeline.workspace import Workspace
from schemas.errors import InputError
from schemas.sample import IMAGE_MARK, REASONS, Exclusion, Sample
from shards.tar import header
from tests.corpora import picture
from tests.sources.published import PUBLISHED

CASES = [(name, number) for name, many in PUBLISHED.items() for number in range(len(many))]


def _settings(tmp_path, *sources, chunk_rows=3):
    return Settings(
        name="t", workspace=tmp_path / "work", root=tmp_path, sources=sources, runner=RunnerSettings(chunk_rows=chunk_rows)
    )


def _ingest(settings, place):
    workspace = Workspace(place)
    for index in range(len(settings.sources)):
        ingest_source(settings, workspace, index)
    return list(workspace.rows("ingest", Sample, "samples")), list(workspace.rows("ingest", Exclusion, "excluded"))


def _tables(place):
    return {path.name: path.read_bytes() for path in sorted((place / "tables").rglob("*.parquet"))}


def _chat(*names):
    said = [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Because."}]
    return json.dumps([{"id": name, "conversations": said} for name in names])


@pytest.mark.parametrize("missing", ["drop", "text_only"])
@pytest.mark.parametrize(("name", "number"), CASES)
def test_every_record_is_samples_or_one_exclusion(tmp_path, name, number, missing):
    path = PUBLISHED[name][number].write(tmp_path)
    source = SourceSettings(corpus=name, path=path, missing_images=missing)
    samples, excluded = _ingest(_settings(tmp_path, source), tmp_path / "work")
    rows = {sample.origin.row for sample in samples}
    fallen = [one for one in excluded if one.sample is None]
    assert sorted([*rows, *(one.origin.row for one in fallen)]) == list(range(1, len(PUBLISHED[name][number].outcomes) + 1))
    assert {one.reason for one in excluded} <= set(REASONS)
    assert len({sample.id for sample in samples}) == len(samples)
    for sample in samples:
        assert sum(turn.text.count(IMAGE_MARK) for turn in sample.turns) == len(sample.images)
        assert (sample.licence, sample.access) == (CORPORA[name].licence, CORPORA[name].access)
        assert sample.origin.file == path.relative_to(tmp_path).as_posix()


@pytest.mark.parametrize(("name", "number"), CASES)
def test_resumed_from_any_chunk_it_writes_the_same_bytes(tmp_path, name, number):
    path = PUBLISHED[name][number].write(tmp_path)
    settings = _settings(tmp_path, SourceSettings(corpus=name, path=path, missing_images="text_only"), chunk_rows=2)
    _ingest(settings, tmp_path / "whole")
    whole = _tables(tmp_path / "whole")
    for manifest in Workspace(tmp_path / "whole").manifests("ingest"):
        place = tmp_path / f"without-{manifest.chunk}"
        shutil.copytree(tmp_path / "whole", place)
        Workspace(place).manifest_path("ingest", manifest.chunk).unlink()
        _ingest(settings, place)
        assert _tables(place) == whole


def test_an_id_that_occurs_again_is_told_even_when_its_first_record_fell(tmp_path):
    """And a resumed run tells the same: the first record's id was once forgotten with the chunk that held it."""
    rows = [
        {"id": "1", "image": "gone.png", "conversations": json.loads(_chat("1"))[0]["conversations"]},
        *json.loads(_chat("2", "1")),
    ]
    path = tmp_path / "chat.json"
    path.write_text(json.dumps(rows))
    settings = _settings(tmp_path, SourceSettings(corpus="llava", path=path, images=tmp_path), chunk_rows=1)
    for _ in range(2):
        samples, excluded = _ingest(settings, tmp_path / "work")
        assert [sample.id for sample in samples] == ["llava-train-2"]
        assert [(one.record, one.reason) for one in excluded] == [("1", "missing_image"), ("1", "duplicate_id")]
        Workspace(tmp_path / "work").manifest_path("ingest", "00-llava-00002").unlink()


def test_different_records_get_different_ids_whatever_their_ids_look_like(tmp_path):
    names = ["a1", "A1", "a 1", "5", "5-ar", "x" * 300, "x" * 299 + "y", "سعال", "حمى", "-", "_", "a.1", "A 1"]
    (tmp_path / "chat.json").write_text(_chat(*names))
    samples, excluded = _ingest(
        _settings(tmp_path, SourceSettings(corpus="llava", path=tmp_path / "chat.json")), tmp_path / "work"
    )
    assert excluded == []
    ids = [sample.id for sample in samples] + [sample.pair for sample in samples]
    assert len(set(ids)) == 2 * len(names), "an English id may not be another one's twin"
    assert [sample.record for sample in samples] == names
    assert samples[0].id == "llava-train-a1"
    assert max(len(header(f"{name}.98.png", 0)) for name in ids) == 512, "each fits into the name of a tar's member"
    assert max(map(len, ids)) > 80


def test_the_drafts_of_one_record_never_take_the_id_of_another(tmp_path):
    header = "patientid,finding,view,notes\n"
    (tmp_path / "metadata.csv").write_text(header + "1,Fluid,PA,Large heart.\n1-0,Fluid,PA,\n2-1,,AP,\n2,Fluid,AP,\n")
    folder = tmp_path / "images"
    folder.mkdir()
    for number, name in enumerate(("1", "1-0", "2-1", "2")):
        picture(number).save(folder / f"{name}.png")
    source = SourceSettings(corpus="figure1_cxr", path=tmp_path / "metadata.csv", images=folder)
    samples, excluded = _ingest(_settings(tmp_path, source), tmp_path / "work")
    assert excluded == []
    assert Counter(sample.record for sample in samples) == {"1": 3, "1-0": 2, "2-1": 1, "2": 2}
    assert len({sample.id for sample in samples}) == 8


def test_two_sources_of_one_corpus_and_split_do_not_share_ids(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.json").write_text(_chat("1"))
    sources = [SourceSettings(corpus="llava", path=tmp_path / f"{name}.json") for name in ("one", "two")]
    samples, _ = _ingest(_settings(tmp_path, *sources), tmp_path / "work")
    assert [sample.id for sample in samples] == ["llava-train-1", "llava2-train-1"]


def test_drafts_with_a_broken_image_fall_and_say_which(tmp_path):
    (tmp_path / "metadata.csv").write_text("patientid,finding,view,notes\nC-1,Fluid,PA,\nC-2,Fluid,,\n")
    picture(1).save(tmp_path / "C-1.png")
    (tmp_path / "C-2.png").write_bytes((tmp_path / "C-1.png").read_bytes()[:300])
    source = SourceSettings(corpus="figure1_cxr", path=tmp_path / "metadata.csv", images=tmp_path)
    samples, excluded = _ingest(_settings(tmp_path, source), tmp_path / "work")
    assert {sample.record for sample in samples} == {"C-1"}
    assert [(one.record, one.reason, one.origin.row) for one in excluded] == [("C-2", "unreadable_image", 2)]


def test_a_limit_reads_that_many_records_and_no_more(tmp_path):
    path = PUBLISHED["slake"][0].write(tmp_path)
    source = SourceSettings(corpus="slake", path=path, missing_images="text_only", limit=5)
    samples, excluded = _ingest(_settings(tmp_path, source), tmp_path / "work")
    assert len(samples) + len(excluded) == 5


def test_the_wrong_corpus_is_refused_before_a_chunk_is_written(tmp_path):
    path = PUBLISHED["pubmedqa"][0].write(tmp_path)
    with pytest.raises(InputError, match="It looks like pubmedqa"):
        _ingest(_settings(tmp_path, SourceSettings(corpus="mts_dialog", path=path)), tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_swapped_pictures_make_the_chunks_again(tmp_path):
    """SLAKE calls every picture source.jpg: only the folder tells them apart."""
    path = PUBLISHED["slake"][0].write(tmp_path)
    for number in (3, 4):
        (tmp_path / "imgs" / f"xmlab{number}").mkdir(parents=True)
        picture(number).save(tmp_path / "imgs" / f"xmlab{number}" / "source.jpg")
    settings = _settings(tmp_path, SourceSettings(corpus="slake", path=path, images=tmp_path / "imgs"))
    before, _ = _ingest(settings, tmp_path / "work")
    shutil.move(tmp_path / "imgs" / "xmlab3", tmp_path / "imgs" / "aside")
    shutil.move(tmp_path / "imgs" / "xmlab4", tmp_path / "imgs" / "xmlab3")
    shutil.move(tmp_path / "imgs" / "aside", tmp_path / "imgs" / "xmlab4")
    after, _ = _ingest(settings, tmp_path / "work")
    assert before[0].images[0].sha256 != after[0].images[0].sha256


@pytest.mark.parametrize("size", [(96, 80), (2400, 1700)])
def test_a_benchmarks_picture_has_the_hash_of_the_stored_one(tmp_path, size):
    """Of a picture over 1,024 pixels the hash was taken before it was bounded, and could miss the copy in train."""
    path = PUBLISHED["slake"][0].write(tmp_path)
    folder = tmp_path / "imgs" / "xmlab3"
    folder.mkdir(parents=True)
    picture(11, size).save(folder / "source.jpg", quality=70)
    source = SourceSettings(corpus="slake", path=path, images=tmp_path / "imgs", split="test")
    stored = ImageStore(tmp_path / "store").add(tmp_path / "imgs", "xmlab3/source.jpg")
    hashes = {item.images for item in benchmark_samples(_settings(tmp_path, source), "slake:test")}
    assert hashes == {(stored.phash,)}


def test_a_benchmark_that_is_not_there_names_the_file_that_is_missing(tmp_path):
    path = PUBLISHED["slake"][0].write(tmp_path)
    with pytest.raises(InputError, match=r"'slake:test' is not there.*put test.json beside"):
        list(benchmark_samples(_settings(tmp_path, SourceSettings(corpus="slake", path=path)), "slake:test"))
    shutil.copy(path, tmp_path / "test.json")
    found = list(benchmark_samples(_settings(tmp_path, SourceSettings(corpus="slake", path=path)), "slake:test"))
    assert len(found) == 5
    assert all(IMAGE_MARK not in item.text for item in found)
