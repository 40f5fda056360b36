"""Files of pairs in blocks: the answer does not depend on them, memory does not grow, faults are found before any work."""

import json
import os
import tracemalloc

import pytest

from pipeline.quality.files import score_file
from pipeline.quality.gate import Gate
from pipeline.settings import QualitySettings
from schemas.errors import InputError
from tests.quality.encoders import Fixed

QUALITY = QualitySettings()
BLOCK = 50


def _write(path, count, text="The liver is enlarged."):
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            file.write(json.dumps({"id": f"pair-{n}", "source": text, "target": "الكبد متضخم."}, ensure_ascii=False) + "\n")


def _read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _gate(near=1.0):
    return Gate(QUALITY, Fixed(near))


def test_more_pairs_than_a_block_come_back_in_order_and_are_counted(tmp_path):
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    _write(source, BLOCK * 2 + 3)
    done = []
    counts = score_file(source, output, _gate(), None, done.append, BLOCK)
    assert done == [BLOCK, BLOCK, 3]
    assert counts == {"pairs": sum(done), "verdicts": {"accept": sum(done)}}
    assert [row["id"] for row in _read(output)] == [f"pair-{n}" for n in range(sum(done))]


def test_the_output_may_be_the_input(tmp_path):
    both = tmp_path / "pairs.jsonl"
    _write(both, 3)
    score_file(both, both, _gate(-1.0))
    assert [row["verdict"] for row in _read(both)] == ["reject"] * 3


class Failing:
    """An encoder that breaks in the second block."""

    calls = 0

    def encode_parts(self, texts):
        """As many rows as it is asked for, once."""
        self.calls += 1
        if self.calls > 1:
            raise RuntimeError("broken")
        return Fixed(1.0).encode_parts(texts)


def test_a_break_half_way_leaves_the_earlier_output_and_nothing_beside_it(tmp_path):
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    _write(source, BLOCK + 1)
    output.write_text("from before\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match="broken"):
        score_file(source, output, Gate(QUALITY, Failing()), block_pairs=BLOCK)
    assert output.read_text(encoding="utf-8") == "from before\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs.jsonl", "scores.jsonl"]


@pytest.mark.parametrize(
    ("last", "words"),
    [('{"id": "x"', "not JSON"), ('{"id": "pair-0", "source": "a", "target": "b"}', "id 'pair-0' occurs a second time")],
)
def test_a_fault_in_the_last_line_is_found_before_the_first_pair_is_scored(tmp_path, last, words):
    source, output = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    _write(source, BLOCK)
    with source.open("a", encoding="utf-8") as file:
        file.write(last)
    done = []
    with pytest.raises(InputError, match=words) as caught:
        score_file(source, output, _gate(), None, done.append, BLOCK)
    assert str(caught.value).startswith(f"{source}:{BLOCK + 1}: ")
    assert (done, output.exists()) == ([], False)


def test_of_several_repeated_ids_the_first_line_that_repeats_one_is_named(tmp_path):
    source = tmp_path / "pairs.jsonl"
    rows = [{"id": name, "source": "a", "target": "b"} for name in ("a", "b", "c", "b", "a", "c")]
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.raises(InputError, match=r":4: id 'b' occurs a second time"):
        score_file(source, tmp_path / "out.jsonl", _gate())


def test_a_pipe_is_refused_because_it_can_be_read_only_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="is a pipe"):
        score_file(pipe, tmp_path / "out.jsonl", _gate())


def test_a_pair_more_costs_eight_bytes_and_some_not_its_text(tmp_path):
    source, output, peaks = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl", []
    for blocks in (2, 2, 12):  # the first fills caches
        _write(source, blocks * 4 * BLOCK)
        tracemalloc.start()
        score_file(source, output, _gate(), block_pairs=4 * BLOCK)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Held, a pair with its score takes 2,000 bytes and more.
    assert peaks[2] - peaks[1] < 150 * 10 * 4 * BLOCK, peaks
