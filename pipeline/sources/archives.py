"""Zip and tar archives read by member. Nothing is written to disk but a compressed tar whose members are wanted in any order.

In: an archive. Out: an index of its files, each opened or read by name. An archive with a name that leads out, a link, a device,
a name that occurs twice, or more than the limits allow is one InputError that names the member, before anything is unpacked.
"""

import io
import os
import posixpath
import re
import stat
import tarfile
import tempfile
import threading
import weakref
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NoReturn

from pipeline.sources.unpack import Limited, check_growth, compression, opened
from schemas.errors import InputError

#: PMC-OA's 1.65 million figures pass; each costs 830 bytes of memory in a zip's index, 340 in a tar's.
MAX_MEMBERS = 2_000_000
#: A zip's list of members, which is read whole: 128 bytes a member.
_MAX_DIRECTORY = 256 * 2**20
#: A tar header with its long names; tarfile would read what the header claims.
_MAX_HEADER = 2**20
_PIECE = 2**20
_LOCAL_HEADER = 30
_KINDS = {stat.S_IFLNK: "a link", stat.S_IFBLK: "a device", stat.S_IFCHR: "a device", stat.S_IFIFO: "a pipe"}
_TAR_FAULTS = (tarfile.TarError, OSError, EOFError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError)


class Archive(ABC):
    """The files of one archive, by name with forward slashes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def listing(self) -> Iterator[tuple[str, int, int]]:
        """(name, unpacked bytes, checksum or 0) of each file: what tells that the archive has changed."""

    @abstractmethod
    def names(self) -> Collection[str]:
        """Of all files; `in` is quick."""

    @cached_property
    def shared(self) -> str:
        """The folder, of several levels where need be, that all files lie in; what macOS and editors add does not count."""
        folders = {name.rpartition("/")[0] for name in self.names() if not re.match(r"__MACOSX/|(.*/)?\.", name)}
        return posixpath.commonpath(folders) if folders and "" not in folders else ""

    @abstractmethod
    def size(self, name: str) -> int:
        """Unpacked bytes, as the archive says."""

    @abstractmethod
    def open(self, name: str) -> io.BufferedReader:
        """A file's bytes from its beginning; OSError where they are cut or damaged. InputError when there is no such file."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """A file's bytes at once; the caller has looked at its size. OSError where they are cut or damaged."""


def is_archive(path: Path) -> bool:
    """Whether a file begins as a zip or a tar does, the tar's compression taken off."""
    try:
        with opened(path) as file:
            head = file.peek(512)
    except OSError:
        return False
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or head[257:262] == b"ustar"


def archive(path: Path, scratch: Path | None = None) -> Archive:
    """The archive with its index, which is kept: a tar's takes a pass over the file, a zip's 16 s for a million members.

    `scratch` is the folder for a compressed tar's unpacked copy, made when a member is first wanted by `read` and gone with the
    process. Raises InputError for what is no archive and for one that is not safe.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}.") from None
    return _archive(path, scratch, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=4)
def _archive(path: Path, scratch: Path | None, size: int, mtime_ns: int) -> Archive:
    with path.open("rb") as file:
        head = file.read(4)
    return _Zip(path) if head[:2] == b"PK" else _Tar(path, scratch, compression(head + b"\0\0\0\0") is not None)


class _Zip(Archive):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        file = _Directory(path)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            file.close()
            raise InputError(f"{path}: not a whole zip archive ({' '.join(str(error).split())}). Download it again.") from None
        weakref.finalize(self, file.close)
        weakref.finalize(self, self._zip.close)
        self._infos = _zip_members(path, self._zip.infolist())

    def listing(self) -> Iterator[tuple[str, int, int]]:
        for name, info in self._infos.items():
            yield name, info.file_size, info.CRC

    def names(self) -> Collection[str]:
        return self._infos.keys()

    def size(self, name: str) -> int:
        return self._infos[name].file_size

    def open(self, name: str) -> io.BufferedReader:
        info = _found(self, self._infos, name)
        told = f"{self.path}::{name}"
        try:
            member = self._zip.open(info)
        except (NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
            raise InputError(f"{told}: cannot be unpacked ({error}). Unpack the archive with another program.") from None
        return io.BufferedReader(Limited(told, member, info.compress_size), _PIECE)

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return file.read()


class _Directory(io.FileIO):
    """The file under a zip: zipfile reads the list of members whole, however long the archive says it is."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_DIRECTORY:
            raise InputError(f"{self.name}: its list of members is {size:,} bytes long, at most {_MAX_DIRECTORY:,} are read.")
        return super().read(size)


