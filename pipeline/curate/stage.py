"""The curate stage over one chunk: the order of its steps is the body of `curate_chunk` and `_curated`.

In: ingest/samples of the chunk, the table of duplicates, the benchmarks. Out: curate/samples and curate/excluded;
every sample that came in is in one of the two.
"""

from collections import Counter
from collections.abc import Callable
from threading import Lock

from pipeline.curate.clean import clean
from pipeline.curate.decontaminate import Benchmarks, Hit
from pipeline.curate.dedup import STAGE, load_duplicates
from pipeline.curate.deidentify import deidentify
from pipeline.curate.filters import fault, without_boilerplate
from pipeline.ingest import benchmark_samples, benchmark_source
from pipeline.settings import Settings
from pipeline.sources.containers import files
from pipeline.workspace import ChunkManifest, Workspace, fingerprint, made_chunk, noun_table
from schemas.sample import Exclusion, Sample, Turn

VERSION = "3"
_CHATS = frozenset({"healthcaremagic", "icliniq", "genmedgpt"})
_lock = Lock()
#: The benchmarks that were read last, by what they were read from.
_read: dict[str, Benchmarks] = {}


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
    samples = list(workspace.rows("ingest", Sample, "samples", chunk))
    copies = load_duplicates(workspace, chunk)
    kept: list[Sample] = []
    fallen: list[Exclusion] = []
    for sample, hit in zip(samples, benchmarks_of(settings).hits(samples), strict=True):
        if sample.id in copies:
            reason, other = copies[sample.id]
            fallen.append(_exclusion(sample, reason, f"the same as {other}"))
            continue
        curated, fault = _curated(sample, settings, hit)
        if fault is None:
            kept.append(curated)
        else:
            fallen.append(_exclusion(sample, *fault))
    if progress:
        progress(len(samples))
    # What was made of the chunk as it was must not outlive it: a parent may have fallen out. The ledger still has the answers.
    workspace.drop_chunk("make", made_chunk(chunk))
    return workspace.write_chunk(
        "curate", chunk, mark, {"samples": noun_table(Sample, kept), "excluded": noun_table(Exclusion, fallen)}
    )


def curate_sample(sample: Sample, settings: Settings, benchmarks: Benchmarks) -> tuple[Sample, tuple[str, str] | None]:
    """The sample as it goes on, and (reason, detail) when it does not, copies aside."""
    return _curated(sample, settings, benchmarks.hit(sample))


def benchmarks_of(settings: Settings) -> Benchmarks:
    """The config's benchmarks, read and their images hashed once in a process: for each chunk again, they took more than it."""
    if not settings.curate.benchmarks:
        return Benchmarks(())
    sources = [benchmark_source(settings, spec) for spec in settings.curate.benchmarks]
    places = [place for source in sources for place in (source.path, source.images) if place is not None]
    changed = [place.stat().st_mtime_ns for place in places if place.exists()]
    mark = fingerprint(settings.curate.benchmarks, [str(place) for place in places], changed, benchmark_files(settings))
    with _lock:
        if mark not in _read:
            _read.clear()
            _read[mark] = Benchmarks(item for spec in settings.curate.benchmarks for item in benchmark_samples(settings, spec))
        return _read[mark]


def _curated(sample: Sample, settings: Settings, hit: Hit | None) -> tuple[Sample, tuple[str, str] | None]:
    if hit is not None:
        return sample, ("contaminated", str(hit))
    cleaned = _rewritten(sample, settings)
    return cleaned, fault(cleaned, settings.curate.max_chars)


def _rewritten(sample: Sample, settings: Settings) -> Sample:
    """The sample itself where there is nothing to clean: a copy of it takes longer than looking."""
    changed: list[str] = []
    counts: Counter[str] = Counter()
    texts = []
    for turn in sample.turns:
        text, rules = clean(turn.text)
        changed += rules
        if sample.corpus in _CHATS and turn.role == "assistant" and (bare := without_boilerplate(text)) != text:
            text, changed = bare, [*changed, "boilerplate"]
        if settings.curate.deidentify:
            text, found = deidentify(text)
            counts += found
        texts.append(text)
    if not changed and not counts:
        return sample
    meta = dict(sample.meta)
    if changed:
        meta["cleaned"] = ",".join(dict.fromkeys(changed))
    if counts:
        meta["deidentified"] = ",".join(f"{mark}={n}" for mark, n in sorted(counts.items()))
    turns = tuple(Turn(role=turn.role, text=text) for turn, text in zip(sample.turns, texts, strict=True))
    return sample.model_copy(update={"turns": turns, "meta": meta})


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
