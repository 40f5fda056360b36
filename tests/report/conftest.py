"""A run with its tables written by hand, so that the page can be held against numbers that are known."""

from dataclasses import dataclass, replace

import orjson
import pytest

from pipeline.database import open_database
from pipeline.images.store import ImageStore
from pipeline.report import RunFacts, calls_by_endpoint, write_report
from pipeline.settings import QualitySettings, ReleaseSettings, Settings, SourceSettings
from pipeline.status import status
from pipeline.workspace import Workspace, noun_table
from schemas.quality import Finding, Score
from schemas.release import Evidence, ReleaseRow
from schemas.sample import Exclusion, Origin, Sample, Turn, twin_id
from schemas.translation import TwinDraft
from tests.corpora import picture

SHA, CHUNK, VERSION = "0" * 64, "000-00000", "small-0.1.0"
PROOF = Evidence(
    score=91.0, verdict="accept", score_version="v", similarity=0.6, findings=0, units=(SHA,), calls=(SHA,), model="m",
    prompt="p", round=0, judged=False,
)  # fmt: skip
HOSTILE = '<script>document.title = "taken"</script><img src=x onerror=alert(1)>'
#: (English turns, Arabic turns, score, verdict); an Arabic of None has not been translated.
CASES = [
    (("<image>\nIs the heart enlarged?", "Yes"), ("<image>\nهل القلب متضخم؟", "نعم"), 95.0, "accept"),
    (("Where is the stone?", "In the left kidney."), ("أين الحصاة؟", "في الكلية."), 62.0, "review"),
    (("Is it a lung?", "No"), ("يذهب الأولاد إلى المدرسة.", "نعم"), 5.0, "reject"),
    ((f"What does {HOSTILE} mean?", "Nothing & <b>less</b>."), (f"ما معنى {HOSTILE}؟", "\u202eلا شيء\u202c"), 88.0, "accept"),
    (("Is there fever?", "No"), None, None, None),
]
LOST_SIDE = Finding(
    check="laterality", category="accuracy/omission", severity="critical", message='"left" has no <partner>',
    source_span=(27, 31), target_span=None,
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A workspace with its settings; `facts` gathers what a run's end knows."""

    settings: Settings
    workspace: Workspace
    engine: object

    def facts(self, **changes):
        languages = {}
        for row in self.workspace.rows("release", ReleaseRow, "rows"):
            languages[row.sample.language] = languages.get(row.sample.language, 0) + 1
        known = RunFacts(
            name="small", version="0.1.0", status=status(self.settings, self.workspace, self.engine),
            seconds={"ingest": 0.4, "curate": 1.2, "translate": 75.0}, judged=False, without_judge="accept", accept=80.0,
            reject=40.0, train=None,
            release={"path": str(self.workspace.releases / VERSION), "samples": 0, "shards": 1, "languages": languages},
            evaluation=None, commands=["bimedv status --check --workspace work/small"],
            endpoints=calls_by_endpoint(self.engine),
        )  # fmt: skip
        return replace(known, **changes)

    def page(self, **changes):
        """The written page, as text."""
        return self.write(**changes).read_text(encoding="utf-8")

    def write(self, **changes):
        return write_report(self.facts(**changes), self.workspace, self.workspace.reports / "small.html")


@pytest.fixture(scope="module")
def make_run(tmp_path_factory):
    """A run of the given cases; each goes out in English, and in Arabic when it was accepted."""
    engines = []

    def make(cases=CASES):
        tmp_path = tmp_path_factory.mktemp("run")
        workspace = Workspace(tmp_path / "work")
        workspace.prepare()
        settings = Settings(
            name="small", workspace=workspace.root, sources=(SourceSettings(corpus="slake", path=tmp_path / "train.json"),),
            quality=QualitySettings(without_judge="accept"), release=ReleaseSettings(name="small"), root=tmp_path,
        )  # fmt: skip
        engines.append(open_database(settings.database_url()))
        _write(workspace, cases, _images(tmp_path, workspace))
        return Run(settings, workspace, engines[-1])

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture(scope="module")
def run(make_run):
    """The run of CASES, for tests that only look."""
    return make_run()


@pytest.fixture(scope="module")
def plain(run):
    """The page of that run: drawing one takes half a second."""
    return run.page()


def _images(folder, workspace):
    picture(1).save(folder / "heart.png")
    return (ImageStore(workspace.images).add(folder, "heart.png", "ct"),)


def _write(workspace, cases, images):
    samples = [_sample(number, case[0], images) for number, case in enumerate(cases)]
    lost = [_lost("ingest", "missing_image", 90), _lost("ingest", "missing_image", 91), _lost("ingest", "empty_answer", 92)]
    drafts = [_draft(sample, case[1]) for sample, case in zip(samples, cases, strict=True) if case[1]]
    scores = [_score(sample, *case[2:]) for sample, case in zip(samples, cases, strict=True) if case[3]]
    rows = [row for sample, case in zip(samples, cases, strict=True) for row in _released(sample, case)]
    rejected = [_lost("release", "rejected", 9, twin_id(s.id)) for s, c in zip(samples, cases, strict=True) if c[3] == "reject"]
    none = noun_table(Exclusion, [])
    workspace.write_chunk("ingest", CHUNK, "i", {"samples": noun_table(Sample, samples), "excluded": noun_table(Exclusion, lost)})
    workspace.write_chunk("curate", CHUNK, "c", {"samples": noun_table(Sample, samples), "excluded": none})
    workspace.write_chunk("translate", CHUNK, "t", {"twins": noun_table(TwinDraft, drafts)})
    workspace.write_chunk("score", CHUNK, "s", {"scores": noun_table(Score, scores)})
    tables = {"rows": noun_table(ReleaseRow, rows), "excluded": noun_table(Exclusion, rejected)}
    workspace.write_chunk("release", CHUNK, "r", tables)
    (workspace.releases / VERSION).mkdir(parents=True)
    (workspace.releases / VERSION / "manifest.json").write_text("{}")
    (workspace.releases / f"{VERSION}.json").write_bytes(orjson.dumps({"fingerprint": "r", "sha256": SHA}))


def _sample(number, turns, images):
    shown = images if "<image>" in turns[0] else ()
    name = f"slake-train-{number}"
    return Sample(
        id=name, corpus="slake", record=str(number), split="train", task="vqa" if shown else "text_qa", language="en",
        turns=tuple(Turn(role=role, text=text) for role, text in zip(("user", "assistant"), turns, strict=True)), images=shown,
        licence="CC BY", access="open", pair=f"{name}-ar", origin=_origin(number + 1),
    )  # fmt: skip


def _origin(row):
    return Origin(file="slake/train.json", row=row, sha256=SHA)


def _lost(stage, reason, row, sample=None):
    return Exclusion(
        stage=stage, reason=reason, record=str(row), sample=sample, origin=_origin(row), detail="xmlab7/<source>.jpg"
    )


def _draft(sample, turns):
    return TwinDraft(sample=sample.id, state="ok", turns=turns, units=(SHA,), calls=(), model="m", prompt="p", round=0)


def _score(sample, points, verdict):
    findings = (LOST_SIDE,) if verdict == "review" else ()
    return Score(sample=sample.id, score=points, verdict=verdict, findings=findings, similarity=None, judge=None, version="1")


def _released(sample, case):
    accepted = case[3] == "accept"
    yield ReleaseRow(sample=sample if accepted else sample.model_copy(update={"pair": None}), split="train", evidence=None)
    if accepted:
        turns = tuple(Turn(role=turn.role, text=text) for turn, text in zip(sample.turns, case[1], strict=True))
        arabic = sample.model_copy(update={"id": twin_id(sample.id), "pair": sample.id, "language": "ar", "turns": turns})
        yield ReleaseRow(sample=arabic, split="train", evidence=PROOF)
