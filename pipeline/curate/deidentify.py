"""Residual identifiers become placeholders; the sources' own redactions become one form.

Medical numbers stay: doses, levels (L4-L5), ratios (12/13), pressures (120/80), ages. What looks like a date needs two
separators or a month's name; what looks like a phone number needs its form, or a word before it that says so.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.curate.identifiers import RULES, TRIGGER


def deidentify(text: str) -> tuple[str, Counter[str]]:
    """The text with placeholders, and how often each was put in."""
    counts: Counter[str] = Counter()
    for placeholder, pattern in RULES:
        text, found = pattern.subn(rf"\g<head>{placeholder}" if "head" in pattern.groupindex else placeholder, text)
        if found:
            counts[placeholder] += found
    return text, counts


def suspected(texts: Sequence[str] | pl.Series) -> npt.NDArray[np.bool_]:
    """Which texts may hold an identifier: one look at all of them, so that most never meet the rules, which take 100 µs each."""
    return pl.Series(values=texts, dtype=pl.String).str.contains(TRIGGER).to_numpy()
