"""Files that settings are read from: found, read again when they change, and reported when broken."""

import os
import sys
import time
from pathlib import Path

import pytest

from aide_lsp.settings.files import MOST_BYTES, SettingsFiles
from aide_lsp.settings.project_folders import project_folders, project_root
from aide_lsp.settings.reader import SettingsReader


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
        (b"#" * (MOST_BYTES + 1), "larger than 262,144 bytes"),
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
    assert "None of its settings apply" in problem.message
    assert got.settings.parameters.top_k == 50


def test_file_with_a_byte_order_mark_is_read(reader, tmp_path):
    (tmp_path / ".aide.toml").write_bytes(b"\xef\xbb\xbftop_k = 7\n")
    got = resolved(reader, tmp_path)
    assert (got.settings.parameters.top_k, got.problems) == (7, ())


def test_what_is_not_a_regular_file_is_reported(reader, tmp_path):
    (tmp_path / ".aide.toml").mkdir()
    assert "it is not a regular file" in resolved(reader, tmp_path).problems[0].message


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes there")
def test_pipe_in_place_of_a_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "user.toml")
    assert "not a regular file" in SettingsReader(tmp_path / "user.toml").resolve().problems[0].message


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission_is_reported_with_the_reason(reader, tmp_path):
    (tmp_path / ".aide.toml").write_text("top_k = 7\n")
    (tmp_path / ".aide.toml").chmod(0)
    assert "Permission denied" in resolved(reader, tmp_path).problems[0].message


def test_file_that_fails_while_being_read_is_reported_with_the_reason(reader, tmp_path, monkeypatch):
    (tmp_path / ".aide.toml").write_text("top_k = 7\n")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("aide_lsp.plain_file.os.open", refuse)
    assert "Permission denied" in resolved(reader, tmp_path).problems[0].message


def test_nearest_of_both_kinds_of_project_files_counts(reader, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / ".aide.toml").write_text("top_k = 1\n")
    (tmp_path / "in" / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert reader.resolve(tmp_path / "in" / "x.py", None, tmp_path).settings.parameters.top_k == 1
    (tmp_path / "in" / "pyproject.toml").write_text("[tool.aide]\ntop_p = 0.5\n")
    got = reader.resolve(tmp_path / "in" / "x.py", None, tmp_path).settings.parameters
    assert (got.top_k, got.top_p) == (50, 0.5)


def test_both_in_one_folder_then_aides_own_file_is_used_and_that_is_reported(reader, tmp_path):
    (tmp_path / ".aide.toml").write_text("top_k = 1\n")
    (tmp_path / "pyproject.toml").write_text("[tool.aide]\ntop_k = 2\n")
    got = resolved(reader, tmp_path)
    assert got.settings.parameters.top_k == 1
    (problem,) = got.problems
    assert problem.notice
    assert "pyproject.toml is ignored because .aide.toml" in problem.message


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        ("[tool.other\n", False),
        ("[tool.aide]\ntop_k = \n", True),
        ("tool = 5\n", False),
        ("[tool]\naide = 5\n", True),
        ("", False),
    ],
)
def test_broken_pyproject_is_reported_only_where_it_concerns_aide(reader, tmp_path, content, reported):
    (tmp_path / "pyproject.toml").write_text(content)
    assert bool(resolved(reader, tmp_path).problems) == reported


