"""What is wrong with one sample: its bytes, its record, its images. ValueError or KeyError means: no sample at all."""

import hashlib
import io
from collections.abc import Iterator
from typing import Any

from shards.read import faults, members_in, parse
from shards.tar import BLOCK

_KEYS = frozenset(
    {"id", "pair", "corpus", "record", "split", "task", "language", "turns", "images", "licence", "access", "origin", "evidence"}
)
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG"}


def sample_faults(raw: bytes, size: int, told: dict[str, Any] | None) -> tuple[dict[str, Any], list[tuple[int, str]]]:
    """The record and (offset in the sample, fault) of its bytes and images; `told` is the sample's line of metadata.jsonl."""
    if len(raw) < size:
        raise ValueError(f"the shard ends {size - len(raw)} bytes before the sample does")
    found = list(faults(raw))
    record, members = parse(raw)
    missing = _KEYS - record.keys()
    if missing:
        raise ValueError(f"the record has no {', '.join(sorted(missing))}")
    if told is not None and hashlib.sha256(_record_bytes(raw)).hexdigest() != told["record_sha256"]:
        found.append((BLOCK, "its record is not the one that metadata.jsonl names"))
    place = dict(_places(raw))
    return record, found + [(place.get(name, 0), fault) for name, fault in _image_faults(record, members)]


def record_faults(record: dict[str, Any], split: str, terms: dict[str, Any]) -> Iterator[str]:
    """Faults of a record by itself, beside its shard's split and its release's terms."""
    missing = _KEYS - record.keys()
    if missing:
        raise ValueError(f"the record has no {', '.join(sorted(missing))}")
    if record["split"] != split:
        yield f"its split is {record['split']}, the shard's is {split}"
    if record["access"] != "open" and terms.get("redistributable"):
        yield f"its access is {record['access']}, and the release says that it may be passed on (law 7)"


def _record_bytes(raw: bytes) -> bytes:
    return raw[BLOCK : BLOCK + int(raw[124:135], 8)]


def _places(raw: bytes) -> Iterator[tuple[str, int]]:
    """Member (its extension) to where its data begins."""
    for name, start, _ in members_in(raw):
        yield name.partition(".")[2], start


def _image_faults(record: dict[str, Any], members: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    from PIL import Image

    named = {image["member"]: image for image in record["images"]}
    if set(named) != set(members):
        yield "", f"image members are {sorted(members)}, the record names {sorted(named)}"
    for name in sorted(set(named) & set(members)):
        image, data = named[name], members[name]
        if hashlib.sha256(data).hexdigest() != image["sha256"]:
            yield name, f"image {name}: its sha256 is not the record's"
        try:
            with Image.open(io.BytesIO(data), formats=[_FORMATS[image["media_type"]]]) as picture:
                picture.load()
                if picture.size != (image["width"], image["height"]):
                    yield name, f"image {name} is {picture.size}, the record says {image['width']} x {image['height']}"
        except (OSError, SyntaxError, ValueError, KeyError) as error:
            yield name, f"image {name} does not decode: {type(error).__name__}"
