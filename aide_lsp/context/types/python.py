"""Types of Python: classes at the top level of a module."""

import builtins
import keyword
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from aide_lsp.context.imports import python as imports
from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names import python as modules
from aide_lsp.context.names.module import Cursor
from aide_lsp.context.types.code import (
    KEPT,
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
from aide_lsp.context.types.facts import CLASS, FileTypes, Receiver, TypeFacts, TypeRules

MARKS = re.compile(
    r'(?P<open>"""(?!(?:\\.|(?!""").)*+""")|' + r"'''(?!(?:\\.|(?!''').)*+'''))"
    r'|"""(?:\\.|(?!""").)*+"""|' + r"'''(?:\\.|(?!''').)*+'''"
    r'|"(?:\\.|[^"\\\n])*+"?|' + r"'(?:\\.|[^'\\\n])*+'?|#[^\n]*",
    re.DOTALL,
)
_DOTTED = re.compile(r"(?<![\w.)\]}\"'])([^\W\d]\w*)\.(\w*)\Z")
_TARGETS = re.compile(r"[ \t]*(?:[\w.*()]+[ \t]*,[ \t]*)*\w+\.\w*\Z|.*\b(?:as|for|del)[ \t]+\w+\.\w*\Z")
"""Where an attribute may be defined: it need not be there yet."""
_OWNERS = ("self", "cls")
_DEF = re.compile(r"[ \t]*(?:async[ \t]+)?def[ \t]+\w+[ \t]*(?:\[[^\]]*\])?\(")
_DEF_BEFORE = re.compile(r"\bdef[ \t]+\w+[ \t]*(?:\[[^\]]*\])?\Z")
_CLASS = re.compile(r"^class[ \t]+(\w+)[ \t]*(?:\[[^\]\n]*\])?[ \t]*([(:])", re.MULTILINE)
_CALL = re.compile(r"[ \t]*([^\W\d][\w.]*)\(")
_ANNOTATION = re.compile(r"""([^\W\d][\w.]*)["']?(?:[ \t]*\|[ \t]*None)?\Z""")
_OPTIONAL = re.compile(r"(?:typing\.|t\.)?Optional\[(.*)\]\Z")
_BINDS_LEFT = re.compile(
    r"\bas[ \t]*\(?[\w, \t]*\Z|\bfor\b(?:(?!\bin\b).)*\Z|\blambda\b[^:]*\Z"
    r"|^[ \t]*(?:del|global|nonlocal|case|match)\b|\b(?:def|class)[ \t]+\Z"
)
_IMPORTS_LEFT = re.compile(r"^[ \t]*(?:from|import)\b")
_ASKS_LEFT = re.compile(
    r"\b(?:isinstance|issubclass|hasattr|setattr|delattr|type|vars|id|callable)\([ \t]*\Z|\bcast\("
)
_MANY = re.compile(r"^[ \t]*(?:[\w.*()]+[ \t]*,[ \t]*)*[*(]*\Z")
_MANY_RIGHT = re.compile(r"[ \t]*[\w.*(), \t]*=(?!=)")
_OPENS_BLOCK = re.compile(
    r"(?:if|elif|else|try|except|finally|while|match|case|(?:async[ \t]+)?(?:with|for))\b.*:\Z"
)
_MEMBER = re.compile(r"(?:async[ \t]+)?(?:def|class|type)[ \t]+(\w+)")
_ASSIGNED = re.compile(r"((?:[\w*()]+[ \t]*[,=][ \t]*)*)(\w+)[ \t]*(?::|=(?!=))")
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
_GIVEN = re.compile(r"^(\w+)\.(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)
_TOP = re.compile(
    r"^(?:(?:async[ \t]+)?def[ \t]+(\w+)|class[ \t]+(\w+)|(\w+)[ \t]*(?::[^=\n]*)?=(?!=))", re.MULTILINE
)
_RETURNS = re.compile(r"^def[ \t]+(\w+)[ \t]*(\()", re.MULTILINE)
_ARROW = re.compile(r"[ \t]*->[ \t]*([^:\n]+):")
_DYNAMIC = re.compile(
    r"\b(?:__getattr__|__getattribute__|setattr|exec|locals|vars|globals|__dict__|__class__|__new__|metaclass)\b"
)
_PLAIN_DECORATORS = frozenset((
    "dataclass", "final", "runtime_checkable", "total_ordering", "unique", "define", "frozen", "mutable", "s",
))  # fmt: skip
_BUILT_IN = {
    "ABC": frozenset[str](), "Protocol": frozenset[str](), "Generic": frozenset[str](),
    "NamedTuple": frozenset((*dir(tuple), "_fields", "_asdict", "_replace", "_make", "_field_defaults")),
}  # fmt: skip
_ENUMS = ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag")
OF_EVERY_TYPE = frozenset((
    *dir(object), "__annotations__", "__dict__", "__module__", "__dataclass_fields__", "__slots__",
    "__weakref__", "__attrs_attrs__", "__match_args__",
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
    return code.receiver(name, begun, meaning, _types(name, code.before + code.after))


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
            of_class = _CLASS.match(above, places[0]) if number == 1 else None
            if of_class is None or _is_static(above, start) or _types(name, scope[first.end() - start :]):
                return Meaning(frozenset())
            kind = CLASS * (name == "cls") + of_class[1]
            return Meaning(frozenset((kind,)), above[places[0] :] + below[: end_of(below, 0)])
        if kinds := _types(name, scope):
            return _unless_stored(name, Meaning(kinds, scope))
    return _unless_stored(name, Meaning(_types(name, above + below), above + below))


def _unless_stored(name: str, meaning: Meaning) -> Meaning:
    """Forget what a name means if it is given an attribute: it may be given others, too."""
    stored = rf"(?<![\w.]){name}\.\w+[ \t]*(?::[^=\n]*)?=(?!=)"
    return Meaning(frozenset()) if re.search(stored, meaning.scope) else meaning


def _types(name: str, code: str) -> frozenset[str]:
    return frozenset(kind for _, kind in bindings(name, code, _binds))


def _is_static(above: str, start: int) -> bool:
    return above[:start].rstrip().endswith("staticmethod")


def _binds(use: Use) -> str | None:
    """Return which type a use of a name gives to it."""
    left, right, code = use.left, use.right, use.code
    after = right.lstrip(" \t")
    if _IMPORTS_LEFT.match(left) or left == "class ":
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
            return _assigned(use, after)
        if re.match(r"[-+*/@&|^%]{1,2}=|(?:<<|>>)=", after):
            return ""
    return (
        ""
        if _MANY.match(left) and (left.strip() or after.startswith(",")) and _MANY_RIGHT.match(right)
        else None
    )


def _annotated(code: str, end: int) -> str:
    """Return the type that follows a parameter."""
    found = re.compile(r"\s*:").match(code, end)
    if found is None:
        return ""
    depth, stop = 0, found.end()
    for one in re.compile(r"[()\[\]{},=]").finditer(code, stop, stop + 500):
        mark = one.group()
        if depth == 0 and mark in ",=)":
            return _type(code[stop : one.start()])
        depth += 1 if mark in "([{" else -1 if mark in ")]}" else 0
    return ""


def _type(annotation: str) -> str:
    annotation = annotation.strip().strip("\"'")
    if found := _OPTIONAL.match(annotation):
        annotation = found[1].strip()
    plain = _ANNOTATION.match(annotation)
    return plain[1] if plain else ""


def _assigned(use: Use, after: str) -> str:
    if after.startswith(":"):
        return _type(after[1:].partition("=")[0])
    call = _CALL.match(after, 1)
    if call is None:
        return ""
    opened = use.end + len(use.right) - len(after) + call.end() - 1
    end = closed_at(use.code, opened)
    if end < 0 or not re.compile(r"[ \t]*(?:\n|;|\Z)").match(use.code, end):
        return ""
    return f"{call[1]}()"


def files(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a module. A stub may leave out what the module itself has."""
    yield from (path for path in modules.files(module, tree) if not path.endswith(".pyi"))


def read(code: str) -> FileTypes:
    """Return the classes of a module."""
    types: dict[str, TypeFacts] = {}
    for found in _CLASS.finditer(code):
        facts = _class(code, found)
        if found[1] in types:
            facts = TypeFacts(is_complete=False)
        types[found[1]] = facts
    for name, member in _GIVEN.findall(code):
        if name in types:
            types[name] = types[name].with_more(TypeFacts(frozenset((member,))))
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
    return FileTypes(types, imported, results, tuple(everything))


def _results(code: str) -> Iterator[tuple[str, str]]:
    for found in _RETURNS.finditer(code):
        end = closed_at(code, found.start(2))
        arrow = _ARROW.match(code, end) if end >= 0 else None
        if arrow and (kind := _type(arrow[1])):
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
    body = code[line_end + 1 :] if line_end >= 0 else ""
    body = body[: end_of(body, 0)]
    if _DYNAMIC.search(body):
        return unknown
    members = set(_body(body))
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
            if name is None or name[1].rpartition(".")[2] not in _PLAIN_DECORATORS:
                return False
    return True


def _body(body: str) -> Iterator[str]:
    """Yield what the body of a class defines."""
    allowed, opens = list[int](), True
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
        opens = _OPENS_BLOCK.match(statement) is not None
        if found := _BOUND_IN.search(statement):
            yield from _NAME.findall(next(filter(None, found.groups())))
        elif opens:
            continue
        elif found := _MEMBER.match(statement):
            yield found[1]
        elif found := _ASSIGNED.match(statement):
            yield from _NAME.findall(found[1])
            yield found[2]


def known(name: str) -> frozenset[str] | None:
    """Return the members of a class of the standard library that others derive from."""
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


RULES = TypeRules(
    receiver, MARKS, read, files, known=known, of_every_type=OF_EVERY_TYPE, of_every_class=OF_EVERY_CLASS
)
