"""The curate stage over one chunk: the order of its steps is the body of `curate_sample`.

In: ingest/samples of the chunk, the table of duplicates, the benchmarks. Out: curate/samples and curate/excluded;
every sample that came in is in one of the two.
"""

from collections import Counter
from collections.abc import Callable

from pipeline.curate.clean import clean
from pipeline.curate.decontaminate import Benchmarks
from pipeline.curate.dedup import duplicates_mark, load_duplicates
from pipeline.curate.deidentify import deidentify
from pipeline.curate.filters import fault, without_boilerplate
from pipeline.ingest import benchmark_samples, benchmark_source
from pipeline.settings import Settings
from pipeline.sources.containers import files
from pipeline.workspace import ChunkManifest, Workspace, fingerprint, made_chunk, noun_table
from schemas.sample import Exclusion, Sample

VERSION = "2"
_CHATS = frozenset({"healthcaremagic", "icliniq", "genmedgpt"})


def curate_chunk(
    settings: Settings, workspace: Workspace, chunk: str, progress: Callable[[int], None] | None = None
) -> ChunkManifest:
    """Curate one chunk. Needs `find_duplicates` to have run on what was ingested."""
    mark = fingerprint(VERSION, duplicates_mark(settings, workspace), settings.curate, benchmark_files(settings), chunk)
    done = workspace.done("curate", chunk, mark)
    if done:
        return done
    samples = list(workspace.rows("ingest", Sample, "samples", chunk))
    copies = load_duplicates(workspace, {sample.id for sample in samples})
    benchmarks = Benchmarks(item for spec in settings.curate.benchmarks for item in benchmark_samples(settings, spec))
    kept: list[Sample] = []
    fallen: list[Exclusion] = []
    for sample in samples:
        curated, reason = curate_sample(sample, settings, copies, benchmarks)
        if reason is None:
            kept.append(curated)
        else:
            fallen.append(_exclusion(sample, *reason))
        if progress:
            progress(1)
    # What was made of the chunk as it was must not outlive it: a parent may have fallen out. The ledger still has the answers.
    workspace.drop_chunk("make", made_chunk(chunk))
    return workspace.write_chunk(
        "curate", chunk, mark, {"samples": noun_table(Sample, kept), "excluded": noun_table(Exclusion, fallen)}
    )


def curate_sample(
    sample: Sample, settings: Settings, copies: dict[str, tuple[str, str]], benchmarks: Benchmarks
) -> tuple[Sample, tuple[str, str] | None]:
    """The sample as it goes on, and (reason, detail) when it does not. `copies` are the duplicates among what was read."""
    if sample.id in copies:
        reason, kept = copies[sample.id]
        return sample, (reason, f"the same as {kept}")
    hit = benchmarks.hit(sample)
    if hit:
        return sample, ("contaminated", hit)
    cleaned = _cleaned(sample)
    if settings.curate.deidentify:
        cleaned = _deidentified(cleaned)
    return cleaned, fault(cleaned, settings.curate.max_chars)


def _cleaned(sample: Sample) -> Sample:
    changed: list[str] = []
    turns = []
    for turn in sample.turns:
        text, rules = clean(turn.text)
        changed += rules
        if sample.corpus in _CHATS and turn.role == "assistant" and without_boilerplate(text) != text:
            text, changed = without_boilerplate(text), [*changed, "boilerplate"]
        turns.append(turn.model_copy(update={"text": text}))
    meta = sample.meta | ({"cleaned": ",".join(dict.fromkeys(changed))} if changed else {})
    return sample.model_copy(update={"turns": tuple(turns), "meta": meta})


def _deidentified(sample: Sample) -> Sample:
    counts: Counter[str] = Counter()
    turns = []
    for turn in sample.turns:
        text, found = deidentify(turn.text)
        counts += found
        turns.append(turn.model_copy(update={"text": text}))
    meta = sample.meta | ({"deidentified": ",".join(f"{mark}={n}" for mark, n in sorted(counts.items()))} if counts else {})
    return sample.model_copy(update={"turns": tuple(turns), "meta": meta})


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
