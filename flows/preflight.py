"""What can be known to go wrong before any work starts: looked at before a Prefect server is, because that takes 4 s.

In: settings and the stages to run. Out: nothing, or all faults at once.
"""

from collections.abc import Callable, Iterator, Sequence

from model.config import load_config
from pipeline.curate.licences import check_endpoints
from pipeline.ingest import benchmark_source
from pipeline.llm.embedded import probe
from pipeline.settings import EMBEDDED, Settings, api_key
from pipeline.sources.registry import check_form, corpus
from schemas.errors import InputError


def check_run(settings: Settings, stages: Sequence[str]) -> None:
    """Raise InputError with every fault found, or AccessError when a corpus may not go to an endpoint (law 7)."""
    faults = []
    for look in _looks(settings, stages):
        try:
            look()
        except InputError as error:
            faults.append(str(error))
    if faults:
        raise InputError("\n".join(faults))
    if _asks(settings, stages):
        check_endpoints(settings)


def _asks(settings: Settings, stages: Sequence[str]) -> bool:
    """Whether a model will be asked."""
    return "translate" in stages or ("make" in stages and bool(settings.make.recipes()))


def _looks(settings: Settings, stages: Sequence[str]) -> Iterator[Callable[[], object]]:
    for source in settings.sources:
        if "ingest" in stages:
            yield lambda source=source: check_form(source.corpus, source.path)  # type: ignore[misc]
        else:
            yield lambda source=source: corpus(source.corpus)  # type: ignore[misc]
    if "curate" in stages:
        for spec in settings.curate.benchmarks:
            yield lambda spec=spec: benchmark_source(settings, spec)  # type: ignore[misc]
    endpoint = settings.endpoints.translator
    if _asks(settings, stages) and endpoint.base_url != EMBEDDED:
        yield lambda: api_key(endpoint)
        yield lambda: probe(endpoint.base_url, "endpoints.translator")
    if "train" in stages and settings.train.preset != "none":
        yield lambda: load_config(settings.train.preset)
