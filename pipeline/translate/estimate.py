"""`bimedv translate --estimate`: what a run would take. Reads the curated samples and the ledger; sends nothing.

Tokens are estimated from characters (client.CHARS_PER_TOKEN); refinement rounds are assumed for a third of the units.
"""

from typing import Any

from pipeline.database import open_database
from pipeline.llm.client import CHARS_PER_TOKEN, cost
from pipeline.settings import EMBEDDED, Settings
from pipeline.translate.memory import recall
from pipeline.translate.prompt import load_prompt
from pipeline.translate.units import units_of
from pipeline.workspace import Workspace
from schemas.errors import InputError
from schemas.sample import Sample
from schemas.translation import Unit

#: Share of units that the gate flags with a good translator; BiMed-MBench's experts corrected 27 % (REFERENCE.md §1).
_REFINED = 1 / 3
#: Arabic characters for an English one (FINDINGS: median .90).
_LENGTH_RATIO = 0.9
_EMBEDDED_TOKENS_S = 62.0
_SECONDS_A_CALL = 2.0


def estimate(settings: Settings, workspace: Workspace) -> dict[str, Any]:
    """Units after closed table and memory, requests, tokens, US dollars online and in batch, hours.

    Raises InputError when nothing has been curated yet.
    """
    units: dict[str, Unit] = {}
    for sample in workspace.rows("curate", Sample, "samples"):
        units.update({unit.key: unit for unit in units_of(sample)})
    if not units and not workspace.manifests("curate"):
        raise InputError("nothing is curated yet. Run `bimedv run CONFIG --until curate` first; it sends nothing.")
    known = recall(open_database(settings.database_url()), units.values()) if settings.translate.memory else {}
    unpaid = [u for u in units.values() if any((text, u.access) not in known for text in u.segments)]
    asked = settings.translate.candidates + (_REFINED if settings.translate.rounds else 0.0)
    chars = sum(len(text) for unit in unpaid for text in unit.segments)
    frame = sum(len(message["content"]) for message in load_prompt().messages({})) / CHARS_PER_TOKEN["ar"]
    prompt = int(asked * (chars / CHARS_PER_TOKEN["en"] + frame * len(unpaid)))
    completion = int(asked * (chars * _LENGTH_RATIO / CHARS_PER_TOKEN["ar"] + 12 * len(unpaid)))
    endpoint = settings.endpoints.translator
    online = cost(endpoint.price, prompt, 0, completion)
    requests = int(asked * len(unpaid))
    return {
        "units": len(unpaid),
        "requests": requests,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "usd": {"online": online, "batch": online * endpoint.price.batch},
        "hours": _hours(settings, requests, prompt + completion, completion),
    }


def _hours(settings: Settings, requests: int, tokens: int, completion: int) -> float:
    endpoint = settings.endpoints.translator
    if endpoint.base_url == EMBEDDED:
        return completion / _EMBEDDED_TOKENS_S / 3600
    limits = [requests * _SECONDS_A_CALL / endpoint.concurrency]
    limits += [requests / endpoint.rpm * 60] if endpoint.rpm else []
    limits += [tokens / endpoint.tpm * 60] if endpoint.tpm else []
    return max(limits) / 3600
