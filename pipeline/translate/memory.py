"""The translation memory: what an expert let stand or wrote for a segment is used again, word for word, at no cost."""

import hashlib
import unicodedata
from collections.abc import Iterable

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from pipeline.database import MemoryRow, session
from schemas.base import Access
from schemas.translation import Unit

_CHUNK_KEYS = 500


def remember(opened: Session, source: str, target: str, access: Access, reviewer: str) -> None:
    """Keep an expert's Arabic for a segment; a later word replaces an earlier one."""
    key = _key(source, access)
    row = opened.get(MemoryRow, key)
    if row is None:
        opened.add(MemoryRow(key=key, source=source, target=target, access=access, reviewer=reviewer))
    else:
        row.target, row.reviewer = target, reviewer


def recall(engine: Engine, units: Iterable[Unit]) -> dict[tuple[str, str], str]:
    """(segment, access class) to remembered Arabic. A memory of one access class serves that class alone (law 7)."""
    wanted = {_key(text, unit.access): (text, unit.access) for unit in units for text in unit.segments}
    keys = list(wanted)
    found: dict[tuple[str, str], str] = {}
    with session(engine) as opened:
        for start in range(0, len(keys), _CHUNK_KEYS):
            query = select(MemoryRow).where(MemoryRow.key.in_(keys[start : start + _CHUNK_KEYS]))
            found.update({wanted[row.key]: row.target for row in opened.scalars(query)})
    return found


def _key(source: str, access: str) -> str:
    plain = " ".join(unicodedata.normalize("NFC", source).split())
    return hashlib.sha256(f"ar\0{access}\0{plain}".encode()).hexdigest()
