"""A takedown holds: a workspace's later builds leave out what was withdrawn, and its sums still close."""

import json

import yaml

from pipeline.withdrawn import withdrawn
from pipeline.workspace import Workspace
from shards.release import load_manifest


def test_a_later_build_leaves_out_what_was_withdrawn_and_every_law_holds(finished, endpoint, bimedv, tmp_path):
    copy = finished.copy(tmp_path / "copy", endpoint.url)
    folder = copy.workspace / "releases" / "small-0.1.0"
    before = bimedv("status", "--workspace", copy.workspace, "--json").json["samples"]
    lines = (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    name = next(line for line in lines if '"language":"ar"' in line).split('"id":"')[1].split('"')[0]
    english = name.removesuffix("-ar")
    told = bimedv("release", "redact", folder, "--id", english, "--reason", "takedown", "--json")
    assert told.json["remembered"]
    assert {stone.sample for stone in withdrawn(Workspace(copy.workspace))} == {english, name}
    stated = yaml.safe_load(copy.config.read_text(encoding="utf-8"))
    stated["release"]["about"] = {"creator": "A hospital", "published": "2026-03-01"}
    copy.config.write_text(yaml.safe_dump(stated, allow_unicode=True), encoding="utf-8")
    built = bimedv("release", "build", copy.config, "--json")
    assert built.code == 0, built.err
    held = (folder / "metadata.jsonl").read_text(encoding="utf-8")
    assert f'"id":"{english}"' not in held
    assert f'"id":"{name}"' not in held
    assert {stone.sample for stone in load_manifest(folder).withdrawn} == {english, name}
    status = bimedv("status", "--check", "--workspace", copy.workspace, "--json")
    assert status.code == 0, status.json.get("broken")
    after = status.json["samples"]
    assert after["released"] == before["released"] - 2
    assert after["excluded"]["withdrawn"] == 2
    traced = bimedv("trace", name, "--workspace", copy.workspace, "--json").json
    assert (traced["bucket"], traced["reason"], traced["released"]) == ("excluded", "withdrawn", None)
    told = json.loads((folder / "croissant.json").read_bytes())
    assert (told["creator"]["name"], told["datePublished"]) == ("A hospital", "2026-03-01"), "what the config states"
