"""Packed files and archives: the same records as unpacked, in flat memory; what is not safe is refused before it is unpacked."""

import bz2
import gzip
import io
import json
import lzma
import random
import stat
import struct
import tarfile
import tracemalloc
import zipfile

import pyarrow as pa
import pytest

from pipeline.curate.stage import benchmark_files
from pipeline.ingest import benchmark_source, ingest_source
from pipeline.settings import CurateSettings, Settings, SourceSettings, load_settings
from pipeline.sources.archives import archive
from pipeline.sources.check import check
from pipeline.sources.containers import beside, files, there
from pipeline.sources.registry import CORPORA, identify
from pipeline.sources.streams import csv_records, json_items, json_records
from pipeline.workspace import Workspace
from schemas.errors import InputError
from schemas.sample import Sample
from tests.sources.published import PUBLISHED

ROWS = [{"a": number, "b": "حمى" * (number % 5)} for number in range(300)]
LINES = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode()


def _zstd(data):
    return pa.Codec("zstd").compress(data, asbytes=True)


PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": _zstd}


def _zip(path, members, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as box:
        for name, data in members.items():
            box.writestr(name, data, **options)
    return path


def _tar(path, members, mode="w", form=tarfile.PAX_FORMAT):
    with tarfile.open(path, mode, format=form) as box:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            box.addfile(info, io.BytesIO(data))
    return path


BOXES = {
    "x.zip": _zip, "x.tar": _tar, "x.tar.gz": lambda path, members: _tar(path, members, "w:gz"),
    "gnu.tar": lambda path, members: _tar(path, members, form=tarfile.GNU_FORMAT),
}  # fmt: skip


def _refused(path, told):
    with pytest.raises(InputError, match=told) as error:
        list(json_records(path))
    assert path.name.partition("::")[0] in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("named", [True, False])
def test_a_packed_file_is_known_by_its_content_and_read_like_an_unpacked_one(tmp_path, suffix, named):
    path = tmp_path / (f"rows.jsonl.{suffix}" if named else "rows.jsonl")
    path.write_bytes(PACKERS[suffix](LINES))
    assert list(json_records(path)) == list(enumerate(ROWS, 1))
    path.write_bytes(PACKERS[suffix](json.dumps(ROWS).encode()))
    assert list(json_records(path)) == list(enumerate(ROWS, 1))
    path.write_bytes(PACKERS[suffix](b'\xef\xbb\xbfID,x\r\n1,"a\nb"\r\n'))
    assert list(csv_records(path)) == [(1, {"ID": "1", "x": "a\nb"})]
    path.write_bytes(PACKERS[suffix](b'{"k": {"a": 1}}'))
    assert list(json_items(path)) == [(1, "k", {"a": 1})]


def test_a_gz_that_is_unpacked_already_is_read_as_it_is(tmp_path):
    (tmp_path / "rows.jsonl.gz").write_bytes(LINES)
    assert list(json_records(tmp_path / "rows.jsonl.gz")) == list(enumerate(ROWS, 1))


@pytest.mark.parametrize("suffix", PACKERS)
def test_a_packed_file_that_is_cut_names_the_last_good_record(tmp_path, suffix):
    noise = random.Random(1)
    rows = [{"a": noise.randbytes(400).hex()} for _ in range(3_000)]
    path = tmp_path / f"rows.{suffix}"
    for whole in (json.dumps(rows).encode(), "\n".join(map(json.dumps, rows)).encode()):
        packed = PACKERS[suffix](whole)
        path.write_bytes(packed[: int(len(packed) * 0.7)])
        seen = []
        with pytest.raises(InputError, match=r"not JSON after record (\d+): .*cut or damaged") as error:
            seen.extend(raw for _, raw in json_records(path))
        good = int(str(error.value).partition("after record ")[2].partition(":")[0])
        # bzip2 gives blocks of 900 kB, whole or not at all.
        assert (900 if suffix == "bz2" else 1_500) < good < 2_400
        assert seen[:good] == rows[:good]


@pytest.mark.parametrize("box", BOXES)
def test_a_member_is_read_by_its_name_and_alone_without_it(tmp_path, box):
    members = {"readme.md": b"# Rows", "./inner/rows.jsonl": LINES, "__MACOSX/._rows.jsonl": b"\0\5", "inner/.DS_Store": b"\0"}
    path = BOXES[box](tmp_path / box, members)
    assert list(json_records(path)) == list(enumerate(ROWS, 1))
    assert list(json_records(tmp_path / f"{box}::inner/rows.jsonl")) == list(enumerate(ROWS, 1))
    assert "which holds" in _refused(tmp_path / f"{box}::rows.jsonl", "::rows.jsonl: not in the archive")


@pytest.mark.parametrize("box", BOXES)
def test_an_archive_of_several_files_says_how_to_name_one(tmp_path, box):
    path = BOXES[box](tmp_path / box, {"b/train.json": LINES, "b/test.json": LINES})
    _refused(path, f"holds 2 files \\(b/test.json, b/train.json\\). Name one: `path: {box}::b/test.json`")
    assert beside(tmp_path / f"{box}::b/train.json", "test.json") == tmp_path / f"{box}::b/test.json"
    assert beside(tmp_path / f"{box}::b/train.json", "dev.json") is None


def test_a_compressed_file_in_an_archive_is_read_and_what_is_packed_deeper_is_refused(tmp_path):
    _zip(tmp_path / "a.zip", {"rows.jsonl.gz": gzip.compress(LINES)})
    assert list(json_records(tmp_path / "a.zip")) == list(enumerate(ROWS, 1))
    _zip(tmp_path / "b.zip", {"a.zip": (tmp_path / "a.zip").read_bytes()})
    _refused(tmp_path / "b.zip", "b.zip::a.zip: an archive inside an archive")
    _zip(tmp_path / "c.zip", {"rows.gz": gzip.compress(gzip.compress(LINES))})
    _refused(tmp_path / "c.zip", "c.zip::rows.gz: gzip inside compressed data")
    (tmp_path / "d.gz").write_bytes(gzip.compress(gzip.compress(LINES)))
    _refused(tmp_path / "d.gz", "gzip inside compressed data")


def test_a_spreadsheet_and_an_archive_without_data_are_told(tmp_path):
    _refused(_zip(tmp_path / "a.xlsx", {"xl/workbook.xml": b"<x/>", "b.xml": b""}), "a spreadsheet. Save it as CSV")
    _refused(_zip(tmp_path / "a.zip", {"README.txt": b"Nothing here."}), "holds no data")


@pytest.mark.parametrize("name", ["../x.json", "a/../../x.json", "/etc/x.json", "..\\x.json", "C:\\x.json", "\\\\host\\x.json"])
@pytest.mark.parametrize("box", BOXES)
def test_a_name_that_leads_out_is_refused(tmp_path, box, name):
    path = BOXES[box](tmp_path / box, {"rows.jsonl": LINES, name: b"{}"})
    assert repr(name)[1:-1] in _refused(path, "leads out of the archive|an absolute name")


@pytest.mark.parametrize("name", ["rows.jsonl", "./rows.jsonl", "ROWS.jsonl"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as box:
        box.writestr("rows.jsonl", LINES)
        box.writestr(name, b"{}")
    _refused(tmp_path / "x.zip", f"'{name}' is there twice")
    with tarfile.open(tmp_path / "x.tar", "w") as box:
        for each in ("rows.jsonl", name):
            box.addfile(tarfile.TarInfo(each))
    _refused(tmp_path / "x.tar", f"'{name}' is there twice")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.FIFOTYPE, "a device or a pipe"),
    ],
)
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind, told, mode):
    with tarfile.open(tmp_path / "x.tar", mode) as box:
        info = tarfile.TarInfo("bad.json")
        info.type, info.linkname = kind, "/etc/passwd"
        box.addfile(info)
    _refused(tmp_path / "x.tar", f"'bad.json' is {told}")