def test_pyproject_that_breaks_keeps_its_last_good_values(reader, tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text(
        "[tool.aide]\ntop_k = 7\n['*.py']\ntop_p = 0.5\n".replace("['*.py']", "[tool.aide.'*.py']")
    )
    resolved(reader, tmp_path)
    path.write_text("[tool.aide\n")
    got = resolved(reader, tmp_path)
    assert (got.settings.parameters.top_k, got.settings.parameters.top_p) == (7, 0.5)
    assert "Its last valid values stay" in got.problems[0].message


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
    monkeypatch.setattr("aide_lsp.toml_file.parse", None)
    assert files.read(path).table == {"x": 1}


# -- files that someone else wrote


def top_k(reader, document, folder=None):
    return reader.resolve(document, None, folder).settings.parameters.top_k


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files there")
@pytest.mark.parametrize("name", [".aide.toml", "pyproject.toml"])
@pytest.mark.parametrize("kind", ["zero", "fifo", "fifo behind a link", "tty", "loop", "folder", "dangling"])
def test_whatever_is_in_place_of_a_project_file_costs_nothing(reader, tmp_path, name, kind):
    path = tmp_path / name
    if kind.startswith("fifo"):
        os.mkfifo(tmp_path / "fifo" if "link" in kind else path)
    if kind == "folder":
        path.mkdir()
    if kind != "fifo" and kind != "folder":
        target = {"zero": "/dev/zero", "tty": "/dev/ptmx", "loop": path, "dangling": tmp_path / "none"}
        path.symlink_to(target.get(kind, tmp_path / "fifo"))
    got = resolved(reader, tmp_path)
    assert got.settings.parameters.top_k == 50
    reported = name == ".aide.toml" and kind not in ("loop", "dangling")
    assert [problem.key for problem in got.problems] == ([""] if reported else [])
    assert resolved(reader, tmp_path).problems == got.problems


@pytest.mark.parametrize("name", [".aide.toml", "pyproject.toml"])
@pytest.mark.parametrize("through", ["file", "folder", "chain"])
def test_a_link_counts_within_the_workspace_and_not_out_of_it(tmp_path, name, through):
    text = "[tool.aide]\ntop_k = 7\n" if name == "pyproject.toml" else "top_k = 7\n"
    work = tmp_path / "work"
    for place in (work / "in", work / "shared", tmp_path / "outside"):
        place.mkdir(parents=True)
    for target, seen in ((work / "shared", 7), (tmp_path / "outside", 50)):
        (target / name).write_text(text)
        if through == "folder":
            place = work / f"to-{target.name}"
            place.symlink_to(target)
        else:
            place = work / "in"
            (place / name).unlink(missing_ok=True)
            (place / "hop").unlink(missing_ok=True)
            (place / "hop").symlink_to(target / name)
            (place / name).symlink_to("hop" if through == "chain" else target / name)
        got = SettingsReader(tmp_path / "user.toml").resolve(place / "a.py", None, work)
        assert got.settings.parameters.top_k == seen
        if seen == 50 and name == ".aide.toml":
            assert "outside the project" in got.problems[0].message


def test_the_workspace_may_itself_be_reached_by_a_link(reader, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / ".aide.toml").write_text("top_k = 7\n")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert top_k(reader, tmp_path / "link" / "a.py", tmp_path / "link") == 7


def test_users_own_file_may_be_a_link_to_anywhere(tmp_path):
    (tmp_path / "dotfiles.toml").write_text("top_k = 7\n")
    (tmp_path / "user.toml").symlink_to(tmp_path / "dotfiles.toml")
    assert top_k(SettingsReader(tmp_path / "user.toml"), None) == 7


@pytest.mark.parametrize(
    "text",
    [
        ".".join(["a"] * 20_000) + " = 1",
        "[" + " . ".join(["'a'"] * 10_000) + "]",
        'x = """#"""\n' + ".".join(['"a"'] * 15_000) + " = 1",
        "x = {a = " + ".".join(["a"] * 20_000) + " = 1}",
        '"\\' * 30_000,
        "x = [" + "1," * 30_000 + "]",
        "\n".join(f"[languages.l{number}]\ntop_k = 0" for number in range(5000)),
        "\n".join(f"['{number}*{{a,b}}{{c,d}}']\ntop_k = 3" for number in range(3000)),
    ],
    ids=["dotted", "header", "after a string", "inline", "quotes", "array", "languages", "globs"],
)
def test_no_text_makes_reading_it_slow(reader, tmp_path, text):
    """Seconds and gigabytes without the bounds; a tenth of a second is usual."""
    (tmp_path / ".aide.toml").write_text(text)
    before = time.process_time()
    resolved(reader, tmp_path)
    assert time.process_time() - before < 2


def test_sixteen_parts_are_a_key_and_strings_are_none(reader, tmp_path):
    long = ".".join(["a"] * 100)
    harmless = f"['x.y'.z]\na.b.c = '{long}' # {long}\nd = '''\n{long}'''\ne = [1.5, 2.5]\n"
    (tmp_path / "pyproject.toml").write_text(harmless + "[tool.aide]\ntop_k = 7\n")
    assert top_k(reader, tmp_path / "a.py", tmp_path) == 7


@pytest.mark.parametrize("content", [b"top_k = 0 \n" + b"#" * 300_000, b"x = " + b"[" * 9000, b"\xff", b"\0"])
def test_a_file_that_cannot_be_used_is_read_once(reader, tmp_path, monkeypatch, content):
    for name in (".aide.toml", "pyproject.toml"):
        (tmp_path / name).write_bytes(content + b"#tool.aide")
        os.utime(tmp_path / name, (1_000_000_000, 1_000_000_000))
    first = resolved(reader, tmp_path)
    monkeypatch.setattr("aide_lsp.toml_file.read_bytes", None)
    assert resolved(reader, tmp_path) is first
    assert first.errors


def test_a_date_in_the_future_does_not_make_a_file_be_read_at_each_request(reader, tmp_path, monkeypatch):
    (tmp_path / ".aide.toml").write_text("top_k = 7\n")
    os.utime(tmp_path / ".aide.toml", (9_000_000_000, 9_000_000_000))
    resolved(reader, tmp_path)
    monkeypatch.setattr("aide_lsp.toml_file.read_bytes", None)
    assert resolved(reader, tmp_path).settings.parameters.top_k == 7


def test_a_change_that_keeps_time_and_size_is_seen(reader, tmp_path):
    for number in (7, 8):
        (tmp_path / ".aide.toml").write_text(f"top_k = {number}\n")
        os.utime(tmp_path / ".aide.toml", (1_000_000_000, 1_000_000_000))
        assert resolved(reader, tmp_path).settings.parameters.top_k == number


# -- which folders count


@pytest.fixture
def tree(tmp_path):
    """Files in a row of folders: 1 outermost, 4 innermost."""
    places = [
        tmp_path / "1",
        tmp_path / "1" / "2",
        tmp_path / "1" / "2" / "3",
        tmp_path / "1" / "2" / "3" / "4",
    ]
    places[-1].mkdir(parents=True)
    return places


@pytest.mark.parametrize(
    ("repository", "folder", "file", "seen"),
    [
        (None, None, 0, True),
        (None, None, 3, True),
        (1, None, 0, False),
        (1, None, 1, True),
        (1, None, 2, True),
        (3, None, 2, False),
        (None, 1, 0, False),
        (None, 1, 1, True),
        (1, 2, 1, False),
        (3, 1, 1, True),
    ],
)
def test_files_count_up_to_the_workspace_or_repository_and_none_above(
    reader, tree, repository, folder, file, seen
):
    if repository is not None:
        (tree[repository] / ".git").mkdir()
    (tree[file] / ".aide.toml").write_text("top_k = 7\noff = ['*.md']\n")
    workspace = None if folder is None else tree[folder]
    assert top_k(reader, tree[3] / "a.py", workspace) == (7 if seen else 50)
    assert (reader.resolve(tree[3] / "a.md", None, workspace).off is not None) == seen


def test_a_repository_may_be_a_worktree_whose_git_is_a_file(reader, tree):
    (tree[1] / ".git").write_text("gitdir: /elsewhere\n")
    (tree[1] / ".aide.toml").write_text("top_k = 7\n")
    assert top_k(reader, tree[3] / "a.py") == 7


def test_outside_of_a_project_globs_of_the_user_still_name_folders(tree, tmp_path):
    (tmp_path / "user.toml").write_text("off = ['3']\n")
    assert SettingsReader(tmp_path / "user.toml").resolve(tree[3] / "a.py").off is not None


def test_outside_of_a_project_only_folders_of_the_user_count(reader, tree, monkeypatch):
    (tree[0] / ".aide.toml").write_text("top_k = 7\n")
    monkeypatch.setattr("pathlib.Path.home", lambda: tree[1])
    assert top_k(reader, tree[3] / "a.py") == 50
    monkeypatch.setattr("pathlib.Path.home", lambda: tree[0])
    assert top_k(reader, tree[3] / "a.py") == 7
    tree[2].chmod(0o777)
    assert top_k(reader, tree[3] / "a.py") == 50


def test_the_root_of_the_disk_is_nobodys_project():
    assert Path("/") not in project_folders(Path("/srv/a/b.py"), None)
    assert Path("/") not in project_folders(Path("/srv/a/b.py"), Path("/"))
    assert project_folders(Path("/b.py"), None) == (Path("/"),)
    assert project_root(Path("/b.py"), Path("/")) is None


POSIX = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows keeps permissions elsewhere")
ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away"
)


