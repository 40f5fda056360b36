"""The config that a workspace keeps: found again as it was, or one clear line."""

import pytest

from pipeline.status import load_run, save_settings
from pipeline.workspace import Workspace
from schemas.errors import InputError
from tests.curate.samples import configured


def test_what_a_run_kept_is_found_again(tmp_path):
    settings = configured(tmp_path)
    save_settings(settings, Workspace(tmp_path))
    assert load_run(Workspace(tmp_path)) == settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"name": "t", "sources": [], "new_key": 1}', r"config\.json: \w+: .* Another version of bimedv wrote it"),
        ("{", r"config\.json: the file: .* Another version"),
    ],
)
def test_what_another_version_wrote_is_one_clear_line(tmp_path, text, words):
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        load_run(Workspace(tmp_path))


def test_a_folder_in_which_nothing_ran_says_so(tmp_path):
    with pytest.raises(InputError, match="no run has been started here"):
        load_run(Workspace(tmp_path))
