"""What can be known to go wrong before any work starts: looked at before a Prefect server is, because that takes 4 s.

In: settings and the stages to run. Out: nothing, or all faults at once.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence

from model.config import load_config
from pipeline.access import POLICY, Ruling, check_endpoints, rulings
from pipeline.ingest import benchmark_source
from pipeline.llm.embedded import MODEL, probe
from pipeline.settings import EMBEDDED, Settings, api_key
from pipeline.sources.registry import check_form, corpus
from schemas.errors import InputError

log = logging.getLogger("bimedv")


def check_run(settings: Settings, stages: Sequence[str]) -> None:
    """Raise InputError with every fault found, or AccessError when a corpus may not go to an endpoint (law 7)."""
    faults = _faults(_looks(settings, stages))
    found = rulings(settings) if _asks(settings, stages) else []
    if all(each.allowed for each in found):
        for each in found:
            _tell(each)
        # An endpoint that may not see the records is not even asked whether it is there.
        faults += _faults(_calls(settings)) if found else []
    if faults:
        raise InputError("\n".join(faults))
    if found:
        check_endpoints(settings)
    _warn_of_relatives(settings)


def _faults(looks: Iterable[Callable[[], object]]) -> list[str]:
    faults = []
    for look in looks:
        try:
            look()
        except InputError as error:
            faults.append(str(error))
    return faults


def _tell(found: Ruling) -> None:
    """What goes out under an attestation is said each time, with the rule that it stands under."""
    if found.attestation:
        log.warning("%s (%s) goes to endpoints.%s (%s): %s. %s",
                    found.corpus, found.access, found.role, found.endpoint, found.because, POLICY)  # fmt: skip


def _warn_of_relatives(settings: Settings) -> None:
    """A judge of the translator's family has learnt from the same texts: it misses the same errors and likes the same style."""
    translator, judge = settings.endpoints.translator, settings.endpoints.judge
    if judge is None:
        return
    from pipeline.quality.judge import family  # with the SDK behind it, .85 s that the stages before need not wait for

    names = [MODEL if each.base_url == EMBEDDED else each.model for each in (translator, judge)]
    if family(names[0]) == family(names[1]):
        log.warning("the judge (%s) is of the translator's family (%s): it will miss what that one misses. Name another one "
                    "under endpoints.judge.", names[1], names[0])  # fmt: skip


def _calls(settings: Settings) -> Iterator[Callable[[], object]]:
    for role, endpoint in settings.endpoints:
        if endpoint is not None and endpoint.base_url != EMBEDDED:
            yield lambda endpoint=endpoint: api_key(endpoint)  # type: ignore[misc]
            yield lambda role=role, endpoint=endpoint: probe(endpoint.base_url, f"endpoints.{role}")  # type: ignore[misc]


def _asks(settings: Settings, stages: Sequence[str]) -> bool:
    """Whether a model will be asked."""
    judged = "score" in stages and settings.endpoints.judge is not None
    return "translate" in stages or judged or ("make" in stages and bool(settings.make.recipes()))


def _looks(settings: Settings, stages: Sequence[str]) -> Iterator[Callable[[], object]]:
    for source in settings.sources:
        if "ingest" in stages:
            yield lambda source=source: check_form(source.corpus, source.path)  # type: ignore[misc]
        else:
            yield lambda source=source: corpus(source.corpus)  # type: ignore[misc]
    if "curate" in stages:
        for spec in settings.curate.benchmarks:
            yield lambda spec=spec: benchmark_source(settings, spec)  # type: ignore[misc]
    if "train" in stages and settings.train.preset != "none":
        yield lambda: load_config(settings.train.preset)
