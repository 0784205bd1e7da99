"""Every grammar of the table loads and parses; one that does not is left out, and the log says so once."""

import logging
import subprocess
import sys

import pytest

from aide_lsp.syntax.grammars import MOST_NESTED, ParseTooLong, is_safe, load_grammar, parse
from aide_lsp.syntax.languages import LANGUAGES

GRAMMARS = sorted({language.grammar for language in LANGUAGES.values()} - {""})


@pytest.mark.parametrize("name", GRAMMARS)
def test_grammar_in_the_table_loads_and_parses(name):
    grammar = load_grammar(name)
    assert grammar is not None
    assert parse(grammar, b"x\n").root_node.end_byte == 2


@pytest.mark.parametrize("name", ["no_such_module", "tree_sitter_python:no_such_function", "json:loads"])
def test_grammar_that_does_not_load_is_logged_once(name, caplog):
    load_grammar.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert load_grammar(name) is None
        assert load_grammar(name) is None
    assert [name in message for message in caplog.messages] == [True]


def test_language_without_a_grammar_has_none():
    assert load_grammar("") is None


def test_parse_ends_when_it_is_no_longer_wanted():
    def check():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        parse(load_grammar("tree_sitter_python"), b"x = 1\n" * 1000, check=check)


def test_parse_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr("aide_lsp.syntax.grammars.MOST_SECONDS", 0)
    with pytest.raises(ParseTooLong):
        parse(load_grammar("tree_sitter_python"), b"x = 1\n" * 1000)


def test_deep_nesting_is_not_parsed():
    assert is_safe(b"f()\n" * 10 * MOST_NESTED, "tree_sitter_python")
    assert is_safe(b"(" * MOST_NESTED, "tree_sitter_python")
    assert not is_safe(b"(" * (MOST_NESTED + 1), "tree_sitter_python")
    assert not is_safe(b")" * 10 + b"[{<(" * MOST_NESTED, "tree_sitter_python")


@pytest.mark.parametrize("text", [b"- " * 1500, b"? " * 100, b"a: 1\n" + b" " * 200 + b"b: 1\n"])
def test_yaml_that_its_grammar_cannot_take_is_not_parsed(text):
    assert not is_safe(text, "tree_sitter_yaml")
    assert is_safe(text, "tree_sitter_python")


def test_start_up_loads_no_grammar():
    code = "import sys, aide_lsp.syntax.trees; sys.exit('tree_sitter' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
