"""Types of TypeScript: classes, interfaces, object types, and enums at the top level of a module."""

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
    blocks_at,
    closed_at,
    end_of,
    indent_of,
    opened_at,
    outline,
)
from aide_lsp.context.types.facts import CLASS, Receiver, TypeRules
from aide_lsp.context.types.typescript_types import HEAD, files, known, read, type_of

MARKS = re.compile(
    r"(?P<open>`(?:\\.|[^`\\])*\Z|/\*(?!.*?\*/))|`(?:\\.|[^`\\])*+`|/\*.*?\*/|//[^\n]*"
    r'|"(?:\\.|[^"\\\n])*+"?|' + r"'(?:\\.|[^'\\\n])*+'?"
    r"|(?<=[(,=:[!&|?{};\n])[ \t]*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*",
    re.DOTALL,
)
_DOTTED = re.compile(r"(?<![\w$.)\]}\"'`#])([^\W\d]\w*)[?!]?\.(\w*)\Z")
_OWN = re.compile(r"(?<![\w.$])this\.(#?\w+)")
_DECLARED_ABOVE = re.compile(r"^(?:export[ ]+)?(?:\w+[ ]+)*(?:function|type)[ ]+\Z")
_ENDS = re.compile(r"[ ]*(?:;|\n(?![ \t]*(?:[.?|&!+*/%<>=-]|as\b|satisfies\b))|\Z)")
_DECLARES = re.compile(r"\b(const|let|var|using)[ ]+\Z")
_KEYWORD = re.compile(r"\b(?:if|while|for|switch|with|return|await|typeof)[ ]*\Z")
_GUARD_LEFT = re.compile(r"\b(?:(?:is|has|check|ensure)[A-Z]\w*|assert\w*)\([ ]*\Z|\bin[ ]+\Z")
_AFTER_PARAMETERS = re.compile(r"\s*(?:=>|\{|:[^;=\n]*(?:=>|\{))")
_AFTER_PATTERN = re.compile(
    r"\s*(?:=(?!=)|:\s|of\b|in\b|\)\s*(?::[^;=\n]*)?(?:=>|\{)|,[^;\n]*\)\s*(?::[^;=\n]*)?=>)"
)
_NEW = re.compile(r"new[ ]+([^\W\d]\w*(?:\.\w+)?)(?:<[^()\n]*>)?(?=\()")
_CALL = re.compile(r"([^\W\d]\w*(?:\.\w+)?)(?:<[^()\n]*>)?(?=\()")
_CAST = re.compile(r"[ ]*as[ ]+([^\n;]+?)[ ]*(?:;|\n|\Z)")
_ORDINARY = re.compile(r"[ \t]*(?:\}[ ]*)?(?:if|for|while|switch|catch|else|try|do|case|default(?!\())\b")
_FUNCTION_OF_ITS_OWN = re.compile(
    r"\bfunction\b|\bclass\b"
    r"|^[ \t]*(?:(?:async|get|set|static)[ ]+)*\*?(?:[\w$]+|\[[^\]]*\]|[\"'][^\"']*[\"'])"
    r"[ ]*(?:<[^()]*>)?\((?:\Z|.*\)[^()=]*\{[ ]*\Z)"
    r"|[{,][ ]*(?:async[ ]+)?\w+\([^()]*\)[ ]*\{"
)
_OWN_THIS = re.compile(r"=[ ]*(?:async[ ]+)?function\b|=[ ]*\{[ ]*\Z")
"""In the first line of a member: what it holds has another `this`."""
_NARROWS_THIS = re.compile(
    r"\bthis[ ]+instanceof\b|\b(?:is|has|assert)\w*\(this\)|\bin[ ]+this\b|[(,]\s*this[ ]*:"
)
OF_EVERY_TYPE = frozenset((
    "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString",
    "valueOf",
))  # fmt: skip
OF_EVERY_CLASS = frozenset(("prototype", "name", "length", "call", "apply", "bind"))


