"""What a recipe is, and how one asks a model. In: a curated sample. Out: a request, and from its answer the turns
that are made.

A prompt is a file with a version; its hash is part of every request's key, so that a changed word asks anew.
"""

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.llm.client import Request
from pipeline.workspace import fingerprint
from schemas.base import Task
from schemas.quality import Finding
from schemas.sample import IMAGE_MARK, Sample

_FOLDER = Path(__file__).parent / "prompts"
#: A model that speaks about its task instead of doing it; a reader of the sample knows of no caption.
_TALK = re.compile(
    r"\b(?:the (?:given|provided|original) (?:question|answer|caption|report|text)|(?:the|this) caption|"
    r"according to the question|as an ai|here (?:is|are) (?:the|your)|rewritten)\b",
    re.I,
)
_OPTION = re.compile(r"^[A-H][.):] \S", re.M)


class Answer(BaseModel):
    """Base of the forms in which a model answers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@dataclass(frozen=True)
class Prompt:
    """One prompt file. `id` names it with the hash of its content."""

    id: str
    system: str
    max_tokens: int
    examples: tuple[tuple[str, str], ...]
    """(what is shown, the answer), both as JSON."""


@dataclass(frozen=True)
class Made:
    """One new sample's text, before it has an id."""

    task: Task
    turns: tuple[tuple[str, str], ...]
    """(role, text); the marks of the parent's images in place."""
    findings: tuple[Finding, ...] = ()
    """What it says that its source does not, or leaves out."""


@dataclass(frozen=True)
class Recipe:
    """One way to make English samples of another. `read` may raise ValueError: the answer has not the right form."""

    name: str
    suffix: str
    """How ids of what it makes end."""
    many: bool
    """One answer gives several samples; their ids are numbered."""
    prompt: str
    """Name of the prompt file, with its version."""
    form: type[Answer]
    takes: Callable[[Sample], bool]
    shown: Callable[[Sample], dict[str, str]]
    read: Callable[[Sample, Any], list[Made]]

    def request(self, sample: Sample, max_tokens: int, structured: bool) -> Request:
        """What is asked about a sample; the schema goes along where the endpoint obeys one."""
        prompt = load_prompt(self.prompt)
        shown = [
            {"role": role, "content": text}
            for pair in prompt.examples
            for role, text in zip(("user", "assistant"), pair, strict=True)
        ]
        question = {"role": "user", "content": json.dumps(self.shown(sample), ensure_ascii=False)}
        return Request(
            messages=({"role": "system", "content": prompt.system}, *shown, question),
            max_tokens=min(prompt.max_tokens, max_tokens),
            seed=0,
            temperature=0.0,
            schema_=schema_of(self.form) if structured else None,
        )

    def parse(self, sample: Sample, text: str) -> list[Made] | str:
        """What the answer makes of a sample, or what is wrong with its form."""
        try:
            return self.read(sample, self.form.model_validate_json(_unfenced(text)))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            return f"{place}: {first['msg']}" if place else first["msg"]
        except ValueError as error:
            return str(error)


@lru_cache
def load_prompt(name: str) -> Prompt:
    """The prompt file of that name."""
    raw = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    pairs = [(item["source"], item["target"]) for item in raw["examples"]]
    return Prompt(
        id=f"{name}:{fingerprint(raw)[:12]}",
        system=raw["system"].strip(),
        max_tokens=raw["max_tokens"],
        examples=tuple((json.dumps(one, ensure_ascii=False), json.dumps(other, ensure_ascii=False)) for one, other in pairs),
    )


@lru_cache
def schema_of(form: type[Answer]) -> dict[str, Any]:
    """Strict JSON schema of an answer: no references, no lengths, which not every endpoint knows."""
    raw = form.model_json_schema()
    return _strict(raw, raw.get("$defs", {}))


def exchange_of(sample: Sample) -> tuple[str, str] | None:
    """Question and answer of a sample that is one exchange, without image marks; None for any other."""
    if [turn.role for turn in sample.turns] != ["user", "assistant"]:
        return None
    question, answer = (turn.text.replace(IMAGE_MARK, "").strip() for turn in sample.turns)
    return None if _OPTION.search(question) else (question, answer)


def marked(sample: Sample, question: str) -> str:
    """A new question with a mark for each of the sample's images before it."""
    return f"{IMAGE_MARK}\n" * len(sample.images) + question


def checked(text: str, most_chars: int) -> str:
    """A text that a model wrote, without blanks around it. Raises ValueError when no sample may say that."""
    plain = text.strip()
    if not plain:
        raise ValueError("a text is empty")
    if IMAGE_MARK in plain or "\n" in plain or _OPTION.match(plain):
        raise ValueError(f"{plain[:60]!r} is not one plain paragraph")
    if len(plain) > most_chars:
        raise ValueError(f"{plain[:60]!r}… has {len(plain)} characters, at most {most_chars} are wanted")
    talk = _TALK.search(plain)
    if talk:
        raise ValueError(f"it speaks about the task ({talk.group()!r}) instead of the image or the patient")
    return plain


def _unfenced(text: str) -> str:
    bare = text.strip()
    return bare.strip("`").removeprefix("json").strip() if bare.startswith("```") and bare.endswith("```") else bare


def _strict(node: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return _strict(named[node["$ref"].rpartition("/")[2]], named)
    if node["type"] == "array":
        return {"type": "array", "items": _strict(node["items"], named)}
    if node["type"] == "object":
        fields = {name: _strict(value, named) for name, value in node["properties"].items()}
        return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    return {"type": node["type"]}
