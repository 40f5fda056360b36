"""Which gate a run scores with. In: settings. Out: the gate, with the scorer that the config names."""

from collections.abc import Iterable

from pipeline.access import check_rows
from pipeline.quality.embeddings import EndpointScorer
from pipeline.quality.gate import Gate
from pipeline.settings import Settings
from schemas.sample import Sample
from schemas.translation import Unit


def gate_of(settings: Settings) -> Gate:
    """The gate of a config. With an endpoint's embeddings the texts have to be allowed to go there first (`check_scorer`)."""
    return Gate(settings.quality, scorer=EndpointScorer(settings) if settings.quality.scorer == "endpoint" else None)


def check_scorer(settings: Settings, rows: Iterable[Unit | Sample]) -> None:
    """Raise AccessError when one of the rows may not be seen by the endpoint whose embeddings give the number."""
    if settings.quality.scorer == "endpoint":
        check_rows(settings, rows, "scorer")
