"""Parquet, saved data sets and pickles: every row in its order and in flat memory; a pickle is plain data or it is refused."""

import collections
import io
import json
import pickle
import struct
import subprocess
import sys
import textwrap
import tracemalloc

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.images.inline import Inline
from pipeline.ingest import ingest_source
from pipeline.settings import Settings, SourceSettings, load_settings
from pipeline.sources.base import digest
from pipeline.sources.parquet import PARQUET, parquet_records
from pipeline.sources.pickles import PICKLE, pickle_records
from pipeline.sources.registry import check_form, first_fields, identify
from pipeline.sources.streams import json_records
from pipeline.workspace import Workspace
from schemas.errors import InputError
from schemas.sample import Sample
from tests.sources.published_tables import IMAGE, PUBLISHED_TABLES, damaged_text, image_bytes, parquet, stream, table


def _numbers(first, count):
    return parquet(table({"n": (pa.int64(), list(range(first, first + count)))}))


def _shards(folder, count, name="train"):
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"{name}-{number:05d}-of-{count:05d}.parquet").write_bytes(_numbers(number * 3, 3))
    return folder


def _refused(path, told):
    with pytest.raises(InputError, match=told) as error:
        list(json_records(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["", "train-*.parquet", "*.parquet"])
def test_shards_are_read_in_their_order_and_rows_counted_over_all(tmp_path, name):
    """Twelve of them: read as text, 10 comes before 9 where the names are not padded."""
    _shards(tmp_path / "data", 12)
    rows = list(parquet_records(tmp_path / "data" / name))
    assert rows == [(number + 1, {"n": number}) for number in range(36)]


def test_a_repository_of_hugging_face_has_its_shards_in_data(tmp_path):
    _shards(tmp_path / "data", 2)
    assert len(list(parquet_records(tmp_path))) == 6


def test_a_shard_that_is_missing_is_named(tmp_path):
    folder = _shards(tmp_path / "data", 3)
    (folder / "train-00001-of-00003.parquet").unlink()
    _refused(folder, "train-00001-of-00003.parquet is missing.*2 of 3 shards")
    _refused(folder / "train-*", "train-00001-of-00003.parquet is missing")
    assert [raw["n"] for _, raw in json_records(folder / "train-00002-of-00003.parquet")] == [6, 7, 8]


def test_splits_are_never_mixed(tmp_path):
    folder = _shards(_shards(tmp_path / "data", 1), 1, "test")
    _refused(folder, r"holds several tables \(test, train\). Name one: `path: data/test\*.parquet`")
    assert len(list(json_records(folder / "test*.parquet"))) == 3
    (tmp_path / "saved" / "train").mkdir(parents=True)
    (tmp_path / "saved" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    (tmp_path / "saved" / "train" / "state.json").write_text("{}")
    _refused(tmp_path / "saved", "holds the splits train. Name the folder of one")


def test_shards_with_other_columns_are_refused(tmp_path):
    folder = _shards(tmp_path / "data", 2)
    (folder / "train-00001-of-00002.parquet").write_bytes(parquet(table({"m": (pa.int64(), [1])})))
    _refused(folder, "its columns are m; train-00000-of-00002.parquet has n")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_a_file_that_is_cut_is_one_line(tmp_path, part):
    for name, data in (("x.parquet", _numbers(0, 5_000)), ("x.arrow", stream(table({"n": (pa.int64(), list(range(5_000)))})))):
        (tmp_path / name).write_bytes(data[: int(len(data) * part)])
        _refused(tmp_path / name, f"{name}: not Parquet or Arrow after record \\d+: .*cut or damaged")


def test_a_page_that_is_damaged_names_the_last_good_record(tmp_path):
    made = table({"t": (pa.string(), [f"{number:032d}" for number in range(4_000)])})
    sink = io.BytesIO()
    pq.write_table(made, sink, row_group_size=1_000, use_dictionary=False, compression="snappy")
    data = bytearray(sink.getvalue())
    data[len(data) // 2 : len(data) // 2 + 2_000] = b"\xff" * 2_000
    (tmp_path / "x.parquet").write_bytes(data)
    seen = []
    with pytest.raises(InputError, match=r"not Parquet or Arrow after record \d+: .*cut or damaged") as error:
        seen.extend(raw["t"] for _, raw in json_records(tmp_path / "x.parquet"))
    assert seen == [f"{number:032d}" for number in range(len(seen))]
    assert f"after record {len(seen)}:" in str(error.value)
    assert len(seen) >= 1_000


def test_a_row_that_cannot_be_read_costs_itself_alone(tmp_path):
    columns = {"t": (pa.string(), damaged_text(b"a", b"\xff", b"c")), "b": (pa.binary(), [b"x", b"y", b"\xfe"])}
    (tmp_path / "x.parquet").write_bytes(parquet(table(columns)))
    assert list(json_records(tmp_path / "x.parquet")) == [(1, {"t": "a", "b": "x"}), (2, None), (3, None)]


def test_a_class_label_is_its_name_and_a_hidden_one_nothing(tmp_path):
    features = {"answer": {"_type": "ClassLabel", "names": ["no", "yes"]}, "n": {"_type": "Value", "dtype": "int64"}}
    columns = {"answer": (pa.int64(), [0, 1, -1, None, 7]), "n": (pa.int64(), [0, 1, 2, 3, 4])}
    (tmp_path / "x.parquet").write_bytes(parquet(table(columns, features)))
    assert [raw["answer"] for _, raw in parquet_records(tmp_path / "x.parquet")] == ["no", "yes", None, None, None]
    assert [raw["n"] for _, raw in parquet_records(tmp_path / "x.parquet")] == [0, 1, 2, 3, 4]


def test_images_come_with_their_bytes_and_are_told_by_their_content(tmp_path):
    one = {"bytes": image_bytes(1), "path": "a.png"}
    columns = {
        "image": (IMAGE, [one, one, None]),
        "images": (pa.list_(IMAGE), [[one, {"bytes": None, "path": "b.png"}], [], None]),
    }
    (tmp_path / "x.parquet").write_bytes(parquet(table(columns)))
    rows = [raw for _, raw in parquet_records(tmp_path / "x.parquet")]
    assert isinstance(rows[0]["image"], Inline)
    assert rows[0]["image"].data() == image_bytes(1)
    assert rows[2] == {"image": None, "images": None}
    assert [str(image) for image in rows[0]["images"]][1] == "b.png"
    assert digest(rows[0]["image"]) == digest(rows[1]["image"]) != digest(Inline(image_bytes(2), "a.png"))


def test_parquet_is_read_in_flat_memory(tmp_path):
    """60 MB of images in row groups of 5 MB; a row group's page is what Arrow decodes at once."""
    noise = np.random.default_rng(1)
    images = [{"bytes": noise.bytes(100_000), "path": None} for _ in range(600)]
    pq.write_table(table({"image": (IMAGE, images)}), tmp_path / "x.parquet", row_group_size=50)
    del images
    before = pa.total_allocated_bytes()
    most = max(pa.total_allocated_bytes() for _ in parquet_records(tmp_path / "x.parquet"))
    assert most - before < 25_000_000


def test_a_saved_data_set_is_read_in_the_order_of_its_state(tmp_path):
    names = ["data-00001-of-00002.arrow", "data-00000-of-00002.arrow"]
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(stream(table({"n": (pa.int64(), [number * 2, number * 2 + 1])})))
    (tmp_path / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    assert list(json_records(tmp_path)) == [(number + 1, {"n": number}) for number in range(4)]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("{", "not the state of a saved dataset"),
        ('{"_data_files": [{"filename": "../x.arrow"}]}', "names '../x.arrow', which is not in its folder"),
        ('{"_data_files": [{"filename": "gone.arrow"}]}', "names 'gone.arrow', which is not in its folder"),
        ('{"_data_files": [], "_indices_data_files": [{"filename": "i.arrow"}]}', "list of indices"),
        ('{"_data_files": []}', "the saved dataset is empty"),
    ],
)
def test_a_state_that_is_not_right_is_one_line(tmp_path, state, told):
    (tmp_path / "state.json").write_text(state)
    _refused(tmp_path, told)


def test_what_datasets_itself_writes_is_read(tmp_path):
    """In a process of its own: the library looks at the environment when it is imported."""
    program = textwrap.dedent(
        """
        import sys
        import datasets
        from PIL import Image
        told = datasets.Features({"image": datasets.Image(), "question": datasets.Value("string"),
                                  "answer": datasets.ClassLabel(names=["no", "yes"])})
        rows = {"image": [Image.new("RGB", (80, 80), "red"), None], "question": ["Is it red?", "Is it there?"], "answer": [1, 0]}
        made = datasets.Dataset.from_dict(rows, features=told)
        made.save_to_disk(sys.argv[1] + "/saved")
        made.to_parquet(sys.argv[1] + "/data.parquet")
        """
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=True, capture_output=True)
    for name in ("saved", "data.parquet"):
        assert identify(tmp_path / name) == ["hf_dataset"]
        rows = [raw for _, raw in parquet_records(tmp_path / name)]
        assert [(raw["question"], raw["answer"]) for raw in rows] == [("Is it red?", "yes"), ("Is it there?", "no")]
        assert rows[0]["image"].data().startswith(b"\x89PNG")
        assert rows[1]["image"] is None


def test_parquet_is_read_by_a_corpus_that_declares_it_and_by_no_other(tmp_path):
    path = PUBLISHED_TABLES["hf_dataset"][2].write(tmp_path)
    assert PARQUET in first_fields(path)
    with pytest.raises(InputError, match=r"not llava: .*It looks like hf_dataset"):
        check_form("llava", path)


def test_a_table_without_a_known_column_is_told_what_was_found_and_expected(tmp_path):
    (tmp_path / "x.parquet").write_bytes(_numbers(0, 1))
    with pytest.raises(InputError, match=r"not hf_dataset: the first record has no image \(found \(parquet\), n\)"):
        check_form("hf_dataset", tmp_path / "x.parquet")


def test_a_config_takes_a_pattern_and_ingest_sees_that_a_shard_has_changed(tmp_path):
    published = PUBLISHED_TABLES["hf_dataset"][0]
    published.write(tmp_path)
    config = tmp_path / "run.yaml"
    config.write_text("name: t\nsources:\n  - {corpus: hf_dataset, path: 'data/train-*.parquet'}\n")
    source = load_settings(config).sources[0]
    settings = Settings(name="t", workspace=tmp_path / "work", root=tmp_path, sources=(source,))
    workspace = Workspace(tmp_path / "work")
    (before,) = ingest_source(settings, workspace, 0)
    samples = list(workspace.rows("ingest", Sample, "samples"))
    assert [sample.origin.row for sample in samples] == [1, 2, 3, 4]
    assert {sample.origin.file for sample in samples} == {"data/train-*.parquet"}
    assert [len(sample.images) for sample in samples] == [1, 1, 1, 0]
    assert samples[0].images == samples[1].images != samples[2].images
    assert ingest_source(settings, workspace, 0)[0].fingerprint == before.fingerprint
    name = "data/train-00001-of-00002.parquet"
    (tmp_path / name).write_bytes(published.files[name] + b"PAR1")
    assert SourceSettings(corpus="hf_dataset", path=tmp_path).split == "train"
    with pytest.raises(InputError, match="not Parquet or Arrow"):
        ingest_source(settings, workspace, 0)


QUESTIONS = [
    {"image": "train_0001", "question": "what is présent?", "answer": "a cell", "label": {"yes": 1.0}, "n": (1, 2), "s": {3}},
    {"image": "train_0002", "question": "is it?", "answer": True, "label": {}, "n": None, "s": frozenset({b"x"})},
]
PLAIN = [
    QUESTIONS[0] | {"n": [1, 2], "s": [3]},
    QUESTIONS[1] | {"s": ["x"]},
]


def _pickled(tmp_path, data, name="train_qa.pkl"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_of_plain_data_is_read_in_every_protocol(tmp_path, protocol):
    path = _pickled(tmp_path, pickle.dumps(QUESTIONS, protocol))
    assert list(json_records(path)) == list(enumerate(PLAIN, 1))
    assert {"image", "question", "answer", PICKLE} <= first_fields(path)


def _touch():
    raise AssertionError("the pickle was run")


class _Runs:
    def __init__(self, function, *arguments):
        self._call = (function, arguments)

    def __reduce__(self):
        return self._call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("value", "told"),
    [
        (_Runs(_touch), "asks for .*test_parquet._touch"),
        (_Runs(eval, "1"), r"asks for (__builtin__|builtins).eval"),
        (_Runs(getattr, "", "upper"), r"asks for (__builtin__|builtins).getattr"),
        (collections.OrderedDict(a=1), r"asks for collections.OrderedDict|builds objects"),
        (1j, r"asks for (__builtin__|builtins).complex"),
    ],
)
def test_a_pickle_that_asks_for_anything_else_is_refused_by_its_name(tmp_path, protocol, value, told):
    path = _pickled(tmp_path, pickle.dumps([{"question": value}], protocol))
    with pytest.raises(InputError, match=told) as error:
        list(pickle_records(path))
    assert "train_qa.pkl" in str(error.value)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x80\x04cos\nsystem\nX\x02\x00\x00\x00id\x85R.", "asks for os.system"),
        (b"\x80\x02(ios\nsystem\n.", "builds objects"),
        (b"\x80\x04\x82\x01.", "builds objects|not a whole pickle"),
        (b"\x80\x04P1\n.", "builds objects|not a whole pickle"),
        (b"\x80\x04]r\xff\xff\xff\x7f.", "remembers item 2147483647 of a file of"),
        (b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x.", "not a whole pickle"),
        (b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"x.", "not a whole pickle"),
        (b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"].", "not a whole pickle|holds"),
        (b"\x80\x04]q\x00h\x00a.", "repeats its parts"),
        (b"\x80\x04}.", "holds a dict, expected a list"),
        (b"\x80\x04}](K\x01es.", "not a whole pickle"),
        (b"\x80\x04.", "not a whole pickle"),
        (b"", "the file is empty"),
        (pickle.dumps(QUESTIONS)[:-30], "not a whole pickle"),
    ],
)
def test_a_pickle_that_is_no_plain_data_or_no_pickle_is_one_line_and_takes_no_memory(tmp_path, data, told):
    tracemalloc.start()
    try:
        _refused(_pickled(tmp_path, data), told)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


def test_a_pickle_that_doubles_its_parts_is_refused(tmp_path):
    """Forty lists, each twice in the next: 300 bytes that unfold to 2**40 items."""
    value = ["x"]
    for _ in range(40):
        value = [value, value]
    _refused(_pickled(tmp_path, pickle.dumps([value])), "repeats its parts until they are larger than the file")


def test_parts_that_questions_share_are_no_bomb(tmp_path):
    name, label = "train_0001", {"yes": 1.0}
    rows = [{"image": name, "question": f"q{number}", "label": label} for number in range(500)]
    assert [raw for _, raw in pickle_records(_pickled(tmp_path, pickle.dumps(rows)))] == rows


def test_a_record_without_a_form_in_json_costs_itself_alone_and_numbers_are_text_where_they_are_too_long(tmp_path):
    rows = [{(1, 2): "x"}, {1: "one", "n": 10**30}, {"f": float("nan")}, {"\ud800": "half \udfff"}]
    read = [raw for _, raw in pickle_records(_pickled(tmp_path, pickle.dumps(rows)))]
    assert read[:2] == [None, {"1": "one", "n": str(10**30)}]
    assert read[3] == {"?": "half ?"}
    assert all(len(digest(raw)) == 64 for raw in read)
