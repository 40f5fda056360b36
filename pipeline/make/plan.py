"""Which samples each recipe takes, over all chunks. In: the config's recipes, curated samples. Out: a Plan that goes
along with each chunk.

A limit is kept by a hash: each sample has a draw, and those with the lowest are taken, however the chunks are cut and in
whatever order they are read. Memory: the limit's draws, and the ids that look like made ones.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.parquet as pq

from pipeline.make.recipe import Recipe
from pipeline.make.recipes import RECIPES
from pipeline.settings import Settings
from pipeline.workspace import Workspace
from schemas.sample import Sample

_LOOKS_MADE = re.compile(rf"-(?:{'|'.join(recipe.suffix for recipe in RECIPES.values())})\d*$")
#: A sample's id has at most 93 characters, and its twin's ends with -ar.
_ID_CHARS = 90


@dataclass(frozen=True)
class Plan:
    """What was found over all chunks."""

    cuts: tuple[tuple[str, str], ...]
    """(recipe, highest draw that it takes) of the recipes with a limit that is reached."""
    taken: frozenset[str]
    """Ids of curated samples that a made one could have."""

    def orders(self, settings: Settings, samples: list[Sample]) -> Iterator[tuple[Recipe, Sample]]:
        """What is to be made of these samples, in their order."""
        cuts = dict(self.cuts)
        for sample in samples:
            for recipe in _recipes(settings, sample):
                if recipe.name not in cuts or _draw(recipe, sample) <= cuts[recipe.name]:
                    yield recipe, sample

    def id_of(self, parent: Sample, recipe: Recipe, number: int) -> str:
        """The id of what is made of a sample; `number` counts from 1 where a recipe makes several."""
        ending = f"-{recipe.suffix}{number if recipe.many else ''}"
        plain = f"{parent.id}{ending}"
        if len(plain) <= _ID_CHARS and plain not in self.taken:
            return plain
        digest = hashlib.sha256(plain.encode()).hexdigest()[:8]
        return f"{parent.id[: _ID_CHARS - len(ending) - 9].rstrip('-')}-{digest}{ending}"


def make_plan(settings: Settings, workspace: Workspace) -> Plan:
    """Look over all curated samples: only at their ids when no recipe has a limit."""
    return Plan(tuple(sorted(_cuts(settings, workspace).items())), frozenset(_lookalikes(workspace)))


def _cuts(settings: Settings, workspace: Workspace) -> dict[str, str]:
    limits = {name: recipe.limit for name, recipe in settings.make.recipes().items() if recipe.limit is not None}
    draws: dict[str, list[str]] = {name: [] for name in limits}
    for sample in workspace.rows("curate", Sample, "samples") if limits else ():
        for recipe in _recipes(settings, sample):
            if recipe.name in limits:
                _note(draws[recipe.name], _draw(recipe, sample), limits[recipe.name])
    return {name: sorted(found)[limits[name] - 1] for name, found in draws.items() if len(found) >= limits[name]}


def _note(draws: list[str], draw: str, limit: int) -> None:
    """Keep the lowest `limit` draws; sorted only when twice as many have come together."""
    draws.append(draw)
    if len(draws) >= 2 * limit + 1000:
        draws.sort()
        del draws[limit:]


def _recipes(settings: Settings, sample: Sample) -> list[Recipe]:
    named = settings.make.recipes()
    return [RECIPES[name] for name, chosen in named.items() if sample.corpus in chosen.corpora and RECIPES[name].takes(sample)]


def _draw(recipe: Recipe, sample: Sample) -> str:
    return hashlib.sha256(f"{recipe.name}:{sample.id}".encode()).hexdigest()


def _lookalikes(workspace: Workspace) -> Iterator[str]:
    for manifest in workspace.manifests("curate"):
        ids = pq.read_table(workspace.table_path("curate", manifest.chunk, "samples"), columns=["id"])["id"]
        yield from (name for name in ids.to_pylist() if _LOOKS_MADE.search(name))
