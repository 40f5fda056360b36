"""The glossary: right data, right matches, nothing lost on the way out and back in, one clear error for bad files."""

import json
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from flows.main import app
from pipeline.settings import load_settings
from pipeline.translate.glossary import (
    STARTER,
    Glossary,
    import_terms,
    lines,
    load_glossary,
    run_glossary,
    slice_id,
    workspace_glossary,
)
from pipeline.translate.termfiles import FORMATS, Placed, Term, read_pairs, read_terms
from schemas.errors import InputError
from tests.command import run_command

GLOSSARY = load_glossary()
TERMS = GLOSSARY.terms


def _names(text, limit=16, glossary=None):
    return [term.en for term in (glossary or GLOSSARY).slice_for(text, limit)]


def _glossary(*terms):
    return Glossary([Placed(term, f"test:{number}") for number, term in enumerate(terms, 1)])


def _refused(path, *words):
    with pytest.raises(InputError) as caught:
        read_terms(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    for word in words:
        assert word in message, message


# The starter's data


def test_the_starter_covers_every_field_of_a_report():
    assert len(TERMS) >= 420
    counts = {domain: sum(term.domain == domain for term in TERMS) for domain in {term.domain for term in TERMS}}
    wanted = {"anatomy": 100, "imaging": 60, "pathology": 100, "symptom": 60, "drug": 40, "unit": 25, "procedure": 25}
    assert {domain: least for domain, least in wanted.items() if counts.get(domain, 0) < least} == {}
    assert sum(bool(term.variants) for term in TERMS) > 400
    assert sum(bool(term.note) for term in TERMS) > 100


def test_the_starter_names_each_thing_once():
    keys = [(term.en.casefold(), term.domain) for term in TERMS]
    assert sorted(key for key in set(keys) if keys.count(key) > 1) == []
    assert len(TERMS) == len(STARTER.read_text(encoding="utf-8").splitlines()) - 1, "a row counts for nothing: its name is taken"
    assert GLOSSARY.conflicts() == []
    by_name = {}
    for term in TERMS:
        for name in term.english:
            by_name.setdefault(name if name.isupper() else name.casefold(), []).append(term.en)
    assert {name: terms for name, terms in by_name.items() if len(terms) > 1} == {}


def test_the_starter_is_written_as_a_dictionary_writes():
    for term in TERMS:
        for text in (*term.arabic, *term.english, term.note):
            assert text == unicodedata.normalize("NFC", text)
        for form in term.arabic:
            assert not re.search("[\u064b-\u0652\u0670\u0640]", form), f"{term.en}: harakat or tatweel in {form}"
            assert not re.search("[\u06cc\u06a9\u06af\u067e\u0686\u0698\u06c1\u06be]", form), (
                f"{term.en}: Persian letter in {form}"
            )
            assert not re.search("[\u0660-\u0669\u06f0-\u06f9]", form), f"{term.en}: an Eastern digit in {form}"
        assert len({*term.arabic}) == len(term.arabic), term.en
        assert term.domain, term.en


def test_gender_agrees_with_the_form_of_the_head_noun():
    """ة makes feminine, but for plurals and phrases; what ends otherwise and is feminine is known by name."""
    feminine = {"f", "mf"}
    for term in TERMS:
        head = term.ar.split()[0]
        if head.endswith("ة") and term.gender not in feminine:
            assert term.gender == "-", f"{term.en}: {term.ar} is {term.gender}"
    genders = {term.en: term.gender for term in TERMS}
    known = dict.fromkeys(("eye", "hand", "foot", "tooth", "thigh", "ear", "leg", "trachea", "fever", "stroke"), "f")
    known |= {"heart": "m", "brain": "m", "liver": "mf"}
    assert {name: genders[name] for name in known} == known


def test_published_spellings():
    arabic = {name: term.ar for term in TERMS for name in term.english}
    assert arabic["pleural effusion"] == "انصباب جنبي"
    assert arabic["pneumothorax"] == "استرواح الصدر"
    assert arabic["cardiomegaly"] == "تضخم القلب"
    assert arabic["magnetic resonance"] == "رنين مغناطيسي"
    assert arabic["coronary artery"] == "شريان إكليلي"
    assert arabic["mitral valve"] == "صمام تاجي"


# Matching


def test_terms_are_found_as_whole_words_in_the_order_of_the_text():
    assert _names("Cough, then FEVER; Chest X-ray: no Pneumothorax.") == ["cough", "fever", "chest radiograph", "pneumothorax"]
    assert _names("The liverwort and heartland of painting feverfew") == []
    assert _names("") == []


def test_the_longest_term_wins_and_its_parts_are_dropped():
    assert _names("small left pleural effusion") == ["pleural effusion"]
    assert _names("acute respiratory distress syndrome") == ["acute respiratory distress syndrome"]
    assert _names("pleural effusion and another effusion") == ["pleural effusion", "effusion"]
    overlapping = _glossary(Term(en="lung base", ar="أ"), Term(en="base of left lung", ar="ب"), Term(en="lung", ar="ج"))
    assert _names("lung base of left lung", glossary=overlapping) == ["lung", "base of left lung"]


def test_a_term_does_not_reach_over_a_full_stop_or_comma():
    assert _names("It was lateral. View the heart, rate it.") == ["lateral", "heart"]
    assert _names("lateral view, heart rate") == ["lateral view", "heart rate"]


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("effusions", "effusion"), ("biopsies", "biopsy"), ("metastases", "metastasis"), ("vertebrae", "vertebra"),
        ("bronchi", "bronchus"), ("diverticula", "diverticulum"), ("lung apices", "lung apex"), ("teeth", "tooth"),
        ("thrombi", "thrombus"), ("masses", "mass"), ("pleural effusions", "pleural effusion"), ("hematomas", "hematoma"),
        ("MRIs", "magnetic resonance imaging"),
    ],
)  # fmt: skip
def test_plurals_of_english_and_latin(plural, singular):
    assert _names(f"multiple {plural} seen") == [singular]


