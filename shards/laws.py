"""What no release may hold: the laws that rows alone can break. Used before writing, and by `verify` on what was written."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson


class RowLaws:
    """Sees each record once, in order; `faults` says what is unlawful. Memory: about 200 bytes a sample and image."""

    def __init__(self) -> None:
        self._splits: dict[str, str] = {}
        self._images: dict[str, str] = {}
        self._pairs: dict[str, str] = {}

    def see(self, record: dict[str, Any]) -> Iterator[str]:
        """Faults of one record (the JSON of a sample) beside what was seen before."""
        name, split = record["id"], record["split"]
        if name in self._splits:
            yield "the id occurs a second time"
        self._splits[name] = split
        if record["pair"]:
            self._pairs[name] = record["pair"]
        for image in record["images"]:
            known = self._images.setdefault(image["sha256"], split)
            if known != split:
                yield f"its image {image['sha256'][:12]} is in {known}, too (law 6)"
        yield from _evidence_faults(record)

    def end(self) -> Iterator[tuple[str, str]]:
        """(sample, fault) of pairs, once all records are seen."""
        for name, twin in self._pairs.items():
            if twin not in self._splits:
                yield name, f"its twin {twin} is not in the release"
            elif self._splits[twin] != self._splits[name]:
                yield name, f"its twin {twin} is in {self._splits[twin]}, itself in {self._splits[name]} (law 6)"


def _evidence_faults(record: dict[str, Any]) -> Iterable[str]:
    proof = orjson.loads(record["evidence"]) if record["evidence"] else None
    if record["language"] == "en":
        return [] if proof is None else ["an English sample with evidence of a translation"]
    if proof is None:
        return ["an Arabic sample without evidence (law 2)"]
    if proof["decision"] is None and (proof["score"] is None or proof["verdict"] != "accept"):
        return [f"neither accepted by the gate (verdict {proof['verdict']}, score {proof['score']}) nor by an expert (law 2)"]
    return []
