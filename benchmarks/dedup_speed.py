"""Near copies among short texts: ours beside a plain loop over datasketch, with recall and precision on planted pairs.

20,000 texts by default. `dedup_speed.py --texts 1000000 --peer-texts 50000 --peer datasketch=PATH/TO/VENV` is the measured size;
or `make bench DEDUP_PEER="--peer …"`. The peer takes a share of the texts, which only flatters it: its loop slows down as its
index grows.
"""

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.curate.dedup import SHINGLE, TOKENS
from pipeline.curate.grams import grams, words_of
from pipeline.curate.near import NearCopies

TEXTS, WORDS, PLANTED, BATCH, THRESHOLD = 20_000, 20_000, 0.05, 1000, 0.9

DATASKETCH = """
import sys, time
from datasketch import MinHash, MinHashLSH
texts = [line.rstrip("\\n") for line in open(sys.argv[1], encoding="utf-8")][: int(sys.argv[2])]
start = time.perf_counter()
lsh, found = MinHashLSH(threshold=0.9, num_perm=128), 0
for number, text in enumerate(texts):
    words, sketch = text.split(), MinHash(num_perm=128)
    for at in range(len(words) - 2):
        sketch.update(" ".join(words[at : at + 3]).encode())
    found += bool(lsh.query(sketch))
    lsh.insert(number, sketch)
print(len(texts) / (time.perf_counter() - start))
"""


def write_texts(path: Path, count: int) -> list[int]:
    """Texts of 24 to 40 words, one a line; some are an earlier one with a word changed. Of which each is a near copy, or -1."""
    draw = random.Random(count)
    vocabulary = [f"{draw.choice('bcdfgklmnprst')}{number:x}".replace("0", "o").replace("1", "l") for number in range(WORDS)]
    vocabulary = ["".join(sign if sign.isalpha() else "aeiouqwxyz"[int(sign)] for sign in word) for word in vocabulary]
    recent: list[tuple[int, list[str]]] = []
    copied = []
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            if len(recent) > 100 and draw.random() < PLANTED:
                original, words = recent.pop(draw.randrange(len(recent)))
                # The last word is in one run of three, similarity is .91 to .95; the third from the end is in three: .78 to .85.
                place = draw.choice((-1, -3))
                words = [*words[:place], draw.choice(vocabulary), *words[len(words) + place + 1 :]]
                copied.append(original if place == -1 else -1)
            else:
                words = draw.choices(vocabulary, k=draw.randint(24, 40))
                copied.append(-1)
                if len(recent) < 10_000:
                    recent.append((number, words))
            file.write(f"{' '.join(words)}\n")
    return copied


def ours(path: Path, folder: Path) -> tuple[np.ndarray, float]:
    """What each text copies, -1 for none, and the seconds."""
    start = time.perf_counter()
    with NearCopies(folder, THRESHOLD) as near, path.open(encoding="utf-8") as file:
        count = 0
        while lines := [line for _, line in zip(range(BATCH), file, strict=False)]:
            words = words_of(pa.array(lines), TOKENS)
            none = np.zeros(len(lines), np.uint64)
            near.add(near.sketched(*grams(words, SHINGLE), none, words.counts() >= SHINGLE))
            count += len(lines)
        copy_of = np.full(count, -1, np.int64)
        near.find(np.arange(count, dtype=np.uint64), copy_of)
    return copy_of, time.perf_counter() - start


def main() -> None:
    """Print texts a second of both, the ratio, and what was found of the planted pairs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--texts", type=int, default=TEXTS)
    parser.add_argument("--peer-texts", type=int, default=TEXTS // 2)
    parser.add_argument("--peer", default="", metavar="datasketch=VENV")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "texts.txt"
        planted = np.array(write_texts(path, options.texts))
        copy_of, seconds = ours(path, Path(name))
        rate = options.texts / seconds
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(f"ours       {rate:8.0f} texts/s   {peak:6.0f} MiB at most\n")
        right = int(((planted >= 0) & (copy_of == planted)).sum())
        told = f"recall {right / (planted >= 0).sum():.2%}, precision {right / max(1, (copy_of >= 0).sum()):.2%}"
        sys.stdout.write(f"           {told} on {(planted >= 0).sum():,} planted pairs\n")
        venv = options.peer.partition("=")[2]
        if not venv:
            sys.stdout.write("datasketch not installed (give --peer datasketch=VENV)\n")
            return
        command = [str(Path(venv) / "bin" / "python"), "-c", DATASKETCH, str(path), str(options.peer_texts)]
        theirs = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        sys.stdout.write(f"datasketch {theirs:8.0f} texts/s\nratio      {rate / theirs:8.1f} times datasketch\n")


if __name__ == "__main__":
    main()
