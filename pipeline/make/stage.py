"""The make stage over one chunk of curated samples: ask, check, ask once more with the fault named, curate what was made.

In: curate/samples. Out: make/samples, make/excluded, and make/makings, one row for each recipe and sample. Lost: nothing; what is
refused, cut off, in the wrong form or unfaithful is excluded with its reason. A chunk in which the endpoint failed is gone
through again by the next run: the ledger gives back what was answered, only what failed is asked for anew.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.access import check_rows
from pipeline.curate.decontaminate import Benchmarks
from pipeline.curate.stage import benchmark_files, benchmarks_of, curate_samples
from pipeline.database import open_database
from pipeline.llm.client import Asker
from pipeline.llm.clients import client_for
from pipeline.llm.embedded import Resolved
from pipeline.llm.outcomes import all_ended, bad
from pipeline.make.faithful import version
from pipeline.make.plan import Plan
from pipeline.make.recipe import Made, Recipe, load_prompt
from pipeline.settings import Settings
from pipeline.workspace import ChunkManifest, Workspace, fingerprint, made_chunk, noun_table
from schemas.sample import Exclusion, Sample, Turn, twin_id
from schemas.translation import Call, Making

VERSION = "1"
STAGE = "make"
Progress = Callable[[int], None]
Order = tuple[Recipe, Sample]
#: What a made sample takes over from its parent's notes; what the parent's answer was like is none of its own.
_INHERITED = ("modality", "body_region", "images", "group")


@dataclass
class _Answered:
    """What came of one order before anything is checked against the curation's rules."""

    state: str
    calls: tuple[str, ...]
    """Of the answer that is used."""
    made: list[Made] = field(default_factory=list)
    error: str = ""


@dataclass
class _Chunk:
    """The tables of one chunk."""

    samples: list[Sample] = field(default_factory=list)
    excluded: list[Exclusion] = field(default_factory=list)
    makings: list[Making] = field(default_factory=list)


def make_chunk(
    settings: Settings, workspace: Workspace, chunk: str, plan: Plan, endpoints: Resolved, progress: Progress | None = None
) -> ChunkManifest:
    """Make what the plan orders of one curated chunk; `progress` hears of each of its samples.

    Raises StoppedError when the budget or the endpoint's account is used up, AccessError when a record may not be sent.
    """
    samples = list(workspace.rows("curate", Sample, "samples", chunk))
    orders = list(plan.orders(settings, samples))
    mark = _fingerprint(settings, workspace, chunk, endpoints, [(recipe, plan.id_of(one, recipe, 1)) for recipe, one in orders])
    done = workspace.done(STAGE, made_chunk(chunk), mark)
    if done:
        return done
    check_rows(settings, (sample for _, sample in orders))
    answers = asyncio.run(_ask_all(settings, endpoints, orders)) if orders else []
    rows = _tables(settings, endpoints, plan, list(zip(orders, answers, strict=True)))
    if progress:
        progress(len(samples))
    failed = [f"{row.recipe}:{row.parent}" for row in rows.makings if row.state == "failed"]
    tables = {
        "samples": noun_table(Sample, rows.samples),
        "excluded": noun_table(Exclusion, rows.excluded),
        "makings": noun_table(Making, rows.makings),
    }
    # With failures under another fingerprint: the next run goes through it again, and translation sees that it has changed.
    return workspace.write_chunk(
        STAGE, made_chunk(chunk), fingerprint(mark, failed) if failed else mark, tables, {"failed": len(failed)}
    )


async def _ask_all(settings: Settings, endpoints: Resolved, orders: Sequence[Order]) -> list[_Answered]:
    client = client_for(settings, endpoints, open_database(settings.database_url()))
    structured = endpoints.translator.structured
    try:
        return await all_ended([_answered(client, order, settings.translate.max_tokens, structured) for order in orders])
    finally:
        await client.close()


