"""The curate stage over one chunk: the order of its steps is the body of `curate_samples`.

In: ingest/samples of the chunk, the table of duplicates, the benchmarks. Out: curate/samples, curate/excluded, curate/overlaps;
every sample that came in is in one of the first two.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.collector import collecting_rarely
from pipeline.curate.clean import clean, untidy
from pipeline.curate.decontaminate import Benchmarks, Hit
from pipeline.curate.dedup import STAGE, load_duplicates
from pipeline.curate.deidentify import deidentify, suspected
from pipeline.curate.filters import CHATS, fault, without_boilerplate
from pipeline.curate.touched import touched
from pipeline.ingest import benchmark_samples, benchmark_source
from pipeline.settings import Settings
from pipeline.sources.containers import files
from pipeline.workspace import ChunkManifest, Workspace, fingerprint, made_chunk, noun_table
from schemas.sample import Exclusion, Overlap, Sample, Turn
from schemas.tables import from_table

VERSION = "3"
_lock = Lock()
#: The benchmarks that were read last, by what they were read from.
_read: dict[str, Benchmarks] = {}


@collecting_rarely
def curate_chunk(
    settings: Settings, workspace: Workspace, chunk: str, progress: Callable[[int], None] | None = None
) -> ChunkManifest:
    """Curate one chunk. Needs `find_duplicates` to have run on what was ingested."""
    # Its own manifest tells what the search was made from: reading 1,600 chunks' for each of them would take minutes.
    copies_mark = workspace.manifest(STAGE, "all").fingerprint
    mark = fingerprint(VERSION, copies_mark, settings.curate, benchmark_files(settings), chunk)
    done = workspace.done("curate", chunk, mark)
    if done:
        return done
    table = workspace.table("ingest", Sample, "samples", chunk)
    copies, benchmarks = load_duplicates(workspace, chunk), benchmarks_of(settings)
    places = np.flatnonzero(touched(table, settings.curate, copies, benchmarks))
    samples = list(from_table(Sample, table.take(pa.array(places))))
    hits = benchmarks.hits(samples)
    curated = curate_samples(samples, settings, copies, hits)
    fallen = [_exclusion(sample, *reason) for sample, (_, reason) in zip(samples, curated, strict=True) if reason is not None]
    kept = _put_back(table, places, [after if reason is None else None for after, reason in curated])
    if progress:
        progress(table.num_rows)
    # What was made of the chunk as it was must not outlive it: a parent may have fallen out. The ledger still has the answers.
    workspace.drop_chunk("make", made_chunk(chunk))
    tables = {"samples": kept, "excluded": noun_table(Exclusion, fallen)}
    if settings.curate.benchmarks:
        shared = [(one, hit) for one, hit in zip(samples, hits, strict=True) if hit is not None and one.id not in copies]
        tables["overlaps"] = noun_table(Overlap, [_overlap(one, hit) for one, hit in shared])
    return workspace.write_chunk("curate", chunk, mark, tables)


def _put_back(table: pa.Table, places: npt.NDArray[np.int64], curated: Sequence[Sample | None]) -> pa.Table:
    """The table with these rows as they are now, without those that fell; the others are not looked at."""
    kept = np.array([sample is not None for sample in curated], np.bool_)
    order = np.arange(table.num_rows)
    order[places] = np.where(kept, table.num_rows - 1 + np.cumsum(kept), -1)
    new = noun_table(Sample, [sample for sample in curated if sample is not None])
    return pa.concat_tables([table, new]).combine_chunks().take(pa.array(order[order >= 0])) if len(places) else table


def curate_samples(
    samples: Sequence[Sample], settings: Settings, copies: dict[str, tuple[str, str]], hits: Sequence[Hit | None]
) -> list[tuple[Sample, tuple[str, str] | None]]:
    """Each sample as it goes on, and (reason, detail) when it does not.

    `copies` are the duplicates among what was read, `hits` what each sample shares with a benchmark.
    """
    faults = [_standing(sample, hit, copies) for sample, hit in zip(samples, hits, strict=True)]
    staying = iter(_rewritten([sample for sample, told in zip(samples, faults, strict=True) if told is None], settings))
    curated = []
    for sample, told in zip(samples, faults, strict=True):
        if told is None:
            clean_one = next(staying)
            curated.append((clean_one, fault(clean_one, settings.curate.max_chars)))
        else:
            curated.append((sample, told))
    return curated


def benchmarks_of(settings: Settings) -> Benchmarks:
    """The config's benchmarks, read and their images hashed once in a process: for each chunk again, they took more than it."""
    sources = [benchmark_source(settings, spec) for spec in settings.curate.benchmarks]
    places = [place for source in sources for place in (source.path, source.images) if place is not None]
    changed = [place.stat().st_mtime_ns for place in places if place.exists()]
    mark = fingerprint(settings.curate.benchmarks, [str(place) for place in places], changed, benchmark_files(settings))
    with _lock:
        if mark not in _read:
            _read.clear()
            _read[mark] = Benchmarks(item for spec in settings.curate.benchmarks for item in benchmark_samples(settings, spec))
        return _read[mark]


