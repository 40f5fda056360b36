"""A quality-estimation model from a folder gives the number; what it cannot read to the end has none, and is not accepted."""

import math

import pytest

from pipeline.quality.gate import Gate, Pair
from pipeline.quality.scorers import RegressionScorer, model_digest
from pipeline.settings import QualitySettings, load_settings
from schemas.errors import InputError
from tests.quality.encoders import Fixed

WORDS = ["the", "liver", "is", "enlarged", "heart", "normal", "الكبد", "متضخم", "القلب", "طبيعي", "."]
PAIR = Pair("the liver is enlarged.", "الكبد متضخم.", "answer")


def _saved(folder, outputs=1, longest=32):
    """A tiny model with random weights, saved as any other."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed (pip install 'bimedv[train]')")
    torch = pytest.importorskip("torch", reason="torch is not installed (pip install 'bimedv[train]')")
    torch.manual_seed(3)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    transformers.BertTokenizer(vocab={word: n for n, word in enumerate(vocabulary)}).save_pretrained(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), max_position_embeddings=longest, num_labels=outputs, initializer_range=0.3, **sizes
    )
    model = transformers.BertForSequenceClassification(config)
    # Random weights lie around 0, which every cut to 0..1 would hide.
    if outputs == 1:
        torch.nn.init.constant_(model.classifier.bias, 0.5)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return _saved(tmp_path_factory.mktemp("models") / "tiny")


def test_each_pair_gets_the_models_own_number_whatever_stands_beside_it(model):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    pairs = [("the liver is enlarged", "الكبد متضخم"), ("heart normal", "القلب طبيعي ."), ("is", "متضخم"), ("the heart", "القلب")]
    found = RegressionScorer(model).similarities(*map(list, zip(*pairs, strict=True)))
    tokenizer, plain = AutoTokenizer.from_pretrained(model), AutoModelForSequenceClassification.from_pretrained(model)
    with torch.inference_mode():
        alone = [plain(**tokenizer(*pair, return_tensors="pt")).logits.item() for pair in pairs]
    assert found == pytest.approx(alone, abs=2e-3)
    assert len(set(found)) > 1


def test_a_pair_longer_than_the_model_reads_has_no_number_and_is_rejected(model):
    scorer = RegressionScorer(model)
    long = Pair("the liver is enlarged " * 10, "الكبد متضخم " * 10, "answer")
    values = scorer.similarities([long.source, PAIR.source], [long.target, PAIR.target])
    assert math.isnan(values[0])
    assert math.isfinite(values[1])
    (scored,) = Gate(QualitySettings(), Fixed(1.0), scorer).score([[long]])
    assert (scored.verdict, scored.score) == ("reject", 0.0)


class Says:
    """A scorer of one word."""

    def __init__(self, value):
        self._value = value

    def similarities(self, sources, targets):
        """The same for all."""
        return [self._value] * len(sources)


@pytest.mark.parametrize(
    ("value", "score", "verdict"),
    [(0.93, 93.0, "accept"), (0.6, 60.0, "refine"), (-3.0, 0.0, "reject"), (math.nan, 0.0, "reject")],
)
def test_a_scorers_number_stands_in_the_encoders_place_as_points(value, score, verdict):
    pair = Pair("The liver is enlarged.", "الكبد متضخم.", "answer")
    (scored,) = Gate(QualitySettings(), Fixed(0.5), Says(value)).score([[pair]])
    assert (scored.score, scored.verdict) == (score, verdict)
    assert scored.similarity == pytest.approx(value, nan_ok=True)


def test_no_scorer_outweighs_what_a_check_has_found():
    wrong = Pair("The left lung is clear.", "الرئة اليمنى سليمة.", "answer")
    (scored,) = Gate(QualitySettings(), Fixed(1.0), Says(1.0)).score([[wrong]])
    assert scored.verdict == "reject"


def test_the_config_names_the_folder(model, tmp_path):
    scored = Gate(QualitySettings(scorer=model), Fixed(1.0)).score([[PAIR]])
    assert scored[0].similarity == RegressionScorer(model).similarities([PAIR.source], [PAIR.target])[0]


def test_a_folder_without_a_model_is_one_clear_error(tmp_path):
    with pytest.raises(InputError, match=r"has no config\.json"):
        RegressionScorer(tmp_path)
    path = tmp_path / "run.yaml"
    (tmp_path / "vqa.json").write_text("[]", encoding="utf-8")
    path.write_text(
        "name: x\nsources: [{corpus: slake, path: vqa.json, split: train}]\nquality: {scorer: models/none}\n", encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"quality\.scorer: .*models/none has no config"):
        load_settings(path)


def test_a_model_with_two_outputs_and_one_without_weights_are_one_clear_error_each(tmp_path):
    with pytest.raises(InputError, match="has 2 outputs, expected 1"):
        RegressionScorer(_saved(tmp_path / "two", outputs=2))
    (_saved(tmp_path / "none") / "model.safetensors").unlink()
    with pytest.raises(InputError, match="does not open"):
        RegressionScorer(tmp_path / "none")


def test_scores_of_other_weights_are_scores_of_another_gate(tmp_path):
    folder = _saved(tmp_path / "model")
    first = Gate(QualitySettings(scorer=folder)).version
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    model_digest.cache_clear()
    assert len({first, Gate(QualitySettings(scorer=folder)).version, Gate(QualitySettings()).version}) == 3
