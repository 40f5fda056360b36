"""Prompts are files with a version; this turns one and a unit into messages and reads the answer strictly."""

import json
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.workspace import fingerprint
from schemas.quality import Finding

_FOLDER = Path(__file__).parent / "prompts"
PROMPT = "translate-v1"


@dataclass(frozen=True)
class Prompt:
    """One prompt file. `id` names it with the hash of its content."""

    id: str
    system: str
    refine: str
    examples: tuple[tuple[str, str], ...]

    def messages(self, segments: dict[str, str]) -> tuple[dict[str, str], ...]:
        """The request for a translation of labelled segments."""
        shown = [
            {"role": role, "content": content}
            for source, target in self.examples
            for role, content in (("user", source), ("assistant", target))
        ]
        return ({"role": "system", "content": self.system}, *shown, {"role": "user", "content": _json(segments)})

    def again(
        self, segments: dict[str, str], answer: dict[str, str], findings: dict[str, tuple[Finding, ...]]
    ) -> tuple[dict[str, str], ...]:
        """The request to mend a translation: the answer, and what is wrong with it, by label."""
        lines = [f"- {label}: {finding.message}" for label, found in findings.items() for finding in found]
        return (
            *self.messages(segments),
            {"role": "assistant", "content": _json(answer)},
            {"role": "user", "content": self.refine.format(findings="\n".join(lines))},
        )


@lru_cache
def load_prompt(name: str = PROMPT) -> Prompt:
    """The prompt file of that name."""
    raw = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    examples = tuple((_json(item["source"]), _json(item["target"])) for item in raw["examples"])
    return Prompt(f"{name}:{fingerprint(raw)[:12]}", raw["system"].strip(), raw["refine"].strip(), examples)


def schema(labels: tuple[str, ...]) -> dict[str, Any]:
    """Strict JSON schema of an answer: each label once, text as value."""
    properties = {label: {"type": "string"} for label in labels}
    return {"type": "object", "properties": properties, "required": list(labels), "additionalProperties": False}


def parse(text: str, labels: tuple[str, ...]) -> dict[str, str] | str:
    """The Arabic by label, or what is wrong with the answer's form. A fence around the JSON is taken off, nothing else."""
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


def _json(value: dict[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False)
