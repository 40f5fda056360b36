"""DICOM: every file that pydicom ships, pictures that we make, damaged frames, and data sets that grow while they are parsed."""

import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pydicom
import pytest
import skimage
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from pipeline.images.decode import decode
from pipeline.images.pixels import ImageFaultError
from schemas.sample import REASONS

DICOM = Path(pydicom.__file__).parent / "data"
SHIPPED = [
    path for path in sorted(DICOM.rglob("*")) if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
]
PICTURES = [
    path for path in sorted((Path(skimage.__file__).parent / "data").iterdir()) if path.suffix in {".png", ".jpg", ".tif", ".gif"}
]


def _outcome(path):
    try:
        found = decode(path)
    except ImageFaultError as error:
        return str(error)
    return found.mode


def test_every_file_that_pydicom_ships_decodes_or_is_refused_with_one_line():
    with ThreadPoolExecutor(2) as pool:
        outcomes = dict(zip((path.name for path in SHIPPED), pool.map(_outcome, SHIPPED), strict=True))
    refused = {name: told for name, told in outcomes.items() if told not in ("L", "RGB")}
    for name, told in refused.items():
        assert told.partition(": ")[0] in REASONS, name
        assert "\n" not in told
    assert outcomes["CT_small.dcm"] == outcomes["JPEG2000.dcm"] == outcomes["MR_small_RLE.dcm"] == "L"
    assert outcomes["JPEGLSNearLossless_16.dcm"] == outcomes["image_dfl.dcm"] == "L", "by GDCM, and deflated"
    assert outcomes["GDCMJ2K_TextGBR.dcm"] == "RGB", "what Pillow refuses GDCM may read"
    assert outcomes["examples_palette.dcm"] == "RGB"
    assert refused["rtplan.dcm"].startswith("unreadable_image: ")
    assert Counter(told in ("L", "RGB") for told in outcomes.values())[True] >= 60


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_every_picture_that_scikit_image_ships_decodes_or_is_refused_with_one_line(path):
    told = _outcome(path)
    assert told in ("L", "RGB") or told.startswith("unreadable_image: ")
    if path.suffix in (".png", ".jpg"):
        assert told in ("L", "RGB")


