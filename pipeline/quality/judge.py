"""The judge: a model of another family reads source and Arabic and names errors; our arithmetic makes the number.

In: items of segments with their context. Out: a Judgement each: 0 to 100 and findings, or None and why (law 2: no score).
The points are MQM's (critical 25, major 5, minor 1, for 100 words: Freitag et al. 2021, with one step for critical errors).
"""

import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.llm.answers import Request
from pipeline.llm.client import Asker
from pipeline.llm.outcomes import all_ended, bad, knows_no_schema
from pipeline.quality.gate import Pair, Scored
from pipeline.quality.verdict import Limits, capped, verdict
from pipeline.workspace import fingerprint
from schemas.base import Severity, Verdict
from schemas.quality import Finding, Span
from schemas.translation import Call

PROMPT = "judge-v1"
POINTS: dict[Severity, float] = {"neutral": 0.0, "minor": 1.0, "major": 5.0, "critical": 25.0}
#: A text of fewer words counts as one of so many: for 100 words, a slip in a 3-word answer would be worth 33 points.
_LEAST_WORDS = 20
_ORDER: tuple[Severity, ...] = ("neutral", "minor", "major", "critical")
#: The first reading is the model's likeliest, the others are drawn: at temperature 0 a second one would say the same.
_TEMPERATURE = 0.7
#: Room for an answer: its frame and about two errors a segment, in tokens.
_FRAME_TOKENS, _SEGMENT_TOKENS = 64, 160

Category = Literal[
    "accuracy/mistranslation", "accuracy/omission", "accuracy/addition", "accuracy/untranslated",
    "terminology", "fluency/grammar", "fluency/spelling", "style/register",
]  # fmt: skip


class _Error(BaseModel):
    model_config = ConfigDict(extra="forbid")

    category: Category
    severity: Literal["minor", "major", "critical"]
    source_text: str
    target_text: str
    explanation: str


@dataclass(frozen=True)
class Case:
    """What is judged in one go: labelled segments and what is good to know about them."""

    segments: tuple[tuple[str, Pair], ...]
    context: str = ""

    def labels(self) -> tuple[str, ...]:
        """Labels in order."""
        return tuple(label for label, _ in self.segments)

    def words(self) -> int:
        """Words of the source."""
        return sum(len(pair.source.split()) for _, pair in self.segments)


@dataclass(frozen=True)
class Judgement:
    """The judge's word on one case."""

    score: float | None
    """0 to 100; None when a reading could not be used."""
    findings: tuple[Finding, ...]
    """Spans are of the sample's joined turns, as the gate's (Pair.at)."""
    calls: tuple[str, ...]
    state: Literal["ok", "unusable", "failed"] = "ok"
    error: str = ""


@dataclass(frozen=True)
class Word:
    """What gate and judge say together of one item."""

    score: float | None
    verdict: Verdict
    findings: tuple[Finding, ...]
    judge: float | None
    calls: tuple[str, ...] = ()


class Judge:
    """Reads cases with one client; an endpoint that knows no JSON schema is asked without one from then on."""

    def __init__(self, client: Asker, structured: bool, votes: int, max_tokens: int) -> None:
        self._client, self._structured, self._votes, self._max_tokens = client, structured, votes, max_tokens

    async def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        """One Judgement a case, in order. Raises StoppedError when budget or account are used up."""
        return await all_ended([self._case(case) for case in cases])

    async def _case(self, case: Case) -> Judgement:
        """All readings; none after one that found a critical error, because no other can outweigh it."""
        found: list[Finding] = []
        calls: list[str] = []
        for vote in range(self._votes):
            call = await self._read(case, vote)
            calls.append(call.key)
            if call.state != "ok":
                state, error = bad(call)
                return Judgement(None, tuple(found), tuple(calls), state, error)
            found = worst_of(found, findings_of(case, call.text or ""))
            if any(finding.severity == "critical" for finding in found):
                break
        return Judgement(points(found, case.words()), tuple(found), tuple(calls))

    async def _read(self, case: Case, vote: int) -> Call:
        def fault(text: str) -> str | None:
            parsed = parse(case, text)
            return parsed if isinstance(parsed, str) else None

        asked_with_schema = self._structured
        request = request_for(case, vote, asked_with_schema, self._max_tokens)
        call = await self._client.ask(request, fault)
        if asked_with_schema and knows_no_schema(call):
            self._structured = False
            return await self._read(case, vote)
        return call


def points(findings: Iterable[Finding], words: int) -> float:
    """100 less the points of the errors for each 100 words of the source, 0 at least; one decimal."""
    lost = sum(POINTS[finding.severity] for finding in findings)
    return round(max(0.0, 100.0 - 100.0 * lost / max(words, _LEAST_WORDS)), 1)


def together(scored: Scored, judgement: Judgement | None, limits: Limits) -> Word:
    """The lower of both numbers, under the caps of both. Without a judge the gate's word; a judge without a word is no score.

    A major error that the judge names keeps the score below `accept`, however long the text is that the points are spread over.
    """
    if scored.score is None or judgement is None:
        score = None if scored.score is None else capped(scored.score, scored.findings, limits)
        return Word(score, "review" if score is None else verdict(score, scored.findings, limits), scored.findings, None)
    findings = (*scored.findings, *judgement.findings)
    if judgement.score is None:
        message = f"the judge gave no usable word: {judgement.error}"
        unread = Finding(check="judge", category="unjudged", severity="neutral", message=message[:300])
        return Word(None, "review", (*findings, unread), None, judgement.calls)
    score = min(scored.score, judgement.score)
    major = any(finding.severity == "major" for finding in judgement.findings)
    if major:
        score = min(score, max(0.0, limits.accept - 1))
    score = capped(score, findings, limits)
    word = verdict(score, findings, limits)
    # In words too: with `accept: 0` there is no score below it.
    return Word(score, "refine" if major and word == "accept" else word, findings, judgement.score, judgement.calls)


