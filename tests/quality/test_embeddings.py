"""An endpoint's embeddings as the scorer, by a real server on loopback that has the embedded encoder behind it."""

import hashlib
import math

import numpy as np
import pytest

from pipeline.llm.embedded import endpoints
from pipeline.llm.governor import forget_all
from pipeline.quality.embeddings import EndpointScorer, anchors
from pipeline.quality.encoder import embedded_encoder
from pipeline.quality.gate import Gate, Pair
from pipeline.quality.gates import check_scorer, gate_of
from pipeline.quality.stage import score_chunk
from pipeline.settings import load_settings
from pipeline.workspace import Workspace
from schemas.errors import AccessError, InputError, StoppedError
from schemas.quality import Score
from tests.curate.samples import configured, sample
from tests.endpoint import Endpoint

RIGHT = ("The liver is enlarged and the spleen is normal.", "الكبد متضخم والطحال طبيعي.")
OTHER = ("The liver is enlarged and the spleen is normal.", "يذهب الأولاد إلى المدرسة كل صباح.")
FAR = "https://embed.example.org/v1"


class EmbeddingsEndpoint(Endpoint):
    """`meaning`: whether the vectors mean anything; `too_long`: texts that it does not take."""

    def __init__(self):
        super().__init__()
        self.meaning, self.too_long, self.down = True, set(), False

    def take(self, body, headers):
        fault = super().take(body, headers)
        if self.down:
            return 503
        return (400, {}, {"error": {"message": "too long"}}) if body["input"][0] in self.too_long else fault

    def answer(self, body, fault):
        (text,) = body["input"]
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])
        vector = embedded_encoder().encode([text])[0] if self.meaning else np.random.default_rng(seed).normal(size=64)
        data = [{"object": "embedding", "index": 0, "embedding": (3 * vector).tolist()}]
        return {"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": 10, "total_tokens": 10}}


@pytest.fixture
def server():
    with EmbeddingsEndpoint() as server:
        yield server
    forget_all()


def _settings(folder, url, **more):
    ends = {
        "translator": {"base_url": url},
        "scorer": {"base_url": url, "model": "e5", "max_retries": 0} | more.pop("scorer", {}),
    }
    return configured(folder, endpoints=ends, quality={"scorer": "endpoint"}, **more)


def test_right_pairs_score_high_unrelated_ones_low_and_no_text_is_paid_twice(tmp_path, server):
    gate = gate_of(_settings(tmp_path, server.url))
    right, other = gate.score([[Pair(*RIGHT, "answer")], [Pair(*OTHER, "answer")]])
    assert (right.verdict, other.verdict) == ("accept", "reject")
    assert right.score > 90
    assert other.score < 20
    asked = [body["input"][0] for body in server.requests]
    assert len(asked) == len(set(asked)) == 2 * len(anchors()[0]) + 3
    again = gate_of(_settings(tmp_path, server.url))
    assert [scored.score for scored in again.score([[Pair(*RIGHT, "answer")]])] == [right.score]
    assert len(server.requests) == len(asked)
    assert gate.version != Gate(again._quality.model_copy(update={"scorer": "embedded"})).version


def test_a_model_that_cannot_tell_translations_from_unrelated_texts_is_refused(tmp_path, server):
    server.meaning = False
    with pytest.raises(InputError, match="it cannot tell them apart"):
        EndpointScorer(_settings(tmp_path, server.url)).similarities([RIGHT[0]], [RIGHT[1]])


def test_a_text_that_the_model_does_not_take_has_no_number_and_is_not_accepted(tmp_path, server):
    server.too_long.add(RIGHT[1])
    scorer = EndpointScorer(_settings(tmp_path, server.url))
    assert math.isnan(scorer.similarities([RIGHT[0]], [RIGHT[1]])[0])
    (scored,) = gate_of(_settings(tmp_path, server.url)).score([[Pair(*RIGHT, "answer")]])
    assert scored.verdict == "reject"


def test_an_endpoint_that_is_away_stops_the_run_and_rejects_nothing(tmp_path, server):
    scorer = EndpointScorer(_settings(tmp_path, server.url))
    assert scorer.similarities([RIGHT[0]], [RIGHT[1]])[0] > 0.9
    server.down = True
    with pytest.raises(StoppedError, match=r"endpoints.scorer .* fails: .* Run again to go on"):
        scorer.similarities(["The heart is large."], ["القلب كبير."])
    server.down = False
    assert scorer.similarities(["The heart is large."], ["القلب كبير."])[0] > 0.8


def test_the_budget_covers_embeddings_too(tmp_path, server):
    settings = _settings(tmp_path, server.url, scorer={"price": {"input": 1e6}}, translate={"budget_usd": 1.0})
    with pytest.raises(StoppedError, match="budget"):
        EndpointScorer(settings).similarities([RIGHT[0]], [RIGHT[1]])
    assert server.requests == []


def test_law_kept_where_it_must_stay_a_row_that_the_endpoint_may_not_see_is_refused(tmp_path, server):
    settings = _settings(tmp_path, FAR)
    with pytest.raises(AccessError, match=r"endpoints\.scorer"):
        check_scorer(settings, [sample("a", access="credentialed")])
    check_scorer(settings, [sample("a")])


def test_a_run_scores_with_it_and_its_scores_are_of_another_gate(finished, tmp_path, server):
    settings = load_settings(finished.copy(tmp_path / "copy", server.url).config)
    scorer = settings.endpoints.translator.model_copy(update={"base_url": server.url, "model": "e5"})
    settings = settings.model_copy(
        update={
            "quality": settings.quality.model_copy(update={"scorer": "endpoint"}),
            "endpoints": settings.endpoints.model_copy(update={"scorer": scorer}),
        }
    )
    workspace = Workspace(settings.workspace)
    before = {row.sample: row for row in workspace.rows("score", Score, "scores")}
    with endpoints(settings) as resolved:
        for manifest in workspace.english():
            score_chunk(settings, workspace, manifest.chunk, resolved)
    after = {row.sample: row for row in workspace.rows("score", Score, "scores")}
    assert {row.version for row in after.values()} == {f"{next(iter(before.values())).version}+e5"}
    assert {name for name, row in after.items() if row.verdict == "accept"} >= {
        name for name, row in before.items() if row.verdict == "accept" and row.score > 95
    }


def test_a_config_names_the_endpoint_and_the_choice_of_it_or_neither(tmp_path, server):
    (tmp_path / "llava.json").write_text("[]", encoding="utf-8")
    head = "name: t\nsources: [{corpus: llava, path: llava.json}]\n"
    config = tmp_path / "run.yaml"
    for wrong in ("quality: {scorer: endpoint}\n", f"endpoints: {{scorer: {{base_url: '{server.url}', model: m}}}}\n"):
        config.write_text(head + wrong, encoding="utf-8")
        with pytest.raises(InputError, match="belong together"):
            load_settings(config)
    config.write_text(head + "quality: {scorer: endpoint}\nendpoints: {scorer: {model: m}}\n", encoding="utf-8")
    with pytest.raises(InputError, match="a scorer here needs a base_url"):
        load_settings(config)
