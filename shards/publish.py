"""A release to where others find it: a folder, any storage that fsspec knows, or a Hub.

In: a release's folder and an address. Out: the same files there, each looked at again after it was sent; the manifest goes last:
a half-sent release does not look whole. Sending again goes on from what is there already.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import fsspec
from fsspec.implementations.local import LocalFileSystem

from schemas.errors import AccessError, InputError, StoppedError
from schemas.release import MANIFEST, SUMS, Release
from shards.release import load_manifest
from shards.verify import verify
from shards.write import file_digest

_BLOCK = 1 << 22


@dataclass(frozen=True)
class Sent:
    """One file of a release."""

    name: str
    path: Path
    size: int
    sha256: str


class Target(Protocol):
    """Where a release goes."""

    def right(self, files: list[Sent]) -> set[str]:
        """Names of the files that are there with the right content."""
        ...

    def other_release(self, release: Release, manifest: Sent) -> str | None:
        """Why this release may not go there, if it may not."""
        ...

    def send(self, files: list[Sent], release: Release, progress: Callable[[int], None]) -> None:
        """Put the files there, in this order; `progress` is told how many are."""
        ...


def publish(
    folder: Path, target: Target, dry_run: bool = False, inside: bool = False, progress: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Send a release. Returns files, bytes, what was there already and what was sent.

    `inside`: the target belongs to the house that built the release, so that terms which forbid passing it on do not matter.
    Raises AccessError when they do; InputError when the release is damaged or the target holds another one; StoppedError when a
    file did not arrive as it was sent. A dry run only looks.
    """
    release = load_manifest(folder)
    _refuse_unlawful(release, inside)
    report = verify(folder, quick=dry_run)
    if not report.ok:
        first, count = report.problems[0], len(report.problems)
        raise InputError(
            f"{folder}: {first.file}: {first.message}. Nothing was sent; `bimedv release verify` lists all {count} problems."
        )
    files = _files(folder, release)
    refused = target.other_release(release, files[-1])
    if refused:
        raise InputError(refused)
    there = target.right(files)
    missing = [file for file in files if file.name not in there]
    if missing and not dry_run:
        target.send(missing, release, progress or (lambda _: None))
        arrived = target.right(files)
        lost = [file.name for file in files if file.name not in arrived]
        if lost:
            raise StoppedError(f"{len(lost)} files are not there as they were sent, such as {lost[0]}. Publish again to mend it.")
    return {
        "release": f"{release.name} {release.version}",
        "files": len(files),
        "bytes": sum(file.size for file in files),
        "there": len(there),
        "sent": 0 if dry_run else len(missing),
        "to_send": [file.name for file in missing] if dry_run else [],
        "dry_run": dry_run,
    }


def _refuse_unlawful(release: Release, inside: bool) -> None:
    if inside or release.terms.get("redistributable"):
        return
    reasons = "; ".join(release.terms.get("reasons", [])) or "no terms are recorded"
    raise AccessError(f"{release.name} {release.version} may not be passed on: {reasons}. Nothing was sent.")


def _files(folder: Path, release: Release) -> list[Sent]:
    """All files of the release: shards, their indexes, papers, sums, manifest."""
    digests: dict[str, str] = {}
    for entry in release.shards:
        digests |= {entry.path: entry.sha256, f"{entry.path}.idx": entry.index_sha256}
    digests |= release.papers
    if release.papers:
        digests[SUMS] = file_digest(folder / SUMS)
    digests[MANIFEST] = file_digest(folder / MANIFEST)
    return [Sent(name, folder / name, (folder / name).stat().st_size, digest) for name, digest in digests.items()]


class Storage:
    """A folder or an fsspec address. Files in a local folder get their name only when they are whole."""

    def __init__(self, address: str) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(address)
        except (ValueError, ImportError) as error:
            raise InputError(f"{address}: cannot be opened: {error}.") from None
        self._address = address

    def right(self, files: list[Sent]) -> set[str]:
        """By size first and then by sha256 of what is read back."""
        return {file.name for file in files if self._holds(file)}

    def other_release(self, release: Release, manifest: Sent) -> str | None:
        """Each version has a folder of its own: readers of the one that is there would find its shards gone or mixed."""
        if self._files.exists(self._path(MANIFEST)) and not self._holds(manifest):
            return f"{self._address}: holds another release already. Give {release.name} {release.version} a folder of its own."
        return None

    def send(self, files: list[Sent], release: Release, progress: Callable[[int], None]) -> None:
        """One file after the other."""
        for file in files:
            path = self._path(file.name)
            try:
                self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
                self._put(file, path)
            except OSError as error:
                raise InputError(f"{self._address}: {file.name} cannot be written ({error}). Publish again to go on.") from None
            progress(1)

    def _put(self, file: Sent, path: str) -> None:
        if not isinstance(self._files, LocalFileSystem):
            self._files.put_file(str(file.path), path)
            return
        part = Path(f"{path}.part")
        try:
            self._files.put_file(str(file.path), str(part))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _holds(self, file: Sent) -> bool:
        path = self._path(file.name)
        try:
            if self._files.size(path) != file.size:
                return False
            digest = hashlib.sha256()
            with self._files.open(path, "rb") as opened:
                while block := opened.read(_BLOCK):
                    digest.update(block)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise InputError(f"{self._address}: {file.name} cannot be read back ({error}).") from None
        return digest.hexdigest() == file.sha256
