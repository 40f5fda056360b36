"""metadata.jsonl: one line a sample, so that tables and Croissant read a release without opening its shards.

In: finished shards. Out: lines in the order of the manifest's shards. Reads records only, not images: about 30 µs a sample.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from schemas.release import Release
from shards.walk import Placed, records

METADATA = "metadata.jsonl"
#: Column to Croissant's type of it, in the order of the line.
COLUMNS = {
    "id": "sc:Text", "pair": "sc:Text", "language": "sc:Text", "split": "sc:Text", "corpus": "sc:Text", "record": "sc:Text",
    "task": "sc:Text", "modality": "sc:Text", "licence": "sc:Text", "access": "sc:Text", "turns": "sc:Text",
    "images": "sc:Integer", "score": "sc:Text", "decision": "sc:Text", "shard": "sc:Text", "offset": "sc:Integer",
    "record_sha256": "sc:Text",
}  # fmt: skip


def metadata_rows(folder: Path, release: Release) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(line, record) of each sample of a release's shards."""
    for placed in records(folder, release):
        record = orjson.loads(placed.raw)
        yield _row(placed, record), record


def metadata_line(row: dict[str, Any]) -> bytes:
    """As it stands in the file, with its line break."""
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _row(placed: Placed, record: dict[str, Any]) -> dict[str, Any]:
    """`score` is a text, "" where none was given: a column of one type has no null."""
    proof = orjson.loads(record["evidence"]) if record["evidence"] else {}
    modalities = sorted({image["modality"] for image in record["images"]})
    line: dict[str, Any] = {name: record[name] for name in ("id", "pair", "language", "split", "corpus", "record", "task")}
    line |= {
        "modality": ",".join(modalities) or "text",
        "licence": record["licence"],
        "access": record["access"],
        "turns": orjson.dumps(record["turns"]).decode(),
        "images": len(record["images"]),
        "score": "" if proof.get("score") is None else f"{proof['score']:g}",
        "decision": proof.get("decision") or "",
        "shard": placed.entry.path,
        "offset": placed.offset,
        "record_sha256": hashlib.sha256(placed.raw).hexdigest(),
    }
    return line
