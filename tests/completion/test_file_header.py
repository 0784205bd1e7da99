"""The line that names a file to the model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.completion.file_header import LONGEST_NAME, file_header, says_little
from aide_lsp.language_ids.table import SUFFIXES
from aide_lsp.syntax.languages import LANGUAGES


@pytest.mark.parametrize(
    ("path", "language_id", "header"),
    [
        ("/home/someone/src/utils.py", "python", "# utils.py"),
        ("C:\\Users\\someone\\main.go", "go", "// main.go"),
        ("index.html", "", "<!-- index.html -->"),
        ("/p/styles.css", "css", "/* styles.css */"),
        ("/p/schema.sql", "sql", "-- schema.sql"),
        ("/p/Dockerfile", "dockerfile", "# Dockerfile"),
        ("/p/deploy", "shellscript", "# deploy.sh"),
        ("", "python", "# main.py"),
        ("/home/a/Untitled-12", "python", "# main.py"),
        ("Untitled-1", "javascript", "// main.js"),
        # What notebooks begin with differs from what programs begin with: the name says which it is.
        ("/p/sales.ipynb", "python", "# sales.ipynb"),
        ("/p/sales.ipynb", "", ""),
        ("/p/package.json", "json", "package.json"),
        ("/p/a\nb\u202e.py", "python", "# a b.py"),
        ("/p/README.md", "markdown", ""),
        ("", "", ""),
        ("/p/stdin", "", ""),
        ("/p/a.unknown", "", ""),
        (f"/p/{'a' * LONGEST_NAME}.py", "python", ""),
    ],
)
def test_header_names_the_file_in_a_comment(path, language_id, header):
    assert file_header(path, language_id) == (f"{header}\n" if header else "")


@pytest.mark.parametrize("language_id", LANGUAGES)
def test_header_of_every_language_that_has_a_suffix_exists_without_a_path(language_id):
    language = LANGUAGES[language_id]
    has_header = language_id in SUFFIXES.values() and bool(language.marks or language.data)
    assert bool(file_header("", language_id)) == has_header


@given(st.text(), st.sampled_from(["", "python", "html"]))
def test_header_is_one_line(path, language_id):
    assert file_header(path, language_id).count("\n") <= 1


@pytest.mark.parametrize(
    ("texts", "little"),
    [
        (("", ""), True),
        (("\n\n", "\n"), True),
        (("import ", ""), True),
        (("<?php\n",), True),
        (("xs = [0, 0, 0, ", "]\n"), True),
        (("import os\n", ""), False),
        (("package ", "main\n"), False),
        (("\u65e5\u672c\u8a9e\u306e\u6587\u7ae0\u3067\u3059",), False),
    ],
)
def test_few_letters_say_little(texts, little):
    assert says_little(*texts) == little
