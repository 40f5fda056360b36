"""Reading shards: ours beside tarfile (random) and webdataset's loader (in order), decoded JSON and image bytes, in one run.

The floor of random reads is the system's own copying: the same bytes, nothing decoded.
"""

import os
import random
import sys
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from shards.read import Shard
from shards.tar import TarWriter, index_bytes

SAMPLES, READS, ROUNDS = 4000, 2000, 3


def write(path: Path, image_bytes: int) -> None:
    """A shard of samples with a JSON of 1 kB and an image that does not compress."""
    images = [os.urandom(image_bytes) for _ in range(50)]
    text = orjson.dumps({"turns": [{"role": "user", "text": "x" * 900}], "images": []})
    with path.open("wb", buffering=0) as file:
        writer = TarWriter(file)
        for n in range(SAMPLES):
            writer.add([(f"sample-{n:06d}.json", text), (f"sample-{n:06d}.0.png", images[n % 50])])
        writer.close()
    path.with_name(f"{path.name}.idx").write_bytes(index_bytes(writer.offsets))


def indexed(path: Path, numbers: list[int]) -> int:
    """One pread a sample."""
    with Shard(path) as shard:
        return sum(len(shard[number][1]["0.png"]) for number in numbers)


def copied(path: Path, numbers: list[int]) -> int:
    """The floor: each sample's bytes in one read, and nothing done with them."""
    with Shard(path) as shard:
        return sum(len(shard.raw(number)) for number in numbers)


def python_tarfile(path: Path, numbers: list[int]) -> int:
    """The standard library: the archive is walked once, and members are then asked for by name."""
    size = 0
    with tarfile.open(path) as archive:
        members = {member.name: member for member in archive}
        for number in numbers:
            record = archive.extractfile(members[f"sample-{number:06d}.json"])
            image = archive.extractfile(members[f"sample-{number:06d}.0.png"])
            assert record and image
            orjson.loads(record.read())
            size += len(image.read())
    return size


def ours_in_order(path: Path, _numbers: list[int]) -> int:
    """Every sample through the index."""
    with Shard(path) as shard:
        return sum(len(images["0.png"]) for _, images in shard)


def web_dataset(path: Path, _numbers: list[int]) -> int:
    """webdataset's own loader in this process, JSON decoded."""
    import webdataset

    size = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in webdataset.WebDataset(str(path), shardshuffle=False):
            orjson.loads(sample["json"])
            size += len(sample["0.png"])
    return size


def rate(read: Callable[[Path, list[int]], Any], path: Path, numbers: list[int], count: int) -> float:
    """Samples a second, the best of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        read(path, numbers)
        best = min(best, time.perf_counter() - start)
    return count / best


def main() -> None:
    """Print samples a second and the ratios."""
    for image_bytes in (1_000, 60_000):
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "x.tar"
            write(path, image_bytes)
            numbers = random.Random(1).choices(range(SAMPLES), k=READS)
            for ours, peer, count in ((indexed, python_tarfile, READS), (ours_in_order, web_dataset, SAMPLES)):
                mine, theirs = rate(ours, path, numbers, count), rate(peer, path, numbers, count)
                sys.stdout.write(
                    f"{image_bytes // 1000:>3} kB  {ours.__name__:<14} {mine:9,.0f} samples/s   "
                    f"{peer.__name__:<15} {theirs:9,.0f}   ratio {mine / theirs:5.1f}\n"
                )
            floor, mine = rate(copied, path, numbers, READS), rate(indexed, path, numbers, READS)
            sys.stdout.write(f"{image_bytes // 1000:>3} kB  {'':<14} {mine / floor:9.2f} of reading the bytes alone\n")


if __name__ == "__main__":
    main()
