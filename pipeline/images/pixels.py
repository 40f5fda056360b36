"""What every decoder shares: the limits, the error, and grey values brought to 8 bits."""

import struct
import zlib

import numpy as np

#: 512 MiB of file, 170 million pixels: whole-slide crops pass, bombs do not. Pillow's own limit is at 179 million.
MAX_BYTES = 512 * 2**20
MAX_PIXELS = 170_000_000
#: What decoders raise on damaged files: 30,000 files with flipped bytes raised each of these, and nothing else.
FAULTS = (
    OSError, SyntaxError, ValueError, EOFError, ArithmeticError, LookupError, AttributeError, TypeError, RuntimeError,
    MemoryError, struct.error, zlib.error,
)  # fmt: skip


class ImageFaultError(Exception):
    """An image that cannot be used; the message is `reason: detail` with a reason of schemas.sample.REASONS."""


def unreadable(error: BaseException) -> ImageFaultError:
    """A decoder's complaint as one line."""
    return ImageFaultError(f"unreadable_image: {' '.join(str(error).split())[:120] or type(error).__name__}")


def bound(width: int, height: int) -> None:
    """Raise ImageFaultError when a header claims more pixels than are decoded."""
    if width * height > MAX_PIXELS:
        raise ImageFaultError(f"oversized_image: {width} x {height} pixels, at most {MAX_PIXELS}")


def scaled(pixels: np.ndarray) -> np.ndarray:
    """Values stretched over 0 to 255; a flat image is black, and so are values that are no numbers."""
    values = pixels.astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if high <= low:
        return np.zeros(pixels.shape, np.uint8)
    stretched = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) * (255.0 / (high - low))
    return stretched.round().astype(np.uint8)
