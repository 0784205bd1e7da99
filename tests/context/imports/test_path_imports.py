"""Imports of the languages that a table describes, and of PHP."""

import itertools
from pathlib import Path

import pytest

from aide_lsp.context.imports.table import LANGUAGES
from aide_lsp.syntax.languages import LANGUAGES as KNOWN
from tests.context.imports.written import found

CASES = [
    pytest.param(*case.partition("\n")[0].split(" ", 1), case.partition("\n")[2].splitlines(), id=f"{number}")
    for number, case in enumerate(
        Path(__file__).with_name("imports.txt").read_text("utf-8").split("\n=== ")[1:], 1
    )
]


def parts_of(lines):
    """The text, the other files, and which of them are found."""
    text = "\n".join(line for line in lines if line[:2] not in ("+ ", "- "))
    others = [line[2:].partition(" ") for line in lines if line[:2] in ("+ ", "- ")]
    expected = [line[2:].partition(" ")[0] for line in lines if line.startswith("+ ")]
    return text, {path: content for path, _, content in others}, expected


@pytest.mark.parametrize(("language_id", "document", "lines"), CASES)
def test_finds_what_an_import_names(language_id, document, lines):
    text, others, expected = parts_of(lines)
    assert found(others, document, language_id, text) == sorted(expected)


@pytest.mark.parametrize(("language_id", "document", "lines"), CASES)
def test_an_unfinished_line_hides_no_other_import(language_id, document, lines):
    text, others, expected = parts_of(lines)
    broken = f"x = \"never closed (\n{text}\ny = ('never closed\n"
    assert set(found(others, document, language_id, broken)) >= set(expected)


@pytest.mark.parametrize("language_id", sorted(LANGUAGES))
def test_a_language_of_the_table_is_one_that_aide_knows(language_id):
    assert language_id in KNOWN


WORDS = ("import", "from", "require", "autoload", "then .", "<link", "composes:", "path=")
MARKS = (" ", ".", "/", "(", "{", "}", '"', ",", "a", "\n", "/*", "A\\")
DIFFERENT = {id(rules): language_id for language_id, rules in LANGUAGES.items()}.values()


@pytest.mark.parametrize("language_id", sorted(DIFFERENT))
def test_a_text_of_any_form_is_soon_read(language_id):
    """Patterns that look at the same characters over and over would take minutes here."""
    for word, mark in itertools.product(WORDS, MARKS):
        for text in (f"{word} " + mark * 10_000, f"{word}{mark}" * 5_000):
            assert found({"x/y": ""}, "x/z", language_id, text) == []
