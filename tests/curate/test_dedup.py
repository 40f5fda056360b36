"""Duplicates: which copy stays, and that texts which say different things are never copies, however alike they look."""

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curate.dedup import find_duplicates, load_duplicates
from pipeline.curate.near import rows_of
from pipeline.workspace import noun_table
from schemas.sample import Exclusion, Sample
from tests.curate.samples import configured, ingested, sample

LONG = (
    "The patient is a woman with a cough that began after a walk in the rain and has not gone away since then, although she "
    "has taken honey and hot tea every evening and has slept with an open window as her neighbour advised her to do."
)


def _fallen(*sources, threshold=0.9):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace = ingested(folder, *sources)
        find_duplicates(configured(folder, curate={"near_duplicates": threshold}), workspace)
        return _loaded(workspace)


def _loaded(workspace):
    return {name: told for each in workspace.manifests("ingest") for name, told in load_duplicates(workspace, each.chunk).items()}


def _normal(sample):
    """The text as it is compared: lower case, words and numbers with what stands before them, nothing between them."""
    words = "\n".join(turn.text for turn in sample.turns).replace("<image>", " ").lower()
    found = re.findall(r"[-+\u2212<>≤≥±]\s*\d+(?:\.\d+)?|\d+(?:\.\d+)?|\w+", words)
    return " ".join("".join(token.split()) for token in found)


def test_the_earlier_source_is_preferred_and_then_the_smaller_id():
    assert _fallen([sample("a1"), sample("a2")], [sample("b1")]) == {
        "a2": ("exact_duplicate", "a1"),
        "b1": ("exact_duplicate", "a1"),
    }


@pytest.mark.parametrize("held", ["test", "validation"])
def test_a_held_out_copy_stays_wherever_it_stands(held):
    sources = [[sample("a1")], [sample("b1", split=held)]]
    assert _fallen(*sources) == _fallen(*reversed(sources)) == {"a1": ("exact_duplicate", "b1")}


def test_a_near_copy_of_a_held_out_text_falls_from_train():
    near = LONG.replace("neighbour", "neighbor")
    assert _fallen([sample("a1", LONG)], [sample("b1", near, split="test")], threshold=0.8) == {"a1": ("near_duplicate", "b1")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It is a Liver!", "it is  a liver"),
        ("fever, cough; chills", "Fever cough chills."),
        ("<image> What is it", "What is it"),
    ],
)
def test_case_marks_and_blanks_make_no_difference(one, other):
    assert _fallen([sample("a1", one)], [sample("b1", other)]) == {"b1": ("exact_duplicate", "a1")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Is it 2.5 cm?", "Is it 25 cm?"),
        ("The T-score is -2.5.", "The T-score is 2.5."),
        ("Is it < 5 mm?", "Is it > 5 mm?"),
        ("Is it ≥5 mm?", "Is it 5 mm?"),
        ("Is it the left one?", "Is it the right one?"),
        ("There is effusion.", "There is no effusion."),
    ],
)
def test_short_texts_that_say_different_things_are_no_copies(one, other):
    assert _fallen([sample("a1", one)], [sample("b1", other)]) == {}


def test_the_same_text_about_another_image_is_no_copy():
    assert _fallen([sample("a1", LONG, images=["x"])], [sample("b1", LONG, images=["y"])]) == {}
    assert _fallen([sample("a1", LONG, images=["x"])], [sample("b1", LONG, images=["x"])]) == {"b1": ("exact_duplicate", "a1")}
    near = LONG.replace("neighbour", "neighbor")
    assert _fallen([sample("a1", LONG, images=["x"])], [sample("b1", near, images=["y"])]) == {}


def test_a_long_text_with_one_word_changed_is_a_near_copy_and_says_of_which():
    assert _fallen([sample("a1", LONG)], [sample("b1", LONG.replace("honey", "sugar"))], threshold=0.8) == {
        "b1": ("near_duplicate", "a1")
    }


