"""The forecast against figures that anybody can look up, and the training files against mistakes."""

import pytest
import yaml

from model.build import PROJECTOR, llava_config
from model.config import load_config
from model.data import load_release
from model.plan import plan
from schemas.errors import InputError
from tests.model.conftest import config


@pytest.fixture(scope="module")
def paper():
    return plan(load_config("bimedix2_8b"))


@pytest.fixture(scope="module")
def parts():
    """Weights of each part of the 8B preset, counted on a model that takes no memory."""
    import torch
    from transformers import LlavaForConditionalGeneration

    preset = load_config("bimedix2_8b")
    with torch.device("meta"):
        model = LlavaForConditionalGeneration(llava_config(preset, preset.language.vocab, 4, 3))
    counts = {"vision_tower": 0, PROJECTOR: 0, "language": 0}
    for name, parameter in model.named_parameters():
        counts[next((part for part in counts if part in name), "language")] += parameter.numel()
    return counts


def test_the_8b_preset_is_llama_clip_and_llavas_projector(parts, paper):
    assert parts["language"] == 8_030_261_248, "Llama-3.1-8B"
    assert parts["vision_tower"] == pytest.approx(304e6, rel=0.005), "CLIP ViT-L/14-336"
    assert parts[PROJECTOR] == 1024 * 4096 + 4096 + 4096 * 4096 + 4096, "mlp2x_gelu"
    assert paper["total"] == sum(parts.values())


def test_what_trains_is_the_projector_and_then_lora_too(paper):
    """Rank 8 on the seven linear layers of each of Llama-3.1-8B's 32 blocks: 20,971,520, as peft prints it."""
    assert paper["trainable"]["align"] == 20_979_712
    assert paper["trainable"]["instruct"] - paper["trainable"]["align"] == 20_971_520


def test_memory_and_time_follow_from_the_counts(paper):
    assert paper["memory_gib"]["weights_bf16"] == pytest.approx(8.3547e9 * 2 / 2**30, abs=0.01)
    assert paper["memory_gib"]["optimizer"] == pytest.approx(41_951_232 * 14 / 2**30, abs=0.01)
    assert paper["tokens_per_step"]["instruct"] == (576 + 300) * 128
    assert paper["steps"]["instruct"] == 13_215, "1,691,407 samples in batches of 128"
    assert 20 < paper["hours"] < 200


def test_a_release_gives_its_own_steps(release):
    toy = config()
    told = plan(toy, release)
    train = [entry for entry in load_release(release).shards if entry.split == "train"]
    assert sum(entry.samples for entry in train) == 8
    assert told["steps"] == {"align": 2 * toy.align.epochs, "instruct": 2 * toy.instruct.epochs}


@pytest.mark.parametrize("preset", ["tiny", "bimedix2_8b"])
def test_the_presets_load(preset):
    assert load_config(preset).name == preset


def test_a_preset_that_is_not_there_names_those_that_are():
    with pytest.raises(InputError, match=r"'big'\. Presets: bimedix2_8b, tiny"):
        load_config("big")


def test_a_training_file_shows_all_its_faults_at_once(tmp_path):
    raw = config().model_dump(mode="json")
    raw["vision"]["image_size"], raw["align"]["lr"], raw["lorra"] = 4, 0, {}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(InputError) as told:
        load_config(path)
    for word in ("mine.yaml", "vision.image_size", "align.lr", "lorra"):
        assert word in str(told.value)
    path.write_text(yaml.safe_dump(config().model_dump(mode="json")), encoding="utf-8")
    assert load_config(path) == config()
