"""The glossary: which Arabic a clinician expects for the terms in an English text.

In: glossary.tsv (written by us) and the user's files. Out: the slice of terms that occur in a text, for the prompt; conflicts
between files. A glossary belongs to no access class and is shown to every endpoint: it holds terms, not sentences of a corpus.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.quality.arabic import fold
from pipeline.settings import Settings
from pipeline.translate.termfiles import Placed, Term, read_terms, to_tsv
from pipeline.workspace import fingerprint, write_atomic

STARTER = Path(__file__).with_name("glossary.tsv")
#: Blanks, hyphens and apostrophes part words of one term; every other sign is a word of its own and ends a term.
#: A number lets go of the unit that is written onto it (5mg); letters keep their digits (T2, CD4).
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]\w*|[^\w\s'’‑-]")
#: English and Latin plurals by ending; a wrong one (corpi) is met in no text.
_PLURALS = (
    ("tooth", ("teeth",)), ("foot", ("feet",)), ("calf", ("calves",)), ("sis", ("ses",)), ("xis", ("xes",)),
    ("is", ("es",)), ("us", ("i", "uses")), ("um", ("a", "ums")),
    ("ma", ("mas", "mata")), ("a", ("ae", "as")), ("ex", ("ices", "exes")), ("ix", ("ices", "ixes")), ("men", ("mina", "mens")),
    ("ss", ("sses",)), ("s", ()), ("x", ("xes", "ces")), ("ch", ("ches",)), ("sh", ("shes",)), ("y", ("ies", "ys")),
)  # fmt: skip
_Words = tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """One English name with Arabic forms that do not agree."""

    en: str
    found: tuple[tuple[str, str], ...]
    """(Arabic, file:line) of each term."""


class Glossary:
    """Terms of several files. Where two have the same English name in the same domain (or one has none), the later one counts."""

    def __init__(self, placed: Sequence[Placed]) -> None:
        self._placed = tuple(placed)
        self._index: dict[_Words, list[Term]] = {}
        for term, _ in self._placed:
            for name in term.english:
                others = self._index.get(_key(name), [])
                self._index[_key(name)] = [other for other in others if not _same_field(other, term)] + [term]
        self.terms: tuple[Term, ...] = tuple(dict.fromkeys(term for terms in self._index.values() for term in terms))
        """The terms that count, in the order of the files."""
        self.id: str = slice_id(self.terms)
        """Hash of the terms that count."""
        for words, terms in list(self._index.items()):
            for plural in _plurals(words):
                self._index.setdefault(plural, terms)
        self._sizes: dict[str, tuple[int, ...]] = {}
        for words in self._index:
            first = words[0].casefold()
            self._sizes[first] = tuple(sorted({*self._sizes.get(first, ()), len(words)}))

    def slice_for(self, text: str, limit: int = 16) -> tuple[Term, ...]:
        """The terms that occur in an English text, in its order: whole words, any case, singular or plural, longest first.

        A shorter term inside a longer one is dropped. Beyond `limit` the longest stay, because long terms are the rare ones.
        """
        # 30 µs for a text of 27 words and 6 terms on one Xeon core: two look-ups a word, however many terms there are.
        found: list[tuple[int, int, list[Term]]] = []
        words = _TOKEN.findall(text)
        folded = [word.casefold() for word in words]
        for at, word in enumerate(folded):
            for size in self._sizes.get(word, ()):
                # Names in capitals are keyed as they stand, all others folded.
                terms = self._index.get(tuple(folded[at : at + size])) or self._index.get(tuple(words[at : at + size]))
                if terms and at + size <= len(words):
                    found.append((-size, at, terms))
        taken: set[int] = set()
        chosen: dict[Term, int] = {}
        for size, at, terms in sorted(found, key=lambda match: match[:2]):
            place = range(at, at - size)
            if taken.isdisjoint(place):
                taken.update(place)
                for term in terms:
                    if term in chosen or len(chosen) < limit:
                        chosen[term] = min(at, chosen.get(term, at))
        return tuple(sorted(chosen, key=lambda term: chosen[term]))

    def conflicts(self) -> list[Conflict]:
        """English names whose terms share no Arabic form, in one domain or where one term names no domain."""
        by_name: dict[_Words, list[Placed]] = {}
        for placed in self._placed:
            for name in placed.term.english:
                by_name.setdefault(_key(name), []).append(placed)
        found: dict[tuple[Placed, ...], Conflict] = {}
        for words, rows in by_name.items():
            at_odds = [row for row in rows if any(_clash(row.term, other.term) for other in rows)]
            if at_odds:
                arabic = tuple((row.term.ar, row.place) for row in at_odds)
                found.setdefault(tuple(at_odds), Conflict(_written(at_odds[0].term, words), arabic))
        return list(found.values())


def load_glossary(paths: Iterable[Path] = ()) -> Glossary:
    """The starter glossary and these files (.tsv, .tbx, .tmx), a later one above an earlier one.

    Raises InputError with file and line.
    """
    return Glossary([*_starter(), *(placed for path in paths for placed in read_terms(path)[0])])


def run_glossary(settings: Settings) -> Glossary:
    """The glossary of a run: the starter, the config's files, and what `bimedv glossary import` put into the workspace."""
    return load_glossary(run_files(settings))


