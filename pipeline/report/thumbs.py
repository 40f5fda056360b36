"""Pictures small enough to travel inside the page. In: the image store. Out: data URIs. A missing image gives None."""

import base64
import io
from pathlib import Path

from schemas.sample import ImageRef

#: Pixels of the longer side: sharp at 200 CSS pixels on a 1.6x screen, about 10 kB as JPEG.
SIDE = 320
_QUALITY = 82
_SUFFIX = {"image/png": "png", "image/jpeg": "jpg"}


def data_uri(images: Path, ref: ImageRef, side: int = SIDE) -> str | None:
    """The stored image as a JPEG data URI of at most `side` pixels; None when it is gone or damaged."""
    from PIL import Image

    path = images / ref.sha256[:2] / f"{ref.sha256}.{_SUFFIX[ref.media_type]}"
    try:
        with Image.open(path) as image:
            # Reads a JPEG at an eighth, a quarter or half of its size where that is enough: 2 to 4 times faster.
            image.draft("RGB", (side, side))
            small = image.convert("L" if image.mode in ("1", "L", "I", "I;16") else "RGB")
            small.thumbnail((side, side))
    except OSError:
        return None
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
