"""`bimedv quality calibrate` as its user calls it: files, page, exit codes; and the page in a browser."""

import re
from html.parser import HTMLParser
from pathlib import Path

import orjson
import pytest
import yaml
from typer.testing import CliRunner

from flows.main import app
from pipeline.quality.calibrate import calibrate, load_calibration
from pipeline.quality.calibration_page import claim, summary, write_calibration
from pipeline.settings import load_settings
from schemas.errors import InputError, StoppedError
from tests.quality.decided import Run, Text
from tests.quality.labels import finding, labels, row, rows

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "decisions.jsonl"
CHROMIUM = Path("/usr/bin/chromium")
_FETCHING = {"src", "href", "srcset", "data", "action", "poster", "xlink:href"}
#: A name that a check of ours would not have, to see that the page escapes what it shows.
HOSTILE = "<b>terms</b>"
COSTLY = tuple(row(f"z{n}", 70.0, n < 1, findings=[finding(HOSTILE)]) for n in range(12))


@pytest.fixture(scope="module")
def told(bimedv, tmp_path_factory):
    """The command on the example, once."""
    folder = tmp_path_factory.mktemp("calibrate")
    answer = bimedv("quality", "calibrate", "--input", EXAMPLE, "--output", folder / "made" / "calibration.json", "--json")
    assert answer.code == 0, answer.err
    return answer


def test_it_writes_the_calibration_and_answers_with_it(told):
    path = Path(told.json["path"])
    assert orjson.loads(path.read_bytes()) == {key: value for key, value in told.json.items() if key not in ("path", "page")}
    found = load_calibration(path)
    assert (found.threshold, found.n, found.n_changed) == (81, 149, 34)
    assert found.bound <= 0.05
    assert {check.check for check in found.costly} == {"length_ratio", "terms"}


def test_law_same_input_same_bytes_from_another_process(told, bimedv, tmp_path):
    again = bimedv("quality", "calibrate", "--input", EXAMPLE, cwd=tmp_path)
    assert again.code == 0, again.err
    for suffix in (".json", ".html"):
        assert (tmp_path / f"calibration{suffix}").read_bytes() == Path(told.json["path"]).with_suffix(suffix).read_bytes()
    assert "From a score of 81, at most 5 % of the accepted texts" in again.out
    assert "costs more than it finds: length_ratio: it alone stopped 6 good texts and 2 that experts changed" in again.out


def _in_this_process(*words):
    """What the command writes and raises; a process of its own would take two seconds to start."""
    return CliRunner().invoke(app, ["quality", "calibrate", *map(str, words)])


