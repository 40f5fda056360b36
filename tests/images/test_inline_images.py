"""Images that a record carries, and images in archives: the same store, the same limits, nothing decoded that nobody wants."""

import io
import json
import random
import tarfile
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pydicom.data
import pytest
from PIL import Image

from pipeline.images.decode import decode
from pipeline.images.inline import Inline, from_url
from pipeline.images.pixels import MAX_BYTES, ImageFaultError
from pipeline.images.store import ImageStore, load
from pipeline.ingest import benchmark_samples, ingest_source
from pipeline.settings import Settings, SourceSettings
from pipeline.sources.check import check
from pipeline.workspace import Workspace
from schemas.errors import InputError
from schemas.sample import Exclusion, Sample
from tests.corpora import picture

DICOM = "CT_small.dcm"


def _png(seed, size=(96, 80), **options):
    buffer = io.BytesIO()
    picture(seed, size).save(buffer, "PNG", **options)
    return buffer.getvalue()


def _zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as box:
        for name, data in members.items():
            box.writestr(name, data)
    return path


def _tar(path, members, mode="w"):
    with tarfile.open(path, mode) as box:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            box.addfile(info, io.BytesIO(data))
    return path


BOXES = {"imgs.zip": _zip, "imgs.tar": _tar, "imgs.tar.gz": lambda path, members: _tar(path, members, "w:gz")}


@pytest.fixture
def store(tmp_path):
    return ImageStore(tmp_path / "store")


def _files(tmp_path):
    return sorted(path.name for path in (tmp_path / "store").rglob("*") if path.is_file())


def _reason(call):
    with pytest.raises(ImageFaultError) as error:
        call()
    return str(error.value)


@pytest.mark.parametrize("box", [None, *BOXES])
def test_one_picture_has_one_address_whichever_way_it_comes(tmp_path, store, box):
    exif = Image.Exif()
    exif[0x010E] = "Anna Secret, born 1951"
    data = _png(1, (1500, 900), exif=exif)
    (tmp_path / "a.png").write_bytes(data)
    wanted = store.add(tmp_path, "a.png", "ct")
    assert store.add(None, Inline(memoryview(data)), "ct") == wanted
    if box:
        assert store.add(BOXES[box](tmp_path / box, {"a.png": data}), "a.png", "ct") == wanted
    (name,) = _files(tmp_path)
    assert b"Secret" not in (tmp_path / "store" / name[:2] / name).read_bytes()


@pytest.mark.parametrize("name", ["xmlab1/source.png", "./xmlab1/source.png", "xmlab1\\source.png", "xmlab1/source"])
@pytest.mark.parametrize("top", ["", "imgs/", "release/imgs/"])
@pytest.mark.parametrize("box", BOXES)
def test_a_member_is_found_under_the_folders_that_all_share_and_by_its_stem(tmp_path, box, top, name):
    """SLAKE's imgs.zip holds `imgs/xmlab1/source.jpg`, and its records say `xmlab1/source.jpg`."""
    members = {
        f"{top}xmlab1/source.png": _png(1),
        f"{top}xmlab2/source.png": _png(2),
        "__MACOSX/._x": b"\0",
        f"{top}.DS_Store": b"\0",
    }
    path = BOXES[box](tmp_path / box, members)
    assert load(path, name).tobytes() == picture(1).tobytes()
    assert load(tmp_path / f"{box}::{top}xmlab1", "source").tobytes() == picture(1).tobytes()


@pytest.mark.parametrize("name", ["c.png", "../a.png", "/a.png", "imgs", "", "..", "a.png/b"])
@pytest.mark.parametrize("box", BOXES)
def test_a_name_that_the_index_does_not_have_is_missing(tmp_path, box, name):
    (tmp_path / "a.png").write_bytes(_png(1))
    path = BOXES[box](tmp_path / box, {"imgs/b.png": _png(1)})
    assert _reason(lambda: load(path, name)).startswith("missing_image: ")