@pytest.mark.parametrize(("kind", "told"), [(stat.S_IFLNK, "a link"), (stat.S_IFCHR, "a device"), (stat.S_IFIFO, "a pipe")])
def test_links_and_devices_in_a_zip_are_refused(tmp_path, kind, told):
    info = zipfile.ZipInfo("bad.json")
    info.external_attr = (kind | 0o777) << 16
    _zip(tmp_path / "x.zip", {info: b"/etc/passwd", "rows.jsonl": LINES})
    _refused(tmp_path / "x.zip", f"'bad.json' is {told}")


def test_an_encrypted_member_is_refused(tmp_path):
    data = bytearray(_zip(tmp_path / "x.zip", {"rows.jsonl": LINES}).read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(data)
    _refused(tmp_path / "x.zip", "'rows.jsonl' is encrypted")


def test_a_bomb_is_refused_by_what_it_says_before_it_is_unpacked(tmp_path):
    """100 MB of zeros in 100 KB, and a member that claims 4 GB."""
    path = _zip(tmp_path / "x.zip", {"rows.json": bytes(100_000_000)})
    tracemalloc.start()
    try:
        _refused(path, r"x.zip::rows.json: [\d,]+ packed bytes grow to 100,000,000 or more, over 500 times")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
    data = bytearray(_zip(path, {"rows.json": LINES}).read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 2**32 - 2)
    path.write_bytes(data)
    _refused(path, "rows.json: .*grow to 4,294,967,294")


@pytest.mark.parametrize("suffix", ["gz", "xz", "zst"])
def test_a_bomb_that_says_nothing_is_stopped_while_it_grows(tmp_path, suffix):
    (tmp_path / "x").write_bytes(PACKERS[suffix](b"[" + b" " * 100_000_000))
    tracemalloc.start()
    try:
        _refused(tmp_path / "x", "or more, over 500 times")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # xz's and zstd's windows are 8 MB.
    assert peak < 20_000_000


def test_a_bomb_inside_a_tar_is_stopped_while_its_index_is_read(tmp_path):
    _refused(_tar(tmp_path / "x.tar.gz", {"rows.json": bytes(100_000_000)}, "w:gz"), "x.tar.gz: .*over 500 times")


def test_members_that_share_their_bytes_are_refused(tmp_path):
    """Fifield's bomb: each member's ratio is innocent, and all of them are the same bytes."""
    data = _zip(tmp_path / "x.zip", {"aa.json": LINES, "bb.json": LINES}).read_bytes()
    first, second = data.index(b"PK\x01\x02"), data.rindex(b"PK\x01\x02")
    shared = bytearray(data)
    shared[second + 42 : second + 46] = data[first + 42 : first + 46]
    (tmp_path / "x.zip").write_bytes(shared)
    _refused(tmp_path / "x.zip", "'bb.json' is laid over another member")


def test_more_members_than_an_index_holds_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.sources.archives.MAX_MEMBERS", 3)
    for box in BOXES:
        path = BOXES[box](tmp_path / f"many-{box}", {f"{number}.json": b"{}" for number in range(4)})
        _refused(path, "over 3 members")


@pytest.mark.parametrize("size", [2**40, -512])
def test_a_tar_header_that_lies_about_its_size_ends_nowhere_and_takes_no_memory(tmp_path, size):
    """Python 3.11.7 follows a negative size for ever, and reads a long name as long as its header says."""
    for kind in (tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE):
        info = tarfile.TarInfo("long.json")
        info.type, info.size = kind, size
        header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
        (tmp_path / "x.tar").write_bytes(header + bytes(10_240))
        tracemalloc.start()
        try:
            _refused(tmp_path / "x.tar", "x.tar")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 2_000_000


@pytest.mark.parametrize("part", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("box", BOXES)
def test_an_archive_that_is_cut_is_refused_with_its_name(tmp_path, box, part):
    noise = random.Random(2)
    path = BOXES[box](tmp_path / box, {f"{name}.json": noise.randbytes(20_000) for name in "abc"})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(InputError, match=r"not a whole (zip|tar) archive"):
        archive(path)


def test_a_damaged_header_in_the_middle_of_a_tar_does_not_hide_the_members_behind_it(tmp_path):
    """tarfile takes it for the end, without a word."""
    path = _tar(tmp_path / "x.tar", {"a.json": LINES, "b.json": LINES, "c.json": LINES})
    data = bytearray(path.read_bytes())
    data[data.index(b"b.json") + 100] ^= 0xFF
    path.write_bytes(data)
    _refused(path, "not a whole tar archive after 'a.json'")


def test_a_member_whose_bytes_are_damaged_names_the_last_good_record(tmp_path):
    data = bytearray(_zip(tmp_path / "x.zip", {"rows.jsonl": LINES}).read_bytes())
    data[len(LINES) // 40] ^= 0xFF
    (tmp_path / "x.zip").write_bytes(data)
    _refused(tmp_path / "x.zip", r"not JSON after record \d+: .*cut or damaged")


def test_a_packed_array_is_read_in_flat_memory(tmp_path):
    noise = random.Random(3)
    rows = b",".join(json.dumps({"a": noise.randbytes(150).hex()}).encode() for _ in range(40_000))
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(b"[" + rows + b"]", 1))
    _tar(tmp_path / "x.tar.gz", {"x.json": b"[" + rows + b"]"}, "w:gz")
    del rows
    for name in ("x.json.gz", "x.tar.gz"):
        tracemalloc.start()
        try:
            assert sum(1 for _ in json_records(tmp_path / name)) == 40_000
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 4_000_000, f"{peak:,} bytes at once for 12 MB of {name}"


@pytest.mark.parametrize("name", ["slake", "mts_dialog", "pubmedqa", "healthcaremagic", "iu_xray"])
def test_a_corpus_in_an_archive_gives_the_records_of_the_unpacked_one(tmp_path, name):
    path = PUBLISHED[name][0].write(tmp_path)
    whole = list(CORPORA[name].read(path))
    members = {f"release/{key}": data for key, data in PUBLISHED[name][0].files.items()}
    _zip(tmp_path / "all.zip", members)
    inside = tmp_path / f"all.zip::release/{path.name}"
    assert list(CORPORA[name].read(inside)) == whole
    assert identify(inside)[0] == name
    assert check(inside, name)["records"] == len(whole)


def _settings(tmp_path, source, **changes):
    return Settings(name="t", workspace=tmp_path / "work", root=tmp_path, sources=(source,), **changes)


def test_ingest_names_the_member_as_the_origin_and_sees_that_the_archive_has_changed(tmp_path):
    members = {"train.json": PUBLISHED["slake"][0].files["train.json"]}
    _zip(tmp_path / "all.zip", members)
    settings = _settings(
        tmp_path, SourceSettings(corpus="slake", path=tmp_path / "all.zip::train.json", missing_images="text_only")
    )
    workspace = Workspace(tmp_path / "work")
    (before,) = ingest_source(settings, workspace, 0)
    assert {sample.origin.file for sample in workspace.rows("ingest", Sample, "samples")} == {"all.zip::train.json"}
    (again,) = ingest_source(settings, workspace, 0)
    _zip(tmp_path / "all.zip", members | {"train.json": members["train.json"].replace(b"Heart", b"Liver")})
    (after,) = ingest_source(settings, workspace, 0)
    assert before.fingerprint == again.fingerprint != after.fingerprint


def test_a_benchmark_beside_a_source_is_found_in_its_archive(tmp_path):
    data = PUBLISHED["slake"][0].files["train.json"]
    _zip(tmp_path / "all.zip", {"s/train.json": data, "s/test.json": data})
    settings = _settings(
        tmp_path,
        SourceSettings(corpus="slake", path=tmp_path / "all.zip::s/train.json"),
        curate=CurateSettings(benchmarks=("slake:test",)),
    )
    assert benchmark_source(settings, "slake:test").path == tmp_path / "all.zip::s/test.json"
    ((_, _, size, _),) = benchmark_files(settings)
    assert size == (tmp_path / "all.zip").stat().st_size


def test_a_config_takes_a_path_into_an_archive_and_says_which_archive_is_not_there(tmp_path):
    _zip(tmp_path / "all.zip", {"train.json": b"[]"})
    config = tmp_path / "run.yaml"
    config.write_text("name: t\nsources:\n  - {corpus: slake, path: 'all.zip::train.json', images: 'all.zip::imgs'}\n")
    assert load_settings(config).sources[0].path == tmp_path / "all.zip::train.json"
    config.write_text("name: t\nsources:\n  - {corpus: slake, path: 'gone.zip::train.json'}\n")
    with pytest.raises(InputError, match=r"gone\.zip::train\.json does not exist"):
        load_settings(config)


def test_a_file_that_is_really_called_so_is_a_file(tmp_path):
    path = tmp_path / "a::b.jsonl"
    path.write_bytes(LINES)
    assert there(path)
    assert files(path) == [path]
    assert list(json_records(path)) == list(enumerate(ROWS, 1))
