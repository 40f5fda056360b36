"""Pictures of every kind become L or RGB pixels; what is no picture, or too much of one, is refused with its reason."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.images.decode import decode
from pipeline.images.pixels import MAX_BYTES, MAX_PIXELS, ImageFaultError, scaled
from schemas.sample import REASONS
from tests.corpora import picture

RED, BLUE = (200, 30, 40), (20, 40, 210)


def _save(tmp_path, image, name="x", **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


def _halves(mode="RGB", size=(40, 20)):
    """Left half red, right half blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, size[0], size[1]))
    return image.quantize(16) if mode == "P" else image.convert(mode)


def _near(pixel, wanted, by=12):
    return all(abs(a - b) <= by for a, b in zip(pixel, wanted, strict=True))


def _fault(path):
    with pytest.raises(ImageFaultError) as error:
        decode(path)
    reason, _, detail = str(error.value).partition(": ")
    assert reason in REASONS
    assert detail
    assert "\n" not in detail
    return reason


@pytest.mark.parametrize(
    ("form", "mode", "options"),
    [
        ("PNG", "RGB", {}),
        ("JPEG", "RGB", {"quality": 95, "subsampling": 0}),
        ("JPEG", "CMYK", {"quality": 95}),
        ("TIFF", "RGB", {"compression": "tiff_lzw"}),
        ("TIFF", "RGB", {"compression": "tiff_deflate"}),
        ("TIFF", "CMYK", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("GIF", "P", {}),
        ("BMP", "RGB", {}),
        ("PNG", "P", {}),
        ("MPO", "RGB", {"quality": 95, "subsampling": 0}),
    ],
)
def test_every_format_gives_the_colours_that_were_drawn(tmp_path, form, mode, options):
    """Under a wrong suffix: everything that LLaVA-Med publishes is called .jpg."""
    found = decode(_save(tmp_path, _halves(mode), "x.jpg", format=form, **options))
    assert (found.mode, found.size) == ("RGB", (40, 20))
    assert _near(found.getpixel((5, 10)), RED)
    assert _near(found.getpixel((35, 10)), BLUE)


def test_grey_pictures_stay_grey(tmp_path):
    assert decode(_save(tmp_path, _halves("L"), "x.png")).mode == "L"
    assert decode(_save(tmp_path, _halves("1"), "x.png")).mode == "L"


def test_sixteen_bits_are_scaled_by_their_own_range(tmp_path):
    """A 12-bit X-ray in a 16-bit file is nearly black when it is scaled by the file's range."""
    values = np.linspace(100, 4095, 800).reshape(20, 40).astype(np.uint16)
    found = np.asarray(decode(_save(tmp_path, Image.fromarray(values), "x.png")))
    assert (found.min(), found.max()) == (0, 255)
    assert (np.diff(found.astype(int).ravel()) >= 0).all()


def test_floats_that_are_no_numbers_darken_nothing_else(tmp_path):
    values = np.full((8, 8), 2.0, np.float32)
    values[0, :4] = [np.nan, np.inf, -np.inf, 1.0]
    found = np.asarray(decode(_save(tmp_path, Image.fromarray(values), "x.tiff", format="TIFF")))
    assert found[0, :4].tolist() == [0, 255, 0, 0]
    assert (found[1:] == 255).all()


@given(st.lists(st.floats(width=32), min_size=1, max_size=20))
def test_scaling_is_total_and_keeps_the_order(values):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = scaled(np.array([values]))[0].astype(int)
    finite = sorted((v, f) for v, f in zip(values, found, strict=True) if np.isfinite(v))
    assert [f for _, f in finite] == sorted(f for _, f in finite)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_becomes_white_paper(tmp_path, mode):
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 4, 8))
    options = {}
    if mode == "P":
        image = Image.new("P", (8, 8), 1)
        image.putpalette([0, 0, 0, 0, 0, 0])
        image.paste(0, (0, 0, 4, 8))
        options = {"transparency": 1}
    found = decode(_save(tmp_path, image.convert(mode), "x.png", **options)).convert("RGB")
    assert found.getpixel((1, 1)) == (0, 0, 0)
    assert found.getpixel((6, 1)) == (255, 255, 255)


