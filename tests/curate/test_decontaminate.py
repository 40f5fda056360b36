"""Decontamination: a benchmark's image and text are found in train, edited lightly or not, and everybody's words are not."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.curate_quality import FILES, HELD_OUT, REAL, edited, hits, texts
from flows.laws import _showing
from pipeline.curate.decontaminate import Benchmarks, Item, Pictures
from schemas.release import ReleaseRow
from tests.curate.samples import image, sample

TEXT = "a man of forty years came with pain behind the breastbone that rose to his jaw while he carried coal upstairs"
WORDS = TEXT.split()
EIGHT, FOUR, THREE = "what helps best against the common cold today", "What is asthma? Wheezing.", "Is aspirin safe?"


def _item(question, answer="", images=(), **more):
    turns = (("user", question), ("assistant", answer)) if answer else (("user", question),)
    return Item("mmlu:test 7", turns, tuple(images), **more)


def _kind(items, *said, **more):
    hit = Benchmarks(items).hit(sample("s", *said, **more))
    return None if hit is None else hit.kind


def _bits(sample, *changed):
    """The sample with a hash of its image in which these bits are others."""
    bits = int(sample.images[0].phash, 16) ^ sum(1 << bit for bit in changed)
    return sample.model_copy(update={"images": (sample.images[0].model_copy(update={"phash": f"{bits:016x}"}),)})


def test_an_image_of_a_benchmark_is_found_by_its_perceptual_hash():
    benchmarks = Benchmarks([_item("Is this a scan?", images=[image("xray").phash])])
    hit = benchmarks.hit(sample("s", "Anything else?", images=["scan", "xray"]))
    assert (hit.kind, hit.item, hit.theirs) == ("an image", "mmlu:test 7", "Is this a scan?")
    assert benchmarks.hit(sample("s", "Is this a scan?", images=["scan"])) is None, "a short question is everybody's"


def test_an_image_saved_again_is_found_and_another_one_is_not():
    benchmarks = Benchmarks([_item("Is this a scan?", images=[image("scan").phash, image("xray").phash])])
    copy = sample("s", "Anything else?", images=["xray"])
    assert benchmarks.hit(_bits(copy, 3, 60)).kind == "an image"
    assert benchmarks.hit(_bits(copy, 3, 40, 60)) is None


@pytest.mark.parametrize(
    ("changed", "split", "faults"), [((3, 60), "train", 1), ((3, 40, 60), "train", 0), ((3, 60), "validation", 0)]
)
def test_the_law_is_as_strict_about_images_as_curation(changed, split, faults):
    row = ReleaseRow(sample=_bits(sample("s", images=["xray"]), *changed), split=split, evidence=None)
    banned = Pictures([image("scan").phash, image("xray").phash])
    assert _showing([row], banned) == ["s is in train and shows an image of a benchmark"] * faults


@pytest.mark.parametrize("start", [0, 3, len(WORDS) - 13])
def test_thirteen_words_of_an_item_are_found_wherever_they_stand_and_shown_side_by_side(start):
    run = " ".join(WORDS[start : start + 13])
    hit = Benchmarks([_item(TEXT)]).hit(sample("s", "Tell me.", f"Well: {run.upper()}!"))
    assert (hit.kind, hit.theirs, hit.ours) == ("13 words", TEXT, run.upper())
    assert str(hit) == f"13 words of mmlu:test 7: {TEXT!r} | here: {run.upper()!r}"


def test_twelve_words_of_a_longer_item_are_not_enough():
    long = f"{TEXT} {' '.join(reversed(WORDS))}"
    assert _kind([_item(long)], "Tell me.", f"Well: {' '.join(WORDS[2:14])} and nothing else") is None


@pytest.mark.parametrize(("text", "found"), [(EIGHT, "the text"), (FOUR, "the text"), (THREE, None)])
def test_a_sample_that_is_an_item_and_nothing_else_is_found_unless_it_is_everybodys(text, found):
    assert _kind([_item(text)], text.upper(), "") == found


def test_a_short_item_is_found_inside_a_longer_text_from_eight_words():
    assert _kind([_item(EIGHT)], f"Doctor, {EIGHT}?", "Rest and tea.") == "nearly the text"
    assert (
        _kind([_item("what helps best against the common cold")], "Doctor, what helps best against the common cold?", "Tea.")
        is None
    )
    assert _kind([_item(EIGHT)], f"Doctor, {EIGHT.replace('cold', 'gout')}?", "Rest and tea.") is None, "another question"


def test_a_question_is_found_without_its_answer():
    assert _kind([_item(TEXT, "An infarction, and it was treated with rest.")], f"Explain: {TEXT}?", "His heart.") == "13 words"


@pytest.mark.parametrize("more", [{"images": ("0" * 16,)}, {"pictured": True}])
def test_the_short_text_of_an_item_about_an_image_is_no_contamination_even_when_the_image_is_missing(more):
    """Yes/no questions about other pictures share their words with half of SLAKE."""
    item = _item("is the heart of this person larger than normal", "Yes", **more)
    assert _kind([item], "Is the heart of this person larger than normal?", "Yes", images=["other"]) is None


@pytest.mark.parametrize("split", ["test", "validation"])
def test_held_out_samples_are_let_alone(split):
    assert _kind([_item(TEXT)], TEXT, split=split) is None
    assert _kind([_item(TEXT)], TEXT) is not None


def test_a_mark_is_no_word():
    assert _kind([_item(TEXT)], " ".join([*WORDS[:6], "<image>", *WORDS[6:]])) is not None


def test_a_run_of_words_that_many_items_have_is_a_template_and_no_evidence():
    frame = "there is no evidence of any acute disease of the heart or the lungs and the picture shows {}"
    items = [Item(f"iu:test {n}", (("user", frame.format(f"finding {n}")),)) for n in range(5)]
    assert _kind(items, frame.format("nothing"), "Good.") is None
    assert _kind(items[:3], frame.format("nothing"), "Good.") == "13 words"


def test_of_an_item_about_an_image_it_takes_a_run_of_twenty_six_words():
    """Reports on healthy chests share 13 words with one another."""
    item = _item(f"{TEXT} {' '.join(reversed(WORDS))}", pictured=True)
    words = item.text.split()
    assert _kind([item], "Tell me.", " ".join(words[4:29])) is None
    assert _kind([item], "Tell me.", " ".join(words[4:30])) == "26 words"


SUBJECTS = ["asthma", "gout", "measles", "mumps", "scurvy", "rickets", "anthrax", "cholera", "malaria", "typhus"]


def test_a_question_of_a_template_about_something_else_is_no_edited_one():
    items = [_item(f"what are the first signs and the usual symptoms of {name} in children") for name in SUBJECTS]
    assert _kind(items, "What are the first signs and the usual symptoms of leprosy in children?", "Spots.") is None
    assert _kind(items, "What are the first signs and the usual symptoms of gout in children?", "Pain.") is not None


VOCABULARY = [
    a + b + c for a in ("ta", "ri", "mo", "pel") for b in ("ver", "lu", "san", "do", "qui") for c in ("", "n", "sto", "ma")
]


def _question(draw):
    stem = " ".join(draw.choices(VOCABULARY, k=draw.randint(12, 40)))
    options = [" ".join(draw.choices(VOCABULARY, k=draw.randint(1, 4))) for _ in range(4)]
    return stem, options


def _edited(draw, stem, options):
    """Options in another order, one or two words replaced, other case and other marks."""
    words = stem.split()
    for place in draw.sample(range(len(words)), draw.randint(1, 2)):
        words[place] = "otherwise"
    draw.shuffle(options)
    text = draw.choice(["{}?\n{}", "{}: {}", "{} ... {}"]).format(" ".join(words).title(), "; ".join(options))
    return re.sub(" ", lambda _: draw.choice([" ", " ", ", ", "  "]), text)


def test_verbatim_items_are_all_found_and_edited_ones_nearly_all_and_other_texts_are_not():
    draw = random.Random(5)
    questions = [_question(draw) for _ in range(200)]
    benchmarks = Benchmarks(
        Item(f"b {n}", (("user", f"{stem}\n{chr(10).join(options)}"),)) for n, (stem, options) in enumerate(questions)
    )
    verbatim = [sample("s", f"{stem}\n{chr(10).join(options)}", options[0]) for stem, options in questions]
    edited = [sample("s", _edited(draw, stem, list(options)), options[0]) for stem, options in questions]
    others = [sample("s", *_question(draw)[:1], " ".join(draw.choices(VOCABULARY, k=30))) for _ in range(1000)]
    found = [[hit is not None for hit in benchmarks.hits(samples)] for samples in (verbatim, edited, others)]
    assert all(found[0])
    assert sum(found[1]) >= 0.95 * len(edited)
    assert sum(found[2]) <= 0.005 * len(others)
    assert [hit.item for hit in benchmarks.hits(verbatim)] == [f"b {n}" for n in range(len(questions))]


def test_halves_of_characters_are_no_fault():
    assert _kind([_item(f"{TEXT} \ud83d")], f"{TEXT} \ude00") == "13 words"


@given(st.lists(st.text(max_size=30), max_size=5), st.lists(st.text(max_size=80), max_size=4))
def test_it_is_total_and_each_sample_is_judged_alone(items, texts):
    assert Benchmarks([]).hit(sample("s", "x")) is None
    benchmarks = Benchmarks(_item(text) for text in items)
    many = [sample("s", text) for text in texts]
    assert benchmarks.hits(many) == [benchmarks.hit(each) for each in many]


@given(st.lists(st.sampled_from(WORDS), min_size=13, max_size=40), st.integers(0, 27))
def test_every_verbatim_item_is_found(words, cut):
    text = " ".join(words)
    assert Benchmarks([_item(text)]).hit(sample("s", " ".join(words[:cut]), f"{' '.join(words[cut:])}.")) is not None


real = pytest.mark.skipif(not REAL.exists(), reason="shared/corpora is not beside this checkout")


@real
def test_of_real_items_verbatim_ones_are_all_found_and_edited_ones_nearly_all_and_no_other_text_is():
    """The others are of the same corpus and as alike as texts of doctors are: dialogues that ask for the same things."""
    draw = random.Random(3)
    dialogues = [item for item, _ in texts("mts_dialog", HELD_OUT["mts_dialog"])]
    papers = [item for item, _ in texts("pubmedqa", FILES["pubmedqa"])]
    items = [*papers[:100], *dialogues]
    benchmarks = Benchmarks(items)
    changed = [tuple((role, edited(draw, text)) for role, text in item.turns) for item in items]
    others = [*papers[100:400], *(item for item, _ in texts("mts_dialog", FILES["mts_dialog"]))]
    assert len(hits(benchmarks, [item.turns for item in items])) == len(items)
    assert len(hits(benchmarks, changed)) >= 0.95 * len(items)
    assert len(hits(benchmarks, [item.turns for item in others])) <= 0.005 * len(others)


@real
@pytest.mark.parametrize("name", ["slake", "iu_xray"])
def test_real_questions_and_reports_about_other_images_are_no_contamination(name):
    items = [item for item, _ in texts(name, FILES[name])]
    assert len(hits(Benchmarks(items[:1500:2]), [item.turns for item in items[1:1500:2]])) <= 0.005 * 750
