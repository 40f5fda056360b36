"""From a file to RGB or grey pixels: PNG, JPEG, TIFF, WebP, GIF's first frame, DICOM. No metadata comes along.

Limits are checked on the header, before a pixel is decoded, so that a bomb costs nothing.
"""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

#: 512 MiB of file, 200 million pixels: whole-slide crops pass, bombs do not. Pillow's own warning starts at 89 million.
MAX_BYTES = 512 * 2**20
MAX_PIXELS = 200_000_000
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "MPO")
_DICOM_AT = 128


class ImageFaultError(Exception):
    """An image that cannot be used; the message is `reason: detail` with a reason of schemas.sample.REASONS."""


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
        return _dicom(path)
    return _picture(path)


def _picture(path: Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a bomb; the limit below is ours and refuses.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_FORMATS) as image:
                _bound(image.width, image.height)
                image.seek(0)
                image.load()
                return _plain(ImageOps.exif_transpose(image))
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        kind = "oversized_image" if isinstance(error, Image.DecompressionBombError) else "unreadable_image"
        raise ImageFaultError(f"{kind}: {type(error).__name__}") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ImageFaultError(f"unreadable_image: {' '.join(str(error).split())[:120]}") from None


def _plain(image: Image.Image) -> Image.Image:
    """L or RGB: transparency on white (it is paper in figures), 16 bits scaled by their own range."""
    if image.mode in ("I", "F", "I;16", "I;16B", "I;16L"):
        return Image.fromarray(_scaled(np.asarray(image, dtype=np.float64)))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(paper, layer).convert("RGB")
    return image.convert("L") if image.mode in ("1", "L") else image.convert("RGB")


def _dicom(path: Path) -> Image.Image:
    import pydicom
    from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
    from pydicom.pixels.utils import pixel_array

    try:
        with warnings.catch_warnings():
            # Real files break small rules of the standard all the time; what matters is whether pixels come out.
            warnings.simplefilter("ignore")
            data = pydicom.dcmread(path)
            _bound(int(data.Columns), int(data.Rows))
            frames = int(data.get("NumberOfFrames", 1) or 1)
            pixels = pixel_array(data, index=frames // 2 if frames > 1 else 0)
            if pixels.ndim == 2:
                pixels = apply_voi_lut(apply_modality_lut(pixels, data), data)
                grey = _scaled(pixels.astype(np.float64))
                return Image.fromarray(255 - grey if data.get("PhotometricInterpretation") == "MONOCHROME1" else grey)
            return Image.fromarray(pixels.astype(np.uint8)).convert("RGB")
    except ImageFaultError:
        raise
    except (
        AttributeError,
        KeyError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        OSError,
        EOFError,
        TypeError,
        IndexError,
    ) as error:
        raise ImageFaultError(f"unreadable_image: {' '.join(str(error).split())[:120]}") from None


def _scaled(pixels: np.ndarray) -> np.ndarray:
    """Values stretched over 0 to 255; a flat image is black."""
    low, high = float(pixels.min()), float(pixels.max())
    return np.zeros(pixels.shape, np.uint8) if high <= low else ((pixels - low) * (255.0 / (high - low))).round().astype(np.uint8)


def _bound(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageFaultError(f"oversized_image: {width} x {height} pixels, at most {MAX_PIXELS}")
