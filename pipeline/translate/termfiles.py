"""Files of terms and of translated segments: TSV, TBX (version 2 `martif` and 3 `tbx`) and TMX 1.4, in and out.

In: a path; the suffix decides. Out: terms or segment pairs, each with its file and line, texts in NFC without bidi marks and
runs of blanks. Lost: entries that have no English or no Arabic (counted), terms that a TBX file calls deprecated. XML is read
as a stream, without DTDs, network or entities: a file that declares an entity is refused.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lxml import etree

from schemas.errors import InputError, input_error

Gender = Literal["m", "f", "mf", "-"]
COLUMNS = ("en", "ar", "gender", "domain", "variants", "note", "synonyms")
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_TBX = "urn:iso:std:iso:30042:ed-2"
_GENDERS: dict[str, Gender] = {"m": "m", "f": "f", "mf": "mf", "-": "-", "": "-"}
_TBX_GENDERS: dict[str, Gender] = {"masculine": "m", "feminine": "f", "other": "mf"}
#: Marks of direction: they are invisible, come with text copied from a page, and make equal terms unequal.
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
#: What XML cannot hold, and no term needs.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_ARABIC = re.compile("[\u0621-\u06d3]")
#: Inline codes of TMX: markup of the tool that made the file, not words of the segment.
_CODES = frozenset({"bpt", "ept", "ph", "it", "ut"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One English term and its Arabic."""

    en: str
    ar: str
    """The preferred form, as it stands in a dictionary: indefinite, without harakat."""
    gender: Gender = "-"
    """Of the Arabic head noun; mf: both are in use; -: an adjective or a phrase."""
    domain: str = ""
    variants: tuple[str, ...] = ()
    """Other acceptable Arabic forms."""
    note: str = ""
    synonyms: tuple[str, ...] = ()
    """Other English names. One written in capitals (PET, AIDS) is matched in capitals only."""

    @property
    def arabic(self) -> tuple[str, ...]:
        """Every acceptable Arabic form, the preferred one first."""
        return (self.ar, *self.variants)

    @property
    def english(self) -> tuple[str, ...]:
        """Every English name, the main one first."""
        return (self.en, *self.synonyms)


class Placed(NamedTuple):
    """A term and where it stands."""

    term: Term
    place: str
    """file:line"""


class Pair(NamedTuple):
    """A segment of a translation memory. `access` is empty where the file does not tell."""

    place: str
    source: str
    target: str
    access: str


def read_terms(path: Path) -> tuple[list[Placed], int]:
    """The terms of a file, and how many entries lack one of the two languages.

    Raises InputError, with file and line, for what is no such file, an entry that is wrong, or a file without any term.
    """
    entries = list(_reader(path, {".tsv": _tsv_terms, ".tbx": _tbx_terms, ".tmx": _tmx_terms})(path))
    placed = [entry for entry in entries if entry]
    if not placed:
        raise InputError(f"{path}: none of {len(entries)} entries has both English (en) and Arabic (ar). Is it the right file?")
    return placed, len(entries) - len(placed)


def read_pairs(path: Path) -> Iterator[Pair | None]:
    """The segments of a file, one at a time; None for an entry that lacks one of the two languages. Errors as `read_terms`."""
    return _reader(path, {".tsv": _term_pairs, ".tbx": _term_pairs, ".tmx": _tmx_pairs})(path)


def to_tsv(terms: Iterable[Term]) -> bytes:
    """Tab-separated values with a header, lists joined by `|`."""
    out = io.StringIO()
    writer = csv.writer(out, dialect="excel-tab", lineterminator="\n")
    writer.writerow(COLUMNS)
    for term in terms:
        lists = "|".join(term.variants), "|".join(term.synonyms)
        writer.writerow((term.en, term.ar, term.gender, term.domain, lists[0], term.note, lists[1]))
    return out.getvalue().encode()


