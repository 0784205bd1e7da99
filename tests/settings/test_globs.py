"""Which files a glob matches, and which globs are rejected."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.settings.globs import glob_error, is_glob, matches


@pytest.mark.parametrize(
    ("glob", "fit", "unfit"),
    [
        ("*.md", ["a.md", "x/y/a.md"], ["a.mdx", "md/a.py"]),
        ("tests/**", ["tests/a.py", "tests/x/y.py"], ["tests.py", "x/tests/a.py"]),
        ("**/tests/**", ["tests/a.py", "x/y/tests/a/b.py"], ["x/test/a.py"]),
        ("src/*.py", ["src/a.py"], ["src/x/a.py", "a.py"]),
        ("src/**/*.py", ["src/a.py", "src/x/y/a.py"], ["src/a.js"]),
        ("secrets", ["secrets/a", "x/secrets/y/a", "secrets"], ["secrets2/a"]),
        ("src/gen", ["src/gen/a/b.py", "src/gen"], ["x/src/gen/a", "src/generated"]),
        ("build/", ["build/a", "x/build/y/a"], ["build.py"]),
        ("./main.py", ["main.py"], ["x/main.py"]),
        ("main.py", ["main.py", "x/main.py"], ["main.pyi"]),
        ("{src,lib}/?.{js,ts}", ["src/a.js", "lib/b.ts"], ["src/ab.js", "bin/a.js"]),
        ("[ab]*.c", ["apple.c", "x/b.c"], ["c.c"]),
        ("[!a]*", ["b"], ["a"]),
        ("**", ["a", "x/y/z"], []),
        ("x/**/**/z", ["x/z", "x/1/2/3/z"], ["x/z1"]),
        (".env", [".env", "x/.env"], ["x.env"]),
    ],
)
def test_glob_fits_these_files_and_not_those(glob, fit, unfit):
    assert glob_error(glob) is None
    assert [path for path in fit if not matches(glob, PurePosixPath(path))] == []
    assert [path for path in unfit if matches(glob, PurePosixPath(path))] == []


@pytest.mark.parametrize(
    ("glob", "said"),
    [
        ("", "expected a glob"),
        (" / ", "expected a glob"),
        ("a\nb", "expected a glob"),
        ("a\\b", "separate folders with /"),
        ("../x", "cannot contain .."),
        ("a/../x", "cannot contain .."),
        ("a[b", "unclosed ["),
        ("{a,b", "brace"),
        ("a}b", "brace"),
        ("a" * 201, "200 characters"),
        ("{a,b}" * 9, "more than 256"),
    ],
)
def test_invalid_glob_is_refused_with_a_reason(glob, said):
    assert said in str(glob_error(glob))


def test_names_of_settings_are_no_globs_and_files_are():
    assert [name for name in ("top_k", "languages", "topK") if is_glob(name)] == []
    assert all(is_glob(name) for name in ("tests/**", "*.md", "main.py", "a?", "[ab]", "src/"))


def test_glob_made_to_be_slow_is_not():
    """One that backtracks would not come to an end here."""
    hostile = ("**/*a" * 30 + "/" + "*a" * 20 + "b")[:200]
    assert glob_error(hostile) is None
    assert not matches(hostile, PurePosixPath(*["a" * 200] * 60))


@given(st.text("ab*?[]{},/.!", max_size=20), st.lists(st.text("ab.", min_size=1, max_size=4), max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_glob_is_refused_or_matched_without_a_crash(glob, names):
    if glob_error(glob) is None:
        assert matches(glob, PurePosixPath(*names)) in (True, False)