def test_a_name_in_capitals_is_no_common_word():
    assert _names("PET scan and hearing aids; his pet has AIDS") == [
        "positron emission tomography", "acquired immunodeficiency syndrome",
    ]  # fmt: skip
    assert _names("his pet, a hearing aid, hearing aids") == []
    assert _names("ct and mri of the Mri") == ["computed tomography", "magnetic resonance imaging"]


def test_hyphens_apostrophes_and_glued_units():
    assert _names("chest x ray, T2 weighted, Alzheimer’s disease") == ["chest radiograph", "T2-weighted", "Alzheimer disease"]
    assert _names("5mg of aspirin, 120 mg/dL, 38 °C, 98%") == [
        "milligram", "aspirin", "milligrams per deciliter", "degree Celsius", "percent",
    ]  # fmt: skip


def test_beyond_the_limit_the_longest_terms_stay():
    text = "fever, cough and chronic obstructive pulmonary disease with right lower lobe consolidation"
    assert _names(text, 2) == ["chronic obstructive pulmonary disease", "right lower lobe"]
    assert _names(text, 0) == []


@given(st.lists(st.sampled_from([name for term in TERMS for name in term.english]), max_size=6), st.integers(1, 20))
@settings(max_examples=200, deadline=None)
def test_every_term_of_a_slice_stands_in_the_text(names, limit):
    text = ", ".join(names)
    chosen = GLOSSARY.slice_for(text, limit)
    assert len(chosen) == len(set(chosen)) <= limit
    assert all(any(name.casefold() in text.casefold() for name in term.english) for term in chosen)
    if limit >= len(names):
        assert {name for term in chosen for name in term.english} >= set(names), "a name between commas is found"


def test_a_slice_has_a_hash_that_follows_its_content_alone():
    one = GLOSSARY.slice_for("fever and cough")
    assert slice_id(one) == slice_id(GLOSSARY.slice_for("Cough. Fever!"))
    assert slice_id(one) != slice_id(GLOSSARY.slice_for("fever"))
    changed = _glossary(*(Term(en=term.en, ar=term.ar, note="other") for term in one))
    assert slice_id(one) != slice_id(changed.slice_for("fever and cough"))
    assert lines(one) == "fever = حمى\ncough = سعال"


# Several files


def test_the_users_file_outranks_the_starter(tmp_path):
    path = tmp_path / "own.tsv"
    path.write_text("en\tar\ntrachea\tقصبة هوائية\nlung window\tنافذة الرئة\n", encoding="utf-8")
    glossary = load_glossary([path])
    assert [term.ar for term in glossary.slice_for("lung window of the trachea")] == ["نافذة الرئة", "قصبة هوائية"]
    assert [term.ar for term in glossary.slice_for("windpipe")] == ["رغامى"], "a name that the file does not give keeps its term"
    assert glossary.id != GLOSSARY.id
    assert load_glossary([path]).id == glossary.id


