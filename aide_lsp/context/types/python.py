"""Types of Python: classes at the top level of a module."""

import re
from functools import lru_cache

from aide_lsp.context.names.module import Cursor
from aide_lsp.context.types.code import (
    KEPT,
    MOST_NESTED,
    CodeAround,
    Meaning,
    Use,
    bindings,
    closed_at,
    end_of,
    indent_of,
    opened_at,
    outline,
    parts_of,
)
from aide_lsp.context.types.facts import CLASS, Receiver, TypeRules
from aide_lsp.context.types.python_classes import CLASS_STATEMENT, files, known, read, type_of

MARKS = re.compile(
    r'(?P<open>"""(?!(?:\\.|(?!""").)*+""")|' + r"'''(?!(?:\\.|(?!''').)*+'''))"
    r'|"""(?:\\.|(?!""").)*+"""|' + r"'''(?:\\.|(?!''').)*+'''"
    r'|"(?:\\.|[^"\\\n])*+"?|' + r"'(?:\\.|[^'\\\n])*+'?|#[^\n]*|\\\n",
    re.DOTALL,
)
_DOTTED = re.compile(r"(?<![\w.)\]}\"'])([^\W\d]\w*)\.(\w*)\Z")
_TARGETS = re.compile(r"[ \t]*(?:[\w.*()]+[ \t]*,[ \t]*)*\w+\.\w*\Z|.*\b(?:as|for|del)[ \t]+\w+\.\w*\Z")
"""Where an attribute may be defined: it need not be there yet."""
_OWNERS = ("self", "cls")
_DEF = re.compile(r"[ \t]*(?:async[ \t]+)?def[ \t]+\w+[ \t]*(?:\[[^\]]*\])?\(")
_DEF_BEFORE = re.compile(r"\bdef[ \t]+\w+[ \t]*(?:\[[^\]]*\])?\Z")
_CALL = re.compile(r"[ \t]*([^\W\d][\w.]*)\(")
_BINDS_LEFT = re.compile(
    r"\bas[ \t]*\(?[\w, \t]*\Z|\bfor\b(?:(?!\bin\b).)*\Z|\blambda\b[^:]*\Z"
    r"|^[ \t]*(?:del|global|nonlocal|case|match)\b|\b(?:def|class|type)[ \t]+\Z"
    r"|\b(?:def|class|type)[ \t]+\w+\[[^\]]*\Z"
)
_IMPORTS_LEFT = re.compile(r"^[ \t]*(?:from|import)\b")
_ASKS_LEFT = re.compile(
    r"\b(?:isinstance|issubclass|hasattr|getattr|setattr|delattr|type|vars|id|callable|(?:is|has)_\w+)"
    r"\([ \t]*\Z|\bcast\("
)
_MANY_RIGHT = re.compile(r"[\w.*()\[\], \t]*=(?!=)")
_BINDS_IN_BRACKETS = re.compile(r"^[ \t]*(?:case|for|async[ \t]+for|del|match)\b|\b(?:as|for)[ \t]*\Z")
OF_EVERY_TYPE = frozenset((
    *dir(object), "__annotations__", "__dict__", "__module__", "__dataclass_fields__", "__slots__",
    "__weakref__", "__attrs_attrs__", "__match_args__", "__post_init__", "__replace__",
    "__dataclass_params__", "__orig_class__", "__orig_bases__", "__parameters__",
))  # fmt: skip

OF_EVERY_CLASS = frozenset(dir(type))


def receiver(cursor: Cursor) -> Receiver | None:
    """Return the name before the cursor and a dot, if its type is certain."""
    found = _DOTTED.search(cursor.before)
    if found is None or (found[1] in _OWNERS and _TARGETS.match(cursor.before)):
        return None
    code = CodeAround.of(cursor, MARKS)
    if code is None:
        return None
    name, begun = found.groups()
    meaning = _meaning(name, code.above, code.below, indent_of(cursor.before))
    found_at = code.receiver(name, begun, meaning, _types(name, code.before + code.after))
    return found_at if found_at and _is_itself(found_at.first_name, found_at.code) else None


@lru_cache(KEPT)
def _is_itself(name: str, code: str) -> bool:
    """Whether the name of a type is nothing else in a document: a parameter, a variable, another type."""
    return _types(name, code) <= {CLASS + name}


@lru_cache(KEPT)
def _meaning(name: str, above: str, below: str, indent: int) -> Meaning:
    """Return what a name means between two texts."""
    places = outline(above, indent)
    number = next((number for number, start in enumerate(places) if _DEF.match(above, start)), None)
    if number is not None:
        start = places[number]
        header = _DEF.match(above, start)
        assert header is not None
        scope = above[start:] + below[: end_of(below, indent_of(above[start:]))]
        first = re.compile(r"\s*(\w+)").match(above, header.end())
        if first and first[1] == name and number > 0:
            of_class = CLASS_STATEMENT.match(above, places[0]) if number == 1 else None
            is_annotated = re.compile(r"\s*:").match(above, first.end()) is not None
            if of_class is None or is_annotated or _is_static(above, start):
                return Meaning(frozenset())
            if _types(name, scope[first.end() - start :]):
                return Meaning(frozenset())
            kind = CLASS * (name != "self") + of_class[1]
            return Meaning(frozenset((kind,)), above[places[0] :] + below[: end_of(below, 0)])
        if kinds := _types(name, scope):
            return Meaning(kinds, scope)
    return Meaning(_types(name, above + below), above + below)


