"""The seven laws of DESIGN.md §3, proved on a workspace: each gives the list of its breaches, empty when it holds."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, func, select

from flows.publish import fingerprint_of, release_path, write_release
from pipeline.access import Ruling, ruling
from pipeline.curate.licences import release_terms
from pipeline.database import CallRow, session
from pipeline.ingest import benchmark_samples
from pipeline.select import Selection, joined
from pipeline.settings import Settings
from pipeline.status import built_release, count
from pipeline.workspace import Workspace
from schemas.release import ReleaseRow
from schemas.sample import Sample
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
        ("ingest", "curate", "samples"),
        ("curate", "translate", "twins"),
        ("translate", "score", "scores"),
    ):
        entered = {manifest.chunk: manifest.counts for manifest in workspace.manifests(before)}
        for manifest in workspace.manifests(after):
            left = manifest.counts[table] + manifest.counts.get("excluded", 0)
            came = entered.get(manifest.chunk, {}).get("twins" if after == "score" else "samples")
            if came != left:
                faults.append(f"{after} {manifest.chunk}: {came} came in, {left} left")
    return faults


def _fail_closed(settings: Settings, workspace: Workspace, engine: Engine) -> list[str]:
    bad = _bad_calls(engine)
    faults = []
    for row in _released(settings, workspace):
        if row.sample.language == "en":
            continue
        proof = row.evidence
        if proof is None or (proof.decision is None and (proof.score is None or proof.verdict != "accept")):
            faults.append(f"{row.sample.id} was released without a score that accepts it or an expert's word")
        elif proof.decision is None and not bad.isdisjoint(proof.calls):
            faults.append(f"{row.sample.id} rests on a call that did not end well")
        elif proof.decision is None and not proof.judged and settings.quality.without_judge != "accept":
            faults.append(f"{row.sample.id} was released unread: no judge, no expert")
    return faults


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
    chosen = Selection(fingerprint=built["fingerprint"], chunks=chunks, rows=0, awaiting_review=0, terms=terms)
    with tempfile.TemporaryDirectory(dir=workspace.root, prefix=".again-") as folder:
        again = Path(folder) / release_path(settings, workspace).name
        write_release(settings, workspace, chosen, again)
        if fingerprint_of(again) != built["sha256"]:
            return ["building the release again gives other bytes"]
    return []


def _traceable(settings: Settings, workspace: Workspace, engine: Engine) -> list[str]:
    with session(engine) as opened:
        known = set(opened.scalars(select(CallRow.key)))
    faults = []
    for chunk in {m.chunk for m in workspace.manifests("release")}:
        read = {s.id.removesuffix("-ar") for s in workspace.rows("ingest", Sample, "samples", chunk)}
        for row in workspace.rows("release", ReleaseRow, "rows", chunk):
            english = row.sample.id if row.sample.language == "en" else row.sample.pair
            if english not in read:
                faults.append(f"{row.sample.id} does not lead back to a record")
            if row.evidence and not set(row.evidence.calls) <= known:
                faults.append(f"{row.sample.id} names calls that are not in the ledger")
    return faults


def _no_leakage(settings: Settings, workspace: Workspace, _engine: Engine) -> list[str]:
    path = release_path(settings, workspace)
    faults = []
    if built_release(settings, workspace):
        faults = [f"{problem.file}: {problem.message}" for problem in verify(path).problems]
    banned = {image for spec in settings.curate.benchmarks for _, images in benchmark_samples(settings, spec) for image in images}
    for row in _released(settings, workspace):
        if row.split == "train" and not banned.isdisjoint(image.phash for image in row.sample.images):
            faults.append(f"{row.sample.id} is in train and shows an image of a benchmark")
    return faults


def _kept(settings: Settings, workspace: Workspace, _engine: Engine) -> list[str]:
    faults: list[str] = []
    found: dict[tuple[str, str], Ruling] = {}
    for chunk in {m.chunk for m in workspace.manifests("translate")}:
        for sample, draft, _ in joined(workspace, chunk):
            if not draft or not draft.calls:
                continue
            kind = (sample.corpus, sample.access)
            if kind not in found:
                # Without a day: an attestation that has expired since was good when the text was sent.
                found[kind] = ruling(settings, sample.corpus, "translator", sample.access)
            if not found[kind].allowed:
                faults.append(f"{sample.id} ({found[kind].access}) was sent to {found[kind].endpoint}: {found[kind].because}")
    return faults


def _released(settings: Settings, workspace: Workspace) -> list[ReleaseRow]:
    if built_release(settings, workspace) is None:
        return []
    return list(workspace.rows("release", ReleaseRow, "rows"))


def _bad_calls(engine: Engine) -> set[str]:
    with session(engine) as opened:
        good = set(opened.scalars(select(CallRow.key).where(CallRow.state == "ok")))
        return set(opened.scalars(select(CallRow.key).where(CallRow.state != "ok"))) - good
