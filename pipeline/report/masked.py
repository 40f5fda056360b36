"""What de-identification put placeholders in for: how often each, and places where the eye can judge it.

In: curated samples. Out: counts, and the words around some placeholders. What stood there is kept nowhere, so it is not shown.
"""

import re
from collections import Counter
from collections.abc import Iterable

import polars as pl

from pipeline.report.tables import count_by, number_of

#: Places shown of each placeholder, and characters on either side.
_SHOWN, _AROUND = 4, 60
_NOTE = pl.col("meta").str.extract(r'"deidentified":"([^"]*)"')
_PUT_IN = re.compile(r"(\[[A-Z]+\])=(\d+)")


def masked(kept: pl.LazyFrame) -> tuple[dict[str, int], tuple[tuple[str, str], ...]]:
    """Placeholder to how often it was put in, and (sample, words around it) at even distances for each of them."""
    noted = kept.filter(_NOTE.is_not_null())
    counts: Counter[str] = Counter()
    for note, samples in count_by(noted, _NOTE).items():
        for placeholder, times in _PUT_IN.findall(note):
            counts[placeholder] += int(times) * samples
    ordered = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return ordered, tuple(place for placeholder in ordered for place in _places(noted, placeholder))


def _places(noted: pl.LazyFrame, placeholder: str) -> Iterable[tuple[str, str]]:
    of_it = noted.filter(_NOTE.str.contains(placeholder, literal=True))
    every = max(1, -(-number_of(of_it) // _SHOWN))
    rows = of_it.select("id", "turns").gather_every(every).head(_SHOWN).collect(engine="streaming")
    for name, turns in rows.iter_rows():
        text = " ".join(" ".join(turn["text"] for turn in turns).split())
        at = text.find(placeholder)
        if at >= 0:
            end = at + len(placeholder) + _AROUND
            yield name, f"{'…' * (at > _AROUND)}{text[max(0, at - _AROUND) : end]}{'…' * (end < len(text))}"
