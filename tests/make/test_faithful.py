"""The checks by table: what a faithful text may do to its source, and every way in which one can betray it."""

import pytest

from pipeline.make.faithful import Said, faults, meaning

CAPTION = Said(
    "Write the findings and impression for this chest X-ray.",
    "The left lung shows a nodule of 8 mm. There is no pleural effusion or pneumothorax. The heart is not enlarged. "
    "Old fracture of the right clavicle.",
)

FAITHFUL = [
    ("Is the heart enlarged in this image?", "Yes", "Yes, the heart is enlarged in this image."),
    ("Is the heart enlarged in this image?", "No", "No, the heart is not enlarged in this image."),
    ("Is there a fracture of the left rib?", "No", "No, there is no fracture of the left rib."),
    ("Does the picture contain a spleen?", "Yes", "Yes, the picture contains a spleen."),
    ("Where is the nodule?", "Right upper lobe", "The nodule is in the upper lobe of the right lung."),
    ("Which organ is abnormal?", "Liver", "The abnormal organ is the liver."),
    ("What is used to take this image?", "CT", "Computed tomography (CT) is used to take this image."),
    ("How many kidneys are seen?", "2", "Two kidneys are seen."),
    ("How large is the mass?", "5 mm", "The mass measures 5 mm."),
    ("How large is the mass?", "1,500 ml", "The mass has 1500 ml."),
    ("Where is the effusion?", "Bilateral", "The effusion is on the left and on the right."),
    ("Where is the effusion?", "Both sides", "The effusion is bilateral."),
    ("Which level is affected?", "L4", "The level L4 is affected."),
    ("What is shown?", "Possible pneumonia", "The image possibly shows pneumonia."),
    ("What is shown?", "No abnormality", "The image shows no abnormality."),
    ("Which side is darker?", "Left", "The left side is darker."),
    ("Which is bigger, heart or liver?", "Liver", "The liver is bigger than the heart."),
    ("What is the shape of the larynx?", "Irregular", "The larynx has an irregular shape."),
]


@pytest.mark.parametrize(("question", "answer", "made"), FAITHFUL)
def test_a_faithful_sentence_is_left_alone(question, answer, made):
    assert faults(Said(question, answer), [Said(question, made)], keep=answer) == []


UNFAITHFUL = [
    ("lost no", "Is the heart enlarged?", "No", "The heart is enlarged.", "negation", "enlarged is affirmed, and denied"),
    ("lost no, unknown noun", "Is the catheter in place?", "No", "The catheter is in place.", "negation", "negation is lost"),
    ("turned yes", "Is the heart enlarged?", "Yes", "No, the heart is not enlarged.", "negation", "the answer is yes"),
    ("yes left out", "Is the heart enlarged?", "Yes", "The heart is seen.", "negation", "does not begin with it"),
    ("other adjective", "What shape has it?", "Irregular", "It has an oval shape.", "word", "'irregular' is lost"),
    ("other part", "Which part is gray?", "Small bowel", "The gray part is the rectum.", "word", "'small' is lost"),
    (
        "choice turned",
        "Which is bigger, heart or liver?",
        "Liver",
        "The heart is bigger than the liver.",
        "choice",
        "heart stands",
    ),
    ("new not", "Which lung is clear?", "Left", "The left lung is not clear.", "negation", "a negation is new"),
    ("changed side", "Where is the nodule?", "Left lung", "The nodule is in the right lung.", "side", "right is new"),
    ("lost side", "Where is the nodule?", "Left lung", "The nodule is in the lung.", "side", "left is lost"),
    ("added side", "Where is the nodule?", "Lung", "The nodule is in both lungs.", "side", "left is new"),
    ("changed position", "Where is it?", "Upper lobe", "It is in the lower lobe.", "position", "lower is new"),
    ("new number", "How many ribs are broken?", "3", "4 ribs are broken.", "number", "4 is new"),
    ("new number word", "Which ribs are broken?", "Left ribs", "The three left ribs are broken.", "number", "3 is new"),
    ("lost number", "How large is it?", "5 mm", "It is small.", "number", "5 is lost"),
    ("changed unit", "How large is it?", "5 mm", "It is 5 cm large.", "unit", "5 cm is new"),
    ("lost unit", "How large is it?", "5 mm", "It is 5 large.", "unit", "5 mm is lost"),
    ("changed level", "Which level?", "L4", "The level is T4.", "code", "T4 is new"),
    ("new organ", "Which organ is shown?", "Liver", "The liver and the spleen are shown.", "concept", "spleen is new"),
    ("lost organ", "Which organ is shown?", "Liver", "The organ is shown in this image.", "concept", "liver is lost"),
    ("other modality", "What is it?", "CT", "It is an MRI.", "concept", "mri is new"),
    ("new cause", "What is it?", "Pneumonia", "It is pneumonia due to tuberculosis.", "entity", "tuberculosis is new"),
    ("new drug", "What is given?", "Aspirin", "Aspirin and amoxicillin are given.", "entity", "amoxicillin is new"),
    (
        "new word of medicine",
        "What is it?",
        "A cyst",
        "It is a cyst with cholelithiasis and colitis.",
        "entity",
        "colitis is new",
    ),
    ("lost doubt", "What is it?", "Possible pneumonia", "It is pneumonia.", "certainty", "'Possible' is lost"),
]


