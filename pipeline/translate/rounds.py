"""One unit through its rounds: translate, score, refine what the gate flags with the errors named, keep the better.

In: units, what the memory and the glossary know of them. Out: one Translation a unit. Units go on independently of each
other; scores are taken in batches, because the encoder takes 0.4 ms a text in a batch and 3 ms alone.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pipeline.llm.answers import CHARS_PER_TOKEN, loops
from pipeline.llm.client import Asker, Request
from pipeline.llm.outcomes import all_ended, bad, knows_no_schema
from pipeline.quality.gate import Gate, Pair, Scored
from pipeline.quality.verdict import Limits
from pipeline.settings import TranslateSettings
from pipeline.translate.pieces import cut
from pipeline.translate.prompt import Ask, Form, Messages, Prompt
from schemas.quality import Finding
from schemas.translation import Call, Translation, Unit

Texts = dict[str, str]
#: A unit that is cut off is halved this often at most: eighths of a unit that fits the limits by size are loops.
_MAX_SPLITS = 3
_TEMPERATURE = 0.7


@dataclass(frozen=True)
class Known:
    """What is known of a unit before anybody is asked."""

    unit: Unit
    fixed: Texts = field(default_factory=dict)
    """Arabic by label from the memory: no model is asked for it."""
    origin: str = ""
    """Where `fixed` comes from, best first: reviewed, imported."""
    terms: tuple[tuple[str, str], ...] = ()
    similar: tuple[tuple[str, str], ...] = ()

    def asked(self) -> Texts:
        """The segments that a model has to translate."""
        return {label: text for label, text in zip(self.unit.labels, self.unit.segments, strict=True) if label not in self.fixed}

    def ask(self, prompt: Prompt, form: Form) -> Ask:
        """The question for what a model has to translate."""
        return Ask(prompt, form, self.asked(), self.unit.context, self.terms, self.similar)


@dataclass
class _Attempt:
    """A unit's best translation so far."""

    known: Known
    text: Texts
    calls: tuple[str, ...] = ()
    round: int = 0
    state: str = "ok"
    error: str = ""
    scored: Scored | None = None

    def pairs(self, text: Texts) -> list[Pair]:
        """Source and Arabic of every segment, for the gate."""
        arabic = text | self.known.fixed
        unit = self.known.unit
        return [Pair(source, arabic[label], label) for label, source in zip(unit.labels, unit.segments, strict=True)]


class Translator:
    """The rounds over the units of one chunk, with one client."""

    def __init__(self, settings: TranslateSettings, gate: Gate, client: Asker, prompt: Prompt, form: Form) -> None:
        self._settings, self._client, self._prompt, self._form = settings, client, prompt, form
        self._gate, self._scorer = gate, _Scorer(gate)

    async def run(self, units: Sequence[Known], model: str, done: Callable[[Unit], None]) -> list[Translation]:
        """One Translation a unit, in order; `done` hears of each unit as it is finished.

        Raises StoppedError after everything under way has come back and is recorded.
        """

        async def one(known: Known) -> Translation:
            attempt = _Attempt(known, {})
            if known.asked():
                await self._work(attempt)
            done(known.unit)
            return self._translation(attempt, model)

        return await all_ended([one(known) for known in units])

    async def _work(self, attempt: _Attempt) -> None:
        await self._first(attempt)
        for number in range(1, self._settings.rounds + 1):
            if attempt.state != "ok" or attempt.scored is None or attempt.scored.verdict == "accept":
                return
            await self._refine(attempt, number)

    async def _first(self, attempt: _Attempt) -> None:
        """N candidates (one at temperature 0, or N sampled with their own seeds); the gate's favourite stays."""
        count = self._settings.candidates
        ask = attempt.known.ask(self._prompt, self._form)
        temperature = _temperature(count)
        options = await all_ended([self._translated(ask, seed, temperature) for seed in range(count)])
        good = [option for option in options if isinstance(option[0], dict)]
        # A released turn rests on answers that ended well, and on nothing else (law 2).
        attempt.calls = tuple(call.key for _, calls in good or options for call in calls)
        if not good:
            attempt.state, attempt.error = bad(options[-1][1][-1])
            return
        texts = [text for text, _ in good if isinstance(text, dict)]
        if len(texts) == 1 and not self._settings.rounds:
            # Nothing hangs on a score here; the stage `score` gives it its own.
            attempt.text = texts[0]
        else:
            await self._keep_best(attempt, texts, 0)

    async def _translated(self, ask: Ask, seed: int, temperature: float, splits: int = 0) -> tuple[Texts | None, list[Call]]:
        """The Arabic of the texts and the calls it rests on; None with the calls that failed.

        What is cut off although the client gave it more room is asked for in two halves; a loop was not short of room.
        """
        ask, call = await self._send(ask, lambda shown: shown.messages(), (seed, temperature))
        if call.state == "ok":
            return _read(ask, call), [call]
        short = call.state == "truncated" and not loops(call.text or "")
        halves = _halves(ask) if short and splits < _MAX_SPLITS else None
        if halves is None:
            return None, [call]
        (first, first_calls), (second, second_calls) = await all_ended(
            [self._translated(half, seed, temperature, splits + 1) for half in halves]
        )
        if first is None or second is None:
            return None, first_calls if first is None else second_calls
        return _joined(ask, first, second), [*first_calls, *second_calls]

    async def _refine(self, attempt: _Attempt, number: int) -> None:
        findings = _by_label(attempt)
        ask = attempt.known.ask(self._prompt, self._form)
        ask, call = await self._send(ask, lambda shown: shown.again(attempt.text, findings), (0, 0.0))
        if call.state == "ok":
            attempt.calls = (*attempt.calls, call.key)
            await self._keep_best(attempt, [attempt.text, _read(ask, call)], number)

    async def _keep_best(self, attempt: _Attempt, texts: list[Texts], number: int) -> None:
        """The highest score; on a tie the earlier text, so that nothing depends on the order of answers."""
        unit = attempt.known.unit
        line = self._gate.limits(unit.corpus, unit.task)
        scores = await self._scorer.score([attempt.pairs(text) for text in texts], line)
        best = max(range(len(texts)), key=lambda index: (scores[index].score or 0.0, -index))
        if number and best == 1:
            attempt.round = number
        attempt.text, attempt.scored = texts[best], scores[best]

    async def _send(self, ask: Ask, messages: Callable[[Ask], Messages], chance: tuple[int, float]) -> tuple[Ask, Call]:
        """The call, and the Ask that it answers: in labelled lines from then on when the endpoint refuses the JSON schema."""

        def fault(text: str) -> str | None:
            parsed = ask.parse(text)
            return parsed if isinstance(parsed, str) else None

        call = await self._client.ask(_request(ask, messages(ask), self._settings.max_tokens, chance), fault)
        if ask.form == "json" and knows_no_schema(call):
            self._form = "delimited"
            return await self._send(replace(ask, form="delimited"), messages, chance)
        return ask, call

    def _translation(self, attempt: _Attempt, model: str) -> Translation:
        arabic = attempt.text | attempt.known.fixed
        ok = attempt.state == "ok"
        memory = f"memory:{attempt.known.origin}"
        return Translation.model_validate(
            {
                "unit": attempt.known.unit.key,
                "state": attempt.state,
                "segments": tuple(arabic[label] for label in attempt.known.unit.labels) if ok else (),
                "round": attempt.round,
                "model": model if attempt.calls else memory,
                "prompt": self._prompt.id if attempt.calls else memory,
                "calls": attempt.calls,
                "error": attempt.error,
            }
        )


