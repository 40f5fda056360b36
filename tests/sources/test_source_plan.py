"""`bimedv sources plan`: the paper's counts, what is on this disk beside them, and what is missing."""

import json
from pathlib import Path

import pytest
import yaml

from pipeline.settings import load_settings
from pipeline.sources.plan import planned
from schemas.errors import InputError

ROOT = Path(__file__).parents[2]


def _config(folder, plan, **more):
    records = [
        {"id": str(n), "conversations": [{"from": "human", "value": "Q?"}, {"from": "gpt", "value": "A."}]} for n in range(5)
    ]
    (folder / "chat.json").write_text(json.dumps(records), encoding="utf-8")
    value = {
        "name": "t",
        "sources": [
            {"corpus": "llava", "path": "chat.json"},
            {"corpus": "llava", "path": "chat.json", "split": "test"},
            {"corpus": "slake", "path": "gone/train.json", "images": "gone/imgs"},
        ],
        "plan": plan,
    }
    config = folder / "run.yaml"
    config.write_text(yaml.safe_dump(value | more), encoding="utf-8")
    return config


def test_the_papers_counts_and_shares_stand_in_its_config():
    settings = load_settings(ROOT / "configs" / "bimed_v.yaml", absent_sources=True)
    found = planned(settings.model_copy(update={"sources": settings.sources[:1]}))
    target = {axis: sides["target"] for axis, sides in found["shares"].items()}
    assert target["language"] == {"en": 1032949, "ar": 658458, "en_percent": 61.1, "ar_percent": 38.9}
    assert target["modality"] == {"text": 1111580, "image": 579827, "text_percent": 65.7, "image_percent": 34.3}
    named = {name for row in settings.plan for name in row.corpora}
    assert named <= {source.corpus for source in settings.sources}


def test_what_is_there_is_counted_for_training_only_and_arabic_up_to_its_target(tmp_path):
    plan = [
        {"name": "Chats", "corpora": ["llava"], "modality": "text", "en": 4, "ar": 3},
        {"name": "Pictures", "corpora": ["slake"], "modality": "image", "en": 6},
    ]
    found = planned(load_settings(_config(tmp_path, plan), absent_sources=True))
    assert [row["available"] for row in found["rows"]] == [{"en": 5, "ar": 3}, {"en": 0, "ar": 0}]
    assert found["missing"] == ["gone/train.json", "gone/imgs"]
    assert found["shares"]["language"]["available"] == {"en": 5, "ar": 3, "en_percent": 62.5, "ar_percent": 37.5}
    assert found["shares"]["modality"]["available"] == {"text": 8, "image": 0, "text_percent": 100.0, "image_percent": 0.0}


def test_a_limit_bounds_what_is_available(tmp_path):
    plan = [{"name": "Chats", "corpora": ["llava"], "modality": "text", "en": 4}]
    sources = [{"corpus": "llava", "path": "chat.json", "limit": 2}]
    found = planned(load_settings(_config(tmp_path, plan, sources=sources)))
    assert found["rows"][0]["available"]["en"] == 2
    assert found["missing"] == []


def test_the_command_prints_the_table_and_says_with_its_code_that_something_is_missing(bimedv, tmp_path):
    plan = [{"name": "Chats", "corpora": ["llava"], "modality": "text", "en": 1234}]
    answer = bimedv("sources", "plan", _config(tmp_path, plan))
    assert answer.code == 1
    assert "missing on this disk: gone/train.json" in answer.out
    assert ["Chats", "1,234", "5", "0", "0"] in [line.split() for line in answer.out.splitlines()]
    assert bimedv("sources", "plan", _config(tmp_path, plan), "--json").json["missing"] == ["gone/train.json", "gone/imgs"]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ([{"name": "x", "modality": "sound"}], r"plan\[0\].modality"),
        ([{"name": "x", "modality": "text", "en": -1}], r"plan\[0\].en"),
    ],
)
def test_a_wrong_plan_is_one_clear_error(tmp_path, plan, words):
    with pytest.raises(InputError, match=words):
        load_settings(_config(tmp_path, plan), absent_sources=True)


def test_a_run_still_needs_its_sources(tmp_path):
    with pytest.raises(InputError, match=r"gone/train.json does not exist"):
        load_settings(_config(tmp_path, []))
