"""Exact and near duplicates over all sources; the preferred copy stays.

In: all ingested samples, streamed. Out: table duplicates/all (id, reason, kept). Preference: a held-out sample before a
train one (law 6), then the earlier source, then the earlier row. Memory: about 200 bytes a sample for exact hashes, and
1 kB for each text long enough to have near copies.
"""

import hashlib
import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
from rensa import RMinHash, RMinHashLSH

from pipeline.settings import Settings
from pipeline.workspace import Workspace, fingerprint
from schemas.sample import IMAGE_MARK, Sample

VERSION = "2"
STAGE = "duplicates"
_SCHEMA = pa.schema([("id", pa.string()), ("reason", pa.string()), ("kept", pa.string())])
#: Near copies of a dozen words are other sentences ("no effusion on the left"); only longer texts are compared.
_NEAR_WORDS = 12
_PERMUTATIONS = 128
_WORDS = re.compile(r"\S+")
_TOKENS = re.compile(r"[-+\u2212<>≤≥±]\s*\d+(?:\.\d+)?|\d+(?:\.\d+)?|\w+")
#: Texts that differ in one of these say different things, however alike they are.
_CRITICAL = re.compile(
    r"[-+\u2212<>≤≥±]?\d[\d.]*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|first|second|third|once|twice|single|double|half|"
    r"left|right|bilateral|unilateral|upper|lower|medial|lateral|anterior|posterior|superior|inferior|"
    r"no|not|t|without|never|none|neither|nor|cannot|deny|denies|denied|absent|present|negative|positive|normal|abnormal)\b"
)


def find_duplicates(settings: Settings, workspace: Workspace) -> str:
    """Write the table of samples that fall as copies; returns the fingerprint of what it was made from."""
    mark = duplicates_mark(settings, workspace)
    if workspace.done(STAGE, "all", mark):
        return mark
    index = _Index(settings.curate.near_duplicates)
    # Held-out samples first: they take the place, and the train sample that copies one is the one that falls.
    for held in (True, False):
        for sample in workspace.rows("ingest", Sample, "samples"):
            if (sample.split != "train") is held:
                index.add(sample)
    rows = {
        "id": list(index.fallen),
        "reason": [r for r, _ in index.fallen.values()],
        "kept": [k for _, k in index.fallen.values()],
    }
    workspace.write_chunk(STAGE, "all", mark, {"fallen": pa.table(rows, schema=_SCHEMA)})
    return mark


def load_duplicates(workspace: Workspace, ids: set[str]) -> dict[str, tuple[str, str]]:
    """(reason, id of the kept copy) for those of the ids that fall."""
    with pq.ParquetFile(workspace.table_path(STAGE, "all", "fallen")) as file:
        rows: Iterator[dict[str, str]] = (row for batch in file.iter_batches() for row in batch.to_pylist())
        return {row["id"]: (row["reason"], row["kept"]) for row in rows if row["id"] in ids}


def duplicates_mark(settings: Settings, workspace: Workspace) -> str:
    """Fingerprint of the ingested chunks and the threshold."""
    marks = [[manifest.chunk, manifest.fingerprint] for manifest in workspace.manifests("ingest")]
    return fingerprint(VERSION, settings.curate.near_duplicates, marks)


class _Index:
    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._exact: dict[bytes, str] = {}
        # 16 bands of 8 rows: pairs from a similarity of about .7 become candidates, the threshold decides.
        self._lsh = RMinHashLSH(0.7, _PERMUTATIONS, 16)
        self._near: list[tuple[str, str, RMinHash]] = []
        self.fallen: dict[str, tuple[str, str]] = {}

    def add(self, sample: Sample) -> None:
        words = normal(sample)
        images = ",".join(sorted(image.sha256 for image in sample.images))
        key = hashlib.blake2b(f"{words}\0{images}".encode(), digest_size=16).digest()
        known = self._exact.setdefault(key, sample.id)
        if known != sample.id:
            self.fallen[sample.id] = ("exact_duplicate", known)
        elif self._threshold < 1.0 and words.count(" ") >= _NEAR_WORDS:
            self._compare(sample.id, words, images)

    def _compare(self, name: str, words: str, images: str) -> None:
        """Samples are copies only when they agree in images, numbers, sides and negations; then MinHash decides."""
        tokens = _WORDS.findall(words)
        sketch = RMinHash(num_perm=_PERMUTATIONS, seed=1)
        sketch.update([" ".join(tokens[at : at + 3]) for at in range(max(1, len(tokens) - 2))])
        must_agree = f"{' '.join(_CRITICAL.findall(words))}\0{images}"
        for place in sorted(self._lsh.query(sketch)):
            other, theirs, their_sketch = self._near[place]
            if theirs == must_agree and sketch.jaccard(their_sketch) >= self._threshold:
                self.fallen[name] = ("near_duplicate", other)
                return
        self._lsh.insert(len(self._near), sketch)
        self._near.append((name, must_agree, sketch))


def normal(sample: Sample) -> str:
    """The sample's text for comparison: lower case, without marks, punctuation and runs of blanks.

    What stands before a number stays, because -2.5 is not 2.5 and < 5 is not > 5.
    """
    words = "\n".join(turn.text for turn in sample.turns).replace(IMAGE_MARK, " ").lower()
    return " ".join(re.sub(r"\s", "", token) for token in _TOKENS.findall(words))
