"""Croissant 1.1: the release as dataset search engines and `mlcroissant` read it, computed from the manifest.

In: the manifest and the sha256 of metadata.jsonl. Out: one JSON-LD object. Samples are a record set over metadata.jsonl and
images another over the shards, with equal keys: `mlcroissant` validates JSON read from inside tars, and joins of the two,
and then fails to load them.
"""

import re
from typing import Any

from schemas.release import Release
from shards.metadata import COLUMNS, METADATA

CROISSANT = "croissant.json"
_FORMATS = {"png": "image/png", "jpg": "image/jpeg"}
#: Names of a standard that every Croissant 1.1 file repeats; a reader that misses one warns.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
} | {
    name: f"cr:{name}"
    for name in (
        "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject", "fileProperty",
        "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
        "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
    )
}  # fmt: skip


def croissant(release: Release, metadata_sha256: str) -> dict[str, Any]:
    """The metadata of a release. What nobody stated (`release.about`) is left out, not invented."""
    about = release.about
    tars = [_file(entry.path, entry.sha256, "application/x-tar", f"{entry.bytes} B") for entry in release.shards]
    kinds = sorted({suffix for entry in release.shards for suffix in _suffixes(entry.path)} & set(_FORMATS))
    stated: dict[str, Any] = {
        name: about[key]
        for name, key in (("url", "url"), ("datePublished", "published"), ("citeAs", "citation"))
        if about.get(key)
    }
    if about.get("creator"):
        stated["creator"] = {"@type": "sc:Organization", "name": about["creator"]}
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": release.name,
        "description": about.get("description") or _description(release),
        "version": release.version,
        "license": _licence(str(release.terms.get("licence", "unknown"))),
        "inLanguage": sorted(release.languages),
        "keywords": ["medical", "bilingual", "Arabic", "instruction tuning", *sorted(release.tasks)],
        "isLiveDataset": False,
        **stated,
        **_responsible(release),
        "distribution": [
            *tars,
            _file(METADATA, metadata_sha256, "application/jsonlines", None),
            *(_file_set(release, kind) for kind in kinds),
        ],
        "recordSet": [_samples(), *(_images(kind) for kind in kinds)],
    }


def _description(release: Release) -> str:
    sources = ", ".join(release.sources)
    return f"{release.samples} English-Arabic medical instruction samples, translated by a model and gated, from {sources}."


def _licence(name: str) -> str:
    """The deed's address for a Creative Commons name, else the name itself."""
    found = re.fullmatch(r"CC-(BY(?:-[A-Z]+)*)-(\d\.\d)", name)
    return f"https://creativecommons.org/licenses/{found[1].lower()}/{found[2]}/" if found else name


def _responsible(release: Release) -> dict[str, Any]:
    """Properties of Croissant's RAI vocabulary that the manifest can answer for."""
    gate, config = release.gate, release.config
    judged = "a judge model read every translation" if gate.get("judged") else "no judge model read the translations"
    audited = release.audit.get("audited", 0)
    curate = config.get("curate")
    masked = isinstance(curate, dict) and bool(curate.get("deidentify"))
    return {
        "rai:dataCollection": f"Derived from: {', '.join(release.sources)}. Nothing was collected from people for this release.",
        "rai:dataAnnotationProtocol": (
            f"Machine translation, accepted from {gate.get('accept_from')} of 100 points by deterministic checks and a sentence "
            f"encoder; {judged}; experts audited {audited} accepted translations."
        ),
        "rai:machineAnnotationTools": [str(config[name]) for name in ("translator", "judge") if config.get(name)],
        "rai:personalSensitiveInformation": (
            "Identifiers were searched for and masked by rules." if masked else "No search for identifiers was made."
        ),
        "rai:dataLimitations": "Not for clinical use. Accepted translations that no expert read may be wrong.",
    }


def _file(path: str, digest: str, encoding: str, size: str | None) -> dict[str, Any]:
    value = {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "encodingFormat": encoding,
        "sha256": digest,
    }
    return value | ({"contentSize": size} if size else {})


def _suffixes(path: str) -> list[str]:
    """The kinds of images in a shard, from the group in its name: `…-jpg-png-000000.tar`."""
    return path.rpartition("/")[2].removesuffix(".tar").split("-")[:-1]


def _file_set(release: Release, kind: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{kind}-files",
        "name": f"{kind}-files",
        "containedIn": [{"@id": entry.path} for entry in release.shards if entry.images and kind in _suffixes(entry.path)],
        "encodingFormat": _FORMATS[kind],
        "includes": f"*.{kind}",
    }


def _samples() -> dict[str, Any]:
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"samples/{name}",
            "name": name,
            "dataType": kind,
            "source": {"fileObject": {"@id": METADATA}, "extract": {"column": name}},
        }
        for name, kind in COLUMNS.items()
    ]
    return {"@type": "cr:RecordSet", "@id": "samples", "name": "samples", "key": {"@id": "samples/id"}, "field": fields}


def _images(kind: str) -> dict[str, Any]:
    """Key, the sample's id (the part before the first dot), and the pixels."""
    source = {"fileSet": {"@id": f"{kind}-files"}}
    name, file = f"{kind}-images", {"fileProperty": "filename"}
    fields = [
        ("key", "sc:Text", {**source, "extract": file}),
        ("sample", "sc:Text", {**source, "extract": file, "transform": {"regex": r"^([^.]+)\."}}),
        ("content", "sc:ImageObject", {**source, "extract": {"fileProperty": "content"}}),
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "key": {"@id": f"{name}/key"},
        "field": [
            {"@type": "cr:Field", "@id": f"{name}/{field}", "name": field, "dataType": kind_, "source": taken}
            for field, kind_, taken in fields
        ],
    }
