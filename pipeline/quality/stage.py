"""The stage `score`: drafts of one chunk in, a Score for each Arabic twin out. Checks and encoder, then the judge if there is one.

A draft without text has no score, and a text of which the judge gave no usable word has none: both go to review (law 2).
What the gate rejects is not read by the judge: nothing that it could say would help, and a reading costs money.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from pipeline.access import check_rows
from pipeline.database import open_database
from pipeline.llm.clients import client_for
from pipeline.llm.embedded import Resolved
from pipeline.quality.gate import VERSION, Gate, Pair, Scored
from pipeline.quality.judge import Case, Judge, Judgement, Word, joined, prompt_id, together
from pipeline.quality.verdict import limits_for, verdict
from pipeline.settings import Settings
from pipeline.workspace import ChunkManifest, Workspace, fingerprint, noun_table
from schemas.quality import Finding, Score
from schemas.sample import IMAGE_MARK, Sample
from schemas.translation import TwinDraft

#: Of one case: its English characters and segments, at most, and what is shown of the turn before it.
_CASE_CHARS, _CASE_SEGMENTS, _BEFORE_CHARS = 4000, 8, 300
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
    judge = endpoints.judge if endpoints else None
    read_by = [judge.model, judge.structured, prompt_id()] if judge else []
    curated, choices = workspace.english_chunk(chunk).tables["samples"], settings.quality.model_dump(include=_CHOICES)
    mark = fingerprint(VERSION, _drafts_digest(workspace, chunk), curated, choices, read_by)
    done = workspace.done("score", chunk, mark)
    if done and not done.counts.get("failed"):
        return done
    drafts = {draft.sample: draft for draft in workspace.rows("translate", TwinDraft, "twins", chunk)}
    samples = [sample for sample in workspace.english_rows(chunk) if sample.id in drafts]
    scored = Gate(settings.quality).score([_pairs(sample, drafts[sample.id]) for sample in samples])
    items = [(sample, drafts[sample.id], result) for sample, result in zip(samples, scored, strict=True)]
    judged = _judged(settings, endpoints, items) if judge else {}
    rows = []
    for sample, draft, result in items:
        word = together(result, judged.get(sample.id), limits_for(settings.quality, sample.corpus, sample.task))
        rows.append(_row(sample, draft, word, result.similarity))
    if progress:
        progress(len(rows))
    failed = sum(judgement.state == "failed" for judgement in judged.values())
    return workspace.write_chunk("score", chunk, mark, {"scores": noun_table(Score, rows)}, {"failed": failed})


def _judged(
    settings: Settings, endpoints: Resolved | None, items: Sequence[tuple[Sample, TwinDraft, Scored]]
) -> dict[str, Judgement]:
    """The judge's word by sample, on every translation that the gate has not rejected."""
    assert endpoints is not None and endpoints.judge is not None
    worth = [(sample, draft) for sample, draft, result in items if draft.state == "ok" and _worth(settings, sample, result)]
    check_rows(settings, (sample for sample, _ in worth), "judge")
    return asyncio.run(_read_all(settings, endpoints, worth)) if worth else {}


def _worth(settings: Settings, sample: Sample, result: Scored) -> bool:
    limits = limits_for(settings.quality, sample.corpus, sample.task)
    return result.score is not None and verdict(result.score, result.findings, limits) != "reject"


async def _read_all(settings: Settings, endpoints: Resolved, worth: Sequence[tuple[Sample, TwinDraft]]) -> dict[str, Judgement]:
    assert endpoints.judge is not None
    cases = [list(_cases(sample, draft)) for sample, draft in worth]
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


def _cases(sample: Sample, draft: TwinDraft) -> Iterator[Case]:
    """A sample's turns in cases that an answer has room for. The same exchange of two samples is the same case, paid once."""
    about = f"task: {sample.task}"
    group: list[tuple[str, Pair]] = []
    before, at = "", (0, 0)
    for turn, arabic in zip(sample.turns, draft.turns, strict=True):
        pair = Pair(turn.text, arabic, "question" if turn.role == "user" else "answer", at)
        size = sum(len(known.source) for _, known in group) + len(pair.source)
        if group and (size > _CASE_CHARS or len(group) == _CASE_SEGMENTS):
            yield Case(tuple(group), f"{about}{before}")
            before, group = f"\nbefore: {group[-1][1].source[-_BEFORE_CHARS:]}", []
        group.append((f"{pair.kind}_{len(group) + 1}", pair))
        at = _behind(at, turn.text, arabic)
    yield Case(tuple(group), f"{about}{before}")


def _pairs(sample: Sample, draft: TwinDraft) -> list[Pair]:
    if draft.state != "ok":
        return []
    pairs: list[Pair] = []
    at = (0, 0)
    for turn, arabic in zip(sample.turns, draft.turns, strict=True):
        pairs += _lines(Pair(turn.text, arabic, "question" if turn.role == "user" else "answer", at))
        at = _behind(at, turn.text, arabic)
    return pairs


def _lines(turn: Pair) -> list[Pair]:
    """A turn line by line where both have the same lines: a wrong option does not hide behind three right ones."""
    english, arabic = turn.source.split("\n"), turn.target.split("\n")
    if len(english) != len(arabic):
        return [turn]
    pairs: list[Pair] = []
    at = turn.at
    for one, other in zip(english, arabic, strict=True):
        if one.strip() != other.strip() or one.strip() not in {"", IMAGE_MARK}:
            pairs.append(Pair(one, other, turn.kind, at))
        at = _behind(at, one, other)
    return pairs


def _behind(at: tuple[int, int], source: str, target: str) -> tuple[int, int]:
    return at[0] + len(source) + 1, at[1] + len(target) + 1


def _row(sample: Sample, draft: TwinDraft, word: Word, similarity: float | None) -> Score:
    if draft.state != "ok":
        message = f"no usable translation: {draft.error or draft.state}"
        gone = Finding(check="translation", category="accuracy/omission", severity="critical", message=message)
        return Score(
            sample=sample.id, score=None, verdict="review", findings=(gone,), similarity=None, judge=None, version=VERSION
        )
    return Score(
        sample=sample.id,
        score=word.score,
        verdict="review" if word.verdict == "refine" else word.verdict,
        findings=word.findings,
        similarity=similarity,
        judge=word.judge,
        judge_calls=word.calls,
        version=VERSION,
    )


def _drafts_digest(workspace: Workspace, chunk: str) -> str:
    """The drafts themselves: a chunk that is tried again after failures keeps its fingerprint and changes its rows."""
    return workspace.manifest("translate", chunk).tables["twins"]
