"""The config file: all faults at once, each naming its key; nothing is done before it is right."""

from pathlib import Path

import pytest

from pipeline.settings import EndpointSettings, api_key, load_settings, set_environment
from schemas.errors import InputError

GOOD = "name: small\nsources:\n  - {corpus: slake, path: train.json}\n"


def _write(folder: Path, text: str) -> Path:
    (folder / "train.json").write_text("[]")
    path = folder / "run.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_count_from_the_file_and_the_option_wins(tmp_path):
    path = _write(tmp_path, GOOD)
    settings = load_settings(path)
    assert settings.sources[0].path == tmp_path / "train.json"
    assert settings.workspace == tmp_path / "work/small"
    assert settings.database_url() == f"sqlite:///{tmp_path}/work/small/bimedv.db"
    assert load_settings(path, tmp_path / "other").workspace == tmp_path / "other"
    assert settings.relative(settings.sources[0].path) == "train.json"


def test_reading_a_config_touches_nothing(tmp_path):
    path = _write(tmp_path, GOOD)
    before = sorted(tmp_path.iterdir())
    load_settings(path)
    assert sorted(tmp_path.iterdir()) == before


def test_all_faults_are_shown_at_once(tmp_path):
    path = _write(tmp_path, GOOD + "quality: {acept: 80}\ntranslate: {rounds: many}\nendpoints: {translator: {base_url: here}}\n")
    with pytest.raises(InputError) as caught:
        load_settings(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert "quality.acept: unknown key. Allowed here: accept, by_corpus, by_task, " in str(caught.value)
    assert "translate.rounds" in str(caught.value)
    assert "'many'" in str(caught.value)
    assert "'here' is neither `embedded` nor an http(s) address" in str(caught.value)
    assert all(line.startswith(str(path)) for line in lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\nsources: []\n", "sources"),
        ("name: x\nsources:\n  - {corpus: slake, path: gone.json}\n", "gone.json does not exist"),
        ("name: x\nsources:\n  - {corpus: slake, path: train.json, splitt: a}\n", "sources[0].splitt: unknown key"),
        ("just words\n", "expected keys"),
        ("a: [1\n", "not YAML"),
        (GOOD + "release: {splits: {train: 0.5}}\n", "must sum to 1"),
        (GOOD + "database: mysql://x\n", "neither `sqlite` nor"),
        (GOOD + "workers: 2\n", "workers: unknown key"),
    ],
)
def test_each_fault_names_its_key(tmp_path, text, said):
    with pytest.raises(InputError) as caught:
        load_settings(_write(tmp_path, text))
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(InputError, match="no such config file"):
        load_settings(tmp_path / "nowhere.yaml")


def test_a_key_comes_from_the_environment_or_is_asked_for(monkeypatch):
    endpoint = EndpointSettings(base_url="https://llm.example.org/v1", api_key_env="BIMEDV_TEST_KEY")
    monkeypatch.delenv("BIMEDV_TEST_KEY", raising=False)
    with pytest.raises(InputError, match="BIMEDV_TEST_KEY is not set"):
        api_key(endpoint)
    monkeypatch.setenv("BIMEDV_TEST_KEY", "secret")
    assert api_key(endpoint) == "secret"


def test_defaults_never_overwrite_what_the_user_set(monkeypatch):
    monkeypatch.setenv("BIMEDV_TEST_SET", "mine")
    monkeypatch.delenv("BIMEDV_TEST_NEW", raising=False)
    set_environment({"BIMEDV_TEST_SET": "ours", "BIMEDV_TEST_NEW": "ours"})
    import os

    assert (os.environ["BIMEDV_TEST_SET"], os.environ["BIMEDV_TEST_NEW"]) == ("mine", "ours")
    monkeypatch.delenv("BIMEDV_TEST_NEW")
