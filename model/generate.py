"""A saved model that answers, in the language of the question.

A tiny model mixes its languages, so the question's script decides which letters an answer may have: pieces of the other
script are masked. A large model needs no such help and loses nothing by it.
"""

import json
import re
from pathlib import Path
from typing import Any

from model.build import settle_threads
from model.config import TrainConfig
from model.pictures import pixels
from model.tokens import FILE, Tokens
from model.train import SUMMARY, WEIGHTS, device_of
from schemas.errors import InputError

_ARABIC = re.compile("[\u0621-\u064a\u066e-\u06d3]")
_LATIN = re.compile("[A-Za-z]")
_MAX_NEW_TOKENS = 48
_REPEAT_PENALTY = 1.3


class Chat:
    """A model in memory. Raises InputError when the folder holds none."""

    def __init__(self, folder: Path) -> None:
        from transformers import LlavaForConditionalGeneration
        from transformers.utils import logging

        logging.disable_progress_bar()
        if not (folder / SUMMARY).is_file() or not (folder / WEIGHTS).is_dir():
            raise InputError(f"{folder}: no trained model here. Train one with `bimedv train`, or name another folder.")
        self.tokens = Tokens(folder / FILE)
        self.config = TrainConfig.model_validate(json.loads((folder / SUMMARY).read_bytes())["config"])
        self.device = device_of(self.config)
        settle_threads(self.config)
        saved: Any = LlavaForConditionalGeneration.from_pretrained(folder / WEIGHTS, local_files_only=True)
        self.model = saved.to(self.device).eval()

    def answer(self, question: str, image: Path | None = None, max_new_tokens: int = _MAX_NEW_TOKENS) -> str:
        """The model's answer to a question, with or without an image; greedy, so always the same."""
        words = question.replace("<image>", "").strip()
        if not words:
            raise InputError("the question is empty.")
        data = _read(image) if image else None
        return self.reply(
            [("user", f"<image>\n{words}" if data else words)], (data,) if data else (), language(words), max_new_tokens
        )

    def reply(
        self, turns: list[tuple[str, str]], images: tuple[bytes, ...], tongue: str, max_new_tokens: int = _MAX_NEW_TOKENS
    ) -> str:
        """The assistant's next turn, with letters of one language only."""
        import numpy as np
        import torch

        ids, _ = self.tokens.sample(turns, self.config.vision.image_tokens, answer=True)
        ids = ids[-(self.config.language.max_tokens - max_new_tokens) :]
        inputs: dict[str, Any] = {"input_ids": torch.tensor([ids], device=self.device)}
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        if images and self.tokens.image in ids:
            stack = np.stack([pixels(data, self.config.vision.image_size) for data in images])
            inputs["pixel_values"] = torch.from_numpy(stack).to(self.device)
        with torch.no_grad():
            out = self.model.generate(
                **inputs,
                max_new_tokens=max_new_tokens,
                do_sample=False,
                repetition_penalty=_REPEAT_PENALTY,
                eos_token_id=self.tokens.end,
                pad_token_id=self.tokens.pad,
                suppress_tokens=self._foreign(tongue),
            )
        return self.tokens.decode(out[0, len(ids) :].tolist())

    def _foreign(self, tongue: str) -> list[int]:
        """Ids that an answer in this language never has: the other script, marks, and bytes of the fallback."""
        other = _LATIN if tongue == "ar" else _ARABIC
        tokens = self.tokens
        marks = {tokens.image, tokens.user, tokens.assistant, tokens.pad, tokens.start, 0}
        return [n for n in range(len(tokens)) if n in marks or tokens.is_byte(n) or other.search(tokens.piece(n))]


def language(text: str) -> str:
    """ar when at least a third of the letters are Arabic, else en."""
    arabic, latin = len(_ARABIC.findall(text)), len(_LATIN.findall(text))
    return "ar" if arabic and arabic * 2 >= latin else "en"


def _read(path: Path) -> bytes:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            picture.load()
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such image.") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path}: not an image that can be read ({type(error).__name__}). Give a PNG or JPEG.") from None