def test_homonyms_of_different_domains_are_both_shown():
    glossary = _glossary(Term(en="drip", ar="سيلان", domain="symptom"), Term(en="drip", ar="تسريب", domain="drug"))
    assert [term.ar for term in glossary.slice_for("a drip")] == ["سيلان", "تسريب"]
    assert glossary.conflicts() == []


def test_two_translations_of_a_term_are_a_conflict_with_both_places():
    glossary = _glossary(
        Term(en="trachea", ar="رغامى", variants=("قصبة هوائية",)), Term(en="Trachea", ar="قصبة هوائية"),
        Term(en="hilum", ar="نقير"), Term(en="lung root", ar="سُرّة", synonyms=("Hilum",)), Term(en="edema", ar="وذمة"),
        Term(en="edema", ar="وذْمة"),
    )  # fmt: skip
    (conflict,) = glossary.conflicts()
    assert conflict.en == "hilum"
    assert conflict.found == (("نقير", "test:3"), ("سُرّة", "test:4"))
    assert [term.ar for term in glossary.slice_for("hilum")] == ["سُرّة"], "the later row counts"


# Files: out and back in

_WORD = st.text("abcdefghijklmnopqrstuvwxyzABC-'\"&<>µé0123456789", min_size=1, max_size=9)
_ARABIC_WORD = st.text("ابتثجحخدذرزسشصضطظعغفقكلمنهويىءأإآؤئةّ\"&<>'", min_size=1, max_size=9)
_ENGLISH = st.lists(_WORD, min_size=1, max_size=3).map(" ".join)
_ARABIC = st.lists(_ARABIC_WORD, min_size=1, max_size=3).map(lambda words: unicodedata.normalize("NFC", "م" + " ".join(words)))


@st.composite
def _terms(draw):
    en, ar = draw(_ENGLISH), draw(_ARABIC)
    return Term(
        en=en, ar=ar, gender=draw(st.sampled_from(["m", "f", "mf", "-"])), domain=draw(st.just("") | _WORD),
        variants=tuple(form for form in draw(st.lists(_ARABIC, max_size=3, unique=True)) if form != ar),
        note=draw(st.just("") | _ENGLISH | _ARABIC),
        synonyms=tuple(name for name in draw(st.lists(_ENGLISH, max_size=3, unique=True)) if name != en),
    )  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@given(terms=st.lists(_terms(), min_size=1, max_size=5))
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_back(tmp_path_factory, form, terms):
    path = tmp_path_factory.getbasetemp() / f"round-trip.{form}"
    path.write_bytes(FORMATS[form](terms))
    placed, skipped = read_terms(path)
    assert ([term for term, _ in placed], skipped) == (terms, 0)


@pytest.mark.parametrize("form", FORMATS)
def test_the_starter_goes_through_every_format(tmp_path, form):
    path = tmp_path / f"all.{form}"
    path.write_bytes(FORMATS[form](TERMS))
    assert tuple(term for term, _ in read_terms(path)[0]) == TERMS
    assert [(pair.source, pair.target) for pair in read_pairs(path)] == [(term.en, term.ar) for term in TERMS]


MARTIF = """<?xml version="1.0"?>
<!DOCTYPE martif SYSTEM "TBXcoreStructV02.dtd">
<martif type="TBX" xml:lang="en"><text><body>
<termEntry id="a"><descripGrp><descrip type="subjectField">lungs</descrip></descripGrp>
  <langSet xml:lang="en-GB">
    <tig><term>collapsed lung</term><termNote type="administrativeStatus">admittedTerm-admn-sts</termNote></tig>
    <tig><term>pneumothorax</term><termNote type="administrativeStatus">preferredTerm-admn-sts</termNote></tig></langSet>
  <langSet xml:lang="AR"><ntig><termGrp><term>استرواح الصدر</term>
      <termNote type="grammaticalGender">masculine</termNote></termGrp></ntig>
    <ntig><termGrp><term>هواء الصدر</term>
      <termNote type="administrativeStatus">deprecatedTerm-admn-sts</termNote></termGrp></ntig>
    <ntig><termGrp><term>ريح صدرية</term></termGrp></ntig></langSet>
  <langSet xml:lang="fr"><tig><term>pneumothorax</term></tig></langSet><note>Urgent.</note></termEntry>
<termEntry id="b"><langSet xml:lang="en"><tig><term>rib</term></tig></langSet></termEntry>
</body></text></martif>"""