def receiver(cursor: Cursor) -> Receiver | None:
    """Return the name before the cursor and a dot, if its type is certain."""
    found = _DOTTED.search(cursor.before)
    if found is None:
        return None
    code = CodeAround.of(cursor, MARKS)
    if code is None:
        return None
    name, begun = found.groups()
    indent = indent_of(cursor.before)
    if name == "this":
        return (
            None
            if _has_other_this(code.before)
            else code.receiver(name, begun, _this(code.above, code.below, indent))
        )
    meaning = _meaning(name, code.above, code.below, indent)
    own = _of(name, code.before + code.after, len(code.before), is_whole=False)
    # The line may close blocks in which the name is declared.
    is_seen = own.blocks >= 0 or meaning.blocks >= code.before.count("}")
    found_at = code.receiver(name, begun, meaning, own.kinds) if is_seen else None
    return found_at if found_at and _is_itself(found_at.first_name, found_at.code) else None


@lru_cache(KEPT)
def _is_itself(name: str, code: str) -> bool:
    """Whether the name of a type, or of what it is of, is nothing else in a document."""
    parameter = (
        r"(?:\b(?:function\b\*?|class|interface|type)(?:[ ]+\w+)?|[=(,:][ ]*(?:async[ ]+)?|(^[ \t]*"
        r"(?:(?:public|private|protected|static|async|override|abstract)[ ]+)*\w+))"
        rf"[ ]*<(?:[^()<>{{}}]*,)?\s*(?:const[ ]+)?{name}\s*(?:extends\b|(?(1)[^()<>{{}}]*>\(|[,=>]))"
    )
    if re.search(parameter, code, re.MULTILINE):
        return False
    return all(
        kind == CLASS + name or _DECLARED_ABOVE.search(use.left) for use, kind in bindings(name, code, _binds)
    )


@lru_cache(KEPT)
def _this(above: str, below: str, indent: int) -> Meaning:
    """Return what `this` means between two texts."""
    places = outline(above, indent)
    head = HEAD.match(above, places[0]) if len(places) > 1 else None
    if head is None or head[1] != "class":
        return Meaning(frozenset())
    lines = (above[start : above.find("\n", start)] for start in places[2:])
    member = above[places[1] : above.find("\n", places[1])]
    if any(map(_has_other_this, lines)) or _OWN_THIS.search(member):
        return Meaning(frozenset())
    if _NARROWS_THIS.search(above, places[1]):
        return Meaning(frozenset())
    kind = CLASS * (re.match(r"[ \t]*(?:\w+[ ]+)*static\b", member) is not None) + head[2]
    return Meaning(frozenset((kind,)), above[places[0] :] + below[: end_of(below, 0)])


def _has_other_this(line: str) -> bool:
    """Whether a line begins a function that may have a `this` of its own."""
    return _FUNCTION_OF_ITS_OWN.search(line) is not None and not _ORDINARY.match(line)


@lru_cache(KEPT)
def _meaning(name: str, above: str, below: str, indent: int) -> Meaning:
    """Return what a name means between two texts."""
    places = outline(above, indent)
    if places:
        is_class = HEAD.match(above, places[0]) is not None
        if not is_class or len(places) > 1:
            start = places[1] if is_class else places[0]
            region = above[start:] + below[: end_of(below, indent_of(above[start:]))]
            found = _of(name, region, len(above) - start, is_whole=False)
            if found.kinds:
                return found
    return _of(name, above + below, len(above), is_whole=True)


def _of(name: str, code: str, cursor: int, *, is_whole: bool) -> Meaning:
    """Return what a name means at a place in some code."""
    kinds, blocks = set[str](), -1
    for use, kind in bindings(name, code, _binds):
        kinds.add(kind)
        start = use.start
        if (
            is_whole
            and not use.left.strip().startswith(("const", "let", "var", "{"))
            and kind == CLASS + name
        ):
            blocks = max(blocks, 0)  # an import or a class
            continue
        if use.left.rstrip()[-1:] in ("(", ",", "") and not _DECLARES.search(use.left):
            opened = opened_at(code, use.start)
            start = opened
            end = closed_at(code, opened) if opened >= 0 else -1
            after = re.compile(r"\s*(?::[^;={\n]*)?\s*(?:=>[ ]*)?\{").match(code, end) if end >= 0 else None
            start = after.end() if after else use.start
        if start <= cursor:
            blocks = max(blocks, blocks_at(code, start, cursor))
    return Meaning(frozenset(kinds), code, blocks)


