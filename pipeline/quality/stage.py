"""The stage `score`: drafts of one chunk in, a Score for each Arabic twin out. Checks and encoder, then a judge if there is one.

A draft without text has no score, and a text of which the judge gave no usable word has none: both go to review (law 2).
What the gate rejects is not read by the judge: nothing that it could say would help, and a reading costs money.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from pipeline.access import check_rows
from pipeline.database import open_database
from pipeline.llm.clients import client_for
from pipeline.llm.embedded import Resolved
from pipeline.quality.consistency import mixed_terms
from pipeline.quality.gate import Scored
from pipeline.quality.gates import check_scorer, gate_of
from pipeline.quality.judge import Judge, Judgement, Word, joined, prompt_id, together
from pipeline.quality.segments import cases_of, pairs_of
from pipeline.quality.verdict import limits_for
from pipeline.settings import Settings
from pipeline.translate.glossary import run_glossary
from pipeline.workspace import ChunkManifest, Workspace, fingerprint, noun_table
from schemas.quality import Finding, Score
from schemas.sample import Sample
from schemas.translation import TwinDraft

#: The choices that a score depends on; the others say what becomes of it.
_CHOICES = {"accept", "reject", "by_corpus", "by_task", "votes", "scorer"}


def score_chunk(
    settings: Settings,
    workspace: Workspace,
    chunk: str,
    endpoints: Resolved | None = None,
    progress: Callable[[int], None] | None = None,
) -> ChunkManifest:
    """Score the drafts of one chunk. A draft without text has no score and goes to review, or is a failure by its state.

    A chunk in which the judge's endpoint failed is tried again by the next run; what it has answered is in the ledger.
    Raises StoppedError when budget or account are used up, AccessError when a text may not go to the judge.
    """
    judge, glossary = endpoints.judge if endpoints else None, run_glossary(settings)
    read_by = [judge.model, judge.structured, prompt_id()] if judge else []
    curated, choices = workspace.english_chunk(chunk).tables["samples"], settings.quality.model_dump(include=_CHOICES)
    gate = gate_of(settings)
    mark = fingerprint(gate.version, _drafts_digest(workspace, chunk), curated, choices, read_by, glossary.id)
    done = workspace.done("score", chunk, mark)
    if done and not done.counts.get("failed"):
        return done
    drafts = {draft.sample: draft for draft in workspace.rows("translate", TwinDraft, "twins", chunk)}
    samples = [sample for sample in workspace.english_rows(chunk) if sample.id in drafts]
    check_scorer(settings, samples)
    limits = [limits_for(settings.quality, sample.corpus, sample.task) for sample in samples]
    scored = gate.score([pairs_of(sample, drafts[sample.id]) for sample in samples], limits)
    items = [(sample, drafts[sample.id], result) for sample, result in zip(samples, scored, strict=True)]
    judged = _judged(settings, endpoints, items) if judge else {}
    rows = []
    for (sample, draft, result), line in zip(items, limits, strict=True):
        word = together(result, judged.get(sample.id), line)
        mixed = mixed_terms(glossary, pairs_of(sample, draft))
        rows.append(_row(sample, draft, replace(word, findings=(*word.findings, *mixed)), result.similarity, gate.version))
    if progress:
        progress(len(rows))
    failed = sum(judgement.state == "failed" for judgement in judged.values())
    return workspace.write_chunk("score", chunk, mark, {"scores": noun_table(Score, rows)}, {"failed": failed})


def all_judged(workspace: Workspace) -> bool:
    """Whether there are accepted translations, and a judge has read every one of them."""
    accepted = [score.judge is not None for score in workspace.rows("score", Score, "scores") if score.verdict == "accept"]
    return bool(accepted) and all(accepted)


def _judged(
    settings: Settings, endpoints: Resolved | None, items: Sequence[tuple[Sample, TwinDraft, Scored]]
) -> dict[str, Judgement]:
    """The judge's word by sample, on every translation that the gate has not rejected."""
    assert endpoints is not None and endpoints.judge is not None
    worth = [(sample, draft) for sample, draft, result in items if draft.state == "ok" and result.verdict != "reject"]
    check_rows(settings, (sample for sample, _ in worth), "judge")
    return asyncio.run(_read_all(settings, endpoints, worth)) if worth else {}


async def _read_all(settings: Settings, endpoints: Resolved, worth: Sequence[tuple[Sample, TwinDraft]]) -> dict[str, Judgement]:
    assert endpoints.judge is not None
    cases = [list(cases_of(sample, draft.turns)) for sample, draft in worth]
    client = client_for(settings, endpoints, open_database(settings.database_url()), "judge")
    try:
        judge = Judge(client, endpoints.judge.structured, settings.quality.votes, settings.translate.max_tokens)
        words = iter(await judge.judge([case for part in cases for case in part]))
    finally:
        await client.close()
    return {
        sample.id: joined([next(words) for _ in part], sum(case.words() for case in part))
        for (sample, _), part in zip(worth, cases, strict=True)
    }


def _row(sample: Sample, draft: TwinDraft, word: Word, similarity: float | None, version: str) -> Score:
    if draft.state != "ok":
        message = f"no usable translation: {draft.error or draft.state}"
        gone = Finding(check="translation", category="accuracy/omission", severity="critical", message=message)
        return Score(
            sample=sample.id, score=None, verdict="review", findings=(gone,), similarity=None, judge=None, version=version
        )
    return Score(
        sample=sample.id,
        score=word.score,
        verdict="review" if word.verdict == "refine" else word.verdict,
        findings=word.findings,
        similarity=similarity,
        judge=word.judge,
        judge_calls=word.calls,
        version=version,
    )


def _drafts_digest(workspace: Workspace, chunk: str) -> str:
    """The drafts themselves: a chunk that is tried again after failures keeps its fingerprint and changes its rows."""
    return workspace.manifest("translate", chunk).tables["twins"]