def test_an_archive_that_is_not_safe_stops_the_source_before_a_picture_is_decoded(tmp_path):
    """The file of records is as it should be; the archive's owner is somebody else."""
    path = _zip(tmp_path / "imgs.zip", {"a.png": _png(1), "../b.png": _png(2)})
    (tmp_path / "chat.json").write_text(json.dumps([_asked("1", image="a.png")]))
    source = SourceSettings(corpus="llava", path=tmp_path / "chat.json", images=path)
    settings = Settings(name="t", workspace=tmp_path / "work", root=tmp_path, sources=(source,))
    with pytest.raises(InputError, match=r"imgs.zip: its member '../b.png' is a name that leads out"):
        ingest_source(settings, Workspace(tmp_path / "work"), 0)
    assert not (tmp_path / "work" / "images").exists()


@pytest.mark.parametrize("box", BOXES)
def test_members_are_read_in_any_order_and_from_many_threads(tmp_path, store, box):
    path = BOXES[box](tmp_path / box, {f"{number}.png": _png(number) for number in range(12)})
    order = [number for number in range(12) for _ in range(4)]
    random.Random(4).shuffle(order)
    with ThreadPoolExecutor(6) as pool:
        images = list(pool.map(lambda number: store.add(path, f"{number}.png"), order))
    assert len({(number, image.sha256) for number, image in zip(order, images, strict=True)}) == 12
    assert len(_files(tmp_path)) == 12, "the unpacked copy of a compressed tar has no name"


@pytest.mark.parametrize("box", ["imgs.zip", "imgs.tar"])
def test_a_member_whose_bytes_are_damaged_costs_itself_alone(tmp_path, store, box):
    data = bytearray(BOXES[box](tmp_path / box, {"a.png": _png(1), "b.png": _png(2)}).read_bytes())
    data[data.index(b"IDAT") + 40] ^= 0xFF
    (tmp_path / box).write_bytes(data)
    assert _reason(lambda: store.add(tmp_path / box, "a.png")).startswith("unreadable_image: ")
    assert store.add(tmp_path / box, "b.png").width == 96


@pytest.mark.parametrize("data", [b"", b"no picture", _png(1)[:300], b"<html>"])
def test_bytes_that_are_no_picture_are_refused_with_their_reason(tmp_path, store, data):
    assert _reason(lambda: store.add(None, Inline(data))).startswith("unreadable_image: ")
    path = _zip(tmp_path / "imgs.zip", {"a.png": data})
    assert _reason(lambda: store.add(path, "a.png")).startswith("unreadable_image: ")
    assert not (tmp_path / "store").exists()


