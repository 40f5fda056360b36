"""Law 2 as a table over everything that can be known of a twin: nothing unread, unscored or unusable is accepted."""

from itertools import product

import pytest

from pipeline.buckets import fate
from pipeline.settings import QualitySettings
from schemas.quality import Score
from schemas.review import Decision
from schemas.translation import TwinDraft


def _draft(state):
    turns = ("س", "ج") if state == "ok" else ()
    return TwinDraft(
        sample="a-1", state=state, turns=turns, units=(), calls=(), model="m", prompt="p", round=0, error="timeout: 30 s"
    )


def _score(verdict, score, judge=None):
    return Score(sample="a-1", score=score, verdict=verdict, findings=(), similarity=None, judge=judge, version="1")


def _decision(verdict):
    return Decision(item="gate:a-1", sample="a-1", content="x", verdict=verdict, reviewer="r", decided_at="2026-01-01T00:00:00Z")


DRAFTS = [None, _draft("ok"), _draft("unusable"), _draft("failed")]
SCORES = [None, *(_score(v, s, j) for v, s, j in product(["accept", "refine", "review", "reject"], [None, 85.0], [None, 90.0]))]
DECISIONS = [None, *map(_decision, ["accept", "edit", "reject"])]
POLICIES = [QualitySettings(), QualitySettings(without_judge="accept")]


@pytest.mark.parametrize("policy", POLICIES, ids=["review", "accept"])
@pytest.mark.parametrize("decision", DECISIONS, ids=lambda d: d.verdict if d else "undecided")
@pytest.mark.parametrize("score", SCORES, ids=lambda s: f"{s.verdict}-{s.score}-{s.judge}" if s else "unscored")
@pytest.mark.parametrize("draft", DRAFTS, ids=lambda d: d.state if d else "none")
def test_accepted_means_an_experts_word_or_a_score_that_accepts(draft, score, decision, policy):
    end = fate(draft, score, decision, policy)
    if end.bucket != "accepted":
        return
    assert draft is not None
    assert draft.state != "failed"
    if decision is None:
        assert draft.state == "ok"
        assert score is not None
        assert score.score is not None
        assert score.verdict == "accept"
        assert score.judge is not None or policy.without_judge == "accept"
    else:
        assert decision.verdict in ("accept", "edit")


def test_each_fate_has_its_bucket():
    default, outspoken = POLICIES
    ok = DRAFTS[1]
    assert fate(None, None, None, default).bucket == "pending"
    assert fate(ok, None, None, default).bucket == "pending"
    assert fate(_draft("unusable"), None, None, default).bucket == "awaiting_review"
    assert fate(_draft("failed"), None, None, default).reason == "timeout"
    assert fate(ok, _score("accept", 95.0), None, default).bucket == "awaiting_review"
    assert fate(ok, _score("accept", 95.0), None, outspoken).bucket == "accepted"
    assert fate(ok, _score("accept", 95.0, 95.0), None, default).bucket == "accepted"
    assert fate(ok, _score("accept", None), None, outspoken).bucket == "awaiting_review"
    assert fate(ok, _score("reject", 10.0), None, outspoken).reason == "rejected"
    assert fate(ok, _score("accept", 95.0), _decision("reject"), outspoken).reason == "review_rejected"


def test_an_accept_decision_without_text_releases_nothing():
    """An unusable draft has no text: accepting it is no translation, editing it is."""
    assert fate(_draft("unusable"), None, _decision("accept"), POLICIES[0]).bucket == "awaiting_review"
    assert fate(_draft("unusable"), None, _decision("edit"), POLICIES[0]).bucket == "accepted"
