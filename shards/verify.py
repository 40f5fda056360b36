"""Proof of a release from its files alone. Damaged input gives problems, never an exception."""

import hashlib
import io
import itertools
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from schemas.release import MANIFEST, Release, ShardEntry
from shards.laws import RowLaws
from shards.read import parse
from shards.tar import BLOCK, read_index
from shards.write import file_digest

_KEYS = frozenset(
    {"id", "pair", "corpus", "record", "split", "task", "language", "turns", "images", "licence", "access", "origin", "evidence"}
)
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG"}


@dataclass(frozen=True)
class Problem:
    """What is wrong where; offset in bytes of the file, sample when one is known."""

    file: str
    message: str
    offset: int | None = None
    sample: str | None = None


@dataclass(frozen=True)
class Report:
    """The outcome: no problem means that every proof was made."""

    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


def verify(folder: Path, quick: bool = False) -> Report:
    """Check checksums, indexes, members, records, images, pairs, laws 2 and 6, and the manifest's counts.

    `quick` reads neither image pixels nor checksums: sizes, indexes, records and laws only.
    """
    manifest, problems = _manifest(folder)
    if manifest is None:
        return Report(tuple(problems))
    problems += _strangers(folder, manifest)
    laws = RowLaws()
    counted: dict[str, int] = {}
    for entry in manifest.shards:
        problems += _shard(folder, entry, laws, counted, quick)
    problems += [Problem(MANIFEST, fault, sample=name) for name, fault in laws.end()]
    if counted != manifest.languages and not problems:
        problems.append(Problem(MANIFEST, f"languages are {manifest.languages}, the shards hold {counted}"))
    if sum(entry.samples for entry in manifest.shards) != manifest.samples:
        problems.append(Problem(MANIFEST, f"samples is {manifest.samples}, the shards' entries sum to another number"))
    return Report(tuple(problems))


def _manifest(folder: Path) -> tuple[Release | None, list[Problem]]:
    path = folder / MANIFEST
    try:
        return Release.model_validate(orjson.loads(path.read_bytes())), []
    except FileNotFoundError:
        return None, [Problem(MANIFEST, "is missing: this is no finished release")]
    except (orjson.JSONDecodeError, ValidationError, OSError) as error:
        return None, [Problem(MANIFEST, f"cannot be read: {' '.join(str(error).split())[:200]}")]


def _strangers(folder: Path, manifest: Release) -> list[Problem]:
    known = {entry.path for entry in manifest.shards}
    wanted = known | {f"{path}.idx" for path in known} | {MANIFEST, "README.md"}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    problems = [Problem(name, "is in the folder and not in the manifest") for name in sorted(there - wanted)]
    return problems + [Problem(name, "is missing") for name in sorted(wanted - there)]


def _shard(folder: Path, entry: ShardEntry, laws: RowLaws, counted: dict[str, int], quick: bool) -> list[Problem]:
    path = folder / entry.path
    if not path.is_file() or not path.with_name(f"{path.name}.idx").is_file():
        return []
    problems = []
    if path.stat().st_size != entry.bytes:
        problems.append(Problem(entry.path, f"has {path.stat().st_size} bytes, the manifest says {entry.bytes}"))
    if not quick and file_digest(path) != entry.sha256:
        problems.append(Problem(entry.path, "its sha256 is not the manifest's"))
    index = path.with_name(f"{path.name}.idx")
    if hashlib.sha256(index.read_bytes()).hexdigest() != entry.index_sha256:
        problems.append(Problem(f"{entry.path}.idx", "its sha256 is not the manifest's"))
    try:
        offsets = read_index(index)
    except ValueError as error:
        return [*problems, Problem(f"{entry.path}.idx", str(error))]
    if len(offsets) - 1 != entry.samples:
        problems.append(Problem(f"{entry.path}.idx", f"has {len(offsets) - 1} samples, the manifest says {entry.samples}"))
    if offsets[-1] + 2 * BLOCK != path.stat().st_size:
        problems.append(Problem(f"{entry.path}.idx", "its last offset is not the shard's end"))
    with path.open("rb") as file:
        for start, end in itertools.pairwise(offsets):
            file.seek(start)
            problems += _sample(entry, start, file.read(end - start), laws, counted, quick)
    return problems


def _sample(entry: ShardEntry, offset: int, raw: bytes, laws: RowLaws, counted: dict[str, int], quick: bool) -> list[Problem]:
    try:
        record, members = parse(raw)
        missing = _KEYS - record.keys()
        if missing:
            return [Problem(entry.path, f"the record has no {', '.join(sorted(missing))}", offset, record.get("id"))]
        faults = list(laws.see(record))
        faults += _images(record, members, quick)
    except (tarfile.TarError, ValueError, KeyError, TypeError, AttributeError) as error:
        return [Problem(entry.path, f"the sample cannot be read: {type(error).__name__} {error}"[:200], offset)]
    if record["split"] != entry.split:
        faults.append(f"its split is {record['split']}, the shard's is {entry.split}")
    counted[record["language"]] = counted.get(record["language"], 0) + 1
    return [Problem(entry.path, fault, offset, record["id"]) for fault in faults]


def _images(record: dict[str, Any], members: dict[str, bytes], quick: bool) -> list[str]:
    from PIL import Image

    faults = []
    named = {image["member"]: image for image in record["images"]}
    if set(named) != set(members):
        faults.append(f"image members are {sorted(members)}, the record names {sorted(named)}")
    if quick:
        return faults
    for name in sorted(set(named) & set(members)):
        image, data = named[name], members[name]
        if hashlib.sha256(data).hexdigest() != image["sha256"]:
            faults.append(f"image {name}: its sha256 is not the record's")
        try:
            with Image.open(io.BytesIO(data), formats=[_FORMATS[image["media_type"]]]) as picture:
                picture.load()
                if picture.size != (image["width"], image["height"]):
                    faults.append(f"image {name} is {picture.size}, the record says {image['width']} x {image['height']}")
        except (OSError, SyntaxError, ValueError, KeyError) as error:
            faults.append(f"image {name} does not decode: {type(error).__name__}")
    return faults