def test_tbx_of_version_2_with_its_preferred_admitted_and_deprecated_terms(tmp_path):
    path = tmp_path / "old.tbx"
    path.write_text(MARTIF, encoding="utf-8")
    ((term, place),), skipped = read_terms(path)
    assert (place, skipped) == (f"{path}:4", 1)
    assert term == Term(
        en="pneumothorax", ar="استرواح الصدر", gender="m", domain="lungs", variants=("ريح صدرية",), note="Urgent.",
        synonyms=("collapsed lung",),
    )  # fmt: skip


def test_tbx_of_version_3_in_dct_style(tmp_path):
    path = tmp_path / "new.tbx"
    path.write_text(
        '<tbx type="TBX-Basic" style="dct" xml:lang="en" xmlns="urn:iso:std:iso:30042:ed-2" xmlns:min="http://www.tbxinfo.net/ns/min">'
        "<text><body><conceptEntry><min:subjectField>bones</min:subjectField>"
        '<langSec xml:lang="en"><termSec><term>rib</term></termSec></langSec><langSec xml:lang="ar"><termSec><term>ضلعة</term>'
        "<min:administrativeStatus>supersededTerm-admn-sts</min:administrativeStatus></termSec>"
        "<termSec><term>ضلع</term></termSec></langSec></conceptEntry></body></text></tbx>",
        encoding="utf-8",
    )
    assert read_terms(path)[0][0].term == Term(en="rib", ar="ضلع", domain="bones")


