"""What changed between two versions of a release, sample by sample.

In: two release folders. Out: counts by kind and source, ids, and a sample of the changes to look at. Records are read as the
indexes list them; images are not read, their sha256 stands in the record. Memory: 150 bytes a sample of both, ids and digests.
"""

import difflib
import hashlib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import orjson
import polars as pl

from schemas.errors import InputError
from schemas.release import Release
from shards.read import Shard
from shards.release import load_manifest
from shards.walk import loaded, records

#: Kind of change to what it means; one sample may have several of the last six.
KINDS = {
    "added": "only in the new one",
    "removed": "only in the old one",
    "retranslated": "another Arabic text",
    "reworded": "another English text",
    "rescored": "another score, verdict or scoring version",
    "rereviewed": "another expert's decision",
    "moved": "another split",
    "other": "anything else: images, licence, provenance of an unchanged text",
}
_SCORE = ("score", "verdict", "score_version", "similarity", "findings", "judged")
_REVIEW = ("decision", "reviewer")
_PARTS = ("turns", "score", "review", "split", "making", "rest")
_ROWS = 50_000


@dataclass(frozen=True)
class Difference:
    """Everything that changed; `rows` holds id, corpus, language, the places on both sides and one flag a kind."""

    old: Path
    new: Path
    rows: pl.DataFrame
    unchanged: int

    @property
    def changed(self) -> bool:
        """Whether any sample changed."""
        return not self.rows.is_empty()

    def counts(self) -> dict[str, int]:
        """Samples by kind of change; a sample with two kinds counts in both."""
        return {kind: int(self.rows[kind].sum()) for kind in KINDS}

    def by_source(self) -> dict[str, dict[str, int]]:
        """The same for each corpus that has a change."""
        grouped = self.rows.group_by("corpus").agg(pl.col(kind).sum() for kind in KINDS).sort("corpus")
        return {row.pop("corpus"): row for row in grouped.to_dicts()}

    def ids(self, kind: str, most: int) -> list[str]:
        """Ids of one kind, at most so many, in the order of their text."""
        return self.rows.filter(pl.col(kind)).sort("id")["id"].head(most).to_list()


def diff(old: Path, new: Path, any_name: bool = False) -> Difference:
    """Compare two versions. Raises InputError where a folder is no release, or (unless `any_name`) the names differ."""
    before, after = load_manifest(old), load_manifest(new)
    if before.name != after.name and not any_name:
        raise InputError(
            f"{new}: name is {after.name!r}, that of {old} is {before.name!r}. diff compares versions of one release; "
            "compare others with --any-name."
        )
    joined = _digests(old, before).join(_digests(new, after), on="id", how="full", suffix="_new", coalesce=True)
    there, here = pl.col("turns").is_not_null(), pl.col("turns_new").is_not_null()
    both = there & here
    changed = {part: both & (pl.col(part) != pl.col(f"{part}_new")) for part in _PARTS}
    arabic = pl.coalesce("language_new", "language") == "ar"
    rows = joined.with_columns(
        added=here & ~there,
        removed=there & ~here,
        retranslated=changed["turns"] & arabic,
        reworded=changed["turns"] & ~arabic,
        rescored=changed["score"],
        rereviewed=changed["review"],
        moved=changed["split"],
        other=changed["rest"] | (changed["making"] & ~changed["turns"]),
    ).filter(pl.any_horizontal(*KINDS))
    rows = rows.with_columns(corpus=pl.coalesce("corpus_new", "corpus"), language=pl.coalesce("language_new", "language"))
    return Difference(old, new, rows, unchanged=joined.height - rows.height)


def _digests(folder: Path, release: Release) -> pl.DataFrame:
    """One row a sample: id, corpus, language, place, and a 64-bit digest of each part that may change."""
    frames = [pl.DataFrame(schema=_SCHEMA)]
    rows: list[tuple[Any, ...]] = []
    shards = {entry.path: number for number, entry in enumerate(release.shards)}
    for placed in records(folder, release):
        record = loaded(folder, placed)
        place = (record["id"], record["corpus"], record["language"], shards[placed.entry.path], placed.offset)
        rows.append((*place, *_parts(record)))
        if len(rows) == _ROWS:
            frames.append(pl.DataFrame(rows, schema=_SCHEMA, orient="row"))
            rows = []
    frames.append(pl.DataFrame(rows, schema=_SCHEMA, orient="row"))
    return pl.concat(frames)


_SCHEMA: dict[str, Any] = {
    "id": pl.String, "corpus": pl.Categorical, "language": pl.Categorical, "shard": pl.Int32, "offset": pl.Int64,
} | dict.fromkeys(_PARTS, pl.UInt64)  # fmt: skip