async def _answered(client: Asker, order: Order, max_tokens: int, structured: bool) -> _Answered:
    """The first answer, or the second when more of that is faithful."""
    recipe, sample = order

    def fault(text: str) -> str | None:
        made = recipe.parse(sample, text)
        return made if isinstance(made, str) else None

    request = recipe.request(sample, max_tokens, structured)
    first = await client.ask(request, fault)
    if first.state != "ok":
        return _bad(first)
    made = _read(order, first)
    wrong = list(dict.fromkeys(finding.message for one in made for finding in one.findings))
    if not wrong:
        return _Answered("ok", (first.key,), made)
    second = await client.ask(request.asked_again(first.text or "", "; ".join(wrong[:8])), fault)
    if second.state in ("retryable", "permanent"):
        return _bad(second)
    better = _read(order, second) if second.state == "ok" else []
    if _faithful(better) > _faithful(made):
        return _Answered("ok", (first.key, second.key), better)
    return _Answered("ok", (first.key,), made)


def _tables(settings: Settings, endpoints: Resolved, plan: Plan, answered: Sequence[tuple[Order, _Answered]]) -> _Chunk:
    """What was made as samples, through the rules of curation; each with what leads back to its parent."""
    benchmarks = benchmarks_of(settings) if answered else Benchmarks(())
    rows = _Chunk()
    for (recipe, parent), answer in answered:
        about = {"made_by": recipe.name, "made_from": parent.id, "made_prompt": load_prompt(recipe.prompt).id}
        about |= {"made_model": endpoints.translator.model, "made_calls": ",".join(answer.calls)}
        names: list[str] = []
        for number, made in enumerate(answer.made, 1):
            names.append(plan.id_of(parent, recipe, number))
            fresh = [_sample(parent, made, names[-1], about)]
            ((sample, reason),) = curate_samples(fresh, settings, {}, benchmarks.hits(fresh))
            if made.findings:
                reason = ("unfaithful", "; ".join(finding.message for finding in made.findings)[:300])
            if reason is None:
                rows.samples.append(sample)
            else:
                rows.excluded.append(_exclusion(parent, names[-1], *reason))
        if answer.state == "unusable":
            names.append(plan.id_of(parent, recipe, 1))
            rows.excluded.append(_exclusion(parent, names[-1], "not_made", answer.error[:300]))
        rows.makings.append(_making(about, answer, names))
    return rows


def _sample(parent: Sample, made: Made, name: str, about: dict[str, str]) -> Sample:
    """Images, split, licence, access and origin are the parent's: what is made of a record is a derivative of it."""
    meta = {key: parent.meta[key] for key in _INHERITED if key in parent.meta} | about
    turns = tuple(Turn.model_validate({"role": role, "text": text}) for role, text in made.turns)
    return parent.model_copy(update={"id": name, "task": made.task, "turns": turns, "pair": twin_id(name), "meta": meta})


def _making(about: dict[str, str], answer: _Answered, names: list[str]) -> Making:
    return Making.model_validate(
        {
            "parent": about["made_from"],
            "recipe": about["made_by"],
            "state": answer.state,
            "made": tuple(names),
            "calls": answer.calls,
            "model": about["made_model"],
            "prompt": about["made_prompt"],
            "error": answer.error,
        }
    )


def _exclusion(parent: Sample, name: str, reason: str, detail: str) -> Exclusion:
    return Exclusion(stage=STAGE, reason=reason, record=parent.record, sample=name, origin=parent.origin, detail=detail)


def _read(order: Order, call: Call) -> list[Made]:
    recipe, sample = order
    made = recipe.parse(sample, call.text or "")
    assert not isinstance(made, str), "a call is ok only when its answer parses"
    return made


def _faithful(made: Iterable[Made]) -> int:
    return sum(not one.findings for one in made)


def _bad(call: Call) -> _Answered:
    state, error = bad(call)
    return _Answered(state, (call.key,), error=error)


def _fingerprint(
    settings: Settings, workspace: Workspace, chunk: str, endpoints: Resolved, ordered: Sequence[tuple[Recipe, str]]
) -> str:
    curated = workspace.manifest("curate", chunk).fingerprint
    asked = [[load_prompt(recipe.prompt).id, name] for recipe, name in ordered]
    # The model, not its address: a server that moved has nothing to do again.
    endpoint = [endpoints.translator.model, endpoints.translator.structured]
    rules = [settings.curate.model_dump(mode="json"), benchmark_files(settings), settings.translate.max_tokens]
    return fingerprint(VERSION, version(), curated, asked, endpoint, rules)
