"""The model: CLIP-type vision tower, MLP projector, Llama-type language model, as transformers' LLaVA."""

import warnings
from typing import Any

from model.config import TrainConfig
from model.tokens import Tokens

#: Every linear layer of the language model and nothing else: `all-linear` or a bare `q_proj` would catch the vision tower.
LORA_TARGETS = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
PROJECTOR = "multi_modal_projector"
#: Narrower matrices are too small to share: with 2 threads on 2 busy cores `tiny` trained for 12.9 s, with one for 0.6 s.
_SHARED_FROM = 512


def build(config: TrainConfig, vocab: int, image_token: int, pad: int) -> Any:
    """A LlavaForConditionalGeneration with weights drawn from the config's seed."""
    import torch
    from transformers import LlavaForConditionalGeneration

    torch.manual_seed(config.seed)
    return LlavaForConditionalGeneration(llava_config(config, vocab, image_token, pad))


def settle_threads(config: TrainConfig) -> None:
    """One thread for a small model: faster than two, and the same bytes on a machine with any number of cores."""
    import torch

    if config.language.hidden < _SHARED_FROM:
        torch.set_num_threads(1)


def llava_config(config: TrainConfig, vocab: int, image_token: int, pad: int) -> Any:
    """The transformers configuration of a training file."""
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig

    vision, language = config.vision, config.language
    tower = CLIPVisionConfig(
        hidden_size=vision.hidden,
        intermediate_size=4 * vision.hidden,
        num_hidden_layers=vision.layers,
        num_attention_heads=vision.heads,
        image_size=vision.image_size,
        patch_size=vision.patch_size,
        projection_dim=vision.hidden,
    )
    text = LlamaConfig(
        vocab_size=vocab,
        hidden_size=language.hidden,
        intermediate_size=language.intermediate or 2 * language.hidden,
        num_hidden_layers=language.layers,
        num_attention_heads=language.heads,
        num_key_value_heads=language.kv_heads or language.heads,
        max_position_embeddings=language.max_tokens,
        pad_token_id=pad,
        # LoRA leaves the output layer as drawn. Drawn at transformers' .02 it tells words apart by 2.6 nats at most, so that
        # nothing can be learnt: on 96 samples `tiny` went from 5.9 to 5.2; drawn like this it goes from 6.0 to 3.0.
        initializer_range=language.hidden**-0.5,
    )
    return LlavaConfig(
        vision_config=tower,
        text_config=text,
        image_token_index=image_token,
        projector_hidden_act="gelu",
        vision_feature_select_strategy="default",
        vision_feature_layer=-2,
        image_seq_length=vision.image_tokens,
    )


def with_lora(model: Any, config: TrainConfig) -> Any:
    """The model with LoRA on the language model and a projector that trains in full."""
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(
        r=config.lora.rank,
        lora_alpha=config.lora.alpha,
        lora_dropout=0.0,
        target_modules=LORA_TARGETS,
        modules_to_save=[PROJECTOR],
    )
    with warnings.catch_warnings():
        # peft 0.21 asks for an attribute that transformers 5.23 has renamed.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        return get_peft_model(model, lora)


def freeze_all_but_projector(model: Any) -> None:
    """Stage 1: gradients reach the projector alone."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(PROJECTOR in name)


def from_tokens(config: TrainConfig, tokens: Tokens) -> Any:
    """A fresh model for a trained tokenizer."""
    return build(config, len(tokens), tokens.image, tokens.pad)
