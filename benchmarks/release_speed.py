"""A release of many small samples, end to end: written, verified quickly and in full, and compared with its next version.

Each step runs in a process of its own, which tells its seconds and its peak memory. 5,000 samples by default;
`release_speed.py --samples 1600000` is the paper's size. A third of the samples share a tiny image with their twin.
"""

import argparse
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.workspace import noun_table, write_parquet
from schemas.release import Evidence, ReleaseRow
from schemas.sample import ImageRef, Origin, Sample, Turn
from shards.diff import diff
from shards.release import ReleaseInfo, build
from shards.verify import verify

SAMPLES, PAIRS, SHARD = 5_000, 500, 64_000_000
#: One pair in so many has another Arabic text in the second version.
CHANGED = 500
_WORDS = ("liver", "lung", "spleen", "kidney", "shadow", "border", "normal", "enlarged", "of", "the", "and", "small", "mass")
_ARABIC = ("الكبد", "الرئة", "الطحال", "الكلية", "ظل", "حدود", "طبيعي", "متضخم", "من", "في", "صغير", "كتلة")
_SHA = "0" * 64
_GATE: dict[str, int | float | str | bool] = {
    "accept": 1, "review": 0, "refine": 0, "reject": 0, "accept_from": 80.0, "reject_below": 40.0, "judged": False,
    "without_judge": "accept", "score_version": "v",
}  # fmt: skip


def write_rows(folder: Path, samples: int, version: int) -> None:
    """Tables as the release stage leaves them, and the store of their images."""
    for first in range(0, samples // 2, PAIRS):
        part = chain.from_iterable(_pair(folder, number, version) for number in range(first, min(first + PAIRS, samples // 2)))
        write_parquet(folder / f"rows{version}" / f"{first:07d}.parquet", noun_table(ReleaseRow, part))


def _pair(folder: Path, number: int, version: int) -> Iterator[ReleaseRow]:
    draw = random.Random(number)
    images = (_image(folder / "images", number),) if number % 3 == 0 else ()
    name = f"corpus-train-{number}"
    english = [" ".join(draw.choices(_WORDS, k=draw.randint(5, 15))), " ".join(draw.choices(_WORDS, k=draw.randint(5, 40)))]
    arabic = [" ".join(draw.choices(_ARABIC, k=draw.randint(5, 40))) for _ in english]
    if version and number % CHANGED == 1:
        arabic[1] += " جديد"
    units = tuple(f"{draw.getrandbits(256):064x}" for _ in range(2))
    proof = Evidence(
        score=91.0, verdict="accept", score_version="v", similarity=0.6, findings=0, units=units, calls=units, model="m",
        prompt="p", round=0, judged=False,
    )  # fmt: skip
    for language, texts, id_, twin in (("en", english, name, f"{name}-ar"), ("ar", arabic, f"{name}-ar", name)):
        sample = Sample(
            id=id_, corpus="llava", record=str(number), split="train", task="vqa" if images else "text_qa", language=language,
            turns=(Turn(role="user", text="<image>\n" * len(images) + texts[0]), Turn(role="assistant", text=texts[1])),
            images=images, licence="CC-BY-4.0", access="open", pair=twin,
            origin=Origin(file="a.json", row=number + 1, sha256=_SHA),
        )  # fmt: skip
        yield ReleaseRow(sample=sample, split="train", evidence=proof if language == "ar" else None)


def _image(store: Path, number: int) -> ImageRef:
    """8 x 8 pixels that no other image has; put into the store where it is not there."""
    from hashlib import sha256

    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(number).integers(0, 255, (8, 8), dtype=np.uint8)).save(buffer, "PNG")
    digest = sha256(buffer.getvalue()).hexdigest()
    path = store / digest[:2] / f"{digest}.png"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(buffer.getvalue())
    return ImageRef(sha256=digest, media_type="image/png", width=8, height=8, modality="ct", phash="0" * 16)


def _build(folder: Path, version: int) -> str:
    info = ReleaseInfo(
        name="r", version=f"0.{version}.0", shard_bytes=SHARD, gate=_GATE, config={}, toolchain={},
        terms={"licence": "CC-BY-4.0", "redistributable": True, "reasons": []},
    )  # fmt: skip
    tables = sorted((folder / f"rows{version}").iterdir())
    made = build(tables, folder / "images", folder / f"release{version}", info, workers=2)
    return f"{made.samples:,} samples in {len(made.shards)} shards"


def _verify(folder: Path, quick: bool) -> str:
    report = verify(folder / "release0", quick)
    if not report.ok:
        sys.exit(f"a clean release was called damaged: {report.problems[:3]}")
    return "no problem found"


def _diff(folder: Path) -> str:
    found = diff(folder / "release0", folder / "release1")
    return f"{found.counts()['retranslated']:,} retranslated, {found.unchanged:,} unchanged"


STEPS: dict[str, Callable[[Path], str]] = {
    "write": lambda folder: _build(folder, 0),
    "write next": lambda folder: _build(folder, 1),
    "verify quickly": lambda folder: _verify(folder, quick=True),
    "verify": lambda folder: _verify(folder, quick=False),
    "diff": _diff,
}


def measured(step: str, folder: Path) -> dict[str, Any]:
    """One step in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--step", step, str(folder)], capture_output=True, check=False, text=True)
    if done.returncode:
        sys.exit(f"{step}: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Print each step's samples a second and its memory."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--folder", type=Path, help="keep everything there, and use the rows that are there already")
    parser.add_argument("--step", nargs=2, metavar=("STEP", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        start = time.perf_counter()
        said = STEPS[options.step[0]](Path(options.step[1]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sys.stdout.write(json.dumps({"seconds": time.perf_counter() - start, "mib": peak / 1024, "said": said}) + "\n")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        for version in (0, 1):
            if not (folder / f"rows{version}").exists():
                write_rows(folder, options.samples, version)
        for step in STEPS:
            found = measured(step, folder)
            rate = options.samples / found["seconds"]
            sys.stdout.write(f"{step:<15}{rate:9,.0f} samples/s {found['mib']:7,.0f} MiB at most   {found['said']}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
