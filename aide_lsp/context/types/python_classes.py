"""What a file of Python says of its types: classes at the top level of a module."""

import builtins
import keyword
import re
from collections import Counter
from collections.abc import Iterator

from aide_lsp.context.imports import python as imports
from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names import python as modules
from aide_lsp.context.types.code import closed_at, end_of, indent_of, parts_of
from aide_lsp.context.types.facts import FileTypes, TypeFacts

CLASS_STATEMENT = re.compile(r"^class[ \t]+(\w+)[ \t]*(?:\[[^\]\n]*\])?[ \t]*([(:])", re.MULTILINE)
_ANNOTATION = re.compile(r"""([^\W\d][\w.]*)["']?(?:[ \t]*\|[ \t]*None)?\Z""")
_OPTIONAL = re.compile(r"(?:typing\.|t\.)?Optional\[(.*)\]\Z")
_BLOCK = re.compile(r"(?:if|elif|else|try|except|finally|while|match|case|(?:async[ \t]+)?(?:with|for))\b")
_MEMBER = re.compile(r"(?:async[ \t]+)?(?:def|class|type)[ \t]+(\w+)")
_ASSIGNED = re.compile(r"((?:[\w*().\[\]]+[ \t]*[,=][ \t]*)*)[(\[*]*(\w+)[)\]]*[ \t]*(?::(?!=)|=(?!=))")
_IN_ONE_LINE = re.compile(r"\A(?:if|elif|else|try|except|finally|while|with|for|case)\b[^:\n]*:[ \t]*(?=\S)")
_WALRUS = re.compile(r"(\w+)[ \t]*:=")
_BOUND_IN = re.compile(
    r"\A(?:async[ \t]+)?for[ \t]+\(?([\w, \t]+?)\)?[ \t]+in\b|\A(?:with|except)\b.*\bas[ \t]+\(?([\w, \t]+)"
    r"|\A(?:from[ \t]+[\w.]+[ \t]+)?import[ \t]+([\w, \t]+)"
)
_STORED = re.compile(
    r"(?m:^[ \t]*|[:;][ \t]*|\bas[ \t]+|\bfor[ \t]+)\(?((?:\*?[\w.]+(?:\[[^\]\n]*\])?[ \t]*[,=][ \t]*)*)"
    r"\*?(?:self|cls)\.(\w+)\)?[ \t]*(?:[-+*/@&|^%<>]{0,2}=(?!=)|:|,|\bin\b|\Z)"
)
_OWN = re.compile(r"(?<![\w.])(?:self|cls)\.(\w+)")
_NAME = re.compile(r"\w+")
_GIVEN = re.compile(
    r"^[ \t]*+((?:\w+:[ \t]*+)?[\w.,()\[\] \t*\"']++)(?::[^=\n]*)?(?:[-+*/@&|^%]|//|\*\*|<<|>>)?=(?!=)",
    re.MULTILINE,
)
_GIVEN_TO = re.compile(r"(?<!\bself)(?<!\bcls)\.(\w+)\b(?!\()")
_GIVES_ANY = re.compile(r"(?<![\w.])(?:setattr|vars)\(|\.(?:__setattr__|__dict__)\b")
_TOP = re.compile(
    r"^(?:(?:async[ \t]+)?def[ \t]+(\w+)|[ \t]*(?:class|type)[ \t]+(\w+)|(\w+)[ \t]*(?::[^=\n]*)?=(?!=)"
    r"|[ \t]+(\w+)[ \t]+=(?!=))",
    re.MULTILINE,
)
_RETURNS = re.compile(r"^def[ \t]+(\w+)[ \t]*(\()", re.MULTILINE)
_ARROW = re.compile(r"[ \t]*->[ \t]*([^:\n]+):")
_DYNAMIC = re.compile(
    r"\b(?:__getattr__|__getattribute__|setattr|exec|locals|vars|globals|__dict__|__setattr__|__new__|metaclass)\b"
)
_IMPORTS_MANY = re.compile(r"^[ \t]+from[^\n]*\(", re.MULTILINE)
_SLOTS = re.compile(r"\b__slots__[ \t]*(?::[^=\n]*)?=[ \t]*[(\[{]?")
_QUOTED = re.compile(r"[\"'](\w+)[\"']")
_OF_ATTRS = ("define", "frozen", "mutable", "s")
_IMPORTS_ATTRS = re.compile(r"^[ \t]*from[ \t]+attrs?[ \t]", re.MULTILINE)
_PLAIN_DECORATORS = frozenset((
    "dataclass", "final", "runtime_checkable", "total_ordering", "unique", *_OF_ATTRS,
))  # fmt: skip
_DECORATING = ("", "attr", "attrs", "dataclasses", "enum", "functools", "typing", "typing_extensions", "t")
_BUILT_IN = {
    "ABC": frozenset[str](), "Protocol": frozenset[str](), "Generic": frozenset[str](),
    "NamedTuple": frozenset((*dir(tuple), "_fields", "_asdict", "_replace", "_make", "_field_defaults")),
}  # fmt: skip
_ENUMS = ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag")


