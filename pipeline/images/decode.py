"""From a file or its bytes to RGB or grey pixels: PNG, JPEG, TIFF, WebP, GIF's first frame, DICOM. No metadata comes along.

Limits are checked on the header, before a pixel is decoded, so that a bomb costs nothing.
"""

import io
import tempfile
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.images.pixels import FAULTS, MAX_BYTES, ImageFaultError, bound, scaled, unreadable

#: JPEG brings MPO along. A name without a plugin of its own is a KeyError for each file that is no image (Pillow 13).
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP")
_DICOM_AT = 128


def decode(source: Path | bytes, scratch: Path | None = None) -> Image.Image:
    """Pixels in mode L or RGB of a file or of its bytes. Raises ImageFaultError for everything that is wrong with it.

    DICOM's decoders want a file: bytes of it lie in `scratch` for as long as they work.
    """
    try:
        check_size(len(source) if isinstance(source, bytes) else source.stat().st_size)
        head = _head(source)
    except OSError as error:
        raise ImageFaultError(f"missing_image: {error.strerror}") from None
    return _dicom(source, scratch) if head[_DICOM_AT:] == b"DICM" else _picture(source)


def check_size(size: int) -> None:
    """Raise ImageFaultError for more bytes than a picture may have."""
    if size > MAX_BYTES:
        raise ImageFaultError(f"oversized_image: {size} bytes, at most {MAX_BYTES}")


def _head(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[: _DICOM_AT + 4]
    with source.open("rb") as file:
        return file.read(_DICOM_AT + 4)


def _dicom(source: Path | bytes, scratch: Path | None) -> Image.Image:
    # Imported here: pydicom takes 0.2 s that most corpora need not pay.
    from pipeline.images.dicom import read_dicom

    if isinstance(source, Path):
        return read_dicom(source)
    if scratch is not None:
        scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=scratch, suffix=".dcm") as file:
        file.write(source)
        file.flush()
        return read_dicom(Path(file.name))


def _picture(source: Path | bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a bomb; the limit below is ours and refuses.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=_FORMATS) as image:
                bound(image.width, image.height)
                image.seek(0)
                image.load()
                return _plain(_upright(image))
    except Image.DecompressionBombError as error:
        raise ImageFaultError(f"oversized_image: {' '.join(str(error).split())[:120]}") from None
    except UnidentifiedImageError:
        raise ImageFaultError("unreadable_image: not a PNG, JPEG, TIFF, WebP, GIF, BMP or DICOM file") from None
    except FAULTS as error:
        raise unreadable(error) from None


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF says; pixels whose EXIF is damaged stay as they are."""
    try:
        return ImageOps.exif_transpose(image)
    except FAULTS:
        return image


def _plain(image: Image.Image) -> Image.Image:
    """L or RGB: transparency on white (it is paper in figures), 16 bits scaled by their own range."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(scaled(np.asarray(image)))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(paper, layer).convert("RGB")
    return image.convert("L") if image.mode in ("1", "L") else image.convert("RGB")
