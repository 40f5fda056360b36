"""Which client a run asks through. In: settings and resolved endpoints. Out: an Asker, online or in batches."""

from typing import Literal

from sqlalchemy import Engine

from pipeline.llm.batch import BatchClient
from pipeline.llm.client import Asker, Client
from pipeline.llm.embedded import Resolved
from pipeline.llm.ledger import Ledger
from pipeline.settings import Settings

Part = Literal["translator", "judge"]


def client_for(settings: Settings, endpoints: Resolved, engine: Engine, role: Part = "translator") -> Asker:
    """The client of an endpoint that the config has; one ledger and one budget for all of them.

    Make and close it in the event loop that uses it.
    """
    endpoint = endpoints.judge if role == "judge" else endpoints.translator
    assert endpoint is not None
    ledger = Ledger(engine, settings.translate.budget_usd)
    kind = BatchClient if settings.translate.mode == "batch" and role not in endpoints.embedded_roles else Client
    return kind(endpoint, endpoints.name(role), ledger)
