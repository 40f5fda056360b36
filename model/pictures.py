"""Images as the vision tower sees them: padded to a square, scaled, normalised with CLIP's figures."""

import io
from typing import Any

import numpy as np

_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
_STD = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)


def pixels(data: bytes, side: int) -> Any:
    """A float32 array (3, side, side). Padding in the mean colour keeps the whole image, as LLaVA's `pad` does."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGB")
    longest = max(picture.size)
    square = Image.new("RGB", (longest, longest), tuple(int(value * 255) for value in _MEAN))
    square.paste(picture, ((longest - picture.width) // 2, (longest - picture.height) // 2))
    array = np.asarray(square.resize((side, side), Image.Resampling.BICUBIC), dtype=np.float32) / 255.0
    return ((array - _MEAN) / _STD).transpose(2, 0, 1)
