"""The translate stage over one chunk: closed table, memory, ledger, then calls; refine what the gate flags; keep the better.

In: curate/samples. Out: translate/twins, one draft a sample. Lost: nothing; a unit that fails makes a draft that says so,
and a chunk with failed drafts is tried again by the next run (the ledger gives back what was answered).
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Engine

from pipeline.database import open_database
from pipeline.llm.client import CHARS_PER_TOKEN, Client, Request
from pipeline.llm.embedded import Resolved
from pipeline.llm.ledger import Ledger
from pipeline.quality.gate import VERSION as GATE_VERSION
from pipeline.quality.gate import Gate, Pair, Scored
from pipeline.settings import Settings
from pipeline.translate.closed import table
from pipeline.translate.memory import recall
from pipeline.translate.prompt import Prompt, load_prompt, parse, schema
from pipeline.translate.units import assemble, units_of
from pipeline.workspace import ChunkManifest, Workspace, fingerprint, noun_table
from schemas.errors import AccessError
from schemas.quality import Finding
from schemas.sample import Sample
from schemas.translation import Call, Translation, TwinDraft, Unit

VERSION = "1"
STAGE = "translate"
Progress = Callable[[int], None]


def translate_chunk(
    settings: Settings, workspace: Workspace, chunk: str, endpoints: Resolved, progress: Progress | None = None
) -> ChunkManifest:
    """Translate one chunk.

    Raises StoppedError when the budget or the endpoint's account is used up, AccessError when a record may not be sent.
    """
    prompt = load_prompt()
    mark = _fingerprint(settings, workspace, chunk, endpoints, prompt)
    done = workspace.done(STAGE, chunk, mark)
    if done and not done.counts["failed"]:
        return done
    samples = list(workspace.rows("curate", Sample, "samples", chunk))
    units = {unit.key: unit for sample in samples for unit in units_of(sample)}
    engine = open_database(settings.database_url())
    translations = asyncio.run(_translate(settings, engine, endpoints, prompt, units))
    drafts = [assemble(sample, translations) for sample in samples]
    if progress:
        progress(len(drafts))
    failed = sum(draft.state == "failed" for draft in drafts)
    return workspace.write_chunk(STAGE, chunk, mark, {"twins": noun_table(TwinDraft, drafts)}, {"failed": failed})


@dataclass
class _Attempt:
    """A unit's best translation so far."""

    unit: Unit
    fixed: dict[str, str]
    """Arabic by label that no model is asked for: from the memory."""
    text: dict[str, str]
    calls: tuple[str, ...] = ()
    round: int = 0
    state: str = "ok"
    error: str = ""
    scored: Scored | None = None

    def asked(self) -> dict[str, str]:
        """The segments that a model has to translate."""
        return {label: text for label, text in zip(self.unit.labels, self.unit.segments, strict=True) if label not in self.fixed}

    def pairs(self) -> list[Pair]:
        """Source and Arabic of every segment, for the gate."""
        arabic = self.text | self.fixed
        return [Pair(text, arabic[label], label) for label, text in zip(self.unit.labels, self.unit.segments, strict=True)]


class _Translator:
    """The rounds over the units of one chunk."""

    def __init__(self, settings: Settings, client: Client, prompt: Prompt, structured: bool) -> None:
        self._settings = settings.translate
        self._gate = Gate(settings.quality)
        self._client, self._prompt, self._structured = client, prompt, structured

    async def run(self, attempts: list[_Attempt]) -> None:
        """First translations, then refinements of what the gate flags."""
        open_ones = [attempt for attempt in attempts if attempt.asked()]
        await asyncio.gather(*(self._first(attempt) for attempt in open_ones))
        for number in range(1, self._settings.rounds + 1):
            flagged = [a for a in open_ones if a.state == "ok" and a.scored and a.scored.verdict != "accept"]
            if not flagged:
                return
            await asyncio.gather(*(self._refine(attempt, number) for attempt in flagged))

    async def _first(self, attempt: _Attempt) -> None:
        """N candidates (one at temperature 0, or N sampled with their own seeds); the gate's favourite stays."""
        count = self._settings.candidates
        messages = self._prompt.messages(attempt.asked())
        requests = [self._request(attempt, messages, seed, 0.0 if count == 1 else 0.7) for seed in range(count)]
        calls = await asyncio.gather(*(self._ask(attempt, request) for request in requests))
        good = [call for call in calls if call.state == "ok"]
        # A released turn rests on answers that ended well, and on nothing else (law 2).
        attempt.calls = tuple(call.key for call in good or calls)
        if not good:
            attempt.state, attempt.error = _bad(calls[-1])
            return
        self._keep_best(attempt, [_answer(call, attempt) for call in good], 0)

    async def _refine(self, attempt: _Attempt, number: int) -> None:
        findings = _by_label(attempt)
        messages = self._prompt.again(attempt.asked(), attempt.text, findings)
        call = await self._ask(attempt, self._request(attempt, messages, 0, 0.0))
        if call.state == "ok":
            attempt.calls = (*attempt.calls, call.key)
            self._keep_best(attempt, [attempt.text, _answer(call, attempt)], number)

    def _keep_best(self, attempt: _Attempt, texts: list[dict[str, str]], number: int) -> None:
        """The highest score; on a tie the earlier text, so that nothing depends on the order of answers."""
        options = []
        for text in texts:
            attempt.text = text
            options.append(attempt.pairs())
        scores = self._gate.score(options)
        best = max(range(len(texts)), key=lambda index: (scores[index].score or 0.0, -index))
        if number and best == 1:
            attempt.round = number
        attempt.text, attempt.scored = texts[best], scores[best]

    def _request(self, attempt: _Attempt, messages: tuple[dict[str, str], ...], seed: int, temperature: float) -> Request:
        labels = tuple(attempt.asked())
        form = schema(labels) if self._structured else None
        limit = _max_tokens(attempt.asked(), self._settings.max_tokens)
        return Request(messages=messages, max_tokens=limit, temperature=temperature, seed=seed, schema_=form)

    async def _ask(self, attempt: _Attempt, request: Request) -> Call:
        labels = tuple(attempt.asked())

        def fault(text: str) -> str | None:
            parsed = parse(text, labels)
            return parsed if isinstance(parsed, str) else None

        return await self._client.ask(request, fault)