def joined(parts: Sequence[Judgement], words: int) -> Judgement:
    """The parts of one sample as one: all their errors over all its words; one part without a word leaves none."""
    findings = tuple(finding for part in parts for finding in part.findings)
    calls = tuple(call for part in parts for call in part.calls)
    wrong = next((part for part in parts if part.state == "failed"), None) or next((p for p in parts if p.state != "ok"), None)
    if wrong is not None:
        return Judgement(None, findings, calls, wrong.state, wrong.error)
    return Judgement(points(findings, words), findings, calls)


def worst_of(some: Sequence[Finding], others: Sequence[Finding]) -> list[Finding]:
    """Both readings' findings; what both name (same words, same category) once, with the worse severity."""
    merged = list(some)
    for finding in others:
        twin = next((number for number, known in enumerate(merged) if _same(known, finding)), None)
        if twin is None:
            merged.append(finding)
        elif _ORDER.index(finding.severity) > _ORDER.index(merged[twin].severity):
            merged[twin] = finding
    return merged


def request_for(case: Case, vote: int, structured: bool, max_tokens: int) -> Request:
    """One reading of a case; readings differ in seed, and all but the first are drawn at a temperature."""
    prompt = _prompt()
    shown = {label: {"source": pair.source, "target": pair.target} for label, pair in case.segments}
    content = json.dumps({"context": case.context, "segments": shown}, ensure_ascii=False)
    return Request(
        messages=(
            {"role": "system", "content": f"{prompt['system'].strip()}\n{prompt['json']}"},
            {"role": "user", "content": content},
        ),
        max_tokens=min(max_tokens, _FRAME_TOKENS + _SEGMENT_TOKENS * len(case.segments)),
        temperature=_TEMPERATURE if vote else 0.0,
        seed=vote,
        schema_=schema(case.labels()) if structured else None,
    )


def schema(labels: Sequence[str]) -> dict[str, Any]:
    """Strict JSON schema: every label once, so that no segment is passed over, each with a list of errors."""
    text = {"type": "string"}
    fields = {
        "category": {"type": "string", "enum": list(Category.__args__)},  # type: ignore[attr-defined]
        "severity": {"type": "string", "enum": ["minor", "major", "critical"]},
        "source_text": text, "target_text": text, "explanation": text,
    }  # fmt: skip
    error = {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    lists = {label: {"type": "array", "items": error} for label in labels}
    return {"type": "object", "properties": lists, "required": list(labels), "additionalProperties": False}


def parse(case: Case, text: str) -> dict[str, list[_Error]] | str:
    """Errors by label, or what is wrong with the answer's form. A fence around the JSON is taken off, nothing else."""
    bare = text.strip()
    if bare.startswith("```") and bare.endswith("```"):
        bare = bare.strip("`").removeprefix("json").strip()
    try:
        value = json.loads(bare)
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg} at character {error.pos}"
    if not isinstance(value, dict) or set(value) != set(case.labels()):
        found = sorted(value) if isinstance(value, dict) else type(value).__name__
        return f"keys are {found}, expected {sorted(case.labels())}"
    try:
        return {label: [_Error.model_validate(item) for item in _items(label, value[label])] for label in case.labels()}
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except ValueError as error:
        return str(error)


def findings_of(case: Case, text: str) -> list[Finding]:
    """The errors of an answer that parses, with the places of the words that it quotes."""
    parsed = parse(case, text)
    assert not isinstance(parsed, str), "a call is ok only when its answer parses"
    pairs = dict(case.segments)
    return [_finding(pairs[label], error) for label, errors in parsed.items() for error in errors]


def prompt_id() -> str:
    """Name of the judge's prompt with the hash of its content."""
    return f"{PROMPT}:{fingerprint(_prompt())[:12]}"


def family(model: str) -> str:
    """The family of a model by its name: `meta-llama/Llama-3.1-8B` is llama, `gpt-4o-mini` gpt."""
    found = re.match(r"[a-z]+", model.rpartition("/")[2].lower())
    return found.group() if found else model.lower()


def _items(label: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f"{label} is no list of errors")
    return value


def _finding(pair: Pair, error: _Error) -> Finding:
    return Finding(
        check="judge",
        category=error.category,
        severity=error.severity,
        message=error.explanation.strip()[:300] or "no explanation",
        source_span=_place(pair.source, error.source_text, pair.at[0]),
        target_span=_place(pair.target, error.target_text, pair.at[1]),
    )


def _place(text: str, quoted: str, start: int) -> Span | None:
    """Where quoted words stand; None for words that are not there, as models sometimes mend what they quote."""
    at = text.find(quoted.strip()) if quoted.strip() else -1
    return None if at < 0 else (start + at, start + at + len(quoted.strip()))


def _same(one: Finding, other: Finding) -> bool:
    if one.category != other.category:
        return False
    if one.target_span is None or other.target_span is None:
        return one.target_span == other.target_span and one.source_span == other.source_span
    return one.target_span[0] < other.target_span[1] and other.target_span[0] < one.target_span[1]


@lru_cache
def _prompt() -> dict[str, str]:
    return tomllib.loads((Path(__file__).parent / "prompts" / f"{PROMPT}.toml").read_text(encoding="utf-8"))
