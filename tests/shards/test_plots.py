"""The card's plots: computed from the samples, named by the manifest, readable without eyes, and harmless."""

from xml.etree import ElementTree

from shards.plots import Shape
from shards.release import load_manifest
from shards.verify import verify
from tests.shards.made import pair, pictures, release, row, rows, sample

_TEXT = "{http://www.w3.org/2000/svg}text"


def test_a_release_shows_what_it_holds(tmp_path):
    folder = release(tmp_path, [*rows(pictures(tmp_path)), *pair(1, corpus="iu_xray")])
    names = {path.name for path in (folder / "plots").iterdir()}
    assert names == {"sources.svg", "modalities.svg", "tasks.svg", "lengths.svg", "scores.svg"}
    drawn = ElementTree.parse(folder / "plots" / "sources.svg").getroot()
    assert drawn.findtext("{http://www.w3.org/2000/svg}desc") == "slake: 16; iu_xray: 2"
    assert [text.text for text in drawn.iter(_TEXT)][-4:] == ["slake", "16", "iu_xray", "2"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "![Bars: samples of each source by language](plots/sources.svg)" in card
    assert {f"plots/{name}" for name in names} < set(load_manifest(folder).papers)
    assert verify(folder).ok
    (folder / "plots" / "sources.svg").write_text("<svg/>")
    assert [problem.file for problem in verify(folder).problems] == ["plots/sources.svg"]


def test_without_translations_no_plot_of_scores_is_drawn_or_named(tmp_path):
    folder = release(tmp_path, [row(sample(number)) for number in range(3)])
    assert not (folder / "plots" / "scores.svg").exists()
    assert "plots/scores.svg" not in (folder / "README.md").read_text(encoding="utf-8")


def test_many_sources_leave_room_and_hostile_names_stay_text():
    shape = Shape()
    for number in range(40):
        row_ = {"corpus": f"<b>{number}", "task": "vqa", "language": "en", "modality": "text", "score": ""}
        shape.see(row_, {"turns": [{"text": "a b"}] * (number + 1)})
    root = ElementTree.fromstring(shape.drawings()["plots/sources.svg"])
    labels = [text.text for text in root.iter(_TEXT)]
    assert "<b>0" in labels
    assert "26 others" in labels
    lengths = ElementTree.fromstring(shape.drawings()["plots/lengths.svg"]).findtext("{http://www.w3.org/2000/svg}desc")
    assert lengths == "1 to 9: 4; 10 to 19: 5; 20 to 39: 10; 40 to 79: 20; 80 to 159: 1"
