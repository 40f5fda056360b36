"""What no release may hold: the laws that rows alone can break. Used before writing, and by `verify` on what was written."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import orjson


class RowLaws:
    """Sees each record once, in order; `faults` says what is unlawful.

    Memory: about 130 bytes a sample and as many an image, 128 bits of whose names are kept (texts took three times that). Of a
    pair nothing more is kept once both were seen, and twins follow each other.
    """

    def __init__(self) -> None:
        self._splits: dict[int, str] = {}
        self._images: dict[int, str] = {}
        self._waiting: dict[str, list[tuple[str, str]]] = {}
        """Twin to the (sample, split) that wait for it."""
        self._parted: list[tuple[str, str, str, str]] = []
        """(sample, its split, twin, the twin's split)."""

    def see(self, record: dict[str, Any]) -> Iterator[str]:
        """Faults of one record (the JSON of a sample) beside what was seen before."""
        name, split, key = record["id"], record["split"], _key(record["id"])
        if key in self._splits:
            yield "the id occurs a second time"
        self._splits[key] = split
        self._pair(name, split, record["pair"])
        for image in record["images"]:
            known = self._images.setdefault(int(image["sha256"][:32], 16), split)
            if known != split:
                yield f"its image {image['sha256'][:12]} is in {known}, too (law 6)"
        yield from _evidence_faults(record)

    def end(self) -> Iterator[tuple[str, str]]:
        """(sample, fault) of pairs, once all records are seen."""
        for twin, names in self._waiting.items():
            for name, _ in names:
                yield name, f"its twin {twin} is not in the release"
        for name, split, twin, other in self._parted:
            yield name, f"its twin {twin} is in {other}, itself in {split} (law 6)"

    def _pair(self, name: str, split: str, twin: str) -> None:
        for waiting, other in self._waiting.pop(name, ()):
            if other != split:
                self._parted.append((waiting, other, name, split))
        if twin:
            known = self._splits.get(_key(twin))
            if known is None:
                self._waiting.setdefault(twin, []).append((name, split))
            elif known != split:
                self._parted.append((name, split, twin, known))


def _key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest())


def _evidence_faults(record: dict[str, Any]) -> Iterable[str]:
    proof = orjson.loads(record["evidence"]) if record["evidence"] else None
    if record["language"] == "en":
        return [] if proof is None else ["an English sample with evidence of a translation"]
    if proof is None:
        return ["an Arabic sample without evidence (law 2)"]
    if proof["decision"] is None and (proof["score"] is None or proof["verdict"] != "accept"):
        return [f"neither accepted by the gate (verdict {proof['verdict']}, score {proof['score']}) nor by an expert (law 2)"]
    return []