def test_the_threshold_decides_and_one_keeps_all_but_exact_copies():
    changed = LONG.replace("honey", "sugar").replace("window", "door").replace("walk", "run").replace("evening", "night")
    assert _fallen([sample("a1", LONG)], [sample("b1", changed)]) == {}
    assert _fallen([sample("a1", LONG)], [sample("b1", LONG.replace("neighbour", "neighbor"))], threshold=1.0) == {}


CRITICAL = [
    ("left", "right"), ("no", "some"), ("two", "three"), ("12", "21"), ("2.5", "25"), ("-3", "3"), ("not", "now"),
    ("without", "with"), ("normal", "abnormal"), ("isn't", "is"), ("can't", "can"), ("cannot", "can"), ("none", "one"),
    ("positive", "negative"), ("upper", "lower"), ("never", "ever"), ("absent", "present"), ("first", "second"),
    ("bilateral", "unilateral"), ("> 5", "< 5"), ("T1", "T2"), ("BRCA1", "BRCA2"), ("CA125", "CA199"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), CRITICAL)
@pytest.mark.parametrize("place", [1, 20, 38])
def test_long_texts_that_differ_in_a_number_side_or_negation_are_never_near_copies(one, other, place):
    """At a threshold that takes anything alike for a copy."""
    words = LONG.split()
    texts = [" ".join([*words[:place], word, *words[place:]]) for word in (one, other)]
    assert _fallen([sample("a1", texts[0])], [sample("b1", texts[1])], threshold=0.5) == {}


WORDS = st.sampled_from(["heart", "lung", "is", "clear", "a", "the", "of", "and", "left", "no", "3", "4.5"])
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=18).map(" ".join), min_size=1, max_size=8)


@settings(max_examples=12, deadline=None)
@given(texts=TEXTS, held=st.sets(st.integers(0, 7)), cut=st.integers(0, 8))
def test_what_falls_has_a_kept_copy_that_is_preferred(texts, held, cut):
    rows = [sample(f"s{n}", text, split="test" if n in held else "train") for n, text in enumerate(texts)]
    fallen = _fallen(rows[:cut], rows[cut:], threshold=0.8)
    order = {row.id: (row.split == "train", number >= cut, row.id) for number, row in enumerate(rows)}
    by_id = {row.id: row for row in rows}
    for name, (reason, kept) in fallen.items():
        assert kept not in fallen
        assert order[kept] < order[name], "the preferred copy stays"
        assert (_normal(by_id[name]) == _normal(by_id[kept])) == (reason == "exact_duplicate")
    assert len({_normal(row) for row in rows if row.id not in fallen}) == len(rows) - len(fallen)


@settings(max_examples=8, deadline=None)
@given(texts=TEXTS)
def test_how_rows_are_split_into_chunks_makes_no_difference(texts):
    rows = [sample(f"s{n}", text) for n, text in enumerate(texts)]
    assert _fallen(rows) == _fallen(*[[row] for row in rows])


NEAR = [
    LONG,
    LONG.replace("honey", "sugar"),
    LONG.replace("honey", "syrup"),
    LONG.replace("rain", "snow"),
    f"{LONG} So.",
    "It is.",
]
LINES = st.lists(st.tuples(st.sampled_from(NEAR), st.sampled_from(["train", "test", "validation"])), min_size=2, max_size=9)


@settings(max_examples=8, deadline=None)
@given(lines=LINES, cut=st.integers(0, 9), order=st.randoms())
def test_neither_the_order_of_rows_nor_the_chunks_decide_what_falls(lines, cut, order):
    rows = [sample(f"s{n}", text, split=split) for n, (text, split) in enumerate(lines)]
    wanted = _fallen(rows, threshold=0.8)
    order.shuffle(rows)
    assert _fallen(rows, threshold=0.8) == wanted
    with tempfile.TemporaryDirectory() as name:
        workspace = ingested(Path(name), rows[:cut])
        tables = {"samples": noun_table(Sample, rows[cut:]), "excluded": noun_table(Exclusion, [])}
        workspace.write_chunk("ingest", "00-llava-00001", "more", tables)
        find_duplicates(configured(Path(name), curate={"near_duplicates": 0.8}), workspace)
        assert _loaded(workspace) == wanted


