"""The judge on pairs of one's own: whose texts may go where, and what is read of them."""

import pytest

from pipeline.llm.embedded import Resolved
from pipeline.llm.governor import forget_all
from pipeline.quality.gate import Pair, Scored
from pipeline.quality.judge_pairs import PairJudge, check_judge
from pipeline.settings import EndpointSettings
from schemas.errors import AccessError, InputError
from tests.curate.samples import configured
from tests.judge_endpoint import JudgeEndpoint, error

FAR = "https://judge.example.org/v1"
PAIRS = [
    Pair("The liver is normal.", "الكبد طبيعي.", "text"),
    Pair("The spleen is large.", "الطحال كبير.", "text"),
    Pair("Is it a cyst?", "يذهب الأولاد إلى المدرسة.", "text"),
]
SCORED = [Scored(95.0, "accept", 0.7, ((),)), Scored(70.0, "refine", 0.6, ((),)), Scored(5.0, "reject", 0.1, ((),))]


@pytest.fixture
def make(tmp_path):
    """A judge of pairs under a config whose judge is at an address."""
    with JudgeEndpoint() as server:

        def build(access, url=None, allows=("open",)):
            judge = EndpointSettings(base_url=url or server.url, model="j", allows=allows)
            settings = configured(tmp_path, endpoints={"translator": {"base_url": server.url, "model": "m"}, "judge": judge})
            check_judge(settings, access)
            return PairJudge(settings, Resolved(settings.endpoints.translator, judge, frozenset())), server

        yield build
    forget_all()


def test_what_the_gate_has_rejected_is_not_read_and_the_others_get_their_word(make):
    judge, server = make("open")
    server.errors["الطحال كبير."] = [error("minor", "كبير")]
    words = judge.read(PAIRS, SCORED)
    assert [word and word.score for word in words] == [100.0, 95.0, None]
    assert len(server.requests) == 4
    assert judge.read(PAIRS, SCORED) == words
    assert len(server.requests) == 4, "what was read once is in the ledger"


@pytest.mark.parametrize(
    ("access", "url", "allows", "words"),
    [
        ("restricted", None, ("open",), "does not name restricted"),
        ("credentialed", FAR, ("open", "credentialed"), "not on this machine"),
        ("restricted", FAR, ("open",), "does not name restricted; the address is not on this machine"),
        (None, FAR, ("open", "credentialed"), "nobody says what kind of texts these are"),
    ],
)
def test_law_kept_where_it_must_stay_texts_of_a_class_that_the_judge_may_not_see_are_refused(make, access, url, allows, words):
    with pytest.raises(AccessError, match=words):
        make(access, url, allows)


@pytest.mark.parametrize(
    ("access", "url", "allows"),
    [("open", FAR, ("open",)), ("credentialed", None, ("open", "credentialed")), (None, None, ("open",))],
)
def test_open_texts_go_where_allows_has_them_and_others_to_this_machine(make, access, url, allows):
    make(access, url, allows)


def test_a_config_without_a_judge_is_told_so(tmp_path):
    settings = configured(tmp_path)
    with pytest.raises(InputError, match="names no judge"):
        check_judge(settings, "open")