def test_a_gif_and_a_tiff_of_many_frames_give_the_first(tmp_path):
    frames = [_halves(), Image.new("RGB", (40, 20), "white")]
    for form in ("GIF", "TIFF"):
        path = _save(tmp_path, frames[0], f"x.{form}", format=form, save_all=True, append_images=frames[1:])
        assert _near(decode(path).getpixel((5, 10)), RED)


@pytest.mark.parametrize(("turn", "place"), [(1, (5, 5)), (2, (35, 5)), (3, (35, 15)), (6, (15, 5)), (8, (5, 35))])
def test_a_picture_is_turned_as_its_exif_says(tmp_path, turn, place):
    exif = Image.Exif()
    exif[0x0112] = turn
    found = decode(_save(tmp_path, _halves(), "x.jpg", exif=exif, quality=95, subsampling=0))
    assert found.size == ((20, 40) if turn in (6, 8) else (40, 20))
    assert _near(found.getpixel(place), RED)


def test_damaged_exif_costs_the_rotation_and_not_the_picture(tmp_path):
    exif = b"Exif\0\0II*\0\xff\xff\xff\x7f" + b"\x12\x01\x03" * 9
    found = decode(_save(tmp_path, _halves(), "x.jpg", exif=exif, quality=95, subsampling=0))
    assert _near(found.getpixel((5, 10)), RED)


def _png(width, height):
    """A PNG whose header claims a size, with pixels for one."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(100_000, 100_000), (13_100, 13_100), (2**31 - 1, 1)])
def test_a_header_that_claims_too_much_is_refused_before_a_pixel_is_decoded(tmp_path, size):
    (tmp_path / "x.png").write_bytes(_png(*size))
    assert _fault(tmp_path / "x.png") == "oversized_image"


def test_the_limit_is_ours_and_lets_a_slide_through(tmp_path):
    (tmp_path / "x.png").write_bytes(_png(13_100, 13_100))
    with pytest.raises(ImageFaultError, match=f"13100 x 13100 pixels, at most {MAX_PIXELS}"):
        decode(tmp_path / "x.png")
    assert MAX_PIXELS > 10_000 * 15_000


def test_a_file_over_the_limit_on_bytes_is_not_opened(tmp_path):
    with (tmp_path / "x.png").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert _fault(tmp_path / "x.png") == "oversized_image"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_half_a_picture_is_unreadable(tmp_path, form, part):
    buffer = io.BytesIO()
    picture(7, (200, 200)).save(buffer, form)
    (tmp_path / "x").write_bytes(buffer.getvalue()[: int(len(buffer.getvalue()) * part)])
    assert _fault(tmp_path / "x") == "unreadable_image"


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"<html>no such image</html>", b"version https://git-lfs.github.com/spec/v1\n", b"%PDF-1.7"]
)
def test_what_is_no_picture_is_unreadable(tmp_path, data):
    (tmp_path / "x.jpg").write_bytes(data)
    assert _fault(tmp_path / "x.jpg") == "unreadable_image"


def test_a_file_that_is_not_there_is_missing(tmp_path):
    assert _fault(tmp_path / "gone.png") == "missing_image"


def _seeds():
    seeds = []
    for form, mode in (
        ("PNG", "RGB"),
        ("PNG", "P"),
        ("JPEG", "CMYK"),
        ("TIFF", "RGB"),
        ("TIFF", "F"),
        ("WEBP", "RGBA"),
        ("GIF", "P"),
    ):
        buffer = io.BytesIO()
        picture(3, (30, 20)).convert(mode).save(buffer, form)
        seeds.append(buffer.getvalue())
    return seeds


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.sampled_from(_seeds()),
    flips=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=8),
    cut=st.integers(0, 4000) | st.none(),
)
def test_a_damaged_picture_decodes_or_is_refused_and_raises_nothing_else(tmp_path, seed, flips, cut):
    data = bytearray(seed)
    for place, value in flips:
        data[place % len(data)] = value
    (tmp_path / "x").write_bytes(data if cut is None else data[: cut % len(data)])
    try:
        found = decode(tmp_path / "x")
    except ImageFaultError as error:
        assert str(error).partition(": ")[0] in REASONS
    else:
        assert found.mode in ("L", "RGB")
