"""Takedowns that a workspace remembers: what was withdrawn from a release is never released again by a later build.

In and out: `withdrawn.json` in the workspace, a list of tombstones. Written by `release redact`, read by every build.
"""

import orjson
from pydantic import TypeAdapter

from pipeline.workspace import Workspace, write_atomic
from schemas.release import Tombstone
from schemas.sample import Sample, twin_id

_FILE = "withdrawn.json"
_STONES = TypeAdapter(tuple[Tombstone, ...])


def withdrawn(workspace: Workspace) -> tuple[Tombstone, ...]:
    """All tombstones, in the order of their samples' ids. Fails on a damaged file: it must not be taken for an empty one."""
    path = workspace.root / _FILE
    return _STONES.validate_json(path.read_bytes()) if path.exists() else ()


def withdraw(workspace: Workspace, stones: tuple[Tombstone, ...]) -> None:
    """Add tombstones; of a sample that has one already the first stays."""
    known = {stone.sample: stone for stone in (*stones, *withdrawn(workspace))}
    told = [known[name].model_dump() for name in sorted(known)]
    write_atomic(workspace.root / _FILE, orjson.dumps(told, option=orjson.OPT_INDENT_2))


class Gone:
    """Which samples of a workspace may not go out."""

    def __init__(self, stones: tuple[Tombstone, ...]) -> None:
        self._names = {stone.sample for stone in stones}

    def english(self, sample: Sample) -> bool:
        """Whether an English sample is withdrawn, or what it was made from."""
        return sample.id in self._names or sample.meta.get("made_from") in self._names

    def twin(self, sample: Sample) -> bool:
        """Whether its Arabic twin is: by itself, or because the sample is."""
        return twin_id(sample.id) in self._names or self.english(sample)
