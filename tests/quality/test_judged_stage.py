"""The judge in the stage `score`: over a finished road's drafts, with a real server, down to what goes out."""

import pytest

from pipeline.buckets import fate
from pipeline.llm.embedded import endpoints
from pipeline.llm.governor import forget_all
from pipeline.llm.tokens import Characters
from pipeline.quality.judge_estimate import judge_estimate
from pipeline.quality.stage import score_chunk
from pipeline.settings import load_settings
from pipeline.workspace import Workspace
from schemas.errors import AccessError
from schemas.quality import Score
from schemas.translation import TwinDraft
from tests.judge_endpoint import JudgeEndpoint, error


@pytest.fixture
def judge_server():
    with JudgeEndpoint() as server:
        yield server
    forget_all()


class Desk:
    """A copy of the finished road whose scores a judge gives anew."""

    def __init__(self, finished, folder, judge_server):
        self._copy = finished.copy(folder, judge_server.url)
        self.settings = load_settings(self._copy.config)
        self.settings = self.settings.model_copy(
            update={
                "quality": self.settings.quality.model_copy(update={"without_judge": "review"}),
                "endpoints": self.settings.endpoints.model_copy(
                    update={
                        "judge": self.settings.endpoints.translator.model_copy(
                            update={"base_url": judge_server.url, "model": "judge-1"}
                        )
                    }
                ),
            }
        )
        self.workspace = Workspace(self.settings.workspace)

    def score(self):
        """Scores by sample after the judge has read."""
        with endpoints(self.settings) as resolved:
            manifests = [score_chunk(self.settings, self.workspace, m.chunk, resolved) for m in self.workspace.english()]
        scores = {row.sample: row for m in manifests for row in self.workspace.rows("score", Score, "scores", m.chunk)}
        drafts = self.drafts()
        self.texts_rejected = {drafts[name].turns for name, score in scores.items() if score.verdict == "reject"}
        self.failed = sum(manifest.counts["failed"] for manifest in manifests)
        return scores

    def drafts(self):
        chunks = self.workspace.manifests("translate")
        return {row.sample: row for m in chunks for row in self.workspace.rows("translate", TwinDraft, "twins", m.chunk)}

    def fates(self, scores):
        drafts = self.drafts()
        return {name: fate(drafts[name], score, None, self.settings.quality) for name, score in scores.items()}


@pytest.fixture
def desk(finished, tmp_path, judge_server):
    return Desk(finished, tmp_path / "copy", judge_server)


def test_what_the_judge_has_read_goes_out_and_what_the_gate_rejects_is_not_read(desk, judge_server):
    scores = desk.score()
    accepted = {name for name, score in scores.items() if score.verdict == "accept"}
    assert len(accepted) >= 5
    assert all(scores[name].judge == 100.0 and len(scores[name].judge_calls) == 2 for name in accepted)
    assert all(end.bucket == "accepted" for name, end in desk.fates(scores).items() if name in accepted)
    rejected = [name for name, score in scores.items() if score.verdict == "reject"]
    assert rejected, "the corpora hold a text that the translator gets wrong"
    assert all(scores[name].judge is None for name in rejected)
    sent = " ".join(body["messages"][-1]["content"] for body in judge_server.requests)
    wrong = desk.drafts()[rejected[0]].turns[0]
    assert wrong.removeprefix("<image>").strip() not in sent


def test_an_error_that_only_the_judge_sees_keeps_a_translation_back(desk, judge_server):
    name, draft = next((n, d) for n, d in desk.drafts().items() if any("العقيدة" in turn for turn in d.turns))
    target = next(turn for turn in draft.turns if "العقيدة" in turn)
    judge_server.errors[target] = [error("critical", "العقيدة")]
    scores = desk.score()
    assert (scores[name].verdict, scores[name].judge) == ("reject", 0.0)
    joined = "\n".join(draft.turns)
    start, end = scores[name].findings[-1].target_span
    assert joined[start:end] == "العقيدة"
    assert desk.fates(scores)[name].bucket == "excluded"


def test_law_pay_once_a_second_scoring_asks_nothing_and_another_judge_reads_anew(desk, judge_server):
    desk.score()
    first = len(judge_server.requests)
    desk.score()
    assert len(judge_server.requests) == first
    judge = desk.settings.endpoints.judge.model_copy(update={"model": "judge-2"})
    desk.settings = desk.settings.model_copy(update={"endpoints": desk.settings.endpoints.model_copy(update={"judge": judge})})
    desk.score()
    assert len(judge_server.requests) == 2 * first


def test_the_estimate_of_the_judge_counts_each_reading_of_each_text_once_and_sends_nothing(desk, judge_server):
    told = judge_estimate(desk.settings, desk.workspace, Characters())
    assert judge_server.requests == []
    desk.score()
    # The gate rejects one of the texts, and the judge does not read it.
    assert told["requests"] - 2 * len(desk.texts_rejected) == len(judge_server.requests)
    assert told["prompt_tokens"] > 200 * told["requests"], "the system message alone has more"
    assert told["usd"]["batch"] == told["usd"]["online"] / 2 > 0


def test_law_fail_closed_a_judge_that_fails_leaves_no_score_and_the_next_run_asks_again(desk, judge_server):
    judge_server.faults = [400] * 500
    scores = desk.score()
    assert desk.failed > 0
    assert not [name for name, score in scores.items() if score.verdict == "accept"]
    unread = [name for name, score in scores.items() if score.verdict == "review"]
    assert {desk.fates(scores)[name].bucket for name in unread} == {"awaiting_review"}
    assert all(scores[name].score is None for name in unread)
    judge_server.faults = []
    again = desk.score()
    assert desk.failed == 0
    assert {again[name].judge for name in unread} == {100.0}


def test_law_kept_where_it_must_stay_a_judge_that_may_not_see_the_records_gets_not_one_byte(desk, judge_server):
    chunks = desk.workspace.english()
    sample = next(desk.workspace.english_rows(chunks[0].chunk))
    judge = desk.settings.endpoints.judge.model_copy(update={"allows": ("credentialed",)})
    desk.settings = desk.settings.model_copy(update={"endpoints": desk.settings.endpoints.model_copy(update={"judge": judge})})
    with pytest.raises(AccessError, match=f'source "{sample.corpus}" is open data and may not go to endpoints.judge'):
        desk.score()
    assert judge_server.requests == []
