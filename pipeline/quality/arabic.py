"""Arabic as the checks compare it: without harakat and tatweel, one alef, Latin digits; with the way back to the text.

Never NFKC: it rewrites letters. Spans in findings are of the text as given, so every folded character knows its origin.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

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


@dataclass(frozen=True)
class Folded:
    """Folded text; `at[i]` is the place in the given text of folded character i, with one more for the end."""

    text: str
    at: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A span of the folded text as a span of the given one."""
        return self.at[start], self.at[end - 1] + 1 if end > start else self.at[start]


@lru_cache(maxsize=512)
def fold(text: str) -> Folded:
    """Fold a text. Decomposed and composed forms fold alike; harakat, tatweel and digit script make no difference."""
    if text.isascii():
        return Folded(text.lower(), tuple(range(len(text) + 1)))
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        # The base letter of a composed one: decomposed input brings its marks as characters of their own, dropped below.
        base = unicodedata.normalize("NFD", character)[:1] if "\u00c0" <= character <= "\u06ff" else character
        folded = base.translate(_LETTERS)
        if folded and not _DROPPED.match(folded):
            letters.append(folded.lower()[:1])
            places.append(place)
    return Folded("".join(letters), (*places, len(text)))


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
