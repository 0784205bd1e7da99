"""What the settings of other files say, and that nobody has to look twice."""

import os
import time
from pathlib import Path

import pytest

from aide_lsp.application.file_rules import FileRulesReader, OneFolder
from aide_lsp.settings.reader import SettingsReader


@pytest.fixture
def root(tmp_path):
    (tmp_path / "src").mkdir()
    for name in ("a.py", "src/b.py", "src/c.py"):
        (tmp_path / name).write_text("x = 1\n")
    long_ago = time.time() - 60
    for path in (*tmp_path.rglob("*"), tmp_path):
        os.utime(path, (long_ago, long_ago))
    return tmp_path


def answers(rules, root):
    return {path.name: rules(path) for path in root.rglob("*.py")}


def test_rules_stay_the_same_object_until_a_file_says_something_else(root):
    reader, folders = FileRulesReader(), OneFolder(root)
    rules = reader.rules(root, folders)
    assert set(answers(rules, root).values()) == {None}
    assert reader.rules(root, folders) is rules
    (root / "src" / "d.py").write_text("x = 1\n")
    (root / "src" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert reader.rules(root, folders) is rules
    (root / "src" / ".aide.toml").write_text("context_off = ['b.py']\n")
    changed = reader.rules(root, folders)
    assert changed is not rules
    assert [name for name, why in answers(changed, root).items() if why] == ["b.py"]
    assert "context_off" in changed(root / "src" / "b.py")
    # What was said stays said: the old object is compared with the new one.
    assert rules(root / "src" / "b.py") is None


def test_a_file_that_is_changed_in_place_is_noticed_within_a_tick_of_the_clock(root):
    reader, folders, settings = FileRulesReader(), OneFolder(root), root / ".aide.toml"
    for number in range(50):
        name = "abc"[number % 3]
        settings.write_text(f"context_off = ['{name}.py']\n")
        found = answers(reader.rules(root, folders), root)
        assert [one for one, why in found.items() if why] == [f"{name}.py"]


def test_other_settings_of_the_editor_are_other_rules(root):
    class Editor:
        def __init__(self, values):
            self.values = values

        def of(self, path):
            return self.values, root

    reader, plain, off = FileRulesReader(), Editor({}), Editor({"contextOff": ["a.py"]})
    assert reader.rules(root, plain)(root / "a.py") is None
    assert "editor settings" in reader.rules(root, off)(root / "a.py")
    assert reader.rules(root, plain)(root / "a.py") is None


def test_while_nothing_changes_no_settings_are_resolved(root, monkeypatch):
    reader, folders = FileRulesReader(), OneFolder(root)
    answers(reader.rules(root, folders), root)
    monkeypatch.setattr("aide_lsp.file_stamp.YOUNG_NS", -(10**18))  # all is old enough
    reader.rules(root, folders)

    def fail(*arguments, **options):
        raise AssertionError

    for name in ("resolve", "sources"):
        monkeypatch.setattr(SettingsReader, name, fail)
    assert set(answers(reader.rules(root, folders), root).values()) == {None}


def test_a_folder_that_does_not_exist_allows_its_files(root):
    # An open document that has not been saved yet.
    assert FileRulesReader().rules(root, OneFolder())(Path(root, "new", "a.py")) is None
