"""The ruling on each corpus and endpoint: denied by default, told with what is missing and what would make it lawful."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.access import CLASSES, POLICY, access_of, check_endpoints, is_local, ruling, rulings, strictest
from pipeline.sources.registry import CORPORA
from schemas.errors import AccessError
from tests.access.conftest import HOST, TODAY, configured

OPEN = sorted(name for name, corpus in CORPORA.items() if corpus.access == "open")
BOTH = ("open", "restricted")


def refused(*corpora, folder, today=TODAY, **changes):
    with pytest.raises(AccessError) as told:
        check_endpoints(configured(folder, *corpora, **changes), today)
    assert told.value.exit_code == 4
    return str(told.value)


@pytest.mark.parametrize("url", ["embedded", HOST, "http://10.0.0.7:8000/v1", "http://127.0.0.1:8000/v1"])
def test_g12_open_sources_are_never_blocked(url, tmp_path):
    settings = configured(tmp_path, *OPEN, base_url=url, judge={"base_url": url})
    found = check_endpoints(settings, TODAY)
    assert [each.corpus for each in found] == sorted(OPEN * 2)
    assert {each.allowed for each in found} == {True}


def test_an_endpoint_that_does_not_name_open_sees_nothing_open(tmp_path):
    assert "`allows` (restricted) does not name open" in refused("slake", folder=tmp_path, allows=("restricted",))


def test_a_refusal_names_corpus_and_endpoint_and_what_is_missing_and_what_would_be_lawful(tmp_path):
    assert refused("slake", "figure1_cxr", folder=tmp_path) == (
        'Refused: source "figure1_cxr" is restricted data and may not go to endpoints.translator (https://llm.example.org/v1): '
        "its `allows` (open) does not name restricted; the address is not on this machine, and no attestation covers it. "
        "Lawful would be: a model on this machine (`base_url: embedded` or a server on localhost) with "
        "`allows: [open, restricted]`, if your agreement for figure1_cxr covers it; an attestation signed by one of the config's "
        "`approvers`, with that `allows`; or a config without figure1_cxr.\n"
        "Nothing was sent or written. See docs/access.md."
    )


def test_the_class_in_allows_is_not_enough_for_a_remote_address(tmp_path):
    told = refused("figure1_cxr", folder=tmp_path, allows=BOTH)
    assert "`allows`" not in told.partition("Lawful")[0]
    assert "the address is not on this machine, and no attestation covers it" in told


def test_a_local_address_is_not_enough_without_the_class_in_allows(tmp_path):
    for url in ("embedded", "http://localhost:8000/v1"):
        assert "`allows` (open) does not name restricted" in refused("figure1_cxr", folder=tmp_path, base_url=url)
        (found,) = check_endpoints(configured(tmp_path, "figure1_cxr", base_url=url, allows=BOTH), TODAY)
        assert found.because == "the model is on this machine, and `allows` names the class"


def test_each_class_has_to_be_named_itself(tmp_path):
    """To hold a credential says nothing about data of another owner."""
    settings = configured(tmp_path, "slake", base_url="embedded", allows=("open", "credentialed"))
    assert ruling(settings, "slake", "translator", "credentialed").allowed
    assert not ruling(settings, "slake", "translator", "restricted").allowed


def test_the_policy_is_told_with_credentialed_data(tmp_path):
    from pipeline.access import _refuse

    with pytest.raises(AccessError) as told:
        _refuse([ruling(configured(tmp_path, "slake"), "slake", "translator", "credentialed")])
    assert POLICY in str(told.value)
    assert POLICY not in refused("figure1_cxr", folder=tmp_path)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("embedded", True), ("http://localhost/v1", True), ("http://LOCALHOST:8000/v1", True), ("http://127.0.0.1:1/v1", True),
        ("http://127.8.9.10/v1", True), ("https://[::1]:8000/v1", True), ("http://127.0.0.1", True),
        ("http://localhost.example.org/v1", False), ("http://localhost@example.org/v1", False),
        ("http://127.0.0.1@example.org/v1", False), ("http://127.0.0.1\\@example.org/v1", False),
        ("http://127.0.0.1:80@example.org/v1", False), ("http://example.org/127.0.0.1/v1", False),
        ("http://example.org#127.0.0.1", False), ("http://127.0.0.1.example.org/v1", False), ("http://0.0.0.0:8000/v1", False),
        ("http://127.1/v1", False), ("http://2130706433/v1", False), ("http://0127.0.0.1/v1", False),
        ("http://[::ffff:127.0.0.1]/v1", False), ("http://[::ffff:8.8.8.8]/v1", False), ("http://10.0.0.1/v1", False),
        ("http://192.168.1.5/v1", False), ("http://128.0.0.1/v1", False), ("http://localhost./v1", False),
        ("http://127.0.0.1\n.example.org/v1", False), ("ftp://127.0.0.1/v1", False), ("", False),
    ],
)  # fmt: skip
def test_local_is_what_can_only_be_this_machine(url, local):
    assert is_local(url) is local


@given(st.text(alphabet="http:/s127.0@localexmp[]\\#?v", max_size=40))
def test_whatever_is_called_local_is_local_to_the_library_that_sends_too(text):
    """Two parsers that read an address differently are how guards are passed by."""
    import httpx2

    url = f"http://{text}"
    if is_local(url):
        assert httpx2.URL(url).host in ("localhost", "::1") or httpx2.URL(url).host.startswith("127.")


def test_g4_a_corpus_that_nobody_declared_is_restricted(tmp_path):
    assert access_of("mimic_renamed") == "restricted"
    told = refused("mimic_renamed", folder=tmp_path)
    assert 'source "mimic_renamed" is restricted data' in told


def test_g4_a_class_edited_by_hand_does_not_free_a_row(tmp_path):
    found = ruling(configured(tmp_path, "figure1_cxr"), "figure1_cxr", "translator", "open")
    assert (found.access, found.allowed) == ("restricted", False)


def test_g3_what_derives_from_two_parents_has_the_stricter_class():
    assert strictest("open", "restricted", "credentialed") == "restricted"
    assert strictest("open", "credentialed") == "credentialed"
    assert strictest("open") == "open"


def test_g2_one_source_refuses_the_config_and_all_refusals_are_told_at_once(tmp_path):
    told = refused("slake", "figure1_cxr", "iu_xray", folder=tmp_path, judge={"base_url": "https://judge.example.org/v1"})
    lines = [line for line in told.splitlines() if line.startswith("Refused")]
    assert [line.split("endpoints.")[1].split(" ")[0] for line in lines] == ["translator", "judge"]
    assert "slake" not in told


def test_g5_a_judge_needs_a_permission_of_its_own(tmp_path):
    judge = {"base_url": "https://judge.example.org/v1", "allows": BOTH}
    told = refused("figure1_cxr", folder=tmp_path, base_url="embedded", allows=BOTH, judge=judge)
    assert "endpoints.judge (https://judge.example.org/v1)" in told
    assert "endpoints.translator" not in told
    local = configured(tmp_path, "figure1_cxr", base_url="embedded", allows=BOTH, judge=judge | {"base_url": "embedded"})
    assert len(check_endpoints(local, TODAY)) == 2


def test_g11_the_ruling_of_every_source_and_endpoint_can_be_seen(tmp_path):
    settings = configured(tmp_path, "slake", "figure1_cxr", judge={"base_url": "embedded", "allows": BOTH})
    shown = {(each.corpus, each.role): each.allowed for each in rulings(settings, TODAY)}
    assert shown == {
        ("slake", "translator"): True, ("slake", "judge"): True,
        ("figure1_cxr", "translator"): False, ("figure1_cxr", "judge"): True,
    }  # fmt: skip


def test_an_attestation_that_counts_allows_and_is_named(tmp_path, office):
    path = office.signed()
    settings = configured(tmp_path, "figure1_cxr", allows=BOTH, attestation=path, approvers=office.approvers)
    (found,) = check_endpoints(settings, TODAY)
    assert (found.allowed, found.attestation) == (True, "office/attestation.yaml")
    assert found.because == "office/attestation.yaml covers it"


def test_an_attestation_does_not_stand_in_for_allows(tmp_path, office):
    told = refused("figure1_cxr", folder=tmp_path, attestation=office.signed(), approvers=office.approvers)
    assert "`allows` (open) does not name restricted" in told


def test_g6_an_attestation_ends_on_its_day(tmp_path, office):
    path = office.signed(expires=TODAY + timedelta(days=5))
    settings = configured(tmp_path, "figure1_cxr", allows=BOTH, attestation=path, approvers=office.approvers)
    assert check_endpoints(settings, TODAY + timedelta(days=4))
    with pytest.raises(AccessError, match=r"attestation office/attestation\.yaml: it expired on 2026-03-15"):
        check_endpoints(settings, TODAY + timedelta(days=5))
    assert ruling(settings, "figure1_cxr", "translator").allowed, "what was sent before was sent lawfully"


@given(st.sampled_from(CLASSES), st.lists(st.sampled_from(CLASSES), unique=True), st.booleans())
def test_nothing_that_is_not_open_goes_out_without_local_or_attested(tmp_path_factory, access, allows, local):
    settings = configured(tmp_path_factory.getbasetemp(), "slake", base_url="embedded" if local else HOST, allows=tuple(allows))
    found = ruling(settings, "slake", "translator", access, TODAY)
    assert found.allowed == (access in allows and (local or access == "open"))
    assert found.allowed or found.remedy
