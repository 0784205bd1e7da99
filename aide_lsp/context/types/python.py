"""Types of Python: classes at the top level of a module."""

import builtins
import keyword
import re
from collections.abc import Iterator

from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names import python as modules
from aide_lsp.context.types.chunks import ChunkRules
from aide_lsp.context.types.facts import ASYNC, UNKNOWN_TYPE, FileTypes, TypeFacts, both
from aide_lsp.context.types.python_scopes import (
    PLAIN_TYPE,
    SCOPES,
    TARGETS,
    asks,
    assigned,
    binds,
    decorators_of,
    object_of,
    target_of,
    value,
)
from aide_lsp.context.types.rules import TypeRules
from aide_lsp.context.types.scopes import ScopeRules, Scopes
from aide_lsp.syntax.node import SyntaxNode

MARKS = re.compile(
    r'(?P<open>"""(?!(?:\\.|(?!""").)*+""")|' + r"'''(?!(?:\\.|(?!''').)*+'''))"
    r'|"""(?:\\.|(?!""").)*+"""|' + r"'''(?:\\.|(?!''').)*+'''"
    r'|"(?:\\.|[^"\\\n])*+"?|' + r"'(?:\\.|[^'\\\n])*+'?|#[^\n]*|\\\n",
    re.DOTALL,
)
_DEFINING = re.compile(
    r"(?:.*;|[ \t]*(?:if|elif|else|for|while|with|try|except|finally)\b.*:)?"
    r"[ \t]*(?:[\w.*()\[\]]+[ \t]*,[ \t]*)*[*(\[]*\Z|.*\b(?:as|for|del)[ \t]+\Z"
)
"""Before a member that may be defined there."""
MOST_TARGETS = 5_000
"""Members that some code may assign; with more, nothing is known."""
_OWNERS = ("self", "cls")
_TARGET = re.compile(r"\.(\w+)[ \t)\]]*(?:,|\)|:|=(?!=)|(?:[-+*/@&|^%]|//|\*\*|<<|>>)=|in\b)")
_OWN = re.compile(r"(?<![\w.])(?:self|cls)\.(\w+)")
_IMPORT = re.compile(r"(?<![\w.])import\b")
_GIVES_ANY = re.compile(r"(?<![\w.])(?:setattr|vars)\(|\.(?:__setattr__|__dict__)\b")
_DYNAMIC = re.compile(
    r"\b(?:__getattr__|__getattribute__|setattr|exec|locals|vars|globals|__dict__|__setattr__|__new__|metaclass|these)\b"
)
_ABSTRACT = re.compile(r"\b(?:abstractmethod|ABC|ABCMeta|Protocol)\b")
_QUOTED = re.compile(r"[\"'](\w+)[\"']")
_SLOTS_OF = re.compile(r"\*[\w.]+\.__slots__\b")
"""Those of a base."""
_PROPERTIES = frozenset(("property", "cached_property"))
_PLAIN_METHODS = frozenset(("classmethod", "staticmethod", "abstractmethod", "override", "final", "cache"))
_DECORATORS = frozenset(("@dataclass", "@final", "@runtime_checkable", "@total_ordering", "@unique"))
_OF_ATTRS = frozenset(("@define", "@frozen", "@mutable", "@s"))
_DECORATING = ("attr", "attrs", "dataclasses", "enum", "functools", "typing", "typing_extensions")
_BUILT_IN = {
    "ABC": frozenset[str](), "Protocol": frozenset[str](), "Generic": frozenset[str](),
    "NamedTuple": frozenset((*dir(tuple), "_fields", "_asdict", "_replace", "_make", "_field_defaults")),
}  # fmt: skip
_ENUMS = ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag")
_OF_ENUMS = ("name", "value", "_name_", "_value_", "_missing_", "_ignore_", "_generate_next_value_")
OF_EVERY_TYPE = frozenset((
    *dir(object), "__annotations__", "__dict__", "__module__", "__dataclass_fields__", "__slots__",
    "__weakref__", "__attrs_attrs__", "__match_args__", "__post_init__", "__replace__",
    "__dataclass_params__", "__orig_class__", "__orig_bases__", "__parameters__",
))  # fmt: skip
OF_EVERY_CLASS = frozenset(dir(type))
NAMES = frozenset(("identifier",))


