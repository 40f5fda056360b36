"""Decode one DICOM file in a process of its own: `python -m pipeline.images.apart FILE` writes a PNG to stdout.

A file that cannot be used is one line `reason: detail` on stderr and exit 1; a decoder that aborts takes only this process.
"""

import io
import resource
import sys
from pathlib import Path

from pipeline.images.dicom import frame
from pipeline.images.pixels import ImageFaultError

#: Address space: 170 million pixels with their scaled copies fit; what a damaged frame asks for may not.
_MEMORY = 6 * 2**30


def main() -> int:
    """Returns the exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        picture = frame(Path(sys.argv[1]), "")
    except ImageFaultError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    sys.stdout.buffer.write(buffer.getvalue())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
