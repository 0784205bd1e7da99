"""Types of Java: classes, interfaces, enums, and records, also inside others."""

import operator
import posixpath
import re
from collections.abc import Iterator

from aide_lsp.context.imports import jvm
from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.types.chunks import ChunkRules
from aide_lsp.context.types.facts import INSIDE, OF_OBJECTS, PRIVATE, FileTypes, TypeFacts, add_to
from aide_lsp.context.types.java_scopes import (
    ARRAY,
    NAMES,
    SCOPES,
    TYPES,
    binds,
    declared,
    free,
    object_of,
    type_of,
    value,
)
from aide_lsp.context.types.rules import TypeRules
from aide_lsp.context.types.scopes import ScopeRules, Scopes
from aide_lsp.syntax.node import SyntaxNode

MARKS = re.compile(
    r'(?P<open>"""(?!(?:\\.|(?!""").)*+""")|/\*(?!.*?\*/))|"""(?:\\.|(?!""").)*+"""|/\*.*?\*/|//[^\n]*'
    r'|"(?:\\.|[^"\\\n])*+"?|' + r"'(?:\\.|[^'\\\n])*+'?",
    re.DOTALL,
)
_IMPORT = re.compile(r"import\s+(static\s+)?((?:[\w]+\s*\.\s*)*)(\w+|\*)\s*;")
_MEMBERS = re.compile(
    r"(?:Getter|Setter|Data|Value|(?:Super)?Builder|With(?:er|By)?|Delegate|UtilityClass|FieldNameConstants|"
    r"Accessors|StandardException|CustomLog|XSlf4j|Slf4j|Log|Log4j2?|CommonsLog|JBossLog|Flogger|Roo\w*)"
)
"""Annotations that add members to a type."""
_CLASS = re.compile(r"\b(?:new|class|interface|enum|record)\b[^;]*\{")
_OF_FIELDS = re.compile(r"(?:Getter|Setter|Builder|With(?:er|By)?|Delegate)")
OF_EVERY_TYPE = frozenset((
    "clone", "equals", "finalize", "getClass", "hashCode", "notify", "notifyAll", "toString", "wait",
))  # fmt: skip
_THROWABLE = (
    "addSuppressed fillInStackTrace getCause getLocalizedMessage getMessage getStackTrace getSuppressed "
    "initCause printStackTrace setStackTrace"
)
_STANDARD = {
    "java.lang.Object": "", "java.lang.Runnable": "run", "java.lang.Comparable": "compareTo",
    "java.lang.Cloneable": "", "java.io.Serializable": "", "java.lang.AutoCloseable": "close",
    "java.io.Closeable": "close", "java.lang.Iterable": "forEach iterator spliterator",
    "java.io.IOException": _THROWABLE, "java.util.concurrent.Callable": "call",
} | {
    f"java.lang.{name}": _THROWABLE
    for name in ("Throwable", "Exception", "RuntimeException", "Error", "IllegalArgumentException",
                 "IllegalStateException", "UnsupportedOperationException")
}  # fmt: skip
_OF_ENUM = {
    "valueOf", "values", ".compareTo", ".describeConstable", ".getDeclaringClass", ".name", ".ordinal",
}  # fmt: skip


def read(scopes: Scopes) -> Iterator[FileTypes]:
    """Yield what the declarations of a file say."""
    for node in scopes.root.named_children:
        if node.type == "package_declaration":
            name = re.sub(r"\s", "", node.named_children[-1].text)
            yield FileTypes(everything=(f"{name}.*",), package=name)
        elif node.type == "import_declaration":
            yield from _imported(node.text)
        elif node.type in TYPES:
            # Without a package, the files in the same folder are seen.
            yield FileTypes({ARRAY: TypeFacts(frozenset(("length",)))}, everything=("*",))
            yield from _declared(node, scopes)


def _imported(text: str) -> Iterator[FileTypes]:
    found = _IMPORT.search(text)
    if found is None:
        return
    path, last = re.sub(r"\s", "", found[2]), found[3]
    if last == "*":
        yield FileTypes(everything=() if found[1] else (f"{path}*",))
        return
    parts = [*path.split(".")[:-1], last]
    # Packages are not capitalized, types are.
    first = next((number for number, one in enumerate(parts) if one[0].isupper()), len(parts) - 1)
    yield FileTypes(imports={last: (".".join(parts[: first + 1]), ".".join(parts[first:]))})


def _declared(outermost: SyntaxNode, scopes: Scopes) -> Iterator[FileTypes]:
    """Yield what a type and those inside it are."""
    waiting = [(outermost, True)]
    while waiting:
        node, is_plain = waiting.pop()
        body, key = node.part("body"), type_of(node)
        if body is None or not key:
            continue
        is_plain &= not any(_MEMBERS.fullmatch(one) for one in _marks(node))
        is_plain &= "staticName" not in scopes.text[node.start : body.start]
        yield FileTypes({key: _type(node, body, key, is_plain, scopes)})
        waiting += ((one, is_plain) for one in _parts(body) if one.type in TYPES)


