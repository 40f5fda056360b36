"""The closed table: answers, instructions and headings whose Arabic is fixed and was read once. They cost nothing.

A model that turns "Yes" into "لا" (the embedded one does) never gets the chance.
"""

import csv
import re
import unicodedata
from functools import lru_cache
from pathlib import Path

_PATH = Path(__file__).with_name("closed.tsv")


def lookup(text: str) -> str | None:
    """The fixed Arabic of a text, whatever its case and with or without its full stop; None for open text."""
    return table().get(_key(text))


@lru_cache
def table() -> dict[str, str]:
    """English (as a key) to Arabic."""
    with _PATH.open(encoding="utf-8", newline="") as file:
        return {_key(row["en"]): unicodedata.normalize("NFC", row["ar"]) for row in csv.DictReader(file, delimiter="\t")}


def _key(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip().rstrip(".").strip().casefold()
