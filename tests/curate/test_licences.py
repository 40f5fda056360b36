"""Licences: what may be released under which terms, denied by default. What may be sent where is in tests/access."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate.licences import release_terms
from pipeline.sources.registry import CORPORA


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
