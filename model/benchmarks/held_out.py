"""The held-out split of a release: validation, else test. Every assistant turn is a question asked with what came before."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model.data import examples, load_release
from schemas.errors import InputError


@dataclass(frozen=True)
class Item:
    """One question with its reference. `cluster`: items that share it are not independent (same image, same pair)."""

    id: str
    cluster: str
    language: str
    task: str
    turns: tuple[tuple[str, str], ...]
    images: tuple[bytes, ...]
    reference: str


def held_out(release: Path) -> Iterator[Item]:
    """Items of the held-out split. Raises InputError when the release holds nothing out."""
    splits = load_release(release).splits
    split = next((name for name in ("validation", "test") if splits.get(name)), None)
    if split is None:
        raise InputError(f"{release}: no validation or test samples to measure on. Give `release.splits` a validation share.")
    for example in examples(release, split):
        cluster = example.image_keys[0] if example.image_keys else example.id.removesuffix("-ar")
        for number, (role, text) in enumerate(example.turns):
            if role == "assistant":
                name = f"{example.id}#{number}"
                yield Item(name, cluster, example.language, example.task, example.turns[:number], example.images, text)
