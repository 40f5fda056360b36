"""A dataset repository on the Hugging Face Hub, or on a server that speaks its language, as a target of `publish`.

In: files. Out: commits: the shards in groups, then the papers with the manifest, and a tag for the version. A shard that
arrived is not sent again. Address and token come from where huggingface_hub takes them (HF_ENDPOINT, HF_TOKEN, `hf auth login`).
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile

from schemas.errors import InputError
from schemas.release import Release
from shards.publish import Sent

#: Bytes of a commit, at most, but for one larger file: what a broken connection costs.
_COMMIT_BYTES = 5 << 30
_SHARD = (".tar", ".idx")


class Hub:
    """The repository `owner/name`; made when it is not there."""

    def __init__(self, repository: str, endpoint: str | None = None, private: bool = False) -> None:
        self._name, self._private = repository, private
        self._api = HfApi(endpoint=endpoint, library_name="bimedv")

    def right(self, files: list[Sent]) -> set[str]:
        """By the sha256 that the Hub keeps of large files, and git's own id of small ones."""
        there = self._tree()
        return {file.name for file in files if file.name in there and _same(there[file.name], file)}

    def other_release(self, release: Release, manifest: Sent) -> str | None:
        """A repository holds one version after the other: the Hub keeps the old ones under their tags."""
        return None

    def send(self, files: list[Sent], release: Release, progress: Callable[[int], None]) -> None:
        """Shards first; the last commit brings papers and manifest and takes away what older versions left."""
        with self._speaking():
            self._api.create_repo(self._name, repo_type="dataset", private=self._private, exist_ok=True)
            shards = [file for file in files if file.name.endswith(_SHARD)]
            for number, group in enumerate(_grouped(shards), 1):
                self._commit(group, [], f"{release.name} {release.version}: shards, part {number}")
                progress(len(group))
            papers = [file for file in files if not file.name.endswith(_SHARD)]
            known = {f"{entry.path}{end}" for entry in release.shards for end in ("", ".idx")}
            old = sorted(name for name in self._tree() if name.endswith(_SHARD) and name not in known)
            self._commit(papers, old, f"{release.name} {release.version}")
            self._api.create_tag(self._name, tag=f"v{release.version}", repo_type="dataset", exist_ok=True)
            progress(len(papers))

    def _commit(self, files: list[Sent], old: list[str], message: str) -> None:
        add = [CommitOperationAdd(path_in_repo=file.name, path_or_fileobj=str(file.path)) for file in files]
        remove = [CommitOperationDelete(path_in_repo=name) for name in old]
        self._api.create_commit(self._name, [*add, *remove], commit_message=message, repo_type="dataset")

    def _tree(self) -> dict[str, RepoFile]:
        with self._speaking():
            try:
                found = list(self._api.list_repo_tree(self._name, recursive=True, repo_type="dataset"))
            except RepositoryNotFoundError:
                return {}
        return {item.path: item for item in found if isinstance(item, RepoFile)}

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except (HfHubHTTPError, OSError, ValueError, RuntimeError) as error:
            told = " ".join(str(error).split())[:300]
            raise InputError(f"{self._api.endpoint}: {self._name}: {told}. Mend it and publish again to go on.") from None


def _grouped(files: list[Sent]) -> Iterator[list[Sent]]:
    group: list[Sent] = []
    for file in files:
        if group and sum(one.size for one in group) + file.size > _COMMIT_BYTES:
            yield group
            group = []
        group.append(file)
    if group:
        yield group


def _same(there: RepoFile, file: Sent) -> bool:
    if there.size != file.size:
        return False
    if there.lfs is not None:
        return bool(there.lfs.sha256 == file.sha256)
    data = file.path.read_bytes()
    return bool(there.blob_id == hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest())
