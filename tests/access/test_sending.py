"""Real sockets: what may not be sent leaves no byte on the wire, on no road that texts can take."""

import ast
import ipaddress
import json
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.access import is_local
from pipeline.database import open_database
from pipeline.llm.embedded import Resolved, opener, probe
from pipeline.llm.governor import forget_all
from pipeline.translate.engine import translate_chunk
from schemas.errors import AccessError
from tests.access.conftest import CANARIES, CHUNK, configured, curated
from tests.access.wire import Wire
from tests.batch_endpoint import BatchEndpoint
from tests.curate.samples import sample
from tests.endpoint import Endpoint, JsonHandler, LoopbackServer
from tests.house.test_house_rules import TREES, _imports
from tests.llm.asking import ask, ask_in_batches, request

BOTH = ("open", "restricted")
SECRET = sample("secret", f"Where is the {CANARIES[0]} nodule?", "In the left lung.", corpus="figure1_cxr", access="restricted")
PLAIN = sample("plain", "Where is the nodule located?", "The nodule is in the right upper lobe.", corpus="slake")
MODES = pytest.mark.parametrize("mode", ["online", "batch"])
ASK = {"online": ask, "batch": ask_in_batches}


@pytest.fixture(autouse=True)
def fresh_governors():
    yield
    forget_all()


@pytest.fixture
def behind(mode):
    """An endpoint for either mode."""
    with BatchEndpoint() if mode == "batch" else Endpoint() as server:
        yield server


def translate(folder, url, *samples, mode="online", **endpoint):
    """The translate stage over these samples."""
    settings = configured(folder, *{each.corpus for each in samples}, base_url=url, max_retries=0, timeout_s=5, **endpoint)
    settings = settings.model_copy(update={"translate": settings.translate.model_copy(update={"mode": mode})})
    workspace, _ = curated(settings.workspace, *samples)
    return translate_chunk(settings, workspace, CHUNK, Resolved(settings.endpoints.translator, None, frozenset()))


@MODES
def test_the_wire_is_far_away_and_can_be_reached(mode, behind, tmp_path):
    """Without this, zero bytes below would prove nothing."""
    with Wire(behind.url) as wire:
        assert not is_local(wire.far)
        manifest = translate(tmp_path, wire.far, PLAIN, mode=mode)
        assert b"Where is the nodule located?" in wire.received
    assert manifest.counts["failed"] == 0


@MODES
@pytest.mark.parametrize("allows", [("open",), BOTH], ids=["not allowed", "allowed but not attested"])
def test_g1_no_adapter_sends_a_byte_of_a_row_that_may_not_go(mode, allows, wire, tmp_path):
    with pytest.raises(AccessError, match=r'Refused: source "figure1_cxr" is restricted data'):
        translate(tmp_path, wire.far, SECRET, mode=mode, allows=allows)
    assert wire.silent


@MODES
def test_g2_a_mixed_chunk_is_refused_before_its_first_call(mode, wire, tmp_path):
    with pytest.raises(AccessError) as told:
        translate(tmp_path, wire.far, PLAIN, SECRET, PLAIN.model_copy(update={"id": "more"}), mode=mode, allows=BOTH)
    assert "slake" not in str(told.value)
    assert wire.silent
    assert not (tmp_path / "work" / "tables" / "translate").exists()


def test_g4_a_row_whose_class_was_edited_by_hand_is_still_its_corpuss(wire, tmp_path):
    with pytest.raises(AccessError, match="figure1_cxr"):
        translate(tmp_path, wire.far, SECRET.model_copy(update={"access": "open"}))
    assert wire.silent


def test_g4_a_row_of_a_corpus_that_was_renamed_in_the_table_is_restricted(wire, tmp_path):
    with pytest.raises(AccessError, match='source "figure2_cxr" is restricted data'):
        translate(tmp_path, wire.far, SECRET.model_copy(update={"access": "open", "corpus": "figure2_cxr"}))
    assert wire.silent


def test_g10_what_a_local_model_left_undone_is_not_finished_by_a_remote_one(endpoint, wire, tmp_path):
    """A chunk with failed drafts is tried again by the next run, whatever endpoint that one names."""
    endpoint.faults = [500] * 9
    left = translate(tmp_path, endpoint.url, SECRET, allows=BOTH)
    assert left.counts["failed"] == 1
    with pytest.raises(AccessError):
        translate(tmp_path, wire.far, SECRET, allows=BOTH)
    assert wire.silent


def test_a_local_model_that_is_allowed_gets_the_text(wired, tmp_path):
    assert translate(tmp_path, wired.near, SECRET, allows=BOTH).counts["failed"] == 0
    assert CANARIES[0].encode() in wired.received


