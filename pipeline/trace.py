"""From one sample back to its source record, and forward to where it was released (law 5).

In: a sample's id, the tables, the database. Out: one object, and the same as text. Costs a read of one chunk's tables.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from pipeline.buckets import fate
from pipeline.database import CallRow, session
from pipeline.review.store import said
from pipeline.select import joined
from pipeline.settings import Settings
from pipeline.withdrawn import Gone, withdrawn
from pipeline.workspace import Workspace, source_chunk
from schemas.errors import InputError
from schemas.quality import Score
from schemas.sample import Exclusion, Sample
from schemas.translation import Making, TwinDraft


def trace(
    settings: Settings, workspace: Workspace, engine: Engine, sample_id: str, located: dict[str, Any] | None
) -> dict[str, Any]:
    """Everything known of one sample; either twin's id does. `located` is its place in the built release, if it has one.

    Raises InputError when no record and no sample of the workspace has that id.
    """
    english = sample_id.removesuffix("-ar")
    chunk, sample = _find(workspace, english)
    lost = _exclusion(workspace, chunk, english)
    making = _making(workspace, chunk, english)
    value: dict[str, Any] = {
        "sample": sample_id,
        "source": {"corpus": sample.corpus, "record": sample.record, **sample.origin.model_dump(), "licence": sample.licence},
        "images": [image.sha256 for image in sample.images],
        "english": [turn.model_dump() for turn in sample.turns],
        "chunk": chunk,
        "bucket": lost.stage if lost else None,
        "reason": lost.reason if lost else None,
        "detail": lost.detail if lost else "",
        "released": located,
    }
    if making:
        about = making.model_dump(include={"recipe", "parent", "model", "prompt"})
        value["made"] = about | {"calls": _calls(engine, making.calls)}
    if lost and lost.sample == english:
        return value | {"bucket": "excluded"}
    for curated, draft, score in joined(workspace, chunk):
        if curated.id == english:
            gone = Gone(withdrawn(workspace))
            out = gone.twin(sample) if sample_id.endswith("-ar") else gone.english(sample)
            taken = {"bucket": "excluded", "reason": "withdrawn"} if out and not located else {}
            return value | _arabic_side(settings, engine, sample_id, draft, score) | taken
    return value | {"bucket": "pending"}


def _find(workspace: Workspace, english: str) -> tuple[str, Sample]:
    for stage in ("make", "curate", "ingest"):
        for manifest in workspace.manifests(stage):
            for sample in workspace.rows(stage, Sample, "samples", manifest.chunk):
                if sample.id == english:
                    return manifest.chunk, sample
    for manifest in workspace.manifests("make"):
        making = _making(workspace, manifest.chunk, english)
        if making:
            # It was made and fell out: what there is to see of it is its parent.
            return manifest.chunk, _find(workspace, making.parent)[1]
    raise InputError(
        f"no sample {english!r} in {workspace.root}. Ids look like slake-train-1 or slake-train-1-ar; "
        "`bimedv review export` and the report's samples name some."
    )


def _exclusion(workspace: Workspace, chunk: str, english: str) -> Exclusion | None:
    stage = "make" if source_chunk(chunk) != chunk else "curate"
    if not workspace.manifest_path(stage, chunk).exists():
        return None
    rows = workspace.rows(stage, Exclusion, "excluded", chunk)
    return next((row for row in rows if row.sample == english), None)


def _making(workspace: Workspace, chunk: str, english: str) -> Making | None:
    if source_chunk(chunk) == chunk:
        return None
    return next((row for row in workspace.rows("make", Making, "makings", chunk) if english in row.made), None)


def _arabic_side(
    settings: Settings, engine: Engine, sample_id: str, draft: TwinDraft | None, score: Score | None
) -> dict[str, Any]:
    if draft is None:
        return {"bucket": "pending"}
    words = said(engine)
    word = words.decided.get(draft.sample)
    end = fate(draft, score, word, settings.quality, draft.sample in words.disputed)
    # An English sample goes out on its own merits: the twin's fate is not its own.
    own = {"bucket": end.bucket, "reason": end.reason or None} if sample_id.endswith("-ar") else {"bucket": "accepted"}
    return {
        **own,
        "twin": {"state": draft.state, "turns": list(draft.turns), "model": draft.model, "prompt": draft.prompt}
        | {"round": draft.round, "error": draft.error, "bucket": end.bucket},
        "calls": _calls(engine, draft.calls),
        "score": score.model_dump(mode="json") if score else None,
        "decision": word.model_dump(mode="json") if word else None,
    }


def _calls(engine: Engine, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """The ledger's lines of these calls, every attempt of each, in the order in which they were needed."""
    with session(engine) as opened:
        rows = opened.scalars(select(CallRow).where(CallRow.key.in_(keys))).all()
        lines = [
            {"key": row.key, "attempt": row.attempt, "endpoint": row.endpoint, "model": row.model, "state": row.state}
            | {"error": row.error, "prompt_tokens": row.prompt_tokens, "completion_tokens": row.completion_tokens}
            | {"cost_usd": row.cost_usd, "latency_s": row.latency_s, "text": row.text}
            for row in rows
        ]
    return sorted(lines, key=lambda line: (keys.index(str(line["key"])), line["attempt"]))


def trace_text(value: dict[str, Any]) -> str:
    """The walk as a person reads it, oldest step first."""
    source = value["source"]
    lines = [
        f"{value['sample']}: {value['bucket']}" + (f" ({value['reason']})" if value.get("reason") else ""),
        f"source    {Path(source['file']).as_posix()}, record {source['row']} (id {source['record']}, {source['licence']})",
        f"          sha256 of the record {source['sha256'][:16]}",
        *(f"image     {digest[:16]}" for digest in value["images"]),
        *(f"english   {turn['role']}: {_flat(turn['text'])}" for turn in value["english"]),
    ]
    lines += _made_lines(value["made"]) if value.get("made") else []
    lines += _twin_lines(value) if value.get("twin") else []
    place = value["released"]
    lines.append(f"released  {place['release']}/{place['shard']} at byte {place['offset']}" if place else "released  no")
    return "\n".join(lines)


def _twin_lines(value: dict[str, Any]) -> list[str]:
    twin, score, word = value["twin"], value["score"], value["decision"]
    made = f"{twin['model'] or 'no model'}, {twin['prompt']}, round {twin['round']}"
    lines = [f"arabic    {_flat(text)}" for text in twin["turns"]] or [f"arabic    none: {twin['error']}"]
    lines += [f"made by   {made}", *_call_lines(value["calls"])]
    if score:
        number = "none" if score["score"] is None else f"{score['score']:.0f}"
        lines.append(f"score     {number} of 100, {score['verdict']} (scoring {score['version']})")
        lines += [f"finding   {item['severity']} {item['category']}: {item['message']}" for item in score["findings"]]
    if word:
        lines.append(f"decision  {word['verdict']} by {word['reviewer']} at {word['decided_at']} {word['comment']}".rstrip())
    return lines


def _made_lines(made: dict[str, Any]) -> list[str]:
    first = f"made from {made['parent']} by {made['recipe']}: {made['model']}, {made['prompt']}"
    return [first, *_call_lines(made["calls"])]


def _call_lines(calls: list[dict[str, Any]]) -> list[str]:
    return [
        f"call      {call['key'][:16]} #{call['attempt']} {call['endpoint']}: {call['state']}, "
        f"{call['prompt_tokens']} + {call['completion_tokens']} tokens, {call['cost_usd']:.6f} USD"
        for call in calls
    ]


def _flat(text: str) -> str:
    return " / ".join(text.split("\n"))
