"""The translation memory: the best Arabic known for a segment, used again at no cost, or shown to the model as an example.

In: experts' decisions, imported files, accepted machine translations. Out: exact hits, used word for word, and fuzzy ones, which
are examples only. A row never gives way to one of a lower rank, and a memory of one access class serves that class alone (law 7).

Machine rows are kept apart unless asked for: they grow while a run goes on, and a request that depended on them would be another
one after a crash (and paid again), or with another number of workers.
"""

import bisect
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rapidfuzz import fuzz, process
from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from pipeline.database import MemoryRow, session
from pipeline.translate.termfiles import Pair, read_pairs
from schemas.base import Access
from schemas.errors import input_error
from schemas.translation import Unit

Origin = Literal["reviewed", "imported", "machine"]
RANKS: dict[Origin, int] = {"reviewed": 3, "imported": 2, "machine": 1}
_ORIGINS: dict[int, Origin] = {rank: origin for origin, rank in RANKS.items()}
_CHUNK_KEYS = 500
#: Similarity from which a translation helps as an example. Of SLAKE's 647 distinct English questions 72 % have a neighbour
#: from .85 on, mostly the same sentence about another organ; below, the sentences are built differently.
FLOOR = 0.85
#: Segments that differ in one of these say different things, however alike they are: numbers with what they count, sides,
#: negations, and what decides a finding.
_CRITICAL = re.compile(
    r"\d+(?:[.,]\d+)*\s?(?:%|°?[^\W\d_]+)?|[<>≤≥±]|n['’]t\b|\b(?:"
    r"left(?:most)?|right(?:most)?|top|bottom|cent(?:er|re|ral)|bilateral(?:ly)?|unilateral(?:ly)?|both|either|one|two|three|four|five|six|seven|eight|nine|ten|once|twice|"
    r"no|not|without|never|none|neither|nor|cannot|den(?:y|ies|ied)|absen(?:t|ce)|negative|positive|un(?:remarkable|changed|likely)|"
    r"normal|abnormal(?:ity|ities)?|benign|malignant|acute|chronic|mild|moderate|severe|high|low|(?:in|de)creas(?:e|es|ed|ing)|"
    r"upper|lower|middle|superior|inferior|anterior|posterior|medial|lateral|proximal|distal|before|after|above|below|"
    r"hyper\w+|hypo\w+|brady\w+|tachy\w+"
    r")\b"
)


class Hit(NamedTuple):
    """A remembered translation. `score` 1.0 of an exact hit means: word for word."""

    source: str
    target: str
    origin: Origin
    score: float


def remember(opened: Session, source: str, target: str, access: Access, reviewer: str, origin: Origin = "reviewed") -> None:
    """Keep the Arabic of a segment; a later word replaces an earlier one of the same or a lower rank.

    `reviewer`: whose word it is: the expert, the imported file, or the model.
    """
    _write(opened, {_key(source, access): (source, target)}, access, reviewer, origin)


def recall(engine: Engine, units: Iterable[Unit], lowest: Origin = "imported") -> dict[tuple[str, str], str]:
    """(segment, access class) to remembered Arabic."""
    return {place: hit.target for place, hit in exact(engine, units, lowest).items()}


def exact(engine: Engine, units: Iterable[Unit], lowest: Origin = "imported") -> dict[tuple[str, str], Hit]:
    """(segment, access class) to the hit of that very text; blanks and composed or decomposed letters make no difference."""
    wanted: dict[str, set[tuple[str, str]]] = {}
    for unit in units:
        for text in unit.segments:
            wanted.setdefault(_key(text, unit.access), set()).add((text, unit.access))
    found: dict[tuple[str, str], Hit] = {}
    with session(engine) as opened:
        for keys in _chunks(wanted):
            query = select(MemoryRow).where(MemoryRow.key.in_(keys), MemoryRow.rank >= RANKS[lowest])
            for row in opened.scalars(query):
                hit = Hit(row.source, row.target, _ORIGINS[row.rank], 1.0)
                found.update(dict.fromkeys(wanted[row.key], hit))
    return found


def similar(engine: Engine, text: str, access: Access, floor: float = FLOOR, limit: int = 3) -> list[Hit]:
    """`Neighbours.similar` for one text."""
    return Neighbours(engine, access).similar(text, floor, limit)


