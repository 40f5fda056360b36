"""Anybody's data sets, hand-written: Parquet shards and a saved split with images in their rows; chats in OpenAI's form."""

import base64
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq

from tests.corpora import picture
from tests.sources.forms import Published, array

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_TURNS = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


def image_bytes(seed, form="PNG"):
    buffer = io.BytesIO()
    picture(seed).save(buffer, form)
    return buffer.getvalue()


def table(columns, features=None):
    """A table with the metadata that `datasets` writes: {name: (type, values)}."""
    arrays = [values if isinstance(values, pa.Array) else pa.array(values, kind) for kind, values in columns.values()]
    told = {"huggingface": json.dumps({"info": {"features": features or {}}})}
    return pa.table(arrays, schema=pa.schema([(name, kind) for name, (kind, _) in columns.items()], metadata=told))


def parquet(made):
    sink = pa.BufferOutputStream()
    pq.write_table(made, sink, row_group_size=2)
    return sink.getvalue().to_pybytes()


def stream(made):
    """As `save_to_disk` writes it."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, made.schema) as writer:
        writer.write_table(made, max_chunksize=2)
    return sink.getvalue().to_pybytes()


def damaged_text(*values):
    """A text column whose bytes nobody has checked."""
    return pa.array(values, pa.binary()).view(pa.string())


def _asked(images, questions, answers, kinds):
    features = {"image": {"_type": "Image"}, "answer_type": {"_type": "ClassLabel", "names": ["CLOSED", "OPEN"]}}
    columns = {"image": (IMAGE, images), "question": (pa.string(), questions), "answer": (pa.string(), answers)}
    return parquet(table(columns | {"answer_type": (pa.int64(), kinds)}, features))


_SHARDS = Published(
    {
        "data/train-00000-of-00002.parquet": _asked(
            [{"bytes": image_bytes(1), "path": "one.png"}, {"bytes": image_bytes(1), "path": None},
             {"bytes": None, "path": "beside.png"}, None],
            [" What is shown? ", "Is it a lung?", "Where does this one lie?", "What is a lung?"],
            ["A chest.", "None", "Beside the table.", "An organ of breathing."],
            [1, 0, -1, None],
        ),
        "data/train-00001-of-00002.parquet": _asked(
            [{"bytes": image_bytes(2)[:200], "path": None}, {"bytes": image_bytes(2), "path": None},
             {"bytes": None, "path": None}, {"bytes": image_bytes(2), "path": None}, {"bytes": None, "path": "../beside.png"}],
            damaged_text(b"Is it cut?", b"", b"Was there an image?", b"\xff\xfe", b"Does it lead out?"),
            ["Yes.", "No.", None, "Stray bytes.", "It does."],
            [0, 0, 0, 0, 0],
        ),
        "data/beside.png": image_bytes(3),
    },
    (
        ("row-1", 1), ("row-2", 1), ("row-3", 1), ("row-4", 1), ("row-5", 1), ("row-6", "empty_question"),
        ("row-7", "empty_answer"), ("row-8", "not_json"), ("row-9", 1),
    ),
    "data",
)  # fmt: skip

_SAVED = Published(
    {
        "saved/train/state.json": b'{"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": "train"}',
        "saved/train/dataset_info.json": json.dumps({"features": {}}).encode(),
        "saved/train/data-00000-of-00001.arrow": stream(table({
            "id": (pa.int64(), [7, 8, 9, 10]),
            "split": (pa.string(), ["train", "test", None, "odd"]),
            "images": (pa.list_(IMAGE), [[{"bytes": image_bytes(4), "path": None}] * 2, [], None, [None]]),
            "messages": (_TURNS, [
                [{"role": "user", "content": "<image>\nBefore.\n<image>\nAnd after?"}, {"role": "assistant", "content": "Yes."}],
                [{"role": "user", "content": "Am I ill?"}, {"role": "assistant", "content": "No."}],
                [],
                [{"role": "assistant", "content": "Hello."}],
            ]),
        })),
    },
    (("7", 1), ("8", 1), ("9", "missing_field"), ("10", "invalid_turns")),
    "saved/train",
)  # fmt: skip

_SPOKEN = Published(
    {
        # A list of structs as `datasets` kept it before version 4: a struct of lists.
        "train.parquet": parquet(table({
            "conversations": (
                pa.struct([("from", pa.list_(pa.string())), ("value", pa.list_(pa.string()))]),
                [{"from": ["human", "gpt"], "value": ["Why?", "Because."]}, {"from": ["human"], "value": ["Why?", "So."]}, None],
            ),
            "image": (pa.binary(), [image_bytes(5), None, None]),
        })),
    },
    (("row-1", 1), ("row-2", "missing_field"), ("row-3", "missing_field")),
)  # fmt: skip

_CAPTIONS = Published(
    {
        "captions.parquet": parquet(table({
            "image_id": (pa.string(), ["c1", "c2", "c3"]),
            "image": (IMAGE, [{"bytes": image_bytes(6, "JPEG"), "path": "1.jpg"}, None, {"bytes": image_bytes(6), "path": None}]),
            "caption": (pa.string(), [" A cyst of the left kidney.", "Its image is lost.", ""]),
        })),
    },
    (("c1", 1), ("c2", "missing_image"), ("c3", "empty_answer")),
)  # fmt: skip


def _said(name, *turns, **changes):
    return {"id": name, "messages": [{"role": role, "content": content} for role, content in turns]} | changes


_URL = "data:image/png;base64," + base64.b64encode(image_bytes(7)).decode()
_MESSAGES = Published(
    {
        "chat.json": array([
            _said("plain", ("system", "Be brief."), ("user", "What is a fever?"), ("assistant", "Over 38.")),
            _said("named", ("user", "<image>What is it?"), ("assistant", "A lung."), images=["a.png"]),
            _said("unmarked", ("user", "What is it?"), ("assistant", "A lung."), images=["a.png", "b.png"]),
            _said("parts", ("user", [{"type": "image"}, {"type": "text", "text": "And this?"}]),
                  ("assistant", [{"type": "text", "text": "A heart."}]), images=["a.png"]),
            _said("carried", ("user", [{"type": "text", "text": "This?"}, {"type": "image_url", "image_url": {"url": _URL}}]),
                  ("assistant", "A knee.")),
            _said("tool", ("user", "Look it up."), ("tool", "{}"), ("assistant", "Done.")),
            _said("too-many", ("user", [{"type": "image"}, {"type": "text", "text": "Two?"}]), ("assistant", "One."),
                  images=["a.png", "b.png"]),
            _said("silent", ("user", "Why?"), ("assistant", None)),
            _said("empty"),
            ["no", "record"],
            _said("no-turn", ("user", "Why?"), ("assistant", "Because."), messages="Why?"),
        ]),
    },
    (
        ("plain", 1), ("named", 1), ("unmarked", 1), ("parts", 1), ("carried", 1), ("tool", "invalid_turns"),
        ("too-many", "image_count"), ("silent", "empty_answer"), ("empty", "missing_field"), ("row-10", "not_json"),
        ("no-turn", "missing_field"),
    ),
)  # fmt: skip

PUBLISHED_TABLES: dict[str, tuple[Published, ...]] = {
    "messages": (_MESSAGES,),
    "hf_dataset": (_SHARDS, _SAVED, _SPOKEN, _CAPTIONS),
}
