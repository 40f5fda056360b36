"""Tokens of prompts and texts, counted by the embedded model's tokenizer (262,000 pieces, Arabic included). Costs no call.

For another endpoint's model it is a stand-in, which `pipeline.translate.estimate` corrects by what the ledger knows of it.
"""

import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import orjson

from pipeline.llm.answers import CHARS_PER_TOKEN
from pipeline.llm.embedded import opener, serve


class Tokenizer:
    """Asks a llama.cpp server; a prompt of 400 tokens takes 2 ms."""

    def __init__(self, base_url: str) -> None:
        self.root = base_url.removesuffix("/v1")

    def prompt(self, messages: Sequence[dict[str, str]]) -> int:
        """Tokens of a whole request, the chat template's own included."""
        template = self._post("/apply-template", {"messages": list(messages)})["prompt"]
        return self.text(str(template))

    def text(self, text: str) -> int:
        """Tokens of a text."""
        tokens = self._post("/tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]
        assert isinstance(tokens, list)
        return len(tokens)

    def _post(self, path: str, body: dict[str, object]) -> dict[str, object]:
        request = urllib.request.Request(self.root + path, orjson.dumps(body), {"Content-Type": "application/json"})
        with opener(self.root).open(request, timeout=60) as answer:
            value: dict[str, object] = orjson.loads(answer.read())
            return value


class Characters:
    """For an installation without the embedded model: 4 characters of English a token, 2 of Arabic."""

    def prompt(self, messages: Sequence[dict[str, str]]) -> int:
        """Tokens of a whole request."""
        return sum(self.text(message["content"]) + 4 for message in messages)

    def text(self, text: str) -> int:
        """Tokens of a text."""
        arabic = sum("\u0600" <= character <= "\u06ff" for character in text)
        return int((len(text) - arabic) / CHARS_PER_TOKEN["en"] + arabic / CHARS_PER_TOKEN["ar"])


@contextmanager
def tokenizer() -> Iterator[Tokenizer | Characters]:
    """The embedded model's tokenizer for the time of the context (it starts in about a second), or the rule of thumb."""
    try:
        import xllamacpp  # noqa: F401  # only whether it is there
    except ImportError:
        yield Characters()
        return
    with serve() as address:
        yield Tokenizer(address)
