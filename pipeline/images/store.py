"""The content-addressed store: images/ab/<sha256>.png or .jpg, the longer side bounded, nothing but pixels.

In: a name under a folder, a name in a zip or tar, or bytes that a record carries. The address is the hash of the stored bytes, so
the same picture from two corpora is one file. A file appears whole or not at all.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import imagehash
from PIL import Image

from pipeline.images.decode import check_size, decode
from pipeline.images.inline import Inline
from pipeline.images.pixels import ImageFaultError
from pipeline.sources.archives import Archive, archive
from pipeline.sources.containers import split
from pipeline.workspace import write_atomic
from schemas.sample import ImageRef

#: CLIP sees 336 pixels and LLaVA-type tilings up to 4 times that: 1,024 keeps what any of them can use.
MAX_SIDE = 1024
_SUFFIXES = {"image/png": "png", "image/jpeg": "jpg"}
#: A name is tried as it stands first. Ids with dots in them (DICOM's) look as if they had a suffix, and have none.
_TRIED = ("", ".jpg", ".png", ".jpeg", ".dcm")


@dataclass(frozen=True, slots=True)
class Member:
    """An image in an archive."""

    box: Archive
    name: str

    def data(self) -> bytes:
        """Its bytes. Raises ImageFaultError when they are too many, cut or damaged."""
        check_size(self.box.size(self.name))
        try:
            return self.box.read(self.name)
        except OSError as error:
            raise ImageFaultError(f"unreadable_image: {' '.join(str(error).split())[:120]}") from None


class ImageStore:
    """Images of one workspace under `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def add(self, place: Path | None, image: str | Inline, modality: str = "") -> ImageRef:
        """Decode, bound and store the image that a record names or carries. Raises ImageFaultError with the reason."""
        picture = load(place, image, self._root)
        data, media_type = _encode(picture)
        digest = hashlib.sha256(data).hexdigest()
        path = self.path(digest, media_type)
        if not path.exists():
            write_atomic(path, data)
        return ImageRef(
            sha256=digest,
            media_type=media_type,
            width=picture.width,
            height=picture.height,
            modality=modality or "other",
            phash=phash(picture),
        )

    def path(self, digest: str, media_type: str) -> Path:
        """Where an image of that content lies."""
        return self._root / digest[:2] / f"{digest}.{_SUFFIXES[media_type]}"


def load(place: Path | None, image: str | Inline, scratch: Path | None = None) -> Image.Image:
    """The picture that a record names or carries, as it is stored: decoded and bounded. Raises ImageFaultError with the reason.

    `place` is a folder or an archive (`imgs.zip`, `imgs.zip::folder`); what has to lie on disk in between lies in `scratch`.
    """
    found = locate(place, image, scratch)
    picture = decode(found if isinstance(found, Path) else found.data(), scratch)
    if max(picture.size) > MAX_SIDE:
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return picture


def phash(picture: Image.Image) -> str:
    """Perceptual hash of a picture from `load`: of the same file at another size it can differ."""
    return str(imagehash.phash(picture))


def locate(place: Path | None, image: str | Inline, scratch: Path | None = None) -> Path | Member | Inline:
    """Where an image is, without decoding it. Raises ImageFaultError (missing_image) when it is nowhere."""
    if isinstance(image, Inline):
        if image.size is not None:
            check_size(image.size)
            return image
        place, image = place or image.folder, image.name
    if place is None:
        raise ImageFaultError("missing_image: the source names no `images` folder")
    outer, inner = split(place)
    if outer.is_file():
        return _member(archive(outer, scratch), inner or "", image)
    return find(place, image)


def _member(box: Archive, folder: str, name: str) -> Member:
    """Under the folder that the config names, or as the archive has it, with or without the folders that all its files share."""
    plain = name.replace("\\", "/").removeprefix("./")
    shared = box.shared.split("/") if box.shared and not folder else []
    for depth in range(len(shared) + 1):
        for suffix in _TRIED:
            found = "/".join(part for part in (folder.strip("/"), *shared[:depth], f"{plain}{suffix}") if part)
            if found in box.names():
                return Member(box, found)
    raise ImageFaultError(f"missing_image: {name[:80]!r} is not in {box.path.name}")


def find(folder: Path, name: str) -> Path:
    """The file that a record names: with its suffix, or by the stem where the corpus leaves the suffix out.

    A name that leads out of the folder, through a link too, is no name of an image: missing_image.
    """
    root = folder.resolve()
    for suffix in _TRIED:
        try:
            path = (root / f"{name}{suffix}").resolve()
            if root not in path.parents:
                raise ImageFaultError(f"missing_image: {name!r} leads out of the image folder")
            if path.is_file():
                return path
        except (OSError, ValueError, RuntimeError) as error:
            # A name with a NUL, longer than a file name may be, a link that leads to itself.
            raise ImageFaultError(f"missing_image: {name[:80]!r} is no file name ({type(error).__name__})") from None
    raise ImageFaultError(f"missing_image: {name!r} is not in the image folder")


def _encode(picture: Image.Image) -> tuple[bytes, str]:
    """Grey and small pictures without loss, photographs as JPEG: stained slides are 8 times larger as PNG."""
    buffer = io.BytesIO()
    clean = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    if clean.mode == "L":
        clean.save(buffer, "PNG", optimize=False)
        return buffer.getvalue(), "image/png"
    clean.save(buffer, "JPEG", quality=92, subsampling=0)
    return buffer.getvalue(), "image/jpeg"
