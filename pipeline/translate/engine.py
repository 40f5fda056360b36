"""The translate stage over one chunk: closed table, memory, ledger, then calls; the rounds are in `rounds`.

In: English samples, curated or made. Out: translate/twins, one draft a sample. Lost: nothing; a unit that fails makes a draft
that says so.
A chunk with failed drafts is tried again by the next run: its good drafts stay, the others are asked for anew.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import Engine

from pipeline.access import check_rows
from pipeline.database import open_database
from pipeline.llm.clients import client_for
from pipeline.llm.embedded import Resolved
from pipeline.quality.gate import VERSION as GATE_VERSION
from pipeline.quality.gates import check_scorer, gate_of
from pipeline.settings import Settings
from pipeline.translate.closed import table
from pipeline.translate.glossary import Glossary, run_glossary
from pipeline.translate.memory import Hit, Neighbours, exact
from pipeline.translate.prompt import Form, Prompt, prompt_for
from pipeline.translate.rounds import Known, Translator
from pipeline.translate.units import assemble, units_of
from pipeline.workspace import ChunkManifest, Workspace, fingerprint, noun_table
from schemas.base import Access
from schemas.translation import Translation, TwinDraft, Unit

VERSION = "2"
STAGE = "translate"
Progress = Callable[[int], None]
#: A unit's Arabic takes .35 tokens a character in the middle and .74 at the 99th percentile: this fills two thirds of the room.
_CHARS_PER_MAX_TOKEN = 1.5


def translate_chunk(
    settings: Settings, workspace: Workspace, chunk: str, endpoints: Resolved, progress: Progress | None = None
) -> ChunkManifest:
    """Translate one chunk; `progress` hears of each sample as its last unit is done.

    Raises StoppedError when the budget or the endpoint's account is used up, AccessError when a record may not be sent.
    """
    prompt, glossary = prompt_for(settings.endpoints.translator), run_glossary(settings)
    mark = _fingerprint(settings, workspace, chunk, endpoints, (prompt, glossary))
    done = workspace.done(STAGE, chunk, mark)
    if done and not done.counts["failed"]:
        return done
    kept = _good_drafts(workspace, chunk) if done else {}
    room = unit_chars(settings)
    samples = list(workspace.english_rows(chunk))
    owed = [sample for sample in samples if sample.id not in kept]
    parts = {sample.id: units_of(sample, room) for sample in owed}
    units = {unit.key: unit for each in parts.values() for unit in each}
    check_rows(settings, units.values())
    check_scorer(settings, units.values())
    engine = open_database(settings.database_url())
    known = list(known_units(settings, engine, prompt, glossary, units.values()))
    count = _Count(parts, progress)
    translations = asyncio.run(_translate(settings, engine, endpoints, known, count.done))
    drafts = [kept.get(sample.id) or assemble(sample, translations, room) for sample in samples]
    if progress:
        progress(len(kept))
    failed = sum(draft.state == "failed" for draft in drafts)
    return workspace.write_chunk(STAGE, chunk, mark, {"twins": noun_table(TwinDraft, drafts)}, {"failed": failed})


def unit_chars(settings: Settings) -> int:
    """Characters of English that a unit has at most: what fits into `translate.max_tokens` of Arabic."""
    return int(settings.translate.max_tokens * _CHARS_PER_MAX_TOKEN)


async def _translate(
    settings: Settings, engine: Engine, endpoints: Resolved, known: list[Known], done: Callable[[Unit], None]
) -> dict[str, Translation]:
    endpoint = endpoints.translator
    client = client_for(settings, endpoints, engine)
    form: Form = "json" if endpoint.structured else "delimited"
    translator = Translator(settings.translate, gate_of(settings), client, prompt_for(settings.endpoints.translator), form)
    try:
        translations = await translator.run(known, endpoint.model, done)
    finally:
        await client.close()
    return {translation.unit: translation for translation in translations}


def known_units(settings: Settings, engine: Engine, prompt: Prompt, glossary: Glossary, units: Iterable[Unit]) -> Iterator[Known]:
    """Each unit with what memory and glossary know of it; looked up once, so that all its requests see the same."""
    units = list(units)
    hits: dict[tuple[str, str], Hit] = exact(engine, units) if settings.translate.memory else {}
    near: dict[Access, Neighbours] = {}
    for unit in units:
        fixed = {
            label: hits[text, unit.access]
            for label, text in zip(unit.labels, unit.segments, strict=True)
            if (text, unit.access) in hits
        }
        known = Known(
            unit=unit,
            fixed={label: hit.target for label, hit in fixed.items()},
            origin=min((hit.origin for hit in fixed.values()), key=["reviewed", "imported", "machine"].index, default=""),
        )
        asked = known.asked()
        text = "\n".join(asked.values())
        terms = tuple((term.en, term.ar) for term in glossary.slice_for(text)) if prompt.terms and asked else ()
        if prompt.similar and settings.translate.memory and unit.access not in near:
            near[unit.access] = Neighbours(engine, unit.access)
        shown = (
            [hit for part in asked.values() for hit in near[unit.access].similar(part, limit=2)] if unit.access in near else []
        )
        yield Known(known.unit, known.fixed, known.origin, terms, tuple((hit.source, hit.target) for hit in shown))


class _Count:
    """Samples that are done: those whose last unit has just come back, and at once those that have none."""

    def __init__(self, parts: dict[str, list[Unit]], progress: Progress | None) -> None:
        self._progress = progress or (lambda _: None)
        self._open: dict[str, int] = {}
        self._owners: dict[str, list[str]] = {}
        for name, units in parts.items():
            keys = {unit.key for unit in units}
            self._open[name] = len(keys)
            for key in keys:
                self._owners.setdefault(key, []).append(name)
        self._progress(sum(count == 0 for count in self._open.values()))

    def done(self, unit: Unit) -> None:
        """Take note of a finished unit."""
        for name in self._owners.get(unit.key, ()):
            self._open[name] -= 1
            if not self._open[name]:
                self._progress(1)


def _good_drafts(workspace: Workspace, chunk: str) -> dict[str, TwinDraft]:
    """Drafts of an earlier run that need not be made again."""
    return {draft.sample: draft for draft in workspace.rows(STAGE, TwinDraft, "twins", chunk) if draft.state != "failed"}


def _fingerprint(
    settings: Settings, workspace: Workspace, chunk: str, endpoints: Resolved, shown: tuple[Prompt, Glossary]
) -> str:
    prompt, glossary = shown
    english = workspace.english_chunk(chunk).fingerprint
    choices = settings.translate.model_dump(include={"target", "rounds", "candidates", "memory", "max_tokens"})
    # The model, not its address: a server that moved has nothing to do again.
    endpoint = [endpoints.translator.model, endpoints.translator.structured]
    terms = glossary.id if prompt.terms else ""
    return fingerprint(VERSION, GATE_VERSION, english, choices, settings.quality, endpoint, prompt.id, terms, table())
