"""BiMed1.3M, whose form nobody has verified: each record is read as what its fields say it is, and what says nothing falls.

Conversations, multiple choice, and question with answer, under the names that such files use. Arabic records are left out
with a reason: this road translates English into Arabic, and owes no twin to what is Arabic already. Derived from MedQA, MedMCQA
and PubMedQA: name their test files under `curate.benchmarks`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.sources.base import Corpus, Draft, Record, dropped, exchange, fault_of, kept, language_of, split_of, text, unparsed
from pipeline.sources.choices import Asked, choice, options_of
from pipeline.sources.parquet import PARQUET
from pipeline.sources.streams import json_records

_TALKS = ("conversations", "conversation", "dialogue", "messages", "chat")
_CHOICES = ("options", "choices")
_QUESTIONS = ("question", "instruction", "prompt", "query")
_ANSWERS = ("answer", "output", "response", "completion")
_LETTERS = ("answer_idx", "answer_key", "label")
_FORMS = (
    ("conversation",), ("dialogue",), ("messages",), ("chat",), ("question", "options"), ("question", "choices"),
    ("question", "answer"), ("instruction", "output"), ("prompt", "response"), ("prompt", "completion"), ("query", "response"),
)  # fmt: skip
_ROLES = {
    "human": "user", "user": "user", "patient": "user", "gpt": "assistant", "assistant": "assistant", "doctor": "assistant",
    "bot": "assistant", "system": "system",
}  # fmt: skip


def _read(path: Path) -> Iterator[Record]:
    split = split_of(path)
    for row, raw in json_records(path):
        yield _record(raw, row, split) if isinstance(raw, dict) else unparsed(row)


def _record(raw: dict[str, Any], row: int, split: str | None) -> Record:
    name = text(raw, "id") or f"row-{row}"
    language = language_of(_words(raw))
    if language != "en":
        return dropped(raw, row, name, "other_language", f"the record is in {language!r}", language)
    talk = next((raw[key] for key in _TALKS if isinstance(raw.get(key), list)), None)
    if talk is not None:
        return _talk(raw, row, name, talk, split)
    question, answer = _first(raw, _QUESTIONS), _first(raw, _ANSWERS)
    options = next((raw[key] for key in _CHOICES if raw.get(key)), None)
    if options is not None:
        asked = Asked(question=question, options=options_of(options), letter=_first(raw, _LETTERS), answer=answer)
        return choice(raw, row, name, asked, split)
    if not set(raw) & {*_QUESTIONS, "input"} or not set(raw) & set(_ANSWERS):
        return dropped(raw, row, name, "missing_field", f"no form is known with the fields {', '.join(sorted(raw))}"[:300])
    question = "\n".join(part for part in (question, text(raw, "input")) if part)
    fault = fault_of(question, answer)
    return dropped(raw, row, name, fault) if fault else kept(raw, row, name, exchange("text_qa", question, answer), split=split)


def _talk(raw: dict[str, Any], row: int, name: str, talk: list[Any], split: str | None) -> Record:
    turns = tuple(_turn(turn) for turn in talk)
    roles = [role for role, _ in turns if role != "system"]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        return dropped(raw, row, name, "invalid_turns", f"roles are {[role or '?' for role in roles][:8]}")
    silent = next((role for role, words in turns if not words), None)
    if silent:
        return dropped(raw, row, name, "empty_answer" if silent == "assistant" else "empty_question")
    return kept(raw, row, name, Draft(task="conversation", turns=turns), split=split)


def _turn(turn: object) -> tuple[str, str]:
    if not isinstance(turn, Mapping):
        return "", ""
    role = _first(turn, ("from", "role", "speaker")).lower()
    return _ROLES.get(role, ""), _first(turn, ("value", "content", "text", "utterance"))


def _first(raw: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return next((found for key in keys if (found := text(raw, key))), "")


def _words(value: object, depth: int = 4) -> str:
    """All text of a record, without the names of its fields, which are English in any language."""
    if isinstance(value, str):
        return value
    if not depth or not isinstance(value, Mapping | list):
        return ""
    return " ".join(_words(one, depth - 1) for one in (value.values() if isinstance(value, Mapping) else value))


BIMED = Corpus(
    name="bimed",
    title="BiMed1.3M: English and Arabic medical instructions; the English ones",
    tasks=("conversation", "mcq", "text_qa"),
    layout="JSON, JSON Lines or Parquet; without `corpus:` known by `bimed` in its name; the form is told from the fields",
    fields="conversations, messages, ... with from/value or role/content; question, options, answer; instruction, input, output",
    fingerprint=("conversations",),
    forms=(*_FORMS, *((*form, PARQUET) for form in (("conversations",), *_FORMS))),
    by_name=True,
    licence="CC-BY-NC-SA-4.0",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Pieri et al., BiMediX, 2024",
    counts="about 1.3 million instructions, a third of them English",
    read=_read,
)
