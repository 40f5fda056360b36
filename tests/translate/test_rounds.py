"""Units through their rounds against a real HTTP endpoint: refine what is flagged, keep the better, part what is cut off."""

import asyncio
import json
import re

import pytest

from pipeline.database import open_database
from pipeline.llm.answers import loops
from pipeline.llm.client import Client
from pipeline.llm.ledger import Ledger
from pipeline.quality.gate import Gate
from pipeline.settings import EndpointSettings, QualitySettings, TranslateSettings
from pipeline.translate.prompt import load_prompt
from pipeline.translate.rounds import Known, Translator
from schemas.errors import StoppedError
from schemas.translation import Unit
from tests.corpora import ARABIC
from tests.endpoint import UNKNOWN

RIGHT = "Does the patient have pneumonia?"
LONG = "The lungs are clear. There is no pleural effusion or pneumothorax."


def unit(text=RIGHT, label="question", key="0"):
    return Unit(
        key=key.rjust(64, "0"), source="en", target="ar", task="vqa", labels=(label,), segments=(text,), context="task: vqa",
        access="open", corpus="slake",
    )  # fmt: skip


@pytest.fixture
def translate(endpoint, tmp_path):
    """Run units; returns translations in order. `done` collects the units in the order in which they ended."""
    engine = open_database(f"sqlite:///{tmp_path / 'test.db'}")

    def run(*known, form="json", done=None, budget=None, price=None, concurrency=4, **changes):
        async def work():
            where = {"base_url": endpoint.url, "model": "m", "timeout_s": 10}
            settings = EndpointSettings(**where, price=price or {}, concurrency=concurrency)
            client = Client(settings, "test", Ledger(engine, budget))
            translator = Translator(
                TranslateSettings(**changes), Gate(QualitySettings()), client, load_prompt("translate-v2"), form
            )
            try:
                return await translator.run(known, "m", (done if done is not None else []).append)
            finally:
                await client.close()

        return asyncio.run(work())

    yield run
    engine.dispose()


@pytest.mark.parametrize("form", ["json", "delimited"])
def test_a_good_translation_is_asked_for_once(translate, endpoint, form):
    (made,) = translate(Known(unit()), form=form)
    assert (made.state, made.segments, made.round) == ("ok", (ARABIC[RIGHT],), 0)
    assert len(made.calls) == len(endpoint.requests) == 1
    assert ("response_format" in endpoint.requests[0]) is (form == "json")


def test_an_endpoint_that_knows_no_schemas_is_asked_in_labelled_lines_from_then_on(translate, endpoint):
    endpoint.faults = [(400, None, {"error": {"message": "Unknown parameter: 'response_format'."}})]
    (made,) = translate(Known(unit("Is the kidney seen behind the stomach here?")), rounds=1)
    assert made.state == "ok"
    assert [("response_format" in request) for request in endpoint.requests] == [True, False, False]
    for request in endpoint.requests[1:]:
        assert any("<<question>>" in message["content"] for message in request["messages"][1:])
    assert len(made.calls) == 2, "a translation does not rest on the call that was refused"


def test_a_flagged_one_is_refined_with_its_errors_named_and_no_more_often_than_rounds(translate, endpoint):
    (made,) = translate(Known(unit("Is the kidney seen behind the stomach here?")), rounds=2)
    assert made.segments == (UNKNOWN,), "the endpoint knows no better, and nothing else is made up"
    assert made.round == 0
    # The second refinement would be the same request as the first, and a recorded answer is not paid for again.
    assert len(endpoint.requests) == 2
    wish = endpoint.requests[1]["messages"][-1]["content"]
    assert re.search(r"- question: .*kidney", wish), wish


def test_what_the_memory_knows_is_not_asked_for_and_says_where_it_comes_from(translate, endpoint):
    known = Known(unit(), fixed={"question": "هل به التهاب رئوي؟"}, origin="reviewed")
    (made,) = translate(known)
    assert (made.segments, made.model, made.calls) == (("هل به التهاب رئوي؟",), "memory:reviewed", ())
    assert endpoint.requests == []


def test_a_unit_that_is_cut_off_is_given_more_room_and_then_parted(translate, endpoint):
    endpoint.faults = ["length", "length"]
    (made,) = translate(Known(unit(LONG, "findings")), rounds=0)
    limits = [request["max_tokens"] for request in endpoint.requests]
    assert limits[1] == 2 * limits[0]
    asked = [json.loads(request["messages"][-1]["content"].splitlines()[-1])["findings"] for request in endpoint.requests]
    assert asked[:2] == [LONG, LONG]
    # The halves are asked for side by side, and either may arrive first.
    assert sorted(asked[2:]) == ["The lungs are clear.", "There is no pleural effusion or pneumothorax."]
    assert made.state == "ok"
    assert made.segments == (f"{UNKNOWN} {UNKNOWN}",), "the halves, joined as the source is"
    assert len(made.calls) == 2, "what was cut off is paid for, and nothing rests on it"


def test_what_stays_cut_off_is_unusable_and_goes_to_review(translate, endpoint):
    endpoint.faults = ["length"] * 60
    (made,) = translate(Known(unit(LONG, "findings")), rounds=0)
    assert (made.state, made.segments) == ("unusable", ())
    assert made.error.startswith("truncated")
    assert len(endpoint.requests) <= 60


@pytest.mark.parametrize(("fault", "state"), [("refusal", "unusable"), ("broken", "unusable"), (400, "failed")])
def test_a_bad_answer_is_a_state_and_the_others_go_on(translate, endpoint, fault, state):
    endpoint.faults = [fault] * 2 if fault == "broken" else [fault]
    done = []
    bad, good = translate(Known(unit(LONG, "findings", "1")), done=done, rounds=0), translate(Known(unit(key="2")), done=done)
    assert bad[0].state == state
    assert good[0].state == "ok"
    assert len(done) == 2, "a unit that failed is finished, too"


def test_of_several_candidates_the_gates_favourite_stays(translate, endpoint):
    (made,) = translate(Known(unit()), candidates=3, rounds=0)
    assert made.segments == (ARABIC[RIGHT],)
    assert sorted(request["seed"] for request in endpoint.requests) == [0, 1, 2]
    assert {request["temperature"] for request in endpoint.requests} == {0.7}


def test_when_the_money_ends_what_is_under_way_is_still_recorded(translate, endpoint):
    endpoint.delay = 0.2
    known = [Known(unit(f"Question number {number} of many?", key=str(number))) for number in range(12)]
    with pytest.raises(StoppedError, match="budget"):
        translate(*known, budget=0.004, price={"input": 1.0, "output": 4.0}, rounds=0)
    asked = len(endpoint.requests)
    assert 0 < asked < 12
    endpoint.delay = 0
    translate(*known, rounds=0)
    assert len(endpoint.requests) == 12, "no answer was paid for twice"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("الكبد " * 30, True),
        ('{"answer": "' + "لا يوجد دليل على ذلك. " * 6, True),
        ("هل هو؟ " * 3, False),
        ("الرئتان صافيتان. لا يوجد انصباب جنبي. القلب طبيعي الحجم. لا كسور.", False),
        ("", False),
    ],
)
def test_a_loop_is_told_from_a_text_that_was_cut_off(text, answer):
    assert loops(text) is answer
