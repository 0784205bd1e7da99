"""A source file seen by its grammar: its errors, and what of it is code rather than comment or string."""

import importlib
import re
from functools import cache

import tree_sitter

from aide_lsp.syntax.languages import language_of

NOT_CODE = re.compile(r"comment|string|char_literal|character_literal|rune_literal|regex")
OPENERS = {")": "(", "]": "[", "}": "{"}


@cache
def parser_of(language: str) -> tree_sitter.Parser:
    """Load a grammar."""
    module, _, function = language_of(language).grammar.partition(":")
    grammar = getattr(importlib.import_module(module), function or "language")
    return tree_sitter.Parser(tree_sitter.Language(grammar()))


def parse(text: str, language: str) -> tree_sitter.Tree:
    """Parse a text from its beginning."""
    return parser_of(language).parse(text.encode())


def errors(tree: tree_sitter.Tree) -> int:
    """Count nodes that are errors or missing."""
    count, left = 0, [tree.root_node]
    while left:
        node = left.pop()
        if node.has_error:
            count += node.is_error or node.is_missing
            left.extend(node.children)
    return count


def code_only(text: str, tree: tree_sitter.Tree) -> str:
    """Return the text with every character of a comment or string replaced: quotes by `"`, the rest by `~`.

    Offsets stay what they are.
    """
    content = text.encode()
    parts: list[str] = []
    end = 0
    left = [tree.root_node]
    while left:
        node = left.pop()
        if node.child_count == 0 or NOT_CODE.search(node.type):
            if NOT_CODE.search(node.type) and node.start_byte >= end and len(node.text or b"") > 1:
                parts.append(content[end : node.start_byte].decode())
                length = len(content[node.start_byte : node.end_byte].decode())
                mark = "~" if "comment" in node.type else '"'
                parts.append(mark * length)
                end = node.end_byte
        else:
            left.extend(reversed(node.children))
    parts.append(content[end:].decode())
    return "".join(parts)


def open_brackets(code: str) -> str:
    """Return what brackets a text closes before it opens them, then what it leaves open."""
    closed, opened = "", ""
    for bracket in re.findall(r"[()\[\]{}]", code):
        if bracket not in OPENERS:
            opened += bracket
        elif opened.endswith(OPENERS[bracket]):
            opened = opened[:-1]
        else:
            closed += bracket
    return closed + opened
