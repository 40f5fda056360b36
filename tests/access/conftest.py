"""Wires, attestations and a workspace with rows of each class; the words of the restricted ones occur nowhere else."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
import yaml

from pipeline.attestation import keygen, sign
from pipeline.settings import Settings
from pipeline.workspace import Workspace, noun_table
from schemas.sample import Sample
from tests.access.wire import Wire

#: Words of a restricted corpus: found anywhere outside the workspace's own files, they have leaked.
CANARIES = ("zanzibarite", "quokkaform", "بطريقستان")
CHUNK = "000-00000"
TODAY = date(2026, 3, 10)
HOST = "https://llm.example.org/v1"
FIELDS = {
    "datasets": ["figure1_cxr"], "dua_version": "1.5.0", "user": "dr-lane", "provider": "Example Health Cloud",
    "base_url": HOST, "model": "med-1", "zero_data_retention": True, "training": False, "human_review": False,
    "evidence": "https://llm.example.org/terms/health", "evidence_date": date(2026, 2, 1),
    "requester": "dr-lane", "approver": "dr-okoro", "expires": date(2026, 9, 1),
}  # fmt: skip


@pytest.fixture
def wire():
    """A wire with nobody behind it."""
    with Wire() as made:
        yield made


@pytest.fixture
def wired(endpoint):
    """A wire to an endpoint that answers."""
    with Wire(endpoint.url) as made:
        yield made


@dataclass
class Office:
    """The approver's desk: a folder with a config's attestation, and the key outside of it."""

    folder: Path
    approvers: dict[str, str] = field(default_factory=dict)

    def key(self, name="dr-okoro"):
        """The private key of a person, whose public one the config lists."""
        path = self.folder / f"{name}.pem"
        if not path.exists():
            self.approvers[name] = keygen(path)
        return path

    def write(self, **changed):
        """An attestation; a field that is None is left out."""
        path = self.folder / "attestation.yaml"
        fields = {name: value for name, value in (FIELDS | changed).items() if value is not None}
        path.write_text("# Read before you sign.\n" + yaml.safe_dump(fields), encoding="utf-8")
        return path

    def signed(self, today=TODAY, **changed):
        path = self.write(**changed)
        sign(path, self.key(), today)
        return path

    def edited(self, old, new):
        """The signed file with something changed by hand."""
        path = self.signed()
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path


@pytest.fixture
def office(tmp_path):
    folder = tmp_path / "office"
    folder.mkdir()
    return Office(folder)


def configured(folder, *corpora, approvers=None, judge=None, **endpoint):
    """Settings over corpora that no test reads; `endpoint` are keys of the translator's."""
    ends = {"translator": {"base_url": HOST, "model": "med-1"} | endpoint} | ({"judge": judge} if judge else {})
    sources = [{"corpus": name, "path": folder / f"{name}.json"} for name in corpora]
    whole = {"name": "t", "workspace": folder / "work", "root": folder, "sources": sources, "endpoints": ends}
    return Settings.model_validate(whole | {"approvers": approvers or {}, "translate": {"memory": False, "rounds": 0}})


def curated(folder, *samples):
    """A workspace whose curated samples are these, and the name of their only chunk."""
    workspace = Workspace(folder)
    workspace.write_chunk("curate", CHUNK, "c", {"samples": noun_table(Sample, samples)})
    return workspace, CHUNK
