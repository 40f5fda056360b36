"""A JSON array of LLaVA records through ingest and curation, beside `datasets` load + map + parquet on the same file.

Each runs in a process of its own, which tells its records a second and its peak memory: ours with one worker, and with as many
threads as `bimedv run` takes where the config does not say (`runner.workers`). Prefect, which hands out the chunks in a run, is
left out. 20,000 records by default;
`ingest_speed.py --records 1600000` is the paper's size, `--records 200000 1600000` shows that time grows with the records.
"""

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from pipeline.curate.dedup import find_duplicates
from pipeline.curate.stage import curate_chunk
from pipeline.ingest import ingest_source
from pipeline.settings import Settings
from pipeline.workspace import Workspace

RECORDS, WORDS = 20_000, 4_000
_SYLLABLES = ("ta", "ri", "mo", "lec", "pan", "dor", "si", "gul", "ne", "brax", "vo", "the", "cor", "il", "um", "fa", "qui")


def write_corpus(path: Path, records: int) -> None:
    """Conversations of one to three exchanges, 670 bytes a record on average; one in fifty is an earlier one again."""
    draw = random.Random(records)
    words = ["".join(draw.choices(_SYLLABLES, k=draw.randint(1, 4))) for _ in range(WORDS)]
    seen: list[list[dict[str, str]]] = []
    with path.open("wb") as file:
        for number in range(records):
            said = draw.choice(seen) if seen and number % 50 == 0 else _conversation(draw, words)
            if number % 100 == 1 and len(seen) < 1000:
                seen.append(said)
            raw: dict[str, Any] = {"id": f"rec-{number}", "conversations": said, "domain": {"ct_scan": number % 2 == 0}}
            file.write((b",\n" if number else b"[\n") + orjson.dumps(raw))
        file.write(b"\n]\n")


def _conversation(draw: random.Random, words: list[str]) -> list[dict[str, str]]:
    said = []
    for _ in range(draw.randint(1, 3)):
        question = " ".join(draw.choices(words, k=draw.randint(6, 14)))
        answer = " ".join(draw.choices(words, k=draw.randint(10, 40)))
        said += [{"from": "human", "value": f"What of {question}?"}, {"from": "gpt", "value": f"{answer.capitalize()}."}]
    return said


def ours(path: Path, folder: Path, **runner: int) -> Iterator[tuple[str, int]]:
    """Ingest, the search for copies, curation, with as many threads as the runner's default says."""
    sources = [{"corpus": "llava", "path": path}]
    values = {"name": "b", "workspace": folder, "root": path.parent, "sources": sources, "runner": runner}
    settings, workspace = Settings.model_validate(values), Workspace(folder)
    yield "ingest", sum(chunk.counts["samples"] for chunk in ingest_source(settings, workspace, 0))
    find_duplicates(settings, workspace)
    yield "duplicates", 0
    names = [manifest.chunk for manifest in workspace.manifests("ingest")]
    with ThreadPoolExecutor(max_workers=settings.runner.workers) as pool:
        chunks = pool.map(partial(curate_chunk, settings, workspace), names)
        yield "curate", sum(chunk.counts["samples"] for chunk in chunks)


def one_worker(path: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """The same with `runner.workers: 1`."""
    return ours(path, folder, workers=1)


def peer(path: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """`datasets`: the file loaded, each row mapped to turns of cleaned text with its roles, written as Parquet."""
    import datasets

    datasets.disable_progress_bars()
    roles = {"human": "user", "gpt": "assistant"}

    def turns(row: dict[str, Any]) -> dict[str, Any]:
        said = [{"role": roles[turn["from"]], "text": " ".join(turn["value"].split())} for turn in row["conversations"]]
        return {"turns": said, "split": "train", "language": "en"}

    rows = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(folder))
    mapped = rows.map(turns, remove_columns=["conversations"])
    mapped.to_parquet(str(folder / "rows.parquet"))
    yield "all", len(mapped)


_SIDES = {"ours": ours, "one worker": one_worker, "datasets": peer}


def run(side: str, path: Path) -> None:
    """One side, in this process: prints its steps' seconds, and its peak memory in bytes, as JSON."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        start = time.perf_counter()
        for step, count in _SIDES[side](path, Path(name)):
            found[step] = {"seconds": time.perf_counter() - start, "count": count}
            found["cpu"] = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
            start = time.perf_counter()
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(orjson.dumps(found).decode() + "\n")


def measured(side: str, path: Path) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--side", side, str(path)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{side}: {done.stderr.decode(errors='replace')[-2000:]}")
    return dict(orjson.loads(done.stdout.splitlines()[-1]))


def report(side: str, records: int, found: dict[str, Any]) -> tuple[float, float, float]:
    """One line; returns the seconds of the first step and of all, and those of CPU."""
    peak, cpu = found.pop("peak"), found.pop("cpu")
    whole = sum(step["seconds"] for step in found.values())
    steps = " ".join(f"{name} {step['seconds']:.1f} s" for name, step in found.items())
    told = f"{records / whole:8.0f} records/s   {peak / 2**20:6.0f} MiB at most   {cpu:.1f} s of CPU   ({steps})"
    sys.stdout.write(f"{side:<10} {records:8,} records {told}\n")
    return float(next(iter(found.values()))["seconds"]), float(whole), float(cpu)


def main() -> None:
    """Print both sides for each size, and the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, nargs="+", default=[RECORDS])
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--side", nargs=2, metavar=("SIDE", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        run(options.side[0], Path(options.side[1]))
        return
    each: list[tuple[float, float]] = []
    for records in options.records:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "corpus.json"
            write_corpus(path, records)
            sides = {side: report(side, records, measured(side, path)) for side in ("ours", "one worker")}
            each.append((sides["ours"][1] / records, sides["ours"][2] / records))
            if not options.without_peer:
                _, theirs, _ = report("datasets", records, measured("datasets", path))
                for side, (read, seconds, _) in sides.items():
                    told = f"{theirs / read:.2f} times datasets for ingest, {theirs / seconds:.2f} with copies and curation"
                    sys.stdout.write(f"{'ratio':<10} {side}: {told}\n")
    if len(each) > 1:
        wall, cpu = (last / first for first, last in zip(each[0], each[-1], strict=True))
        told = f"{wall:.2f} of the time a record and {cpu:.2f} of the CPU, from the first size to the last"
        sys.stdout.write(f"{'growth':<10} {told}\n")


if __name__ == "__main__":
    main()
