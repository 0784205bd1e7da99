"""Which files are ignored is compared with Git's own answer."""

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pathspec.patterns.gitignore.base import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from aide_lsp.context import ignore_file
from aide_lsp.context.ignore_file import IgnoreFile, LinearPattern
from aide_lsp.context.ignored import IgnoreRules
from aide_lsp.context.looks import LONGEST_TEXT
from aide_lsp.context.project_view import Known, ProjectView
from tests.context.projects import write

FILES = ["a.py", "b.py", "gen/a.py", "gen/b.py", "gen/deep/a.py", "src/gen/a.py", "src/a.pyi", "src/ab.py"]
NAMES = st.sampled_from(["a.py", "b.py", "*.py", "gen", "deep", "src", "*", "**", "[ab].py", "?.py", "a*p*y"])
PATTERNS = st.builds(
    lambda negated, anchored, names, folder: negated + anchored + "/".join(names) + folder,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(NAMES, min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
    # The library takes `a/**/` for `a/`, and ignores more.
).filter(lambda pattern: not pattern.endswith("**/"))
LISTS = st.lists(PATTERNS, max_size=4).map("\n".join)


def ignored(root, *paths):
    rules = IgnoreRules(ProjectView(str(root), {}, Known()))
    return {path: reason for path in paths if (reason := rules.reason(path))}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    root = tmp_path_factory.mktemp("repository")
    write(root, dict.fromkeys(FILES, ""))
    subprocess.run(["git", "init", "-q", root], check=True)
    return root


@settings(max_examples=40)
@given(st.fixed_dictionaries({".gitignore": LISTS, "gen/.gitignore": LISTS, ".git/info/exclude": LISTS}))
@example({".gitignore": "*\n!src/\n!a.pyi", "gen/.gitignore": "", ".git/info/exclude": ""})
@example({".gitignore": "gen/**\n!gen/a.py", "gen/.gitignore": "!a.py", ".git/info/exclude": "b.py"})
def test_same_files_are_ignored_as_by_git(repository, lists):
    write(repository, lists)
    command = ["git", "-c", "core.excludesFile=/dev/null", "check-ignore", "--no-index", "--stdin"]
    run = subprocess.run(command, cwd=repository, input="\n".join(FILES), capture_output=True, text=True)
    assert sorted(ignored(repository, *FILES)) == sorted(run.stdout.split())


def test_reason_names_the_file_that_ignores(tmp_path):
    write(tmp_path, {".gitignore": "a.py", "src/.gitignore": "b.py\n!a.py", "src/a.py": "", "src/b.py": ""})
    write(tmp_path, {".git/info/exclude": "c.py\r\n", "src/c.py": "", "a.py": ""})
    assert ignored(tmp_path, "a.py", "src/a.py", "src/b.py", "src/c.py") == {
        "a.py": "it is ignored by .gitignore",
        "src/b.py": "it is ignored by src/.gitignore",
        "src/c.py": "it is ignored by .git/info/exclude",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\n" * (ignore_file.MOST_LINES + 1), "it has more than 2,000 lines"),
        ("a" * (LONGEST_TEXT + 1), "it has more than 200,000 characters"),
        ("\0" * 3, ""),
    ],
)
def test_where_the_list_cannot_be_followed_everything_is_ignored(tmp_path, text, problem):
    write(tmp_path, {"src/.gitignore": text, "src/x.py": "", "x.py": ""})
    reasons = ignored(tmp_path, "src/x.py", "x.py")
    assert reasons == ({"src/x.py": f"src/.gitignore cannot be followed: {problem}"} if problem else {})


def test_invalid_patterns_ignore_nothing():
    file = IgnoreFile("!\n\\\n[z-a]\n[\n[[a]x\n" + "x" * 1000 + "\nb.py")
    assert [file.ignores(path) for path in ("a.py", "b.py", "x")] == [None, True, None]


def test_patterns_are_matched_in_linear_time():
    """Otherwise this takes longer than the universe exists."""
    slow = ["*a" * 60 + "b", "**/a/" * 50 + "b", "?*" * 60 + "x"]
    slow.append("**/" + "*a" * 20 + "/**/" + "*a" * 20 + "b")
    file = IgnoreFile("\n".join(slow))
    for path in ("a" * 255, "a/" * 240, "a" * 250 + "/" + "a" * 249):
        assert not file.ignores(path)


CHARACTERS = st.text("ab*?/[]!\\-.", max_size=14)
PARTS = st.sampled_from(["a", "b", "*", "**", "a*b", "*a*b*", "?", "[ab]*a"])
PATHS = st.lists(st.sampled_from(["a", "b", "ab", "aab", "abab", "-]"]), min_size=1, max_size=7).map("/".join)


@given(CHARACTERS | st.lists(PARTS, max_size=6).map("/".join), PATHS)
def test_they_match_what_the_library_matches(line, path):
    try:
        expected = GitIgnoreSpecPattern(line)
    except GitIgnorePatternError:
        return
    found = LinearPattern(line)
    assert (found.regex is None) == (expected.regex is None)
    if expected.regex is not None:
        ours, theirs = found.regex.match(path), expected.regex.search(path)
        assert (ours and ours.groupdict()) == (theirs and theirs.groupdict())
