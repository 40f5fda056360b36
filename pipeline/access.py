"""What may be sent where (law 7): one ruling for each corpus and endpoint, denied by default.

In: settings, the corpora's declarations, a day. Out: rulings, or an AccessError that names corpus, endpoint, what is missing and
what would make it lawful. Nothing is sent or written here, and no flag or environment variable changes an answer.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from pipeline import attestation
from pipeline.settings import EMBEDDED, EndpointSettings, Settings
from pipeline.sources.registry import CORPORA
from schemas.base import Access
from schemas.errors import AccessError
from schemas.sample import Sample
from schemas.translation import Unit

#: From the freest to the strictest; what is derived of several parents has the strictest of their classes.
CLASSES: tuple[Access, ...] = ("open", "credentialed", "restricted")
POLICY = (
    "PhysioNet (24 Sep 2025): the data use agreement prohibits sharing access to the data with third parties, including sending "
    "it through APIs; locally deployed models are strongly recommended; a service must retain nothing, train on nothing and show "
    "nothing to people, and where that cannot be verified it must not be used. https://physionet.org/news/post/llm-responsible-use"
)
#: What names this machine beyond doubt. User names, other spellings of a number and whatever else urllib would forgive do not.
_LOCAL = re.compile(r"https?://(?P<host>localhost|[0-9.]+|\[[0-9a-f:]+\])(?::\d{1,5})?(?:/[^\\\s?#@]*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Ruling:
    """Whether a corpus may be sent to the endpoint of a role."""

    corpus: str
    access: Access
    role: str
    endpoint: str
    allowed: bool
    because: str
    """Of an allowed one what allows it, of a refused one all that is missing."""
    remedy: str = ""
    attestation: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For `bimedv access check --json`."""
        return asdict(self)


def access_of(corpus: str) -> Access:
    """The class that a corpus is declared with; one that nobody has declared is restricted."""
    return CORPORA[corpus].access if corpus in CORPORA else "restricted"


def strictest(*classes: Access) -> Access:
    """The class of what derives from parents of these classes."""
    return max(classes, key=CLASSES.index)


def is_local(base_url: str) -> bool:
    """Whether an address can only be this machine: embedded, `localhost`, or a loopback address written out."""
    if base_url == EMBEDDED:
        return True
    found = _LOCAL.fullmatch(base_url)
    if found is None:
        return False
    host = found["host"].strip("[]").lower()
    try:
        return host == "localhost" or ipaddress.ip_address(host) in _loopback(host)
    except ValueError:
        return False


def rulings(settings: Settings, today: date | None = None) -> list[Ruling]:
    """The ruling for every source and every endpoint that would see its text."""
    names = sorted({source.corpus for source in settings.sources})
    return [ruling(settings, name, role, day=today or _today()) for name in names for role in _roles(settings)]


def ruling(settings: Settings, corpus: str, role: str, claimed: Access = "open", day: date | None = None) -> Ruling:
    """The ruling on one corpus and one role.

    `claimed`: the class that a row carries; the corpus's own counts when it is stricter, so that a row edited by hand gains
    nothing. Without a day, the dates of an attestation are left aside.
    """
    endpoint = _roles(settings)[role]
    access = strictest(claimed, access_of(corpus))
    given, local = endpoint.attestation, is_local(endpoint.base_url)
    missing = [] if access in endpoint.allows else [f"its `allows` ({', '.join(endpoint.allows)}) does not name {access}"]
    if access != "open" and not local:
        if given is None:
            missing.append("the address is not on this machine, and no attestation covers it")
        else:
            wrong = attestation.faults(given, corpus, (endpoint.base_url, endpoint.model), settings.approvers, day)
            missing += [f"attestation {settings.relative(given)}: {fault}" for fault in wrong]
    attested = given if given and access != "open" and not local and not missing else None
    return Ruling(
        corpus=corpus,
        access=access,
        role=role,
        endpoint=endpoint.base_url,
        allowed=not missing,
        because="; ".join(missing) or _because(access, local, settings.relative(attested) if attested else ""),
        remedy=_remedy(corpus, access, endpoint) if missing else "",
        attestation=settings.relative(attested) if attested else None,
    )


