"""From a file to RGB or grey pixels: PNG, JPEG, TIFF, WebP, GIF's first frame, DICOM. No metadata comes along.

Limits are checked on the header, before a pixel is decoded, so that a bomb costs nothing.
"""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.images.pixels import FAULTS, MAX_BYTES, ImageFaultError, bound, scaled, unreadable

#: JPEG brings MPO along. A name without a plugin of its own is a KeyError for each file that is no image (Pillow 13).
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP")
_DICOM_AT = 128


def decode(path: Path) -> Image.Image:
    """Pixels in mode L or RGB. Raises ImageFaultError for everything that is wrong with the file."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ImageFaultError(f"oversized_image: {size} bytes, at most {MAX_BYTES}")
        with path.open("rb") as file:
            head = file.read(_DICOM_AT + 4)
    except OSError as error:
        raise ImageFaultError(f"missing_image: {error.strerror}") from None
    if head[_DICOM_AT:] == b"DICM":
        # Imported here: pydicom takes 0.2 s that most corpora need not pay.
        from pipeline.images.dicom import read_dicom

        return read_dicom(path)
    return _picture(path)


def _picture(path: Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a bomb; the limit below is ours and refuses.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_FORMATS) as image:
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
