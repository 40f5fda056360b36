"""The page from known tables: nothing from outside, nothing unescaped, and numbers that add up."""

import re
from html.parser import HTMLParser

import pytest

from pipeline.quality.stage import score_chunk
from pipeline.report.facts import clock, money
from pipeline.report.marks import by_turn, pieces
from pipeline.report.samples import choose
from pipeline.workspace import noun_table
from schemas.quality import Finding, Score
from schemas.sample import Exclusion, Overlap, Sample
from tests.report.conftest import CASES, CHUNK, HOSTILE

#: Attributes that make a browser fetch something.
_FETCHING = {"src", "href", "srcset", "data", "action", "poster", "xlink:href"}


class _Page(HTMLParser):
    """Tags with their attributes, and the text outside of style."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self._style = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._style = tag == "style"

    def handle_endtag(self, tag):
        self._style = False

    def handle_data(self, data):
        if not self._style:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def _numbers(text):
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)]


def test_it_is_one_file_that_fetches_nothing(run):
    text = run.page(commands=["bimedv run https://example.org/x"])
    page = _Page(text)
    fetched = [(tag, value) for tag, attributes in page.tags for key, value in attributes.items() if key in _FETCHING]
    assert [pair for pair in fetched if not pair[1].startswith(("data:", "#"))] == []
    assert page.named("script") == []
    assert re.findall(r"@import|url\((?!data:|#)", text) == []
    policy = next(meta["content"] for meta in page.named("meta") if "Policy" in meta.get("http-equiv", ""))
    assert "default-src 'none'" in policy, "a browser that finds something all the same does not fetch it"


def test_links_within_the_page_lead_somewhere(plain):
    page = _Page(plain)
    known = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    targets = [a["href"].removeprefix("#") for a in page.named("a")]
    assert len(targets) >= 5
    assert set(targets) <= known


def test_text_of_a_corpus_stays_text(plain):
    assert HOSTILE not in plain
    page = _Page(plain)
    assert page.text.count(HOSTILE) == 2, "in both languages, readable"
    assert "Nothing & <b>less</b>." in page.text
    assert "partner>" in page.text
    assert page.named("script") == page.named("b onerror") == []
    assert all("onerror" not in attributes for _, attributes in page.tags)
    assert "xmlab7/<source>.jpg" in page.text


def test_overlaps_with_benchmarks_are_shown_side_by_side_and_stay_text(make_run):
    run = make_run(CASES)
    assert "side by side, left out" not in run.page()
    shared = [
        Overlap(sample=f"a-{n:03d}", kind="13 words", item="mmlu:test 7", theirs=HOSTILE, ours=f"ours {n}") for n in range(203)
    ]
    tables = {"samples": noun_table(Sample, []), "excluded": noun_table(Exclusion, []), "overlaps": noun_table(Overlap, shared)}
    run.workspace.write_chunk("curate", "001-00000", "o", tables)
    text = run.page()
    page = _Page(text)
    assert HOSTILE not in text
    assert f"a-000 13 words mmlu:test 7 {HOSTILE} ours 0 " in page.text
    assert "203 training samples share" in page.text
    assert "ours 199" in page.text
    assert "ours 200" not in page.text, "the page shows the first 200 and says where all are"


def test_a_reason_that_an_endpoint_gave_stays_text(run):
    facts = run.facts()
    changed = facts.status | {"samples": facts.status["samples"] | {"failed": {"<script>x</script>": 2}, "pending": 0}}
    page = _Page(run.page(status=changed))
    assert "<script>x</script>" in page.text
    assert page.named("script") == []


def test_arabic_is_marked_as_arabic_and_controls_of_direction_are_shown(plain):
    page = _Page(plain)
    blocks = [a for a in page.named("div") if "arabic" in a.get("class", "")]
    assert len(blocks) == 2 * sum(case[1] is not None for case in CASES)
    assert all(a["dir"] == "rtl" and a["lang"] == "ar" for a in blocks)
    assert "\u202e" not in plain, "an override would turn the rest of the line around"
    assert "right-to-left override" in page.text


def test_the_sums_of_the_page_hold(plain):
    page = _Page(plain)
    read, sampled, excluded = _numbers(re.search(r"(\d+ records read = .*? excluded)", page.text)[1])
    assert (read, sampled, excluded) == (8, 5, 3)
    owed, *buckets = _numbers(re.search(r"(\d+ samples owed = .*? pending)", page.text)[1])
    assert owed == sum(buckets) == 10
    assert buckets == [7, 1, 1, 0, 1], "released, excluded, awaiting review, failed, pending"
    assert "Both sums hold." in page.text


def test_the_funnel_says_the_same_as_the_tables(plain):
    drawing = next(a["aria-label"] for a in _Page(plain).named("svg") if "From records" in a.get("aria-label", ""))
    assert _numbers(drawing) == [8, 5, 5, 4, 2, 5, 2]
    assert re.findall(r"([A-Za-z ]+) \d", drawing.partition(":")[2]) == [
        " records read", " became samples", " kept by curation", " translated", " accepted by the gate", " English going out",
        " Arabic going out",
    ]  # fmt: skip


def test_each_reason_is_counted_explained_and_shown_where_it_happened(plain):
    text = _Page(plain).text
    losses = text[text.index("Why things fell out") : text.index("Scores and findings")]
    assert re.search(r"the image file is not there missing_image 2 ingest slake/train\.json:9\d", losses)
    assert re.search(r"there is no answer to learn from empty_answer 1 ingest", losses)
    assert "Sum 3" in losses
    assert re.search(r"scored below quality\.reject rejected 1", losses)


def test_settings_named_in_a_sentence_look_like_code_and_stay_escaped(plain):
    assert "<code>quality.without_judge: accept</code>" in plain
    assert "`" not in _Page(plain).text


def test_findings_are_marked_in_the_text_that_they_are_about(plain):
    assert re.search(r'<mark class="critical" title="laterality: [^"]*&lt;partner&gt;[^"]*">left</mark>', plain)


def test_a_sum_that_does_not_hold_is_the_first_thing_said(run):
    facts = run.facts()
    broken = facts.status | {"samples": facts.status["samples"] | {"owed": 99}}
    page = _Page(run.page(status=broken))
    assert "The counts below do not add up" in page.text[:500]
    assert "The sums do not hold." in page.text


@pytest.mark.parametrize(
    ("judged", "without_judge", "said"),
    [(False, "accept", "No judge model and no clinician"), (False, "review", "waits for an expert"), (True, "review", None)],
)
def test_what_nobody_has_read_is_said_before_anything_else(run, judged, without_judge, said):
    text = _Page(run.page(judged=judged, without_judge=without_judge)).text
    if said:
        assert said in text[: text.index("English released")]
    else:
        assert "No judge model" not in text


def test_the_same_run_gives_the_same_bytes(run):
    first = run.write().read_bytes()
    assert run.write().read_bytes() == first
    assert b"/tmp/" not in first, "no path of this machine"


def test_no_arabic_released(make_run):
    run = make_run([case for case in CASES if case[3] != "accept"])
    text = _Page(run.page()).text
    assert re.search(r"3 English released", text)
    assert re.search(r"0 Arabic released", text)
    assert "Both sums hold." in text


def test_nothing_read_at_all(make_run):
    run = make_run([])
    page = _Page(run.page(release=None, endpoints=[], seconds={}, commands=[]))
    assert "No sample has come this far." in page.text
    assert "Nothing has been scored yet." in page.text
    assert page.named("img") == []


def test_an_empty_workspace_has_a_page_too(make_run):
    run = make_run([])
    for stage in ("ingest", "curate", "translate", "score", "release"):
        run.workspace.drop_chunks(stage, [])
    text = _Page(run.page(release=None)).text
    assert "0 records read = 0 sampled + 0 excluded" in text
    assert "Nothing fell out." in text


TRAINED = {
    "fingerprint": "f" * 64, "preset": "tiny", "samples": 16, "too_long": 0, "parameters": 1_200_000,
    "config": {"seed": 7, "vision": {"hidden": 64}},
    "stages": {
        "align": {"steps": 4, "trainable": 24_000, "first_loss": 6.1, "last_loss": 5.0, "losses": [6.1, 5.6, 5.2, 5.0]},
        "instruct": {"steps": 3, "trainable": 90_000, "first_loss": 5.1, "last_loss": 3.0, "losses": [5.1, 4.0, 3.0]},
    },
}  # fmt: skip
MEASURED = {
    "fingerprint": "e" * 64,
    "held_out": {"en": {"items": 3, "token_f1": 0.25}, "ar": {"items": 2, "token_f1": 0.125}, "empty_answers": 1},
}


def test_training_and_evaluation_stand_side_by_side(run):
    page = _Page(run.page(train=TRAINED, evaluation=MEASURED))
    assert "Training loss by step: align, instruct" in {a.get("aria-label") for a in page.named("svg")}
    training = page.text[page.text.index("Training and evaluation") :]
    assert re.search(r"align 4 24,000 6\.1 5 instruct 3 90,000 5\.1 3", training)
    assert re.search(r"en 3 0\.25 ar 2 0\.125", training)
    assert "held out: empty answers 1" in training, "a value on its own is no table"
    assert "do not say whether an answer is right for a patient" in training
    assert "parameters 1,200,000" in training
    assert "f" * 64 not in page.text
    assert "hidden" not in training, "settings are no results"


def test_without_training_there_is_no_such_section(plain):
    page = _Page(plain)
    assert "Training" not in page.text
    assert "#training" not in {a["href"] for a in page.named("a")}


def test_a_lost_picture_is_said_and_not_shown_broken(make_run):
    run = make_run()
    for path in run.workspace.images.rglob("*.*"):
        path.unlink()
    page = _Page(run.page())
    assert page.named("img") == []
    assert "not in the store" in page.text


def test_the_samples_shown_are_a_mix_riskiest_first(make_run):
    verdicts = [("accept", 90.0), ("review", 60.0), ("reject", 10.0)]
    cases = [(*CASES[1][:2], score + number / 10, verdict) for number in range(12) for verdict, score in verdicts]
    chosen = choose(make_run(cases).workspace)
    found = [cases[int(name.rsplit("-", 1)[1])] for name in chosen]
    assert [case[3] for case in found] == ["accept"] * 7 + ["review"] * 7 + ["reject"] * 6
    for verdict, _ in verdicts:
        points = [case[2] for case in found if case[3] == verdict]
        assert points == sorted(points)
        assert points[0] == min(case[2] for case in cases if case[3] == verdict)


def test_an_audit_has_its_table_and_without_one_there_is_none(run, plain):
    release = run.facts().release | {
        "audit": [("all", 40, 1, "2.50%", "0.44% to 12.88%"), ("task: vqa", 3, 1, "not enough data", "")]
    }
    page = run.page(release=release)
    assert "Expert audit" not in plain
    assert '<td class="number">0.44% to 12.88%</td>' in page
    assert "not enough data" in page


def _finding(severity, check="c"):
    return Finding(check=check, category="x", severity=severity, message="m")


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("abcdef", [(0, 3), (2, 5)]),
        ("abc", [(1, 99), (-5, 1)]),
        ("abc", [(1, 1)]),
        ("", []),
        ("\u202eab\u2069", [(0, 2)]),
        ("", [(0, 0)]),
    ],
)
def test_cut_pieces_are_the_text_again(text, spans):
    cut = pieces(text, [(span, _finding("minor")) for span in spans])
    assert "".join(piece.text for piece in cut) == text


def test_where_findings_overlap_the_worst_one_shows_and_all_are_named():
    cut = pieces("abcdef", [((0, 4), _finding("minor", "one")), ((2, 6), _finding("critical", "two"))])
    assert [(piece.text, piece.severity, piece.title) for piece in cut] == [
        ("ab", "minor", "one: m"), ("cd", "critical", "two: m; one: m"), ("ef", "critical", "two: m"),
    ]  # fmt: skip


def test_a_span_over_two_turns_marks_both():
    one, two = by_turn(["abc", "def"], [((1, 6), _finding("minor"))], "\n")
    assert [span for span, _ in one] == [(1, 3)]
    assert [span for span, _ in two] == [(0, 2)]


@pytest.mark.parametrize(
    ("seconds", "shown"), [(7.24, "7.2 s"), (59.99, "60.0 s"), (185, "3 min 05 s"), (3599.7, "1 h 00 min"), (7800, "2 h 10 min")]
)
def test_durations_read_like_durations(seconds, shown):
    assert clock(seconds) == shown


@pytest.mark.parametrize(("dollars", "shown"), [(0, "$0.00"), (0.0012, "$0.0012"), (1234.5, "$1,234.50")])
def test_money_reads_like_money(dollars, shown):
    assert money(dollars) == shown


def test_marks_stand_on_the_words_that_the_gate_means(make_run):
    """Scored by the real gate: its segments are lines, the page shows turns, and an image mark stands before some."""
    cases = [
        (("<image>\nWhere is the nodule?", "It is 3 cm wide.\nIt lies in the left lung."),
         ("<image>\nأين العقيدة؟", "عرضها 8 سم.\nتقع في الرئة اليمنى."), None, None),
    ]  # fmt: skip
    run = make_run(cases)
    score_chunk(run.settings, run.workspace, CHUNK)
    (score,) = run.workspace.rows("score", Score, "scores")
    english, arabic = ("\n".join(texts) for texts in cases[0][:2])
    meant = {_at(english, f.source_span) for f in score.findings} | {_at(arabic, f.target_span) for f in score.findings}
    assert {"3", "left", "8", "اليمنى"} <= meant
    marked = re.findall(r'<mark class="critical" title[^>]*>([^<]*)</mark>', run.page())
    assert set(marked) == meant - {""}


def _at(text, span):
    return "" if span is None else text[span[0] : span[1]]
