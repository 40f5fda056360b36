"""MMLU's medical subsets: CSV without a header, one file a subject, which the file's name tells; or Hugging Face's records.

Always test. `None` and `NA` are options, not gaps; cells hold line breaks and quotes.
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.sources.base import Corpus, Record, dropped, text, unparsed
from pipeline.sources.choices import Asked, choice, options_of
from pipeline.sources.containers import open_source
from pipeline.sources.parquet import PARQUET
from pipeline.sources.streams import json_records, sniff
from schemas.errors import InputError

#: The six that count as Medical MMLU.
SUBJECTS = (
    "anatomy", "clinical_knowledge", "college_biology", "college_medicine", "medical_genetics", "professional_medicine",
)  # fmt: skip
_COLUMNS = ("question", "A", "B", "C", "D", "answer")
_HOSTED = ("question", "subject", "choices", "answer")


def columns_of(path: Path) -> set[str]:
    """MMLU's columns when the first row of a CSV is a question with four options and a letter, else nothing."""
    cells = next((cells for _, cells in _rows(path)), None)
    return set(_COLUMNS) if cells and len(cells) == len(_COLUMNS) and cells[-1].strip() in set("ABCD") else set()


def _read(path: Path) -> Iterator[Record]:
    return _read_csv(path) if sniff(path) == "csv" else _read_hosted(path)


def _read_csv(path: Path) -> Iterator[Record]:
    subject = _subject(path)
    for row, cells in _rows(path):
        if cells is None or len(cells) != len(_COLUMNS):
            yield unparsed(row)
            continue
        question, *options, letter = (cell.strip() for cell in cells)
        asked = Asked(question=question, options=tuple(options), letter=letter, topic=subject)
        yield choice(dict(zip(_COLUMNS, cells, strict=True)), row, f"{path.stem}-{row}", asked, "test")


def _read_hosted(path: Path) -> Iterator[Record]:
    for row, raw in json_records(path):
        if not isinstance(raw, dict):
            yield unparsed(row)
            continue
        subject, answer, name = text(raw, "subject"), text(raw, "answer"), f"{text(raw, 'subject') or path.stem}-{row}"
        if subject and subject not in SUBJECTS:
            yield dropped(raw, row, name, "other_subject", f"the subject is {subject}")
            continue
        # A place from 0, unless the file has letters.
        letter = "ABCD"[int(answer)] if answer in ("0", "1", "2", "3") else answer
        asked = Asked(question=text(raw, "question"), options=options_of(raw.get("choices")), letter=letter, topic=subject)
        yield choice(raw, row, name, asked, "test")


def _subject(path: Path) -> str:
    stem = path.name.split(".")[0].lower()
    found = re.fullmatch(r"(.+?)_(?:dev|val|validation|test)", stem)
    if found and found.group(1) not in SUBJECTS:
        raise InputError(f"{path}: {found.group(1)} is none of MMLU's medical subjects: {', '.join(SUBJECTS)}.")
    return next((subject for subject in SUBJECTS if subject in stem), "")


def _rows(path: Path) -> Iterator[tuple[int, list[str] | None]]:
    """Rows as cells; None where quotes are wrong. Raises InputError for what is no CSV at all."""
    if sniff(path) != "csv":
        return
    row = 0
    with io.TextIOWrapper(open_source(path), encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file, strict=True)
        while True:
            row += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except OSError as error:
                raise InputError(f"{path}: cut after line {reader.line_num}: {error}. Download it again.") from None
            except csv.Error as error:
                if "end of data" in str(error):
                    raise InputError(f"{path}: not CSV after line {reader.line_num}: a quoted cell is never closed.") from None
                yield row, None
                continue
            if any(cells) or len(cells) > 1:
                yield row, cells
            else:
                row -= 1


MMLU = Corpus(
    name="mmlu",
    title="MMLU: the six medical subjects; always test",
    tasks=("mcq",),
    layout="data/test/<subject>_test.csv (also _dev, _val): no header; the subject comes from the name",
    fields="question, four options, letter; Hugging Face's: question, subject, choices, answer (from 0)",
    fingerprint=_COLUMNS,
    forms=((*_HOSTED, PARQUET), _HOSTED),
    licence="MIT",
    access="open",
    redistribution=True,
    derivatives=True,
    citation="Hendrycks et al., MMLU, ICLR 2021",
    counts="135 anatomy, 265 clinical_knowledge, 144 college_biology, 173 college_medicine, 100 medical_genetics, "
    "272 professional_medicine",
    read=_read,
)
