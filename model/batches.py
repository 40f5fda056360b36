"""Examples into padded batches of similar length, in an order that seed and epoch decide."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.config import TrainConfig
from model.data import Example
from model.pictures import pixels
from model.tokens import IGNORED, Tokens


@dataclass(frozen=True)
class Prepared:
    """An example as numbers."""

    ids: list[int]
    labels: list[int]
    images: tuple[bytes, ...]


def prepare(examples: Sequence[Example], tokens: Tokens, config: TrainConfig) -> tuple[list[Prepared], int]:
    """Numbers of all examples that fit, and how many were too long: they are left out and counted, not cut."""
    ready: list[Prepared] = []
    for example in examples:
        ids, labels = tokens.sample(example.turns, config.vision.image_tokens)
        if len(ids) <= config.language.max_tokens:
            ready.append(Prepared(ids, labels, example.images))
    return ready, len(examples) - len(ready)


def batches(prepared: Sequence[Prepared], size: int, seed: int, epoch: int) -> list[list[Prepared]]:
    """Batches of similar length (padding costs time), shuffled as wholes."""
    draw = random.Random(f"{seed}-{epoch}")
    order = sorted(range(len(prepared)), key=lambda number: (len(prepared[number].ids) // 16, draw.random()))
    groups = [[prepared[number] for number in order[start : start + size]] for start in range(0, len(order), size)]
    draw.shuffle(groups)
    return groups


def tensors(batch: Sequence[Prepared], pad: int, side: int, device: str) -> dict[str, Any]:
    """What the model takes: ids, mask, labels, and pixels where there are images."""
    import torch

    longest = max(len(item.ids) for item in batch)
    ids = torch.full((len(batch), longest), pad)
    labels = torch.full((len(batch), longest), IGNORED)
    mask = torch.zeros((len(batch), longest), dtype=torch.long)
    for row, item in enumerate(batch):
        ids[row, : len(item.ids)] = torch.tensor(item.ids)
        labels[row, : len(item.labels)] = torch.tensor(item.labels)
        mask[row, : len(item.ids)] = 1
    out = {"input_ids": ids, "labels": labels, "attention_mask": mask}
    images = [pixels(data, side) for item in batch for data in item.images]
    if images:
        out["pixel_values"] = torch.from_numpy(np.stack(images))
    return {name: value.to(device) for name, value in out.items()}


def epochs(prepared: Sequence[Prepared], size: int, seed: int, count: int) -> Iterator[list[Prepared]]:
    """The batches of all epochs in a row."""
    for epoch in range(count):
        yield from batches(prepared, size, seed, epoch)
