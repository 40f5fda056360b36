"""What makes a release a Megatron-Energon dataset: which shards there are, which split they belong to, how to read them.

In: the manifest. Out: three small files. The shards' .tar.idx has Energon's layout already.
"""

import orjson
import yaml

from schemas.release import Release

#: Energon's names for the splits.
_SPLITS = {"train": "train", "validation": "val", "test": "test"}


def energon_files(release: Release) -> dict[str, bytes]:
    """Path in the release to content. A sample stays a crude one: what its JSON means is for the trainer's cooker to say."""
    counts = {entry.path: entry.samples for entry in release.shards}
    parts: dict[str, list[str]] = {name: [] for name in _SPLITS.values()}
    for entry in release.shards:
        parts[_SPLITS[entry.split]].append(entry.path)
    return {
        ".nv-meta/.info.json": orjson.dumps({"shard_counts": counts}, option=orjson.OPT_INDENT_2),
        ".nv-meta/dataset.yaml": _yaml({"__module__": "megatron.energon", "__class__": "CrudeWebdataset"}),
        ".nv-meta/split.yaml": _yaml({"split_parts": parts, "exclude": []}),
    }


def _yaml(value: object) -> bytes:
    return yaml.safe_dump(value, sort_keys=False).encode()
