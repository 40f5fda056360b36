"""Attestations: nothing missing, nobody's own word, nothing changed after it was signed."""

from datetime import timedelta

import pytest
import yaml

from pipeline.attestation import EVIDENCE_DAYS, LONGEST_DAYS, Attestation, faults, keygen, sign
from schemas.errors import InputError
from tests.access.conftest import FIELDS, HOST, TODAY


def told(office, path, corpus="figure1_cxr", address=(HOST, "med-1"), today=TODAY):
    return faults(path, corpus, address, office.approvers, today)


def test_a_whole_statement_counts(office):
    assert told(office, office.signed()) == []


def test_signing_keeps_the_file_and_its_comments(office):
    path = office.write()
    before = path.read_text(encoding="utf-8")
    sign(path, office.key(), TODAY)
    sign(path, office.key(), TODAY)
    after = path.read_text(encoding="utf-8")
    assert after.startswith(before)
    assert [line.partition(":")[0] for line in after.removeprefix(before).splitlines()] == ["approver_key", "signature"]


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_g6_a_missing_field_refuses(office, name):
    path = office.write(**{name: None})
    assert told(office, path) == [f"{name} is missing"]
    with pytest.raises(InputError, match=rf"{name} is missing\.\nNothing was signed\."):
        sign(path, office.key(), TODAY)
    assert "signature" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(FIELDS) - {"datasets"}))
def test_g6_a_field_changed_after_it_was_signed_refuses(office, name):
    other = {"zero_data_retention": False, "training": True, "human_review": True, "base_url": "https://other.example.org/v1"}
    path = office.signed()
    fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    value = fields[name]
    fields[name] = other.get(name, value - timedelta(days=1) if name in ("expires", "evidence_date") else f"{value}x")
    path.write_text(yaml.safe_dump(fields), encoding="utf-8")
    wrong = told(office, path)
    known = "approver 'dr-okorox' is not one" if name == "approver" else "its content is not what was signed"
    assert [fault for fault in wrong if fault.startswith(known)], wrong


def test_a_corpus_added_after_it_was_signed_refuses(office):
    path = office.edited("- figure1_cxr", "- figure1_cxr\n- slake")
    assert told(office, path, "slake") == ["its content is not what was signed"]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"zero_data_retention": False}, "zero_data_retention must be true"),
        ({"training": True}, "training must be false"),
        ({"human_review": True}, "human_review must be false"),
        ({"zero_data_retention": 1}, "zero_data_retention: input should be a valid boolean"),
        ({"training": "no longer"}, "training: input should be a valid boolean"),
        ({"requester": "Dr-Okoro "}, "approver and requester are the same person"),
        ({"base_url": "http://llm.example.org/v1"}, "base_url is not an https address"),
        ({"datasets": []}, "datasets is empty"),
        ({"user": " "}, "user: string should have at least 1 character"),
        ({"expires": TODAY}, "it expired on 2026-03-10"),
        ({"expires": TODAY + timedelta(days=LONGEST_DAYS + 1)}, "more than a year ahead"),
        ({"expires": "soon"}, "expires: input should be a valid date"),
        ({"evidence_date": TODAY - timedelta(days=EVIDENCE_DAYS + 1)}, "more than 90 days ago"),
        ({"evidence_date": TODAY + timedelta(days=1)}, "which is to come"),
        ({"force": True}, "force: unknown field"),
    ],
)
def test_g6_what_could_not_count_is_not_signed_and_does_not_count(office, changed, fault):
    path = office.write(**changed)
    with pytest.raises(InputError) as refused:
        sign(path, office.key(), TODAY)
    assert fault in str(refused.value)
    assert any(fault in each for each in told(office, path))


def test_g6_the_edges_of_the_dates(office):
    last, oldest = TODAY + timedelta(days=LONGEST_DAYS), TODAY - timedelta(days=EVIDENCE_DAYS)
    path = office.signed(expires=last, evidence_date=oldest)
    assert told(office, path) == []
    assert told(office, path, today=TODAY + timedelta(days=1)) == ["evidence_date is 2025-12-10, more than 90 days ago"]
    assert told(office, path, today=None) == []


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        (("https://other.example.org/v1", "med-1"), "base_url is https://llm.example.org/v1, not https://other.example.org/v1"),
        (("https://llm.example.org.evil.example/v1", "med-1"), "base_url is"),
        (("https://llm.example.org:8443/v1", "med-1"), "base_url is"),
        (("https://llm.example.org/other-region/v1", "med-1"), "base_url is"),
        (("http://llm.example.org/v1", "med-1"), "base_url is"),
        ((HOST, "med-2"), "model is 'med-1', not 'med-2'"),
    ],
)
def test_another_host_or_model_refuses(office, address, fault):
    (found,) = told(office, office.signed(), address=address)
    assert found.startswith(fault)


