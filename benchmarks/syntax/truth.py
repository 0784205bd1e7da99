"""What is open at each place of a file that parses: pairs of tokens that are parts of one node.

It shares no code with `aide_lsp.syntax.tree_openings`, which must find the same where a text does not parse.
"""

import re

from attrs import frozen

from aide_lsp.syntax.languages import Language
from aide_lsp.syntax.node import SyntaxNode

_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_COMMENT = re.compile("comment|haddock|marginalia|hash_bang|shebang", re.IGNORECASE)
_QUOTES = re.compile(r"""[A-Za-z@$#%:\\]*(\"\"\"|'''|["'`/])#*|%[a-zA-Z]?[(\[{<]""")
_OPAQUE = {"preproc_arg", "raw_text", "text", "heredoc_body", "system_lib_string", "raw_string_literal"}
_NO_QUOTES = {"lifetime", "label", "type_variable", "binary_expression", "division", "command_substitution"}
_START_TAGS = {"start_tag", "STag", "jsx_opening_element"}
_TAGS = {
    *("end_tag", "ETag", "jsx_closing_element", "self_closing_tag", "EmptyElemTag"),
    *("jsx_self_closing_element", *_START_TAGS),
}
UNKNOWN = "?"


@frozen
class Pair:
    """Something that is open from one place to another."""

    sign: str
    "The bracket, or `string`, `comment`, `tag`, `<`; UNKNOWN: what is open in it is not said."
    start: int
    end: int

    def is_open(self, place: int) -> bool:
        """Whether it is open there."""
        return self.start <= place <= self.end


def pairs_of(root: SyntaxNode, language: Language) -> list[Pair]:
    """Find all pairs of a file, by start."""
    found: list[Pair] = []
    left = [root]
    while left:
        node = left.pop()
        children = node.children
        if _COMMENT.search(node.type):
            found.append(_comment(node, language))
        elif node.type in _OPAQUE:
            found.append(Pair(UNKNOWN, node.start, node.end))
        elif children:
            found.extend(_tokens(node, children))
            left.extend(children)
        elif node.is_named and "content" not in node.type and "fragment" not in node.type:
            match = _QUOTES.match(node.text)
            if match and match.group(1) != "/" and node.end - node.start > match.end():
                found.append(Pair("string", node.start + match.end(), node.end - len(match.group(1) or "")))
    return sorted(found, key=lambda pair: (pair.start, -pair.end))


def _comment(node: SyntaxNode, language: Language) -> Pair:
    for start, end in language.block_comments:
        if node.text.startswith(start):
            return Pair("comment", node.start + len(start), node.end - len(end))
    mark = next((mark for mark in language.line_comments if node.text.startswith(mark)), "")
    return Pair(
        "comment" if mark else UNKNOWN, node.start + len(mark), node.start + len(node.text.rstrip("\n"))
    )


def _tokens(node: SyntaxNode, children: tuple[SyntaxNode, ...]) -> list[Pair]:
    found, opened = [], list[tuple[str, str, int]]()
    for child in children:
        if child.children or (child.is_named and not re.search("_(start|end|brace|quote)$", child.type)):
            continue
        token = child.text
        quotes = _QUOTES.fullmatch(token)
        if quotes and node.type not in _NO_QUOTES and (token[-1] != "/" or "regex" in node.type):
            if opened and opened[-1][0] == "string":
                found.append(Pair("string", opened.pop()[2], child.start))
            else:
                opened.append(("string", "", child.end))
            continue
        for index, sign in enumerate(token):
            if sign in _BRACKETS:
                opened.append(
                    (sign, _BRACKETS[sign], child.end if len(token) < 2 else child.start + index + 1)
                )
            elif opened and opened[-1][1] == sign:
                sign, _, start = opened.pop()
                found.append(Pair(sign, start, child.start + index))
            elif opened and opened[-1][0] == "string" and token in ")]}>":
                found.append(Pair("string", opened.pop()[2], child.start))
    if node.type in _TAGS:
        found.append(Pair("<", children[0].end, children[-1].start))
    elif children[0].type in _START_TAGS and len(children) > 1:
        is_ended = children[-1].type in _TAGS
        # In its end tag, an element is still open; it need not have one.
        found.append(Pair("tag", children[0].end, children[-1].end - 1 if is_ended else node.end - 1))
    return found
