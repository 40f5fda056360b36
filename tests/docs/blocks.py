"""The documents cut into what a test can use: fenced blocks with their marks, inline code, table rows, links.

In: README.md, CONTRIBUTING.md and docs/*.md as they stand. Out: Blocks and strings that know their file and line.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^(?:<!-- (?P<verb>\w+): (?P<what>[^>]+?) -->\n)?```(?P<language>\w*)\n(?P<body>.*?)^```$", re.M | re.S)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced block; `mark` is the HTML comment right above it, as "verb: what", or empty."""

    place: str
    language: str
    mark: str
    body: str

    @property
    def lines(self):
        """Its commands: no blank lines, no comments."""
        return [line for raw in self.body.splitlines() if (line := raw.partition("  #")[0].strip())]


def blocks(language=None, mark=None):
    """Blocks of all documents, of one language or with one mark when they are named."""
    found = [_block(path, text, match) for path, text in _texts() for match in _FENCE.finditer(text)]
    return [b for b in found if language in (None, b.language) and mark in (None, b.mark)]


def lines(mark):
    """(place, words) of each command line in the console blocks with this mark."""
    return [(f"{block.place} {line}", shlex.split(line)) for block in blocks("console", mark) for line in block.lines]


def spans():
    """(file, inline code) outside of blocks; code that a line break cuts is whole again."""
    prose = [(path, _FENCE.sub("", text)) for path, text in _texts()]
    return [(path.name, " ".join(found.split())) for path, text in prose for found in _SPAN.findall(text)]


def links():
    """(document, target) of every link and picture."""
    return [(path, target) for path, text in _texts() for target in _LINK.findall(text)]


def _texts():
    return [(path, path.read_text(encoding="utf-8")) for path in DOCUMENTS]


def _block(path, text, match):
    mark = f"{match['verb']}: {match['what']}" if match["verb"] else ""
    line = text.count("\n", 0, match.start("body"))
    return Block(f"{path.relative_to(ROOT).as_posix()}:{line}", match["language"], mark, match["body"])
