"""Python pickles (PathVQA's questions) as plain data, without running what is in them.

In: a pickle of lists, dicts, tuples, sets, text, numbers and bytes. Out: the records of its top-level list, as JSON has them.
A pickle that asks for any class or function is refused by name, and so is one that would grow over its file: its operations are
looked at one by one before it is loaded.
"""

import io
import pickle
import pickletools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from pipeline.sources.containers import open_source
from schemas.errors import InputError

#: Stands among the field names of what is read from a pickle: a corpus reads it only where a form of its names it.
PICKLE = "(pickle)"
#: PathVQA's largest is 3 MB. A pickle is loaded whole.
MAX_BYTES = 64 * 2**20
_PIECE = 2**18
#: Operations that build plain data. Those that import or call stand in _CALLS.
_PLAIN = frozenset(
    {
        "PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "GET", "BINGET", "LONG_BINGET", "PUT", "BINPUT", "LONG_BINPUT",
        "MEMOIZE", "NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT",
        "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
        "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "EMPTY_LIST", "LIST", "APPEND", "APPENDS", "EMPTY_TUPLE",
        "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "EMPTY_SET", "ADDITEMS", "FROZENSET",
    }
)  # fmt: skip
_CALLS = frozenset({"GLOBAL", "STACK_GLOBAL", "REDUCE"})
_PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
#: What older protocols write sets and bytes with.
_ALLOWED = {
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("__builtin__", "frozenset"): frozenset,
}
_FAULTS = (
    pickle.UnpicklingError, EOFError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError,
    RecursionError, ImportError,
)  # fmt: skip


def is_pickle(path: Path, head: bytes) -> bool:
    """By the first bytes, or by the name: protocols 0 and 1 have no mark."""
    return (head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")) or ".pkl" in path.suffixes[-2:]


def pickle_records(path: Path) -> Iterator[tuple[int, Any]]:
    """Elements of the pickled list; one that JSON has no form for comes as None. Raises InputError for what is not plain data."""
    data = _whole(path)
    _check(path, data)
    try:
        found = _Unpickler(path, data).load()
    except InputError:
        raise
    except _FAULTS as error:
        raise _broken(path, error) from None
    if not isinstance(found, list):
        raise InputError(f"{path}: the pickle holds a {type(found).__name__}, expected a list of records. Check `path:`.")
    copy = _Copy(path, len(data))
    for row, value in enumerate(found, 1):
        yield row, copy.plain(value)


def _whole(path: Path) -> bytes:
    data = bytearray()
    with open_source(path) as file:
        try:
            while piece := file.read(_PIECE):
                data += piece
                if len(data) > MAX_BYTES:
                    raise InputError(f"{path}: a pickle of over {MAX_BYTES:,} bytes. Take the corpus's other form.")
        except OSError as error:
            raise _broken(path, error) from None
    return bytes(data)


class _Unpickler(pickle.Unpickler):
    def __init__(self, path: Path, data: bytes) -> None:
        # Python 2's strings are bytes in an encoding that nothing names.
        super().__init__(io.BytesIO(data), encoding="utf-8", errors="replace")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):
            return _latin
        if (module, name) not in _ALLOWED:
            _refuse(self._path, f"asks for {module}.{name}")
        return _ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> Any:
        _refuse(self._path, "asks for an object outside it")


def _latin(text: str, encoding: str) -> bytes:
    """How protocols 0 to 2 write bytes."""
    if encoding != "latin1" or not isinstance(text, str):
        raise pickle.UnpicklingError("text in an encoding that pickles do not use")
    return text.encode("latin1")


def _check(path: Path, data: bytes) -> None:
    """Refuse by the operations alone: those that import, call or build objects, and lengths and numbers beyond the file."""
    try:
        for operation, argument, _ in pickletools.genops(data):
            if operation.name in _CALLS:
                continue
            if operation.name not in _PLAIN:
                _refuse(path, f"builds objects ({operation.name})")
            # The loader makes room for the number that is named: 2**31 are 34 GB.
            if operation.name in _PUTS and not 0 <= int(argument or 0) <= len(data):
                _refuse(path, f"remembers item {argument} of a file of {len(data)} bytes")
    except InputError:
        raise
    except _FAULTS as error:
        raise _broken(path, error) from None


class _Copy:
    """Values as JSON has them. What refers to itself, or repeats a part until it is larger than the file, is refused."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._left = size

    def plain(self, value: Any) -> Any:
        """The value; None where a key is no text or number."""
        try:
            return self._plain(value)
        except (TypeError, RecursionError):
            return None

    def _plain(self, value: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            _refuse(self._path, "repeats its parts until they are larger than the file")
        if isinstance(value, dict):
            return {self._key(key): self._plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._plain(item) for item in value]
        if isinstance(value, set | frozenset):
            return sorted((self._plain(item) for item in value), key=repr)
        if isinstance(value, bytes | bytearray):
            return bytes(value).decode("utf-8", "replace")
        if isinstance(value, int) and not -(2**63) <= value < 2**64:
            return f"{value:d}" if value.bit_length() < 4096 else "inf"
        return _text(value) if isinstance(value, str) else value

    def _key(self, key: Any) -> str:
        if not isinstance(key, str | int | float | bytes):
            raise TypeError("no key of JSON")
        return key.decode("utf-8", "replace") if isinstance(key, bytes) else _text(str(key))


def _text(value: str) -> str:
    """Pickles keep halves of characters that UTF-8 has no form for."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _refuse(path: Path, why: str) -> NoReturn:
    raise InputError(f"{path}: the pickle {why}, which plain data does not. Nothing of it was run; take the corpus's other form.")


def _broken(path: Path, error: Exception) -> InputError:
    told = " ".join(str(error).split())[:120] or type(error).__name__
    return InputError(f"{path}: not a whole pickle: {told}. The file is cut or damaged; download it again.")
