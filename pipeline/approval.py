"""A person's word that a release may go out, before it is built.

In: what was selected. Out: the figures that the person decides on, and the decision, kept beside the releases. It holds for this
selection alone: another sample, score, decision or audit asks again.
"""

from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.report.tables import count_by, scan
from pipeline.select import Selection
from pipeline.settings import Settings
from pipeline.workspace import Workspace, write_atomic
from schemas.errors import InputError, StoppedError
from schemas.release import ReleaseRow


class Approval(BaseModel):
    """One decision."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    selection: str
    """Fingerprint of what was decided on."""
    approved: bool
    by: str = Field(min_length=1, max_length=80)
    """A name or pseudonym; it stands in the manifest."""
    reason: str = Field(min_length=1, max_length=500)


def place(settings: Settings, workspace: Workspace) -> Path:
    """The file of the decision on the release that the config names."""
    return workspace.releases / f"{settings.release.name}-{settings.release.version}.approval.json"


def record(settings: Settings, workspace: Workspace, approval: Approval) -> None:
    """Keep a decision in the place of an earlier one."""
    workspace.releases.mkdir(parents=True, exist_ok=True)
    write_atomic(place(settings, workspace), approval.model_dump_json(indent=1).encode())


def recorded(settings: Settings, workspace: Workspace, chosen: Selection) -> Approval | None:
    """The decision on this very selection; None where nobody has decided yet. Raises InputError when the file is damaged."""
    path = place(settings, workspace)
    try:
        found = Approval.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise InputError(f"{path}: is no decision: {error.errors()[0]['msg']}. Delete it and decide again.") from None
    return found if found.selection == chosen.fingerprint else None


def demanded(settings: Settings, workspace: Workspace, chosen: Selection, config: str) -> Approval:
    """The approval that the config asks for. Raises StoppedError (exit 3) where it is missing or was refused."""
    name = f"{settings.release.name} {settings.release.version}"
    found = recorded(settings, workspace, chosen)
    if found is None:
        raise StoppedError(
            f"{name} waits for a person's approval (`release.approval`); nothing was released.\n"
            f"{figures_text(figures(settings, workspace, chosen))}\n"
            f'Approve it with `bimedv release approve {config} --by NAME --reason "..."`, and run again.'
        )
    if not found.approved:
        raise StoppedError(f"{name} was refused by {found.by}: {found.reason.rstrip('.')}. Nothing was released.")
    return found


def figures(settings: Settings, workspace: Workspace, chosen: Selection) -> dict[str, Any]:
    """What would go out: samples by source and language, terms, audit, and what was left out."""
    rows = scan(workspace, "release", ReleaseRow, "rows")
    sample = pl.col("sample").struct
    counted = count_by(rows, sample.field("corpus") + "\t" + sample.field("language"))
    by_source: dict[str, dict[str, int]] = {}
    for key, count in sorted(counted.items()):
        corpus, _, language = key.partition("\t")
        by_source.setdefault(corpus, {})[language] = count
    return {
        "release": f"{settings.release.name}-{settings.release.version}",
        "selection": chosen.fingerprint,
        "samples": chosen.rows,
        "by_source": by_source,
        "awaiting_review": chosen.awaiting_review,
        "withdrawn": len(chosen.withdrawn),
        "terms": chosen.terms.as_json(),
        "audit": chosen.audit,
    }


def figures_text(told: dict[str, Any]) -> str:
    """The figures for a person, as Markdown that reads well in a terminal, too."""
    lines = [f"- {told['samples']} samples would go out; {told['awaiting_review']} wait for an expert and stay behind"]
    for name, of in told["by_source"].items():
        lines.append(f"- {name}: " + ", ".join(f"{n} {language}" for language, n in of.items()))
    terms = told["terms"]
    lines.append(f"- licence {terms['licence']}, " + ("may be passed on" if terms["redistributable"] else "not to be passed on"))
    lines += [f"  - {reason}" for reason in terms["reasons"]]
    if told["withdrawn"]:
        lines.append(f"- {told['withdrawn']} samples of earlier versions are withdrawn")
    return "\n".join([*lines, f"- {_audit_text(told['audit'])}"])


def _audit_text(audit: dict[str, Any]) -> str:
    if not audit.get("audited"):
        return f"audit: none of {audit.get('accepted', 0)} accepted translations was looked at by an expert"
    rate = audit["overall"]
    told = f"audit: {rate['errors']} errors in {rate['audited']} of {audit['accepted']} accepted translations"
    if not rate["enough"]:
        return f"{told}, not enough data"
    return f"{told}, {rate['rate']:.2%}, 95 % interval {rate['low']:.2%} to {rate['high']:.2%}"