class Neighbours:
    """The memory of one access class as it is now, laid out for fuzzy look-ups."""

    # 100,000 rows of 15 words: 67 MB and 2.9 s to load on one Xeon core. A look-up takes 0.07 ms in the middle, 0.5 ms where
    # the text has nothing critical, 9 ms at the worst.

    def __init__(self, engine: Engine, access: Access, lowest: Origin = "imported") -> None:
        self._groups: dict[tuple[str, ...], list[tuple[int, str, Hit]]] = {}
        query = select(MemoryRow.source, MemoryRow.target, MemoryRow.rank)
        query = query.where(MemoryRow.access == access, MemoryRow.rank >= RANKS[lowest])
        with session(engine) as opened:
            for source, target, rank in opened.execute(query):
                plain = _plain(source).casefold()
                hit = Hit(source, target, _ORIGINS[rank], 0.0)
                self._groups.setdefault(_critical(plain), []).append((len(plain), plain, hit))
        for group in self._groups.values():
            group.sort()

    def similar(self, text: str, floor: float = FLOOR, limit: int = 3) -> list[Hit]:
        """The segments that are nearly this one, best first, at equal score the one of higher rank.

        They agree with it in numbers, sides, negations and degrees. `floor`: 1 - letters put in or taken out / letters of both.
        """
        plain = _plain(text).casefold()
        group = self._groups.get(_critical(plain), [])
        # Lengths a and b: similarity is at most 2 min(a, b) / (a + b).
        start = bisect.bisect_left(group, len(plain) * floor / (2 - floor), key=lambda entry: entry[0])
        end = bisect.bisect_right(group, len(plain) * (2 - floor) / floor, key=lambda entry: entry[0])
        near = group[start:end]
        matches = process.extract(
            plain, [entry[1] for entry in near], scorer=fuzz.ratio, processor=None, score_cutoff=100 * floor, limit=None
        )
        hits = [near[place][2]._replace(score=score / 100) for _, score, place in matches]
        hits = [hit for hit in hits if _plain(hit.source) != _plain(text)]
        return sorted(hits, key=lambda hit: (-hit.score, -RANKS[hit.origin], hit.source))[:limit]


def import_memory(engine: Engine, path: Path, access: Access) -> dict[str, int]:
    """Take the segments of a TMX, TBX or TSV file into the memory, all or none.

    Counts segments stored, repeated in the file (the last one stands), outranked by a reviewed one, and entries skipped because
    they lack a language. Raises InputError with file and line, too, when the file says that a segment is of another access class.
    """
    counts = {"stored": 0, "repeated": 0, "outranked": 0, "skipped": 0}
    seen: set[str] = set()
    outranked: set[str] = set()
    with session(engine) as opened:
        pairs = read_pairs(path)
        while chunk := list(islice(pairs, _CHUNK_KEYS)):
            rows = _rows([pair for pair in chunk if pair], access)
            counts["skipped"] += chunk.count(None)
            counts["repeated"] += len(chunk) - chunk.count(None) - len(rows.keys() - seen)
            seen |= rows.keys()
            stronger = MemoryRow.rank > RANKS["imported"]
            outranked |= set(opened.scalars(select(MemoryRow.key).where(MemoryRow.key.in_(rows), stronger)))
            _write(opened, rows, access, path.name, "imported")
    return counts | {"stored": len(seen) - len(outranked), "outranked": len(outranked)}


def _rows(pairs: Iterable[Pair], access: Access) -> dict[str, tuple[str, str]]:
    rows: dict[str, tuple[str, str]] = {}
    for pair in pairs:
        if pair.access not in ("", access):
            raise input_error(pair.place, "x-access", pair.access, f"It cannot become {access}; import it as what it is.")
        rows[_key(pair.source, access)] = (pair.source, pair.target)
    return rows


def _write(opened: Session, rows: dict[str, tuple[str, str]], access: Access, reviewer: str, origin: Origin) -> None:
    """Insert or replace in one statement, so that two writers of the same segment never collide."""
    if not rows:
        return
    insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[opened.get_bind().dialect.name]
    shared = {"access": access, "reviewer": reviewer[:200], "rank": RANKS[origin]}
    statement = insert(MemoryRow).values([{"key": key, "source": s, "target": t, **shared} for key, (s, t) in rows.items()])
    new = {name: statement.excluded[name] for name in ("target", "reviewer", "rank")}
    opened.execute(
        statement.on_conflict_do_update(
            index_elements=[MemoryRow.key], set_=new, where=MemoryRow.rank <= statement.excluded["rank"]
        )
    )


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(keys)
    while chunk := list(islice(rest, _CHUNK_KEYS)):
        yield chunk


def _critical(plain: str) -> tuple[str, ...]:
    return tuple(" ".join(found.split()) for found in _CRITICAL.findall(plain))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _key(source: str, access: str) -> str:
    return hashlib.sha256(f"ar\0{access}\0{_plain(source)}".encode()).hexdigest()