def test_an_attested_host_gets_the_text(office, tmp_path, monkeypatch):
    """The whole way: TLS, the real clock, a signature."""
    certificate = _certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    today = datetime.now(UTC).date()
    with Endpoint() as server:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
        url = server.url.replace("http://127.0.0.1", "https://0.0.0.0")
        days = {"evidence_date": today, "expires": today + timedelta(days=1)}
        path = office.signed(today, base_url=url, **days)
        settings = {"allows": BOTH, "attestation": path}
        with pytest.raises(AccessError, match="approver 'dr-okoro' is not one of the config's `approvers`"):
            translate(tmp_path, url, SECRET, **settings)
        assert server.requests == []
        done = translate(tmp_path, url, SECRET, approvers=office.approvers, **settings)
        assert done.counts["failed"] == 0
        assert CANARIES[0] in json.dumps(server.requests)


class _Moved(JsonHandler):
    """Sends everybody on to the wire."""

    def do_POST(self):
        self.body()
        self.do_GET()

    def do_GET(self):
        self.send(self.server.status, b"", {"Location": self.server.target + self.path.removeprefix("/v1")})


@pytest.fixture(params=[301, 302, 307, 308])
def moved(request, wire):
    """A local server that redirects to the wire."""
    server = LoopbackServer(("127.0.0.1", 0), _Moved)
    server.status, server.target = request.param, wire.near
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@MODES
def test_a_redirect_is_not_followed(mode, moved, wire, tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    (call,) = ASK[mode](moved, engine, [request(CANARIES[0])])
    engine.dispose()
    assert call.state == "permanent"
    assert "it redirects to another address" in call.error
    assert wire.silent


def test_looking_whether_an_endpoint_is_there_follows_no_redirect(moved, wire):
    probe(moved, "endpoints.translator")
    assert wire.silent


@MODES
def test_the_environments_proxy_does_not_see_what_is_meant_for_this_machine(mode, behind, wire, tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, wire.near.removesuffix("/v1"))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    engine = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    (call,) = ASK[mode](behind.url, engine, [request()])
    probe(behind.url, "endpoints.translator")
    assert call.state == "ok"
    assert wire.silent
    ask(behind.url.replace("127.0.0.1", "0.0.0.0"), engine, [request("open")], max_retries=0, timeout_s=2)
    engine.dispose()
    assert not wire.silent, "a remote endpoint is reached over the proxy, as its user wants"


def test_the_counting_of_tokens_reaches_the_embedded_model_without_a_proxy(endpoint, wire, monkeypatch):
    monkeypatch.setenv("http_proxy", wire.near.removesuffix("/v1"))
    monkeypatch.delenv("no_proxy", raising=False)
    with opener(endpoint.url.removesuffix("/v1")).open(f"{endpoint.url}/models", timeout=5) as answer:
        assert answer.status == 200
    assert wire.silent


def test_g5_every_module_that_can_open_a_connection_is_known():
    """One more needs the guard, or a reason why no text of a sample goes through it; then it is written here."""
    libraries = {
        "urllib.request", "http.client", "socket", "requests", "httpx", "httpx2", "aiohttp", "openai", "fsspec", "smtplib",
        "ftplib", "websockets", "huggingface_hub", "datasets", "boto3", "paramiko",
    }  # fmt: skip
    users = {name for name, tree in TREES.items() for module in _imports(tree) if _library(module) & libraries}
    assert users == {
        "pipeline/llm/client.py",  # behind check_rows; the batch client uses its connection
        "pipeline/llm/batch.py",
        "pipeline/quality/embeddings.py",  # behind check_scorer and check_judge, over the connection of client.py
        "pipeline/llm/embedded.py",  # asks for a list of models, of what may be asked; serves on loopback
        "pipeline/llm/tokens.py",  # asks the embedded server
        "pipeline/llm/owner.py",  # the host's name
        "flows/server.py",  # asks Prefect for its health
        "shards/publish.py",  # a release whose terms let it be passed on, or nothing
        "shards/hub.py",  # behind publish.py
        "shards/stream.py",  # reads
    }


def _library(module):
    return {module, module.split(".")[0]}


def test_the_list_above_would_see_a_new_one():
    assert "urllib.request" in set(_imports(ast.parse("import urllib.request")))
    assert _library("openai.types") == {"openai.types", "openai"}


def _certificate(folder):
    """A certificate for 0.0.0.0 with its key, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("0.0.0.0"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "certificate.pem"
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path
