"""Exact and near duplicates over all sources; the preferred copy stays.

In: all ingested samples, chunk by chunk. Out: table duplicates/all (id, reason, kept, chunk). Preference: test before validation
before train (law 6), then the earlier source of the config, then the smaller id: neither the order of rows nor the chunks matter.
Memory: about 60 bytes a sample and its id; what near copies need lies in unnamed files beside the tables, 400 bytes a sample.
"""

import re
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.ahead import ahead
from pipeline.collector import collecting_rarely
from pipeline.curate.columns import unfolded
from pipeline.curate.grams import digests, grams, hash_of, words_of
from pipeline.curate.near import NearCopies, Sketched
from pipeline.settings import Settings
from pipeline.workspace import Workspace, fingerprint
from schemas.sample import IMAGE_MARK

VERSION = "3"
STAGE = "duplicates"
_SCHEMA = pa.schema([("id", pa.string()), ("reason", pa.string()), ("kept", pa.string()), ("chunk", pa.string())])
#: Near copies of a dozen words are other sentences ("no effusion on the left"); only longer texts are compared.
_NEAR_WORDS = 13
SHINGLE = 3
_RANKS = {"test": 0, "validation": 1}
#: What stands before a number is part of it, because -2.5 is not 2.5 and < 5 is not > 5.
TOKENS = r"[-+\x{2212}<>≤≥±]\s*\d+(?:\.\d+)?|\d+(?:\.\d+)?|\w+"
#: Texts that differ in one of these say different things, however alike they are.
_CRITICAL = re.compile(
    r"[-+\u2212<>≤≥±]?\d[\d.]*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|first|second|third|once|twice|single|double|half|"
    r"left|right|bilateral|unilateral|upper|lower|medial|lateral|anterior|posterior|superior|inferior|"
    r"no|not|t|without|never|none|neither|nor|cannot|deny|denies|denied|absent|present|negative|positive|normal|abnormal)\b"
)
#: `lot7731` says no more than another word; T2, L4, BRCA1 and CA125 do.
_CODE = re.compile(r"(?![^\W\d]{2}\d{3}$)[^\W\d]+\d{3,}\w*")
_COLUMNS = ["id", "split", "turns", "images"]


@collecting_rarely
def find_duplicates(settings: Settings, workspace: Workspace) -> str:
    """Write the table of samples that fall as copies; returns the fingerprint of what it was made from."""
    mark = duplicates_mark(settings, workspace)
    if workspace.done(STAGE, "all", mark):
        return mark
    workspace.prepare()
    seen: list[_Seen] = []
    chunks = [manifest.chunk for manifest in workspace.manifests("ingest")]
    with NearCopies(workspace.root, settings.curate.near_duplicates) as near:
        for own, sketched in ahead(partial(_read, workspace, near), chunks, settings.runner.workers):
            seen.append(own)
            near.add(sketched)
        table = _fallen(chunks, seen, near)
    workspace.write_chunk(STAGE, "all", mark, {"fallen": table})
    return mark


def load_duplicates(workspace: Workspace, chunk: str) -> dict[str, tuple[str, str]]:
    """(reason, id of the kept copy) for those samples of a chunk that fall."""
    table = _fallen_of(workspace.table_path(STAGE, "all", "fallen"), workspace.manifest(STAGE, "all").tables["fallen"])
    mine = table.filter(pc.equal(table["chunk"], chunk))
    return {row["id"]: (row["reason"], row["kept"]) for row in mine.to_pylist()}


@lru_cache(maxsize=1)
def _fallen_of(path: Path, digest: str) -> pa.Table:
    """The whole table, read once in a process: a look into the file for each chunk took as long as reading its samples."""
    return pq.read_table(path, columns=_SCHEMA.names, read_dictionary=["chunk", "reason"])


def duplicates_mark(settings: Settings, workspace: Workspace) -> str:
    """Fingerprint of the ingested chunks and the threshold."""
    marks = [[manifest.chunk, manifest.fingerprint] for manifest in workspace.manifests("ingest")]
    return fingerprint(VERSION, settings.curate.near_duplicates, marks)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is kept in memory of a chunk's samples."""

    ids: pa.Array
    ranks: npt.NDArray[np.uint32]
    """Split, then source: the smaller the better."""
    keys: npt.NDArray[np.uint64]
    """Of text and images, 128 bits."""


