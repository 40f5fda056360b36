"""Samples and what became of the records that gave none."""

from pydantic import Field

from schemas.base import Access, Language, Noun, Role, SampleId, Sha256, Task

IMAGE_MARK = "<image>"


class Turn(Noun):
    """One message; each ``<image>`` in `text` stands for one image of the sample, in order."""

    role: Role
    text: str


class ImageRef(Noun):
    """An image in the content-addressed store."""

    sha256: Sha256
    media_type: str
    """``image/png`` or ``image/jpeg``: ingest stores nothing else."""
    width: int
    height: int
    """Pixels, after ingest bounded the longer side."""
    modality: str
    """cxr, xray (not of a chest), ct, mri, histology, gross, us, fundus or other."""
    phash: str
    """64-bit perceptual hash, 16 hex digits."""


class Origin(Noun):
    """Where a record was read: enough to open the source file at the place, a year later."""

    file: str
    """Relative to the config file, with forward slashes."""
    row: int
    """1-based record number in the file (element of a JSON array, CSV data row, line of JSON Lines)."""
    sha256: Sha256
    """Of the source record as canonical JSON."""


class Sample(Noun):
    """One exchange, conversation, caption or report in one language."""

    id: SampleId
    corpus: str
    record: str
    """The source record's own id."""
    split: str
    """The source's split: train, validation or test."""
    task: Task
    language: Language
    turns: tuple[Turn, ...]
    images: tuple[ImageRef, ...] = ()
    licence: str
    """SPDX-like name, as the corpus declares it."""
    access: Access
    pair: SampleId | None = None
    """Id of the twin in the other language; None until one is owed."""
    origin: Origin
    meta: dict[str, str] = Field(default_factory=dict)


class Exclusion(Noun):
    """A record or sample that fell out, and why. `reason` is one of REASONS."""

    stage: str
    reason: str
    record: str
    sample: SampleId | None = None
    """None when the record never became a sample."""
    origin: Origin
    detail: str = ""


class Overlap(Noun):
    """What a sample that curation left out shares with a benchmark, side by side."""

    sample: SampleId
    kind: str
    """`an image`, `the text`, `nearly the text`, or how many words in a row."""
    item: str
    """`corpus:split` of the benchmark and the record's own id."""
    theirs: str
    ours: str


def twin_id(sample_id: str) -> str:
    """The id of the Arabic twin of an English sample."""
    return f"{sample_id}-ar"


#: Why records and samples fall out: "excluded because …". The set is closed; a test holds every stage to it.
REASONS: dict[str, str] = {
    "not_json": "the record cannot be parsed",
    "missing_field": "a field that the corpus promises is not there",
    "empty_question": "the question or prompt is empty",
    "empty_answer": "there is no answer to learn from",
    "invalid_options": "the options or the answer's letter do not fit together",
    "invalid_turns": "roles do not alternate from user to assistant",
    "image_count": "the number of <image> marks is not the number of images",
    "other_language": "the record is in a language that the adapter leaves out",
    "other_subject": "the record is of a subject that the adapter leaves out",
    "missing_image": "the image file is not there",
    "unreadable_image": "the image is damaged or not an image",
    "oversized_image": "the image breaks the limits on pixels or bytes",
    "lfs_pointer": "the file is a Git LFS pointer, not the data",
    "duplicate_id": "another record of this source has the same id",
    "exact_duplicate": "the same text and images occur in a preferred sample",
    "near_duplicate": "nearly the same text occurs in a preferred sample",
    "contaminated": "the sample overlaps a benchmark",
    "too_short": "the text is too short to learn from",
    "too_long": "the text is longer than the limit",
    "image_unseen": "the answer says that the image cannot be seen",
    "not_made": "the model that was to make the sample refused, was cut off, or gave another form",
    "unfaithful": "what was made says something that its source does not, or leaves out what it says",
    "licence_forbids": "the corpus's licence does not allow it in this release",
    "rejected": "the translation scored below `quality.reject`",
    "review_rejected": "an expert rejected the translation",
    "withdrawn": "the sample was withdrawn",
}
