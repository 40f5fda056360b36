"""`bimedv access`, and every command that could send: exit code 4, no byte, no folder."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from flows.preflight import check_run
from pipeline.access import POLICY
from pipeline.settings import load_settings
from schemas.errors import InputError
from tests.access.conftest import CANARIES, FIELDS
from tests.access.test_leaks import config_over
from tests.command import OWN_SERVER, run_command
from tests.docs.blocks import ROOT
from tests.docs.parser import options, paths


def test_g11_check_shows_the_ruling_of_each_source_and_endpoint_and_sends_nothing(wire, tmp_path):
    config = config_over(tmp_path / "corpus", wire.far)
    told = run_command("access", "check", config, "--json")
    assert told.code == 4
    assert told.json["lawful"] is False
    (found,) = told.json["rulings"]
    assert [found[key] for key in ("corpus", "access", "role", "allowed")] == ["figure1_cxr", "restricted", "translator", False]
    assert "no attestation covers it" in found["because"]
    plain = run_command("access", "check", config)
    assert plain.code == 4
    assert plain.out.startswith('REFUSED  source "figure1_cxr" is restricted data and may not go to endpoints.translator')
    assert wire.silent
    assert not (tmp_path / "corpus" / "work").exists()


def test_check_of_a_lawful_config_ends_well(tmp_path):
    told = run_command("access", "check", config_over(tmp_path / "corpus", "http://127.0.0.1:9/v1"))
    assert told.code == 0
    assert told.out == (
        "allowed  figure1_cxr (restricted) -> endpoints.translator (http://127.0.0.1:9/v1): the model is on this machine, and "
        "`allows` names the class\n"
    )


@pytest.mark.parametrize(
    "words",
    [("run",), ("run", "--from", "translate"), ("run", "--until", "translate"), ("translate",), ("sources", "plan")],
    ids=" ".join,
)
def test_g1_g10_no_command_sends_or_writes(words, wire, tmp_path):
    config = config_over(tmp_path / "corpus", wire.far)
    command = [*words, config] if words[0] == "sources" else [words[0], config, *words[1:]]
    told = run_command(*command, env=OWN_SERVER)
    assert told.code == 4, told.err
    assert 'Refused: source "figure1_cxr" is restricted data' in told.err
    assert told.err.endswith("Nothing was sent or written. See docs/access.md.\n")
    assert not any(word in told.err for word in CANARIES)
    assert wire.silent
    assert not (tmp_path / "corpus" / "work").exists()


def test_g10_no_option_and_no_variable_lets_it_through(wire, tmp_path):
    config = config_over(tmp_path / "corpus", wire.far)
    for option in ("--force", "--yes", "--allow"):
        assert run_command("run", config, option).code == 2
    env = dict.fromkeys(("BIMEDV_FORCE", "BIMEDV_ALLOW", "FORCE", "BIMEDV_ACCESS"), "1")
    assert run_command("run", config, env=env).code == 4
    assert wire.silent


def test_no_command_has_such_an_option():
    named = {option for command in paths().values() for option in options(command)}
    assert {"--access", "--workspace"} <= named
    assert [option for option in sorted(named) if re.search("force|yes|allow|skip|ignore|insecure", option)] == []


def test_a_key_a_signature_and_a_config_that_lists_the_key(tmp_path):
    """The whole way of docs/access.md by command, with today's date as it is."""
    today = datetime.now(UTC).date()
    fields = FIELDS | {"evidence_date": today, "expires": today + timedelta(days=30)}
    made = run_command("access", "keygen", tmp_path / "key.pem", "--json")
    assert made.code == 0, made.err
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    folder = tmp_path / "corpus"
    config = config_over(folder, fields["base_url"], approvers={"dr-okoro": made.json["public"]})
    values = yaml.safe_load(config.read_text(encoding="utf-8"))
    values["endpoints"]["translator"] |= {"attestation": "attestation.yaml", "model": fields["model"]}
    config.write_text(yaml.safe_dump(values), encoding="utf-8")
    missing = run_command("access", "check", config)
    assert missing.code == 2
    assert "endpoints.translator.attestation" in missing.err
    statement = folder / "attestation.yaml"
    statement.write_text(yaml.safe_dump(fields), encoding="utf-8")
    assert "attestation attestation.yaml: it is not signed" in run_command("access", "check", config).out
    signed = run_command("access", "sign", statement, "--key", tmp_path / "key.pem")
    assert signed.code == 0, signed.err
    assert "datasets             figure1_cxr" in signed.out
    told = run_command("access", "check", config, "--json")
    assert told.code == 0, told.out
    assert told.json["rulings"][0]["attestation"] == "attestation.yaml"
    text = statement.read_text(encoding="utf-8")
    statement.write_text(text.replace("dua_version: 1.5.0", "dua_version: 1.6.0"), encoding="utf-8")
    assert "its content is not what was signed" in run_command("access", "check", config).out


def test_a_run_under_an_attestation_says_so_with_the_rule_before_it_connects(office, tmp_path, caplog):
    today, url = datetime.now(UTC).date(), "https://0.0.0.0:9/v1"
    statement = office.signed(today, base_url=url, model="m", evidence_date=today, expires=today + timedelta(days=2))
    config = config_over(tmp_path / "corpus", url, approvers=office.approvers)
    values = yaml.safe_load(config.read_text(encoding="utf-8"))
    values["endpoints"]["translator"]["attestation"] = str(statement)
    config.write_text(yaml.safe_dump(values), encoding="utf-8")
    with caplog.at_level("WARNING", logger="bimedv"), pytest.raises(InputError, match="does not answer"):
        check_run(load_settings(config), ["translate"])
    assert POLICY in caplog.text
    assert f"figure1_cxr (restricted) goes to endpoints.translator ({url}): " in caplog.text


def test_the_example_cannot_be_signed_before_it_is_filled_in(office):
    path = office.folder / "copy.yaml"
    path.write_text((ROOT / "examples" / "attestation.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    assert set(yaml.safe_load(path.read_text(encoding="utf-8"))) == set(FIELDS)
    told = run_command("access", "sign", path, "--key", office.key())
    assert told.code == 2
    for name in set(FIELDS) - {"datasets"}:
        assert f"{name}: " in told.err
    assert "Nothing was signed." in told.err


def test_two_approvers_with_one_key_are_refused(office, tmp_path):
    office.key()
    key = office.approvers["dr-okoro"]
    config = config_over(tmp_path / "corpus", "embedded", approvers={"dr-okoro": key, "dr-lane": key})
    told = run_command("access", "check", config)
    assert told.code == 2
    assert "two approvers have the same key" in told.err
    config = config_over(tmp_path / "other", "embedded", approvers={"dr-okoro": "ed25519:short"})
    assert "approvers.dr-okoro" in run_command("access", "check", config).err


def test_an_open_config_needs_none_of_this(corpora, endpoint):
    told = run_command("access", "check", corpora.config(endpoint.url), "--json")
    assert told.code == 0
    assert {found["because"] for found in told.json["rulings"]} == {"open data goes wherever `allows` has it"}
    assert json.loads(told.out)["lawful"] is True
    assert endpoint.requests == []
