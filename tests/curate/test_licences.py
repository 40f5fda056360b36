"""Licences: what may be sent where and released under which terms, denied by default."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate.licences import check_endpoints, release_terms
from pipeline.settings import EndpointSettings, EndpointsSettings
from pipeline.sources.registry import CORPORA
from schemas.errors import AccessError
from tests.curate.samples import configured


def _settings(tmp_path, *corpora, translator=("open",), judge=None):
    ends = {"translator": EndpointSettings(allows=translator, base_url="https://t.example/v1")}
    if judge is not None:
        ends["judge"] = EndpointSettings(allows=judge, base_url="https://j.example/v1")
    return configured(tmp_path, corpora).model_copy(update={"endpoints": EndpointsSettings(**ends)})


def test_open_corpora_go_anywhere(tmp_path):
    assert check_endpoints(_settings(tmp_path, "slake", "iu_xray", judge=("open",))) is None


def test_a_restricted_corpus_is_refused_with_what_would_make_it_lawful(tmp_path):
    with pytest.raises(AccessError) as error:
        check_endpoints(_settings(tmp_path, "slake", "figure1_cxr"))
    assert str(error.value) == (
        "figure1_cxr is restricted, and endpoints.translator (https://t.example/v1) allows open. Add "
        "`allows: [open, restricted]` there if your agreement for figure1_cxr covers that endpoint, or take figure1_cxr out."
    )
    assert error.value.exit_code == 4


def test_every_endpoint_needs_its_own_permission(tmp_path):
    with pytest.raises(AccessError, match=r"endpoints\.judge") as error:
        check_endpoints(_settings(tmp_path, "figure1_cxr", translator=("open", "restricted"), judge=("open", "credentialed")))
    assert "endpoints.translator" not in str(error.value)
    both = ("open", "restricted")
    assert check_endpoints(_settings(tmp_path, "figure1_cxr", translator=both, judge=both)) is None


def test_all_faults_are_told_at_once(tmp_path):
    with pytest.raises(AccessError) as error:
        check_endpoints(_settings(tmp_path, "figure1_cxr", judge=("open",)))
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("corpora", "licence", "redistributable", "reasons"),
    [
        (["slake"], "CC-BY-4.0", True, []),
        (["slake", "pubmedqa", "mts_dialog"], "CC-BY-4.0", True, []),
        (["slake", "llava_med"], "CC-BY-NC-4.0", True, []),
        (["pmc_vqa", "slake", "healthcaremagic"], "CC-BY-SA-4.0", True, []),
        (["pmc_vqa", "llava_med"], "mixed", False, ["share-alike and CC-BY-NC-4.0 parts have no common licence"]),
        (["slake", "iu_xray"], "CC-BY-NC-ND-4.0", False, ["iu_xray: CC-BY-NC-ND-4.0 does not let translations be passed on"]),
        (["slake", "alpaca"], "unknown", False, ["alpaca: its licence (unknown) does not let it be passed on"]),
        (["figure1_cxr"], "research-only", False, ["figure1_cxr: access is restricted"]),
        (["alpaca", "figure1_cxr", "iu_xray"], "research-only", False, ["alpaca", "figure1_cxr", "iu_xray"]),
    ],
)
def test_a_release_carries_the_strictest_terms_of_its_parts(corpora, licence, redistributable, reasons):
    terms = release_terms(corpora)
    assert (terms.licence, terms.redistributable) == (licence, redistributable)
    assert len(terms.reasons) == len(reasons)
    for told, wanted in zip(terms.reasons, reasons, strict=True):
        assert told.startswith(wanted)


@given(st.lists(st.sampled_from(sorted(CORPORA)), min_size=1, unique=True), st.sampled_from(sorted(CORPORA)))
def test_adding_a_corpus_never_frees_a_release(names, more):
    before, after = release_terms(names), release_terms([*names, more])
    assert after.redistributable <= before.redistributable
    assert after == release_terms([more, *names]) or set(after.reasons) == set(release_terms([more, *names]).reasons)
    assert after.as_json()["redistributable"] == after.redistributable
    for name in names:
        if not (CORPORA[name].redistribution and CORPORA[name].derivatives and CORPORA[name].access == "open"):
            assert any(reason.startswith(f"{name}: ") for reason in after.reasons)