@POSIX
@pytest.mark.parametrize("name", [".aide.toml", "pyproject.toml"])
@pytest.mark.parametrize(
    ("changed", "mode", "said"),
    [
        ("folder", 0o777, "run: chmod o-w"),
        ("folder", 0o1777, "a folder of your own"),
        ("folder", 0o703, "run: chmod o-w"),
        ("file", 0o666, "run: chmod o-w"),
        ("file", 0o602, "run: chmod o-w"),
    ],
)
def test_where_everyone_may_write_nothing_is_used_and_that_is_reported(
    reader, tree, name, changed, mode, said
):
    (tree[0] / ".aide.toml").write_text("top_k = 3\n")
    path = tree[1] / name
    path.write_text("[tool.aide]\ntop_k = 7\n" if name == "pyproject.toml" else "top_k = 7\n")
    (path if changed == "file" else tree[1]).chmod(mode)
    got = reader.resolve(tree[3] / "a.py", None, tree[0])
    assert got.settings.parameters.top_k == 3
    (problem,) = got.problems
    assert problem.notice
    assert f"{path} is ignored because" in problem.message
    assert said in problem.message
    (path if changed == "file" else tree[1]).chmod(0o750)
    assert top_k(reader, tree[3] / "a.py", tree[0]) == 7