def read(scopes: Scopes) -> Iterator[FileTypes]:
    """Yield what the statements of a module say."""
    bare = MARKS.sub(" ", scopes.text)
    if len(_TARGET.findall(bare)) > MOST_TARGETS:
        yield FileTypes(gives_any=True)
        return
    targets = list(_attributes(scopes)) if "." in bare else []
    yield FileTypes(
        given=frozenset(_member(one) for one, _ in targets if _owner(one) not in _OWNERS),
        gives_any=_GIVES_ANY.search(bare) is not None,
    )
    yield from _imports(scopes)
    for name in (one for listed in modules.GLOBAL.findall(bare) for one in re.findall(r"\w+", listed)):
        yield FileTypes(gives={name: "", f"{name}()": ""})
    for node in modules.statements(scopes.root):
        name = node.part("name")
        if node.type == "class_definition" and name is not None:
            yield FileTypes({name.text: _class(node, scopes, targets)})
        elif node.type == "function_definition":
            yield FileTypes(gives=_function(node, scopes))
        elif not node.type.startswith(("import", "future_import")) and (
            gives := _variable(node, scopes, narrows=True)
        ):
            yield FileTypes(gives=gives)


def _imports(scopes: Scopes) -> Iterator[FileTypes]:
    """Yield what is imported, in functions too."""
    for found in _IMPORT.finditer(scopes.text):
        node = scopes.root.smallest(*found.span())
        if node.type not in ("import_statement", "import_from_statement"):
            continue
        module = node.part("module_name")
        if module is not None and any(one.type == "wildcard_import" for one in node.named_children):
            yield FileTypes(everything=(module.text,))
        for name, source in modules.imported(node):
            is_whole = module is None and "." in source and name == source.partition(".")[0]
            if not is_whole:
                origin = (source, "") if module is None else (module.text, source)
                yield FileTypes(imports={name: origin})


def _attributes(scopes: Scopes) -> Iterator[tuple[SyntaxNode, SyntaxNode | None]]:
    """Yield the attributes that some code assigns, with the statement if it has one target."""
    for found in _TARGET.finditer(scopes.text):
        node = scopes.root.smallest(*found.span(1)).parent
        if node is not None and node.type == "attribute" and _member(node) == found[1]:
            top, above = target_of(node)
            if above.type in TARGETS and above.part(TARGETS[above.type]) == top:
                yield node, above if top == node else None


def _owner(attribute: SyntaxNode) -> str:
    owner = attribute.part("object")
    return owner.text if owner is not None else ""


def _member(attribute: SyntaxNode) -> str:
    name = attribute.part("attribute")
    return name.text if name is not None else ""


def _variable(node: SyntaxNode, scopes: Scopes, *, narrows: bool = False) -> dict[str, str]:
    """Return what an assignment gives to names; `narrows`: what is said of it matters besides its type."""
    left = node.part("left") or node.part("name")
    if left is None or left.type != "identifier":
        return dict.fromkeys(modules.defined(node), "")
    value = assigned(node, scopes, narrows=narrows)
    return {} if value is None else {left.text: value}


def _function(node: SyntaxNode, scopes: Scopes) -> dict[str, str]:
    """Return what a function gives: itself, or as a property, its result."""
    name, decorators = node.part("name"), decorators_of(node)
    if name is None:
        return {}
    result = object_of(node.part("return_type"), scopes)
    last = {one.rpartition(".")[2] for one in decorators}
    if last & _PROPERTIES:
        return {name.text: result}
    if last & {"setter", "deleter"}:
        return {}
    is_async = any(child.type == "async" for child in node.children)
    result = ASYNC * is_async + result if result and last <= _PLAIN_METHODS else ""
    return {name.text: "", f"{name.text}()": result}


