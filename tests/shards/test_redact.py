"""Takedowns: what goes is gone with all that rests on it, is named, and everything else keeps its bytes."""

import hashlib

import pytest

from schemas.errors import InputError
from shards.find import origin, origin_text
from shards.read import Shard
from shards.redact import Takedown, next_version, redact, tombstones
from shards.release import load_manifest
from shards.verify import verify
from tests.shards.made import pair, pictures, release, row, rows, sample


@pytest.fixture
def whole(tmp_path):
    """Sixteen samples of SLAKE, two of which a model made from others, and a pair of IU X-ray; in several shards."""
    made = [
        row(sample(n).model_copy(update={"meta": {"made_from": parent}}))
        for n, parent in ((40, "slake-train-8"), (41, "slake-train-40"))
    ]
    return release(tmp_path, [*rows(pictures(tmp_path)), *made, *pair(1, corpus="iu_xray")], "r-0.1.0", shard_bytes=9_000)


def _take(folder, *ids, corpora=(), reason="asked by a patient", version="0.1.1"):
    out = folder.with_name(f"r-{version}")
    return redact(
        folder, out, version, tombstones(folder, out, version, Takedown(reason, frozenset(ids), frozenset(corpora)))
    ), out


def _raw(folder):
    """Id to the bytes of every sample."""
    found = {}
    for path in folder.rglob("*.tar"):
        with Shard(path) as shard:
            found |= {shard[number][0]["id"]: shard.raw(number) for number in range(len(shard))}
    return found


def test_an_english_sample_goes_with_its_twin_and_with_what_was_made_from_it(whole):
    new, out = _take(whole, "slake-train-8")
    gone = {"slake-train-8", "slake-train-8-ar", "slake-train-40", "slake-train-41"}
    before, after = _raw(whole), _raw(out)
    assert set(before) - set(after) == gone
    assert {name: raw for name, raw in before.items() if name not in gone} == after
    assert {(stone.sample, stone.reason, stone.version) for stone in new.withdrawn} == {
        (name, "asked by a patient", "0.1.1") for name in gone
    }  # fmt: skip
    assert verify(out).problems == ()
    assert load_manifest(out) == new


def test_an_arabic_sample_goes_alone_and_its_partner_forgets_it(whole):
    new, out = _take(whole, "slake-train-9-ar")
    before, after = _raw(whole), _raw(out)
    assert set(before) - set(after) == {"slake-train-9-ar"}
    assert [name for name in after if after[name] != before[name]] == ["slake-train-9"]
    with Shard(next(out.rglob("*-train-jpg-0*.tar"))) as shard:
        record, images = shard[0]
    assert (record["id"], record["pair"], list(images)) == ("slake-train-9", "", ["0.jpg"])
    assert verify(out).problems == ()
    assert new.languages == {"ar": 4, "en": 15}


def test_a_source_goes_whole_and_leaves_no_gap_in_the_shards_numbers(whole):
    new, out = _take(whole, corpora=["iu_xray"])
    assert new.sources == {"slake": 18}
    numbers = sorted(path.name for path in out.rglob("*-text-*.tar"))
    assert numbers == [f"r-0.1.1-train-text-{number:06d}.tar" for number in range(len(numbers))]
    assert verify(out).problems == ()


def test_tombstones_add_up_over_versions_and_stand_in_the_card(whole):
    _, first = _take(whole, "slake-train-1")
    new, second = _take(first, "slake-train-2", reason="licence", version="0.1.2")
    assert [(stone.sample, stone.version) for stone in new.withdrawn] == [("slake-train-1", "0.1.1"), ("slake-train-2", "0.1.2")]
    card = (second / "README.md").read_text(encoding="utf-8")
    assert "| 0.1.1 | asked by a patient | 1 |" in card
    assert "| 0.1.2 | licence | 1 |" in card
    with pytest.raises(InputError, match="--id slake-train-1 was withdrawn before"):
        _take(second, "slake-train-1", version="0.1.3")


def test_what_cannot_be_done_is_refused_and_nothing_is_written(whole):
    before = sorted(whole.parent.iterdir())
    for asked, said in (
        ({"ids": ["nobody"]}, "--id nobody is not in the release"),
        ({"corpora": ["pmc_vqa"]}, "--source pmc_vqa is not in the release"),
        ({"corpora": ["slake", "iu_xray"]}, "nothing would be left"),
        ({"ids": ["slake-train-1"], "version": "0.1.0"}, "that is .*'s own"),
        ({"ids": ["slake-train-1"], "version": "next"}, "is no version"),
    ):
        with pytest.raises(InputError, match=said):
            _take(whole, *asked.pop("ids", []), **asked)
    assert sorted(whole.parent.iterdir()) == before


def test_the_old_release_is_untouched(whole):
    before = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in whole.rglob("*") if path.is_file()}
    _take(whole, "slake-train-8")
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in whole.rglob("*") if path.is_file()} == before


def test_the_next_version_is_counted_as_a_number():
    assert next_version("0.1.9") == "0.1.10"


def test_trace_from_a_release_alone_leads_to_source_and_proof_or_to_the_tombstone(whole):
    value = origin(whole, "slake-train-9-ar")
    assert value["source"]["file"] == "a.json"
    assert (value["source"]["row"], value["pair"], value["evidence"]["score"]) == (10, "slake-train-9", 91.0)
    told = origin_text(value)
    assert "source    a.json, record 10 (id 9, CC BY)" in told
    assert "score     91 of 100, accept" in told
    _, out = _take(whole, "slake-train-9-ar")
    assert origin_text(origin(out, "slake-train-9-ar")) == (
        "slake-train-9-ar: withdrawn from version 0.1.1 on: asked by a patient (slake)"
    )
    with pytest.raises(InputError, match="holds no sample 'nobody'"):
        origin(whole, "nobody")


def test_the_commands_withdraw_and_trace(whole, tmp_path, bimedv):
    (tmp_path / "ids.txt").write_text("slake-train-1\nslake-train-2\n")
    told = bimedv("release", "redact", whole, "--ids", tmp_path / "ids.txt", "--reason", "takedown", "--json")
    assert (told.code, told.json["withdrawn"], told.json["version"], told.json["remembered"]) == (0, 2, "0.1.1", False)
    traced = bimedv("trace", "slake-train-1", "--release", told.json["path"], "--json")
    assert traced.json["withdrawn"]["reason"] == "takedown"
    assert bimedv("release", "redact", whole, "--reason", "none").code == 2
