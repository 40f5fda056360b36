"""One picture from a DICOM file: its middle frame, modality and VOI LUT applied, palettes and MONOCHROME1 resolved.

GDCM aborts the whole process on a damaged JPEG (1 of 50 files with one to three flipped bytes): what only GDCM decodes (lossless
JPEG, JPEG-LS) goes to a process of its own, with a memory limit, at 0.7 s a file.
"""

import io
import logging
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import get_frame
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, JPEG2000TransferSyntaxes, RLELossless

from pipeline.images.pixels import FAULTS, MAX_BYTES, ImageFaultError, bound, scaled, unreadable

_FAULTS = (*FAULTS, InvalidDicomError, BytesLengthException, Image.DecompressionBombError)
#: Decoders that survive damaged frames, by transfer syntax: JPEG baseline and extended, JPEG 2000, RLE.
_SAFE = {
    "1.2.840.10008.1.2.4.50": "pillow",
    "1.2.840.10008.1.2.4.51": "pillow",
    **{str(uid): "pillow" for uid in JPEG2000TransferSyntaxes},
    str(RLELossless): "pydicom",
}
_SIZ = b"\xff\x4f\xff\x51"
#: Where the meta group's length is counted from: preamble, mark and the length itself.
_META_AT = 144
_PIECE = 2**22
_TIMEOUT_S = 60


class _UndecodedError(ImageFaultError):
    """The header is good and the decoder gave up; another one may not."""


def read_dicom(path: Path) -> Image.Image:
    """Pixels in mode L or RGB. Raises ImageFaultError for everything that is wrong with the file."""
    # pydicom logs a traceback for each decoder that gives up; the reason is told once, by us.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    syntax = _syntax(path)
    if not syntax.is_encapsulated:
        return frame(path, "")
    if str(syntax) not in _SAFE:
        return _apart(path)
    try:
        return frame(path, _SAFE[str(syntax)])
    except _UndecodedError:
        return _apart(path)


def _syntax(path: Path) -> UID:
    """The transfer syntax, from the meta group alone; a deflated data set is measured, for pydicom inflates it at once."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            meta = read_file_meta_info(path)
            if meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian:
                _inflates(path, _META_AT + meta.FileMetaInformationGroupLength)
            if not meta.TransferSyntaxUID.is_transfer_syntax:
                raise ImageFaultError(f"unreadable_image: {meta.TransferSyntaxUID} is no transfer syntax")
    except _FAULTS as error:
        raise unreadable(error) from None
    return UID(meta.TransferSyntaxUID)


def _inflates(path: Path, start: int) -> None:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    size = 0
    with path.open("rb") as file:
        file.seek(start)
        while piece := unpacker.unconsumed_tail or file.read(_PIECE):
            size += len(unpacker.decompress(piece, _PIECE))
            if size > MAX_BYTES:
                raise ImageFaultError(f"oversized_image: over {MAX_BYTES} bytes when inflated")


def frame(path: Path, decoder: str) -> Image.Image:
    """The file's middle frame by the decoder that is named; "" leaves the choice to pydicom."""
    try:
        with warnings.catch_warnings():
            # Real files break small rules of the standard all the time; what matters is whether pixels come out.
            warnings.simplefilter("ignore")
            data = dcmread(path)
            bound(int(data.Columns), int(data.Rows))
            frames = int(data.get("NumberOfFrames", 1) or 1)
            index = frames // 2 if frames > 1 else 0
            _agree(data, index, frames)
            return _picture(_decoded(data, index, decoder), data)
    except _FAULTS as error:
        raise unreadable(error) from None


def _decoded(data: Dataset, index: int, decoder: str) -> np.ndarray:
    try:
        return pixel_array(data, index=index, decoding_plugin=decoder)
    except _FAULTS as error:
        raise _UndecodedError(str(unreadable(error))) from None


def _agree(data: Dataset, index: int, frames: int) -> None:
    """Refuse a JPEG 2000 frame that claims another size than the header: it is allocated as the frame says."""
    if data.file_meta.TransferSyntaxUID not in JPEG2000TransferSyntaxes:
        return
    code = get_frame(data.PixelData, index, number_of_frames=frames)
    at = code.find(_SIZ)
    if at >= 0:
        width, height = struct.unpack_from(">II", code, at + 8)
        if (width, height) != (data.Columns, data.Rows):
            raise ImageFaultError(f"unreadable_image: the frame is {width} x {height}, the header {data.Columns} x {data.Rows}")


def _picture(pixels: np.ndarray, data: Dataset) -> Image.Image:
    form = data.get("PhotometricInterpretation")
    if pixels.ndim == 2 and form == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, data)
    if pixels.ndim == 2:
        grey = scaled(apply_voi_lut(apply_modality_lut(pixels, data), data))
        return Image.fromarray(255 - grey if form == "MONOCHROME1" else grey)
    return Image.fromarray(pixels if pixels.dtype == np.uint8 else scaled(pixels)).convert("RGB")


def _apart(path: Path) -> Image.Image:
    command = [sys.executable, "-m", "pipeline.images.apart", str(path.resolve())]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise ImageFaultError(f"unreadable_image: not decoded within {_TIMEOUT_S} s") from None
    if done.returncode == 0:
        return Image.open(io.BytesIO(done.stdout), formats=("PNG",))
    told = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    known = told.startswith(("unreadable_image: ", "oversized_image: "))
    raise ImageFaultError(told if known else f"unreadable_image: the decoder broke down ({told[:80]})")
