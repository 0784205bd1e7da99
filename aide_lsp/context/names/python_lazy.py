"""Names that a module of Python has by its function `__getattr__`, which imports what it gives.

They are known where it first looks its argument up among names that the module lists, and raises for others.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from aide_lsp.context.names.module import FileNames
from aide_lsp.syntax.node import SyntaxNode

MOST_LISTS = 20
"""In one function."""
_ARGUMENT = re.compile(r"def\s+__getattr__\s*\(\s*(\w+)")
_TEST = r"ARGUMENT[ \t]+(?P<not>not[ \t]+)?(?:in|==)[ \t]+(?P<names>\S.*)"
_LOOKS_UP = r"try:\s*(?:[\w, \t]+=[ \t]*)?(?P<names>\w+)\[ARGUMENT\]\s*except\b[^\n]*:\s*raise\b[^\n]*\Z"
_CHANGES = r"\bTABLE(?:\.\w+\(|\[[^\]\n]*\][ \t]*=(?!=)|[ \t]*[|+]=)"
_STRING = re.compile(r"""("{3}|'{3}|["'])(?:\\.|(?!\1).)*\1""", re.DOTALL)
_QUOTED = re.compile(r"""(["'])[^\W\d]\w*\1""")
_RETURNED = re.compile(r"\breturn\b[ \t]*([^\n]*)")
_IMPORTS = re.compile(r"(?:importlib\.)?import_module\(")
_ITSELF = re.compile(r"""(["'])(\w+)\1:[ \t]*(["'])[\w.]*\.\2\3""")


def is_getattr(node: SyntaxNode) -> bool:
    """Whether a statement of a module is the function that gives it names."""
    name = node.part("name") if node.type == "function_definition" else None
    return name is not None and name.text == "__getattr__"


def names_by_function(root: SyntaxNode) -> FileNames | None:
    """Return the names that a module has by its `__getattr__`, if it has one; None: it may have others."""
    given, modules = set[str](), set[str]()
    functions = list(filter(is_getattr, root.named_children))
    for function in functions:
        argument, body = _ARGUMENT.search(function.text), function.part("body")
        if argument is None or body is None or len(functions) > 1:
            return None
        lists = set(islice(_lists(argument[1], body), MOST_LISTS))
        if len(lists) == MOST_LISTS:
            return None
        for listed in lists:
            names = _names(listed, (*root.named_children, *body.named_children), root.text)
            if not names:
                return None
            given |= names
        if all(map(_IMPORTS.match, _RETURNED.findall(function.text))):
            modules.update(name for _, name, _ in _ITSELF.findall(function.text) if name in given)
    return FileNames(frozenset(given - modules), frozenset(modules))


def _lists(argument: str, body: SyntaxNode) -> Iterator[str]:
    """Yield what lists the names for which it does not raise, as it is written; empty: that is not known."""
    test, looks_up = (re.compile(one.replace("ARGUMENT", argument), re.DOTALL) for one in (_TEST, _LOOKS_UP))
    for node in body.named_children:
        condition = node.part("condition") if node.type == "if_statement" else None
        if condition is not None and (found := test.fullmatch(condition.text)):
            block = node.part("consequence")
            if found["not"] and (block is None or not block.text.lstrip().startswith("raise")):
                yield ""
            yield found["names"] if node.part("alternative") is None else ""
            if found["not"]:
                return
        elif node.type == "try_statement":
            found = looks_up.match(node.text)
            yield found["names"] if found else ""
            return
        elif node.type == "return_statement" or (
            node.type != "raise_statement" and re.search(rf"\b{argument}\b", _STRING.sub("", node.text))
        ):
            yield ""
    if not body.named_children or body.named_children[-1].type != "raise_statement":
        yield ""


def _names(listed: str, statements: Iterable[SyntaxNode], text: str) -> set[str]:
    """Return names that are listed in brackets, or in a table with a name; none: not all are known."""
    if not listed.isidentifier():
        is_list = not re.sub(r"[\s,(){}\[\]]", "", _STRING.sub("", listed))
        return _plain(one.group() for one in _STRING.finditer(listed)) if is_list else set()
    found = set[str]()
    for node in statements:
        table = next(iter(node.named_children), node) if node.type == "expression_statement" else node
        left, right = table.part("left"), table.part("right")
        if left is None or right is None or left.text != listed:
            continue
        if right.type == "call" and right.text.startswith(("frozenset((", "frozenset({", "frozenset([")):
            right = right.named_children[-1].named_children[0]
        entries = [one for one in right.named_children if one.type != "comment"]
        names = _plain((one.part("key") or one).text for one in entries)
        if not names:
            return set()
        found |= names
    return found if not re.search(_CHANGES.replace("TABLE", listed), text) else set()


def _plain(strings: Iterable[str]) -> set[str]:
    """Return the names in some strings; none: some are no such strings."""
    strings = list(strings)
    return {one[1:-1] for one in strings} if all(map(_QUOTED.fullmatch, strings)) else set()