def test_a_code_of_letters_and_three_digits_is_a_word_like_others():
    texts = [LONG.replace("honey", code) for code in ("lot7731", "lot9042")]
    assert _fallen([sample("a1", texts[0])], [sample("b1", texts[1])], threshold=0.8) == {"b1": ("near_duplicate", "a1")}


def test_a_test_copy_stays_before_a_validation_copy_of_an_earlier_source():
    fallen = _fallen([sample("a1", split="validation"), sample("a2")], [sample("b1", split="test")])
    assert fallen == {"a1": ("exact_duplicate", "b1"), "a2": ("exact_duplicate", "b1")}


def test_a_near_copy_of_a_text_that_fell_stays_when_it_is_not_near_to_one_that_stays():
    """One falls because of a kept sample only: chains do not eat texts that are far from all that is left."""
    changed_end = _words(0, 86, 4)
    texts = {"a": _words(0, 90), "b": changed_end, "c": " ".join(["So", "it", "seems", *changed_end.split()[3:]])}
    a, b, c = (sample(name, "Why?", text) for name, text in texts.items())
    assert _fallen([a, b, c]) == {"b": ("near_duplicate", "a")}
    assert _fallen([b, c]) == {"c": ("near_duplicate", "b")}


def _words(number, own, others=0):
    """Words that no other number has, of letters only; behind them some that nobody has."""
    letters = str.maketrans("0123456789", "abcdefghij")
    made = [f"w{number:03d}k{n:02d}" for n in range(own)] + [f"w{number:03d}z{others}y{n:02d}" for n in range(others)]
    return " ".join(made).translate(letters)


def _pair(number, share):
    """Two texts of 60 words with the question; this share of their runs of three words is in both."""
    changed = int(58 * (1 - share) / (1 + share) + 1e-9)
    return _words(number, 57), _words(number, 57 - changed, changed)


@pytest.mark.parametrize(("share", "least", "most"), [(0.95, 0.99, 1.0), (0.9, 0.95, 1.0), (0.87, 0.0, 0.0), (0.6, 0.0, 0.0)])
def test_pairs_at_the_threshold_are_found_and_those_below_it_are_not(share, least, most):
    pairs = [_pair(number, share) for number in range(200)]
    rows = [sample(f"p{n:03d}-{side}", answer=text) for n, pair in enumerate(pairs) for side, text in enumerate(pair)]
    fallen = _fallen(rows)
    assert set(fallen) <= {f"p{n:03d}-1" for n in range(200)}, "of each pair the smaller id stays"
    assert all(kept == f"{name[:-1]}0" for name, (_, kept) in fallen.items())
    assert least * 200 <= len(fallen) <= most * 200


def test_bands_leave_a_pair_at_the_threshold_its_chance():
    for threshold in (0.5, 0.7, 0.8, 0.9, 0.95, 0.99):
        rows = rows_of(threshold)
        assert 1 - (1 - threshold**rows) ** (64 // rows) >= 0.995
    assert rows_of(0.9) == 7


def test_the_table_is_made_again_when_the_samples_or_the_threshold_change(tmp_path):
    workspace = ingested(tmp_path, [sample("a1", LONG)], [sample("b1", LONG.replace("honey", "sugar"))])
    first = find_duplicates(configured(tmp_path, curate={"near_duplicates": 1.0}), workspace)
    assert _loaded(workspace) == {}
    second = find_duplicates(configured(tmp_path, curate={"near_duplicates": 0.8}), workspace)
    assert first != second
    assert _loaded(workspace) == {"b1": ("near_duplicate", "a1")}
