"""`bimedv quality score --judge` as its user calls it: a judge on loopback, a budget, texts that may not leave."""

import json

import pytest
import yaml

from tests.judge_endpoint import JudgeEndpoint, error

PAIRS = [
    {"id": "right", "source": "The liver is normal.", "target": "الكبد طبيعي."},
    {"id": "wrong", "source": "The spleen is large.", "target": "الطحال كبير."},
    {"id": "other", "source": "Is it a cyst?", "target": "يذهب الأولاد إلى المدرسة."},
]


@pytest.fixture
def server():
    with JudgeEndpoint() as server:
        server.errors["الطحال كبير."] = [error("critical", "كبير")]
        yield server


@pytest.fixture
def score(bimedv, tmp_path, server):
    """Run the command on the pairs; its answer and the lines that it wrote."""
    pairs, output, config = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl", tmp_path / "run.yaml"
    pairs.write_text("".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in PAIRS), encoding="utf-8")
    (tmp_path / "llava.json").write_text("[]", encoding="utf-8")

    def run(*words, url=None, budget=None):
        judge = {"base_url": url or server.url, "model": "judge", "price": {"input": 1000.0, "output": 1000.0}}
        value = {
            "name": "t", "workspace": "work", "sources": [{"corpus": "llava", "path": "llava.json"}],
            "endpoints": {"translator": {"base_url": server.url, "model": "m"}, "judge": judge},
        }  # fmt: skip
        if budget is not None:
            value["translate"] = {"budget_usd": budget}
        config.write_text(yaml.safe_dump(value), encoding="utf-8")
        answer = bimedv("quality", "score", "--input", pairs, "--output", output, "--judge", config, "--json", *words)
        lines = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()] if output.exists() else []
        return answer, {line["id"]: line for line in lines}

    return run


def test_the_judge_lowers_what_the_gate_let_through_is_not_asked_about_the_rest_and_is_paid_once(score, server):
    answer, lines = score()
    assert answer.code == 0, answer.err
    assert answer.json == {"pairs": 3, "verdicts": {"accept": 1, "reject": 2}, "unjudged": 0}
    assert {name: line["judge"] for name, line in lines.items()} == {"right": 100.0, "wrong": 0.0, "other": None}
    assert "judge" in {finding["check"] for finding in lines["wrong"]["findings"]}
    asked = len(server.requests)
    assert asked == 3, "two readings of the one, one of the other: nothing outweighs a critical error"
    again, same = score()
    assert (again.code, same, len(server.requests)) == (0, lines, asked)


def test_pairs_on_which_the_endpoint_failed_go_to_review_and_the_exit_code_says_so(score, server):
    server.faults = [(400, {}, {"error": {"message": "no"}})] * 2
    answer, lines = score()
    assert (answer.code, answer.json) == (1, {"pairs": 3, "verdicts": {"reject": 1, "review": 2}, "unjudged": 2})
    assert (lines["right"]["score"], lines["right"]["judge"]) == (None, None)
    assert "the judge gave no usable word" in str(lines["right"]["findings"])
    better, lines = score()
    assert (better.code, lines["right"]["verdict"]) == (0, "accept"), "what failed is asked again"


def test_a_budget_ends_it_with_code_3_and_no_half_file(score, server):
    answer, lines = score(budget=0.01)
    assert (answer.code, lines) == (3, {}), answer.err
    assert server.requests == []


def test_texts_of_which_nobody_says_what_they_are_stay_on_this_machine(score, server):
    answer, lines = score(url="https://judge.example.org/v1")
    assert (answer.code, lines) == (4, {})
    assert "--access open" in answer.err
    assert server.requests == []
    without_judge, _ = score("--access", "credentialed")
    assert without_judge.code == 4
    assert "does not name credentialed" in without_judge.err
