"""Answers whose Arabic a reviewed table fixes: another answer of the table in one's place is an error."""

from functools import lru_cache

from pipeline.quality.arabic import fold
from pipeline.quality.lexicon import lexicon
from pipeline.translate.closed import lookup, table
from schemas.quality import Finding

#: The longest entry of the table has 77 characters; nothing longer is looked up.
_MOST_CHARS = 80
#: Two answers with a stem of so many letters in common may be two forms of one (علوي, العلوي).
_STEM = 4


def closed_answer(source: str, target: str, _kind: str) -> list[Finding]:
    """The Arabic of a fixed answer is the fixed Arabic of another one, and no other way to say the same."""
    if len(source) > _MOST_CHARS or len(target) > 2 * _MOST_CHARS:
        return []
    fixed = lookup(source)
    if fixed is None:
        return []
    own, said = _key(fixed), _key(target)
    if own == said or said not in _answers() or _alike(own, said):
        return []
    return [
        Finding(
            check="closed_answer",
            category="accuracy/mistranslation",
            severity="critical",
            message=f"{source.strip()!r} is {fixed}, and this is another answer",
            source_span=(0, len(source)),
            target_span=(0, len(target)),
        )
    ]


def _alike(one: str, other: str) -> bool:
    groups = _same()
    if groups.get(one, one) == groups.get(other, other):
        return True
    stems = {word[:_STEM] for word in one.split()} & {word[:_STEM] for word in other.split()}
    return bool(stems) and len(one.split()) == len(other.split()) == 1


def _key(arabic: str) -> str:
    words = fold(arabic).text.strip(" .\n\t،؟!").split()
    return " ".join(word[2:] if word.startswith("ال") and len(word) > 4 else word for word in words)


@lru_cache(maxsize=1)
def _answers() -> frozenset[str]:
    return frozenset(_key(arabic) for arabic in table().values())


@lru_cache(maxsize=1)
def _same() -> dict[str, str]:
    return {_key(form): _key(group[0]) for group in lexicon()["closed"]["same"] for form in group}
