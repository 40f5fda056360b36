"""`translate.mode: batch` on the whole road: the same bytes as online, at half the price."""

import pytest

from tests.batch_endpoint import BatchEndpoint
from tests.command import released


def test_batches_give_the_same_bytes_at_half_the_price(finished, corpora, bimedv):
    with BatchEndpoint() as server:
        config = corpora.config(server.url, translate={"rounds": 1, "budget_usd": 1.0, "mode": "batch"})
        told = bimedv("run", config, "--json")
        batches = len(server.batches)
    assert told.code == 0, told.err
    assert released(corpora.folder / "work") == released(finished.workspace)
    calls, online = told.json["calls"], finished.answer.json["calls"]
    assert calls["ok"] == online["ok"]
    assert calls["cost_usd"] == pytest.approx(online["cost_usd"] / 2)
    # Chunks wait together: one batch for all first translations, one for all refinements, one more for a late chunk at most.
    assert 2 <= batches <= 3