def to_tbx(terms: Iterable[Term]) -> bytes:
    """TBX-Basic, ISO 30042:2019 in DCA style: one concept a term, its preferred and admitted forms by language."""
    root = etree.Element(f"{{{_TBX}}}tbx", {"style": "dca", "type": "TBX-Basic", _LANGUAGE: "en"}, nsmap={None: _TBX})
    description = _under(_under(root, "tbxHeader"), "fileDesc")
    _under(_under(description, "sourceDesc"), "p", "Glossary of bimedv")
    body = _under(_under(root, "text"), "body")
    for number, term in enumerate(terms, 1):
        concept = _under(body, "conceptEntry", id=f"c{number}")
        if term.domain:
            _under(concept, "descrip", term.domain, type="subjectField")
        if term.note:
            _under(concept, "note", term.note)
        for language, names in (("en", term.english), ("ar", term.arabic)):
            section = _under(concept, "langSec")
            section.set(_LANGUAGE, language)
            for name in names:
                one = _under(section, "termSec")
                _under(one, "term", name)
                preferred = name == names[0]
                _under(one, "termNote", f"{'preferred' if preferred else 'admitted'}Term-admn-sts", type="administrativeStatus")
                gender = next((word for word, letter in _TBX_GENDERS.items() if letter == term.gender), None)
                if gender and preferred and language == "ar":
                    _under(one, "termNote", gender, type="grammaticalGender")
    return _xml(root)


def to_tmx(terms: Iterable[Term]) -> bytes:
    """TMX 1.4 with terms as segments; gender, domain, variants and synonyms as properties, so that nothing is lost."""
    root = etree.Element("tmx", version="1.4")
    header = {"creationtool": "bimedv", "creationtoolversion": "1", "segtype": "phrase", "o-tmf": "bimedv"}
    _under(root, "header", **header, adminlang="en", srclang="en", datatype="plaintext")
    body = _under(root, "body")
    for number, term in enumerate(terms, 1):
        unit = _under(body, "tu", tuid=f"c{number}")
        if term.note:
            _under(unit, "note", term.note)
        props = [("gender", term.gender), ("domain", term.domain)]
        props += [("variant", form) for form in term.variants] + [("synonym", name) for name in term.synonyms]
        for kind, value in props:
            if value:
                _under(unit, "prop", value, type=f"x-{kind}")
        for language, text in (("en", term.en), ("ar", term.ar)):
            variant = _under(unit, "tuv")
            variant.set(_LANGUAGE, language)
            _under(variant, "seg", text)
    return _xml(root, '<!DOCTYPE tmx SYSTEM "tmx14.dtd">')


FORMATS: dict[str, Callable[[Iterable[Term]], bytes]] = {"tsv": to_tsv, "tbx": to_tbx, "tmx": to_tmx}


def tidy(text: str) -> str:
    """NFC, without marks of direction, one blank between words."""
    return " ".join(unicodedata.normalize("NFC", _BIDI.sub("", text)).split())


def fault_of(source: str, target: str) -> str | None:
    """What is wrong with a pair as it was tidied, or None."""
    for name, text in (("en", source), ("ar", target)):
        if not text:
            return f"{name} is empty. Fill it in, or take the entry out."
        if _FORBIDDEN.search(text):
            return f"{name} is {text!r}, which has a control character. Take it out."
    if not _ARABIC.search(target) and source != target:
        return f"ar is {target!r}, which has no Arabic letter. Are the columns swapped? What stays Latin is the same in both."
    return None


def _term(place: str, raw: dict[str, Any]) -> Placed:
    en, ar, note = tidy(raw["en"]), tidy(raw["ar"]), tidy(raw.get("note", ""))
    domain, gender = tidy(raw.get("domain", "")), tidy(raw.get("gender", ""))
    variants, synonyms = _forms(raw.get("variants", ()), ar), _forms(raw.get("synonyms", ()), en)
    fault = fault_of(en, ar)
    rest = next((text for text in (note, domain, *variants, *synonyms) if _FORBIDDEN.search(text)), None)
    if rest is not None:
        fault = f"{rest!r} has a control character. Take it out."
    if fault:
        raise InputError(f"{place}: {fault}")
    if gender not in _GENDERS:
        raise input_error(place, "gender", gender, "Expected m, f, mf, or - for none.")
    return Placed(
        Term(en=en, ar=ar, gender=_GENDERS[gender], domain=domain, variants=variants, note=note, synonyms=synonyms), place
    )


