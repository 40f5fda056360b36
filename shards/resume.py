"""A build that was killed goes on with the shards that are finished.

In: the folder in which a release is being built. Out: what is known of each finished shard. A shard counts as finished where its
note is there and its bytes are the note's; notes of a build from other rows, or of another config, are thrown away.
"""

import shutil
from collections import Counter
from pathlib import Path

import orjson

from schemas.release import ShardEntry
from shards.write import Tally, file_digest

_NOTES = ".finished"


class Finished:
    """The notes in `folder`, of the build that `mark` names. Threads may note different shards at once."""

    def __init__(self, folder: Path, mark: str) -> None:
        self._folder, self._notes = folder, folder / _NOTES
        known = self._notes / "mark"
        if not known.is_file() or known.read_text() != mark:
            shutil.rmtree(folder, ignore_errors=True)
            self._notes.mkdir(parents=True)
            known.write_text(mark)

    def get(self, path: str) -> tuple[ShardEntry, Tally] | None:
        """What was noted of a shard; None where it has to be written."""
        note = self._note(path)
        if not note.is_file():
            return None
        try:
            told = orjson.loads(note.read_bytes())
        except orjson.JSONDecodeError:
            # Killed while it was noted.
            return None
        entry = ShardEntry.model_validate(told["entry"])
        place = self._folder / path
        for name, digest in ((place, entry.sha256), (place.with_name(f"{place.name}.idx"), entry.index_sha256)):
            if not name.is_file() or file_digest(name) != digest:
                return None
        return entry, Tally(**{name: Counter(value) for name, value in told["tally"].items()})

    def add(self, entry: ShardEntry, tally: Tally) -> None:
        """Note a shard, once it has its name."""
        told = {"entry": entry.model_dump(mode="json"), "tally": vars(tally)}
        self._note(entry.path).write_bytes(orjson.dumps(told, option=orjson.OPT_PASSTHROUGH_SUBCLASS, default=dict))

    def end(self) -> None:
        """All shards are written: the notes are no part of the release."""
        shutil.rmtree(self._notes)

    def _note(self, path: str) -> Path:
        return self._notes / f"{Path(path).name}.json"