@pytest.mark.parametrize(
    ("question", "answer", "made", "check", "words"), [row[1:] for row in UNFAITHFUL], ids=[r[0] for r in UNFAITHFUL]
)
def test_a_betrayal_is_named(question, answer, made, check, words):
    found = faults(Said(question, answer), [Said(question, made)], keep=answer)
    assert any(one.check == check and words in one.message for one in found), [f"{f.check}: {f.message}" for f in found]
    assert {one.severity for one in found} == {"critical"}


OF_A_CAPTION = [
    ("What does the left lung show?", "The left lung shows a nodule of 8 mm."),
    ("Is there a pleural effusion?", "No, there is no pleural effusion."),
    ("Is there a pneumothorax?", "No."),
    ("Is there an old fracture?", "Yes, of the right clavicle."),
    ("Is the heart enlarged?", "An enlarged heart is not seen."),
]


@pytest.mark.parametrize(("question", "answer"), OF_A_CAPTION)
def test_a_question_takes_one_point_of_a_caption(question, answer):
    assert faults(CAPTION, [Said(question, answer)]) == []


AGAINST_A_CAPTION = [
    ("a lost no in the answer", "What is seen?", "A pleural effusion is seen.", "effusion is affirmed, and denied"),
    ("a lost no in one word", "Is there a pleural effusion?", "Yes.", "effusion is affirmed, and denied"),
    ("behind another finding", "What is seen?", "There is a pneumothorax.", "pneumothorax is affirmed, and denied"),
    ("a new no", "Is there a nodule?", "No, there is no nodule.", "mass is denied, and affirmed"),
    (
        "a side of something else",
        "Where is the fracture?",
        "The fracture is in the left clavicle.",
        "fracture is left, and right",
    ),
    ("an organ out of nowhere", "Does the liver look well?", "Yes.", "liver is new"),
    ("another size", "How large is the nodule?", "The nodule has 9 mm.", "9 is new"),
    ("a diagnosis of its own", "What is the nodule?", "The nodule is a granuloma.", "granuloma is new"),
    ("a normal that nobody said", "How is the heart?", "The heart is normal.", "normal is new"),
]


@pytest.mark.parametrize(
    ("question", "answer", "words"), [row[1:] for row in AGAINST_A_CAPTION], ids=[row[0] for row in AGAINST_A_CAPTION]
)
def test_what_a_caption_does_not_say_is_found(question, answer, words):
    found = faults(CAPTION, [Said(question, answer)])
    assert any(words in one.message for one in found), [f"{f.check}: {f.message}" for f in found]


def test_a_finding_points_at_the_new_words():
    question, made = "Which organ is shown?", "The liver and the spleen are shown."
    found = next(f for f in faults(Said(question, "Liver"), [Said(question, made)], keep="Liver") if f.check == "concept")
    start, end = found.target_span
    assert f"{question}\n{made}"[start:end] == "spleen"


@pytest.mark.parametrize(
    ("one", "other"), [("CT", "Computed tomography"), ("Two lungs", "2 lungs"), ("The kidney", "kidneys"), ("Renal", "Kidney")]
)
def test_options_that_mean_the_same_are_the_same(one, other):
    assert meaning(one) == meaning(other)


@pytest.mark.parametrize(("one", "other"), [("Left lung", "Right lung"), ("Cyst", "Metastasis"), ("2", "3"), ("Liver", "Spleen")])
def test_options_that_differ_stay_apart(one, other):
    assert meaning(one) != meaning(other)
