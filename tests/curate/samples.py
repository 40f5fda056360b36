"""Samples for the tests of curation, and a workspace that holds them as if they had been read."""

from pipeline.settings import Settings
from pipeline.workspace import Workspace, noun_table
from schemas.sample import IMAGE_MARK, Exclusion, ImageRef, Origin, Sample, Turn

SHA = "0" * 64


def image(name, phash=None):
    """A reference whose address and hash are made from a short name."""
    digits = name.encode().hex()
    return ImageRef(
        sha256=digits.rjust(64, "0"),
        media_type="image/png",
        width=9,
        height=9,
        modality="ct",
        phash=phash or digits.rjust(16, "0"),
    )


def sample(name, question="What is it?", answer="A liver.", **changes):
    """An English sample of the corpus llava; `images` are short names, `turns` replace question and answer."""
    images = tuple(image(each) for each in changes.pop("images", ()))
    turns = changes.pop("turns", (("user", f"{IMAGE_MARK}\n" * len(images) + question), ("assistant", answer)))
    values = {
        "id": name, "corpus": "llava", "record": name, "split": "train", "task": "vqa", "language": "en",
        "turns": tuple(Turn(role=role, text=text) for role, text in turns), "images": images, "licence": "unknown",
        "access": "open", "pair": f"{name}-ar", "origin": Origin(file="a.json", row=1, sha256=SHA),
    }  # fmt: skip
    return Sample(**values | changes)


def ingested(folder, *sources):
    """A workspace that holds these lists of samples as if they had been read, one chunk a source."""
    workspace = Workspace(folder)
    for number, samples in enumerate(sources):
        tables = {"samples": noun_table(Sample, samples), "excluded": noun_table(Exclusion, [])}
        workspace.write_chunk("ingest", f"{number:02d}-llava-00000", f"{number}-{len(samples)}", tables)
    return workspace


def configured(folder, corpora=("llava",), **blocks):
    """Settings over sources that no test reads; `blocks` are keys of the config."""
    sources = tuple({"corpus": name, "path": folder / f"{name}.json"} for name in corpora)
    return Settings.model_validate({"name": "t", "workspace": folder, "root": folder, "sources": sources} | blocks)
