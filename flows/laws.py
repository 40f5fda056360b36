"""The seven laws of DESIGN.md §3, proved on a workspace: each gives the list of its breaches, empty when it holds."""

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, func, select

from flows.publish import fingerprint_of, release_path, write_release
from pipeline.access import Ruling, ruling
from pipeline.buckets import covered
from pipeline.curate.decontaminate import Pictures
from pipeline.curate.licences import release_terms
from pipeline.database import CallRow, session
from pipeline.ingest import benchmark_samples
from pipeline.select import Selection, joined
from pipeline.settings import Settings
from pipeline.status import built_release, count
from pipeline.workspace import Workspace, source_chunk
from schemas.quality import Score
from schemas.release import Evidence, ReleaseRow
from schemas.sample import Exclusion, Sample
from schemas.translation import Making
from shards.release import load_manifest
from shards.verify import verify


def prove(settings: Settings, workspace: Workspace, engine: Engine) -> dict[str, list[str]]:
    """Breaches by law. Law 4 builds the release once more, so it costs as much as `release build`."""
    laws: dict[str, Callable[[Settings, Workspace, Engine], list[str]]] = {
        "conservation": _conservation,
        "fail_closed": _fail_closed,
        "pay_once": _pay_once,
        "same_bytes": _same_bytes,
        "traceable": _traceable,
        "no_leakage": _no_leakage,
        "kept_where_it_must_stay": _kept,
    }
    return {name: law(settings, workspace, engine) for name, law in laws.items()}


def _conservation(settings: Settings, workspace: Workspace, engine: Engine) -> list[str]:
    tally = count(settings, workspace, engine)
    faults = [] if tally.whole() else [f"the buckets do not sum: {tally.as_json()}"]
    for before, after, table in (
        (workspace.manifests("ingest"), "curate", "samples"),
        (workspace.english(), "translate", "twins"),
        (workspace.manifests("translate"), "score", "scores"),
    ):
        entered = {manifest.chunk: manifest.counts for manifest in before}
        for manifest in workspace.manifests(after):
            left = manifest.counts[table] + manifest.counts.get("excluded", 0)
            came = entered.get(manifest.chunk, {}).get("twins" if after == "score" else "samples")
            if came != left:
                faults.append(f"{after} {manifest.chunk}: {came} came in, {left} left")
    return faults + _conserved_by_making(workspace)


def _conserved_by_making(workspace: Workspace) -> list[str]:
    """What the recipes made is kept or excluded, each once."""
    faults = []
    for manifest in workspace.manifests("make"):
        promised = Counter(name for row in workspace.rows("make", Making, "makings", manifest.chunk) for name in row.made)
        there = Counter(sample.id for sample in workspace.rows("make", Sample, "samples", manifest.chunk))
        there += Counter(row.sample or "" for row in workspace.rows("make", Exclusion, "excluded", manifest.chunk))
        faults += [f"make {manifest.chunk}: {name} was made and is nowhere" for name in promised - there]
        faults += [f"make {manifest.chunk}: {name} was made by no recipe" for name in there - promised]
    return faults


def _fail_closed(settings: Settings, workspace: Workspace, engine: Engine) -> list[str]:
    bad = _bad_calls(engine)
    faults = []
    for row in _released(settings, workspace):
        if row.sample.language == "en":
            if not bad.isdisjoint(_making_calls(row.sample)):
                faults.append(f"{row.sample.id} was made by a call that did not end well")
            continue
        proof = row.evidence
        if proof is None or (proof.decision is None and (proof.score is None or proof.verdict != "accept")):
            faults.append(f"{row.sample.id} was released without a score that accepts it or an expert's word")
        elif proof.decision is None and not bad.isdisjoint(proof.calls):
            faults.append(f"{row.sample.id} rests on a call that did not end well")
        elif proof.decision is None and not proof.judged and not _may_go_unread(settings, row.sample.id, proof):
            faults.append(f"{row.sample.id} was released unread: no judge, no expert, no calibration that covers it")
    return faults


def _may_go_unread(settings: Settings, name: str, proof: Evidence) -> bool:
    if settings.quality.without_judge == "accept":
        return True
    score = Score(sample=name, score=proof.score, verdict=proof.verdict, findings=(), similarity=None, judge=None,
                  version=proof.score_version)  # fmt: skip
    return covered(score, settings.quality)


def _pay_once(_settings: Settings, _workspace: Workspace, engine: Engine) -> list[str]:
    with session(engine) as opened:
        query = select(CallRow.key, func.count()).where(CallRow.state == "ok").group_by(CallRow.key).having(func.count() > 1)
        return [f"call {key[:12]} was answered and paid {times} times" for key, times in opened.execute(query)]


