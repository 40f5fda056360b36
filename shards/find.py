"""One sample of a release by its id: its place, its record, or the tombstone that tells since when it is gone.

In: a release's folder and an id. Out: one object, and the same as text. Costs a look at each sample's name, about 1 µs.
"""

from pathlib import Path
from typing import Any

import orjson

from schemas.errors import InputError
from shards.read import Shard
from shards.release import load_manifest


def find(folder: Path, sample_id: str) -> dict[str, Any] | None:
    """{release, version, shard, offset, record} of a sample; {release, version, withdrawn} of one taken out; else None."""
    release = load_manifest(folder)
    here = {"release": folder.name, "version": release.version}
    for entry in release.shards:
        try:
            with Shard(folder / entry.path) as shard:
                number = shard.find(sample_id)
                if number is not None:
                    record = orjson.loads(shard.record_bytes(number))
                    return here | {"shard": entry.path, "offset": shard.offset(number), "record": record}
        except (OSError, ValueError) as error:
            raise InputError(
                f"{folder / entry.path}: cannot be read ({error}). `bimedv release verify {folder}` says what is wrong."
            ) from None
    stone = next((stone for stone in release.withdrawn if stone.sample == sample_id), None)
    return None if stone is None else here | {"withdrawn": stone.model_dump()}


def origin(folder: Path, sample_id: str) -> dict[str, Any]:
    """What the release itself knows of a sample: where it lies, its source record, its turns, and why its Arabic may be trusted.

    Raises InputError when the release neither holds it nor has withdrawn it.
    """
    found = find(folder, sample_id)
    if found is None:
        raise InputError(f"{folder}: holds no sample {sample_id!r}. {folder / 'metadata.jsonl'} lists its ids.")
    if "withdrawn" in found:
        return {
            "sample": sample_id,
            "source": None,
            "released": None,
            "withdrawn": found["withdrawn"],
            "release": found["release"],
        }
    record = found.pop("record")
    meta = orjson.loads(record["meta"])
    return {
        "sample": sample_id,
        "source": {"corpus": record["corpus"], "record": record["record"], **record["origin"], "licence": record["licence"]},
        "made_from": meta.get("made_from"),
        "language": record["language"],
        "split": record["split"],
        "pair": record["pair"] or None,
        "turns": record["turns"],
        "images": [image["sha256"] for image in record["images"]],
        "evidence": orjson.loads(record["evidence"]) if record["evidence"] else None,
        "released": found,
        "withdrawn": None,
    }


def origin_text(value: dict[str, Any]) -> str:
    """The same as a person reads it."""
    if value["withdrawn"]:
        stone = value["withdrawn"]
        return f"{value['sample']}: withdrawn from version {stone['version']} on: {stone['reason']} ({stone['corpus']})"
    source, place, proof = value["source"], value["released"], value["evidence"]
    lines = [
        f"{value['sample']}: released in {value['split']}" + (f", twin {value['pair']}" if value["pair"] else ""),
        f"source    {source['file']}, record {source['row']} (id {source['record']}, {source['licence']})",
        f"          sha256 of the record {source['sha256'][:16]}",
        *([f"made from {value['made_from']}"] if value["made_from"] else []),
        *(f"image     {digest[:16]}" for digest in value["images"]),
        *(f"{turn['role']:<9} " + " / ".join(turn["text"].split("\n")) for turn in value["turns"]),
    ]
    if proof:
        number = "none" if proof["score"] is None else f"{proof['score']:.0f}"
        lines += [
            f"made by   {proof['model'] or 'no model'}, {proof['prompt']}, round {proof['round']}",
            *(f"call      {call[:16]}" for call in proof["calls"]),
            f"score     {number} of 100, {proof['verdict']}, {proof['findings']} findings (scoring {proof['score_version']})",
            f"decision  {proof['decision']} by {proof['reviewer']}" if proof["decision"] else "decision  none by an expert",
        ]
    lines.append(f"released  {place['release']}/{place['shard']} at byte {place['offset']}")
    return "\n".join(lines)
