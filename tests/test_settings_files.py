"""Files that settings are read from: found, read again when they change, and what is said of broken ones."""

import os
import sys

import pytest

from aide_lsp.settings_files import MAXIMUM_SIZE, SettingsFiles
from aide_lsp.settings_layers import SettingsReader


@pytest.fixture
def reader(tmp_path):
    return SettingsReader(user=tmp_path / "user.toml")


def resolved(reader, folder):
    return reader.resolve(folder / "x.py", None, folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"top_k = 7\ntop_p = = 1\n", "line 2, column 9"),
        (b"top_k = [", "line 1, column 10"),
        (b"top_k = 1\r\ntop_k = 2\r\n", "line 2"),
        (b"top_k = 1\ntop_p = '\xff'\n", "not UTF-8 text (at line 2, column 10)"),
        (b"top_k = 1\nseed = 1" + b"0" * 5000, "thousands of digits (at line 2, column 8)"),
        (b"x = " + b"[" * 5000, "nested too deeply"),
        (b"#" * (MAXIMUM_SIZE + 1), "more than 1,000,000 bytes"),
    ],
)
def test_broken_file_when_read_then_the_place_is_named_and_nothing_of_it_counts(
    reader, tmp_path, content, said
):
    (tmp_path / ".aide.toml").write_bytes(content)
    got = resolved(reader, tmp_path)
    (problem,) = got.problems
    assert said in problem.message
    assert str(tmp_path / ".aide.toml") in problem.message
    assert "Nothing of it is in effect" in problem.message
    assert got.settings.parameters.top_k == 50


def test_file_with_a_byte_order_mark_is_read(reader, tmp_path):
    (tmp_path / ".aide.toml").write_bytes(b"\xef\xbb\xbftop_k = 7\n")
    got = resolved(reader, tmp_path)
    assert (got.settings.parameters.top_k, got.problems) == (7, ())


def test_what_is_no_readable_file_is_told(reader, tmp_path):
    (tmp_path / ".aide.toml").mkdir()
    assert "it is not a file" in resolved(reader, tmp_path).problems[0].message


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes there")
def test_pipe_in_place_of_a_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "user.toml")
    assert "not a file" in SettingsReader(tmp_path / "user.toml").resolve().problems[0].message


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission_is_told_with_the_reason(reader, tmp_path):
    (tmp_path / ".aide.toml").write_text("top_k = 7\n")
    (tmp_path / ".aide.toml").chmod(0)
    assert "Permission denied" in resolved(reader, tmp_path).problems[0].message


def test_file_that_fails_while_being_read_is_told_with_the_reason(reader, tmp_path, monkeypatch):
    (tmp_path / ".aide.toml").write_text("top_k = 7\n")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert "Permission denied" in resolved(reader, tmp_path).problems[0].message


def test_nearest_of_both_kinds_of_project_files_counts(reader, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / ".aide.toml").write_text("top_k = 1\n")
    (tmp_path / "in" / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert reader.resolve(tmp_path / "in" / "x.py", None, tmp_path).settings.parameters.top_k == 1
    (tmp_path / "in" / "pyproject.toml").write_text("[tool.aide]\ntop_p = 0.5\n")
    got = reader.resolve(tmp_path / "in" / "x.py", None, tmp_path).settings.parameters
    assert (got.top_k, got.top_p) == (50, 0.5)


def test_both_in_one_folder_then_the_own_file_counts_and_it_is_said(reader, tmp_path):
    (tmp_path / ".aide.toml").write_text("top_k = 1\n")
    (tmp_path / "pyproject.toml").write_text("[tool.aide]\ntop_k = 2\n")
    got = resolved(reader, tmp_path)
    assert got.settings.parameters.top_k == 1
    (problem,) = got.problems
    assert problem.notice
    assert "pyproject.toml is not read, since .aide.toml" in problem.message


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[tool.other\n", False),
        ("[tool.aide]\ntop_k = \n", True),
        ("tool = 5\n", False),
        ("[tool]\naide = 5\n", True),
        ("", False),
    ],
)
def test_broken_pyproject_is_told_only_where_it_is_about_us(reader, tmp_path, content, told):
    (tmp_path / "pyproject.toml").write_text(content)
    assert bool(resolved(reader, tmp_path).problems) == told


def test_pyproject_that_breaks_keeps_its_last_good_values(reader, tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text(
        "[tool.aide]\ntop_k = 7\n['*.py']\ntop_p = 0.5\n".replace("['*.py']", "[tool.aide.'*.py']")
    )
    resolved(reader, tmp_path)
    path.write_text("[tool.aide\n")
    got = resolved(reader, tmp_path)
    assert (got.settings.parameters.top_k, got.settings.parameters.top_p) == (7, 0.5)
    assert "Its last good values stay" in got.problems[0].message


def test_change_of_the_same_size_is_seen(tmp_path):
    files, path = SettingsFiles(), tmp_path / "a.toml"
    for number in range(9):
        path.write_text(f"x = {number}")
        assert files.read(path).table == {"x": number}


def test_file_that_did_not_change_is_not_read_again(tmp_path, monkeypatch):
    files, path = SettingsFiles(), tmp_path / "a.toml"
    path.write_text("x = 1")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    files.read(path)
    monkeypatch.setattr("aide_lsp.settings_files._parse", None)
    assert files.read(path).table == {"x": 1}
