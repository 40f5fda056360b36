"""Arabic as the checks compare it: without harakat and tatweel, one alef, Latin digits; with the way back to the text.

Never NFKC: it rewrites letters. Spans in findings are of the text as given, so every folded character knows its origin.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import compress

_DROPPED = re.compile("[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640\u200c-\u200f\u0300-\u036f]")
_MARKS = re.compile("[\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06ed\u0640]")
_DIGITS = str.maketrans({**{chr(0x0660 + n): str(n) for n in range(10)}, "٪": "%", "٫": ".", "٬": ","})
_LETTERS = str.maketrans(
    {
        "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ئ": "ئ", "ة": "ه",
        **{chr(0x0660 + n): str(n) for n in range(10)},
        **{chr(0x06F0 + n): str(n) for n in range(10)},
        "٪": "%", "٫": ".", "٬": ",", "–": "-", "—": "-", "−": "-",
    }
)  # fmt: skip


class Folded:
    """Folded text and the way back to the text as given, which is looked for only when a span is asked for."""

    __slots__ = ("_at", "_given", "text")

    def __init__(self, text: str, given: str) -> None:
        self.text = text
        self._given = given
        self._at: Sequence[int] | None = None

    @property
    def at(self) -> Sequence[int]:
        """`at[i]` is the place in the given text of folded character i, with one more for the end."""
        if self._at is None:
            whole = range(len(self._given) + 1)
            kept = len(self.text) == len(self._given)
            self._at = whole if kept else (*compress(whole, map(_FOLDED.kept, self._given)), len(self._given))
        return self._at

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A span of the folded text as a span of the given one."""
        return self.at[start], self.at[end - 1] + 1 if end > start else self.at[start]


class _Table(dict[int, str]):
    """What each character folds to, found out when it is first seen; "" for what is dropped."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        # The base letter of a composed one: decomposed input brings its marks as characters of their own, dropped below.
        base = unicodedata.normalize("NFD", character)[:1] if "\u00c0" <= character <= "\u06ff" else character
        folded = base.translate(_LETTERS)
        self[code] = letter = "" if _DROPPED.match(folded) else folded.lower()[:1]
        return letter

    def kept(self, character: str) -> bool:
        """Whether anything of it is in the folded text."""
        return bool(self[ord(character)])


_FOLDED = _Table()


@lru_cache(maxsize=64)
def fold(text: str) -> Folded:
    """Fold a text. Decomposed and composed forms fold alike; harakat, tatweel and digit script make no difference.

    One character at most for each that is given. 64 texts are kept: those of the pair that the checks are reading. A pair of
    TICO-19's length costs 12 µs, on a core of which the loop over characters before it took 63.
    """
    return Folded(text.lower() if text.isascii() else text.translate(_FOLDED), text)


def bare(text: str) -> str:
    """The text as the encoder should see it: NFC, no harakat or tatweel, Latin digits; letters stay as they are.

    The encoder reads ١١٫٢ as nothing that it knows: with 11.2 a right translation's similarity rose from .36 to .56.
    """
    return text if text.isascii() else _MARKS.sub("", unicodedata.normalize("NFC", text)).translate(_DIGITS)


def word_pattern(words: list[str], prefixed: bool = True) -> re.Pattern[str]:
    """Any of the words, folded here, as a whole token, with the one-letter prefixes and the article that Arabic writes on."""
    prefix = r"(?:[وف]?(?:[بلك](?:ال)?|ال|لل)?)?" if prefixed else ""
    return re.compile(
        rf"(?<![\w])(?:{prefix})(?:{'|'.join(sorted((fold(word).text for word in words), key=len, reverse=True))})(?![\w])"
    )
