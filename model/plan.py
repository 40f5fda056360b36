"""`bimedv train --plan`: what a training would change, hold in memory and take; exact counts, estimated time."""

from pathlib import Path
from typing import Any

from model.build import freeze_all_but_projector, llava_config, with_lora
from model.config import TrainConfig
from model.data import load_release

_GIB = 2**30
#: Model FLOPs for a token are 6 for each weight (forward 2, backward 4); an H100 sustains about 40 % of 989 TFLOPS in bf16.
_FLOPS_A_WEIGHT, _SUSTAINED = 6, 0.4 * 989e12
#: Image and text tokens of a sample where no release is given: LLaVA-Med's median.
_TOKENS_A_SAMPLE = 300
_SAMPLES = {"align": 467_000, "instruct": 1_691_407}


def plan(config: TrainConfig, release: Path | None = None) -> dict[str, Any]:
    """Trainable weights a stage (counted on a model without storage), memory in GiB, tokens a step, steps and H100 hours."""
    import torch
    from transformers import LlavaForConditionalGeneration

    with torch.device("meta"):
        model = LlavaForConditionalGeneration(llava_config(config, config.language.vocab, 4, 3))
    total = sum(parameter.numel() for parameter in model.parameters())
    freeze_all_but_projector(model)
    align = _trainable(model)
    with torch.device("meta"):
        instruct = _trainable(with_lora(model, config))
    samples = _samples(release)
    tokens = config.vision.image_tokens + _TOKENS_A_SAMPLE
    steps = {
        stage: -(-samples[stage] // getattr(config, stage).batch) * getattr(config, stage).epochs
        for stage in ("align", "instruct")
    }
    flops = sum(_FLOPS_A_WEIGHT * total * tokens * samples[s] * getattr(config, s).epochs for s in steps)
    return {
        "trainable": {"align": align, "instruct": instruct},
        "total": total,
        "memory_gib": {
            "weights_bf16": round(2 * total / _GIB, 2),
            # Gradient 2 bytes, two Adam moments and a master copy of 4 bytes each, for trainable weights only.
            "optimizer": round(14 * instruct / _GIB, 2),
        },
        "tokens_per_step": {stage: tokens * getattr(config, stage).batch for stage in steps},
        "steps": steps,
        "hours": round(flops / _SUSTAINED / 3600, 2),
    }


def _samples(release: Path | None) -> dict[str, int]:
    if release is None:
        return dict(_SAMPLES)
    shards = [entry for entry in load_release(release).shards if entry.split == "train"]
    return {"align": sum(entry.samples for entry in shards if entry.images), "instruct": sum(entry.samples for entry in shards)}


def _trainable(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
