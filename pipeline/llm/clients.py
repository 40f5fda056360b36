"""Which client a run asks through. In: settings and resolved endpoints. Out: an Asker, online or in batches."""

from sqlalchemy import Engine

from pipeline.llm.batch import BatchClient
from pipeline.llm.client import Asker, Client
from pipeline.llm.embedded import Resolved
from pipeline.llm.ledger import Ledger
from pipeline.settings import Settings


def client_for(settings: Settings, endpoints: Resolved, engine: Engine) -> Asker:
    """The translator's client. Make and close it in the event loop that uses it."""
    ledger = Ledger(engine, settings.translate.budget_usd)
    kind = BatchClient if settings.translate.mode == "batch" else Client
    return kind(endpoints.translator, endpoints.name("translator"), ledger)
