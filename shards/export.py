"""A release in the forms that others train from: Parquet as the Hugging Face Hub lays it out, JSON as LLaVA's trainers read it.

In: a release's folder. Out: a new folder, whole or not at all, with every sample of the release. Memory: one row group.
"""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import InputError
from schemas.release import Release
from shards.card import card
from shards.read import Members
from shards.release import load_manifest
from shards.walk import samples

FORMATS = ("parquet", "llava")
#: Rows and bytes of a row group, at most: the Hub's viewer reads a group at a time, and a group is what this holds in memory.
_GROUP_ROWS, _GROUP_BYTES = 100, 32 << 20
_TEXTS = (
    "id", "pair", "language", "corpus", "record", "source_split", "task", "licence", "access", "meta", "evidence",
)  # fmt: skip
_TURNS = pa.list_(pa.struct([("role", pa.string()), ("text", pa.string())]))
_IMAGES = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
_ORIGIN = pa.struct([("file", pa.string()), ("row", pa.int64()), ("sha256", pa.string())])
_COLUMNS: list[tuple[str, pa.DataType]] = [
    *((name, pa.string()) for name in (*_TEXTS, "modality")), ("origin", _ORIGIN), ("turns", _TURNS), ("images", _IMAGES),
]  # fmt: skip
#: What an exported image's task must be for LLaVA's first stage, which learns to describe.
_DESCRIBED = ("caption", "report")


def export(folder: Path, out: Path, form: str) -> dict[str, Any]:
    """Write the release in one of FORMATS. Returns the numbers of what was written.

    Raises InputError when `out` is there already, or when the release cannot be read.
    """
    release = load_manifest(folder)
    if out.exists():
        raise InputError(f"{out}: is there already. Name another folder, or remove this one.")
    work = out.with_name(f".{out.name}.exporting")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        counts = (_parquet if form == "parquet" else _llava)(folder, release, work)
        work.replace(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return {"path": str(out), "format": form, "samples": release.samples, **counts}


def _parquet(folder: Path, release: Release, out: Path) -> dict[str, Any]:
    (out / "data").mkdir()
    size = max(entry.bytes for entry in release.shards) if release.shards else 0
    splits: dict[str, _ParquetSplit] = {}
    for placed, record, members in samples(folder, release):
        name = placed.entry.split
        if name not in splits:
            splits[name] = _ParquetSplit(out / "data", name, size)
        splits[name].add(record, members)
    for split in splits.values():
        split.close()
    (out / "README.md").write_text(card(release, layout="parquet"), encoding="utf-8")
    if (folder / "plots").is_dir():
        shutil.copytree(folder / "plots", out / "plots")
    return {"files": sum(len(split.files) for split in splits.values()), "splits": {n: split.rows for n, split in splits.items()}}


class _ParquetSplit:
    """`train-00000-of-00003.parquet`, …: as large as the release's largest shard, about."""

    def __init__(self, folder: Path, name: str, most_bytes: int) -> None:
        self._folder, self._name, self._most = folder, name, most_bytes
        self._writer: pq.ParquetWriter | None = None
        self._rows: list[dict[str, Any]] = []
        self._held = self._written = 0
        self.files: list[Path] = []
        self.rows = 0

    def add(self, record: dict[str, Any], members: Members) -> None:
        row = {name: record[name] for name in (*_TEXTS, "origin", "turns")}
        row["modality"] = ",".join(sorted({image["modality"] for image in record["images"]})) or "text"
        row["images"] = [
            {"bytes": members[image["member"]], "path": f"{record['id']}.{image['member']}"} for image in record["images"]
        ]
        self._rows.append(row)
        self._held += sum(map(len, members.values())) + 1000
        if len(self._rows) == _GROUP_ROWS or self._held >= min(_GROUP_BYTES, self._most):
            self._flush()

    def close(self) -> None:
        self._flush()
        if self._writer:
            self._writer.close()
        for number, path in enumerate(self.files):
            path.rename(self._folder / f"{self._name}-{number:05d}-of-{len(self.files):05d}.parquet")

    def _flush(self) -> None:
        if not self._rows:
            return
        if self._writer is None:
            self.files.append(self._folder / f"{self._name}-{len(self.files)}.part")
            self._writer = pq.ParquetWriter(self.files[-1], _schema(), compression="zstd")
        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=_schema()))
        self.rows += len(self._rows)
        self._written += self._held
        self._rows, self._held = [], 0
        if self._written >= self._most:
            self._writer.close()
            self._writer, self._written = None, 0


def _schema() -> pa.Schema:
    """Arrow's types, and beside them `datasets`' own, which know that the bytes are images."""
    text = {"dtype": "string", "_type": "Value"}
    features: dict[str, Any] = {name: text for name, kind in _COLUMNS if kind == pa.string()}
    features["origin"] = {"file": text, "row": {"dtype": "int64", "_type": "Value"}, "sha256": text}
    # A list in brackets is read alike by `datasets` before and after version 4, which renamed the type.
    features |= {"turns": [{"role": text, "text": text}], "images": [{"_type": "Image"}]}
    info = orjson.dumps({"info": {"features": {name: features[name] for name, _ in _COLUMNS}}})
    return pa.schema(_COLUMNS, metadata={"huggingface": info})


def _llava(folder: Path, release: Release, out: Path) -> dict[str, Any]:
    """SPLIT/stage1_align.json (described images), SPLIT/stage2_instruct.json (everything), and the images by their sha256."""
    counts: Counter[str] = Counter()
    files: dict[str, _JsonArray] = {}
    try:
        for placed, record, members in samples(folder, release):
            entry = _llava_entry(record, _stored(record, members, out / "images"))
            stages = ["stage2_instruct"]
            if record["images"] and record["task"] in _DESCRIBED:
                stages.append("stage1_align")
            for stage in stages:
                name = f"{placed.entry.split}/{stage}.json"
                if name not in files:
                    files[name] = _JsonArray(out / name)
                files[name].add(entry)
                counts[name] += 1
    finally:
        for file in files.values():
            file.close()
    return {"files": dict(sorted(counts.items())), "images": sum(1 for path in out.rglob("images/*/*") if path.is_file())}


def _llava_entry(record: dict[str, Any], images: list[str]) -> dict[str, Any]:
    """`image` is a path or, for several images, a list; a system turn, which LLaVA's form has not, leads the first question."""
    said: list[dict[str, str]] = []
    before = ""
    for turn in record["turns"]:
        if turn["role"] == "system":
            before += f"{turn['text']}\n"
            continue
        said.append({"from": "human" if turn["role"] == "user" else "gpt", "value": before + turn["text"]})
        before = ""
    shown = {} if not images else {"image": images[0] if len(images) == 1 else images}
    return {"id": record["id"], **shown, "conversations": said}


def _stored(record: dict[str, Any], members: Members, folder: Path) -> list[str]:
    """Paths below `folder` of the sample's images, each written once however many samples show it."""
    names = []
    for image in record["images"]:
        name = f"{image['sha256'][:2]}/{image['sha256']}.{image['member'].rpartition('.')[2]}"
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(members[image["member"]])
        names.append(name)
    return names


class _JsonArray:
    """A JSON array written entry by entry."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("wb")
        self._between = b"[\n"

    def add(self, entry: dict[str, Any]) -> None:
        self._file.write(self._between + orjson.dumps(entry))
        self._between = b",\n"

    def close(self) -> None:
        self._file.write(b"\n]\n")
        self._file.close()
