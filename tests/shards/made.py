"""Releases to look at: a few samples of each kind, built by the real writer."""

from pipeline.images.store import ImageStore
from pipeline.workspace import noun_table, write_parquet
from schemas.release import Evidence, ReleaseRow
from schemas.sample import Origin, Sample, Turn
from shards.release import ReleaseInfo, build
from tests.corpora import picture

SHA = "0" * 64
GATE = {
    "accept": 8, "review": 0, "refine": 0, "reject": 0, "accept_from": 80.0, "reject_below": 40.0, "judged": False,
    "without_judge": "accept", "score_version": "v",
}  # fmt: skip
PROOF = Evidence(
    score=91.0, verdict="accept", score_version="v", similarity=0.6, findings=0, units=(SHA,), calls=(SHA,), model="m",
    prompt="p", round=0, judged=False,
)  # fmt: skip


def sample(number, language="en", images=(), pair=None, text="What is it?", corpus="slake"):
    name = f"{corpus}-train-{number}" + ("-ar" if language == "ar" else "")
    mark = "<image>\n" * len(images)
    return Sample(
        id=name, corpus=corpus, record=str(number), split="train", task="vqa", language=language,
        turns=(Turn(role="user", text=mark + text), Turn(role="assistant", text="A liver.")), images=tuple(images),
        licence="CC BY", access="open", pair=pair, origin=Origin(file="a.json", row=number + 1, sha256=SHA),
        meta={"modality": "ct"} if number % 2 else {},
    )  # fmt: skip


def row(of, split="train", evidence=None):
    return ReleaseRow(sample=of, split=split, evidence=evidence or (PROOF if of.language == "ar" else None))


def pair(number, images=(), split="train", text="ما هذا؟", corpus="slake", evidence=None):
    """An English sample and its Arabic twin, adjacent."""
    name = f"{corpus}-train-{number}"
    english = sample(number, images=images, pair=f"{name}-ar", corpus=corpus)
    return [row(english, split), row(sample(number, "ar", images, name, text, corpus), split, evidence)]


def pictures(folder):
    """A store under `folder`/images with a colour picture (JPEG) and two grey ones (PNG)."""
    place = folder / "pictures"
    place.mkdir()
    picture(1).save(place / "colour.png")
    picture(2).convert("L").save(place / "grey.png")
    picture(3).convert("L").save(place / "other.png")
    kept = ImageStore(folder / "images")
    return tuple(kept.add(place, f"{name}.png", "ct") for name in ("colour", "grey", "other"))


def rows(store):
    """Eight English samples alone and four pairs: without image, with one, with two, and one held out."""
    colour, grey, other = store
    lonely = [row(sample(number)) for number in range(8)]
    return [*lonely, *pair(8), *pair(9, (colour,)), *pair(10, (colour, grey)), *pair(11, (other,), "validation")]


def release(folder, of, out="out", workers=1, shard_bytes=10**6, **changes):
    """Build rows into `folder`/`out`; images come from `folder`/images. `changes` replace what ReleaseInfo says."""
    table = folder / f"{out}.parquet"
    write_parquet(table, noun_table(ReleaseRow, of))
    values = {
        "name": "r", "version": "0.1.0", "shard_bytes": shard_bytes, "gate": GATE, "config": {}, "toolchain": {},
        "terms": {"licence": "CC-BY-4.0", "redistributable": True, "reasons": []},
    }  # fmt: skip
    build([table], folder / "images", folder / out, ReleaseInfo(**(values | changes)), workers=workers)
    return folder / out
