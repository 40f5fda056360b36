"""A chunk of curated samples and a config whose translator makes samples; both real, the endpoint on loopback."""

from dataclasses import dataclass

import pytest

from pipeline.database import open_database
from pipeline.llm.embedded import Resolved
from pipeline.llm.ledger import Ledger
from pipeline.make.plan import make_plan
from pipeline.make.stage import make_chunk
from pipeline.workspace import Workspace, made_chunk, noun_table
from schemas.sample import Exclusion, Sample
from schemas.translation import Making
from tests.curate.samples import configured
from tests.make.maker import Maker

CHUNK = "00-llava-00000"


@dataclass
class Desk:
    """One workspace whose curated samples a test writes, and what the stage makes of them."""

    folder: object
    maker: Maker

    def __post_init__(self):
        self.workspace = Workspace(self.folder)
        self.blocks = {}

    def settings(self, **recipes):
        chosen = {name: {"corpora": ["llava"]} | (more or {}) for name, more in recipes.items()}
        translator = {
            "base_url": self.maker.url, "model": "test-model", "timeout_s": 10, "max_retries": 0,
            "price": {"input": 1.0, "output": 4.0},
        } | self.blocks.pop("translator", {})  # fmt: skip
        return configured(self.folder, make=chosen, endpoints={"translator": translator}, **self.blocks)

    def curated(self, *samples, chunk=CHUNK, mark="m"):
        none = noun_table(Exclusion, [])
        self.workspace.write_chunk("curate", chunk, mark, {"samples": noun_table(Sample, samples), "excluded": none})

    def make(self, settings, chunk=CHUNK):
        endpoints = Resolved(settings.endpoints.translator, None, frozenset())
        return make_chunk(settings, self.workspace, chunk, make_plan(settings, self.workspace), endpoints)

    def made(self, chunk=CHUNK):
        return list(self.workspace.rows("make", Sample, "samples", made_chunk(chunk)))

    def lost(self, chunk=CHUNK):
        return list(self.workspace.rows("make", Exclusion, "excluded", made_chunk(chunk)))

    def makings(self, chunk=CHUNK):
        return list(self.workspace.rows("make", Making, "makings", made_chunk(chunk)))

    def totals(self, settings):
        engine = open_database(settings.database_url())
        try:
            return Ledger(engine).totals()
        finally:
            engine.dispose()


@pytest.fixture
def desk(tmp_path):
    with Maker() as maker:
        yield Desk(tmp_path, maker)