def _write(tmp_path, pixels, photometric="MONOCHROME2", syntax=ExplicitVRLittleEndian, data=None, **more):
    """A file with these pixels; `data` replaces the bytes of the pixels."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["test"])
    image = Dataset()
    image.file_meta = meta
    image.Rows, image.Columns = pixels.shape[-2:] if pixels.shape[-1] != 3 else pixels.shape[-3:-1]
    image.SamplesPerPixel = 3 if pixels.shape[-1] == 3 else 1
    if image.SamplesPerPixel == 3:
        image.PlanarConfiguration = 0
    image.BitsAllocated = image.BitsStored = pixels.dtype.itemsize * 8
    image.HighBit = image.BitsStored - 1
    image.PixelRepresentation = int(pixels.dtype.kind == "i")
    image.PhotometricInterpretation = photometric
    image.PatientName, image.PatientID = "Secret^Name", "12345"
    image.PixelData = pixels.tobytes() if data is None else data
    for key, value in more.items():
        setattr(image, key, value)
    path = tmp_path / "x.dcm"
    image.save_as(path, enforce_file_format=True)
    return path


RAMP = np.arange(64, dtype=np.uint16).reshape(8, 8) * 10


def test_grey_values_are_stretched_and_monochrome1_is_turned(tmp_path):
    found = np.asarray(decode(_write(tmp_path, RAMP)))
    assert (found[0, 0], found[-1, -1]) == (0, 255)
    turned = np.asarray(decode(_write(tmp_path, RAMP, "MONOCHROME1")))
    assert (turned == 255 - found).all()


def test_the_window_cuts_what_lies_outside(tmp_path):
    found = np.asarray(decode(_write(tmp_path, RAMP, WindowCenter=320, WindowWidth=100)))
    assert (found[:3] == 0).all()
    assert (found[-3:] == 255).all()


def test_rescaling_comes_before_the_window(tmp_path):
    found = np.asarray(decode(_write(tmp_path, RAMP, RescaleSlope=1, RescaleIntercept=-320, WindowCenter=0, WindowWidth=100)))
    assert (found[:3] == 0).all()
    assert (found[-3:] == 255).all()


def test_of_many_frames_the_middle_one_is_taken(tmp_path):
    frames = np.zeros((5, 8, 8), np.uint8)
    frames[2, :4] = 200
    found = np.asarray(decode(_write(tmp_path, frames, NumberOfFrames=5)))
    assert (found[:4] == 255).all()


def test_a_palette_gives_colours_and_not_the_numbers_of_entries(tmp_path):
    table = np.zeros((3, 256), np.uint16)
    table[0, 7], table[2, 9] = 0xFFFF, 0xFFFF
    colours = {
        f"{name}PaletteColorLookupTable{part}": value
        for name, row in zip(("Red", "Green", "Blue"), table, strict=True)
        for part, value in (("Descriptor", [256, 0, 16]), ("Data", row.tobytes()))
    }
    pixels = np.full((8, 8), 7, np.uint8)
    pixels[:, 4:] = 9
    found = decode(_write(tmp_path, pixels, "PALETTE COLOR", **colours))
    assert found.getpixel((1, 1)) == (255, 0, 0)
    assert found.getpixel((6, 1)) == (0, 0, 255)


def test_colours_of_16_bits_are_scaled_and_not_cut_off(tmp_path):
    pixels = np.zeros((8, 8, 3), np.uint16)
    pixels[..., 0], pixels[..., 1] = 0xFF00, 0x8000
    assert decode(_write(tmp_path, pixels, "RGB")).getpixel((0, 0)) == (255, 128, 0)


def test_a_header_that_claims_too_much_is_refused(tmp_path):
    with pytest.raises(ImageFaultError, match="oversized_image: 60000 x 60000"):
        decode(_write(tmp_path, RAMP, Rows=60_000, Columns=60_000))


def test_a_jpeg_2000_frame_that_claims_more_than_the_header_is_refused(tmp_path):
    source = pydicom.dcmread(DICOM / "test_files" / "JPEG2000.dcm")
    code = bytearray(source.PixelData)
    at = code.index(b"\xff\x4f\xff\x51")
    code[at + 8 : at + 16] = (2**31 - 1).to_bytes(4, "big") * 2
    source.PixelData = bytes(code)
    source.save_as(tmp_path / "x.dcm")
    with pytest.raises(ImageFaultError, match="the frame is 2147483647 x 2147483647"):
        decode(tmp_path / "x.dcm")
    assert source.file_meta.TransferSyntaxUID.is_compressed


def test_a_deflated_data_set_that_grows_without_end_is_refused_before_it_is_parsed(tmp_path):
    """640 MiB of zeros are 3 MB deflated; pydicom would inflate them at once."""
    path = _write(tmp_path, RAMP, syntax=DeflatedExplicitVRLittleEndian)
    head = path.read_bytes()
    start = 144 + int.from_bytes(head[140:144], "little")
    body = zlib.decompress(head[start:], -zlib.MAX_WBITS)
    packer = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    zeros = bytes(2**24)
    path.write_bytes(head[:start] + packer.compress(body) + b"".join(packer.compress(zeros) for _ in range(40)) + packer.flush())
    with pytest.raises(ImageFaultError, match="oversized_image: over 536870912 bytes when inflated"):
        decode(path)


def test_a_deflated_file_of_the_usual_size_is_read(tmp_path):
    assert decode(_write(tmp_path, RAMP, syntax=DeflatedExplicitVRLittleEndian)).size == (8, 8)


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEGBaseline8Bit])
def test_a_decoder_that_aborts_takes_only_its_own_process(tmp_path, syntax):
    """GDCM ends the process on this frame. Where Pillow reads the frame, its pixels are the answer."""
    source = pydicom.dcmread(DICOM / "test_files" / "SC_rgb_small_odd_jpeg.dcm")
    data = bytearray(source.PixelData)
    start = data.rindex(b"\xff\xd8")
    for place, value in ((249, 131), (41, 155)):
        data[start + place] = value
    source.PixelData = bytes(data)
    source.file_meta.TransferSyntaxUID = syntax
    source.save_as(tmp_path / "x.dcm")
    assert _outcome(tmp_path / "x.dcm").startswith(("RGB", "unreadable_image: the decoder broke down"))
    if syntax == JPEGLosslessSV1:
        with pytest.raises(ImageFaultError, match="broke down"):
            decode(tmp_path / "x.dcm")


@pytest.mark.parametrize("name", ["MR_small_RLE.dcm", "JPEG2000.dcm", "CT_small.dcm", "SC_rgb_jpeg_dcmtk.dcm"])
def test_damaged_dicom_files_decode_or_are_refused_and_raise_nothing_else(tmp_path, name):
    data = (DICOM / "test_files" / name).read_bytes()
    random = np.random.default_rng(4)
    outcomes = Counter()
    for _ in range(8):
        damaged = bytearray(data)
        for place in random.integers(132, len(data), 6):
            damaged[place] = random.integers(0, 256)
        (tmp_path / "x.dcm").write_bytes(damaged[: random.integers(len(data) // 2, len(data) + 1)])
        outcomes[_outcome(tmp_path / "x.dcm").partition(": ")[0]] += 1
    assert set(outcomes) <= {"L", "RGB", *REASONS}


def test_no_word_of_the_header_is_in_the_picture(tmp_path):
    found = decode(_write(tmp_path, RAMP))
    assert found.info == {}
    assert b"Secret" not in found.tobytes()