def _forms(texts: Iterable[str], main: str) -> tuple[str, ...]:
    """Forms beside the main one, each once; `|` parts them in every format."""
    parts = (tidy(part) for text in texts for part in text.split("|"))
    return tuple(dict.fromkeys(part for part in parts if part and part != main))


def _reader(path: Path, readers: dict[str, Callable[[Path], Iterator[Any]]]) -> Callable[[Path], Iterator[Any]]:
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise input_error(str(path), "suffix", path.suffix, "Expected .tsv, .tbx or .tmx.")
    if not path.is_file():
        raise InputError(f"{path}: no such file.")
    return reader


def _tsv_terms(path: Path) -> Iterator[Placed | None]:
    rows = _tsv_rows(path)
    header = next(rows, (1, []))[1]
    unknown = [name for name in header if name not in COLUMNS]
    if not {"en", "ar"} <= set(header) or unknown or len(set(header)) < len(header):
        raise input_error(f"{path}:1", "header", "\t".join(header), f"Expected en, ar and any of {', '.join(COLUMNS[2:])}.")
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            raise InputError(f"{path}:{line}: {len(cells)} cells under {len(header)} columns. A stray tab?")
        raw: dict[str, Any] = dict.fromkeys(header, "") | dict(zip(header, cells, strict=False))
        raw |= {name: (raw.get(name, ""),) for name in ("variants", "synonyms")}
        yield _term(f"{path}:{line}", raw)