def _read(workspace: Workspace, near: NearCopies, chunk: str) -> tuple[_Seen, Sketched]:
    with pq.ParquetFile(workspace.table_path("ingest", chunk, "samples")) as file:
        table = file.read(columns=_COLUMNS)
    words = words_of(texts_of(table), TOKENS)
    images = _images(table)
    keys = digests(words.hashes, words.places) ^ images[:, None]
    agree = digests(*words.marked(_critical))[:, 0] ^ images
    source = int(chunk.partition("-")[0])
    ranks = np.array([_RANKS.get(split, 2) << 16 | source for split in table["split"].to_pylist()], np.uint32)
    sketched = near.sketched(*grams(words, SHINGLE), agree, words.counts() >= _NEAR_WORDS)
    return _Seen(table["id"].combine_chunks(), ranks, keys), sketched


def texts_of(table: pa.Table) -> pa.Array:
    """The text of each sample of a table: its turns, a line break between them, without marks."""
    turns = table["turns"].combine_chunks()
    texts = pa.ListArray.from_arrays(turns.offsets, turns.values.field("text"))
    return pc.replace_substring(pc.binary_join(texts, "\n"), IMAGE_MARK, " ")


def _images(table: pa.Table) -> npt.NDArray[np.uint64]:
    """A hash of the addresses of each sample's images, whatever their order; 0 where it has none."""
    places, images = unfolded(table, "images")
    names = images.field("sha256").to_pylist()
    found = np.zeros(table.num_rows, np.uint64)
    for row in np.flatnonzero(np.diff(places)).tolist():
        found[row] = hash_of(",".join(sorted(names[places[row] : places[row + 1]])))
    return found


@lru_cache(maxsize=1 << 17)
def _critical(word: str) -> int:
    found = () if _CODE.fullmatch(word) else _CRITICAL.findall(word)
    return hash_of(" ".join(found)) if found else 0


def _fallen(names: list[str], seen: list[_Seen], near: NearCopies) -> pa.Table:
    """The table of those that fall, in the order of the chunks and ids."""
    ids = pa.concat_arrays([*(each.ids for each in seen), pa.array([], pa.string())])
    if not len(ids):
        return _SCHEMA.empty_table()
    chunks = np.repeat(np.arange(len(seen)), [len(each.ids) for each in seen])
    columns = {"rank": np.concatenate([each.ranks for each in seen]), "id": ids}
    order = pc.sort_indices(pa.table(columns), sort_keys=[("rank", "ascending"), ("id", "ascending")]).to_numpy()
    copy_of = _exact(np.concatenate([each.keys for each in seen]), order)
    exact = np.flatnonzero(copy_of >= 0)
    near.find(order, copy_of)
    rows = np.flatnonzero(copy_of >= 0)
    reasons = np.where(np.isin(rows, exact), "exact_duplicate", "near_duplicate")
    places = pa.array(names).take(pa.array(chunks[rows]))
    table = pa.table([ids.take(pa.array(rows)), pa.array(reasons), ids.take(pa.array(copy_of[rows])), places], schema=_SCHEMA)
    return table.sort_by([("chunk", "ascending"), ("id", "ascending")])


def _exact(keys: npt.NDArray[np.uint64], order: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """For each sample the preferred one of the same key; -1 for that one."""
    ranked = keys[order]
    place = np.lexsort((ranked[:, 1], ranked[:, 0]))
    same = np.concatenate([[False], (ranked[place[1:]] == ranked[place[:-1]]).all(axis=1)])
    # lexsort is stable: the first of equal keys is the preferred one.
    first = place[np.maximum.accumulate(np.where(same, 0, np.arange(len(place))))]
    copy_of = np.full(len(keys), -1, np.int64)
    copy_of[order[place[same]]] = order[first[same]]
    return copy_of
