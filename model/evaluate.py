"""`bimedv eval`: ask a saved model the questions of a benchmark and measure the answers, by language and task."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from model.benchmarks.held_out import Item, held_out
from model.data import load_release
from model.generate import Chat
from model.measures import bleu_1, chrf, closed_historical, closed_strict, clustered, exact, interval, token_f1
from model.train import SUMMARY
from schemas.errors import InputError
from schemas.release import MANIFEST

RESULT = "eval.json"
_BENCHMARKS: dict[str, Callable[[Path], Iterable[Item]]] = {"held_out": held_out}
_MEASURES = {"exact": exact, "token_f1": token_f1, "bleu_1": bleu_1}
_CLOSED = {"closed_strict": closed_strict, "closed_historical": closed_historical}


@dataclass(frozen=True)
class Answered:
    """An item with the model's answer."""

    item: Item
    answer: str


def evaluate(model: Path, release: Path, names: Sequence[str]) -> dict[str, Any]:
    """Scores of each benchmark; written beside the model as eval.json, and not asked again for the same model and release.

    Raises InputError for an unknown benchmark or a release without held-out samples.
    """
    unknown = [name for name in names if name not in _BENCHMARKS]
    if unknown:
        raise InputError(f"--benchmark {unknown[0]}: unknown. Known: {', '.join(_BENCHMARKS)}.")
    if not (model / SUMMARY).is_file():
        raise InputError(f"{model}: no trained model here. Train one with `bimedv train`.")
    mark = _fingerprint(model, release)
    path = model / RESULT
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if known.get("fingerprint") == mark and set(names) <= known.keys():
        return dict(known)
    chat = Chat(model)
    value: dict[str, Any] = {"fingerprint": mark}
    for name in names:
        answered = [
            Answered(item, chat.reply(list(item.turns), item.images, item.language)) for item in _BENCHMARKS[name](release)
        ]
        value[name] = _scores(answered)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2), encoding="utf-8")
    return value


def _fingerprint(model: Path, release: Path) -> str:
    """The training and the release that is asked: the same model on another release is another measurement."""
    load_release(release)
    trained = json.loads((model / SUMMARY).read_text(encoding="utf-8"))["fingerprint"]
    return hashlib.sha256(f"{trained} {hashlib.sha256((release / MANIFEST).read_bytes()).hexdigest()}".encode()).hexdigest()


def _scores(answered: list[Answered]) -> dict[str, Any]:
    groups: dict[str, list[Answered]] = defaultdict(list)
    for one in answered:
        groups[one.item.language].append(one)
        groups[f"{one.item.language}_{one.item.task}"].append(one)
    return {name: _measured(group) for name, group in sorted(groups.items())} | {
        "empty_answers": sum(not a.answer for a in answered)
    }


def _measured(answered: list[Answered]) -> dict[str, Any]:
    value: dict[str, Any] = {"items": len(answered)}
    for name, measure in _MEASURES.items():
        value[name] = round(fmean(measure(a.answer, a.item.reference) for a in answered), 4)
    for name, closed in _CLOSED.items():
        scored = [score for a in answered if (score := closed(a.answer, a.item.reference)) is not None]
        if scored:
            value[name] = round(fmean(scored), 4)
            value.setdefault("closed_items", len(scored))
    value["chrf"] = round(chrf([a.answer for a in answered], [a.item.reference for a in answered]), 2)
    low, high = interval(clustered([(a.item.cluster, token_f1(a.answer, a.item.reference)) for a in answered]))
    value["token_f1_95"] = [round(low, 4), round(high, 4)]
    return value
