"""What a hand-written file set is: files to write, the path that a config names, and what must become of each record."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Published:
    """A corpus on disk. A config names `path`, or else the first of `files`."""

    files: Mapping[str, bytes]
    outcomes: tuple[tuple[str, int | str], ...]
    path: str = ""

    def write(self, folder: Path) -> Path:
        """Put the files into the folder; returns the path that a config names."""
        for name, data in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder / (self.path or next(iter(self.files)))


def array(rows):
    return json.dumps(rows, ensure_ascii=False, indent=1).encode()


def lines(rows):
    return "\n".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows).encode()
