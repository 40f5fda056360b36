"""The config file as one frozen model, and the only place that reads the environment.

In: a YAML file. Out: Settings, with every path absolute. Lost: nothing; all faults are reported at once, before any work.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from pipeline.sources.containers import there
from schemas.base import Access, Task
from schemas.errors import InputError

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Percent = Annotated[float, Field(ge=0.0, le=100.0)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
PublicKey = Annotated[str, StringConstraints(pattern=r"^ed25519:[A-Za-z0-9+/]{43}=$")]
EMBEDDED = "embedded"


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceSettings(_Block):
    corpus: str
    """A name from `bimedv sources list`."""
    path: Path
    """A file, packed or not; `archive.zip::inner/path.json` inside an archive; a folder or pattern of Parquet shards."""
    images: Path | None = None
    """A folder, a zip or tar, or a folder inside one: `imgs.zip::imgs`."""
    missing_images: Literal["drop", "text_only"] = "drop"
    split: Literal["train", "validation", "test"] = "train"
    """The split of records that do not carry one themselves."""
    limit: int | None = Field(default=None, ge=1)
    """Records read at most."""


class PlanRow(_Block):
    """What a release is meant to hold of one source, for `bimedv sources plan`."""

    name: str
    corpora: tuple[str, ...] = ()
    """Those of `sources` that it is made of; none where nobody knows."""
    modality: Literal["text", "image"]
    en: int = Field(default=0, ge=0)
    ar: int = Field(default=0, ge=0)
    """English and Arabic samples."""


class CurateSettings(_Block):
    near_duplicates: Fraction = 0.9
    """Jaccard similarity of word 3-grams from which two samples of 13 or more words count as one; 1.0: exact copies only."""
    benchmarks: tuple[str, ...] = ()
    """`corpus:split` of sources in this config (or lying beside one) that no training sample may overlap."""
    deidentify: bool = True
    max_chars: int = Field(default=20_000, ge=100)
    """Longest sample, in characters over all turns."""


class RecipeSettings(_Block):
    corpora: tuple[str, ...] = Field(min_length=1)
    """Corpora of this config whose samples it takes."""
    limit: int | None = Field(default=None, ge=1)
    """Samples that it takes at most, over all corpora, drawn by hash."""


class MakeSettings(_Block):
    """Which English samples a language model makes of others. A recipe that is not named makes nothing and costs nothing."""

    expand_answers: RecipeSettings | None = None
    caption_to_conversation: RecipeSettings | None = None
    caption_to_qa: RecipeSettings | None = None
    qa_to_mcq: RecipeSettings | None = None

    def recipes(self) -> dict[str, RecipeSettings]:
        """The recipes that are named, in the order above."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: recipe for name, recipe in named.items() if recipe is not None}


class PriceSettings(_Block):
    """US dollars for 1M tokens."""

    input: float = Field(default=0.0, ge=0.0)
    output: float = Field(default=0.0, ge=0.0)
    cached: float | None = Field(default=None, ge=0.0)
    """Price of cached prompt tokens; the input price when not given."""
    batch: float = Field(default=0.5, ge=0.0, le=1.0)
    """Factor on all prices in batch mode."""


class EndpointSettings(_Block):
    base_url: str = EMBEDDED
    """`embedded`, or any OpenAI-compatible address ending in /v1."""
    model: str = "default"
    concurrency: int = Field(default=8, ge=1, le=1024)
    api_key_env: str | None = None
    """Name of the environment variable that holds the key; the key itself never stands in a file."""
    rpm: int | None = Field(default=None, ge=1)
    tpm: int | None = Field(default=None, ge=1)
    timeout_s: float = Field(default=120.0, gt=0)
    max_retries: int = Field(default=4, ge=0, le=20)
    structured: bool = True
    """The endpoint obeys a JSON schema in `response_format`."""
    price: PriceSettings = PriceSettings()
    allows: tuple[Access, ...] = ("open",)
    """Access classes of records that may be sent there (law 7)."""
    attestation: Path | None = None
    """Signed statement that covers records which are not open, for an address outside this machine (docs/access.md)."""

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value != EMBEDDED and not value.startswith(("http://", "https://")):
            raise ValueError(f"{value!r} is neither `embedded` nor an http(s) address")
        return value.rstrip("/")


class EndpointsSettings(_Block):
    translator: EndpointSettings = EndpointSettings()
    judge: EndpointSettings | None = None
    scorer: EndpointSettings | None = None
    """Embeddings at /v1/embeddings, for `quality.scorer: endpoint`."""

    @field_validator("scorer")
    @classmethod
    def _elsewhere(cls, value: EndpointSettings | None) -> EndpointSettings | None:
        if value is not None and value.base_url == EMBEDDED:
            raise ValueError("the embedded encoder is `quality.scorer: embedded`; a scorer here needs a base_url")
        return value


