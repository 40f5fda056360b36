"""What a run would take, and what it took: the estimate against a real run with a real HTTP endpoint."""

import orjson
import pytest

from pipeline.database import open_database
from pipeline.llm.tokens import Characters, tokenizer
from pipeline.settings import load_settings
from pipeline.translate.estimate import compared, estimate, keep_estimate
from pipeline.workspace import Workspace
from schemas.errors import InputError


@pytest.fixture
def place(corpora, endpoint, bimedv):
    """Config, settings, workspace and engine of a curated run."""
    config = corpora.config(endpoint.url, translate={"rounds": 0, "budget_usd": 1.0})
    assert bimedv("run", config, "--until", "curate").code == 0
    settings = load_settings(config)
    engine = open_database(settings.database_url())
    yield config, settings, Workspace(settings.workspace), engine
    engine.dispose()


def test_it_counts_by_source_what_would_be_asked_and_nothing_after_it_was_paid(place, endpoint, bimedv):
    config, settings, workspace, engine = place
    told = bimedv("translate", config, "--estimate", "--json")
    assert {"units", "requests", "prompt_tokens", "completion_tokens", "usd", "hours", "by_source"} <= set(told.json)
    before = keep_estimate(settings, workspace, engine, Characters())
    assert told.json["units"] == before["units"]
    assert endpoint.requests == [], "an estimate sends nothing"
    assert before["units"] == sum(row["units"] for row in before["by_source"].values()) > 0
    assert set(before["by_source"]) == {"slake", "iu_xray", "healthcaremagic"}
    assert before["requests"] == before["units"], "no rounds, one request a unit"
    assert before["usd"]["batch"] == pytest.approx(before["usd"]["online"] / 2)
    assert bimedv("run", config, "--from", "translate", "--until", "score").code == 0
    assert len(endpoint.requests) == before["requests"]
    told = compared(settings, workspace, engine)
    assert told["requests"] == {"estimate": before["requests"], "actual": len(endpoint.requests)}
    assert told["cost_usd"]["actual"] > 0
    after = estimate(settings, workspace, engine, Characters())
    assert (after["units"], after["requests"], after["usd"]["online"]) == (0, 0, 0)


def test_without_curated_samples_it_says_what_to_run(corpora, endpoint):
    settings = load_settings(corpora.config(endpoint.url))
    workspace = Workspace(settings.workspace)
    workspace.prepare()
    engine = open_database(settings.database_url())
    with pytest.raises(InputError, match="--until curate"):
        estimate(settings, workspace, engine, Characters())
    assert compared(settings, workspace, engine) is None
    engine.dispose()


def test_the_embedded_tokenizer_counts_what_the_embedded_server_counts():
    """The count of a prompt is the usage that the server bills for it."""
    import openai

    messages = [
        {"role": "system", "content": "Translate."},
        {"role": "user", "content": orjson.dumps({"q": "هل القلب كبير؟"}).decode()},
    ]
    with tokenizer() as counter:
        assert not isinstance(counter, Characters), "the tests are run with the embedded extra"
        client = openai.OpenAI(base_url=f"{counter.root}/v1", api_key="none")
        usage = client.chat.completions.create(model="default", messages=messages, max_tokens=1).usage
        client.close()
        assert counter.prompt(messages) == usage.prompt_tokens
        assert counter.text("") <= 1
