"""Two stages: the projector alone on samples with images, then LoRA and projector on all.

In: a release. Out: a folder with tokenizer, model, log and, last, model.json, whose existence means complete. A stage
that is done is not trained again; a training that is up to date is not touched.
"""

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from model.batches import Prepared, epochs, prepare, tensors
from model.build import PROJECTOR, freeze_all_but_projector, from_tokens, settle_threads, with_lora
from model.config import STAGES, StageConfig, TrainConfig
from model.data import examples, load_release
from model.tokens import FILE, Tokens, train_tokens
from schemas.errors import InputError
from schemas.release import MANIFEST

VERSION = "2"
SUMMARY = "model.json"
WEIGHTS = "weights"
_ALIGNED = "align.pt"


@dataclass
class TrainReport:
    """What a training did."""

    fingerprint: str
    preset: str
    release: str
    samples: int
    too_long: int
    parameters: int
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Stage to steps, trainable parameters, first and last loss (means over a tenth of the steps), and all losses."""

    def as_json(self) -> dict[str, Any]:
        """Plain values, for files and commands."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def train(
    release: Path, out: Path, config: TrainConfig, stage: str | None = None, progress: Callable[[int], None] | None = None
) -> TrainReport:
    """Train both stages, or one of them. Returns at once when the folder is up to date.

    Raises InputError when the release has nothing to train on, or `instruct` alone is asked for before `align`.
    """
    if stage is not None and stage not in STAGES:
        raise InputError(f"--stage is {stage!r}, expected {' or '.join(STAGES)}.")
    mark = _fingerprint(release, config)
    known = _done(out, mark)
    if known and set(known.stages) == set(STAGES):
        return known
    if stage == "instruct" and known is None:
        raise InputError("--stage instruct: the align stage has not run for this release and config. Run it first.")
    if known is None:
        _clear(out)
    _single_source_of_noise(config)
    work = _Work(release, out, config, mark)
    report = known or TrainReport(mark, config.name, load_release(release).name, len(work.prepared), work.too_long, 0)
    if stage in (None, "align") and "align" not in report.stages:
        report.stages["align"] = work.align(progress)
        _save(out, report, config)
    if stage in (None, "instruct"):
        report.stages["instruct"], report.parameters = work.instruct(progress)
        _save(out, report, config)
    return report


def device_of(config: TrainConfig) -> str:
    """cuda when asked for or found, else cpu."""
    import torch

    if config.device == "cuda" and not torch.cuda.is_available():
        raise InputError("train: device is cuda and torch finds none. Install torch's CUDA build, or set `device: auto`.")
    return "cuda" if config.device != "cpu" and torch.cuda.is_available() else "cpu"


