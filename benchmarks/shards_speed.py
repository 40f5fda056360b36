"""Writing a shard: ours beside a raw write of the same bytes (the floor), tarfile and webdataset, in one run.

Then with checksums, beside sha256 of the same bytes alone, and beside a raw write with sha256 behind it.
"""

import hashlib
import os
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import webdataset

from shards.hashing import Sha256Behind
from shards.tar import TarWriter

Sample = list[tuple[str, bytes]]
SAMPLES, IMAGE_BYTES, ROUNDS = 4000, 60_000, 3


def samples() -> list[Sample]:
    """Samples of 60 kB: a JSON of 1 kB and an image that does not compress, as a medical VQA corpus has them."""
    images = [os.urandom(IMAGE_BYTES) for _ in range(50)]
    text = b'{"turns": "' + b"x" * 1000 + b'"}'
    return [[(f"sample-{n:06d}.json", text), (f"sample-{n:06d}.0.png", images[n % 50])] for n in range(SAMPLES)]


def raw(path: Path, rows: list[Sample]) -> None:
    """The floor: the same data in one file, no archive."""
    with path.open("wb") as file:
        for row in rows:
            file.write(b"".join(data for _, data in row))


def ours(path: Path, rows: list[Sample]) -> None:
    """shards.tar, without checksums."""
    with path.open("wb", buffering=0) as file:
        writer = TarWriter(file)
        for row in rows:
            writer.add(row)
        writer.close()


def ours_hashed(path: Path, rows: list[Sample]) -> None:
    """shards.tar, as a release uses it."""
    with path.open("wb", buffering=0) as file, Sha256Behind() as digest:
        writer = TarWriter(file, digest)
        for row in rows:
            writer.add(row)
        writer.close()
        digest.hexdigest()


def hash_alone(path: Path, rows: list[Sample]) -> None:
    """sha256 of the data, nothing written."""
    path.touch()
    digest = hashlib.sha256()
    for row in rows:
        for _, data in row:
            digest.update(data)


def python_tarfile(path: Path, rows: list[Sample]) -> None:
    """The standard library."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for row in rows:
            for name, data in row:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, BytesIO(data))


def web_dataset(path: Path, rows: list[Sample]) -> None:
    """webdataset's own writer."""
    with webdataset.TarWriter(str(path), encoder=False) as writer:
        for row in rows:
            key = row[0][0].partition(".")[0]
            writer.write({"__key__": key} | {name.partition(".")[2]: data for name, data in row})


def seconds(write: Callable[[Path, list[Sample]], None], rows: list[Sample], folder: Path) -> float:
    """The best of several rounds."""
    best = float("inf")
    for number in range(ROUNDS):
        path = folder / f"{write.__name__}-{number}.tar"
        start = time.perf_counter()
        write(path, rows)
        best = min(best, time.perf_counter() - start)
        path.unlink()
    return best


def main() -> None:
    """Print throughput and the ratio to the floor."""
    rows = samples()
    size = sum(len(data) for row in rows for _, data in row) / 1e6
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        floor = seconds(raw, rows, folder)
        for write in (raw, ours, python_tarfile, web_dataset):
            took = floor if write is raw else seconds(write, rows, folder)
            sys.stdout.write(f"{write.__name__:<16} {size / took:8.0f} MB/s   {floor / took:5.2f} of a raw write\n")
        bound, took = seconds(hash_alone, rows, folder), seconds(ours_hashed, rows, folder)
        sys.stdout.write(f"{'hash_alone':<16} {size / bound:8.0f} MB/s\n")
        shares = f"{bound / took:5.2f} of sha256 alone   {(bound + floor) / took:5.2f} of a raw write and sha256"
        sys.stdout.write(f"{'ours_hashed':<16} {size / took:8.0f} MB/s   {shares}\n")


if __name__ == "__main__":
    main()
