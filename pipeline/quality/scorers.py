"""Other judges of likeness than the embedded encoder: a quality-estimation model of one's own, from a folder.

In: sources and targets. Out: a number a pair, 0 to 1. The model is a cross-encoder with one output, as COMET's are when they are
saved for transformers: it reads source and target together. Nothing is fetched: the folder has the weights and the tokenizer.
"""

import hashlib
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from schemas.errors import InputError

#: Pairs in one pass: more gain nothing on a processor and cost memory by their longest.
_BATCH = 32
_DECIMALS = 3
#: What a tokenizer says that knows no limit.
_NO_LIMIT = 100_000


class RegressionScorer:
    """`AutoModelForSequenceClassification` with one output, on source and target."""

    def __init__(self, folder: Path) -> None:
        try:
            import torch
            from transformers import AutoModelForSequenceClassification, AutoTokenizer
        except ImportError:
            raise InputError("quality.scorer needs transformers and torch. Run `pip install 'bimedv[train]'`.") from None
        if not (folder / "config.json").is_file():
            raise InputError(f"quality.scorer: {folder} has no config.json. Name the folder of a model saved by save_pretrained.")
        self._folder = folder
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model: Any = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"quality.scorer: {folder} does not open: {reason}. Save model and tokenizer there.") from None
        if self._model.config.num_labels != 1:
            found = self._model.config.num_labels
            raise InputError(f"quality.scorer: {folder} has {found} outputs, expected 1. Name a model with one number a pair.")
        self._model.eval()
        self._torch = torch

    @property
    def id(self) -> str:
        """Name and digest of the model."""
        return model_digest(self._folder)

    def similarities(self, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        """The model's number a pair, cut to 0 to 1; not a number, hence no points, for a pair longer than the model can read."""
        found = [math.nan] * len(sources)
        # By length, so that a short pair is not padded to a long one; the numbers go back to their places.
        order = sorted(range(len(sources)), key=lambda number: len(sources[number]) + len(targets[number]))
        for at in range(0, len(order), _BATCH):
            numbers = order[at : at + _BATCH]
            read = self._tokenizer([sources[n] for n in numbers], [targets[n] for n in numbers])
            fit = [place for place, ids in enumerate(read["input_ids"]) if len(ids) <= self._most_tokens()]
            if not fit:
                continue
            batch = self._tokenizer.pad({name: [rows[p] for p in fit] for name, rows in read.items()}, return_tensors="pt")
            with self._torch.inference_mode():
                values = self._model(**batch).logits[:, 0].tolist()
            for place, value in zip(fit, values, strict=True):
                found[numbers[place]] = round(min(1.0, max(0.0, value)), _DECIMALS) if math.isfinite(value) else math.nan
        return found

    def _most_tokens(self) -> int:
        """What the model was made for: what is cut off was never read, and must not be accepted."""
        told = [getattr(self._model.config, "max_position_embeddings", None), self._tokenizer.model_max_length]
        return min((limit for limit in told if limit and limit < _NO_LIMIT), default=_NO_LIMIT)


@lru_cache(maxsize=1)
def model_digest(folder: Path) -> str:
    """The model's name and the beginning of a hash over its files: weights replaced under the same name are another model."""
    content = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        with path.open("rb") as file:
            content.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return f"{folder.name}@{content.hexdigest()[:12]}"


@lru_cache(maxsize=1)
def scorer_of(folder: Path) -> RegressionScorer:
    """The process's model of that folder."""
    return RegressionScorer(folder)
