"""`bimedv translate --estimate`: what a run would take, by source, before anything is sent.

In: the curated samples, the memory, the ledger. Out: units that nobody has paid for yet, requests, tokens by a tokenizer, US
dollars, hours. What the ledger knows of the endpoint (tokens a prompt really had, how often the gate sent a unit back)
takes the place of the assumptions below.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import orjson
from sqlalchemy import Engine, select

from pipeline.database import CallRow, session
from pipeline.llm.answers import Request, cost
from pipeline.llm.embedded import MODEL
from pipeline.llm.ledger import Ledger
from pipeline.llm.tokens import Characters, Tokenizer
from pipeline.quality.judge_estimate import judge_estimate
from pipeline.settings import EMBEDDED, Settings
from pipeline.translate.engine import known_units, unit_chars
from pipeline.translate.glossary import run_glossary
from pipeline.translate.prompt import Ask, Form, Prompt, prompt_for
from pipeline.translate.rounds import Known, first_request
from pipeline.translate.units import units_of
from pipeline.workspace import Workspace, write_atomic
from schemas.errors import InputError
from schemas.translation import Unit

FILE = "estimate.json"
#: Units a source whose prompts are counted; the others are taken to have the same tokens a character.
_COUNTED = 300
#: Calls of the ledger that an assumption gives way to, and how many are looked at.
_ENOUGH, _LOOKED_AT = 30, 2000
#: Errors named in a refinement and the words around them, in tokens.
_WISH_TOKENS = 70
#: Tokens a second of the embedded model on 2 cores with nothing else to do.
_EMBEDDED_READ_S, _EMBEDDED_WRITE_S = 450.0, 41.0
_SECONDS_A_CALL = 2.0


@dataclass(frozen=True)
class _Habits:
    """How an endpoint's calls are. Defaults: a third of the units is refined (experts corrected 27 % of BiMed-MBench,
    REFERENCE.md §1), and Arabic has .35 tokens for each English character (TICO-19 with Gemma's tokenizer)."""

    prompt_factor: float = 1.0
    """Real tokens of a prompt to counted ones."""
    completion: float = 0.0
    completion_per_char: float = 0.35
    """Completion tokens of a call: so many, and so many for each character of English, its JSON included."""
    follow_ups: float = 1 / 3
    """Refinements and repeats for each first request."""
    seconds: float = _SECONDS_A_CALL


#: Units of up to so many characters and longer ones are reckoned apart: a weak model does the short ones badly and is asked
#: again; in the long ones it runs on until its room ends, which is not asked again. Together the estimate was 13 % too high.
_SHORT_CHARS = 120
_SIZES = ("short", "long")
#: Measured on 405 short units of SLAKE (1.95 calls each) and 104 long ones of IU X-ray and SLAKE (2.2): nearly all short answers
#: are refined once; of the long ones three in four are cut off, a third of those is given more room and then parted.
_EMBEDDED_HABITS = {
    "short": _Habits(completion=14.0, completion_per_char=0.16, follow_ups=0.95),
    "long": _Habits(prompt_factor=1.09, completion_per_char=0.87, follow_ups=1.2),
}


@dataclass
class _Tally:
    """The sums of one source's units of one size."""

    units: int = 0
    chars: int = 0
    prompt_chars: int = 0
    counted: int = 0
    counted_chars: int = 0
    counted_tokens: int = 0

    def prompt_tokens(self) -> float:
        return self.prompt_chars * self.counted_tokens / self.counted_chars if self.counted_chars else 0.0


def estimate(settings: Settings, workspace: Workspace, engine: Engine, counter: Tokenizer | Characters) -> dict[str, Any]:
    """Units after closed table, memory and ledger; requests, tokens, US dollars online and in batch, hours; all by source, too.

    What a judge would take stands beside it under `judge`, because it is asked in another stage; None without one.
    Raises InputError when nothing has been curated yet.
    """
    if not workspace.english():
        raise InputError("nothing is curated yet. Run `bimedv run CONFIG --until curate` first; it sends nothing.")
    prompt = prompt_for(settings.endpoints.translator)
    form: Form = "json" if settings.endpoints.translator.structured else "delimited"
    habits = _habits(settings, engine, Ask(prompt, form, {}), counter)
    tallies: dict[str, dict[str, _Tally]] = {}
    for known, request in _unpaid(settings, workspace, engine, prompt, form):
        sizes = tallies.setdefault(known.unit.corpus, {size: _Tally() for size in _SIZES})
        _add(sizes[_size(sum(map(len, known.asked().values())))], known, request, counter)
    rows = {
        name: _summed(_row(settings, tally, habits[size]) for size, tally in sizes.items())
        for name, sizes in sorted(tallies.items())
    }
    return _summed(rows.values()) | {"by_source": rows, "judge": judge_estimate(settings, workspace, counter)}


def keep_estimate(settings: Settings, workspace: Workspace, engine: Engine, counter: Tokenizer | Characters) -> dict[str, Any]:
    """`estimate`, kept beside what was spent before it, so that the report of the run can compare."""
    guess = estimate(settings, workspace, engine, counter)
    value = {"estimate": guess, "before": Ledger(engine).totals(*_translator(settings))}
    write_atomic(workspace.root / FILE, orjson.dumps(value, option=orjson.OPT_INDENT_2))
    return guess


def compared(settings: Settings, workspace: Workspace, engine: Engine) -> dict[str, Any] | None:
    """{name: {"estimate", "actual"}} of the last translation, the translator's calls only; None when none was estimated."""
    path = workspace.root / FILE
    if not path.exists():
        return None
    raw = orjson.loads(path.read_bytes())
    now, before, guess = Ledger(engine).totals(*_translator(settings)), raw["before"], raw["estimate"]
    expected = {"requests": guess["requests"], "prompt_tokens": guess["prompt_tokens"]}
    expected |= {"completion_tokens": guess["completion_tokens"], "cost_usd": guess["usd"]["online"]}
    return {name: {"estimate": value, "actual": now[name] - before[name]} for name, value in expected.items()}


def _unpaid(
    settings: Settings, workspace: Workspace, engine: Engine, prompt: Prompt, form: Form
) -> Iterator[tuple[Known, Request]]:
    """Units that would be asked for, each once with its first request, chunk by chunk."""
    seen: set[str] = set()
    glossary = run_glossary(settings)
    ledger = Ledger(engine)
    _, model = _translator(settings)
    for manifest in workspace.english():
        fresh: dict[str, Unit] = {}
        for sample in workspace.english_rows(manifest.chunk):
            fresh |= {unit.key: unit for unit in units_of(sample, unit_chars(settings)) if unit.key not in seen}
        seen |= fresh.keys()
        asked = [known for known in known_units(settings, engine, prompt, glossary, fresh.values()) if known.asked()]
        requests = [first_request(known, prompt, form, settings.translate) for known in asked]
        keys = [request.key(model) for request in requests]
        paid = ledger.answers(keys)
        yield from ((known, request) for known, request, key in zip(asked, requests, keys, strict=True) if key not in paid)


def _translator(settings: Settings) -> tuple[str, str]:
    """Endpoint and model as the ledger has them."""
    endpoint = settings.endpoints.translator
    return (EMBEDDED, MODEL) if endpoint.base_url == EMBEDDED else (endpoint.base_url, endpoint.model)


def _add(tally: _Tally, known: Known, request: Request, counter: Tokenizer | Characters) -> None:
    chars = sum(len(message["content"]) for message in request.messages)
    tally.units += 1
    tally.chars += sum(map(len, known.asked().values()))
    tally.prompt_chars += chars
    if tally.counted < _COUNTED:
        tally.counted += 1
        tally.counted_chars += chars
        tally.counted_tokens += counter.prompt(request.messages)


def _row(settings: Settings, tally: _Tally, habits: _Habits) -> dict[str, Any]:
    endpoint, candidates = settings.endpoints.translator, settings.translate.candidates
    follow_ups = habits.follow_ups if settings.translate.rounds else 0.0
    first = tally.prompt_tokens() * habits.prompt_factor
    written = tally.units * habits.completion + tally.chars * habits.completion_per_char
    prompt = candidates * first + follow_ups * (first + written + _WISH_TOKENS * tally.units)
    completion = (candidates + follow_ups) * written
    online = cost(endpoint.price, int(prompt), 0, int(completion))
    requests = int((candidates + follow_ups) * tally.units)
    return {
        "units": tally.units,
        "requests": requests,
        "prompt_tokens": int(prompt),
        "completion_tokens": int(completion),
        "usd": {"online": online, "batch": online * endpoint.price.batch},
        "hours": _hours(settings, requests, (int(prompt), int(completion)), habits.seconds),
    }


def _hours(settings: Settings, requests: int, tokens: tuple[int, int], seconds: float) -> float:
    endpoint = settings.endpoints.translator
    if endpoint.base_url == EMBEDDED:
        return (tokens[0] / _EMBEDDED_READ_S + tokens[1] / _EMBEDDED_WRITE_S) / 3600
    limits = [requests * seconds / endpoint.concurrency]
    limits += [requests / endpoint.rpm * 60] if endpoint.rpm else []
    limits += [sum(tokens) / endpoint.tpm * 60] if endpoint.tpm else []
    return max(limits) / 3600


def _summed(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    total: Counter[str] = Counter()
    for row in rows:
        total.update({name: row[name] for name in ("units", "requests", "prompt_tokens", "completion_tokens", "hours")})
        total.update({f"usd_{name}": value for name, value in row["usd"].items()})
    names = ("units", "requests", "prompt_tokens", "completion_tokens", "hours")
    return {name: total[name] for name in names} | {"usd": {"online": total["usd_online"], "batch": total["usd_batch"]}}


def _habits(settings: Settings, engine: Engine, frame: Ask, counter: Tokenizer | Characters) -> dict[str, _Habits]:
    """By size of unit, what the ledger says of this endpoint with this prompt; the assumptions where it says too little."""
    own = settings.endpoints.translator.base_url == EMBEDDED
    name, model = _translator(settings)
    query = select(CallRow.request, CallRow.prompt_tokens, CallRow.completion_tokens, CallRow.latency_s)
    query = query.where(CallRow.endpoint == name, CallRow.model == model, CallRow.prompt_tokens > 0).limit(_LOOKED_AT)
    empty = frame.messages()
    seen = {size: _Seen() for size in _SIZES}
    with session(engine) as opened:
        for request, prompt, completion, latency in opened.execute(query):
            messages = request["messages"]
            if len(messages) >= len(empty) and messages[0]["content"] == empty[0]["content"]:
                # The question stands at the same place in a first request and in all that follow on it.
                chars = _source_chars(messages[len(empty) - 1]["content"], frame.form)
                sized = seen[_size(chars)]
                sized.seconds.append(latency)
                if len(messages) == len(empty):
                    sized.first(chars, prompt, completion)
                    if len(sized.real) <= _ENOUGH:
                        sized.counted.append(counter.prompt(messages))
    assumed = _EMBEDDED_HABITS if own else dict.fromkeys(_SIZES, _Habits())
    return {size: assumed[size] if len(sized.real) < _ENOUGH else sized.habits() for size, sized in seen.items()}


def _size(chars: int) -> str:
    return "short" if chars <= _SHORT_CHARS else "long"


@dataclass
class _Seen:
    """First requests of the ledger for units of one size, one entry each, and the seconds of all."""

    real: list[int] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)
    chars: int = 0
    written: int = 0
    seconds: list[float] = field(default_factory=list)

    def first(self, chars: int, prompt: int, completion: int) -> None:
        """Take note of a first request."""
        self.real.append(prompt)
        self.written += completion
        self.chars += chars

    def habits(self) -> _Habits:
        """What they have in common."""
        firsts = len(self.real)
        return _Habits(
            prompt_factor=sum(self.real[: len(self.counted)]) / max(1, sum(self.counted)),
            completion_per_char=self.written / max(1, self.chars),
            follow_ups=len(self.seconds) / firsts - 1,
            seconds=fmean(self.seconds),
        )


def _source_chars(content: str, form: Form) -> int:
    if form == "json":
        return sum(map(len, orjson.loads(content.split("\n")[-1]).values()))
    return len(content[content.index("<<") :])
