"""Types of TypeScript: classes, interfaces, object types, and enums at the top level of a module."""

import re
from collections.abc import Iterator
from functools import lru_cache

from aide_lsp.context.names import javascript
from aide_lsp.context.names.module import Cursor
from aide_lsp.context.types.code import (
    KEPT,
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
from aide_lsp.context.types.facts import CLASS, FileTypes, Receiver, TypeFacts, TypeRules

MARKS = re.compile(
    r"(?P<open>`(?:\\.|[^`\\])*\Z|/\*(?!.*?\*/))|`(?:\\.|[^`\\])*+`|/\*.*?\*/|//[^\n]*"
    r'|"(?:\\.|[^"\\\n])*+"?|' + r"'(?:\\.|[^'\\\n])*+'?"
    r"|(?<=[(,=:[!&|?{};\n])[ \t]*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*",
    re.DOTALL,
)
_DOTTED = re.compile(r"(?<![\w$.)\]}\"'`#])([^\W\d]\w*)[?!]?\.(\w*)\Z")
_HEAD = re.compile(
    r"(?:export[ ]+)?(?:default[ ]+)?(?:declare[ ]+)?(?:abstract[ ]+)?"
    r"(class|interface|enum|const[ ]+enum|namespace)[ ]+(\w+)"
)
_ALIAS = re.compile(r"(?:export[ ]+)?(?:declare[ ]+)?type[ ]+(\w+)")
_DECLARED = re.compile(rf"^(?:{_HEAD.pattern}|{_ALIAS.pattern})\b", re.MULTILINE)
_IMPORT = re.compile(
    r"^import[ ]+(type[ ]+)?(?:(\w+)[ ]*,?[ ]*)?(?:\{([^}]*)\}|\*[ ]+as[ ]+(\w+))?[ ]*from[ ]*"
    r"['\"]([^'\"\n]+)['\"]",
    re.MULTILINE,
)
_PASSED_ON = re.compile(
    r"^export[ ]+(?:type[ ]+)?(\{[^}]*\}|\*)[ ]*from[ ]*['\"]([^'\"\n]+)['\"]", re.MULTILINE
)
_NAMED = re.compile(r"(?:type\s+)?(\w+)(?:\s+as\s+(\w+))?")
_TYPE = re.compile(r"(?:Readonly|Partial|Required)?<?([^\W\d]\w*(?:\.\w+)?)>?\Z")
_NOTHING = re.compile(r"\|\s*(?:undefined|null)\b|\b(?:undefined|null)\s*\|")
_MODIFIERS = r"(?:(?:public|private|protected|static|readonly|abstract|override|declare|async|accessor)[ ]+)*"
_MEMBER = re.compile(
    rf"{_MODIFIERS}(?:(?:get|set)[ ]+(?=[\w#\[\"']))?\*?[ ]*(#?\w+)[ ]*[?!]?[ ]*(?:[:=;(<,]|\Z)"
)
_QUOTED = re.compile(
    rf"{_MODIFIERS}(?:(?:get|set)[ ]+)?(?:[\"']|\[(?!\w+[ ]*(?::|in\b)))|static[ ]*\{{|new[ ]*[(<]|[(<@]"
)
_PARAMETER_MEMBER = re.compile(
    r"(?:public|private|protected|readonly|override)[ ]+(?:readonly[ ]+)?(\w+)[ ]*\??[ ]*[:=,)]"
)
_OWN = re.compile(r"(?<![\w.$])this\.(#?\w+)")
_DECLARES = re.compile(r"\b(const|let|var|using)[ ]+\Z")
_KEYWORD = re.compile(r"\b(?:if|while|for|switch|with|return|await|typeof)[ ]*\Z")
_GUARD_LEFT = re.compile(r"\b(?:is[A-Z]\w*|assert\w*|has[A-Z]\w*)\([ ]*\Z|\bin[ ]+\Z")
_AFTER_PARAMETERS = re.compile(r"\s*(?:=>|\{|:[^;=\n]*(?:=>|\{))")
_AFTER_PATTERN = re.compile(
    r"\s*(?:=(?!=)|:\s|of\b|in\b|\)\s*(?::[^;=\n]*)?(?:=>|\{)|,[^;\n]*\)\s*(?::[^;=\n]*)?=>)"
)
_NEW = re.compile(r"new[ ]+([^\W\d]\w*(?:\.\w+)?)(?:<[^()\n]*>)?(?=\()")
_CALL = re.compile(r"([^\W\d]\w*(?:\.\w+)?)(?:<[^()\n]*>)?(?=\()")
_CAST = re.compile(r"[ ]*as[ ]+([^\n;]+?)[ ]*(?:;|\n|\Z)")
_FUNCTION = re.compile(
    r"^(?:export[ ]+)?(?:default[ ]+)?function[ ]+(\w+)[ ]*(?:<[^()\n]*>)?(\()", re.MULTILINE
)
_RESULT = re.compile(r"[ ]*:[ ]*([^{}\n]+?)[ ]*(?:\{|;|\n)")
_ORDINARY = re.compile(r"[ \t]*(?:\}[ ]*)?(?:if|for|while|switch|catch|else|try|do|case|default)\b")
_FUNCTION_OF_ITS_OWN = re.compile(
    r"\bfunction\b|\bclass\b"
    r"|^[ \t]*(?:(?:async|get|set|static)[ ]+)*\*?[\w$]+[ ]*(?:<[^()]*>)?\((?:\Z|.*\)[^()=]*\{[ ]*\Z)"
    r"|\{[ ]*(?:async[ ]+)?\w+\([^()]*\)[ ]*\{"
)
_OWN_THIS = re.compile(r"=[ ]*(?:async[ ]+)?function\b|=[ ]*\{[ ]*\Z")
"""In the first line of a member: what it holds has another `this`."""
OF_EVERY_TYPE = frozenset(("constructor", "hasOwnProperty", "toString", "valueOf"))
OF_EVERY_CLASS = frozenset(("prototype", "name", "length", "call", "apply", "bind"))
_ERROR = "cause message name stack"
_STANDARD = {"Error": _ERROR, "TypeError": _ERROR, "RangeError": _ERROR, "SyntaxError": _ERROR, "Object": ""}


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
    return code.receiver(name, begun, meaning, own.kinds) if is_seen else None


@lru_cache(KEPT)
def _this(above: str, below: str, indent: int) -> Meaning:
    """Return what `this` means between two texts."""
    places = outline(above, indent)
    head = _HEAD.match(above, places[0]) if len(places) > 1 else None
    if head is None or head[1] != "class":
        return Meaning(frozenset())
    lines = (above[start : above.find("\n", start)] for start in places[2:])
    member = above[places[1] : above.find("\n", places[1])]
    if any(map(_has_other_this, lines)) or _OWN_THIS.search(member):
        return Meaning(frozenset())
    return Meaning(frozenset((head[2],)), above[places[0] :] + below[: end_of(below, 0)])


def _has_other_this(line: str) -> bool:
    """Whether a line begins a function that may have a `this` of its own."""
    return _FUNCTION_OF_ITS_OWN.search(line) is not None and not _ORDINARY.match(line)


@lru_cache(KEPT)
def _meaning(name: str, above: str, below: str, indent: int) -> Meaning:
    """Return what a name means between two texts."""
    places = outline(above, indent)
    if places:
        is_class = _HEAD.match(above, places[0]) is not None
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
        _HEAD.match(left.strip() + " " + code[use.start : use.end]) and not left[:1].isspace()
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
    end = closed_at(code, opened)
    lead = code[max(0, opened - 20) : opened]
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
    for one in re.compile(r"=>|[()\[\]{}<>,=;\n]").finditer(code, start, start + 500):
        mark = one.group()
        if depth == 0 and mark in (",", "=", ")", ";", "\n", "{"):
            return _type(code[start : one.start()])
        if mark == "=>":
            return ""
        depth += 1 if mark in "([{<" else -1 if mark in ")]}>" else 0
    return ""


def _type(annotation: str) -> str:
    annotation = _NOTHING.sub("", annotation).strip()
    annotation = annotation.removeprefix("readonly ")
    if annotation.endswith(">"):
        head, _, rest = annotation.partition("<")
        annotation = rest[:-1].partition("<")[0] if head in ("Readonly", "Partial", "Required") else head
    found = _TYPE.fullmatch(annotation.strip())
    return found[1] if found else ""


def _value(code: str, start: int) -> str:
    is_awaited = code.startswith("await ", start)
    start += 6 * is_awaited
    for pattern, mark in ((_NEW, ""), (_CALL, "()")):
        if found := pattern.match(code, start):
            end = closed_at(code, found.end())
            if (
                end >= 0
                and re.compile(r"[ ]*(?:;|\n(?![ \t]*[.?])|\Z)").match(code, end)
                and not (is_awaited or (mark and is_awaited))
            ):
                return found[1] + mark
            return ""
    return ""


def known(name: str, module: str) -> frozenset[str] | None:
    """Return the members of an error class."""
    return frozenset(_STANDARD[name].split()) if name in _STANDARD and not module else None


def read(code: str) -> FileTypes:
    """Return the types of a module."""
    types = dict[str, TypeFacts]()
    for found in _DECLARED.finditer(code):
        name = found[2] or found[3]
        facts = _alias(code, found.end()) if found[3] else _declared(code, found.end(), found[1])
        types[name] = types[name].with_more(facts) if name in types else facts
    imports, everything = dict[str, tuple[str, str]](), list[str]()
    for _, default, names, whole, module in _IMPORT.findall(code):
        if whole:
            imports[whole] = (module, "")
        if default:
            imports[default] = (module, "default")
        for name, alias in _NAMED.findall(names):
            imports[alias or name] = (module, name)
    for names, module in _PASSED_ON.findall(code):
        if names == "*":
            everything.append(module)
        for name, alias in _NAMED.findall(names) if names != "*" else ():
            imports.setdefault(alias or name, (module, name))
    results = {}
    for found in _FUNCTION.finditer(code):
        end = closed_at(code, found.start(2))
        if end >= 0 and (result := _RESULT.match(code, end)) and (kind := _type(result[1])):
            results[found[1]] = "" if found[1] in results else kind
    return FileTypes(
        types, imports, {name: kind for name, kind in results.items() if kind}, tuple(everything)
    )


def _alias(code: str, start: int) -> TypeFacts:
    """Return what a type alias says: that of one object type."""
    unknown = TypeFacts(is_complete=False)
    found = re.compile(r"[ ]*(?:<[^={]*>)?[ ]*=[ ]*(?:([\w.]+(?:<[^;{}]*>)?)[ ]*&[ ]*)?\{").match(code, start)
    end = closed_at(code, found.end() - 1) if found else -1
    if found is None or end < 0 or not re.compile(r"[ ]*;?[ ]*(?:\n(?![ \t]+[&|\[])|\Z)").match(code, end):
        return unknown
    base = _type(found[1]) if found[1] else ""
    if found[1] and not base:
        return unknown
    return _body(code[found.end() : end - 1], "type", (base,) if base else ())


def _declared(code: str, start: int, what: str) -> TypeFacts:
    unknown = TypeFacts(is_complete=False)
    opened = _brace(code, start)
    if opened < 0 or what == "namespace":
        return unknown
    head = code[start:opened]
    bases = tuple(_bases(head, what))
    if "" in bases:
        return unknown
    body = code[opened + 1 :]
    end = re.compile(r"^\}", re.MULTILINE).search(body)
    line = body[: body.find("\n")] if "\n" in body else body
    if "}" in line:
        end = re.compile(r"\}").search(body)
    if end is None:
        return unknown
    return _body(body[: end.start()], what, bases)


def _brace(code: str, start: int) -> int:
    """Return where the body of a type begins: type arguments may have braces."""
    depth = 0
    for one in re.compile(r"=>|[<>{};]").finditer(code, start, start + 2000):
        mark = one.group()
        if mark == "{" and depth == 0:
            return one.start()
        depth += 1 if mark in "<{" else -1 if mark in ">}" else 0
    return -1


def _bases(head: str, what: str) -> Iterator[str]:
    plain = head
    while (shorter := re.sub(r"<[^<>]*>", "", plain.replace("=>", "  "))) != plain:
        plain = shorter
    found = re.search(r"\bextends\b(.*?)(?:\bimplements\b|\Z)", plain, re.DOTALL)
    for base in found[1].split(",") if found else ():
        yield base.strip() if re.fullmatch(r"\s*[\w.]+\s*", base) else ""


def _body(body: str, what: str, bases: tuple[str, ...]) -> TypeFacts:
    unknown = TypeFacts(is_complete=False)
    members, own = set[str](), -1
    lines = body.split("\n") if "\n" in body else [one.strip() for one in re.split(r"[;,]", body)]
    for line in lines:
        statement = line.strip()
        if not statement:
            continue
        indent = indent_of(line)
        if own < 0:
            own = indent
        if indent > own or statement[0] in ")]}>":
            continue
        if indent < own:
            return unknown
        if found := _MEMBER.match(statement):
            members.add(found[1])
        elif not _QUOTED.match(statement) and what != "enum" and statement[0] not in "|&?:+.":
            return unknown
    if what == "class":
        members.update(_PARAMETER_MEMBER.findall(body))
    return TypeFacts(frozenset(members), bases)


RULES = TypeRules(
    receiver,
    MARKS,
    read,
    javascript.files,
    known=known,
    of_every_type=OF_EVERY_TYPE,
    of_every_class=OF_EVERY_CLASS,
)