class TranslateSettings(_Block):
    target: Literal["ar"] = "ar"
    rounds: int = Field(default=2, ge=0, le=5)
    """Refinements after the first translation, at most."""
    candidates: int = Field(default=1, ge=1, le=16)
    memory: bool = True
    budget_usd: float | None = Field(default=5.0, ge=0.0)
    """Money for this workspace in all; null means no cap."""
    mode: Literal["online", "batch"] = "online"
    max_tokens: int = Field(default=1024, ge=16)
    """Completion tokens of one call, at most."""
    glossary: tuple[Path, ...] = ()
    """Term files (.tsv, .tbx, .tmx) beside the starter glossary; a later file outranks an earlier one."""


class ThresholdSettings(_Block):
    accept: Percent | None = None
    reject: Percent | None = None


class QualitySettings(_Block):
    accept: Percent = 80.0
    reject: Percent = 40.0
    by_corpus: dict[str, ThresholdSettings] = {}
    by_task: dict[Task, ThresholdSettings] = {}
    """Thresholds of their own; where a corpus and a task both have one, the higher counts."""
    scorer: Literal["embedded", "endpoint"] | Path = "embedded"
    """What gives the number: the embedded sentence encoder, the embeddings of `endpoints.scorer`, or a folder with a
    quality-estimation model for transformers."""
    votes: int = Field(default=2, ge=1, le=5)
    """How often the judge reads a text; the worst severity of all readings counts."""
    without_judge: Literal["review", "accept"] = "review"
    """What becomes of accepted translations that no judge has read."""
    calibration: Path | None = None
    """calibration.json of `bimedv quality calibrate`: which accepted scores experts' decisions speak for (docs/quality.md)."""


class ReviewSettings(_Block):
    audit_fraction: Fraction = 0.02
    """Share of the translations accepted by the gate alone that experts look at, drawn by hash."""
    audit_minimum: int = Field(default=20, ge=0)
    """Drawn of each corpus and task at least, or all of it; with 0 here and as the fraction there is no audit."""
    overlap: Fraction = 0.10


