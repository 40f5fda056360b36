"""Releases on disk: deterministic tar shards, index, manifest. Knows tar and manifests, not medicine."""
