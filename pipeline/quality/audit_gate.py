"""An audit in words, and the release gate's demand on it: `release.max_error_rate`.

In: an Audit. Out: text for a terminal; whether it shows enough, and if not, what is missing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.quality.audit import GRADES, Audit, Rate
from pipeline.settings import ReleaseSettings
from schemas.errors import StoppedError

_COLUMNS = ("accepted", "drawn", "decided", "disputed", "waiting", "inclusion")
_RULES = (
    "An error is what an expert edited or rejected. Its severity is the worst that the expert marked; without a mark a rejection "
    "is critical\nand an edit major. Rates are weighted by the size of corpus and task."
)


@dataclass(frozen=True)
class Demand:
    """What the config asks of the audit, and what the audit shows."""

    limit: float
    severity: str
    rate: Rate
    """Of errors that count."""
    more: int | None
    """Further audited translations without an error that would be enough; None: no number is."""
    waiting: int
    unaudited: tuple[str, ...]
    """Strata of which nobody has audited anything."""

    @property
    def met(self) -> bool:
        """Fails closed: too few audited are not enough, whatever they say; nothing accepted unread needs no audit."""
        whole = self.rate.audited == self.rate.accepted
        return self.rate.high <= self.limit and (self.rate.enough() or whole)

    def as_json(self) -> dict[str, Any]:
        """For `bimedv quality audit --json`."""
        shown = {"max_error_rate": self.limit, "max_error_severity": self.severity, "met": self.met, "bound": self.rate.high}
        return shown | {"rate": self.rate.rate, "audited": self.rate.audited, "errors": self.rate.errors, "more": self.more}

    def words(self, workspace: Path) -> str:
        """One line: what is shown, what is asked, what to do."""
        kind = "critical" if self.severity == "critical" else f"{self.severity} or worse"
        shown = "" if self.rate.rate is None else f", rate {percent(self.rate.rate)}"
        told = (
            f"the audit shows at most {percent(self.rate.high)} of accepted translations with an error that is {kind} (upper "
            f"95 % bound; {self.rate.errors} of {self.rate.audited} audited have one{shown}), and `release.max_error_rate` is "
            f"{percent(self.limit)}."
        )
        return told if self.met else f"{told} {self._advice(workspace)}"

    def _advice(self, workspace: Path) -> str:
        if self.more is None:
            return (
                "More audits cannot help: what was found is more than is allowed. Raise `quality.accept` or mend what lets these "
                "errors through."
            )
        more = f"{self.more} more audited without an error would be enough"
        if self.unaudited:
            more += f"; nobody has audited {', '.join(self.unaudited)}, which counts as wrong throughout"
        export = f"bimedv review export --queue audit --output audit.jsonl --workspace {workspace}"
        draw = "raise `review.audit_minimum` or `review.audit_fraction` and run `bimedv score CONFIG`"
        if self.waiting >= self.more:
            return f"{more}. {self.waiting} wait: `{export}`."
        if not self.waiting:
            return f"{more}. None waits: {draw}, then `{export}`."
        return f"{more}. {self.waiting} wait: `{export}`. For the others {draw}."


def demand(audit: Audit, release: ReleaseSettings) -> Demand | None:
    """The demand of a config; None when it makes none."""
    if release.max_error_rate is None:
        return None
    counted = GRADES[GRADES.index(release.max_error_severity) :]
    strata = audit.strata()
    return Demand(
        limit=release.max_error_rate,
        severity=release.max_error_severity,
        rate=audit.rate(grades=counted),
        more=audit.more_needed(release.max_error_rate, counted),
        waiting=sum(row["waiting"] for row in strata),
        unaudited=tuple(f"{row['corpus']} {row['task']}" for row in strata if not row["decided"]),
    )


def refuse_unaudited(audit: Audit, release: ReleaseSettings, workspace: Path) -> None:
    """Raises StoppedError (exit 3) when the config demands more than the audit shows."""
    made = demand(audit, release)
    if made is not None and not made.met:
        raise StoppedError(made.words(workspace))


def audit_text(audit: Audit, asked: Demand | None, workspace: Path) -> str:
    """Strata, rates and what to do next, for a terminal."""
    strata, figures = audit.strata(), audit.figures()
    lines = [_cells("corpus", "task", *_COLUMNS), *(_cells(*row.values()) for row in strata)]
    waiting, drawn = (sum(row[name] for row in strata) for name in ("waiting", "drawn"))
    if not figures["accepted"]:
        lines = ["the gate has accepted no translation by itself, so there is nothing to audit"]
    elif not figures["audited"]:
        lines += ["", "nobody has decided anything yet: the released error rate is not known"]
    else:
        lines += ["", f"{'errors in accepted translations':<34}{'audited':>8}{'errors':>8}{'rate':>9}   95 % interval"]
        lines += [_rate_line(name, rate) for name, rate in _named(audit)]
        lines += ["", _RULES]
    if waiting:
        lines += [f"waiting: bimedv review export --queue audit --output audit.jsonl --workspace {workspace}"]
    elif figures["accepted"] and not drawn:
        lines += ["nothing is drawn: see `review.audit_minimum` and `review.audit_fraction`, and run `bimedv score CONFIG`"]
    if asked is not None:
        lines += ["a release would be built: " if asked.met else "a release would be refused: "]
        lines[-1] += asked.words(workspace)
    return "\n".join(lines)


def _named(audit: Audit) -> list[tuple[str, Rate]]:
    corpora, tasks = ({stratum[axis] for stratum in audit.sizes} for axis in (0, 1))
    return [
        ("all", audit.rate()),
        *((f"corpus {name}", audit.rate(corpus=name)) for name in sorted(corpora)),
        *((f"task {name}", audit.rate(task=name)) for name in sorted(tasks)),
        *((f"severity {name}", audit.rate(grades=(name,))) for name in reversed(GRADES)),
    ]


def _cells(corpus: str, task: str, *numbers: object) -> str:
    return f"{corpus:<18}{task:<14}" + "".join(
        f"{number:>10.4g}" if isinstance(number, float) else f"{number:>10}" for number in numbers
    )


def _rate_line(name: str, rate: Rate) -> str:
    line = f"{name:<34}{rate.audited:>8}{rate.errors:>8}"
    if not rate.enough() or rate.rate is None:
        return f"{line}   not enough data"
    rest = f"   ({percent(rate.unaudited)} lies where nothing was audited)" if rate.unaudited else ""
    return f"{line}{percent(rate.rate):>9}   {percent(rate.low)} to {percent(rate.high)}{rest}"


def percent(share: float) -> str:
    """1.23 %: two decimals below 10 %, one above."""
    return f"{share * 100:.{2 if share < 0.1 else 1}f} %"
