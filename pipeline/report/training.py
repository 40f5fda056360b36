"""Training and evaluation as the page shows them. In: the JSON that model/ leaves beside a model. Out: series and rows.

The report does not know the trainers: it takes every list named `losses` for a curve, and every other plain value for a row.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_CURVE = ("losses", "loss")
#: What a training was told is in its folder; the page shows what came of it.
_SETTINGS = "config"
#: A value this deep has no others beside it to be compared with: `samples`, `held_out: empty_answers`.
_ALONE = 2
#: Rows shown of one report; a manifest that carries more is linked, not copied.
_MOST = 40


def curves(report: Mapping[str, Any] | None) -> dict[str, list[tuple[int, float]]]:
    """Stage to (step, loss), steps from 1. A stage without a curve is left out."""
    found: dict[str, list[tuple[int, float]]] = {}
    for path, value in _walk(report or {}):
        if path[-1] in _CURVE and isinstance(value, list):
            points = [_point(step, item) for step, item in enumerate(value, 1)]
            if points and all(point is not None for point in points):
                found[" ".join(path[-2:-1]) or "training"] = [point for point in points if point is not None]
    return dict(list(found.items())[:4])


def figures(report: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """(name, value) of what stands alone; hashes and texts longer than 40 characters are left out."""
    return [(": ".join(map(_name, path)), _shown(value)) for path, value in _plain(report) if len(path) <= _ALONE][:_MOST]


@dataclass(frozen=True)
class Matrix:
    """Values that several things have in common: a row a thing, a column a measure, "" where one has none."""

    title: str
    columns: list[str]
    rows: list[tuple[str, list[str]]]


def matrices(report: Mapping[str, Any] | None) -> list[Matrix]:
    """The nested values, one matrix a parent: stages of a training, groups of a benchmark."""
    found: dict[tuple[str, ...], dict[str, dict[str, str]]] = {}
    for path, value in _plain(report):
        if len(path) > _ALONE:
            found.setdefault(path[:-2], {}).setdefault(_name(path[-2]), {})[_name(path[-1])] = _shown(value)
    return [_matrix(" / ".join(_name(part) for part in path), rows) for path, rows in found.items()]


def _matrix(title: str, rows: dict[str, dict[str, str]]) -> Matrix:
    columns = list(dict.fromkeys(column for values in rows.values() for column in values))
    kept = list(rows.items())[:_MOST]
    return Matrix(title, columns, [(name, [values.get(column, "") for column in columns]) for name, values in kept])


def _plain(report: Mapping[str, Any] | None) -> Iterator[tuple[tuple[str, ...], bool | int | float | str]]:
    for path, value in _walk(report or {}):
        plain = isinstance(value, bool | int | float) or (isinstance(value, str) and 0 < len(value) <= 40)
        if plain and path[0] != _SETTINGS:
            yield path, value


def _name(part: str) -> str:
    return part.replace("_", " ")


def _walk(value: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, inner in value.items():
        here = (*path, str(key))
        if isinstance(inner, Mapping):
            yield from _walk(inner, here)
        elif isinstance(inner, list) and inner and all(isinstance(item, Mapping) for item in inner) and key not in _CURVE:
            for number, item in enumerate(inner, 1):
                yield from _walk(item, (*path, str(item.get("stage") or item.get("name") or f"{key} {number}")))
        else:
            yield here, inner


def _point(step: int, item: object) -> tuple[int, float] | None:
    if isinstance(item, Mapping) and "loss" in item:
        return int(item.get("step", step)), float(item["loss"])
    if isinstance(item, list | tuple) and len(item) == 2:
        return int(item[0]), float(item[1])
    return (step, float(item)) if isinstance(item, int | float) else None


def _shown(value: bool | int | float | str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.4g}" if isinstance(value, float) else value
