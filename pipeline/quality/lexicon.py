"""The checks' word lists, read once from lexicon.toml."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any


@lru_cache
def lexicon() -> dict[str, Any]:
    """Sections of the file as plain values."""
    return tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text(encoding="utf-8"))