def _same_bytes(settings: Settings, workspace: Workspace, _engine: Engine) -> list[str]:
    built = built_release(settings, workspace)
    if built is None:
        return []
    chunks = tuple(m.chunk for m in workspace.manifests("release") if m.fingerprint == built["fingerprint"])
    terms = release_terms(sorted({source.corpus for source in settings.sources}))
    # Audit and takedowns as they were then: what came since belongs to the next release.
    manifest = load_manifest(release_path(settings, workspace))
    chosen = Selection(
        fingerprint=built["fingerprint"], chunks=chunks, rows=0, awaiting_review=0, terms=terms, audit=manifest.audit,
        withdrawn=manifest.withdrawn,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(dir=workspace.root, prefix=".again-") as folder:
        again = Path(folder) / release_path(settings, workspace).name
        write_release(settings, workspace, chosen, again, manifest.approval)
        if fingerprint_of(again) != built["sha256"]:
            return ["building the release again gives other bytes"]
    return []


def _traceable(settings: Settings, workspace: Workspace, engine: Engine) -> list[str]:
    with session(engine) as opened:
        known = set(opened.scalars(select(CallRow.key)))
    faults = []
    for chunk in {m.chunk for m in workspace.manifests("release")}:
        read = {s.id for s in workspace.rows("ingest", Sample, "samples", source_chunk(chunk))}
        for row in workspace.rows("release", ReleaseRow, "rows", chunk):
            english = row.sample.id if row.sample.language == "en" else row.sample.pair
            if row.sample.meta.get("made_from", english) not in read:
                faults.append(f"{row.sample.id} does not lead back to a record")
            calls = {*_making_calls(row.sample), *(row.evidence.calls if row.evidence else ())}
            if not calls <= known:
                faults.append(f"{row.sample.id} names calls that are not in the ledger")
    return faults


def _no_leakage(settings: Settings, workspace: Workspace, _engine: Engine) -> list[str]:
    path = release_path(settings, workspace)
    faults = []
    if built_release(settings, workspace):
        faults = [f"{problem.file}: {problem.message}" for problem in verify(path).problems]
    items = (item for spec in settings.curate.benchmarks for item in benchmark_samples(settings, spec))
    banned = Pictures({image for item in items for image in item.images})
    faults += _showing(_released(settings, workspace), banned)
    splits = {row.sample.id: row.split for row in _released(settings, workspace)}
    faults += _straddling(_released(settings, workspace))
    for row in _released(settings, workspace):
        parent = row.sample.meta.get("made_from")
        if parent is not None and splits.get(parent, row.split) != row.split:
            faults.append(f"{row.sample.id} is in {row.split}, and {parent}, from which it was made, in {splits[parent]}")
    return faults


def _showing(rows: list[ReleaseRow], banned: Pictures) -> list[str]:
    """Samples in train with an image of a benchmark, by the measure by which curation lets none pass."""
    return [
        f"{row.sample.id} is in train and shows an image of a benchmark"
        for row in rows
        if row.split == "train" and any(banned.place(image.phash) is not None for image in row.sample.images)
    ]


def _straddling(rows: list[ReleaseRow]) -> list[str]:
    """Samples in another split than the first of their group."""
    faults = []
    groups: dict[str, str] = {}
    for row in rows:
        group = row.sample.meta.get("group", "")
        if group and groups.setdefault(group, row.split) != row.split:
            faults.append(f"{row.sample.id} is in {row.split}, and others of its group {group} in {groups[group]}")
    return faults


def _kept(settings: Settings, workspace: Workspace, _engine: Engine) -> list[str]:
    faults: list[str] = []
    found: dict[tuple[str, str], Ruling] = {}
    for chunk in {m.chunk for m in workspace.manifests("translate")}:
        for sample, draft, _ in joined(workspace, chunk):
            if draft and draft.calls:
                faults += _unlawful(settings, sample, found)
    for sample in workspace.rows("make", Sample, "samples"):
        faults += _unlawful(settings, sample, found)
    return faults


def _unlawful(settings: Settings, sample: Sample, found: dict[tuple[str, str], Ruling]) -> list[str]:
    """The fault of having sent a sample's text to the translator; `found` keeps the rulings."""
    kind = (sample.corpus, sample.access)
    if kind not in found:
        # Without a day: an attestation that has expired since was good when the text was sent.
        found[kind] = ruling(settings, sample.corpus, "translator", sample.access)
    ruled = found[kind]
    return [] if ruled.allowed else [f"{sample.id} ({ruled.access}) was sent to {ruled.endpoint}: {ruled.because}"]


def _making_calls(sample: Sample) -> set[str]:
    return set(filter(None, sample.meta.get("made_calls", "").split(",")))


def _released(settings: Settings, workspace: Workspace) -> list[ReleaseRow]:
    if built_release(settings, workspace) is None:
        return []
    return list(workspace.rows("release", ReleaseRow, "rows"))


def _bad_calls(engine: Engine) -> set[str]:
    with session(engine) as opened:
        good = set(opened.scalars(select(CallRow.key).where(CallRow.state == "ok")))
        return set(opened.scalars(select(CallRow.key).where(CallRow.state != "ok"))) - good