def type_of(annotation: str) -> str:
    """Return the type that an annotation names; empty: it is another one, or none of the kind."""
    annotation = annotation.strip().strip("\"'")
    if found := _OPTIONAL.match(annotation):
        annotation = found[1].strip()
    plain = _ANNOTATION.match(annotation)
    return plain[1] if plain else ""


def files(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a module. A stub may leave out what the module itself has."""
    yield from (path for path in modules.files(module, tree) if not path.endswith(".pyi"))


def read(code: str) -> FileTypes:
    """Return the classes of a module."""
    types: dict[str, TypeFacts] = {}
    for found in CLASS_STATEMENT.finditer(code):
        facts = _class(code, found)
        if found[1] in types:
            facts = TypeFacts(is_complete=False)
        types[found[1]] = facts
    # To which of them is not known: the names in this file are as many.
    given = frozenset(one for targets in _GIVEN.findall(code) for one in _GIVEN_TO.findall(targets))
    imported, everything = dict[str, tuple[str, str]](), list[str]()
    bound = Counter(next(filter(None, one), "") for one in _TOP.findall(code))
    for module, names, plain in imports.STATEMENT.findall(code):
        if module and re.match(r"[\s(]*\*", names):
            everything.append(module)
        for name, alias in modules.NAME.findall(names) if module else ():
            if imported.get(alias or name) != (module, name):
                bound[alias or name] += 1
            imported[alias or name] = (module, name)
        for name, alias in modules.PLAIN.findall(plain):
            bound[alias or name.partition(".")[0]] += 1
            if alias or "." not in name:
                imported[alias or name] = (name, "")
    results = dict(_results(code))
    for name, count in bound.items():
        if count > 1:
            imported.pop(name, None)
            results.pop(name, None)
            if name in types:
                types[name] = TypeFacts(is_complete=False)
    return FileTypes(
        types, imported, results, tuple(everything), given=given, gives_any=bool(_GIVES_ANY.search(code))
    )


def _results(code: str) -> Iterator[tuple[str, str]]:
    for found in _RETURNS.finditer(code):
        above = code[: found.start()].rstrip("\n").rpartition("\n")[2]
        end = -1 if above.startswith(("@", ")")) else closed_at(code, found.start(2))
        arrow = _ARROW.match(code, end) if end >= 0 else None
        if arrow and (kind := type_of(arrow[1])):
            yield found[1], kind


def _class(code: str, found: re.Match[str]) -> TypeFacts:
    """Return what a class statement says."""
    unknown = TypeFacts(is_complete=False)
    bases, start = list[str](), found.end()
    if found[2] == "(":
        start = closed_at(code, found.start(2))
        if start < 0 or not code.startswith(":", start):
            return unknown
        bases = [
            re.sub(r"\[.*\]\Z", "", base, flags=re.DOTALL) for base in parts_of(code[found.end() : start - 1])
        ]
    if any(not re.fullmatch(r"[\w.]+", base) for base in bases) or not _is_plain(code, found.start()):
        return unknown
    line_end = code.find("\n", start)
    # All of it may be in one line.
    if code[start : line_end if line_end >= 0 else len(code)].strip(" \t:") not in ("", "...", "pass"):
        return unknown
    body = code[line_end + 1 :] if line_end >= 0 else ""
    body = body[: end_of(body, 0)]
    if _DYNAMIC.search(body) or _IMPORTS_MANY.search(body):
        return unknown
    members = set(_body(body))
    for slots in _SLOTS.finditer(body):
        end = closed_at(body, slots.end() - 1) if slots.group().endswith(("(", "[", "{")) else -1
        members.update(_QUOTED.findall(body[slots.end() : end if end >= 0 else body.find("\n", slots.end())]))
    for stored in _STORED.finditer(body):
        members.update((stored[2], *_OWN.findall(stored[1])))
    own = set(_OWN.findall(body))
    return TypeFacts(frozenset(members), tuple(bases), frozenset(own))


def _is_plain(code: str, start: int) -> bool:
    """Whether all decorators of a class keep its members."""
    lines = code[:start].rstrip("\n").split("\n")
    while lines and lines[-1][:1] in (*"@)]} \t",) and lines[-1].strip():
        line = lines.pop()
        if line[0] == "@":
            name = re.match(r"@([\w.]+)", line)
            module, _, last = name[1].rpartition(".") if name else ("", "", "")
            if last not in _PLAIN_DECORATORS or module not in _DECORATING:
                return False
            if last in _OF_ATTRS and not module and not _IMPORTS_ATTRS.search(code):
                return False
    return True


def _body(body: str) -> Iterator[str]:
    """Yield what the body of a class defines."""
    allowed, opens, is_block = list[int](), True, False
    for line in body.split("\n"):
        statement = line.strip()
        if not statement:
            continue
        indent = indent_of(line)
        while allowed and allowed[-1] > indent:
            allowed.pop()
        if opens and (not allowed or indent > allowed[-1]):
            allowed.append(indent)
        opens = False
        if not allowed or indent != allowed[-1]:
            continue
        if statement[0] in ")]}":
            opens = is_block and statement.endswith(":")
            continue
        is_block = _BLOCK.match(statement) is not None
        opens = is_block and statement.endswith(":")
        yield from _WALRUS.findall(statement)
        yield from _stated(statement, opens=opens)


def _stated(statement: str, *, opens: bool) -> Iterator[str]:
    """Yield what a line of a class defines."""
    if found := _BOUND_IN.search(statement):
        yield from _NAME.findall(next(filter(None, found.groups())))
    if opens:
        return
    for one in _IN_ONE_LINE.sub("", statement, count=1).split(";"):
        if found := _MEMBER.match(one.strip()):
            yield found[1]
        elif found := _ASSIGNED.match(one.strip()):
            yield from _NAME.findall(found[1])
            yield found[2]


def known(name: str, module: str) -> frozenset[str] | None:
    """Return the members of a class of the standard library that others derive from."""
    if module not in ("", "abc", "enum", "typing", "typing_extensions", "builtins"):
        return None
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    if name in _ENUMS:
        import enum

        one = getattr(enum, name)
        return frozenset(
            (
                *dir(one),
                "name",
                "value",
                "_name_",
                "_value_",
                "_missing_",
                "_ignore_",
                "_generate_next_value_",
                *dir(one("x", "y").y),
            )
        )
    one = getattr(builtins, name, None)
    if isinstance(one, type) and one is not type and not keyword.iskeyword(name):
        return frozenset((*dir(one), "__notes__"))
    return None
