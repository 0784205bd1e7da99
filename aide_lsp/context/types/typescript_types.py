"""What a file of TypeScript says of its types: classes, interfaces, object types, enums at its top level."""

import re
from collections.abc import Iterator

from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names import javascript
from aide_lsp.context.types.code import closed_at, indent_of, parts_of
from aide_lsp.context.types.facts import FileTypes, TypeFacts

HEAD = re.compile(
    r"(?:export[ ]+)?(?:default[ ]+)?(?:declare[ ]+)?(?:abstract[ ]+)?"
    r"(class|interface|enum|const[ ]+enum|namespace|module)[ ]+(\w+)"
)
_ALIAS = re.compile(r"(?:export[ ]+)?(?:declare[ ]+)?type[ ]+(\w+)")
_DECLARED = re.compile(rf"^(?:{HEAD.pattern}|{_ALIAS.pattern})\b", re.MULTILINE)
_IMPORT = re.compile(
    r"^import[ ]+(type[ ]+)?(?:(\w+)[ ]*,?[ ]*)?(?:\{([^}]*)\}|\*[ ]+as[ ]+(\w+))?[ ]*from[ ]*"
    r"['\"]([^'\"\n]+)['\"]",
    re.MULTILINE,
)
_PASSED_ON = re.compile(
    r"^export[ ]+(?:type[ ]+)?(\{[^}]*\}|\*)[ ]*from[ ]*['\"]([^'\"\n]+)['\"]", re.MULTILINE
)
_RENAMED = re.compile(r"^export[ ]+(?:type[ ]+)?\{([^}]*)\}(?![ ]*from\b)", re.MULTILINE)
_AS = re.compile(r"\bas[ ]+(\w+)")
_VALUE = re.compile(r"^(?:export[ ]+)?(?:declare[ ]+)?(?:const|let|var)[ ]+(?!enum\b)(\w+)", re.MULTILINE)
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
_QUOTED_NAME = re.compile(rf"{_MODIFIERS}(?:(?:get|set)[ ]+)?\[?[\"'](\w+)[\"']")
_CALLABLE = re.compile(r"(?:new[ ]*)?[(<]")
_PARAMETER_MEMBER = re.compile(
    r"(?:public|private|protected|readonly|override)[ ]+(?:readonly[ ]+)?(\w+)[ ]*\??[ ]*[:=,)]"
)
_FUNCTION = re.compile(
    r"^(?:export[ ]+)?(?:default[ ]+)?function[ ]+(\w+)[ ]*(<[^()\n]*>)?(\()", re.MULTILINE
)
_RESULT = re.compile(r"[ ]*:[ ]*([^{}\n]+?)[ ]*(?:\{|;|\n)")
_ERROR = "captureStackTrace cause message name prepareStackTrace stack stackTraceLimit"
_STANDARD = {"Error": _ERROR, "TypeError": _ERROR, "RangeError": _ERROR, "SyntaxError": _ERROR, "Object": ""}


def type_of(annotation: str) -> str:
    """Return the type that an annotation names; empty: it is another one, or none of the kind."""
    annotation = _NOTHING.sub("", annotation).strip()
    annotation = annotation.removeprefix("readonly ")
    if annotation.endswith(">"):
        head, _, rest = annotation.partition("<")
        annotation = rest[:-1].partition("<")[0] if head in ("Readonly", "Partial", "Required") else head
    found = _TYPE.fullmatch(annotation.strip())
    return found[1] if found else ""


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
    # Another type, or a value of the same name.
    for name in (
        *_VALUE.findall(code),
        *(one for names in _RENAMED.findall(code) for one in _AS.findall(names)),
    ):
        types[name] = TypeFacts(is_complete=False)
    results = {}
    for found in _FUNCTION.finditer(code):
        end = closed_at(code, found.start(3))
        if end >= 0 and (result := _RESULT.match(code, end)) and (kind := type_of(result[1])):
            is_parameter = kind in re.findall(r"\w+", found[2] or "")
            results[found[1]] = "" if found[1] in results or is_parameter else kind
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
    base = type_of(found[1]) if found[1] else ""
    if found[1] and not base:
        return unknown
    return _body(code[found.end() : end - 1], "type", (base,) if base else ())


def _declared(code: str, start: int, what: str) -> TypeFacts:
    unknown = TypeFacts(is_complete=False)
    opened = _brace(code, start)
    if opened < 0 or what in ("namespace", "module"):
        return unknown
    head = code[start:opened]
    bases = tuple(_bases(head, what))
    if "" in bases:
        return unknown
    closed = closed_at(code, opened)
    if closed >= 0 and "\n" not in code[opened:closed]:
        return _body(code[opened + 1 : closed - 1], what, bases)
    end = re.compile(r"^\}", re.MULTILINE).search(code, opened)
    return unknown if end is None else _body(code[opened + 1 : end.start()], what, bases)


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


def _after_decorators(statement: str) -> str:
    """Return what of a line comes after decorators; nothing if one goes on in the next line."""
    while found := re.match(r"@[\w.]+[ ]*", statement):
        end = closed_at(statement, found.end()) if statement.startswith("(", found.end()) else found.end()
        statement = statement[end:].strip() if end >= 0 else ""
    return statement


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
        if indent > own:
            continue
        if indent < own:
            return unknown
        if (is_end := statement[0] in ")]}>") or statement[0] == "@":
            statement = _after_decorators(statement.lstrip(")]}>").strip())
        first, *others = [one for part in statement.split(";") for one in parts_of(part)] or [""]
        members.update(found[1] for one in others if (found := _MEMBER.match(one)))
        if what != "class" and _CALLABLE.match(first):
            return unknown
        if found := _MEMBER.match(first):
            members.add(found[1])
        elif named := _QUOTED_NAME.match(first):
            members.add(named[1])
        elif is_end or not first:
            continue
        elif not _QUOTED.match(first) and what != "enum" and first[0] not in "|&?:+.":
            return unknown
    if "this is " in body:
        return unknown  # what it narrows is an object of another type
    if what == "class":
        members.update(_PARAMETER_MEMBER.findall(body))
    return TypeFacts(frozenset(members), bases)


def files(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a module, where it says all of its types: what JavaScript assigns is not declared."""
    yield from (path for path in javascript.files(module, tree) if not path.endswith(("js", "jsx")))
