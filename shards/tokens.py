"""How long texts are in tokens, by a tokenizer that the release names, or by white space.

In: texts. Out: a number of tokens. A tokenizer is a Hugging Face `tokenizer.json` (or a folder with one) or a SentencePiece
`.model`; marks that a model puts around a text are not counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from schemas.errors import InputError
from shards.write import file_digest

WHITE_SPACE = "white space"


@dataclass(frozen=True)
class Tokenizer:
    """`name` says which one it is: of a file its folder's name and the beginning of its sha256."""

    name: str
    count: Callable[[Sequence[str]], int]


def tokenizer(path: Path | None) -> Tokenizer:
    """The one in a file; white space without a file. Raises InputError where there is none, or what reads it is not installed."""
    if path is None:
        return Tokenizer(WHITE_SPACE, lambda texts: sum(len(text.split()) for text in texts))
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"release.tokenizer: {file} does not exist. Name a tokenizer.json, a folder with one, or a .model.")
    try:
        count = _pieces(file) if file.suffix == ".model" else _tokens(file)
    except ImportError as error:
        raise InputError(
            f"release.tokenizer: {file.name} needs the package {error.name}. Install it: pip install 'bimedv[train]'."
        ) from None
    return Tokenizer(f"{file.resolve().parent.name}/{file.name} sha256:{file_digest(file)[:12]}", count)


def _tokens(file: Path) -> Callable[[Sequence[str]], int]:
    from tokenizers import Tokenizer as Loaded

    # What is wrong with a file the Rust side says by Exception itself, which nobody can catch without catching all.
    try:
        known = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError:
        known = None
    if not isinstance(known, dict) or not {"model", "pre_tokenizer", "normalizer"} <= known.keys():
        raise InputError(f"release.tokenizer: {file} is no tokenizer.json of Hugging Face.")
    loaded = Loaded.from_file(str(file))
    return lambda texts: sum(len(one.ids) for one in loaded.encode_batch(list(texts), add_special_tokens=False))


def _pieces(file: Path) -> Callable[[Sequence[str]], int]:
    from sentencepiece import SentencePieceProcessor

    try:
        loaded = SentencePieceProcessor(model_file=str(file))
    except RuntimeError as error:
        raise InputError(f"release.tokenizer: {file} is no SentencePiece model ({str(error)[:80]}).") from None
    return lambda texts: sum(map(len, loaded.encode(list(texts))))
