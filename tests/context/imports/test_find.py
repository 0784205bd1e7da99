"""Limits of what is found: in texts and in folders that are larger than usual."""

import pytest

from aide_lsp.context.imports.find import MOST_FILES_EACH, MOST_IMPORTS, imported_files, imports_in
from aide_lsp.context.imports.table import LANGUAGES
from aide_lsp.context.imports.tree import MOST_FOLDERS, MOST_TEXTS, ProjectTree
from aide_lsp.language_ids.table import ALIASES
from tests.context.imports.written import Written


def test_every_language_is_named_by_its_own_id():
    assert not set(LANGUAGES) & set(ALIASES)


def test_a_text_has_a_bounded_number_of_imports():
    text = "".join(f"import module_{number}\n" for number in range(1000))
    assert len(imports_in(text, "python")) == MOST_IMPORTS


def test_a_repeated_import_counts_once():
    assert len(imports_in("from a import b\n" * 5, "python")) == 1


def test_a_name_of_any_length_is_no_import():
    assert imports_in(f"import {'a.' * 1000}b\n", "python") == ()


def test_an_import_has_a_bounded_number_of_files():
    names = ", ".join(f"m{number}" for number in range(1000))
    disk = Written({f"pkg/m{number}.py": "" for number in range(1000)})
    imports = imports_in(f"from pkg import {names}\n", "python")
    assert len(imported_files(imports, "main.py", "python", disk)) == MOST_FILES_EACH


def test_a_large_repository_is_not_scanned():
    disk = Written(
        {f"packages/p{number}/src/{folder}/x.py": "" for number in range(900) for folder in "abcd"}
    )
    imports = imports_in("import somewhere, elsewhere.other\n", "python")
    assert imported_files(imports, "packages/p5/src/a/x.py", "python", disk) == ()
    assert len(disk.listed) <= MOST_FOLDERS


def test_files_that_pass_on_each_other_end():
    disk = Written({f"p{number}/__init__.py": "from p0 import *\nfrom p1 import *\n" for number in range(2)})
    imports = imports_in("from p0 import x\n", "python")
    assert imported_files(imports, "main.py", "python", disk) == ("p0/__init__.py", "p1/__init__.py")


def test_a_bounded_number_of_texts_is_read():
    star = "".join(f"from p{number} import *\n" for number in range(100))
    disk = Written({f"p{number}/__init__.py": star for number in range(100)})
    imported_files(imports_in("from p0 import x\n", "python"), "main.py", "python", disk)
    assert len(disk.read) <= MOST_TEXTS


@pytest.mark.parametrize(
    ("folder", "path", "expected"),
    [
        ("a/b", "c.py", "a/b/c.py"),
        ("a/b", "../c.py", "a/c.py"),
        ("a", "..", ""),
        ("", ".", ""),
        ("a", "b\\c.h", "a/b/c.h"),
        ("a", "../..", None),
        ("a", "../../etc/passwd", None),
        ("a", "/etc/passwd", None),
        ("", "../x", None),
    ],
)
def test_nothing_outside_the_root_has_a_path(folder, path, expected):
    assert ProjectTree(Written({}), "x.py").inside(folder, path) == expected


def test_only_what_is_on_the_disk_is_a_file():
    tree = ProjectTree(Written({"a/b.py": ""}), "x.py")
    assert tree.is_file("a/b.py")
    assert not any(map(tree.is_file, ["a", "a/c.py", "b/b.py", "", "a/b.py/c"]))
    assert tree.is_folder("a")
    assert not tree.is_folder("a/b.py")


def test_json_may_have_comments():
    disk = Written({"tsconfig.json": '{"a": "http://x", /* c, */ "b": ["/*", ], // "d"\n }', "bad.json": "["})
    tree = ProjectTree(disk, "x.ts")
    assert tree.json("tsconfig.json") == {"a": "http://x", "b": ["/*"]}
    assert tree.json("bad.json") == tree.json("missing.json") == tree.toml("bad.json") == {}