def check_endpoints(settings: Settings, today: date | None = None) -> list[Ruling]:
    """The rulings of a config, when all of them allow; one refusal refuses the whole config before anything is sent.

    Raises AccessError (exit 4) that tells all refusals at once.
    """
    found = rulings(settings, today)
    _refuse(found)
    return found


def check_rows(settings: Settings, rows: Iterable[Unit | Sample], role: str = "translator", today: date | None = None) -> None:
    """The same for texts that are about to be sent, by what each of them carries. Raises AccessError."""
    kinds = sorted({(row.corpus, row.access) for row in rows})
    _refuse([ruling(settings, corpus, role, access, today or _today()) for corpus, access in kinds])


def check_own_texts(settings: Settings, access: Access | None, role: str = "judge") -> None:
    """The same for texts of no corpus, such as a file of pairs, under the class that their owner names. Raises AccessError.

    Texts whose owner names none may be anything: they may be read on this machine, and go nowhere else.
    """
    endpoint = _roles(settings)[role]
    if access is None:
        if is_local(endpoint.base_url):
            return
        raise AccessError(
            f"Refused: nobody says what kind of texts these are, and endpoints.{role} ({endpoint.base_url}) is not on this "
            "machine. Say `--access open`, if they are open data.\nNothing was sent or written. See docs/access.md."
        )
    missing = [] if access in endpoint.allows else [f"its `allows` ({', '.join(endpoint.allows)}) does not name {access}"]
    if access != "open" and not is_local(endpoint.base_url):
        missing.append("the address is not on this machine, and an attestation covers corpora only")
    if missing:
        text = f"your texts count as {access} and may not go to endpoints.{role} ({endpoint.base_url}): {'; '.join(missing)}."
        raise AccessError(
            f"Refused: {text} Lawful would be: a model on this machine whose `allows` names {access}, or `--access open`, if the "
            "texts are open data.\nNothing was sent or written. See docs/access.md."
        )


def _refuse(found: list[Ruling]) -> None:
    refused = [each for each in found if not each.allowed]
    if not refused:
        return
    lines = [f"Refused: {refusal_text(each)}" for each in refused]
    if any(each.access == "credentialed" for each in refused):
        lines.append(POLICY)
    raise AccessError("\n".join([*lines, "Nothing was sent or written. See docs/access.md."]))


def refusal_text(refused: Ruling) -> str:
    """Corpus, endpoint, what is missing, what would make it lawful."""
    return (
        f'source "{refused.corpus}" is {refused.access} data and may not go to endpoints.{refused.role} ({refused.endpoint}): '
        f"{refused.because}. {refused.remedy}"
    )


def _roles(settings: Settings) -> dict[str, EndpointSettings]:
    ends = settings.endpoints
    named = {"translator": ends.translator, "judge": ends.judge, "scorer": ends.scorer}
    return {role: endpoint for role, endpoint in named.items() if endpoint is not None}


def _because(access: Access, local: bool, attested: str) -> str:
    if access == "open":
        return "open data goes wherever `allows` has it"
    return "the model is on this machine, and `allows` names the class" if local else f"{attested} covers it"


def _remedy(corpus: str, access: Access, endpoint: EndpointSettings) -> str:
    wanted = ", ".join(name for name in CLASSES if name == access or name in endpoint.allows)
    if access == "open":
        return f"Lawful would be: `allows: [{wanted}]` there, or a config without {corpus}."
    return (
        f"Lawful would be: a model on this machine (`base_url: embedded` or a server on localhost) with `allows: [{wanted}]`, if "
        f"your agreement for {corpus} covers it; an attestation signed by one of the config's `approvers`, with that `allows`; "
        f"or a config without {corpus}."
    )


def _loopback(host: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network("::1/128") if ":" in host else ipaddress.ip_network("127.0.0.0/8")


def _today() -> date:
    return datetime.now(UTC).date()
