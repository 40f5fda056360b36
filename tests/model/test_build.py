"""What trains and what does not: the projector in stage 1, LoRA on the language model in stage 2, the tower never."""

import copy
import re

import pytest
import torch

from model.batches import prepare, tensors
from model.build import LORA_TARGETS, PROJECTOR, freeze_all_but_projector, from_tokens, with_lora
from model.data import examples
from model.tokens import train_tokens
from tests.model.conftest import config

SMALL = config()


@pytest.fixture(scope="module")
def ground(release, tmp_path_factory):
    """(tokens, a batch with and without images) of the toy release."""
    rows = list(examples(release, "train"))
    path = tmp_path_factory.mktemp("ground") / "tokenizer.model"
    tokens = train_tokens([text for row in rows for _, text in row.turns], 400, path)
    prepared, _ = prepare(rows, tokens, SMALL)
    return tokens, tensors(prepared, tokens.pad, SMALL.vision.image_size, "cpu")


def _weights(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def _changed(before, model):
    return {name for name, parameter in model.named_parameters() if not torch.equal(before[name], parameter)}


def _steps(model, batch, count=3):
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.02)
    for _ in range(count):
        optimizer.zero_grad()
        model(**batch).loss.backward()
        optimizer.step()


def test_the_seed_decides_the_weights(ground):
    tokens, _ = ground
    first, again, other = (from_tokens(config(seed=seed), tokens) for seed in (1, 1, 2))
    assert _changed(_weights(first), again) == set()
    assert any("language_model" in name for name in _changed(_weights(first), other))


def test_stage_1_reaches_the_projector_alone(ground):
    tokens, batch = ground
    model = from_tokens(SMALL, tokens)
    before = _weights(model)
    freeze_all_but_projector(model)
    _steps(model, batch)
    with_gradient = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    projector = {name for name in before if PROJECTOR in name}
    assert with_gradient == projector
    assert len(projector) == 4, "two linear layers with bias"
    assert _changed(before, model) == projector


def test_lora_sits_on_every_linear_layer_of_the_language_model_and_nowhere_else(ground):
    model = from_tokens(SMALL, ground[0])
    linear = {name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    language = {name for name in linear if "language_model" in name}
    assert {name for name in linear if re.fullmatch(LORA_TARGETS, name)} == language
    assert len(language) == 7 * SMALL.language.layers
    assert any("vision_tower" in name and name.endswith("q_proj") for name in linear), "the trap is there"


def test_stage_2_changes_lora_and_projector_only(ground):
    tokens, batch = ground
    adapted = with_lora(from_tokens(SMALL, tokens), SMALL)
    trainable = {name for name, parameter in adapted.named_parameters() if parameter.requires_grad}
    assert all("lora_" in name or PROJECTOR in name for name in trainable)
    before = _weights(adapted)
    _steps(adapted, batch)
    changed = _changed(before, adapted)
    assert changed == trainable
    assert not any("vision_tower" in name for name in changed)


def test_merging_changes_no_answer(ground):
    tokens, batch = ground
    adapted = with_lora(from_tokens(SMALL, tokens), SMALL)
    untouched = from_tokens(SMALL, tokens).eval()
    _steps(adapted, batch)
    adapted.eval()
    with torch.no_grad():
        wanted, plain = adapted(**batch).logits, untouched(**batch).logits
        merged = copy.deepcopy(adapted).merge_and_unload().eval()
        found = merged(**batch).logits
    assert (wanted - plain).abs().max() > 0.01, "nothing was learnt, so nothing was merged"
    assert (wanted - found).abs().max() < 1e-5
    assert not any("lora" in name for name in merged.state_dict())


def test_a_text_only_batch_and_one_with_images_both_give_a_loss(ground, release):
    tokens, _ = ground
    model = from_tokens(SMALL, tokens)
    rows = list(examples(release, "train"))
    for shown in (True, False):
        prepared, _ = prepare([row for row in rows if bool(row.images) is shown], tokens, SMALL)
        batch = tensors(prepared, tokens.pad, SMALL.vision.image_size, "cpu")
        assert ("pixel_values" in batch) is shown
        assert torch.isfinite(model(**batch).loss)


def test_the_picture_makes_a_difference(ground):
    """An image that never reaches the language model would train just as smoothly."""
    tokens, batch = ground
    model = from_tokens(SMALL, tokens).eval()
    with torch.no_grad():
        seen = model(**batch).logits
        dark = model(**batch | {"pixel_values": torch.zeros_like(batch["pixel_values"])}).logits
    shown = (batch["input_ids"] == tokens.image).any(dim=1)
    assert torch.equal(seen[~shown], dark[~shown])
    assert (seen[shown] - dark[shown]).abs().max() > 1e-4
