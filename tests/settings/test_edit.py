"""Writing to a project's settings file: what the user wrote stays, and nothing else is changed."""

import os
import sys
import tomllib

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aide_lsp.errors import SettingsError
from aide_lsp.settings.edit import HEADER, NoProjectError, edit, write_user_values, write_values

ANY = "any.toml"


def set_seed(text, seed=7, table=()):
    return edit(text, table, {"seed": seed}, ANY)


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("", "seed = 7\n"),
        ("top_k = 3 # few\n", "top_k = 3 # few\nseed = 7\n"),
        ("top_k = 3", "top_k = 3\nseed = 7"),
        ("# mine\n\n[languages.python]\nseed = 1\n", "# mine\nseed = 7\n\n[languages.python]\nseed = 1\n"),
        ("seed = 1  # old\r\ntop_k = 3\r\n", "seed = 7  # old\r\ntop_k = 3\r\n"),
        ("top_k = 3\r\n", "top_k = 3\r\nseed = 7\r\n"),
        ("\ufefftop_k = 3\n", "\ufefftop_k = 3\nseed = 7\n"),
        ("seed=1", "seed=7"),
        ("seed = 1\n[[rules]]\n[top_k]\n[[rules]]", "seed = 7\n[[rules]]\n[top_k]\n[[rules]]"),
        ('"seed" = 0x10 # hex\n', '"seed" = 7 # hex\n'),
    ],
)
def test_a_seed_is_set_and_all_else_stays(text, edited):
    assert set_seed(text) == edited


@pytest.mark.parametrize(
    "text",
    [
        "[project]\nname = 'x'\n\n[tool.aide]\nx = 3 # few\n\n[tool.aide.languages.c]\nseed = 1\n\n[b]\n",
        "[tool]\naide.top_k = 3\nother = 1\n",
        "[tool]\naide = { top_k = 3 }\n",
        "tool.aide.top_k = 3\n",
        "[tool.aide.languages.python]\nseed = 1\n",
    ],
)
def test_a_table_of_pyproject_is_edited_however_it_is_written(text):
    table = ("tool", "aide")
    pinned = set_seed(text, table=table)
    wanted = tomllib.loads(text)
    wanted["tool"]["aide"]["seed"] = 7
    assert tomllib.loads(pinned) == wanted
    assert tomllib.loads(edit(pinned, table, {"seed": None}, ANY)) == tomllib.loads(text)


def test_several_values_are_written_as_toml():
    edited = edit(
        "top_k = 3 # few\n", (), {"top_k": 40, "temperature": 0.35, "preset": 'a"b', "seed": None}, ANY
    )
    assert edited == 'top_k = 40 # few\ntemperature = 0.35\npreset = "a\\"b"\n'


@pytest.mark.parametrize("text", ["seed = \n", "a = 1\na = 2\n", "[t\n", "seed = 7 7\n"])
def test_broken_toml_is_refused_with_its_place(text):
    with pytest.raises(SettingsError, match=r"not valid TOML: .*line"):
        set_seed(text)


NAMES = st.sampled_from(["top_k", "x", "seed", '"tests/**"', "languages.python", "'é'", "a.b"])
VALUES = st.sampled_from(
    ["1", "0.5", '"text # no comment"', "[1,\n  2, # two\n]", "{ a = 1 }", "'''\nseed = 3\n'''"]
)
BLANK = st.sampled_from(["", "# a comment", "   ", "# seed = 5", "\t# x"])
PAIRS = st.tuples(st.sampled_from(["", "  "]), NAMES, VALUES, st.sampled_from(["", " # why", "  "])).map(
    lambda pair: f"{pair[0]}{pair[1]} = {pair[2]}{pair[3]}"
)
HEADS = NAMES.filter(lambda name: name != "seed").map("[{}]".format) | st.sampled_from(
    ["[[rules]]", " [ indented ]  # head"]
)
TEXTS = st.builds(
    lambda lines, end, line_end: (("\n".join(lines)) + end).replace("\n", line_end),
    st.lists(BLANK | PAIRS | HEADS, max_size=8),
    st.sampled_from(["", "\n", "\n\n"]),
    st.sampled_from(["\n", "\r\n"]),
)