def _class(
    node: SyntaxNode, scopes: Scopes, targets: list[tuple[SyntaxNode, SyntaxNode | None]]
) -> TypeFacts:
    """Return what a class statement says."""
    body, superclasses = node.part("body"), node.part("superclasses")
    parts = superclasses.named_children if superclasses is not None else ()
    bases = [PLAIN_TYPE.match(one.text) for one in parts if one.type != "comment"]
    decorators = [f"@{one}" for one in decorators_of(node)]
    if body is None:
        return UNKNOWN_TYPE
    decorated = node.parent if decorators and node.parent is not None else node
    bare, is_listed = MARKS.sub(" ", decorated.text), True
    members, gives, annotated = set[str](), dict[str, str](), dict[str, str]()
    for one in modules.statements(body):
        members.update(modules.defined(one), (name for name, _ in modules.imported(one)))
        left, right = one.part("left"), one.part("right")
        if left is not None and left.text == "__slots__" and right is not None:
            members.update(_QUOTED.findall(right.text))
            is_listed &= re.search(r"\w", _SLOTS_OF.sub("", MARKS.sub("", right.text))) is None
        if one.type == "function_definition":
            gives = both(gives, _function(one, scopes))
        elif one.type == "assignment" and one.part("type") is not None:
            annotated = both(annotated, _variable(one, scopes))
        elif one.type == "assignment":
            # In a derived class, such as an enum, it may become something else.
            gives = both(
                gives, _variable(one, scopes) if not bases else dict.fromkeys(modules.defined(one), "")
            )
    for attribute, statement in targets:
        if node.start < attribute.start < node.end and _owner(attribute) in _OWNERS:
            name = _member(attribute)
            members.add(name)
            value = assigned(statement, scopes) if statement is not None else ""
            if statement is not None and statement.part("type") is not None:
                annotated = both(annotated, {name: value or ""})
            elif value is not None:
                gives = both(gives, {name: value})
    return TypeFacts(
        frozenset(members),
        {**gives, **annotated},
        (*(found[1] for found in bases if found), *decorators),
        frozenset(_OWN.findall(bare)),
        is_complete=is_listed and all(bases) and not _DYNAMIC.search(bare),
        is_abstract=_ABSTRACT.search(bare) is not None,
    )


def known(name: str, module: str) -> frozenset[str] | None:
    """Return the members of a class of the standard library that others derive from."""
    if name[0] == "@":
        is_plain = module in _DECORATING and name in _DECORATORS | _OF_ATTRS
        return frozenset() if is_plain or (name in _DECORATORS and not module) else None
    if module not in ("", "abc", "enum", "typing", "typing_extensions", "builtins"):
        return None
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    if name in _ENUMS:
        import enum

        one = getattr(enum, name)
        return frozenset((*dir(one), *_OF_ENUMS, *dir(one("x", "y").y)))
    one = getattr(builtins, name, None)
    if isinstance(one, type) and one is not type and not keyword.iskeyword(name):
        return frozenset((*dir(one), "__notes__"))
    return None


def is_open(name: str, before: str) -> bool:
    """Whether a member of an object may be defined in its own method, given the line before the name."""
    return name in _OWNERS and _DEFINING.match(before) is not None


def files(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a module that has no stub: that may leave out, or add, what it has."""
    found = list(modules.files(module, tree))
    yield from () if any(path.endswith(".pyi") for path in found) else found


RULES = TypeRules(
    ChunkRules(MARKS, fill="pass", block="if 0:"),
    ScopeRules(NAMES, SCOPES, binds, value, asks, closed=frozenset(("class_definition",))),
    read,
    files,
    known=known,
    of_every_type=OF_EVERY_TYPE,
    of_every_class=OF_EVERY_CLASS,
    descriptor="__get__",
    is_open=is_open,
)