def _binds(use: Use) -> str | None:
    """Return which type a use of a name gives to it."""
    left, right, code = use.left, use.right, use.code
    after = right.lstrip(" ")
    if _GUARD_LEFT.search(left) or after.startswith(("instanceof ", "=>")) or re.match(r"is\b", after):
        return ""
    if re.match(r"\s*import\b", left) or (
        HEAD.match(left.strip() + " " + code[use.start : use.end]) and not left[:1].isspace()
    ):
        return CLASS + code[use.start : use.end]
    if re.search(r"\b(?:function|class|enum|namespace|type|interface)[ ]*\*?[ ]*\Z", left):
        return ""
    if _DECLARES.search(left):
        if found := re.match(r"[ ]*!?:[ ]*", right):
            return _annotated(code, use.end + found.end())
        value = re.match(r"[ ]*=[ ]*", right)
        return _value(code, use.end + value.end()) if value else ""
    before = left.rstrip()[-1:] or code[: use.start].rstrip()[-1:]
    modifier = re.search(r"(?:[(,]|^)[ \t]*((?:(?:public|private|protected|readonly|override)[ ]+)+)\Z", left)
    if modifier:
        before = "("
    if before not in ("(", ",", "{", "[", ".", ":"):
        return None
    opened = opened_at(code, use.start)
    if before == "," and not left.strip() and re.match(r"[ ]*=(?![=>])", right) and code[opened] != "(":
        return ""
    if opened < 0:
        # Its opening bracket is in another line: of imports, or of the cursor's line.
        return (
            CLASS + code[use.start : use.end]
            if re.match(r"[ ]*(?:,|as\b)", right) and _is_in_import(code, use.start)
            else None
        )
    mark = code[opened]
    if mark == "(":
        if before not in ("(", ","):
            return "" if before == "." else None
        if found := re.compile(r"\s*\??\s*:\s*").match(code, use.end):
            return _annotated(code, found.end())
        if not re.match(r"\s*[,)=]", code[use.end : use.end + 80]) or right.lstrip().startswith("=="):
            return None
        if _KEYWORD.search(code, max(0, opened - 20), opened):
            return "" if re.search(r"\bcatch[ ]*\Z", code[max(0, opened - 20) : opened]) else None
        end = closed_at(code, opened)
        return "" if end >= 0 and _AFTER_PARAMETERS.match(code, end) else None
    if _is_in_import(code, use.start):
        return CLASS + code[use.start : use.end]
    lead = code[max(0, opened - 20) : opened]
    for _ in range(MOST_NESTED):
        outer = opened_at(code, opened) if lead.rstrip()[-1:] in (":", "[", "{", ",") else -1
        if outer < 0 or code[outer] == "(":
            break
        opened = outer
        lead = code[max(0, opened - 20) : opened]
    end = closed_at(code, opened)
    if end >= 0 and re.search(r"(?:const|let|var)[ ]+\Z|[(,]\s*\Z", lead) and _AFTER_PATTERN.match(code, end):
        return ""
    return None


def _is_in_import(code: str, place: int) -> bool:
    opened = code.rfind("{", max(0, place - 2000), place)
    return (
        opened >= 0
        and "}" not in code[opened:place]
        and re.search(
            r"^import[ ]+(?:type[ ]+)?(?:\w+[ ]*,[ ]*)?\Z", code[code.rfind("\n", 0, opened) + 1 : opened]
        )
        is not None
    )


def _annotated(code: str, start: int) -> str:
    """Return the type that begins at a place."""
    depth = 0
    for one in re.compile(r"=>|[()\[\]{}<>,=;]|\n(?![ \t]*[|&])").finditer(code, start, start + 500):
        mark = one.group()
        if depth == 0 and mark in (",", "=", ")", ";", "\n", "{"):
            return type_of(code[start : one.start()])
        if mark == "=>":
            return ""
        depth += 1 if mark in "([{<" else -1 if mark in ")]}>" else 0
    return ""


def _value(code: str, start: int) -> str:
    is_awaited = code.startswith("await ", start)
    start += 6 * is_awaited
    for pattern, mark in ((_NEW, ""), (_CALL, "()")):
        if found := pattern.match(code, start):
            end = closed_at(code, found.end())
            if end >= 0 and _ENDS.match(code, end) and not is_awaited:
                return found[1] + mark
            return ""
    return ""


RULES = TypeRules(
    receiver,
    MARKS,
    read,
    files,
    known=known,
    of_every_type=OF_EVERY_TYPE,
    of_every_class=OF_EVERY_CLASS,
)