def first_request(known: Known, prompt: Prompt, form: Form, settings: TranslateSettings) -> Request:
    """The first thing that is asked for a unit: an estimate looks it up in the ledger."""
    ask = known.ask(prompt, form)
    return _request(ask, ask.messages(), settings.max_tokens, (0, _temperature(settings.candidates)))


class _Batch:
    """Items that are scored in one go."""

    def __init__(self) -> None:
        self.items: list[list[Pair]] = []
        self.limits: list[Limits] = []
        self.scored: list[Scored] | None = None


class _Scorer:
    """The gate in batches and off the event loop: what comes in while one batch is scored makes the next one."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._turn = asyncio.Lock()
        self._open = _Batch()

    async def score(self, items: list[list[Pair]], line: Limits) -> list[Scored]:
        """One Scored an item, in order, all against the same thresholds."""
        batch = self._open
        start = len(batch.items)
        batch.items += items
        batch.limits += [line] * len(items)
        async with self._turn:
            if batch.scored is None:
                self._open = _Batch()
                batch.scored = await asyncio.to_thread(self._gate.score, batch.items, batch.limits)
        return batch.scored[start : start + len(items)]


def _read(ask: Ask, call: Call) -> Texts:
    parsed = ask.parse(call.text or "")
    assert not isinstance(parsed, str), "a call is ok only when its answer parses"
    return parsed


def _halves(ask: Ask) -> tuple[Ask, Ask] | None:
    """The texts in two requests, each a part of the segments, or of the only segment; None when there is nothing to part."""
    labels = list(ask.texts)
    if len(labels) > 1:
        middle = len(labels) // 2
        parts = [{label: ask.texts[label] for label in group} for group in (labels[:middle], labels[middle:])]
    else:
        text = ask.texts[labels[0]]
        pieces = cut(text, max(1, len(text) // 2 + 1))
        if len(pieces) < 2:
            return None
        first = pieces[0][1]
        parts = [{labels[0]: first}, {labels[0]: text[len(first) + len(pieces[1][0]) :]}]
    return replace(ask, texts=parts[0]), replace(ask, texts=parts[1])


def _joined(ask: Ask, first: Texts, second: Texts) -> Texts:
    """Two halves put together in the order of the labels; the halves of one segment with the source's glue between them."""
    both = first.keys() & second.keys()
    if not both:
        return {label: (first | second)[label] for label in ask.texts}
    (label,) = both
    glue = cut(ask.texts[label], max(1, len(ask.texts[label]) // 2 + 1))[1][0]
    return {label: first[label] + glue + second[label]}


def _by_label(attempt: _Attempt) -> dict[str, Sequence[Finding]]:
    """The findings on what a model wrote, each under the label of its segment."""
    assert attempt.scored is not None
    labelled = zip(attempt.known.unit.labels, attempt.scored.by_pair, strict=True)
    return {label: findings for label, findings in labelled if findings and label not in attempt.known.fixed}


def _request(ask: Ask, messages: Messages, ceiling: int, chance: tuple[int, float]) -> Request:
    """`chance`: seed and temperature."""
    limit = _max_tokens(ask.texts, ceiling)
    return Request(messages=messages, max_tokens=limit, seed=chance[0], temperature=chance[1], schema_=ask.schema())


def _temperature(candidates: int) -> float:
    return 0.0 if candidates == 1 else _TEMPERATURE


def _max_tokens(segments: Texts, ceiling: int) -> int:
    """Room for an Arabic text 1.5 times as long (FINDINGS: 99th percentile 1.48), its keys, and no more: it ends loops."""
    chars = sum(len(text) for text in segments.values())
    return min(ceiling, int(24 + 16 * len(segments) + 1.5 * chars / CHARS_PER_TOKEN["ar"]))