@ROOT
@pytest.mark.parametrize("given", ["1/2", "1/2/.aide.toml"])
def test_what_belongs_to_another_user_does_not_count(reader, tree, tmp_path, given):
    (tree[1] / ".aide.toml").write_text("top_k = 7\n")
    os.chown(tmp_path / given, 12345, 12345)
    got = reader.resolve(tree[3] / "a.py", None, tree[0])
    assert got.settings.parameters.top_k == 50
    assert "belongs to another user" in got.problems[0].message
    (tmp_path / "user.toml").write_text("top_k = 9\n")
    os.chown(tmp_path / "user.toml", 12345, 12345)
    assert top_k(reader, tree[3] / "a.py", tree[0]) == 9


@POSIX
def test_what_belongs_to_the_system_counts(reader, tree, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("files of root are needed")
    (tree[1] / ".aide.toml").write_text("top_k = 7\n")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert top_k(reader, tree[3] / "a.py", tree[0]) == 7


@POSIX
def test_a_pyproject_that_is_not_about_us_is_never_a_concern(reader, tree):
    (tree[1] / "pyproject.toml").write_text("[tool.ruff]\n")
    tree[1].chmod(0o777)
    assert reader.resolve(tree[3] / "a.py", None, tree[0]).problems == ()


# -- looking again


def test_an_unchanged_place_gives_the_same_result_and_any_change_another(reader, tree):
    editor, document, folder = {"topP": 0.5}, tree[3] / "a.py", tree[0]
    ask = lambda: reader.resolve(document, editor, folder)  # noqa: E731
    first = ask()
    assert ask() is first
    (tree[0] / ".aide.toml").write_text("top_k = 7\n")
    assert ask().settings.parameters.top_k == 7
    (tree[3] / "pyproject.toml").write_text("[tool.aide]\ntop_k = 8\n")
    assert ask().settings.parameters.top_k == 8
    (tree[3] / "pyproject.toml").unlink()
    assert ask().settings.parameters.top_k == 7
    assert reader.resolve(document, {"topP": 0.6}, folder).settings.parameters.top_p == 0.6
    assert reader.resolve(document, editor, folder, language="go") is not ask()
    (tree[3] / ".env").write_text("")
    document.symlink_to(tree[3] / ".env")
    assert ask().off is not None
