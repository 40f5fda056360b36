"""Diff: each kind of change is counted as what it is, nothing else is, and the page shows both sides."""

import re

import pytest

from schemas.errors import InputError
from schemas.sample import Turn
from shards.diff import KINDS, diff, page
from tests.shards.made import PROOF, pair, pictures, release, row, rows, sample


@pytest.fixture
def store(tmp_path):
    return pictures(tmp_path)


def _counts(found):
    return {kind: count for kind, count in found.counts().items() if count}


def _versions(tmp_path, store, new, **changes):
    old = release(tmp_path, rows(store), "old")
    return diff(old, release(tmp_path, new, "new", **({"version": "0.2.0"} | changes)))


def test_the_same_rows_differ_in_nothing_however_they_are_cut_into_shards(tmp_path, store):
    found = _versions(tmp_path, store, rows(store), shard_bytes=6_000)
    assert (found.changed, found.unchanged) == (False, 16)
    assert "No sample changed: 16 are the same." in page(found)


def _edit(name, change):
    """The rows with one of them changed."""
    return lambda store: [change(one) if one.sample.id == name else one for one in rows(store)]


def _turns(one, text):
    return one.model_copy(
        update={"sample": one.sample.model_copy(update={"turns": (one.sample.turns[0], Turn(role="assistant", text=text))})}
    )


def _proof(one, **changes):
    return one.model_copy(update={"evidence": one.evidence.model_copy(update=changes)})


AR, EN = "slake-train-8-ar", "slake-train-8"
ONE = {
    "retranslated": (AR, _edit(AR, lambda one: _proof(_turns(one, "كبد."), calls=("1" * 64,), model="other"))),
    "reworded": (EN, _edit(EN, lambda one: _turns(one, "The liver."))),
    "rescored": (AR, _edit(AR, lambda one: _proof(one, score=95.0))),
    "rereviewed": (AR, _edit(AR, lambda one: _proof(one, decision="accept", reviewer="r1"))),
    "moved": ("slake-train-1", _edit("slake-train-1", lambda one: one.model_copy(update={"split": "validation"}))),
    "other": (
        "slake-train-1",
        _edit(
            "slake-train-1",
            lambda one: one.model_copy(update={"sample": one.sample.model_copy(update={"licence": "CC0-1.0"})}),
        ),
    ),
    "added": ("slake-train-20", lambda store: [*rows(store), row(sample(20))]),
    "removed": ("slake-train-0", lambda store: rows(store)[1:]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_change_is_counted_as_itself_only(tmp_path, store, kind):
    name, changed = ONE[kind]
    found = _versions(tmp_path, store, changed(store))
    assert _counts(found) == {kind: 1}
    assert found.ids(kind, 5) == [name]
    assert found.by_source()["slake"][kind] == 1
    assert found.unchanged == {"added": 16, "removed": 15}.get(kind, 15)


def test_the_same_text_by_another_model_is_not_a_retranslation(tmp_path, store):
    found = _versions(tmp_path, store, _edit(AR, lambda one: _proof(one, model="other"))(store))
    assert _counts(found) == {"other": 1}


def test_a_twin_that_was_lost_is_removed_and_its_partner_unchanged(tmp_path, store):
    alone = [row(sample(8)) if one.sample.id == EN else one for one in rows(store) if one.sample.id != AR]
    assert _counts(_versions(tmp_path, store, alone)) == {"removed": 1}


def test_counts_are_by_source(tmp_path, store):
    other = pair(1, corpus="iu_xray", evidence=PROOF)
    found = _versions(tmp_path, store, [*rows(store)[1:], *other])
    assert {name: {k: n for k, n in counts.items() if n} for name, counts in found.by_source().items()} == {
        "iu_xray": {"added": 2}, "slake": {"removed": 1},
    }  # fmt: skip


def test_the_page_marks_the_changed_words_and_shows_markup_of_the_data_as_text(tmp_path, store):
    found = _versions(tmp_path, store, _edit(AR, lambda one: _turns(one, "A <script>alert(1)</script> liver."))(store))
    told = page(found)
    assert "<script" not in told
    assert re.search(r'<td class="text" dir="rtl">A liver\.</td>', told)
    assert "A <ins>&lt;script&gt;alert(1)&lt;/script&gt; </ins>liver." in told
    assert page(found) == told, "the same samples are drawn each time"


def test_the_page_shows_no_more_of_a_kind_than_asked_for(tmp_path, store):
    found = _versions(tmp_path, store, rows(store)[4:])
    assert len(re.findall("<h3>", page(found, most=3))) == 3


def test_releases_of_two_names_are_compared_only_when_asked(tmp_path, store):
    old, new = release(tmp_path, rows(store), "old"), release(tmp_path, rows(store), "new", name="s")
    with pytest.raises(InputError, match=r"name is 's', that of .* is 'r'"):
        diff(old, new)
    assert not diff(old, new, any_name=True).changed


def test_a_damaged_shard_is_one_line(tmp_path, store):
    old = release(tmp_path, rows(store), "old")
    shard = next(old.rglob("*-text-*.tar"))
    shard.write_bytes(shard.read_bytes()[:600])
    with pytest.raises(InputError, match=r"text-000000\.tar: the sample at byte 0 cannot be read .*release verify"):
        diff(old, old)


def test_the_command_says_with_its_exit_code_whether_anything_changed(tmp_path, store, bimedv):
    old, new = release(tmp_path, rows(store), "old"), release(tmp_path, rows(store)[1:], "new", version="0.2.0")
    same = bimedv("release", "diff", old, old, "--json")
    assert (same.code, same.json["changed"], same.json["unchanged"]) == (0, False, 16)
    told = bimedv("release", "diff", old, new, "--json", "--html", tmp_path / "page.html")
    assert (told.code, told.json["counts"]["removed"], told.json["ids"]) == (1, 1, {"removed": ["slake-train-0"]})
    assert "slake-train-0" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert bimedv("release", "diff", old, tmp_path / "nowhere").code == 2
