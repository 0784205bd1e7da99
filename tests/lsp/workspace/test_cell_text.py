"""The text of a cell as cells in other languages read it."""

import pytest

from aide_lsp.lsp.workspace.cell_text import LONGEST_LINE, text_for


@pytest.mark.parametrize(
    ("language", "own", "text", "expected"),
    [
        ("python", "python", "x = 1\n\n", "x = 1"),
        ("python", "python", "    x\n", "    x"),
        ("python", "python", " \n", ""),
        ("python", "markdown", "# Title\n\nText\r\nmore", "# # Title\n#\n# Text\n# more"),
        ("python", "sql", "select 1", "# select 1"),
        ("javascript", "markdown", "Text\rmore", "// Text\n// more"),
        ("latex", "markdown", "50 %", "% 50 %"),
        ("shellscript", "bash", "ls", "ls"),
        ("markdown", "python", "x = 1", "```python\nx = 1\n```"),
        ("markdown", "python", "'''\n````\n'''", "`````python\n'''\n````\n'''\n`````"),
        ("markdown", "plaintext", "Text", "Text"),
        ("plaintext", "markdown", "*Text*", "*Text*"),
        ("html", "markdown", "Text", "<!--\nText\n-->"),
        ("html", "markdown", "a --> b", ""),
        ("json", "markdown", "Text", ""),
        ("unheard-of", "markdown", "Text", ""),
        ("", "markdown", "Text", ""),
        ("", "", "Text", "Text"),
    ],
)
def test_a_cell_is_code_a_comment_or_a_block(language, own, text, expected):
    assert text_for(language, own, text) == expected


def test_a_picture_in_a_note_does_not_fill_the_context():
    picture = "![](data:image/png;base64," + "A" * 1_000_000 + ")"
    assert len(text_for("python", "markdown", f"Text\n{picture}\nmore")) < LONGEST_LINE + 30
