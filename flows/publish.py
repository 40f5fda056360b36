"""From selected rows to a release on disk, and from the release to a measured model.

The glue between pipeline, shards and model, which know nothing of each other: files are the contract.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from pipeline.quality.stage import all_judged
from pipeline.select import Selection
from pipeline.settings import Settings
from pipeline.withdrawn import withdraw
from pipeline.workspace import Workspace, fingerprint, write_atomic
from schemas.errors import InputError
from schemas.quality import Score
from schemas.release import MANIFEST, Release
from shards.find import find
from shards.publish import Storage, Target
from shards.publish import publish as send
from shards.release import ReleaseInfo, build, load_manifest
from shards.tokens import tokenizer

_TOOLCHAIN = ("bimedv", "pyarrow", "pillow", "pydantic")


def release_path(settings: Settings, workspace: Workspace) -> Path:
    """Folder of the release that the config names."""
    return workspace.releases / f"{settings.release.name}-{settings.release.version}"


def model_path(settings: Settings, workspace: Workspace) -> Path:
    """Folder of the model that the config names."""
    return workspace.models / settings.train.preset


def build_release(
    settings: Settings,
    workspace: Workspace,
    chosen: Selection,
    approval: Mapping[str, str] = MappingProxyType({}),
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Write the shards of a selection and note beside them what they were built from. Returns the `release build` object."""
    out = release_path(settings, workspace)
    built = write_release(settings, workspace, chosen, out, approval, progress)
    digest = fingerprint_of(out)
    note = {"fingerprint": chosen.fingerprint, "sha256": digest}
    write_atomic(out.with_name(f"{out.name}.json"), orjson.dumps(note))
    shards = len(built.shards)
    value = {"path": str(out), "version": built.version, "shards": shards, "samples": built.samples, "sha256": digest}
    if settings.release.to is not None:
        to = settings.release.to.format(name=built.name, version=built.version)
        place = to if "://" in to else str(settings.root / to)
        value |= {"to": to, "sent": send(out, target(place), inside=settings.release.in_house)["sent"]}
    return value


def target(to: str, endpoint: str | None = None, private: bool = False) -> Target:
    """A folder, an fsspec address, or a repository of a Hub."""
    if to.startswith("hub://"):
        from shards.hub import Hub

        return Hub(to.removeprefix("hub://"), endpoint, private)
    return Storage(to)


def write_release(
    settings: Settings,
    workspace: Workspace,
    chosen: Selection,
    out: Path,
    approval: Mapping[str, str] = MappingProxyType({}),
    progress: Callable[[int], None] | None = None,
) -> Release:
    """Write a selection's shards to any folder; the same selection gives the same bytes."""
    rows = [workspace.table_path("release", chunk, "rows") for chunk in chosen.chunks]
    info = ReleaseInfo(
        name=settings.release.name,
        version=settings.release.version,
        shard_bytes=settings.release.shard_bytes,
        gate=_gate(settings, workspace),
        config=_public(settings),
        toolchain={name: version(name) for name in _TOOLCHAIN},
        terms=chosen.terms.as_json(),
        audit=chosen.audit,
        approval=dict(approval),
        tokenizer=tokenizer(settings.release.tokenizer),
        withdrawn=chosen.withdrawn,
    )
    return build(rows, workspace.images, out, info, workers=settings.release.workers, progress=progress)


def takedown(
    path: Path,
    ids: list[str],
    sources: list[str],
    reason: str,
    to: tuple[str | None, Path | None, Path | None],
    tokens: Path | None = None,
) -> dict[str, Any]:
    """Withdraw samples from a release; `to` is version, folder and workspace where they are named. Returns the command's object.

    `tokens` is the file of the tokenizer that the release names, where it names one.

    The workspace learns of it first: after a kill in between no later build releases them again.
    """
    from shards.redact import Takedown, next_version, redact, tombstones

    if not ids and not sources:
        raise InputError("what shall be withdrawn? Name samples with --id or --ids, or a corpus with --source.")
    old = load_manifest(path)
    version_ = to[0] or next_version(old.version)
    out = to[1] or path.resolve().with_name(f"{old.name}-{version_}")
    asked = Takedown(reason, frozenset(ids), frozenset(sources))
    stones = tombstones(path, out, version_, asked)
    home = to[2] or path.resolve().parent.parent
    if (home / "config.json").is_file():
        withdraw(Workspace(home), stones)
    elif to[2] is not None:
        raise InputError(f"--workspace {home}: no run has been started there.")
    release = redact(path, out, version_, stones, tokens)
    return {
        "path": str(out),
        "version": version_,
        "withdrawn": len(stones),
        "samples": release.samples,
        "sha256": fingerprint_of(out),
        "remembered": (home / "config.json").is_file(),
    }


def fingerprint_of(release: Path) -> str:
    """sha256 of a release's manifest: it names the sha256 of every shard, so it stands for the whole."""
    import hashlib

    return hashlib.sha256((release / MANIFEST).read_bytes()).hexdigest()


def locate(release: Path, sample_id: str) -> dict[str, Any] | None:
    """Shard and byte offset of a released sample; None when the release does not hold it."""
    if not (release / MANIFEST).exists():
        return None
    found = find(release, sample_id)
    return None if found is None or "withdrawn" in found else {name: found[name] for name in ("release", "shard", "offset")}


def train_and_measure(settings: Settings, workspace: Workspace, progress: Callable[[int], None] | None = None) -> dict[str, Any]:
    """Train the preset on the built release and measure it on the held-out split; both are skipped when up to date."""
    from model.config import load_config
    from model.evaluate import evaluate
    from model.train import train

    release, out = release_path(settings, workspace), model_path(settings, workspace)
    report = train(release, out, load_config(settings.train.preset), progress=progress)
    return {"train": report.as_json(), "eval": evaluate(out, release, ["held_out"]), "model": str(out)}


def _gate(settings: Settings, workspace: Workspace) -> dict[str, int | float | str | bool]:
    verdicts: dict[str, int] = {"accept": 0, "review": 0, "refine": 0, "reject": 0}
    version = ""
    for score in workspace.rows("score", Score, "scores"):
        verdicts[score.verdict] += 1
        version = score.version
    return {
        **verdicts,
        "accept_from": settings.quality.accept,
        "reject_below": settings.quality.reject,
        "judged": all_judged(workspace),
        "without_judge": settings.quality.without_judge,
        "score_version": version,
    }


def _public(settings: Settings) -> dict[str, object]:
    """The settings without paths, addresses and secrets, and without what cannot change the bytes."""
    value = settings.model_dump(mode="json", include={"name", "sources", "curate", "translate", "quality", "review", "release"})
    if settings.make.recipes():
        value["make"] = settings.make.model_dump(mode="json", exclude_none=True)
    for name in ("workers", "to", "in_house", "approval", "approval_hours", "tokenizer"):
        # What came of them stands in the manifest itself.
        value["release"].pop(name)
    for name in ("budget_usd", "mode"):
        value["translate"].pop(name)
    for source, given in zip(value["sources"], settings.sources, strict=True):
        source["path"] = settings.relative(given.path)
        source["images"] = None if given.images is None else settings.relative(given.images)
    value["translate"]["glossary"] = [settings.relative(path) for path in settings.translate.glossary]
    calibration = settings.quality.calibration
    value["quality"]["calibration"] = None if calibration is None else settings.relative(calibration)
    value["translator"] = settings.endpoints.translator.model
    if settings.endpoints.judge is not None:
        value["judge"] = settings.endpoints.judge.model
    value["config_sha256"] = fingerprint(value)
    return dict(value)