def _parts(body: SyntaxNode) -> Iterator[SyntaxNode]:
    for one in body.named_children:
        yield from one.named_children if one.type == "enum_body_declarations" else (one,)


def _marks(node: SyntaxNode) -> set[str]:
    """Return the modifiers of a declaration, and the last names of its annotations."""
    modifiers = [part for one in node.children if one.type == "modifiers" for part in one.children]
    names = [one.part("name") or one for one in modifiers]
    return {one.text.rpartition(".")[2] for one in names}


def _type(node: SyntaxNode, body: SyntaxNode, key: str, is_plain: bool, scopes: Scopes) -> TypeFacts:
    """Return what the declaration of a type says."""
    members, gives, bases = set[str](), {"this": f"{key}()"}, list[str]()
    for clause in node.named_children:
        if clause.type in ("superclass", "super_interfaces", "extends_interfaces"):
            named = clause.named_children[0]
            types = named.named_children if named.type == "type_list" else (named,)
            bases += (object_of(one, scopes) for one in types)
            if clause.type == "superclass":
                gives["super"] = bases[0]
    if node.type == "enum_declaration":
        members |= _OF_ENUM
        gives |= {"values()": f"{ARRAY}()", "valueOf()": f"{key}()"}
    if node.type == "annotation_type_declaration":
        members.add(f"{OF_OBJECTS}annotationType")
    components = node.part("parameters")
    for one in (*(components.named_children if components is not None else ()), *_parts(body)):
        marks, names = _marks(one), _member(one, key, scopes)
        is_plain &= not any(map(_OF_FIELDS.fullmatch, marks))
        is_static = "static" in marks or one.type in ("enum_constant", "constant_declaration", *TYPES)
        of_objects = OF_OBJECTS * (not is_static)
        mark = PRIVATE * ("private" in marks) + of_objects
        members.update(mark + name.removesuffix("()") for name in names)
        if one.type == "method_declaration" and one.part("type_parameters") is not None:
            members.add(f"{of_objects}<")
        if one.type == "class_declaration" and "static" not in marks and node.type != "interface_declaration":
            members.add(f"{OF_OBJECTS}new")
        add_to(gives, names)
    return TypeFacts(
        frozenset(members),
        gives,
        tuple(base[:-2] for base in bases if base),
        is_complete=is_plain and all(bases),
    )


def _member(node: SyntaxNode, key: str, scopes: Scopes) -> dict[str, str]:
    """Return what a part of a type's body gives: members."""
    name = node.part("name")
    if node.type in ("field_declaration", "constant_declaration"):
        named = ((one.part("name"), one) for one in node.named_children if one.type == "variable_declarator")
        return {name.text: declared(node, one, scopes) for name, one in named if name is not None}
    if name is None or node.type in ("constructor_declaration", "compact_constructor_declaration"):
        return {}
    if node.type in TYPES:
        inner = f"{key}{INSIDE}{name.text}"
        return {name.text: inner, f"{name.text}()": f"{inner}()"}
    if node.type == "enum_constant":
        return {name.text: f"{key}()"}
    given = declared(node, node, scopes)
    return (
        {name.text: given, f"{name.text}()": given}
        if node.type == "formal_parameter"
        else {f"{name.text}()": given}
    )


def known(name: str, module: str) -> frozenset[str] | None:
    """Return the members of a well-known type of Java."""
    members = _STANDARD.get(module or f"java.lang.{name}")
    return None if members is None else frozenset(members.split())


def files(module: str, tree: ProjectTree) -> list[str]:
    """Return the file of a type; none if there are several."""
    path = module.replace(".", "/") + ".java"
    if "." not in module:
        beside = posixpath.join(tree.folder, path)
        return [beside] if tree.is_file(beside) else []
    if module.startswith(("java.", "javax.")):
        return []
    for roots in (jvm.near_roots, jvm.far_roots):
        found = [one for root in roots(tree) if tree.is_file(one := posixpath.join(root, path))]
        if found:
            return found if len(found) == 1 else []
    return []


def _this(name: str, at: int, scopes: Scopes) -> str | None:
    return free(name, at, scopes) if name == "this" else None


def is_open(name: str, before: str) -> bool:
    """Whether anything may come: in a class in the same line."""
    return name.partition(".")[0] in ("this", "super") and _CLASS.search(before) is not None


RULES = TypeRules(
    ChunkRules(MARKS, fill="x;", block="if (x) {", function="() -> ", others=("x = new x() ",)),
    ScopeRules(NAMES, SCOPES, binds, value, this=_this, free=free),
    read,
    files,
    known=known,
    of_every_type=OF_EVERY_TYPE,
    of_every_class=frozenset(("class", "this", "super")),
    is_inside=operator.eq,
    inherits_private=False,
    is_open=is_open,
    overloads=True,
)
