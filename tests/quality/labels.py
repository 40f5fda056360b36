"""Decided texts made to order, for tests of the calibration."""

from dataclasses import replace

from pipeline.quality.calibration_data import GateWord, Labels, Word, gate_verdict, labelled
from pipeline.settings import QualitySettings
from schemas.quality import Finding

QUALITY = QualitySettings()


def finding(check, severity="major"):
    """A finding of a check."""
    return Finding(check=check, category="accuracy/mistranslation", severity=severity, message="wrong")


def row(name, score, changed=False, said=(), findings=(), weight=1.0):
    """A row as the gate's default thresholds see it."""
    gate = GateWord(score, gate_verdict(score, findings, QUALITY), tuple(findings))
    return replace(labelled(name, gate, Word(tuple(said), changed), QUALITY), weight=weight)


def rows(score, good, changed=0, start=0, weight=1.0):
    """So many unchanged and changed rows of one score; names count from `start`."""
    return tuple(row(f"r{start + n:05d}-{score}", score, n >= good, weight=weight) for n in range(good + changed))


def labels(*groups, unseen=None):
    """Groups of rows as one set of labels."""
    return Labels(tuple(one for group in groups for one in group), "checks-1", False, QUALITY, "file", unseen or {})
