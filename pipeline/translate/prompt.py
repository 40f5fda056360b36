"""Prompts are files with a version; this turns one and a unit into messages, and reads the answer strictly.

Two forms of text go over the wire: a JSON object under a strict schema, and labelled lines for endpoints without schemas.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pipeline.settings import EMBEDDED, EndpointSettings
from pipeline.translate.protect import mask, unmask
from pipeline.workspace import fingerprint
from schemas.quality import Finding

_FOLDER = Path(__file__).parent / "prompts"
_LABEL_LINE = re.compile(r"^<<([a-z0-9_]+)>>[ \t]*$", re.M)

Form = Literal["json", "delimited"]
Messages = tuple[dict[str, str], ...]


@dataclass(frozen=True)
class Prompt:
    """One prompt file. `id` names it with the hash of its content."""

    id: str
    system: str
    forms: dict[Form, str]
    refine: str
    examples: tuple[tuple[dict[str, str], dict[str, str]], ...]
    context: bool
    terms: bool
    similar: bool
    """Whether context, glossary terms and similar reviewed translations are shown."""


@dataclass(frozen=True)
class Ask:
    """What one request is about: the texts by label, and what goes along with them."""

    prompt: Prompt
    form: Form
    texts: dict[str, str]
    context: str = ""
    terms: tuple[tuple[str, str], ...] = ()
    """(English, Arabic) of the glossary."""
    similar: tuple[tuple[str, str], ...] = ()
    """(English, Arabic) of reviewed translations that are nearly this text."""

    def messages(self) -> Messages:
        """The request for a translation."""
        prompt = self.prompt
        shown = [
            {"role": role, "content": _written(text, self.form)}
            for source, target in prompt.examples
            for role, text in (("user", source), ("assistant", target))
        ]
        system = f"{prompt.system}\n{prompt.forms[self.form]}"
        return ({"role": "system", "content": system}, *shown, {"role": "user", "content": self._question()})

    def again(self, answer: dict[str, str], findings: dict[str, Sequence[Finding]]) -> Messages:
        """The request to mend a translation: the answer, and what is wrong with it and where, by label."""
        lines = [f"- {label}: {_named(finding, answer[label])}" for label, found in findings.items() for finding in found]
        return (
            *self.messages(),
            {"role": "assistant", "content": _written(answer, self.form)},
            {"role": "user", "content": self.prompt.refine.format(findings="\n".join(lines))},
        )

    def schema(self) -> dict[str, Any] | None:
        """Strict JSON schema of the answer, each label once with text as value; None for the delimited form."""
        if self.form == "delimited":
            return None
        properties = {label: {"type": "string"} for label in self.texts}
        return {"type": "object", "properties": properties, "required": list(self.texts), "additionalProperties": False}

    def parse(self, text: str) -> dict[str, str] | str:
        """The Arabic by label, addresses back in place, or what is wrong with the answer's form."""
        found = parse(text, tuple(self.texts)) if self.form == "json" else parse_delimited(text, tuple(self.texts))
        sent, table = mask(self.texts)
        return found if isinstance(found, str) else unmask(sent, found, table)

    def _question(self) -> str:
        lines = []
        if self.context and self.prompt.context:
            lines.append(f"context:\n{self.context}")
        if self.terms and self.prompt.terms:
            lines.append("terms: " + "; ".join(f"{english} = {arabic}" for english, arabic in self.terms))
        if self.similar and self.prompt.similar:
            lines.append("reviewed:\n" + "\n".join(f"{english} = {arabic}" for english, arabic in self.similar))
        return "\n".join([*lines, _written(mask(self.texts)[0], self.form)])


def prompt_for(endpoint: EndpointSettings) -> Prompt:
    """The prompt that suits an endpoint: short with examples for the embedded model, the full one for all others."""
    return load_prompt("small-v1" if endpoint.base_url == EMBEDDED else "translate-v2")


@lru_cache
def load_prompt(name: str) -> Prompt:
    """The prompt file of that name."""
    raw = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return Prompt(
        id=f"{name}:{fingerprint(raw)[:12]}",
        system=raw["system"].strip(),
        forms={"json": raw["json"], "delimited": raw["delimited"]},
        refine=raw["refine"].strip(),
        examples=tuple((item["source"], item["target"]) for item in raw["examples"]),
        context=raw["context"],
        terms=raw["terms"],
        similar=raw["similar"],
    )


def parse(text: str, labels: tuple[str, ...]) -> dict[str, str] | str:
    """The Arabic by label from JSON, or its fault. A fence around the JSON is taken off, nothing else."""
    bare = text.strip()
    if bare.startswith("```") and bare.endswith("```"):
        bare = bare.strip("`").removeprefix("json").strip()
    try:
        value = json.loads(bare)
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg} at character {error.pos}"
    if not isinstance(value, dict) or set(value) != set(labels):
        return f"keys are {sorted(value) if isinstance(value, dict) else type(value).__name__}, expected {sorted(labels)}"
    wrong = [label for label in labels if not isinstance(value[label], str) or not value[label].strip()]
    if wrong:
        return f"{wrong[0]} is empty or not text"
    return {label: value[label].strip() for label in labels}


def parse_delimited(text: str, labels: tuple[str, ...]) -> dict[str, str] | str:
    """The Arabic by label from `<<label>>` lines, or its fault: all labels, in order, nothing before the first."""
    parts = _LABEL_LINE.split(text.strip())
    found = tuple(parts[1::2])
    if parts[0].strip():
        return f"text before the first label: {parts[0].strip()[:60]!r}"
    if found != labels:
        return f"labels are {list(found)}, expected {list(labels)}"
    value = dict(zip(found, (part.strip() for part in parts[2::2]), strict=True))
    empty = [label for label in labels if not value[label]]
    return f"{empty[0]} is empty" if empty else value


def _written(texts: dict[str, str], form: Form) -> str:
    if form == "json":
        return json.dumps(texts, ensure_ascii=False)
    return "\n".join(f"<<{label}>>\n{text}" for label, text in texts.items())


def _named(finding: Finding, arabic: str) -> str:
    """A finding with the words that it is about, where it has a span in the Arabic."""
    if finding.target_span is None:
        return finding.message
    start, end = finding.target_span
    return f"{finding.message} («{arabic[start:end]}»)"
