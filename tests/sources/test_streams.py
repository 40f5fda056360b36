"""Reading record by record: what a download can be in place of the data, and one bad record among good ones."""

import json
import tracemalloc

import pytest

from pipeline.sources.registry import CORPORA, identify
from pipeline.sources.streams import csv_records, json_items, json_records, sniff
from schemas.errors import InputError
from tests.sources.published import PUBLISHED

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
#: A JSON array of 20,000 records is 6 MB; reading holds one record and the parser's buffer.
FLAT_BYTES = 2_000_000


def _file(tmp_path, data, name="data.json"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (POINTER, "Git LFS pointer, not the data. Run `git lfs pull`"),
        (b"", "the file is empty"),
        (b" \n\t\xef", "not JSON|expected a JSON array"),
        (b"\xef\xbb\xbf \n", "the file is empty"),
        ('[{"a": 1}]'.encode("utf-16"), "UTF-16. Save it as UTF-8"),
        (b"PK\x03\x04rest", "not a whole zip archive"),
        (b"\x1f\x8b\x08rest", "not JSON after record 0: .*cut or damaged"),
        (b"\x80\x04\x95rest", "not a whole pickle"),
        (b"PAR1rest", "not Parquet or Arrow"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"ID,text\n1,a\n", "found csv, expected a JSON array"),
        (b'{"1": {"a": 1},\n "2": {}}', "found json dict, expected a JSON array"),
    ],
)
def test_what_is_no_data_is_told_by_name(tmp_path, data, told):
    with pytest.raises(InputError, match=told) as error:
        list(json_records(_file(tmp_path, data)))
    assert "data.json" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_and_a_file_that_is_not_there_are_told_apart(tmp_path):
    with pytest.raises(InputError, match="is a folder, expected a file"):
        list(csv_records(tmp_path))
    with pytest.raises(InputError, match="no such file"):
        list(json_items(tmp_path / "none.json"))


@pytest.mark.parametrize("name", ["slake", "icliniq", "alpaca", "llava"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.99])
def test_half_a_json_array_names_the_last_good_record(tmp_path, name, part):
    whole = PUBLISHED[name][0].write(tmp_path).read_bytes()
    path = _file(tmp_path, whole[: int(len(whole) * part)], "half.json")
    seen = []
    with pytest.raises(InputError, match=r"not JSON after record (\d+): .*cut or damaged") as error:
        seen.extend(record.id for record in CORPORA[name].read(path))
    assert f"after record {sum(1 for _ in _until_cut(path))}:" in str(error.value)


def _until_cut(path):
    try:
        yield from json_records(path)
    except InputError:
        return


def test_half_an_object_of_records_names_the_last_good_one(tmp_path):
    path = _file(tmp_path, b'{"1": {"QUESTION": "a"},\n"2": {"QUES')
    with pytest.raises(InputError, match="after record 1"):
        list(json_items(path))


def test_half_a_csv_inside_a_quoted_cell_is_refused(tmp_path):
    whole = PUBLISHED["mts_dialog"][0].write(tmp_path).read_bytes()
    path = _file(tmp_path, whole[: whole.index(b"Patient: N/A")], "half.csv")
    with pytest.raises(InputError, match="a quoted cell is never closed"):
        list(csv_records(path))


def test_a_row_with_wrong_quotes_or_cells_costs_itself_alone(tmp_path):
    rows = b'a,b,c\n1,2,3\n1,2\n1,"2"x,3\n1,2,3,4\n1,2,3,\n"x\ny",2,3\n'
    read = [row for _, row in csv_records(_file(tmp_path, rows))]
    good = {"a": "1", "b": "2", "c": "3"}
    assert read == [good, None, None, None, good, {"a": "x\ny", "b": "2", "c": "3"}]


def test_one_byte_that_is_not_utf8_leaves_the_rest_of_the_file_alone(tmp_path):
    """A whole file read as Windows-1252 for one byte would turn every `é` and every Arabic letter into two signs."""
    path = _file(tmp_path, "name,fever\nRené,38".encode() + b"\xb0C\n" + "سعال,٣٨°C\n".encode() + b"x,\x81\n")
    assert [list(row.values()) for _, row in csv_records(path)] == [["René", "38°C"], ["سعال", "٣٨°C"], ["x", "\ufffd"]]


def test_a_byte_order_mark_costs_no_record_and_no_column(tmp_path):
    mark = b"\xef\xbb\xbf"
    assert list(json_records(_file(tmp_path, mark + b'{"a": 1}\n{"a": 2}'))) == [(1, {"a": 1}), (2, {"a": 2})]
    assert list(json_records(_file(tmp_path, mark + b'[{"a": 1}]'))) == [(1, {"a": 1})]
    assert list(json_items(_file(tmp_path, mark + b'{"k": {"a": 1}}'))) == [(1, "k", {"a": 1})]
    assert list(csv_records(_file(tmp_path, mark + b"ID,x\n1,2"))) == [(1, {"ID": "1", "x": "2"})]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b' [{"a": 1}]', "json_array"),
        (b'{"a": 1}\n{"a": 2}', "json_lines"),
        (b'{"a": {"b": 1}}\n{"a": {"b": 2}}', "json_lines"),
        (b'{"a": 1}', "json_lines"),
        (b'{"a": bad}\n{"a": 2}', "json_lines"),
        (b'{"90001": {"QUESTION": "a"}}', "json_dict"),
        (b'{\n  "90001": {"QUESTION": "a"}\n}', "json_dict"),
        (b'{"text": "' + b"x" * 100_000 + b'"}\n{"text": ""}', "json_lines"),
        (b"a,b\n1,2", "csv"),
    ],
)
def test_the_form_is_known_by_the_content(tmp_path, data, kind):
    assert sniff(_file(tmp_path, data)) == kind


