"""Attestations: a signed statement that an endpoint outside this machine may see the records of named corpora (law 7).

In: a YAML file, the approvers' public keys from the config, a day. Out: what is missing for it to count, nothing when it counts.
The signature covers every field; the config, not the file, says whose signature it has to be.
"""

import base64
import os
import stat
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import orjson
import yaml
from pydantic import BaseModel, ConfigDict, StrictBool, StringConstraints, ValidationError

from pipeline.workspace import write_atomic
from schemas.errors import InputError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
EVIDENCE_DAYS = 90
"""Evidence of how a provider handles data is read again after a quarter: terms change."""
LONGEST_DAYS = 366
_PREFIX = "ed25519:"
#: Signed before the content, so that no other text that the key may sign can be taken for an attestation.
_PURPOSE = b"bimedv attestation 1\n"
_SIGNED_LAST = ("approver_key", "signature")
_WANTED = {"zero_data_retention": True, "training": False, "human_review": False}


class Attestation(BaseModel):
    """What an approver vouches for. Unknown fields are refused: whatever stands in the file is under the signature."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    datasets: tuple[Text, ...]
    """Names of corpora."""
    dua_version: Text
    """Of the data use agreement that the user has signed."""
    user: Text
    """Who holds the access, by the name that the data's owner knows."""
    provider: Text
    base_url: Text
    model: Text
    zero_data_retention: StrictBool
    training: StrictBool
    human_review: StrictBool
    evidence: Text
    """Address or document that shows the three above."""
    evidence_date: date
    """The day it was read."""
    requester: Text
    approver: Text
    expires: date
    approver_key: str = ""
    signature: str = ""


def read(path: Path) -> tuple[Attestation | None, list[str]]:
    """The statement of a file, or why it is none: every fault with its field."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        return None, [f"it cannot be read ({error.strerror})"]
    except (yaml.YAMLError, UnicodeDecodeError):
        return None, ["it is not YAML"]
    if not isinstance(raw, dict):
        return None, ["it has no fields"]
    try:
        return Attestation.model_validate(raw), []
    except ValidationError as error:
        return None, [_field_fault(item["loc"], item["type"], item["msg"]) for item in error.errors()]


def content_faults(found: Attestation, today: date | None) -> list[str]:
    """What is wrong with the statement by itself. Without `today` dates are left aside."""
    faults = [] if found.datasets else ["datasets is empty"]
    faults += [f"{name} must be {str(want).lower()}" for name, want in _WANTED.items() if getattr(found, name) is not want]
    if not found.base_url.startswith("https://"):
        faults.append("base_url is not an https address: the records would be readable on their way")
    if found.approver.casefold() == found.requester.casefold():
        faults.append("approver and requester are the same person")
    return faults + (_date_faults(found, today) if today else [])


def faults(path: Path, corpus: str, address: tuple[str, str], approvers: dict[str, str], today: date | None) -> list[str]:
    """Why the file does not cover this corpus at this (base_url, model); empty when it does."""
    found, wrong = read(path)
    if found is None:
        return wrong
    base_url, model = address
    wrong = content_faults(found, today)
    if corpus not in found.datasets:
        wrong.append(f"datasets does not name {corpus}")
    if _place(found.base_url) != _place(base_url):
        wrong.append(f"base_url is {found.base_url}, not {base_url}")
    if found.model != model:
        wrong.append(f"model is {found.model!r}, not {model!r}")
    return wrong + _signature_faults(found, approvers)


def keygen(path: Path) -> str:
    """Write a new private key, readable by its owner alone, and return the public key for the config's `approvers`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    _keep_apart(path)
    key = Ed25519PrivateKey.generate()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(f"{path}: there is a file already. A key is never overwritten; choose another name.") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Choose a folder that you may write to.") from None
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return _public(key)


def sign(path: Path, key_path: Path, today: date) -> Attestation:
    """Put the approver's key and signature at the end of the file, in place of older ones; comments stay.

    Raises InputError for a statement that could not count, and for a key that others may read; then nothing is written.
    """
    key = _private_key(key_path)
    kept = [line for line in _text(path).splitlines() if not line.startswith(tuple(f"{name}:" for name in _SIGNED_LAST))]
    unsigned, wrong = read(path)
    wrong = wrong or content_faults(unsigned, today)  # type: ignore[arg-type]  # no faults, hence a statement
    if unsigned is None or wrong:
        raise InputError("\n".join(f"{path}: {fault}." for fault in wrong) + "\nNothing was signed.")
    signed = unsigned.model_copy(update={"approver_key": _public(key)})
    signature = base64.b64encode(key.sign(_canonical(signed))).decode()
    signed = signed.model_copy(update={"signature": signature})
    lines = [*kept, f"approver_key: {signed.approver_key}", f"signature: {signature}"]
    write_atomic(path, "".join(f"{line}\n" for line in lines).encode())
    return signed


def _date_faults(found: Attestation, today: date) -> list[str]:
    wrong = []
    if found.expires <= today:
        wrong.append(f"it expired on {found.expires}")
    if found.expires > today + timedelta(days=LONGEST_DAYS):
        wrong.append(f"expires is {found.expires}, more than a year ahead")
    if found.evidence_date > today:
        wrong.append(f"evidence_date is {found.evidence_date}, which is to come")
    if found.evidence_date < today - timedelta(days=EVIDENCE_DAYS):
        wrong.append(f"evidence_date is {found.evidence_date}, more than {EVIDENCE_DAYS} days ago")
    return wrong


def _signature_faults(found: Attestation, approvers: dict[str, str]) -> list[str]:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not found.signature:
        return ["it is not signed"]
    known = approvers.get(found.approver)
    if known is None:
        return [f"approver {found.approver!r} is not one of the config's `approvers`"]
    if known != found.approver_key:
        return [f"its key is not the one that the config's `approvers` has for {found.approver}"]
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(known.removeprefix(_PREFIX)))
        key.verify(base64.b64decode(found.signature), _canonical(found))
    except (InvalidSignature, ValueError):
        return ["its content is not what was signed"]
    return []


def _canonical(found: Attestation) -> bytes:
    return _PURPOSE + orjson.dumps(found.model_dump(mode="json", exclude={"signature"}), option=orjson.OPT_SORT_KEYS)


def _public(key: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return _PREFIX + base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def _private_key(path: Path) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    _keep_apart(path)
    text = _text(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise InputError(f"{path}: others may read this key (mode {mode:o}). Run `chmod 600 {path}`; make a new one if they did.")
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path}: not a key of `bimedv access keygen`.")
    return key


def _keep_apart(path: Path) -> None:
    """A workspace is copied, shared and archived; a key that lies in it is soon everybody's."""
    workspace = next((parent for parent in path.resolve().parents if (parent / "config.json").is_file()), None)
    if workspace:
        raise InputError(f"{path}: a private key must not lie in a workspace ({workspace}). Choose a folder of your own.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file.") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}.") from None


def _place(url: str) -> tuple[str, ...]:
    """An address to compare: `https://h` and `https://H:443/` are the same place."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return (url,)
    return parts.scheme, parts.netloc.lower().removesuffix(":443"), parts.path.rstrip("/"), parts.query, parts.fragment


def _field_fault(location: tuple[int | str, ...], kind: str, message: str) -> str:
    name = ".".join(map(str, location))
    if kind == "missing":
        return f"{name} is missing"
    return f"{name}: unknown field" if kind == "extra_forbidden" else f"{name}: {message[0].lower()}{message[1:]}"
