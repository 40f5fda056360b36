"""The training file as one frozen model. Light: the command line imports it without torch."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import InputError

_PRESETS = Path(__file__).resolve().parents[1] / "configs" / "train"
STAGES = ("align", "instruct")


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VisionConfig(_Block):
    """A CLIP-type vision tower."""

    image_size: int = Field(ge=16)
    """Pixels a side; images are padded to squares and scaled to it."""
    patch_size: int = Field(ge=4)
    hidden: int
    layers: int = Field(ge=2)
    """The features are those of layer -2, as in LLaVA."""
    heads: int

    @property
    def image_tokens(self) -> int:
        """Tokens that one image takes in the sequence."""
        return (self.image_size // self.patch_size) ** 2


class LanguageConfig(_Block):
    """A Llama-type language model."""

    hidden: int
    layers: int = Field(ge=1)
    heads: int
    kv_heads: int | None = None
    intermediate: int | None = None
    """Width of the feed-forward part; twice `hidden` when not given."""
    max_tokens: int = Field(ge=64)
    """Longest sequence, image tokens included; longer samples are left out and counted."""
    vocab: int = Field(ge=300)
    """Tokenizer pieces, at most."""


class LoraConfig(_Block):
    rank: int = Field(default=8, ge=1)
    alpha: int = Field(default=16, ge=1)


class StageConfig(_Block):
    epochs: int = Field(default=1, ge=1)
    batch: int = Field(default=8, ge=1)
    lr: float = Field(gt=0)
    projector_lr: float = Field(gt=0)
    warmup: float = Field(default=0.03, ge=0, le=1)
    """Share of the steps; a cosine to zero follows."""


class TrainConfig(_Block):
    """One training: what is built, and its two stages."""

    name: str
    seed: int
    device: Literal["auto", "cpu", "cuda"] = "auto"
    vision: VisionConfig
    language: LanguageConfig
    lora: LoraConfig = LoraConfig()
    align: StageConfig
    instruct: StageConfig


def load_config(preset: str | Path) -> TrainConfig:
    """A preset of configs/train by name, or a training file by path. Raises InputError with every fault."""
    path = Path(preset)
    if not path.suffix:
        path = _PRESETS / f"{preset}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(item.stem for item in _PRESETS.glob("*.yaml")))
        raise InputError(f"train: there is no preset or file {str(preset)!r}. Presets: {known}.")
    try:
        return TrainConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(map(str, item['loc']))}: {item['msg']}." for item in error.errors()]
        raise InputError("\n".join(lines)) from None
