"""Tokenizer and loss mask: a SentencePiece model trained on the release, and one function that makes ids and labels.

Ids and labels grow turn by turn in the same loop, so no offset is ever looked for (FINDINGS: the field's most frequent
bug). Only the assistant's words and the end mark behind them are learnt.
"""

import io
from collections.abc import Iterable
from pathlib import Path

from schemas.errors import InputError

IGNORED = -100
_MARKS = ("<image>", "<|user|>", "<|assistant|>", "<|end|>")
FILE = "tokenizer.model"


class Tokens:
    """A trained tokenizer. `image`, `user`, `assistant`, `end` and `pad` are ids."""

    def __init__(self, path: Path) -> None:
        from sentencepiece import SentencePieceProcessor

        if not path.is_file():
            raise InputError(f"{path.parent}: no {FILE}, so this is no trained model. Train one with `bimedv train`.")
        self._model = SentencePieceProcessor(model_file=str(path))
        self.image, self.user, self.assistant, self.end = (self._model.piece_to_id(mark) for mark in _MARKS)
        self.pad: int = self._model.pad_id()
        self.start: int = self._model.bos_id()

    def __len__(self) -> int:
        return int(self._model.get_piece_size())

    def encode(self, text: str) -> list[int]:
        """Ids of a text; marks in it become their own ids."""
        return list(self._model.encode(text))

    def decode(self, ids: Iterable[int]) -> str:
        """Text of ids; marks are left out."""
        marks = {self.image, self.user, self.assistant, self.end, self.pad, self.start}
        return str(self._model.decode([number for number in ids if number not in marks])).strip()

    def piece(self, number: int) -> str:
        """The text that one id stands for."""
        return str(self._model.id_to_piece(number))

    def is_byte(self, number: int) -> bool:
        """Whether an id is a byte of the fallback."""
        return bool(self._model.is_byte(number))

    def sample(self, turns: Iterable[tuple[str, str]], image_tokens: int, answer: bool = False) -> tuple[list[int], list[int]]:
        """(ids, labels) of a conversation; each `<image>` takes `image_tokens` places. `answer` opens the next turn."""
        ids, labels = [self.start], [IGNORED]
        for role, text in turns:
            learnt = role == "assistant"
            body = self._expanded(text, image_tokens)
            ids += [self.assistant if learnt else self.user, *body, self.end]
            labels += [IGNORED, *(body if learnt else [IGNORED] * len(body)), self.end if learnt else IGNORED]
        if answer:
            ids.append(self.assistant)
            labels.append(IGNORED)
        return ids, labels

    def _expanded(self, text: str, image_tokens: int) -> list[int]:
        ids: list[int] = []
        for number, part in enumerate(text.split("<image>")):
            if number:
                ids += [self.image] * image_tokens
            if part.strip():
                ids += self.encode(part.strip())
        return ids


def train_tokens(texts: Iterable[str], vocab: int, path: Path) -> Tokens:
    """Train a tokenizer on texts and save it. The same texts give the same bytes."""
    from sentencepiece import SentencePieceTrainer

    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        vocab_size=vocab,
        # Small corpora have fewer pieces than asked for: take what there is.
        hard_vocab_limit=False,
        model_type="unigram",
        byte_fallback=True,
        character_coverage=1.0,
        # SentencePiece would use NFKC, which rewrites Arabic letters.
        normalization_rule_name="identity",
        user_defined_symbols=list(_MARKS),
        pad_id=3,
        num_threads=1,
        minloglevel=2,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.getvalue())
    return Tokens(path)