def is_fit(text):
    table = table_of(text)
    return table is not None and not isinstance(table.get("seed"), dict)


def table_of(text):
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def test_a_table_of_that_name_is_not_overwritten():
    with pytest.raises(SettingsError, match="seed is a table"):
        set_seed("[seed]\nx = 1\n")


@given(text=TEXTS.filter(is_fit), seed=st.integers(-(2**63), 2**63 - 1))
@hypothesis_settings(max_examples=300, deadline=None)
def test_pinning_changes_one_line_and_unpinning_gives_the_file_back(text, seed):
    pinned = set_seed(text, seed)
    assert tomllib.loads(pinned) == {**table_of(text), "seed": seed}
    lines, now = text.splitlines(), pinned.splitlines()
    if "seed" in table_of(text):
        if not isinstance(table_of(text)["seed"], str | list | dict):  # these may stand on several lines
            assert len(lines) == len(now)
            assert sum(a != b for a, b in zip(lines, now, strict=True)) <= 1
        return
    assert edit(pinned, (), {"seed": None}, ANY) == text
    assert len(now) - len(lines) <= 1
    assert [line for line in lines if line.strip() and line not in now] == []


@pytest.fixture
def project(tmp_path):
    (tmp_path / "work" / "src").mkdir(parents=True)
    return tmp_path / "work"


def pin(project, seed=7, document="src/a.py"):
    return write_values(project / document, project, {"seed": seed})


def test_without_a_project_file_one_is_made_in_the_folder(project):
    assert pin(project, None) is None
    assert pin(project) == project / ".aide.toml"
    assert (project / ".aide.toml").read_text() == f"{HEADER}seed = 7\n"
    assert pin(project) is None
    assert sorted(path.name for path in project.iterdir()) == [".aide.toml", "src"]


@pytest.mark.skipif(os.name == "nt", reason="files have other permissions there")
def test_new_settings_of_the_user_are_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        path = write_user_values(tmp_path / "config" / "settings.toml", {"seed": 7})
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_the_nearest_file_is_edited_and_keeps_its_permissions(project):
    (project / ".aide.toml").write_text("top_k = 3\n")
    near = project / "src" / ".aide.toml"
    near.write_text("top_p = 1\n")
    near.chmod(0o600)
    assert pin(project) == near
    assert near.read_text() == "top_p = 1\nseed = 7\n"
    assert near.stat().st_mode & 0o777 == 0o600
    assert (project / ".aide.toml").read_text() == "top_k = 3\n"


def test_pyproject_is_edited_where_it_sets_something_and_only_there(project):
    (project / "src" / "pyproject.toml").write_text("[tool.ruff]\n")
    (project / "pyproject.toml").write_text("[tool.aide]\ntop_k = 3\n")
    assert pin(project) == project / "pyproject.toml"
    assert (project / "pyproject.toml").read_text() == "[tool.aide]\ntop_k = 3\nseed = 7\n"


def test_without_a_workspace_folder_the_repository_is_written_to(project):
    (project / ".git").mkdir()
    assert write_values(project / "src" / "a.py", None, {"seed": 1}) == project / ".aide.toml"


def test_file_of_no_project_gets_a_project_file_only_with_consent(project):
    document, path = project / "src" / "a.py", project / "src" / ".aide.toml"
    with pytest.raises(NoProjectError, match=r"a\.py belongs to no project") as error:
        write_values(document, None, {"seed": 1})
    assert error.value.path == path
    assert write_values(document, None, {"seed": None}) is None
    assert not list(project.rglob(".aide*"))
    assert write_values(document, None, {"seed": 1}, create=True) == path
    # Now it is a project.
    assert write_values(document, None, {"seed": 2}) == path


