"""What a translation costs when something changed: exactly the units that did; and when nothing did: nothing."""

import json

import pytest

from pipeline.database import open_database
from pipeline.llm.embedded import Resolved
from pipeline.llm.governor import forget_all
from pipeline.translate.engine import translate_chunk
from pipeline.workspace import Workspace, noun_table
from schemas.sample import Exclusion, Sample
from schemas.translation import TwinDraft
from tests.corpora import ARABIC
from tests.curate.samples import configured, sample
from tests.endpoint import asked_for

CHUNK = "00-llava-00000"
QUESTIONS = [text for text in ARABIC if text.endswith("?") and "\n" not in text]


@pytest.fixture
def desk(tmp_path, endpoint):
    """Curated samples in, requests and drafts out."""

    class Desk:
        workspace = Workspace(tmp_path)

        def translate(self, samples, **translate):
            where = {"base_url": endpoint.url, "model": "m", "timeout_s": 20}
            blocks = {"endpoints": {"translator": where}, "translate": {"rounds": 0} | translate}
            settings = configured(tmp_path, **blocks)
            open_database(settings.database_url()).dispose()
            tables = {"samples": noun_table(Sample, samples), "excluded": noun_table(Exclusion, [])}
            self.workspace.write_chunk("curate", CHUNK, json.dumps([one.model_dump() for one in samples]), tables)
            before = len(endpoint.requests)
            translate_chunk(settings, self.workspace, CHUNK, Resolved(settings.endpoints.translator, None, frozenset()))
            return endpoint.requests[before:]

        def drafts(self):
            return list(self.workspace.rows("translate", TwinDraft, "twins", CHUNK))

    yield Desk()
    forget_all()


def _asked(requests):
    return sorted(text for body in requests for text in asked_for(body["messages"]).values())


def test_law_pay_once_editing_one_record_pays_exactly_the_units_that_contain_it(desk):
    samples = [sample(f"llava-train-{n}", question, "Yes") for n, question in enumerate(QUESTIONS)]
    shared = sample("llava-train-90", QUESTIONS[0], "No")
    assert _asked(desk.translate([*samples, shared])) == sorted(QUESTIONS), "an exchange that occurs twice is asked for once"
    assert desk.translate([*samples, shared]) == []
    edited = sample("llava-train-1", "Is the spleen enlarged in this image?", "Yes")
    assert _asked(desk.translate([samples[0], edited, *samples[2:], shared])) == ["Is the spleen enlarged in this image?"]
    assert len(desk.drafts()) == len(samples) + 1


def test_the_edit_of_one_turn_of_a_long_conversation_pays_its_part_alone(desk):
    said = "The liver is normal. " * 20
    turns = [("assistant" if n % 2 else "user", f"{n} words are said here. {said}") for n in range(12)]
    first = desk.translate([sample("llava-train-1", turns=turns, task="conversation")], max_tokens=400)
    assert len(first) > 4
    turns[10] = ("user", f"Something else is said here. {said}")
    again = desk.translate([sample("llava-train-1", turns=turns, task="conversation")], max_tokens=400)
    assert 1 <= len(again) < len(first)
    assert any("Something else" in text for text in _asked(again))


def test_a_text_of_200_000_characters_is_parted_and_none_of_it_is_lost(desk):
    sentences = [f"Sentence number {n} says that the liver is normal. " for n in range(4000)]
    answer = "".join(sentences).strip()
    assert len(answer) > 200_000
    requests = desk.translate([sample("llava-train-1", "What does the report say?", answer)])
    asked = " ".join(_asked(requests))
    assert all(f"number {n} says" in asked for n in range(4000))
    assert max(len(json.dumps(body)) for body in requests) < 20_000
    (draft,) = desk.drafts()
    assert draft.state == "ok"