class AboutSettings(_Block):
    """What only people know of a release. Empty means not stated: the papers then leave it out."""

    description: str = ""
    creator: str = ""
    url: str = ""
    published: str = Field(default="", pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")
    """A day such as 2026-03-01. It is stated, not taken from the clock, so that building again gives the same bytes."""
    citation: str = ""


class ReleaseSettings(_Block):
    name: Name = "bimed-v"
    version: str = Field(default="0.1.0", pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")
    shard_bytes: int = Field(default=268_435_456, ge=10_240)
    splits: dict[str, Fraction] = {"train": 0.95, "validation": 0.05}
    awaiting_review: Literal["exclude", "refuse"] = "exclude"
    """What a build does about samples that wait for an expert: leave them out, or refuse to build (exit 3)."""
    max_error_rate: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    """A build is refused (exit 3) unless the audit's upper 95 % bound on the error rate is at most this; null demands nothing."""
    max_error_severity: Literal["minor", "major", "critical"] = "major"
    """From which severity on an error counts for `max_error_rate`."""
    approval: bool = False
    """A person has to approve what would go out before it is built: on the Prefect server's page, or by `release approve`."""
    approval_hours: Annotated[float, Field(gt=0.0)] = 24.0
    """How long a run on a Prefect server waits for that; then it stops, and nothing was released."""
    tokenizer: Path | None = None
    """A Hugging Face `tokenizer.json`, or a folder with one: tokens are counted by it beside the words."""
    to: str | None = None
    """Where a finished release is sent as `bimedv release publish` does: a folder, an fsspec address, or hub://OWNER/NAME.
    {name} and {version} stand for the release's."""
    in_house: bool = False
    """`to` belongs to the house that builds: terms against passing on do not matter there."""
    about: AboutSettings = AboutSettings()
    workers: int = Field(default=1, ge=1, le=64)

    @field_validator("to")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        try:
            (value or "").format(name="", version="")
        except (KeyError, IndexError, ValueError):
            raise ValueError("only {name} and {version} can stand in braces") from None
        return value

    @model_validator(mode="after")
    def _outside(self) -> Self:
        if self.in_house and (self.to or "").startswith("hub://"):
            raise ValueError("in_house is true, and a Hub is not inside the house; send it to a folder or a storage of yours")
        return self

    @field_validator("splits")
    @classmethod
    def _whole(cls, value: dict[str, float]) -> dict[str, float]:
        if not value or abs(sum(value.values()) - 1.0) > 1e-6:
            raise ValueError(f"fractions sum to {sum(value.values()):g}; they must sum to 1")
        unknown = set(value) - {"train", "validation", "test"}
        if unknown:
            raise ValueError(f"unknown split {sorted(unknown)[0]!r}; allowed: train, validation, test")
        return value


class TrainSettings(_Block):
    preset: str = "tiny"
    """A preset of `configs/train`, or `none` to stop the road at the release."""


class RunnerSettings(_Block):
    kind: Literal["threads", "dask"] = "threads"
    workers: int = Field(default=2, ge=1)
    address: str | None = None
    """Address of a running Dask scheduler; without it a local cluster of `workers` processes is started."""
    chunk_rows: int = Field(default=1000, ge=1, le=5000)
    """Records in one chunk, the grain of a task and of resuming."""


class Settings(_Block):
    """One run. `root` is the folder of the config file; paths in the file are relative to it."""

    name: Name
    workspace: Path
    database: str = "sqlite"
    sources: tuple[SourceSettings, ...] = Field(min_length=1)
    plan: tuple[PlanRow, ...] = ()
    """Target counts; they change nothing in a run."""
    curate: CurateSettings = CurateSettings()
    make: MakeSettings = MakeSettings()
    endpoints: EndpointsSettings = EndpointsSettings()
    translate: TranslateSettings = TranslateSettings()
    quality: QualitySettings = QualitySettings()
    review: ReviewSettings = ReviewSettings()
    release: ReleaseSettings = ReleaseSettings()
    train: TrainSettings = TrainSettings()
    runner: RunnerSettings = RunnerSettings()
    approvers: dict[str, PublicKey] = {}
    """Name to public key of those whose attestations count, as `bimedv access keygen` prints it."""
    root: Path

    @field_validator("database")
    @classmethod
    def _database(cls, value: str) -> str:
        if value != "sqlite" and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError(f"{value!r} is neither `sqlite` nor a postgresql+psycopg:// address")
        return value

    @field_validator("approvers")
    @classmethod
    def _one_key_each(cls, value: dict[str, str]) -> dict[str, str]:
        if len(set(value.values())) < len(value):
            raise ValueError("two approvers have the same key; each needs one of their own")
        return value

    def database_url(self) -> str:
        """SQLAlchemy address; by default a file in the workspace."""
        return f"sqlite:///{self.workspace / 'bimedv.db'}" if self.database == "sqlite" else self.database

    def relative(self, path: Path) -> str:
        """The path as provenance names it: relative to the config file where possible."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return Path(os.path.relpath(path, self.root)).as_posix()


def load_settings(path: Path, workspace: Path | None = None, absent_sources: bool = False) -> Settings:
    """Read and check a config file; with `absent_sources` its sources need not be on this disk.

    Relative paths in the file count from its folder; `workspace` (the command's option) wins over the file and counts
    from the current folder. Raises InputError with every fault found, one a line.
    """
    raw = _read_yaml(path)
    root = path.resolve().parent
    raw["root"] = root
    raw["workspace"] = (
        workspace.resolve() if workspace else (root / str(raw.get("workspace") or f"work/{raw.get('name')}")).resolve()
    )
    faults: list[str] = []
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        # A list whose items are wrong is reported as too short, too: the items' faults say it better.
        inner = {item["loc"][:1] for item in error.errors() if len(item["loc"]) > 1}
        shown = [item for item in error.errors() if item["type"] != "too_short" or item["loc"] not in inner]
        faults = [_fault(path, item["loc"], item["msg"], item.get("input")) for item in shown]
        raise InputError("\n".join(faults)) from None
    faults = [f"{path}: {fault}" for fault in (*_unbuilt(settings), *_strangers(settings))]
    sources = tuple(_resolve(source, root) for source in settings.sources)
    for number, source in enumerate(sources):
        for key, place in (("path", source.path), ("images", source.images)):
            if place is not None and not absent_sources and not there(place):
                faults.append(f"{path}: sources[{number}].{key}: {place} does not exist. Mend the path; it counts from {root}.")
    glossary = tuple(root / place for place in settings.translate.glossary)
    for number, place in enumerate(glossary):
        if not place.is_file():
            faults.append(f"{path}: translate.glossary[{number}]: {place} does not exist. Mend the path; it counts from {root}.")
    quality, wrong = _quality(path, settings, root)
    faults += wrong
    tokens = None if settings.release.tokenizer is None else root / settings.release.tokenizer
    if tokens is not None and not tokens.exists():
        faults.append(f"{path}: release.tokenizer: {tokens} does not exist. Mend the path; it counts from {root}.")
    ends = {role: _with_attestation(end, root) for role, end in settings.endpoints if end is not None}
    for role, end in ends.items():
        if end.attestation is not None and not end.attestation.is_file():
            faults.append(
                f"{path}: endpoints.{role}.attestation: {end.attestation} does not exist. Mend the path; it counts from {root}."
            )
    if faults:
        raise InputError("\n".join(faults))
    blocks = {
        "sources": sources,
        "translate": settings.translate.model_copy(update={"glossary": glossary}),
        "quality": quality,
        "release": settings.release.model_copy(update={"tokenizer": tokens}),
        "endpoints": settings.endpoints.model_copy(update=ends),
    }
    return settings.model_copy(update=blocks)


def _quality(path: Path, settings: Settings, root: Path) -> tuple[QualitySettings, list[str]]:
    """The block with its paths resolved, and what is wrong with them."""
    block, faults = settings.quality, list[str]()
    calibration = None if block.calibration is None else root / block.calibration
    if calibration is not None and not calibration.is_file():
        faults.append(f"{path}: quality.calibration: {calibration} does not exist. Mend the path; it counts from {root}.")
    scorer = root / block.scorer if isinstance(block.scorer, Path) else block.scorer
    if (scorer == "endpoint") != (settings.endpoints.scorer is not None):
        faults.append(f"{path}: quality.scorer: endpoint and endpoints.scorer belong together. Write both, or neither.")
    if isinstance(scorer, Path) and not (scorer / "config.json").is_file():
        faults.append(f"{path}: quality.scorer: {scorer} has no config.json. Name a model's folder, `endpoint` or `embedded`.")
    return block.model_copy(update={"calibration": calibration, "scorer": scorer}), faults


def api_key(endpoint: EndpointSettings) -> str:
    """The endpoint's key from the environment; local servers want none. Raises InputError when the variable is not set."""
    if endpoint.api_key_env is None:
        return "none"
    key = os.environ.get(endpoint.api_key_env, "")
    if not key:
        raise InputError(
            f"the environment variable {endpoint.api_key_env} is not set; {endpoint.base_url} needs it. "
            f"Run `export {endpoint.api_key_env}=…`."
        )
    return key


def prefect_api_url() -> str | None:
    """The user's own Prefect server, when one is named."""
    return os.environ.get("PREFECT_API_URL") or None


def set_environment(values: dict[str, str]) -> None:
    """Defaults for libraries that are set up by environment variables only; what the user has set stays."""
    for name, value in values.items():
        os.environ.setdefault(name, value)


def _read_yaml(path: Path) -> dict[str, object]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such config file. `bimedv demo` needs none; configs/ holds examples.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(raw, dict):
        raise InputError(f"{path}: found {type(raw).__name__}, expected keys such as `name:` and `sources:`.")
    return raw


def _unbuilt(settings: Settings) -> list[str]:
    """What the contract names and the code does not do yet: refused, because a setting without effect is worse than an error."""
    faults = []
    if settings.translate.mode == "batch" and settings.endpoints.translator.base_url == EMBEDDED:
        faults.append("translate.mode: batch needs an endpoint with a batch API; the embedded one has none. Use online.")
    return faults


def _strangers(settings: Settings) -> list[str]:
    """Corpora that a recipe or a threshold names and that no source brings."""
    there = sorted({source.corpus for source in settings.sources})
    named = [(f"make.{name}.corpora", corpus) for name, recipe in settings.make.recipes().items() for corpus in recipe.corpora]
    named += [("quality.by_corpus", corpus) for corpus in settings.quality.by_corpus]
    return [
        f"{place}: {corpus!r} is no corpus of this config. Its sources are {', '.join(there)}."
        for place, corpus in named
        if corpus not in there
    ]


def _resolve(source: SourceSettings, root: Path) -> SourceSettings:
    images = None if source.images is None else root / source.images
    return source.model_copy(update={"path": root / source.path, "images": images})


def _with_attestation(endpoint: EndpointSettings, root: Path) -> EndpointSettings:
    return endpoint if endpoint.attestation is None else endpoint.model_copy(update={"attestation": root / endpoint.attestation})


def _fault(path: Path, location: tuple[int | str, ...], message: str, found: object) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    if message.startswith("Extra inputs"):
        return f"{path}: {key}: unknown key. Allowed here: {', '.join(_allowed(location))}."
    shown = f" Found {found!r}." if isinstance(found, str | int | float | bool) else ""
    return f"{path}: {key}: {message.removeprefix('Value error, ')}.{shown}"


def _allowed(location: tuple[int | str, ...]) -> list[str]:
    block: type[BaseModel] = Settings
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        inner = _blocks(block.model_fields[part].annotation)
        if not inner:
            break
        block = inner[0]
    return sorted(set(block.model_fields) - {"root"})


def _blocks(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [block for part in getattr(annotation, "__args__", ()) for block in _blocks(part)]