class _Work:
    """A training under way: data once, a fresh model a stage."""

    def __init__(self, release: Path, out: Path, config: TrainConfig, mark: str) -> None:
        self._config, self._out, self._mark = config, out, mark
        rows = list(examples(release, "train"))
        if not rows:
            raise InputError(f"{release}: the train split is empty. Look at `bimedv status` for where the samples went.")
        texts = (text for row in rows for _, text in row.turns)
        self._tokens: Tokens = train_tokens(texts, config.language.vocab, out / FILE)
        self.prepared, self.too_long = prepare(rows, self._tokens, config)
        self._device = device_of(config)

    def align(self, progress: Callable[[int], None] | None) -> dict[str, Any]:
        """Stage 1. Without a single image there is nothing to align, and the stage says so."""
        import torch

        model = from_tokens(self._config, self._tokens)
        freeze_all_but_projector(model)
        shown = [item for item in self.prepared if item.images]
        losses = self._run(model, shown, self._config.align, progress) if shown else []
        weights = {name: value for name, value in model.state_dict().items() if PROJECTOR in name}
        torch.save(weights, self._out / _ALIGNED)
        return _stage_report(model, losses, len(shown))

    def instruct(self, progress: Callable[[int], None] | None) -> tuple[dict[str, Any], int]:
        """Stage 2, on top of stage 1's projector; the LoRA weights are merged into the saved model."""
        import torch

        model = from_tokens(self._config, self._tokens)
        model.load_state_dict(torch.load(self._out / _ALIGNED, weights_only=True), strict=False)
        adapted = with_lora(model, self._config)
        losses = self._run(adapted, self.prepared, self._config.instruct, progress)
        told = _stage_report(adapted, losses, len(self.prepared))
        merged = adapted.merge_and_unload()
        merged.save_pretrained(self._out / WEIGHTS)
        return told, sum(parameter.numel() for parameter in merged.parameters())

    def _run(
        self, model: Any, prepared: list[Prepared], stage: StageConfig, progress: Callable[[int], None] | None
    ) -> list[float]:
        import torch

        model.to(self._device).train()
        total = stage.epochs * math.ceil(len(prepared) / stage.batch)
        optimizer = torch.optim.AdamW(list(_groups(model, stage)), weight_decay=0.0)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _cosine(step, total, stage.warmup))
        losses = []
        for batch in epochs(prepared, stage.batch, self._config.seed, stage.epochs):
            loss = model(**tensors(batch, self._tokens.pad, self._config.vision.image_size, self._device)).loss
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
            optimizer.step()
            schedule.step()
            losses.append(round(float(loss.detach()), 5))
            if progress:
                progress(len(batch))
        return losses


def _groups(model: Any, stage: StageConfig) -> Iterator[dict[str, Any]]:
    """The projector has a learning rate of its own (2e-5 beside 2e-4 in the paper's stage 2)."""
    trainable = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    for inside, rate in ((True, stage.projector_lr), (False, stage.lr)):
        chosen = [parameter for name, parameter in trainable if (PROJECTOR in name) is inside]
        if chosen:
            yield {"params": chosen, "lr": rate}


def _cosine(step: int, total: int, warmup: float) -> float:
    rising = max(1, int(total * warmup))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))


def _stage_report(model: Any, losses: list[float], samples: int) -> dict[str, Any]:
    tenth = max(1, len(losses) // 10)
    return {
        "samples": samples,
        "steps": len(losses),
        "trainable": sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
        "first_loss": round(sum(losses[:tenth]) / tenth, 4) if losses else None,
        "last_loss": round(sum(losses[-tenth:]) / tenth, 4) if losses else None,
        "losses": losses,
    }


def _fingerprint(release: Path, config: TrainConfig) -> str:
    load_release(release)
    manifest = hashlib.sha256((release / MANIFEST).read_bytes()).hexdigest()
    return hashlib.sha256(f"{VERSION} {manifest} {config.model_dump_json()}".encode()).hexdigest()


def _done(out: Path, mark: str) -> TrainReport | None:
    path = out / SUMMARY
    if not path.is_file():
        return None
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw.pop("config", None)
    return TrainReport(**raw) if raw.get("fingerprint") == mark else None


def _clear(out: Path) -> None:
    """Take an older training out, summary first: a new tokenizer beside old weights would answer nonsense."""
    (out / SUMMARY).unlink(missing_ok=True)
    shutil.rmtree(out / WEIGHTS, ignore_errors=True)


def _save(out: Path, report: TrainReport, config: TrainConfig) -> None:
    """The config goes along: a model is opened by its folder alone, whatever file it was trained from."""
    part = out / f".{SUMMARY}.part"
    part.write_bytes(orjson.dumps(report.as_json() | {"config": config.model_dump(mode="json")}, option=orjson.OPT_INDENT_2))
    part.replace(out / SUMMARY)


def _single_source_of_noise(config: TrainConfig) -> None:
    import torch
    from transformers.utils import logging

    # Its bars count tensors; ours, which count samples, stand on the same line of the terminal.
    logging.disable_progress_bar()
    settle_threads(config)
    torch.manual_seed(config.seed)