def test_the_same_place_written_otherwise_is_the_same_place(office):
    assert told(office, office.signed(), address=("https://LLM.example.org:443/v1/", "med-1")) == []


def test_another_corpus_refuses(office):
    assert told(office, office.signed(), corpus="mimic_cxr") == ["datasets does not name mimic_cxr"]


def test_an_unsigned_statement_refuses(office):
    assert told(office, office.write()) == ["it is not signed"]


def test_a_key_that_the_config_does_not_list_cannot_vouch_for_itself(office):
    path = office.signed()
    listed = dict(office.approvers)
    office.approvers = {}
    assert told(office, path) == ["approver 'dr-okoro' is not one of the config's `approvers`"]
    own = office.folder / "own.pem"
    keygen(own)
    sign(path, own, TODAY)
    office.approvers = listed
    assert told(office, path) == ["its key is not the one that the config's `approvers` has for dr-okoro"]


def test_the_signature_of_another_statement_does_not_serve(office):
    signature = office.signed(expires=TODAY + timedelta(days=9)).read_text(encoding="utf-8").splitlines()[-1]
    path = office.signed()
    text = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*text[:-1], signature]), encoding="utf-8")
    assert told(office, path) == ["its content is not what was signed"]


@pytest.mark.parametrize("signature", ["!", "AAAA", "2026-01-01"])
def test_a_signature_that_is_none_refuses(office, signature):
    path = office.signed()
    lines = path.read_text(encoding="utf-8").splitlines()[:-1]
    path.write_text("\n".join([*lines, f"signature: '{signature}'"]), encoding="utf-8")
    assert told(office, path) == ["its content is not what was signed"]


@pytest.mark.parametrize(("text", "fault"), [("a: [", "it is not YAML"), ("- a", "it has no fields"), ("", "it has no fields")])
def test_a_file_of_another_kind_refuses(office, text, fault):
    path = office.folder / "other.yaml"
    path.write_text(text, encoding="utf-8")
    assert told(office, path) == [fault]
    assert told(office, office.folder / "none.yaml") == ["it cannot be read (No such file or directory)"]


def test_a_private_key_is_its_owners_alone(office):
    path = office.folder / "new.pem"
    public = keygen(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert public.startswith("ed25519:")
    assert public.removeprefix("ed25519:") not in path.read_text(encoding="utf-8")
    with pytest.raises(InputError, match="there is a file already"):
        keygen(path)


def test_a_key_that_others_may_read_signs_nothing(office):
    key = office.key()
    key.chmod(0o640)
    path = office.write()
    with pytest.raises(InputError, match=r"others may read this key \(mode 640\)"):
        sign(path, key, TODAY)
    assert told(office, path) == ["it is not signed"]


def test_a_key_does_not_lie_in_a_workspace(office):
    place = office.folder / "work"
    (place / "reports").mkdir(parents=True)
    (place / "config.json").write_text("{}", encoding="utf-8")
    for path in (place / "key.pem", place / "reports" / "key.pem"):
        with pytest.raises(InputError, match="must not lie in a workspace"):
            keygen(path)
        assert not path.exists()
    (place / "key.pem").write_bytes(office.key().read_bytes())
    (place / "key.pem").chmod(0o600)
    with pytest.raises(InputError, match="must not lie in a workspace"):
        sign(office.write(), place / "key.pem", TODAY)


def test_what_is_no_key_signs_nothing(office):
    other = office.folder / "other.pem"
    other.write_text("not a key", encoding="utf-8")
    other.chmod(0o600)
    with pytest.raises(InputError, match="not a key of `bimedv access keygen`"):
        sign(office.write(), other, TODAY)


def test_every_field_is_under_the_signature():
    """A field that a later version adds must not be left out by mistake."""
    from pipeline.attestation import _canonical

    made = Attestation.model_validate(FIELDS)
    assert all(f'"{name}"'.encode() in _canonical(made) for name in Attestation.model_fields if name != "signature")