def _standing(sample: Sample, hit: Hit | None, copies: dict[str, tuple[str, str]]) -> tuple[str, str] | None:
    if sample.id in copies:
        reason, kept = copies[sample.id]
        return reason, f"the same as {kept}"
    return None if hit is None else ("contaminated", str(hit))


def _rewritten(samples: Sequence[Sample], settings: Settings) -> list[Sample]:
    """Cleaned and de-identified; a sample in which there is nothing to do is itself."""
    texts = [turn.text for sample in samples for turn in sample.turns]
    # What is no ASCII may hold halves of characters, which Polars does not take, and is untidy as it is.
    plain = [text if text.isascii() else "\N{NULL}" for text in texts]
    notes: dict[int, list[str]] = {place: [] for place in np.flatnonzero(untidy(plain)).tolist()}
    for place, rules in notes.items():
        texts[place], names = clean(texts[place])
        rules += names
    _without_boilerplate(samples, texts, notes)
    counts: dict[int, Counter[str]] = {}
    some = suspected(texts) if settings.curate.deidentify else ()
    for place in np.flatnonzero(some).tolist():
        texts[place], counts[place] = deidentify(texts[place])
    curated, start = [], 0
    for sample in samples:
        places = range(start, start := start + len(sample.turns))
        changed = [name for place in places for name in notes.get(place, ())]
        found = sum((counts[place] for place in places if place in counts), Counter[str]())
        curated.append(_noted(sample, texts[places.start : places.stop], changed, found) if changed or found else sample)
    return curated


def _without_boilerplate(samples: Sequence[Sample], texts: list[str], notes: dict[int, list[str]]) -> None:
    turns = ((sample.corpus, turn.role) for sample in samples for turn in sample.turns)
    for place, (name, role) in enumerate(turns):
        if name in CHATS and role == "assistant" and (bare := without_boilerplate(texts[place])) != texts[place]:
            texts[place] = bare
            notes.setdefault(place, []).append("boilerplate")


def _noted(sample: Sample, texts: list[str], changed: list[str], found: Counter[str]) -> Sample:
    meta = dict(sample.meta)
    if changed:
        meta["cleaned"] = ",".join(dict.fromkeys(changed))
    if found:
        meta["deidentified"] = ",".join(f"{mark}={n}" for mark, n in sorted(found.items()))
    turns = tuple(Turn(role=turn.role, text=text) for turn, text in zip(sample.turns, texts, strict=True))
    return sample.model_copy(update={"turns": turns, "meta": meta})


def _overlap(sample: Sample, hit: Hit) -> Overlap:
    return Overlap(sample=sample.id, kind=hit.kind, item=hit.item, theirs=hit.theirs, ours=hit.ours)


def _exclusion(sample: Sample, reason: str, detail: str) -> Exclusion:
    return Exclusion(stage="curate", reason=reason, record=sample.record, sample=sample.id, origin=sample.origin, detail=detail)


def benchmark_files(settings: Settings) -> list[list[object]]:
    """What tells that a benchmark has changed, for fingerprints."""
    sources = [benchmark_source(settings, spec) for spec in settings.curate.benchmarks]
    return [
        [
            source.corpus,
            source.split,
            *(told for file in files(source.path) for told in (file.stat().st_size, file.stat().st_mtime_ns)),
        ]
        for source in sources
    ]
