"""The translation memory: rank decides, classes never mix, a fuzzy hit agrees in all that matters, imports are all or nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from pipeline.database import MemoryRow, open_database, session
from pipeline.translate.memory import RANKS, Hit, Neighbours, _critical, exact, import_memory, recall, remember, similar
from pipeline.translate.termfiles import FORMATS, Term
from schemas.errors import InputError
from schemas.translation import Unit

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
#: Each example empties the memory itself.
_ON_ONE_DATABASE = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_WORDS = ("the", "a", "lung", "heart", "left", "right", "no", "normal", "3", "5", "mm", "of", "in", "nodule", "mass")
HEART, ARABIC = "The heart is enlarged.", "القلب متضخم."


@pytest.fixture
def database(database_url):
    engine = open_database(database_url)
    yield engine
    engine.dispose()


def _unit(*segments, access="open"):
    labels = tuple(f"l{number}" for number in range(len(segments)))
    return Unit(
        key="0" * 64, source="en", target="ar", task="vqa", labels=labels, segments=segments, context="",
        access=access, corpus="slake",
    )  # fmt: skip


def _keep(database, source, target, access="open", origin="reviewed"):
    with session(database) as opened:
        remember(opened, source, target, access, "dr-a", origin)


def _tmx(path, *pairs, access=None):
    data = FORMATS["tmx"]([Term(en=source, ar=target) for source, target in pairs])
    path.write_bytes(data.replace(b"<tuv", f'<prop type="x-access">{access}</prop><tuv'.encode(), 1) if access else data)
    return path


# Exact


def test_a_remembered_segment_is_recalled_word_for_word(database):
    _keep(database, HEART, ARABIC)
    assert recall(database, [_unit("Is it big?", HEART)]) == {(HEART, "open"): ARABIC}
    assert exact(database, [_unit(HEART)]) == {(HEART, "open"): Hit(HEART, ARABIC, "reviewed", 1.0)}
    assert recall(database, [_unit("the heart is enlarged")]) == {}
    assert recall(database, []) == {}


def test_blanks_and_composition_make_no_other_segment_and_each_spelling_is_served(database):
    _keep(database, "Ménière disease", "داء منيير")
    spellings = ("Ménière disease", "Me\u0301nie\u0300re  disease")
    assert recall(database, [_unit(*spellings)]) == dict.fromkeys(((text, "open") for text in spellings), "داء منيير")


def test_more_segments_than_one_query_holds(database):
    texts = [f"Nodule number {number}." for number in range(1201)]
    with session(database) as opened:
        for text in texts:
            remember(opened, text, f"عقيدة {text}", "open", "dr-a")
    assert len(recall(database, [_unit(*texts)])) == 1201


def test_a_later_word_of_the_same_expert_replaces_the_earlier_one(database):
    _keep(database, HEART, "القلب كبير.")
    _keep(database, HEART, ARABIC)
    assert recall(database, [_unit(HEART)])[HEART, "open"] == ARABIC


@given(st.lists(st.tuples(st.sampled_from(sorted(RANKS)), st.sampled_from("أبتثج")), min_size=1, max_size=8))
@_ON_ONE_DATABASE
def test_the_highest_rank_stands_and_among_equals_the_last(database, words):
    with session(database) as opened:
        opened.query(MemoryRow).delete()
    for origin, target in words:
        _keep(database, HEART, target, origin=origin)
    best = max(RANKS[origin] for origin, _ in words)
    expected = [(origin, target) for origin, target in words if RANKS[origin] == best][-1]
    hit = exact(database, [_unit(HEART)], "machine")[HEART, "open"]
    assert (hit.origin, hit.target) == expected


def test_machine_translations_are_served_only_when_asked_for(database):
    """They grow while a run goes on: what depends on them is not the same after a crash."""
    _keep(database, HEART, ARABIC, origin="machine")
    assert recall(database, [_unit(HEART)]) == {}
    assert recall(database, [_unit(HEART)], "machine") == {(HEART, "open"): ARABIC}
    assert similar(database, "The heart is enlarged", "open") == []
    assert [hit.origin for hit in Neighbours(database, "open", "machine").similar("The heart is enlarged")] == ["machine"]


@pytest.mark.parametrize(("kept", "asked"), [(a, b) for a in ("open", "credentialed", "restricted") for b in
                                            ("open", "credentialed", "restricted") if a != b])  # fmt: skip
def test_a_memory_of_one_class_never_serves_another(database, kept, asked):
    _keep(database, HEART, ARABIC, kept)
    assert recall(database, [_unit(HEART, access=asked)]) == {}
    assert similar(database, "The heart is enlarged!", asked, 0.5) == []
    assert recall(database, [_unit(HEART, access=kept)]) == {(HEART, kept): ARABIC}
    assert len(similar(database, "The heart is enlarged!", kept, 0.5)) == 1


def test_two_writers_of_one_segment_do_not_collide(database):
    def write(target):
        for _ in range(20):
            _keep(database, HEART, target, origin="machine")

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(write, "أبت")) == [None] * 3
    assert recall(database, [_unit(HEART)], "machine")[HEART, "open"] in "أبت"


# Fuzzy


def test_the_nearest_segments_come_first_and_the_same_one_not_at_all(database):
    for text in ("Is the heart normal in this image?", "Is the heart normal in this picture?", "Where does the spleen lie?"):
        _keep(database, text, "س")
    hits = similar(database, "Is the heart normal in this image ?", "open", 0.6)
    assert [hit.source for hit in hits] == ["Is the heart normal in this image?", "Is the heart normal in this picture?"]
    assert 1 > hits[0].score > hits[1].score >= 0.6
    assert similar(database, "Is the heart normal in this image?", "open", 0.95) == [], "the segment itself is an exact hit"
    assert len(similar(database, "Is the heart normal in this image ?", "open", 0.6, limit=1)) == 1


def test_at_equal_score_the_reviewed_one_comes_first(database):
    _keep(database, "Is the liver big?", "س", origin="imported")
    _keep(database, "Is the river big?", "ص", origin="reviewed")
    assert [hit.origin for hit in similar(database, "Is the diver big?", "open", 0.5)] == ["reviewed", "imported"]


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        ("There is a nodule in the left upper lobe.", "There is a nodule in the right upper lobe."),
        ("There is a nodule in the left upper lobe.", "There is a nodule in the left lower lobe."),
        ("The nodule measures 3 mm in diameter.", "The nodule measures 8 mm in diameter."),
        ("The nodule measures 3 mm in diameter.", "The nodule measures 3 cm in diameter."),
        ("The nodule measures 1.5 cm in diameter.", "The nodule measures 15 cm in diameter."),
        ("He has had a fever for 3 days or so.", "He has had a fever for 3 weeks or so."),
        ("There is a pleural effusion on the image.", "There is no pleural effusion on the image."),
        ("The patient does have any chest pain now.", "The patient doesn't have any chest pain now."),
        ("The patient can swallow the tablets whole.", "The patient cannot swallow the tablets whole."),
        ("The size of the heart is normal on this.", "The size of the heart is abnormal on this."),
        ("The lesion is hyperdense on this image.", "The lesion is hypodense on this image."),
        ("The opacity has increased since the study.", "The opacity has decreased since the study."),
        ("The tumor of the kidney is benign, we think.", "The tumor of the kidney is malignant, we think."),
        ("What is the organ on the top of this image?", "What is the organ on the bottom of this image?"),
        ("Two nodules are seen in this lung on the film.", "Four nodules are seen in this lung on the film."),
        ("Blood pressure > 140 was seen in the clinic.", "Blood pressure < 140 was seen in the clinic."),
    ],
)
def test_what_differs_in_a_number_side_or_negation_is_no_hit(database, kept, asked):
    _keep(database, kept, "س")
    assert similar(database, asked, "open", 0.5) == []
    same = kept.replace(" the ", " this ").replace("image", "picture") + " "
    assert [hit.source for hit in similar(database, same.upper(), "open", 0.5)] == [kept], "it is found when they agree"


@given(st.lists(st.sampled_from(_WORDS), min_size=3, max_size=9), st.floats(0.5, 0.99))
@_ON_ONE_DATABASE
def test_the_layout_finds_what_a_plain_comparison_finds(database, words, floor):
    kept = [" ".join([*words[:n], "seen", *words[n:]]) for n in range(len(words))]
    kept += [" ".join(words[n:]) for n in range(1, len(words))] + [" ".join(words * 2), "no mass in the lung"]
    with session(database) as opened:
        opened.query(MemoryRow).delete()
        for text in kept:
            remember(opened, text, "س", "open", "dr-a")
    asked = " ".join(words)
    alike = {text for text in kept if fuzz.ratio(asked, text) / 100 >= floor and text != asked}
    wanted = {text for text in alike if _critical(asked) == _critical(text)}
    assert {hit.source for hit in similar(database, asked, "open", floor, limit=99)} == wanted


# Import


def test_an_import_is_served_and_a_reviewed_word_stands(database, tmp_path):
    _keep(database, HEART, ARABIC)
    _keep(database, "Both lungs are clear.", "قديم", origin="machine")
    clear = "Both lungs are clear."
    path = _tmx(tmp_path / "a.tmx", (HEART, "آخر"), (clear, "قديم جدا"), (clear, "الرئتان صافيتان."))
    assert import_memory(database, path, "open") == {"stored": 1, "repeated": 1, "outranked": 1, "skipped": 0}
    found = exact(database, [_unit(HEART, "Both lungs are clear.")])
    assert found[HEART, "open"].target == ARABIC
    assert found["Both lungs are clear.", "open"] == Hit("Both lungs are clear.", "الرئتان صافيتان.", "imported", 1.0)
    with session(database) as opened:
        assert {row.reviewer for row in opened.query(MemoryRow)} == {"dr-a", "a.tmx"}


def test_an_import_of_many_segments_counts_right_over_its_chunks(database, tmp_path):
    pairs = [(f"Slice {number} is clear.", f"الشريحة {number} صافية.") for number in range(1100)]
    path = _tmx(tmp_path / "a.tmx", *pairs, *pairs[:700])
    assert import_memory(database, path, "open") == {"stored": 1100, "repeated": 700, "outranked": 0, "skipped": 0}
    assert import_memory(database, path, "open")["stored"] == 1100
    assert len(recall(database, [_unit(*(source for source, _ in pairs))])) == 1100


def test_a_table_of_segments_is_imported_too(database, tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text(f"en\tar\n{HEART}\t{ARABIC}\n", encoding="utf-8")
    assert import_memory(database, path, "credentialed")["stored"] == 1
    assert recall(database, [_unit(HEART, access="credentialed")]) == {(HEART, "credentialed"): ARABIC}


def test_a_fault_in_the_last_entry_imports_nothing(database, tmp_path):
    rows = "".join(f"Slice {number} is clear.\tالشريحة {number} صافية.\n" for number in range(1100))
    path = tmp_path / "a.tsv"
    path.write_text(f"en\tar\n{rows}{HEART}\t\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.tsv:1102: ar is empty"):
        import_memory(database, path, "open")
    with session(database) as opened:
        assert opened.query(MemoryRow).count() == 0


def test_a_segment_of_a_restricted_corpus_cannot_be_made_open(database, tmp_path):
    path = _tmx(tmp_path / "a.tmx", (HEART, ARABIC), access="credentialed")
    with pytest.raises(InputError, match=r"a\.tmx:6: x-access is 'credentialed'. It cannot become open"):
        import_memory(database, path, "open")
    assert import_memory(database, path, "credentialed")["stored"] == 1
    assert recall(database, [_unit(HEART)]) == {}