def test_a_workspace_whose_decisions_show_nothing_exits_with_3_and_claims_nothing(tmp_path):
    run = Run(tmp_path).write([Text(f"a{n}") for n in range(40)])
    run.decide("dr-a", {f"a{n}": "edit" if n < 2 else "accept" for n in range(40)})
    run.engine.dispose()
    settings = run.settings.model_copy(update={"database": f"sqlite:///{tmp_path / 'run.db'}"})
    (run.workspace.root / "config.json").write_bytes(orjson.dumps(settings.model_dump(mode="json")))
    answer = _in_this_process("--workspace", run.workspace.root)
    assert isinstance(answer.exception, StoppedError)
    assert answer.exception.exit_code == 3
    assert "claims nothing" in str(answer.exception)
    assert re.search(
        r"From a score of 80, 40 are decided and 2 changed.* About 84 more decisions without a change", answer.output
    )
    found = load_calibration(run.workspace.root / "calibration.json")
    assert (found.threshold, found.bound, found.needed) == (None, None, 84)
    assert "Not shown" in (run.workspace.root / "calibration.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--input", ROOT / "examples" / "pairs.jsonl"), "pairs.jsonl:1: changed is None"),
        (("--input", EXAMPLE, "--workspace", ROOT), "Give one of them"),
        (("--input", EXAMPLE, "--risk", "5"), "--risk is 5"),
        (("--input", EXAMPLE, "--output", "page.html"), "ends in .json"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(words, fault, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = _in_this_process(*words)
    assert isinstance(answer.exception, InputError)
    assert fault in str(answer.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def found():
    return calibrate(labels(rows(97, 150, 1), rows(86, 37, 3, start=200), rows(50, 6, 14, start=400), COSTLY, unseen={60: 3}))


@pytest.fixture(scope="module")
def page(found, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "calibration.json"
    write_calibration(found, path)
    return path.with_suffix(".html")


class _Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_is_one_file_that_fetches_nothing_and_escapes_what_it_shows(page):
    read = _Tags(page.read_text(encoding="utf-8"))
    fetched = [value for _, attrs in read.tags for key, value in attrs.items() if key in _FETCHING]
    assert all(value.startswith(("data:", "#")) for value in fetched), fetched
    assert "script" not in {tag for tag, _ in read.tags}
    assert "b" not in {tag for tag, attrs in read.tags if attrs.get("id")}
    assert "<b>terms" not in page.read_text(encoding="utf-8")
    assert HOSTILE in "".join(read.words)


def test_the_page_shows_the_five_plots_and_says_them_in_words(page, found):
    read = _Tags(page.read_text(encoding="utf-8"))
    said = [attrs["aria-label"] for tag, attrs in read.tags if tag == "svg"]
    assert len(said) == 5
    assert f"the bound reaches {found.bound * 100:.3g} % from 86" in said[0]
    text = " ".join(" ".join(read.words).split())
    assert claim(found) in text
    assert "A check costs more than it finds" in text


def test_an_unseen_part_is_told_with_what_to_do():
    nothing = calibrate(labels(rows(97, 60, 1), rows(50, 0, 5, start=100), unseen={97: 40}))
    assert "while 40 texts from there up lie where nobody has decided anything" in claim(nothing)
    some = calibrate(labels(rows(97, 60, 2), rows(50, 0, 5, start=100), unseen={97: 1}))
    assert re.search(r"About \d+ more decisions .*some of them among the 1 text", summary(some))


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_of_the_window_and_the_browser_has_nothing_to_complain_about(page, width):
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed (apt install chromium)")
    from playwright.sync_api import sync_playwright

    from tests.report.test_browser import FLAGS

    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        view, said = browser.new_page(viewport={"width": width, "height": 900}), []
        view.on("console", lambda message: said.append(message.text))
        view.on("pageerror", lambda error: said.append(str(error)))
        view.on("requestfailed", lambda request: said.append(request.url))
        view.goto(page.as_uri(), wait_until="load")
        sizes = view.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        drawn = view.evaluate("[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect().width)")
        browser.close()
    assert said == []
    assert sizes[0] == sizes[1]
    assert len(drawn) == 5
    assert min(drawn) > 200


def _config(folder, **quality):
    (folder / "train.json").write_text("[]")
    path = folder / "run.yaml"
    sources = [{"corpus": "slake", "path": "train.json"}]
    path.write_text(yaml.safe_dump({"name": "mine", "sources": sources, "quality": quality}), encoding="utf-8")
    return path


def test_a_config_names_a_calibration_beside_it(tmp_path):
    (tmp_path / "calibration.json").write_bytes(b"{}")
    settings = load_settings(_config(tmp_path, calibration="calibration.json"))
    assert settings.quality.calibration == tmp_path / "calibration.json"
    assert load_settings(_config(tmp_path)).quality.calibration is None


def test_a_calibration_that_is_not_there_is_an_error_of_the_config(tmp_path):
    with pytest.raises(InputError, match=r"run\.yaml: quality\.calibration: .*gone\.json does not exist"):
        load_settings(_config(tmp_path, calibration="gone.json"))


def test_a_manifest_names_calibration_and_glossary_from_the_config_file(tmp_path):
    """Law 4: no path of a machine in what is released."""
    from flows.publish import _public

    for name in ("calibration.json", "terms.tsv"):
        (tmp_path / name).write_bytes(b"{}")
    path = _config(tmp_path, calibration="calibration.json")
    path.write_text(path.read_text() + "translate: {glossary: [terms.tsv]}\n")
    told = _public(load_settings(path))
    assert told["quality"]["calibration"] == "calibration.json"
    assert told["translate"]["glossary"] == ["terms.tsv"]
    assert str(tmp_path) not in orjson.dumps(told).decode()
