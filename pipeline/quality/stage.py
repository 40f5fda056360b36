"""The stage `score`: drafts of one chunk in, one Score for each Arabic twin out.

A draft without text has no score and goes to review (law 2). Segments are turns, line by line where both sides have the lines.
"""

from collections.abc import Callable

from pipeline.quality.gate import VERSION, Gate, Pair, Scored
from pipeline.settings import Settings
from pipeline.workspace import ChunkManifest, Workspace, fingerprint, noun_table
from schemas.base import Verdict
from schemas.quality import Finding, Score
from schemas.sample import IMAGE_MARK, Sample
from schemas.translation import TwinDraft


def score_chunk(
    settings: Settings, workspace: Workspace, chunk: str, progress: Callable[[int], None] | None = None
) -> ChunkManifest:
    """Score the drafts of one chunk. A draft without text has no score and goes to review, or is a failure by its state."""
    mark = fingerprint(
        VERSION, _drafts_digest(workspace, chunk), workspace.english_chunk(chunk).tables["samples"], settings.quality
    )
    done = workspace.done("score", chunk, mark)
    if done:
        return done
    drafts = {draft.sample: draft for draft in workspace.rows("translate", TwinDraft, "twins", chunk)}
    samples = [sample for sample in workspace.english_rows(chunk) if sample.id in drafts]
    items = [_pairs(sample, drafts[sample.id]) for sample in samples]
    scored = Gate(settings.quality).score(items)
    rows = [_row(sample, drafts[sample.id], result) for sample, result in zip(samples, scored, strict=True)]
    if progress:
        progress(len(rows))
    return workspace.write_chunk("score", chunk, mark, {"scores": noun_table(Score, rows)})


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


def _row(sample: Sample, draft: TwinDraft, result: Scored) -> Score:
    if draft.state != "ok":
        message = f"no usable translation: {draft.error or draft.state}"
        gone = Finding(check="translation", category="accuracy/omission", severity="critical", message=message)
        return Score(
            sample=sample.id, score=None, verdict="review", findings=(gone,), similarity=None, judge=None, version=VERSION
        )
    verdict: Verdict = "review" if result.verdict == "refine" else result.verdict
    return Score(
        sample=sample.id,
        score=result.score,
        verdict=verdict,
        findings=result.findings,
        similarity=result.similarity,
        judge=None,
        version=VERSION,
    )


def _drafts_digest(workspace: Workspace, chunk: str) -> str:
    """The drafts themselves: a chunk that is tried again after failures keeps its fingerprint and changes its rows."""
    return workspace.manifest("translate", chunk).tables["twins"]