def _parts(record: dict[str, Any]) -> tuple[int, ...]:
    proof = orjson.loads(record.pop("evidence") or "{}")
    score = [proof.pop(name, None) for name in _SCORE]
    review = [proof.pop(name, None) for name in _REVIEW]
    turns, split = record.pop("turns"), record.pop("split")
    # A twin that came or went is a change of its own, not one of its partner.
    del record["pair"]
    return tuple(_digest(part) for part in (turns, score, review, split, proof, record))


def _digest(value: Any) -> int:
    raw = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest())


@dataclass(frozen=True)
class Change:
    """One changed sample as a page shows it: HTML of each turn on both sides, and the evidence's changed lines."""

    id: str
    kinds: tuple[str, ...]
    direction: str
    turns: tuple[tuple[str, str, str], ...]
    """(role, old, new) with <del> and <ins> around what differs; the text itself is escaped."""
    facts: tuple[tuple[str, str, str], ...]


def changes(found: Difference, most: int) -> Iterator[Change]:
    """Up to `most` samples of each kind, drawn by a hash of their id: the same ones each time, and not the first ones only."""
    paths = {"": found.old, "_new": found.new}
    manifests = {side: load_manifest(path) for side, path in paths.items()}
    drawn: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        rows = found.rows.filter(pl.col(kind)).with_columns(draw=pl.col("id").hash(seed=0)).sort("draw", "id").head(most)
        drawn |= {row["id"]: row for row in rows.to_dicts()}
    for name, row in sorted(drawn.items()):
        old, new = (_side(path, manifests[side], row[f"shard{side}"], row[f"offset{side}"]) for side, path in paths.items())
        kinds = tuple(kind for kind in KINDS if row[kind])
        yield Change(name, kinds, "rtl" if row["language"] == "ar" else "ltr", _turns(old, new), _facts(old, new))


def page(found: Difference, most: int = 20) -> str:
    """A self-contained HTML page: counts by source, and a sample of the changes side by side."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=True)
    template = environment.from_string(Path(__file__).with_name("diff.html.j2").read_text(encoding="utf-8"))
    before, after = load_manifest(found.old), load_manifest(found.new)
    return template.render(found=found, kinds=KINDS, changes=changes(found, most), old=before, new=after, most=most)


def _side(folder: Path, release: Release, shard: int | None, offset: int) -> dict[str, Any] | None:
    """The record at a place; None on the side where the sample is not."""
    if shard is None:
        return None
    with Shard(folder / release.shards[shard].path) as opened:
        record: dict[str, Any] = orjson.loads(opened.record_bytes(opened.number_at(offset)))
    return record


def _turns(old: dict[str, Any] | None, new: dict[str, Any] | None) -> tuple[tuple[str, str, str], ...]:
    sides = [[] if side is None else side["turns"] for side in (old, new)]
    rows = []
    for number in range(max(map(len, sides))):
        one, other = (side[number]["text"] if number < len(side) else "" for side in sides)
        role = next(side[number]["role"] for side in sides if number < len(side))
        rows.append((role, *_marked(one, other)) if old and new else (role, html.escape(one), html.escape(other)))
    return tuple(rows)


def _marked(old: str, new: str) -> tuple[str, str]:
    """Both texts with what is only in one of them marked, word by word."""
    one, other = re.findall(r"\s+|\S+", old), re.findall(r"\s+|\S+", new)
    left, right = [], []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        gone, came = html.escape("".join(one[a:b])), html.escape("".join(other[c:d]))
        left.append(gone if tag == "equal" else f"<del>{gone}</del>" if gone else "")
        right.append(came if tag == "equal" else f"<ins>{came}</ins>" if came else "")
    return "".join(left), "".join(right)


def _facts(old: dict[str, Any] | None, new: dict[str, Any] | None) -> tuple[tuple[str, str, str], ...]:
    """(name, old, new) of what else differs, one line each."""
    flat = [{} if side is None else _flat(side) for side in (old, new)]
    names = sorted(flat[0].keys() | flat[1].keys())
    return tuple((name, flat[0].get(name, ""), flat[1].get(name, "")) for name in names if flat[0].get(name) != flat[1].get(name))


def _flat(record: dict[str, Any]) -> dict[str, str]:
    proof = orjson.loads(record["evidence"] or "{}")
    plain = {name: value for name, value in record.items() if name not in ("turns", "evidence", "id")}
    return {name: str(value)[:200] for name, value in {**plain, **proof}.items() if value not in ("", None, [])}
