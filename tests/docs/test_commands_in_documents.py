"""Documents that cannot lie: every command block is run or parsed, every command is listed, every link leads somewhere."""

import re
from itertools import product

import pytest
from typer._click.exceptions import UsageError

from tests.command import released
from tests.docs.blocks import ROOT, blocks, lines, links, spans
from tests.docs.parser import options, parse, paths

MARKS = {"test: demo", "test: parse", "test: prefect", "test: make", "run: make demo"}


def _ids(pairs):
    return [place for place, _ in pairs]


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.place)
def test_every_console_block_says_how_it_is_tested(block):
    assert block.mark in MARKS, f"{block.place}: put one of {sorted(MARKS)} as <!-- … --> right above the block"
    assert block.lines


def test_no_block_of_commands_hides_behind_another_name():
    """A block without a language, or called sh or bash, would be looked at by none of these tests."""
    known = {"console", "python", "yaml", "mermaid"}
    assert [block.place for block in blocks() if block.language not in known] == []
    assert {block.mark for block in blocks("console")} == MARKS, "a kind of block that no document has is not tested"


DEMO = [pair for pair in lines("test: demo") if "run" not in pair[1]]


@pytest.mark.parametrize(("place", "words"), DEMO, ids=_ids(DEMO))
def test_what_the_reader_types_after_the_demo_works(place, words, finished, bimedv, tmp_path):
    told = bimedv(*_on_the_fixture(words, finished.workspace, tmp_path)[1:], cwd=ROOT)
    assert told.code == 0, told.err
    assert told.out.strip(), place
    assert "Traceback" not in told.err
    for written in (word for word in words if word.startswith("work/queue")):
        assert (tmp_path / written.removeprefix("work/")).is_file()


RERUN = [pair for pair in lines("test: demo") if "run" in pair[1]]


@pytest.mark.parametrize(("place", "words"), RERUN, ids=_ids(RERUN))
def test_running_again_goes_on_from_what_is_there(place, words, finished, bimedv, endpoint, tmp_path):
    copy = finished.copy(tmp_path / "copy", endpoint.url)
    told = bimedv(*[copy.config if word == "configs/demo.yaml" else word for word in words[1:]])
    assert told.code == 0, told.err
    assert "samples owed" in told.out, place
    assert endpoint.requests == [], "what is there is not asked for again"
    assert released(copy.workspace) == released(finished.workspace)


def _on_the_fixture(words, workspace, scratch):
    swaps = {"work/demo": str(workspace), "work/queue": str(scratch / "queue"), "bimed-v-demo-0.1.0": "small-0.1.0"}
    return [re.sub("|".join(map(re.escape, swaps)), lambda hit: swaps[hit[0]], word) for word in words]


PARSED = lines("test: parse")
INLINE = [(f"{file} `{span}`", span.split()) for file, span in spans() if span.startswith("bimedv ") and "|" not in span]
INLINE = [(place, words) for place, words in INLINE if not any(word[0] in "[“" or word[-1] in "]…" for word in words)]


@pytest.mark.parametrize(("place", "words"), PARSED + lines("test: demo"), ids=_ids(PARSED + lines("test: demo")))
def test_a_line_that_is_not_run_is_understood(place, words):
    parse(words)


@pytest.mark.parametrize(
    "line", ["bimedv run my-run.yaml --form ingest", "bimedv runs x", "bimedv review import a", "bimedv run"]
)
def test_a_line_that_the_command_would_refuse_is_not(line):
    with pytest.raises(UsageError):
        parse(line.split())


def test_commands_named_in_running_text_exist():
    """Their options, too; what they ask for may be left out in a sentence."""
    assert len(INLINE) >= 8
    for place, words in INLINE:
        path = _longest(words)
        assert path, f"{place}: there is no such command"
        unknown = {word for word in words if word.startswith("--")} - options(paths()[path])
        assert not unknown, f"{place}: {path} has no {unknown}"


def _longest(words):
    """The registered command that a line begins with."""
    found = [path for path in paths() if words[: len(path.split())] == path.split()]
    group = " ".join(words[:2])
    return max(found, key=len, default="") or next((path for path in paths() if path.startswith(f"{group} ")), "")


def _table():
    """(command line, options) of every alternative in the first column of the README's command table."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`bimedv .+?) \| ", text, re.M)
    for span in (span for row in rows for span in re.findall(r"`([^`]+)`", row)):
        words = span.replace("\\|", "|").replace("[", "").replace("]", "").split()
        for chosen in product(*(word.split("|") if word.islower() else [word] for word in words)):
            yield list(chosen)


def test_the_readme_lists_every_command_and_no_other():
    listed = {_path(words) for words in _table()}
    assert listed == set(paths())


def _path(words):
    """What a row means; `bimedv release CONFIG` is a short form of `release build`."""
    if words == ["bimedv", "release", "CONFIG"]:
        return parse(words)[0]
    exact = [path for path in paths() if words[: len(path.split())] == path.split()]
    return max(exact, key=len, default=" ".join(words))


def test_the_options_in_the_readmes_table_exist():
    named = [(words, word) for words in _table() for word in words if word.startswith("--")]
    assert {"--from", "--until", "--estimate", "--input", "--output", "--check"} <= {option for _, option in named}
    for words, option in named:
        assert option in options(paths()[_path(words)]), " ".join(words)


MAKE = [pair for mark in ("test: make", "run: make demo") for pair in lines(mark)]


@pytest.mark.parametrize(("place", "words"), MAKE, ids=_ids(MAKE))
def test_make_has_the_target(place, words):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert words[0] == "make"
    assert len(words) > 1
    assert set(words[1:]) <= targets


@pytest.mark.parametrize(("place", "words"), lines("test: prefect"), ids=_ids(lines("test: prefect")))
def test_prefect_blocks_hold_prefects_commands(place, words):
    """tests/flows/test_prefect.py runs them."""
    assert words[0] == "prefect"


@pytest.mark.parametrize(("document", "target"), links(), ids=[f"{path.name}->{target}" for path, target in links()])
def test_links_and_pictures_lead_somewhere(document, target):
    if re.match(r"https?://|mailto:", target):
        pytest.skip("leads out of the repository")
    place, _, anchor = target.partition("#")
    found = (document.parent / place).resolve() if place else document
    assert found.is_relative_to(ROOT)
    assert found.exists()
    if anchor:
        headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.M)
        assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    if found.suffix == ".png":
        from PIL import Image

        with Image.open(found) as picture:
            picture.load()
            assert min(picture.size) > 200, "a thumbnail shows nothing"


def test_the_paths_that_the_documents_name_exist():
    tops = "|".join(
        path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".") and path.name != "work"
    )
    named = {span for _, span in spans() if re.fullmatch(rf"(?:{tops})/[\w./*-]*", span) and span == span.lower()}
    assert len(named) >= 8
    assert [path for path in sorted(named) if not list(ROOT.glob(path.rstrip("/")))] == []
