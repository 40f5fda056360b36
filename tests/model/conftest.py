"""A release of a few samples that can be learnt by heart, and a model small enough to learn it in two seconds."""

import pytest

from model.config import TrainConfig
from pipeline.images.store import ImageStore
from pipeline.workspace import noun_table, write_parquet
from schemas.release import Evidence, ReleaseRow
from schemas.sample import Origin, Sample, Turn
from shards.release import ReleaseInfo, build
from tests.corpora import picture

SHA = "0" * 64
PROOF = Evidence(
    score=91.0, verdict="accept", score_version="v", similarity=0.6, findings=0, units=(SHA,), calls=(SHA,), model="m",
    prompt="p", round=0, judged=False,
)  # fmt: skip
GATE = {
    "accept": 1, "review": 0, "refine": 0, "reject": 0, "accept_from": 80.0, "reject_below": 40.0, "judged": False,
    "without_judge": "accept", "score_version": "v",
}  # fmt: skip
#: (question, answer) in English and Arabic, and the picture that it is about; None without one.
EXCHANGES = [
    (("Is the heart enlarged?", "Yes"), ("هل القلب متضخم؟", "نعم"), 0),
    (("Is there a fracture?", "No"), ("هل يوجد كسر؟", "لا"), 1),
    (("Which organ is this?", "The liver."), ("ما هذا العضو؟", "الكبد."), 0),
    (("What treats a fever?", "Rest and water."), ("ما علاج الحمى؟", "الراحة والماء."), None),
    (("Where is the stone?", "In the left kidney."), ("أين الحصاة؟", "في الكلية اليسرى."), None),
]
FOLLOW_UP = (("And the lungs?", "They are clear."), ("والرئتان؟", "سليمتان."))


def config(**changes):
    """Two layers, 32 wide, 4 tokens an image: a step takes 10 ms on one core."""
    values = {
        "name": "toy",
        "seed": 11,
        "device": "cpu",
        "vision": {"image_size": 32, "patch_size": 16, "hidden": 32, "layers": 2, "heads": 2},
        "language": {"hidden": 64, "layers": 2, "heads": 2, "max_tokens": 96, "vocab": 400},
        "align": {"epochs": 2, "batch": 4, "lr": 0.01, "projector_lr": 0.01},
        "instruct": {"epochs": 25, "batch": 4, "lr": 0.02, "projector_lr": 0.01},
    }
    return TrainConfig.model_validate(values | changes)


def rows(store, split="train", held=("validation",)):
    """Each exchange with its Arabic twin; the last one has two rounds and is held out."""
    made = []
    for number, (english, arabic, shown) in enumerate(EXCHANGES):
        last = number == len(EXCHANGES) - 1
        images = () if shown is None else (store[shown],)
        pair = [[english], [arabic]]
        if last:
            pair = [[english, FOLLOW_UP[0]], [arabic, FOLLOW_UP[1]]]
        for language, exchanges in zip(("en", "ar"), pair, strict=True):
            made.append(_row(number, language, exchanges, images, held[0] if last else split))
    return made


def _row(number, language, exchanges, images, split):
    name = f"slake-train-{number}"
    twin = f"{name}-ar"
    texts = [text for exchange in exchanges for text in exchange]
    texts[0] = "<image>\n" * len(images) + texts[0]
    sample = Sample(
        id=name if language == "en" else twin, corpus="slake", record=str(number), split="train",
        task="vqa" if images else "text_qa", language=language,
        turns=tuple(Turn(role=("user", "assistant")[place % 2], text=text) for place, text in enumerate(texts)),
        images=images, licence="CC BY", access="open", pair=twin if language == "en" else name,
        origin=Origin(file="a.json", row=number + 1, sha256=SHA),
    )  # fmt: skip
    return ReleaseRow(sample=sample, split=split, evidence=PROOF if language == "ar" else None)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A store with two pictures, and their references."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(2):
        picture(number + 1).save(folder / f"{number}.png")
    kept = ImageStore(folder / "images")
    return folder / "images", [kept.add(folder, f"{number}.png", "ct") for number in range(2)]


@pytest.fixture(scope="session")
def make_release(tmp_path_factory, pictures):
    """Build a release of given rows; the rows' pictures are in `pictures`."""

    def make(chosen):
        folder = tmp_path_factory.mktemp("release")
        write_parquet(folder / "rows.parquet", noun_table(ReleaseRow, chosen))
        info = ReleaseInfo(
            name="toy", version="0.1.0", shard_bytes=10**6, gate=GATE, config={}, toolchain={},
            terms={"licence": "CC BY", "redistributable": True, "reasons": []},
        )  # fmt: skip
        build([folder / "rows.parquet"], pictures[0], folder / "out", info)
        return folder / "out"

    return make


@pytest.fixture(scope="session")
def release(make_release, pictures):
    return make_release(rows(pictures[1]))
