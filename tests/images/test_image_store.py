"""The store: bounded, nothing but pixels, one file for one picture, whole or not there; names that lead out are refused."""

import hashlib
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from pipeline.images.pixels import ImageFaultError
from pipeline.images.store import MAX_SIDE, ImageStore, find, load, phash
from tests.corpora import picture

SECRET = "Anna Secret, born 1951"


@pytest.fixture
def folder(tmp_path):
    """An image folder beside a file that no name may reach."""
    place = tmp_path / "images"
    place.mkdir()
    picture(1).save(place / "a.jpg")
    picture(2).save(tmp_path / "outside.jpg")
    return place


@pytest.fixture
def store(tmp_path):
    return ImageStore(tmp_path / "store")


def _files(tmp_path):
    return sorted(path for path in (tmp_path / "store").rglob("*") if path.is_file())


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_what_is_stored_is_what_the_reference_says(tmp_path, folder, store, mode):
    picture(3, (300, 200)).convert(mode).save(folder / "b.png")
    image = store.add(folder, "b.png", "ct")
    (path,) = _files(tmp_path)
    assert path == store.path(image.sha256, image.media_type)
    with Image.open(path) as stored:
        assert (stored.format, stored.mode, stored.size) == ("PNG" if mode == "L" else "JPEG", mode, (300, 200))
    assert (image.width, image.height, image.modality) == (300, 200, "ct")
    assert image.phash == phash(load(folder, "b.png"))


def test_a_picture_without_a_modality_is_other(folder, store):
    assert store.add(folder, "a.jpg").modality == "other"


@pytest.mark.parametrize("size", [(5000, 300), (300, 5000), (1025, 1024), (4000, 1)])
def test_the_longer_side_is_bounded_and_the_shorter_keeps_the_proportion(folder, store, size):
    picture(4, size).save(folder / "big.png")
    image = store.add(folder, "big.png")
    assert max(image.width, image.height) == MAX_SIDE
    assert abs(min(image.width, image.height) - max(1, MAX_SIDE * min(size) / max(size))) <= 1


def test_a_small_picture_is_not_made_larger(folder, store):
    image = store.add(folder, "a.jpg")
    assert (image.width, image.height) == (96, 80)


def test_no_metadata_is_stored(tmp_path, folder, store):
    exif = Image.Exif()
    exif[0x010E], exif[0x8298] = SECRET, SECRET
    picture(5).save(folder / "b.jpg", exif=exif, comment=SECRET.encode(), icc_profile=SECRET.encode())
    text = PngImagePlugin.PngInfo()
    text.add_text("Description", SECRET)
    text.add_itxt("XML:com.adobe.xmp", SECRET)
    picture(6).convert("L").save(folder / "c.png", pnginfo=text, exif=exif)
    for name in ("b.jpg", "c.png"):
        assert SECRET.encode() in (folder / name).read_bytes()
        store.add(folder, name)
    stored = [path.read_bytes() for path in _files(tmp_path)]
    assert len(stored) == 2
    assert not any(word in data for data in stored for word in (b"Secret", b"Exif", b"eXIf", b"tEXt", b"iTXt", b"ICC_PROFILE"))


def test_the_same_picture_twice_is_one_file(tmp_path, folder, store):
    """From two corpora, under two names, with and without metadata."""
    exif = Image.Exif()
    exif[0x010E] = SECRET
    picture(7).save(folder / "b.png")
    picture(7).save(folder / "c.png", exif=exif)
    picture(7).save(folder / "d.tiff")
    assert len({store.add(folder, name).sha256 for name in ("b.png", "c.png", "d.tiff")}) == 1
    assert len(_files(tmp_path)) == 1


def test_the_same_picture_from_many_threads_at_once_is_one_whole_file(tmp_path, folder, store):
    """Two sources are read at once. Writers that shared a temporary name took it away from each other."""
    picture(8, (900, 900)).save(folder / "b.png")
    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            images = list(pool.map(lambda _: store.add(folder, "b.png"), range(8)))
        assert len({image.sha256 for image in images}) == 1
        (path,) = _files(tmp_path)
        Image.open(path).load()
        path.unlink()