def _types(name: str, code: str) -> frozenset[str]:
    return frozenset(kind for _, kind in bindings(name, code, _binds))


def _is_static(above: str, start: int) -> bool:
    """Whether a method may have no object: as its decorators say, or as the class says later."""
    above = above[max(0, start - 2000) : start]
    decorators = re.search(r"(?:^[ \t]*[@)][^\n]*\n)*\Z", above, re.MULTILINE)
    return decorators is not None and "static" in decorators.group()


def _binds(use: Use) -> str | None:
    """Return which type a use of a name gives to it."""
    left, right, code = use.left, use.right, use.code
    if right[:1] == ".":
        return "" if right.startswith(".__class__") else None
    after = right.lstrip(" \t")
    if _IMPORTS_LEFT.match(left) or left in ("class ", "def "):
        return CLASS + code[use.start : use.end]
    if after.startswith(":=") or _BINDS_LEFT.search(left) or _ASKS_LEFT.search(left):
        return ""
    before = code[: use.start].rstrip()[-1:] if len(left.strip()) == 0 else left.rstrip()[-1:]
    if before and before in "(,*":
        opened = opened_at(code, use.start)
        if opened >= 0 and code[opened] == "(" and _DEF_BEFORE.search(code, max(0, opened - 200), opened):
            if parts_of(code[opened + 1 : use.start] + "x")[-1].lstrip("*").strip() != "x":
                return None
            return "" if before == "*" else _annotated(code, use.end)
    if not left.strip():
        if after.startswith(":") or (after.startswith("=") and not after.startswith("==")):
            return _assigned(use, after) if _is_plain_target(use) else _in_brackets(use)
        if re.match(r"(?:[-+*/@&|^%]|//|\*\*|<<|>>)=", after):
            return ""
    return _in_brackets(use)


def _is_plain_target(use: Use) -> bool:
    """Whether a name at the beginning of a line begins a statement, and is not assigned with others."""
    return _opened(use) < 0 and not re.match(r"[ \t]*=[ \t]*[\w.\[\], \t]+=(?!=)", use.right)


def _opened(use: Use) -> int:
    return opened_at(use.code, use.start)


def _in_brackets(use: Use) -> str | None:
    """Return an unknown type for a use that may be one of several targets."""
    right = use.right
    if right[:1] in ("(", "["):
        return None
    opened = _opened(use)
    for _ in range(MOST_NESTED):
        if opened < 0:
            break
        left = use.code[use.code.rfind("\n", 0, opened) + 1 : opened]
        if _BINDS_IN_BRACKETS.search(left) or _ASKS_LEFT.search(f"{left}("):
            return ""
        if left.rstrip()[-1:].isalnum() or left.rstrip()[-1:] in ("_", ")", "]"):
            return None
        end = closed_at(use.code, opened)
        right = use.code[end : use.code.find("\n", end)] if end >= 0 else ""
        opened = opened_at(use.code, opened)
    return "" if _MANY_RIGHT.match(right) else None


def _annotated(code: str, end: int) -> str:
    """Return the type that follows a parameter."""
    found = re.compile(r"\s*:").match(code, end)
    if found is None:
        return ""
    depth, stop = 0, found.end()
    for one in re.compile(r"[()\[\]{},=]").finditer(code, stop, stop + 500):
        mark = one.group()
        if depth == 0 and mark in ",=)":
            return type_of(code[stop : one.start()])
        depth += 1 if mark in "([{" else -1 if mark in ")]}" else 0
    return ""


def _assigned(use: Use, after: str) -> str:
    if after.startswith(":"):
        annotation, _, value = after[1:].partition("=")
        kind, special = type_of(annotation), re.match(r"[ \t]*((?:\w+\.)*[A-Z]\w*)", value)
        # An object of a derived class keeps that type.
        return "" if special and special[1] not in (kind, "None") else kind
    call = _CALL.match(after, 1)
    if call is None:
        return ""
    opened = use.end + len(use.right) - len(after) + call.end() - 1
    end = closed_at(use.code, opened)
    if end < 0 or not re.compile(r"[ \t]*(?:\n|;|\Z)").match(use.code, end):
        return ""
    return f"{call[1]}()"


RULES = TypeRules(
    receiver, MARKS, read, files, known=known, of_every_type=OF_EVERY_TYPE, of_every_class=OF_EVERY_CLASS
)
