"""A term's Arabic as it stands in a text: with what is written onto it, and inflected.

In: a dictionary form. Out: a pattern for folded text.
"""

import re
from functools import lru_cache

from pipeline.quality.arabic import fold

_PREFIX = r"(?:[وف]?(?:[بلك](?:ال)?|ال|لل)?)?"
#: Endings that inflect a word and make no other one of it: dual, plural, feminine, possessive.
_SUFFIX = r"(?:ه|ها|هم|ان|ين|ات|يه|ا|ت)?"


@lru_cache(maxsize=4096)
def form_pattern(form: str) -> re.Pattern[str]:
    """Matches the dictionary form, its definite one and its inflections; of a phrase each word may have the article."""
    first, *others = (re.escape(word.removeprefix("ال").removesuffix("ه")) + _SUFFIX for word in fold(form).text.split())
    return re.compile(rf"(?<!\w){_PREFIX}{first}" + "".join(rf"\s+(?:ال)?{word}" for word in others) + r"(?!\w)")