async def _translate(
    settings: Settings, engine: Engine, endpoints: Resolved, prompt: Prompt, units: dict[str, Unit]
) -> dict[str, Translation]:
    endpoint = endpoints.translator
    _check_access(units.values(), endpoint.allows, endpoint.base_url)
    remembered = recall(engine, units.values()) if settings.translate.memory else {}
    attempts = [_attempt(unit, remembered) for unit in units.values()]
    client = Client(endpoint, endpoints.name("translator"), Ledger(engine, settings.translate.budget_usd))
    try:
        await _Translator(settings, client, prompt, endpoint.structured).run(attempts)
    finally:
        await client.close()
    return {attempt.unit.key: _translation(attempt, prompt, endpoint.model) for attempt in attempts}


def _attempt(unit: Unit, remembered: dict[tuple[str, str], str]) -> _Attempt:
    labelled = zip(unit.labels, unit.segments, strict=True)
    fixed = {label: remembered[text, unit.access] for label, text in labelled if (text, unit.access) in remembered}
    return _Attempt(unit=unit, fixed=fixed, text={})


def _check_access(units: Iterable[Unit], allows: tuple[str, ...], address: str) -> None:
    refused = next((unit for unit in units if unit.access not in allows), None)
    if refused:
        raise AccessError(
            f"{refused.corpus} is {refused.access}, and {address} allows {', '.join(allows)}: nothing was sent. "
            f"Add {refused.access} to the endpoint's `allows` if your agreement covers it."
        )


def _translation(attempt: _Attempt, prompt: Prompt, model: str) -> Translation:
    arabic = attempt.text | attempt.fixed
    ok = attempt.state == "ok"
    return Translation.model_validate(
        {
            "unit": attempt.unit.key,
            "state": attempt.state,
            "segments": tuple(arabic[label] for label in attempt.unit.labels) if ok else (),
            "round": attempt.round,
            "model": model if attempt.calls else "memory",
            "prompt": prompt.id if attempt.calls else "memory",
            "calls": attempt.calls,
            "error": attempt.error,
        }
    )


def _bad(call: Call) -> tuple[str, str]:
    """Truncated, refused and unparsed answers go to review; errors of the endpoint are failures, tried again next time."""
    state = "unusable" if call.state in ("truncated", "refused", "invalid") else "failed"
    return state, f"{call.state}: {call.error or ''}".strip()


def _answer(call: Call, attempt: _Attempt) -> dict[str, str]:
    parsed = parse(call.text or "", tuple(attempt.asked()))
    assert not isinstance(parsed, str), "a call is ok only when its answer parses"
    return parsed


def _by_label(attempt: _Attempt) -> dict[str, tuple[Finding, ...]]:
    """The findings, each under the label of the segment that it is about."""
    assert attempt.scored is not None
    found: dict[str, tuple[Finding, ...]] = {}
    for label, findings in zip(attempt.unit.labels, attempt.scored.by_pair, strict=True):
        if findings:
            found[label] = findings
    return found


def _max_tokens(segments: dict[str, str], ceiling: int) -> int:
    """Room for an Arabic text 1.5 times as long (FINDINGS: 99th percentile 1.48), its keys, and no more: it ends loops."""
    chars = sum(len(text) for text in segments.values())
    return min(ceiling, int(24 + 16 * len(segments) + 1.5 * chars / CHARS_PER_TOKEN["ar"]))


def _fingerprint(settings: Settings, workspace: Workspace, chunk: str, endpoints: Resolved, prompt: Prompt) -> str:
    curated = workspace.manifest("curate", chunk).fingerprint
    choices = settings.translate.model_dump(include={"target", "rounds", "candidates", "memory", "mode", "max_tokens"})
    endpoint = [endpoints.name("translator"), endpoints.translator.model, endpoints.translator.structured]
    return fingerprint(VERSION, GATE_VERSION, curated, choices, settings.quality, endpoint, prompt.id, table())
