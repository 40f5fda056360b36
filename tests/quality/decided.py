"""A workspace whose translations have been scored, queued and decided, made to order for tests of the calibration."""

from typing import NamedTuple

import orjson

from pipeline.access import CLASSES
from pipeline.database import open_database
from pipeline.review.exchange import export, import_decisions
from pipeline.review.store import fill_queue
from pipeline.settings import QualitySettings, ReviewSettings, Settings, SourceSettings
from pipeline.workspace import Workspace, noun_table
from schemas.quality import Score
from schemas.sample import Origin, Sample, Turn
from schemas.translation import TwinDraft
from tests.quality.labels import finding

SHA, CHUNK = "0" * 64, "000-00000"


class Text(NamedTuple):
    """One sample: what the gate said of its translation."""

    name: str
    score: float | None = 97.0
    verdict: str = "accept"
    corpus: str = "slake"
    judge: float | None = None
    version: str = "checks-1"
    state: str = "ok"
    arabic: str = "الكبد طبيعي."


class Run:
    """Tables, queue and experts of one workspace."""

    def __init__(self, folder, without_judge="review", **review):
        self.folder = folder
        self.workspace = Workspace(folder / "work")
        self.settings = Settings(
            name="run", workspace=self.workspace.root, sources=(SourceSettings(corpus="slake", path=folder / "a.json"),),
            quality=QualitySettings(without_judge=without_judge),
            review=ReviewSettings(**{"audit_fraction": 0.0, "audit_minimum": 0} | review), root=folder,
        )  # fmt: skip
        self.engine = open_database(f"sqlite:///{folder / 'run.db'}")

    def write(self, texts):
        """Bring tables and queue up to these texts."""
        rows = [_rows(text) for text in texts]
        tables = (("curate", "samples", Sample), ("translate", "twins", TwinDraft), ("score", "scores", Score))
        for (stage, table, noun), column in zip(tables, zip(*rows, strict=True), strict=True):
            self.workspace.write_chunk(stage, CHUNK, stage, {table: noun_table(noun, column)})
        fill_queue(self.settings, self.workspace, self.engine)
        return self

    def queue(self, name=None):
        """Exported lines of a queue, by the name of the text."""
        path = self.folder / "queue.jsonl"
        export(self.engine, path, name, None, CLASSES)
        lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
        return {line["sample"].split("-", 2)[2]: line for line in lines}

    def decide(self, reviewer, words, lines=None):
        """Import words (name of a text to verdict) of one expert, on the lines as they are exported now, or as they were."""
        lines, path = lines or self.queue(), self.folder / "decided.jsonl"
        made = []
        for name, verdict in words.items():
            block = lines[name]["decision"] | {"verdict": verdict, "turns": ["س", "ص"] if verdict == "edit" else []}
            made.append(orjson.dumps(lines[name] | {"decision": block}))
        path.write_bytes(b"\n".join(made))
        import_decisions(self.engine, path, reviewer)


def _rows(text):
    name = f"{text.corpus}-train-{text.name}"
    sample = Sample(
        id=name, corpus=text.corpus, record=text.name, split="train", task="text_qa", language="en",
        turns=(Turn(role="user", text="Which organ?"), Turn(role="assistant", text="The liver is normal.")), licence="CC BY",
        access="open", pair=f"{name}-ar", origin=Origin(file="a.json", row=1, sha256=SHA),
    )  # fmt: skip
    turns = ("أي عضو؟", text.arabic) if text.state == "ok" else ()
    draft = TwinDraft(
        sample=name, state=text.state, turns=turns, units=(SHA,), calls=(), model="m", prompt="p", round=0,
        error="" if text.state == "ok" else "truncated",
    )  # fmt: skip
    findings = () if text.verdict == "accept" else (finding("numbers", "critical" if text.verdict == "reject" else "major"),)
    score = Score(
        sample=name, score=text.score, verdict=text.verdict, findings=findings, similarity=0.6, judge=text.judge,
        version=text.version,
    )  # fmt: skip
    return sample, draft, score