def test_where_a_project_file_would_be_refused_the_user_is_not_asked(project):
    project.chmod(0o777)
    with pytest.raises(SettingsError, match="writable by everyone") as error:
        write_values(project / "a.py", None, {"seed": 1})
    assert not isinstance(error.value, NoProjectError)


@pytest.mark.skipif(os.name == "nt", reason="files have other permissions there")
@pytest.mark.parametrize("umask", [0o077, 0o022, 0o002])
def test_new_project_file_has_the_permissions_that_the_umask_leaves(project, umask):
    before = os.umask(umask)
    try:
        path = pin(project)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_without_either_a_project_file_that_is_there_is_edited(project):
    (project / ".aide.toml").write_text("top_k = 3\n")
    assert write_values(project / "a.py", None, {"seed": 1}) == project / ".aide.toml"
    assert write_values(project / "src" / "a.py", None, {"seed": 2}) == project / ".aide.toml"


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o733])
@pytest.mark.parametrize("there", [True, False])
def test_where_everyone_may_write_nothing_is_written(project, mode, there):
    (project / ".git").mkdir()
    if there:
        (project / ".aide.toml").write_text("top_k = 3\n")
    project.chmod(mode)
    with pytest.raises(SettingsError, match=r"the folder .* is writable by everyone"):
        pin(project)
    assert [path.name for path in project.glob(".aide*")] == ([".aide.toml"] if there else [])


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize("given", [".", ".aide.toml"])
def test_a_file_or_folder_of_another_user_is_not_written(project, given):
    (project / ".aide.toml").write_text("top_k = 3\n")
    os.chown(project / given, 12345, 12345)
    with pytest.raises(SettingsError, match="belongs to another user"):
        pin(project)
    assert (project / ".aide.toml").read_text() == "top_k = 3\n"


def test_a_link_out_of_the_project_is_not_followed(project):
    outside = project.parent / "outside.toml"
    outside.write_text("top_k = 3\n")
    (project / ".aide.toml").symlink_to(outside)
    with pytest.raises(SettingsError, match="outside the project"):
        pin(project)
    (project / ".aide.toml").unlink()
    (project / ".aide.toml").symlink_to(project.parent / "not-there.toml")
    with pytest.raises(SettingsError, match="outside the project"):
        pin(project)
    assert outside.read_text() == "top_k = 3\n"
    assert not (project.parent / "not-there.toml").exists()


def test_a_linked_folder_out_of_the_project_is_not_followed(project):
    (project.parent / "elsewhere").mkdir()
    (project / "linked").symlink_to(project.parent / "elsewhere")
    with pytest.raises(SettingsError, match="not in the folder"):
        pin(project, document="linked/a.py")


def test_what_cannot_be_edited_is_left_alone(project):
    path = project / ".aide.toml"
    for content in (b"seed = \n", b"\xff\xfe", b"# " + b"x" * 65_536, b"a." * 10_000 + b"a = 1"):
        path.write_bytes(content)
        with pytest.raises(SettingsError):
            pin(project)
        assert path.read_bytes() == content
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(SettingsError, match="not a regular file"):
        pin(project)


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may write everywhere")
def test_a_folder_that_cannot_be_written_is_reported(project):
    project.chmod(0o500)
    with pytest.raises(SettingsError, match="permissions"):
        pin(project)


@pytest.mark.skipif(sys.platform == "win32", reason="no limits")
def test_write_when_the_disk_is_full_then_the_advice_is_about_space_not_permissions(tmp_path):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(SettingsError, match="Free some space") as caught:
            write_values(tmp_path / "x.py", tmp_path, {"seed": 7})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "permission" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_users_own_file_may_be_a_link_and_stays_one(tmp_path):
    (tmp_path / "dotfiles").mkdir()
    real, link = tmp_path / "dotfiles" / "settings.toml", tmp_path / "settings.toml"
    real.write_text("top_k = 3\n")
    link.symlink_to(real)
    assert write_user_values(link, {"model": "x"}) == link
    assert link.is_symlink()
    assert real.read_text() == 'top_k = 3\nmodel = "x"\n'
