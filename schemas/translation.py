"""Units of translation, calls to endpoints, and what came back."""

from typing import Literal

from schemas.base import Access, Language, Noun, SampleId, Sha256, Task

CallState = Literal["sent", "ok", "retryable", "permanent", "truncated", "refused", "invalid"]
TranslationState = Literal["ok", "unusable", "failed"]


class Unit(Noun):
    """The text that one translation call covers, with the context it needs.

    `key` hashes segments, context, languages and task, not the sample: an exchange that occurs twice is paid once.
    """

    key: Sha256
    source: Language
    target: Language
    task: Task
    labels: tuple[str, ...]
    """What each segment is: question, answer, option, findings, …"""
    segments: tuple[str, ...]
    context: str
    access: Access
    corpus: str


class Call(Noun):
    """One request to an endpoint; written before it is sent (state `sent`) and again when it returns."""

    key: Sha256
    """Hash of messages, model, parameters and schema: the same key with state ok is never sent again."""
    attempt: int
    endpoint: str
    model: str
    state: CallState
    text: str | None = None
    error: str | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    """Provider usage times the price table; while `sent`, the reservation (the most it can cost)."""
    latency_s: float = 0.0


class Translation(Noun):
    """The text kept for one unit, after all rounds."""

    unit: Sha256
    state: TranslationState
    """ok; unusable (truncated, refused or unparsed after all retries: goes to review); failed (endpoint error)."""
    segments: tuple[str, ...]
    """Aligned with the unit's segments; empty when the state is not ok."""
    round: int
    """0 = first translation, n = n-th refinement."""
    model: str
    prompt: str
    """Name and version of the prompt; `closed-table` when no model was asked."""
    calls: tuple[Sha256, ...]
    """Keys in the ledger, in order; empty when the closed table or the memory gave the answer."""
    error: str = ""


class Making(Noun):
    """What one recipe made of one English sample."""

    parent: SampleId
    recipe: str
    state: TranslationState
    """ok; unusable (truncated, refused or unparsed: excluded as `not_made`); failed (endpoint error: tried again)."""
    made: tuple[SampleId, ...]
    """Ids of what came out, each either kept or excluded; one when it is unusable, none when it failed."""
    calls: tuple[Sha256, ...]
    """Keys in the ledger, in order."""
    model: str
    prompt: str
    error: str = ""


class TwinDraft(Noun):
    """The Arabic twin as translated: turns for one sample, assembled from its units."""

    sample: SampleId
    """Id of the English sample."""
    state: TranslationState
    turns: tuple[str, ...]
    """Arabic text of each turn, `<image>` marks in place; empty when the state is not ok."""
    units: tuple[Sha256, ...]
    calls: tuple[Sha256, ...]
    model: str
    prompt: str
    round: int
    error: str = ""