def test_tmx_inline_codes_and_bidi_marks_are_no_text(tmp_path):
    path = tmp_path / "memory.tmx"
    path.write_text(
        '<tmx version="1.4"><header/><body><tu><tuv xml:lang="EN-US"><seg>The <bpt i="1">&lt;b&gt;</bpt>heart'
        '<ept i="1">&lt;/b&gt;</ept> is <hi>normal</hi>.</seg></tuv>'
        '<tuv lang="ar"><seg>\u200fالقلب   طبيعي.\u202c</seg></tuv></tu>'
        "</body></tmx>",
        encoding="utf-8",
    )
    (pair,) = read_pairs(path)
    assert (pair.source, pair.target, pair.place) == ("The heart is normal.", "القلب طبيعي.", f"{path}:1")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "en,ar\n", ["suffix is '.csv'", ".tsv, .tbx or .tmx"]),
        ("a.tsv", "english\tarabic\nrib\tضلع\n", [":1: header", "Expected en, ar"]),
        ("a.tsv", "en\tar\tvarients\nrib\tضلع\tx\n", [":1: header", "varients"]),
        ("a.tsv", "en\tar\n", ["none of 0 entries"]),
        ("a.tsv", "", [":1: header"]),
        ("a.tsv", "en\tar\nrib\tضلع\nlung\t\n", [":3: ar is empty"]),
        ("a.tsv", "en\tar\nضلع\trib\n", [":2: ar is 'rib', which has no Arabic letter", "swapped"]),
        ("a.tsv", "en\tar\tgender\nrib\tضلع\tmale\n", [":2: gender is 'male'", "m, f, mf"]),
        ("a.tsv", "en\tar\nrib\tضلع\tx\ty\n", [":2: 4 cells under 2 columns"]),
        ("a.tsv", 'en\tar\nrib\t"ضلع\nlung\tرئة\n', [":3:", "unexpected end of data"]),
        ("a.tsv", "en\tar\nrib\tضلع\x00\n", [":2:", "control character"]),
        ("a.tbx", "<tbx><text>", [":1: not well-formed XML"]),
        ("a.tbx", "<tmx/>", [":1: root element is 'tmx'", "martif or tbx"]),
        ("a.tmx", "<html><body><p>Not found</p></body></html>", ["root element is 'html'"]),
        ("a.tmx", "", [":1: not well-formed XML"]),
        ("a.tmx", '<tmx><body>\n<tu><tuv xml:lang="en"><seg>a</seg></tuv><tuv xml:lang="ar"><seg> </seg></tuv></tu></body></tmx>',
         [":2: ar is empty"]),
        ("a.tmx", '<tmx><body><tu><tuv xml:lang="en"><seg>a</seg></tuv></tu></body></tmx>', ["none of 1 entries has both"]),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_line_with_its_place(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    _refused(path, *said)


def test_a_file_in_another_encoding_and_a_missing_one(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_bytes("en\tar\nrib\tضلع\n".encode("cp1256"))
    _refused(path, ":2: not UTF-8")
    _refused(tmp_path / "none.tmx", "no such file")


_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
_TU = '<tu><tuv xml:lang="en"><seg>{}</seg></tuv><tuv xml:lang="ar"><seg>ضلع</seg></tuv></tu>'
_ENTRY = (
    '<conceptEntry><langSec xml:lang="en"><termSec><term>{}</term></termSec></langSec>'
    '<langSec xml:lang="ar"><termSec><term>ضلع</term></termSec></langSec></conceptEntry>'
)


@pytest.mark.parametrize("root", ["tmx", "tbx"])
@pytest.mark.parametrize("entity", ["l11", "file", "net"])
def test_entities_are_never_expanded(tmp_path, root, entity):
    secret = tmp_path / "secret.txt"
    secret.write_text("canary", encoding="utf-8")
    declared = f'<!ENTITY l0 "ha">{_LAUGHS}<!ENTITY file SYSTEM "{secret.as_uri()}"><!ENTITY net SYSTEM "http://127.0.0.1:9/x">'
    path = tmp_path / f"evil.{root}"
    entry = (_TU if root == "tmx" else _ENTRY).format(f"&{entity};")
    path.write_text(f"<!DOCTYPE {root} [{declared}]><{root}><body>{entry}</body></{root}>", encoding="utf-8")
    _refused(path, "declares the entity l0; refused")


@pytest.mark.parametrize("place", ['<tmx version="&l11;"><body/></tmx>', '<tmx><body x="&l11;"/></tmx>'])
def test_entities_in_attributes_are_not_expanded_either(tmp_path, place):
    path = tmp_path / "evil.tmx"
    path.write_text(f'<!DOCTYPE tmx [<!ENTITY l0 "ha">{_LAUGHS}]>{place}', encoding="utf-8")
    _refused(path, "evil.tmx")


@pytest.mark.parametrize("root", ["tmx", "tbx"])
def test_a_dtd_that_is_only_named_is_not_read(tmp_path, root):
    """Neither from the network nor from the disk: what it declares stays unknown, and an entry that needs it is refused."""
    dtd = tmp_path / "evil.dtd"
    dtd.write_text('<!ENTITY rib "canary"> and what breaks a parser that reads it', encoding="utf-8")
    path = tmp_path / f"a.{root}"
    entry = _TU if root == "tmx" else _ENTRY
    start = f'<!DOCTYPE {root} SYSTEM "{dtd.as_uri()}"><{root}><body>'
    path.write_text(f"{start}{entry.format('rib')}</body></{root}>", encoding="utf-8")
    assert read_terms(path)[0][0].term == Term(en="rib", ar="ضلع")
    path.write_text(f"{start}\n{entry.format('&rib;')}</body></{root}>", encoding="utf-8")
    _refused(path, ":2: uses the entity rib; refused")


# Config, workspace, command


def test_glossaries_of_a_config_count_from_its_folder_and_must_exist(corpora, endpoint):
    (corpora.folder / "own.tsv").write_text("en\tar\ntrachea\tقصبة هوائية\n", encoding="utf-8")
    settings_ = load_settings(corpora.config(endpoint.url, translate={"glossary": ["own.tsv"]}))
    assert settings_.translate.glossary == (corpora.folder / "own.tsv",)
    assert [term.ar for term in run_glossary(settings_).slice_for("trachea")] == ["قصبة هوائية"]
    with pytest.raises(InputError, match=r"translate\.glossary\[1\]: .*none\.tbx does not exist"):
        load_settings(corpora.config(endpoint.url, translate={"glossary": ["own.tsv", "none.tbx"]}))
    assert load_settings(corpora.config(endpoint.url)).translate.glossary == ()


def test_an_imported_file_is_merged_and_a_second_import_changes_nothing(tmp_path, corpora, endpoint):
    settings_ = load_settings(corpora.config(endpoint.url))
    into = workspace_glossary(settings_.workspace)
    into.parent.mkdir(parents=True)
    path = tmp_path / "a.tsv"
    path.write_text("en\tar\tdomain\ntrachea\tقصبة هوائية\tanatomy\nrib\tضلعة\t\n", encoding="utf-8")
    assert import_terms(path, into) == {"added": 2, "replaced": 0, "unchanged": 0, "skipped": 0}
    before = into.read_bytes()
    assert import_terms(path, into)["unchanged"] == 2
    assert into.read_bytes() == before
    path.write_text("en\tar\nRib\tضلع\n", encoding="utf-8")
    assert import_terms(path, into)["replaced"] == 1
    assert [term.ar for term in run_glossary(settings_).slice_for("rib of the trachea")] == ["ضلع", "قصبة هوائية"]
    path.write_text("en\tar\nlung\t\n", encoding="utf-8")
    before = into.read_bytes()
    with pytest.raises(InputError, match="ar is empty"):
        import_terms(path, into)
    assert into.read_bytes() == before


def _bimedv(*words):
    """The command in this process: a second less than another one."""
    return CliRunner().invoke(app, ["glossary", *map(str, words)])


def test_the_command_lists_terms_by_either_language():
    told = json.loads(_bimedv("list", "شريان تاجي", "--domain", "anatomy", "--json").stdout)
    assert [term["en"] for term in told["terms"]] == ["coronary artery"]
    told = _bimedv("list", "PLEURAL effusion")
    assert "انصباب جنبي  (m, pathology" in told.stdout
    assert f"1 of {len(TERMS)} terms" in told.stdout
    told = _bimedv("list", "--domain", "cars")
    assert isinstance(told.exception, InputError)
    assert "--domain cars: this glossary has no such domain. Choose from anatomy" in str(told.exception)


def test_what_the_command_exports_agrees_with_the_starter(tmp_path):
    out = tmp_path / "terms.tbx"
    assert json.loads(_bimedv("export", "--format", "tbx", "-o", out, "--json").stdout)["terms"] == len(TERMS)
    told = _bimedv("conflicts", out, "--json")
    assert (told.exit_code, json.loads(told.stdout)) == (0, {"conflicts": []})


def test_conflicts_are_shown_with_their_places_and_exit_code_1(tmp_path):
    own = tmp_path / "own.tsv"
    own.write_text("en\tar\nTrachea\tحنجرة\n", encoding="utf-8")
    told = _bimedv("conflicts", own)
    assert told.exit_code == 1
    assert "trachea: رغامى (starter:" in told.stdout
    assert f"حنجرة ({own}:2)" in told.stdout


def test_the_command_imports_terms_into_a_run(tmp_path, corpora, endpoint):
    config = corpora.config(endpoint.url)
    terms = tmp_path / "own.tsv"
    terms.write_text("en\tar\nlung window\tنافذة الرئة\n", encoding="utf-8")
    told = json.loads(_bimedv("import", terms, "--config", config, "--json").stdout)
    assert told == {"into": "glossary", "added": 1, "replaced": 0, "unchanged": 0, "skipped": 0}
    listed = json.loads(_bimedv("list", "lung window", "--config", config, "--json").stdout)
    assert [term["ar"] for term in listed["terms"]] == ["نافذة الرئة"]


def test_segments_go_into_the_memory_with_their_access_class(tmp_path, corpora, endpoint):
    config = corpora.config(endpoint.url)
    memory = tmp_path / "segments.tmx"
    memory.write_bytes(FORMATS["tmx"]([Term(en="The heart is normal.", ar="القلب طبيعي.")]))
    told = _bimedv("import", memory, "--config", config)
    assert isinstance(told.exception, InputError)
    assert str(told.exception) == "--access is missing. Name the class of the segments: open, credentialed or restricted."
    told = json.loads(_bimedv("import", memory, "--config", config, "--access", "open", "--json").stdout)
    assert told == {"into": "memory", "stored": 1, "repeated": 0, "outranked": 0, "skipped": 0}


def test_a_bad_file_is_one_line_and_exit_code_2(tmp_path, corpora, endpoint):
    bad = tmp_path / "bad.tbx"
    bad.write_text("<tbx>", encoding="utf-8")
    told = run_command("glossary", "import", bad, "--config", corpora.config(endpoint.url))
    assert (told.code, told.err.count("\n")) == (2, 1)
    assert "bad.tbx:1: not well-formed XML" in told.err
    assert not (corpora.folder / "work").exists()
