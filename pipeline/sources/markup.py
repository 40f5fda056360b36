"""XML of strangers, read safely: no entities of their own, no DTD, no network, bounded size. One file is one tree in memory.

In: a file, a folder or an archive of files. Out: root elements and their text. What cannot be read is an InputError.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from pipeline.sources.archives import archive, is_archive
from pipeline.sources.containers import INSIDE, open_source, split
from schemas.errors import InputError

#: Longest file, in bytes. A page of MedQuAD has some kilobytes, LiveQA's one file less than a megabyte.
_FILE_BYTES = 67_108_864
_GAP = re.compile(r"\n[ \t\r]*\n")
#: A list item in text that has lost its line breaks: `such as          - swelling`.
_BULLET = re.compile(r"\s{2,}[-•] (?=\S)")
_HTML = re.compile(rb"<(?:!doctype html|html)")


def is_xml(path: Path) -> bool:
    """Whether a path is XML, a folder with some, or an archive of mostly such files.

    A web page, which a failed download leaves in place of the data, is none.
    """
    if path.is_dir():
        return next(files(path), None) is not None
    if split(path)[1] is None and is_archive(path):
        names = archive(path).names()
        if "xl/workbook.xml" in names:
            return False  # A spreadsheet; what reads its bytes says so.
        return 2 * sum(name.endswith(".xml") for name in names) > len(names)
    with open_source(path) as file:
        head = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return head.startswith(b"<") and not _HTML.match(head)


def files(path: Path) -> Iterator[Path]:
    """The file itself, or every `*.xml` in a folder or archive in the order of their names, the same on every machine."""
    if path.is_dir():
        yield from sorted((one for one in path.rglob("*.xml") if one.is_file()), key=lambda one: one.relative_to(path).parts)
    elif split(path)[1] is None and is_archive(path):
        inside = (name.split("/") for name in archive(path).names() if name.endswith(".xml"))
        yield from (Path(f"{path}{INSIDE}{'/'.join(parts)}") for parts in sorted(inside))
    else:
        yield path


def tree(path: Path) -> Any:
    """The root element. Raises InputError for what is no XML, is longer than 64 MiB or brings entities of its own."""
    # Every safeguard by name: lxml's defaults have changed between versions.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(_bytes(path), parser)
    except etree.XMLSyntaxError as error:
        raise InputError(f"{path}: not XML: {' '.join(str(error.msg).split())[:160]}. Download it again.") from None
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and any(True for _ in dtd.iterentities()):
        raise InputError(f"{path}: it declares entities of its own, which are not followed. Download it again.")
    return root


def _bytes(path: Path) -> bytes:
    outer, inner = split(path)
    long = InputError(f"{path}: longer than {_FILE_BYTES:,} bytes, which no file of this corpus is.")
    try:
        if inner is not None and inner in archive(outer).names():
            if archive(outer).size(inner) > _FILE_BYTES:
                raise long
            return archive(outer).read(inner)
        with open_source(path) as file:
            data = file.read(_FILE_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {' '.join(str(error).split())[:160]}. Download it again.") from None
    if len(data) > _FILE_BYTES:
        raise long
    return data


def tags(path: Path) -> set[str]:
    """Names of the root and of its children: of the file, or of the first file in a folder or archive that is XML."""
    for file in files(path):
        try:
            root = tree(file)
        except InputError:
            if file == path:
                raise
            continue
        return {root.tag, *(child.tag for child in root)}
    return set()


def prose(element: Any) -> str:
    """An element's text without the layout of its file: paragraphs and list items on lines of their own, single blanks."""
    words = "" if element is None else "".join(element.itertext())
    lines = _BULLET.sub("\n\n- ", words)
    return "\n".join(line for part in _GAP.split(lines) if (line := " ".join(part.split())))