def test_a_write_that_breaks_off_leaves_no_half_picture_at_its_address(tmp_path, folder, store):
    """In a process whose files may not grow over 1,000 bytes, as on a full disk: the write fails behind them."""
    program = textwrap.dedent(
        """
        import resource, signal, sys
        from pathlib import Path
        from pipeline.images.store import ImageStore
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        ImageStore(Path(sys.argv[2])).add(Path(sys.argv[1]), "b.png")
        """
    )
    picture(8, (400, 400)).save(folder / "b.png")
    command = [sys.executable, "-c", program, folder, tmp_path / "store"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "File too large" in told.stderr
    assert [path.name for path in _files(tmp_path) if not path.name.endswith(".part")] == []
    image = store.add(folder, "b.png")
    assert hashlib.sha256(store.path(image.sha256, image.media_type).read_bytes()).hexdigest() == image.sha256


def test_a_picture_that_cannot_be_used_leaves_nothing_behind(tmp_path, folder, store):
    (folder / "b.jpg").write_bytes((folder / "a.jpg").read_bytes()[:400])
    with pytest.raises(ImageFaultError, match="unreadable_image"):
        store.add(folder, "b.jpg")
    assert _files(tmp_path) == []


def _refused(folder, name):
    with pytest.raises(ImageFaultError, match=r"^missing_image: ") as error:
        find(folder, name)
    return str(error.value)


@pytest.mark.parametrize(
    "name", ["../outside.jpg", "../outside", "x/../../outside.jpg", "./../images/../outside.jpg", "..", "", "/"]
)
def test_names_that_lead_out_are_refused(folder, name):
    assert "leads out" in _refused(folder, name)


def test_an_absolute_name_is_refused_even_where_a_file_lies(folder, tmp_path):
    assert "leads out" in _refused(folder, str(tmp_path / "outside.jpg"))


@pytest.mark.parametrize("name", ["link.jpg", "link", "shelf/outside.jpg"])
def test_links_that_lead_out_are_refused_by_name_and_by_stem(folder, tmp_path, name):
    (folder / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    (folder / "shelf").symlink_to(tmp_path)
    assert "leads out" in _refused(folder, name)


def test_a_link_that_stays_inside_is_followed(folder):
    (folder / "b.jpg").symlink_to("a.jpg")
    assert find(folder, "b.jpg") == folder / "a.jpg"


@pytest.mark.parametrize("name", ["a\0.jpg", "x" * 300, "loop", "a.jpg/b", "\ud800", "pipe"])
def test_names_that_are_no_file_names_are_missing_and_raise_nothing_else(folder, name):
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")
    _refused(folder, name)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(["..", ".", "a", "a.jpg", "outside", "outside.jpg", "", "/", "images", "~", "\0", "%2e%2e"]), max_size=6
    )
)
def test_whatever_a_record_says_no_file_outside_is_read(folder, parts):
    try:
        assert find(folder, "/".join(parts)) == (folder / "a.jpg").resolve()
    except ImageFaultError as error:
        assert str(error).startswith("missing_image: ")


def test_ids_with_dots_are_found_by_their_stem(folder):
    """DICOM's ids look as if they had a suffix."""
    picture(9).save(folder / "1.2.840.113.png")
    assert find(folder, "1.2.840.113").name == "1.2.840.113.png"
    assert find(folder, "a").name == "a.jpg"
    assert find(folder, "a.jpg").name == "a.jpg"


def test_perceptual_hashes_survive_the_store_and_tell_pictures_apart(folder, store):
    for number in range(10, 20):
        picture(number, (500, 400)).save(folder / f"{number}.png")
    images = {number: store.add(folder, f"{number}.png") for number in range(10, 20)}
    assert len({image.phash for image in images.values()}) == 10
    for image in images.values():
        path = store.path(image.sha256, image.media_type)
        again = phash(load(path.parent, path.name))
        assert bin(int(again, 16) ^ int(image.phash, 16)).count("1") <= 4


def test_the_same_file_has_the_same_address_in_another_process(folder, store):
    one = store.add(folder, "a.jpg")
    program = "import sys; from pathlib import Path; from pipeline.images.store import ImageStore; " \
        "print(ImageStore(Path(sys.argv[2])).add(Path(sys.argv[1]), 'a.jpg').sha256)"  # fmt: skip
    told = subprocess.run([sys.executable, "-c", program, folder, folder / "s"], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == one.sha256