def _tsv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{path}:{line}: not UTF-8. Save it as UTF-8.") from None
    reader = csv.reader(io.StringIO(text, newline=""), dialect="excel-tab", strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(f'{path}:{reader.line_num}: {error}. Double a " inside a cell that begins with one.') from None


def _tbx_terms(path: Path) -> Iterator[Placed | None]:
    for entry in _elements(path, ("termEntry", "conceptEntry"), ("martif", "tbx")):
        named = [(form, *_tbx_form(form)) for form in entry.iter("{*}term")]
        forms: dict[str, list[tuple[int, str]]] = {"en": [], "ar": []}
        gender: Gender = "-"
        for form, language, status, told in named:
            # A deprecated form must not become an acceptable one.
            if language in forms and not status.startswith(("deprecated", "superseded", "notRecommended")):
                rank = 0 if status.startswith("preferred") else 2 if status.startswith("admitted") else 1
                forms[language].append((rank, _text(form)))
                gender = told if language == "ar" and gender == "-" else gender
        english, arabic = ([text for _, text in sorted(forms[name], key=lambda one: one[0])] for name in ("en", "ar"))
        if not english or not arabic:
            yield None
            continue
        domain = next((_text(one) for one in entry.iter("{*}descrip", "{*}subjectField") if _kind(one) == "subjectField"), "")
        notes = dict.fromkeys(_text(note) for note in entry.iter("{*}note"))
        raw = {"en": english[0], "ar": arabic[0], "gender": gender, "domain": domain, "note": " ".join(notes)}
        yield _term(f"{path}:{entry.sourceline}", raw | {"variants": arabic[1:], "synonyms": english[1:]})


def _tbx_form(form: Any) -> tuple[str, str, Gender]:
    """Language, administrative status and gender of a `term` element, from what stands beside it."""
    section = next((one for one in form.iterancestors("{*}langSec", "{*}langSet")), None)
    facts = {_kind(beside): _text(beside) for beside in form.getparent()}
    gender = _TBX_GENDERS.get(facts.get("grammaticalGender", ""), "-")
    return _language(section), facts.get("administrativeStatus", ""), gender


def _tmx_terms(path: Path) -> Iterator[Placed | None]:
    for unit in _elements(path, ("tu",), ("tmx",)):
        texts = _tmx_texts(unit)
        if texts is None:
            yield None
            continue
        note = " ".join(dict.fromkeys(_text(note) for note in unit.iter("{*}note")))
        raw = {name: " ".join(_props(unit, name)) for name in ("gender", "domain")}
        lists = {"variants": _props(unit, "variant"), "synonyms": _props(unit, "synonym")}
        yield _term(f"{path}:{unit.sourceline}", {"en": texts[0], "ar": texts[1], "note": note} | raw | lists)


def _tmx_pairs(path: Path) -> Iterator[Pair | None]:
    for unit in _elements(path, ("tu",), ("tmx",)):
        texts, place = _tmx_texts(unit), f"{path}:{unit.sourceline}"
        if texts is None:
            yield None
            continue
        source, target = map(tidy, texts)
        fault = fault_of(source, target)
        if fault:
            raise InputError(f"{place}: {fault}")
        yield Pair(place, source, target, " ".join(_props(unit, "access")))


def _term_pairs(path: Path) -> Iterator[Pair | None]:
    for placed in _tsv_terms(path) if path.suffix.lower() == ".tsv" else _tbx_terms(path):
        yield placed and Pair(placed.place, placed.term.en, placed.term.ar, "")


def _tmx_texts(unit: Any) -> tuple[str, str] | None:
    texts: dict[str, str] = {}
    for variant in unit.iter("{*}tuv"):
        segment = variant.find("{*}seg")
        if segment is not None:
            texts.setdefault(_language(variant), _words(segment))
    return (texts["en"], texts["ar"]) if {"en", "ar"} <= texts.keys() else None


def _props(unit: Any, name: str) -> list[str]:
    return [_text(prop) for prop in unit.iter("{*}prop") if prop.get("type") == f"x-{name}"]


def _words(element: Any) -> str:
    """The text of a segment without the inline codes in it."""
    inner = "".join(("" if _name(child) in _CODES else _words(child)) + (child.tail or "") for child in element)
    return (element.text or "") + inner


def _elements(path: Path, names: tuple[str, ...], roots: tuple[str, ...]) -> Iterator[Any]:
    """The elements of that name, one at a time, each forgotten after its turn: a memory of a gigabyte is read in little room."""
    safe = {"load_dtd": False, "no_network": True, "resolve_entities": False, "huge_tree": False}
    looked = False
    with path.open("rb") as file:
        try:
            for event, element in etree.iterparse(file, events=("start", "end"), **safe):
                if not looked:
                    _check_root(path, element, roots)
                    looked = True
                if event == "end" and _name(element) in names:
                    # A DTD that is named, but not read, may have declared it: its text would be missing.
                    for entity in element.iter(etree.Entity):
                        raise InputError(f"{path}:{element.sourceline}: uses the entity {entity.name}; refused. Write its text.")
                    yield element
                    element.clear()
                    while element.getprevious() is not None:
                        del element.getparent()[0]
        except etree.XMLSyntaxError as error:
            raise InputError(f"{path}:{error.lineno or 1}: not well-formed XML: {error.msg}.") from None


def _check_root(path: Path, root: Any, roots: tuple[str, ...]) -> None:
    dtd = root.getroottree().docinfo.internalDTD
    entity = None if dtd is None else next(iter(dtd.iterentities()), None)
    if entity is not None:
        raise InputError(f"{path}: declares the entity {entity.name}; refused. Save the file without entities.")
    if _name(root) not in roots:
        raise input_error(f"{path}:{root.sourceline}", "root element", _name(root), f"Expected {' or '.join(roots)}.")


def _name(element: Any) -> str:
    """The element's name without its namespace; empty for comments and processing instructions."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _kind(element: Any) -> str:
    """A data category: `type` of a generic element (DCA), or the element's own name (DCT)."""
    return element.get("type") or _name(element)


def _text(element: Any) -> str:
    return "".join(element.itertext())


def _language(element: Any) -> str:
    """Primary language of an element: en-GB is en."""
    value = "" if element is None else element.get(_LANGUAGE) or element.get("lang") or ""
    return str(value).replace("_", "-").partition("-")[0].lower()


def _under(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    """A new last child in the parent's namespace."""
    space = parent.tag.rpartition("}")[0]
    child = etree.SubElement(parent, f"{space}}}{name}" if space else name, attributes)
    child.text = text
    return child


def _xml(root: Any, doctype: str | None = None) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True, doctype=doctype))