def run_files(settings: Settings) -> tuple[Path, ...]:
    """The files of a run's glossary beside the starter."""
    own = workspace_glossary(settings.workspace)
    return (*settings.translate.glossary, *([own] if own.exists() else []))


def workspace_glossary(workspace: Path) -> Path:
    """Where a workspace keeps imported terms."""
    return workspace / "glossary.tsv"


def import_terms(path: Path, into: Path) -> dict[str, int]:
    """Merge a file of terms into a glossary file; a term with the same English in the same domain is replaced.

    Counts terms added, replaced and unchanged, and entries skipped because they lack a language.
    """
    placed, skipped = read_terms(path)
    kept = {_row(term): term for term, _ in read_terms(into)[0]} if into.exists() else {}
    counts = {"added": 0, "replaced": 0, "unchanged": 0, "skipped": skipped}
    for term, _ in placed:
        old = kept.get(_row(term))
        counts["added" if old is None else "unchanged" if old == term else "replaced"] += 1
        kept[_row(term)] = term
    write_atomic(into, to_tsv(kept.values()))
    return counts


def slice_id(terms: Iterable[Term]) -> str:
    """Hash of a slice, for a request's key; the order of the terms makes no difference."""
    return fingerprint(sorted((asdict(term) for term in terms), key=lambda row: (row["en"], row["domain"], row["ar"])))


def lines(terms: Iterable[Term]) -> str:
    """A slice as a prompt shows it: one `English = Arabic` a line."""
    return "\n".join(f"{term.en} = {term.ar}" for term in terms)


@lru_cache
def _starter() -> tuple[Placed, ...]:
    return tuple(Placed(term, f"starter:{place.rpartition(':')[2]}") for term, place in read_terms(STARTER)[0])


def _key(name: str) -> _Words:
    """The words of a name; folded, unless it is written in capitals: PET is no pet, AIDS are no hearing aids."""
    words = _TOKEN.findall(name)
    return tuple(words if name.isupper() else (word.casefold() for word in words)) or (name,)


def _plurals(words: _Words) -> list[_Words]:
    last = words[-1]
    if last.isupper():
        return [(*words[:-1], f"{last}s")]
    stem, endings = next(((last.removesuffix(end), ends) for end, ends in _PLURALS if last.endswith(end)), (last, ("s",)))
    return [(*words[:-1], stem + ending) for ending in endings]


def _same_field(one: Term, other: Term) -> bool:
    return one.domain == other.domain or not one.domain or not other.domain


def _clash(one: Term, other: Term) -> bool:
    """Harakat, hamza on alef and the like make no other form."""
    forms, others = ({fold(form).text for form in term.arabic} for term in (one, other))
    return _same_field(one, other) and forms.isdisjoint(others)


def _written(term: Term, words: _Words) -> str:
    return next(name for name in term.english if _key(name) == words)


def _row(term: Term) -> tuple[str, str]:
    return term.en.casefold(), term.domain