def test_one_bad_line_of_json_lines_costs_itself_alone(tmp_path):
    path = _file(tmp_path, b'{"a": 1}\n\n{"a": NONE}\n{"a": "\\ud800"}\n{"a": 5}\n{"a": ')
    assert list(json_records(path)) == [(1, {"a": 1}), (3, None), (4, None), (5, {"a": 5}), (6, None)]


#: What Python's json and pandas write, and no strict parser reads.
ODD = [
    (b"NaN", None),
    (b"-Infinity", None),
    (b"[Infinity, 1]", [None, 1]),
    (b"123456789012345678901234567890", "123456789012345678901234567890"),
    (b"-9223372036854775809", "-9223372036854775809"),
    (b"1e999", "1e999"),
    (b'"38\xb0C"', "38°C"),
    (b'"NaN, \\"Infinity\\" and 123456789012345678901234567890"', 'NaN, "Infinity" and 123456789012345678901234567890'),
    (b"0.1234567890123456789012345", 0.1234567890123456789012345),
    (b"123456789012345678", 123456789012345678),
]


@pytest.mark.parametrize(("odd", "value"), ODD)
def test_what_python_writes_into_json_is_read_the_same_in_an_array_in_lines_and_in_an_object(tmp_path, odd, value):
    first, last = b'{"a": 1}', b'{"a": 3}'
    row = b'{"a": ' + odd + b"}"
    wanted = [{"a": 1}, {"a": value}, {"a": 3}]
    array = _file(tmp_path, b"[" + b",".join([first, row, last]) + b"]")
    assert list(json_records(array)) == list(enumerate(wanted, 1))
    assert list(json_records(_file(tmp_path, b"\n".join([first, row, last])))) == list(enumerate(wanted, 1))
    items = _file(tmp_path, b'{"x":' + first + b',"y":' + row + b',"z":' + last + b"}")
    assert [raw for _, _, raw in json_items(items)] == wanted


def test_a_mended_array_is_read_alike_however_its_pieces_fall(tmp_path):
    """Strings and numbers over the borders of the pieces, which are 1 MiB long."""
    odd = [{"a": "NaN 99999999999999999999 سعال" * 30_000 + '\\" NaN', "b": [float("nan"), 10**25] * 50_000} for _ in range(2)]
    path = _file(tmp_path, json.dumps(odd, ensure_ascii=False))
    assert [raw for _, raw in json_records(path)] == [row | {"b": [None, str(10**25)] * 50_000} for row in odd]


def test_what_cannot_be_mended_still_names_the_last_good_record(tmp_path):
    with pytest.raises(InputError, match=r"not JSON after record 2: .*cut or damaged"):
        list(json_records(_file(tmp_path, b'[{"a": NaN}, {"a": 2}, {"a" 3}]')))
    with pytest.raises(InputError, match=r"not JSON after record 1: .*cut or damaged"):
        list(json_records(_file(tmp_path, b'[{"a": NaN}, {"a": 2')))


@pytest.mark.parametrize("gap", [b"", b'"x", ' * 9_000])
def test_an_array_nested_a_hundred_thousand_deep_is_refused_before_it_takes_the_memory(tmp_path, gap):
    """The parser keeps the path of each level: it was killed at 25 GB."""
    deep = b"[" * 50_000 + gap + b"[" * 50_000
    with pytest.raises(InputError, match="over 12,000 brackets open at once before byte"):
        list(json_records(_file(tmp_path, b'[{"a": ' + deep)))
    assert list(json_records(_file(tmp_path, b'{"a": ' + deep + b'}\n{"a": 1}'))) == [(1, None), (2, {"a": 1})]


def test_brackets_in_texts_and_many_short_lists_are_no_depth(tmp_path):
    rows = [{"a": ":-[ " * 300_000 + '\\"{', "b": [[1]] * 5_000} for _ in range(2)]
    assert [raw for _, raw in json_records(_file(tmp_path, json.dumps(rows)))] == rows


def test_a_record_nested_ten_thousand_deep_is_a_record_like_any_other(tmp_path):
    deep = b"[" * 10_000 + b"]" * 10_000
    path = _file(tmp_path, b'[{"qid": 1, "img_name": "a", "q_lang": "en", "question": ' + deep + b', "answer": "b"}]')
    assert [record.reason for record in CORPORA["slake"].read(path)] == ["empty_question"]


def test_a_corpus_of_one_record_is_recognised_without_line_breaks(tmp_path):
    assert identify(_file(tmp_path, b'{"90001": {"QUESTION": "a", "CONTEXTS": []}}')) == ["pubmedqa"]


def test_a_json_array_is_read_in_flat_memory(tmp_path):
    path = tmp_path / "train.json"
    row = json.loads(PUBLISHED["slake"][0].write(tmp_path).read_text(encoding="utf-8-sig"))[0]
    with path.open("w", encoding="utf-8") as file:
        for number in range(20_000):
            file.write("[,"[number > 0] + json.dumps(row | {"qid": number}))
        file.write("]")
    tracemalloc.start()
    try:
        count = sum(len(record.drafts) for record in CORPORA["slake"].read(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < FLAT_BYTES, f"{peak:,} bytes at once for a file of {path.stat().st_size:,}"
