"""The card's plots, computed from the samples: what the release holds, how long it is, how the gate scored it.

In: each sample's record and line of metadata.jsonl. Out: SVG files, the same bytes for the same samples. Bars only, so they are
written as text: a plotting library would put its version into every release's bytes.
"""

from collections import Counter
from html import escape
from typing import Any

#: Upper edges of the bars of lengths, in words of a sample's turns, and width of a bar of scores, in points.
_EDGES, _POINTS = (10, 20, 40, 80, 160, 320, 640), 5
#: Bars of a plot; what is smaller stands together in the last one.
_MOST = 15
_WIDTH, _LABEL, _ROW, _HEAD = 640, 170, 24, 58
_COLOURS = {"en": "#4a6fa5", "ar": "#c08a3e"}
_NAMES = {"en": "English", "ar": "Arabic"}


class Shape:
    """Counts over the samples, by language. Memory: the counts."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[tuple[str, str]]] = {
            name: Counter() for name in ("sources", "modalities", "tasks", "lengths", "scores")
        }

    def see(self, row: dict[str, Any], record: dict[str, Any]) -> None:
        """Count one sample."""
        language = row["language"]
        words = sum(len(turn["text"].split()) for turn in record["turns"])
        for name, value in (("sources", row["corpus"]), ("tasks", row["task"]), ("lengths", _length(words))):
            self._counts[name][value, language] += 1
        for modality in row["modality"].split(","):
            self._counts["modalities"][modality, language] += 1
        if row["score"]:
            low = min(int(float(row["score"])) // _POINTS * _POINTS, 100 - _POINTS)
            self._counts["scores"][f"{low} to {low + _POINTS}", language] += 1

    def drawings(self) -> dict[str, bytes]:
        """Path in the release to SVG; a plot of which there is nothing to show is left out."""
        titles = {
            "sources": "Samples by source",
            "modalities": "Samples by modality",
            "tasks": "Samples by task",
            "lengths": "Samples by words of their turns",
            "scores": "Translations by the gate's score",
        }
        plots = {name: _bars(titles[name], _rows(name, counts)) for name, counts in self._counts.items() if counts}
        return {f"plots/{name}.svg": plot.encode() for name, plot in plots.items()}


def _length(words: int) -> str:
    for low, edge in zip((1, *_EDGES), _EDGES, strict=False):
        if words < edge:
            return f"{low} to {edge - 1}"
    return f"{_EDGES[-1]} and more"


def _rows(name: str, counts: Counter[tuple[str, str]]) -> list[tuple[str, dict[str, int]]]:
    """(label, count by language): lengths and scores in their order, the rest from the largest on."""
    found: dict[str, dict[str, int]] = {}
    for (label, language), count in counts.items():
        found.setdefault(label, {})[language] = count
    if name in ("lengths", "scores"):
        return sorted(found.items(), key=lambda item: int(item[0].split()[0]))
    rows = sorted(found.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    if len(rows) <= _MOST:
        return rows
    rest: Counter[str] = Counter()
    for _, of in rows[_MOST - 1 :]:
        rest.update(of)
    return [*rows[: _MOST - 1], (f"{len(rows) - _MOST + 1} others", dict(rest))]


def _bars(title: str, rows: list[tuple[str, dict[str, int]]]) -> str:
    """Stacked horizontal bars, English first, with their sums."""
    height = _HEAD + _ROW * len(rows) + 8
    scale = (_WIDTH - _LABEL - 90) / max(sum(of.values()) for _, of in rows)
    said = "; ".join(f"{label}: {sum(of.values())}" for label, of in rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(said)}</desc>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="16" fill="#1d1d1f">{escape(title)}</text>',
    ]
    for number, language in enumerate(name for name in _COLOURS if any(name in of for _, of in rows)):
        left = 12 + 90 * number
        parts.append(f'<rect x="{left}" y="36" width="11" height="11" fill="{_COLOURS[language]}"/>')
        parts.append(f'<text x="{left + 17}" y="46" fill="#55555c">{_NAMES[language]}</text>')
    for number, (label, of) in enumerate(rows):
        parts += _bar(label, of, _HEAD + _ROW * number, scale)
    return "\n".join([*parts, "</svg>", ""])


def _bar(label: str, of: dict[str, int], top: int, scale: float) -> list[str]:
    base = top + 17
    parts = [f'<text x="{_LABEL - 8}" y="{base}" text-anchor="end" fill="#1d1d1f">{escape(label[:24])}</text>']
    left = float(_LABEL)
    for language in _COLOURS:
        if count := of.get(language, 0):
            width = max(1.0, count * scale)
            parts.append(f'<rect x="{left:.1f}" y="{top + 5}" width="{width:.1f}" height="15" fill="{_COLOURS[language]}"/>')
            left += width
    return [*parts, f'<text x="{left + 6:.1f}" y="{base}" fill="#55555c">{sum(of.values()):,}</text>']
