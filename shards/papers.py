"""The papers of a release: card, plots, datasheet, metadata.jsonl, Croissant, Energon, manifest, sums, computed from its shards.

In: a folder with finished shards and the manifest to be. Out: the papers in that folder, SHA256SUMS and the manifest last.
"""

import hashlib
from pathlib import Path

import orjson

from schemas.release import MANIFEST, SUMS, Release
from shards.card import card, datasheet
from shards.croissant import CROISSANT, croissant
from shards.energon import energon_files
from shards.metadata import METADATA, metadata_line, metadata_rows
from shards.plots import Shape

CARD = "README.md"
DATASHEET = "DATASHEET.md"


def write_papers(folder: Path, release: Release) -> Release:
    """Write all papers; returns the manifest as written, which names each paper's sha256."""
    digest, shape = hashlib.sha256(), Shape()
    with (folder / METADATA).open("wb") as file:
        for row, record in metadata_rows(folder, release):
            line = metadata_line(row)
            file.write(line)
            digest.update(line)
            shape.see(row, record)
    plots = shape.drawings()
    texts = {
        CARD: card(release, plots=plots).encode(),
        DATASHEET: datasheet(release).encode(),
        CROISSANT: orjson.dumps(croissant(release, digest.hexdigest()), option=orjson.OPT_INDENT_2),
        **energon_files(release),
        **plots,
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(text)
    papers = {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()} | {METADATA: digest.hexdigest()}
    whole = release.model_copy(update={"papers": dict(sorted(papers.items()))})
    manifest = orjson.dumps(whole.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
    (folder / SUMS).write_bytes(sums(whole, hashlib.sha256(manifest).hexdigest()))
    (folder / MANIFEST).write_bytes(manifest)
    return whole


def sums(release: Release, manifest_sha256: str) -> bytes:
    """SHA256SUMS of every file but itself, as `sha256sum --check` reads it."""
    digests = {MANIFEST: manifest_sha256, **release.papers}
    for entry in release.shards:
        digests |= {entry.path: entry.sha256, f"{entry.path}.idx": entry.index_sha256}
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()