def _zip_members(path: Path, infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    names = _Names(path)
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            _refuse(path, info.filename, _KINDS.get(kind, "not a file"))
        name = names.add(info.filename, info.file_size, folder=info.is_dir())
        if info.is_dir():
            continue
        if info.flag_bits & 1:
            _refuse(path, name, "encrypted")
        check_growth(f"{path}::{name}", info.file_size, info.compress_size)
        found[name] = info
    _check_overlap(path, infos)
    return found


def _check_overlap(path: Path, infos: list[zipfile.ZipInfo]) -> None:
    """Members that share their bytes make a bomb whose ratio no single one shows (Fifield 2019: 10 MB to 281 TB)."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            _refuse(path, info.filename, "laid over another member")
        end = info.header_offset + _LOCAL_HEADER + info.compress_size


class _Tar(Archive):
    def __init__(self, path: Path, scratch: Path | None, compressed: bool) -> None:
        super().__init__(path)
        self._scratch = scratch
        self._lock = threading.Lock()
        self._members = _tar_members(path)
        self._plain = None if compressed else self._keep(os.open(path, os.O_RDONLY))

    def _keep(self, number: int) -> int:
        weakref.finalize(self, os.close, number)
        return number

    def listing(self) -> Iterator[tuple[str, int, int]]:
        for name, (_, size) in self._members.items():
            yield name, size, 0

    def names(self) -> Collection[str]:
        return self._members.keys()

    def size(self, name: str) -> int:
        return self._members[name][1]

    def open(self, name: str) -> io.BufferedReader:
        start, size = _found(self, self._members, name)
        file = opened(self.path)
        _skip(file, start)
        return io.BufferedReader(Limited(f"{self.path}::{name}", _Slice(file, size), size, file), _PIECE)

    def read(self, name: str) -> bytes:
        start, size = _found(self, self._members, name)
        with self._lock:
            if self._plain is None:
                self._plain = self._keep(self._unpack())
        data = os.pread(self._plain, size, start)
        if len(data) < size:
            raise OSError("the archive ends inside it")
        return data

    def _unpack(self) -> int:
        """An unnamed copy without compression; the last close, or the end of the process, frees it."""
        if self._scratch is not None:
            self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._scratch) as copy, opened(self.path) as file:
            while piece := file.read(_PIECE):
                copy.write(piece)
            copy.flush()
            return os.dup(copy.fileno())


class _Headers:
    """What tarfile reads from: forward only, in pieces of a header's size. Python 3.11.7 follows a negative size for ever."""

    def __init__(self, path: Path, file: io.BufferedReader) -> None:
        self._path = path
        self._file = file
        self._at = 0
        self.block = b""

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _MAX_HEADER:
            raise InputError(f"{self._path}: a header of {size:,} bytes after byte {self._at:,}. It is damaged or not safe.")
        self.block = self._file.read(size)
        self._at += len(self.block)
        return self.block

    def seek(self, place: int) -> None:
        if place < self._at:
            raise tarfile.ReadError("a header that leads back")
        if self._file.seekable():
            self._file.seek(place)
        else:
            _skip(self._file, place - self._at)
        self._at = place

    def tell(self) -> int:
        return self._at


def _tar_members(path: Path) -> dict[str, tuple[int, int]]:
    """(where the file's bytes begin, how many there are) in the tar without its compression."""
    names = _Names(path)
    found: dict[str, tuple[int, int]] = {}
    last = "the beginning"
    try:
        with opened(path) as file:
            headers = _Headers(path, file)
            tar = tarfile.TarFile(fileobj=headers, mode="r")  # type: ignore[arg-type]
            while (member := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # else it keeps every member's header
                last = member.name
                name = names.add(member.name, member.size, folder=member.isdir())
                if not member.isdir():
                    _check_file(path, member)
                    found[name] = (member.offset_data, member.size)
            if headers.block.strip(b"\0"):
                raise tarfile.ReadError("no header where one should be")
    except InputError:
        raise
    except _TAR_FAULTS as error:
        told = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path}: not a whole tar archive after {last[:80]!r}: {told}. Download it again.") from None
    return found


def _check_file(path: Path, member: tarfile.TarInfo) -> None:
    if member.issym() or member.islnk():
        _refuse(path, member.name, "a link")
    if member.isdev():
        _refuse(path, member.name, "a device or a pipe")
    if not member.isreg() or member.issparse():
        _refuse(path, member.name, "a file with holes" if member.isreg() else "not a file")


class _Slice:
    """The next `left` bytes of a stream."""

    def __init__(self, file: io.BufferedReader, left: int) -> None:
        self._file = file
        self._left = left

    def read1(self, size: int) -> bytes:
        data = self._file.read1(min(size, self._left))
        if not data and self._left:
            raise OSError("the archive ends inside it")
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()


class _Names:
    """Admits names one by one, counting members and bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: set[str] = set()
        self._bytes = 0
        self._count = 0

    def add(self, name: str, size: int, folder: bool) -> str:
        """The name with forward slashes and without `./`. Raises InputError for one that a safe archive does not have."""
        self._count += 1
        self._bytes += size
        if self._count > MAX_MEMBERS:
            raise InputError(f"{self._path}: over {MAX_MEMBERS:,} members. Split it, or name an unpacked folder in the config.")
        check_growth(str(self._path), self._bytes, self._bytes)
        plain = name.replace("\\", "/")
        if plain.startswith("/") or re.match("[A-Za-z]:", plain):
            _refuse(self._path, name, "an absolute name")
        parts = [part for part in plain.split("/") if part not in ("", ".")]
        if ".." in parts:
            _refuse(self._path, name, "a name that leads out of the archive")
        if size < 0 or "\0" in plain or not (parts or folder):
            _refuse(self._path, name, "no name of a file" if size >= 0 else "of negative size")
        plain = "/".join(parts)
        if not folder:
            # Names that differ in case alone are one file on two of three systems.
            if plain.casefold() in self._seen:
                _refuse(self._path, name, "there twice")
            self._seen.add(plain.casefold())
        return plain


def _found(box: Archive, members: dict[str, Any], name: str) -> Any:
    if name not in members:
        some = ", ".join(sorted(members)[:8]) or "nothing"
        raise InputError(f"{box.path}::{name}: not in the archive, which holds {some}{' …' if len(members) > 8 else ''}.")
    return members[name]


def _refuse(path: Path, name: str, why: str) -> NoReturn:
    raise InputError(f"{path}: its member {name[:120]!r} is {why}. Nothing was read; take the archive from its publisher again.")


def _skip(file: io.BufferedReader, count: int) -> None:
    while count > 0:
        piece = file.read(min(count, _PIECE))
        if not piece:
            return
        count -= len(piece)
