"""A small workspace with every kind of verdict, and its queue, on SQLite and on PostgreSQL."""

from dataclasses import dataclass

import orjson
import pytest

from pipeline.access import CLASSES
from pipeline.database import open_database
from pipeline.review.exchange import export, import_decisions
from pipeline.review.store import fill_queue
from pipeline.settings import QualitySettings, ReviewSettings, Settings, SourceSettings
from pipeline.workspace import Workspace, noun_table
from schemas.quality import Finding, Score
from schemas.sample import ImageRef, Origin, Sample, Turn
from schemas.translation import TwinDraft

SHA = "0" * 64
CHUNK = "000-00000"
BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
IMAGE = ImageRef(sha256=SHA, media_type="image/png", width=9, height=9, modality="ct", phash="0" * 16)
DOUBT = Finding(check="numbers", category="accuracy/number", severity="major", message="3 is gone", source_span=(0, 1))
#: name: (question, answer, Arabic turns, score, verdict, access); no Arabic: the draft is unusable, no score: unscored.
CASES = {
    "risky": ("Is the heart enlarged?", "Yes", ("هل القلب متضخم؟", "نعم"), 45.0, "review", "open"),
    "doubtful": ("Where is the stone?", "In the ureter.", ("أين الحصاة؟", "في الحالب."), 70.0, "review", "open"),
    "secret": ("Where is the stone?", "In the kidney.", ("أين الحصاة؟", "في الكلية."), 71.0, "review", "credentialed"),
    "pictured": ("<image>\nWhich organ?", "The liver.", ("<image>\nما العضو؟", "الكبد."), 60.0, "review", "open"),
    "silent": ("Is there fever?", "No", (), None, "review", "open"),
    "unscored": ("Is it broken?", "No", ("هل هو مكسور؟", "لا"), None, "review", "open"),
    "good": ("Is it a lung?", "Yes", ("هل هذه رئة؟", "نعم"), 95.0, "accept", "open"),
    "bad": ("Is it a hand?", "Yes", ("يذهب الأولاد", "نعم"), 5.0, "reject", "open"),
}


def identity(name):
    return f"slake-train-{name}"


@dataclass
class Desk:
    """The queue of one workspace, with what a test does to it."""

    settings: Settings
    workspace: Workspace
    engine: object
    folder: object

    def write(self, base=CASES, chunk=CHUNK, **changed):
        """Bring the tables up; `changed` gives a case other values, or adds one."""
        cases = base | changed
        samples, drafts, scores = zip(*(_rows(name, case) for name, case in cases.items()), strict=True)
        self.workspace.write_chunk("curate", chunk, "c", {"samples": noun_table(Sample, samples)})
        self.workspace.write_chunk("translate", chunk, "t", {"twins": noun_table(TwinDraft, drafts)})
        self.workspace.write_chunk("score", chunk, "s", {"scores": noun_table(Score, filter(None, scores))})

    def fill(self):
        return fill_queue(self.settings, self.workspace, self.engine)

    def export(self, **options):
        path = self.folder / "queue.jsonl"
        export(self.engine, path, **{"access": CLASSES} | options)
        return [orjson.loads(line) for line in path.read_bytes().splitlines()]

    def item(self, name):
        """The exported line of one sample."""
        return next(row for row in self.export() if row["sample"] == identity(name))

    def decide(self, reviewer, *rows):
        path = self.folder / "decided.jsonl"
        path.write_bytes(b"".join((row if isinstance(row, bytes) else orjson.dumps(row)) + b"\n" for row in rows))
        return import_decisions(self.engine, path, reviewer)


def said(row, verdict, *turns):
    """An exported line with an expert's decision in it."""
    return row | {"decision": row["decision"] | {"verdict": verdict, "turns": list(turns)}}


def _rows(name, case):
    question, answer, arabic, points, verdict, access = case
    images = (IMAGE,) * question.count("<image>")
    sample = Sample(
        id=identity(name), corpus="slake", record=name, split="train", task="vqa" if images else "text_qa", language="en",
        turns=(Turn(role="user", text=question), Turn(role="assistant", text=answer)), images=images, licence="CC BY",
        access=access, pair=f"{identity(name)}-ar", origin=Origin(file="a.json", row=1, sha256=SHA),
    )  # fmt: skip
    draft = TwinDraft(
        sample=sample.id, state="ok" if arabic else "unusable", turns=arabic, units=(SHA,), calls=(), model="m", prompt="p",
        round=0, error="" if arabic else "truncated",
    )  # fmt: skip
    findings = (DOUBT,) if points is not None and points < 80 else ()
    score = Score(sample=sample.id, score=points, verdict=verdict, findings=findings, similarity=None, judge=None, version="1")
    return sample, draft, score if arabic else None


@pytest.fixture
def desk(tmp_path, database_url):
    """A filled queue: six items wait, `good` goes out by itself, `bad` is excluded."""
    settings = Settings(
        name="desk", workspace=tmp_path / "work", sources=(SourceSettings(corpus="slake", path=tmp_path / "a.json"),),
        quality=QualitySettings(without_judge="accept"), root=tmp_path,
        review=ReviewSettings(audit_fraction=0.0, audit_minimum=0),
    )  # fmt: skip
    engine = open_database(database_url)
    made = Desk(settings, Workspace(tmp_path / "work"), engine, tmp_path)
    made.write()
    made.fill()
    yield made
    engine.dispose()