def test_too_many_bytes_and_too_many_pixels_are_refused_before_they_are_decoded(tmp_path, store):
    buffer = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(buffer, "PNG")
    assert _reason(lambda: store.add(None, Inline(buffer.getvalue()))).startswith("oversized_image: ")
    path = _zip(tmp_path / "imgs.zip", {"a.png": buffer.getvalue()})
    assert _reason(lambda: store.add(path, "a.png")).startswith("oversized_image: ")
    # A hole in a file takes no room on the disk, and its map none in memory.
    with (tmp_path / "huge.tar").open("wb") as file:
        info = tarfile.TarInfo("a.png")
        info.size = MAX_BYTES + 1
        file.write(info.tobuf())
        file.truncate(MAX_BYTES + 10_240)
    tracemalloc.start()
    try:
        assert "oversized_image: 536870913 bytes" in _reason(lambda: store.add(tmp_path / "huge.tar", "a.png"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("box", BOXES)
def test_dicom_is_decoded_from_bytes_and_leaves_no_file(tmp_path, store, box):
    path = Path(pydicom.data.get_testdata_file(DICOM))
    data, wanted = path.read_bytes(), decode(path).tobytes()
    assert load(None, Inline(data), tmp_path / "scratch").tobytes() == wanted
    assert load(BOXES[box](tmp_path / box, {DICOM: data}), "CT_small", tmp_path / "scratch").tobytes() == wanted
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_data_address_carries_its_picture_and_any_other_is_a_name():
    url = "data:image/png;base64,iVBORw0KGgo="
    assert from_url(url).data() == b"\x89PNG\r\n\x1a\n"
    assert from_url("data:image/png;base64,%%%").size == 0
    assert from_url("https://example.org/a.png") == "https://example.org/a.png"


def test_a_name_beside_the_data_is_found_in_the_images_folder_first(tmp_path, store):
    for place, seed in (("data", 1), ("images", 2)):
        (tmp_path / place).mkdir()
        (tmp_path / place / "a.png").write_bytes(_png(seed))
    carried = Inline(None, "a.png", tmp_path / "data")
    assert load(None, carried).tobytes() == picture(1).tobytes()
    assert load(tmp_path / "images", carried).tobytes() == picture(2).tobytes()
    assert "leads out" in _reason(lambda: load(None, Inline(None, "../images/a.png", tmp_path / "data")))
    assert _reason(lambda: load(None, "a.png")) == "missing_image: the source names no `images` folder"


def _asked(name, **changes):
    said = [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "A lung."}]
    return {"id": name, "conversations": said} | changes


def test_ingest_takes_images_from_an_archive_and_sees_that_it_has_changed(tmp_path):
    rows = [_asked("1", image="a.png"), _asked("2", image="gone.png"), _asked("3", image="../a.png"), _asked("4")]
    (tmp_path / "chat.json").write_text(json.dumps(rows))
    _zip(tmp_path / "imgs.zip", {"imgs/a.png": _png(1), "imgs/b.png": _png(2)})
    source = SourceSettings(corpus="llava", path=tmp_path / "chat.json", images=tmp_path / "imgs.zip")
    settings = Settings(name="t", workspace=tmp_path / "work", root=tmp_path, sources=(source,))
    workspace = Workspace(tmp_path / "work")
    (before,) = ingest_source(settings, workspace, 0)
    assert [sample.record for sample in workspace.rows("ingest", Sample, "samples")] == ["1", "4"]
    assert [(one.record, one.reason) for one in workspace.rows("ingest", Exclusion, "excluded")] == [
        ("2", "missing_image"), ("3", "missing_image"),
    ]  # fmt: skip
    assert check(tmp_path / "chat.json", "llava", tmp_path / "imgs.zip")["missing_images"] == 2
    assert ingest_source(settings, workspace, 0)[0].fingerprint == before.fingerprint
    _zip(tmp_path / "imgs.zip", {"imgs/a.png": _png(3), "imgs/b.png": _png(2)})
    assert ingest_source(settings, workspace, 0)[0].fingerprint != before.fingerprint
    stored = next(workspace.rows("ingest", Sample, "samples")).images[0]
    assert next(item.images for item in benchmark_samples(settings, "llava:train")) == (stored.phash,)


def test_images_that_nobody_asks_for_are_not_decoded(tmp_path):
    """Reading and checking a data set goes past damaged pictures: they fall when they are wanted."""
    asked = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, {"type": "text", "text": "Is it?"}]
    said = [{"role": "user", "content": asked}, {"role": "assistant", "content": "It is."}]
    (tmp_path / "chat.json").write_text(json.dumps([{"id": 1, "messages": said}]))
    told = check(tmp_path / "chat.json", images=tmp_path)
    assert (told["corpus"], told["samples"], told["missing_images"]) == ("messages", 1, 0)
    source = SourceSettings(corpus="messages", path=tmp_path / "chat.json")
    settings = Settings(name="t", workspace=tmp_path / "work", root=tmp_path, sources=(source,))
    ingest_source(settings, Workspace(tmp_path / "work"), 0)
    (fallen,) = Workspace(tmp_path / "work").rows("ingest", Exclusion, "excluded")
    assert fallen.reason == "unreadable_image"
