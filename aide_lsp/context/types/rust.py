"""Types of Rust: structs, enums, and traits at the top level of a module.

An object has the members of its type, which any file of the crate may add to, and those of the traits that
are in scope where it is used. Of a type with a trait whose members are not known, such as one of a library,
nothing is.
"""

import re
from collections.abc import Iterator

from attrs import evolve

from aide_lsp.context.imports import rust as imports
from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names import rust as modules
from aide_lsp.context.types.chunks import ChunkRules
from aide_lsp.context.types.facts import ADDS, ASYNC, ITSELF, UNKNOWN_TYPE, FileTypes, TypeFacts, name_of
from aide_lsp.context.types.rules import TypeRules
from aide_lsp.context.types.rust_scopes import (
    FUNCTIONS,
    NAMES,
    POINTERS,
    SCOPES,
    binds,
    free,
    object_of,
    this,
    type_of,
    value,
)  # fmt: skip
from aide_lsp.context.types.rust_traits import OF_EVERY_TYPE, OF_THE_LANGUAGE, known
from aide_lsp.context.types.scopes import ScopeRules, Scopes
from aide_lsp.syntax.node import SyntaxNode

MARKS = re.compile(
    # What is not one of these characters is skipped at once.
    r"""[r"/'](?:(?<=\br)(?P<hashes>#*)".*?"(?P=hashes)|(?<=")(?:\\.|[^"\\])*+"|(?<=/)\*.*?\*/|(?<=/)/[^\n]*"""
    r"""|(?<=')(?:\\[^\n]{1,10}?|[^'\\\n])'|(?P<open>(?<=\br)#*"|(?<=/)\*|(?<=").*))""",
    re.DOTALL,
)
MOST_NESTED = 30
"""Modules in others, in one file."""
_USE = re.compile(r"\s*(?:pub(?:\([^()]*\))?\s+)?use\b")
_IMPL = re.compile(r"\b(?:impl|trait)\b[^{]*\{")
_CAPITALIZED = re.compile(r"\b[^\W\d_a-zß-ÿ]\w*")
_WORD = re.compile(r"\b[^\W\d]\w*")
_WHERE = re.compile(r"\bwhere\b")
_MAY_BE_TRAIT = re.compile(r"[A-Z]\w*[a-z]\w*|\*|[A-Z]")
_IMPLEMENTS = re.compile(r"impl\b")
_BEFORE_ITEM = re.compile(r"(?:\A|[{};\]])[ \t]*(?:default[ \t]+)?(?:unsafe[ \t]+)?\Z")
_HEAD = re.compile(r"[^{;]*")
_CALLS = re.compile(
    # Up to the next line at the left margin.
    r"\n(?:\w+::)*(?!macro_rules\b)\w+![ \t]*[({\[][^\n]*(?:\n(?:[ \t)}\]][^\n]*)?(?=\n|\Z))*"
)
_AS = re.compile(r"as\s{1,9}(\w+)")
_BEFORE_AS = re.compile(r"\b(\w{1,100})\s{1,9}\Z")
_TYPE = re.compile(r"type\s{1,9}(\w+)[^=;\n]{0,200}=([^;]*)")
_FAR = 110
"""Characters before something that are looked at."""
_INNER_TRAIT = re.compile(
    r"(?:^|[{};\]])[ \t]*(?:pub(?:\([^()\n]*\))?[ \t]+)?(?:unsafe[ \t]+)?trait\s", re.MULTILINE
)
_NO_TYPES = frozenset(("line_comment", "block_comment", "attribute_item", "inner_attribute_item"))
_PLAIN_MACROS = frozenset((
    "thread_local", "lazy_static", "assert_impl_all", "assert_not_impl_any", "const_assert",
    "criterion_group", "criterion_main", "proptest", "quickcheck",
    "create_exception", "import_exception", "compile_error", "println",
))  # fmt: skip
"""Those that add nothing to the types that they name."""
_DERIVED = re.compile(r"\bderive\s*\(([^()]*)\)")


def read(scopes: Scopes) -> Iterator[FileTypes]:
    """Yield what the items of a module say."""
    yield FileTypes(imports={"crate": ("crate", ""), "super": ("super", "")})
    yield from _items(scopes.root, scopes, 0)


def _items(body: SyntaxNode, scopes: Scopes, depth: int) -> Iterator[FileTypes]:
    """Yield what the items of a module say that is in so many others in the file."""
    attributes = list[str]()
    if depth > MOST_NESTED:
        yield FileTypes(gives_any=True)
        return
    for node in body.named_children:
        if node.type == "attribute_item":
            attributes.append(node.text)
            yield FileTypes(mentions=frozenset(_CAPITALIZED.findall(node.text)))
        elif node.type not in _NO_TYPES:
            if node.type != "mod_item":
                yield from _used(node, depth)
            yield from _item(node, attributes, scopes, depth)
            attributes = []


def _used(node: SyntaxNode, depth: int) -> Iterator[FileTypes]:
    """Yield what an item imports in any part of it, and what else it mentions."""
    text, mentions, place = MARKS.sub(" ", node.text), set[str](), 0
    extensions = set[tuple[str, str]]()
    for found in modules.USES.finditer(text):
        mentions.update(_CAPITALIZED.findall(text, place, found.start()))
        place = found.end()
        for path, alias in imports.leaves(found[1]):
            *above, name = path if alias != "*" else (*path[:-1], "*")
            for _ in range(depth):
                above = (above[1:] or ["self"]) if above[:1] == ["super"] else above
            is_other = not above or above[0] in OF_THE_LANGUAGE or above[-1][:1].isupper()
            if not is_other and _MAY_BE_TRAIT.fullmatch(name):
                extensions.add(("::".join(above), name))
    mentions.update(_CAPITALIZED.findall(text, place))
    # Inside of functions and constants, there may be implementations and traits, too.
    inner = {ADDS + one: UNKNOWN_TYPE for one in _extended(text, 1)}
    gives_any = "trait" in text and _INNER_TRAIT.search(text, 1) is not None
    yield FileTypes(
        inner, gives_any=gives_any, extensions=frozenset(extensions), mentions=frozenset(mentions)
    )


def _item(node: SyntaxNode, attributes: list[str], scopes: Scopes, depth: int) -> Iterator[FileTypes]:
    name, body = node.part("name"), node.part("body")
    if node.type == "use_declaration" and not depth:
        yield _imported(node.text)
    elif node.type == "impl_item" and body is not None:
        yield from _implemented(node, body, attributes, scopes)
    elif node.type in ("macro_invocation", "expression_statement"):
        macro = modules.macro_of(node)
        names = _WORD.findall(node.text) if macro and macro not in _PLAIN_MACROS else ()
        yield FileTypes({ADDS + one: UNKNOWN_TYPE for one in names}, gives_any=macro == "include")
    elif name is None:
        return
    elif node.type == "macro_definition":
        yield FileTypes({ADDS + one: UNKNOWN_TYPE for one in extended(node.text)})
    elif node.type == "mod_item":
        if body is not None:
            yield from _items(body, scopes, depth + 1)
        elif not depth:
            yield FileTypes(imports={name.text: (f"self::{name.text}", "")})
    elif node.type == "trait_item" and body is not None:
        facts = _trait(node, body, attributes, scopes)
        if depth:
            yield FileTypes(given=frozenset(map(name_of, facts.members)))
        else:
            trait = {name.text: facts, f"trait {name.text}": facts}
            yield FileTypes(trait, extensions=frozenset({("self", name.text)}))
    elif not depth:
        yield from _declared(node, name.text, attributes, scopes)


def _imported(text: str) -> FileTypes:
    found, everything, gives_any = dict[str, tuple[str, str]](), list[str](), False
    for path, alias in imports.leaves(text.partition("use ")[2]):
        module, name = ("::".join(path[:-1]), path[-1]) if len(path) > 1 else (path[0], "")
        if alias == "*":
            everything += [module] if not path[-2:-1][0][:1].isupper() else []
        elif alias != "_":
            found[alias] = (module, name)
            gives_any |= alias in POINTERS and path[0] in ("crate", "self", "super")
    return FileTypes(imports=found, everything=tuple(everything), gives_any=gives_any)


def _declared(node: SyntaxNode, name: str, attributes: list[str], scopes: Scopes) -> Iterator[FileTypes]:
    """Yield what the declaration of a type, function, or constant says."""
    if node.type in FUNCTIONS:
        yield FileTypes(gives=_results(node, scopes))
    elif node.type in ("const_item", "static_item"):
        yield FileTypes(gives={name: object_of(node.part("type"), scopes)})
    elif node.type == "type_item":
        base = object_of(node.part("type"), scopes)
        is_plain = base.endswith("()") and not base.startswith(ASYNC)
        yield FileTypes({name: TypeFacts(bases=(base[:-2],)) if is_plain else UNKNOWN_TYPE})
    elif node.type in ("struct_item", "union_item", "enum_item"):
        members, gives = set[str](), dict[str, str]()
        body = node.part("body")
        if node.type == "enum_item":
            for one in body.named_children if body is not None else ():
                if one.type == "enum_variant" and (variant := one.part("name")) is not None:
                    members.add(f":{variant.text}")
                    gives |= {variant.text: f"{name}()", f"{variant.text}()": f"{name}()"}
                    of_variant = _fields(one.part("body"), scopes).items()
                    gives |= {f"{variant.text} {name_of(field)}": kind for field, kind in of_variant}
        else:
            fields = _fields(body, scopes)
            members.update(fields)
            gives |= {name_of(field): kind for field, kind in fields.items()}
            if body is None or body.type != "field_declaration_list":
                gives["()"] = ""
        if node.part("type_parameters") is not None:
            members.add(":<")
        bases, is_complete = _attributes(attributes)
        if "@Clone" in bases:
            gives |= {"clone": "", "clone()": f"{name}()"}
        if "@Default" in bases:
            gives |= {"default": "", "default()": f"{name}()"}
        facts = TypeFacts(frozenset(members), gives, bases, is_complete=is_complete)
        yield FileTypes({name: facts}, gives_any=name in POINTERS)


def _fields(body: SyntaxNode | None, scopes: Scopes) -> dict[str, str]:
    """Return the fields of a struct or variant, with marks, and what they give."""
    fields, number, is_public = dict[str, str](), 0, False
    for one in body.named_children if body is not None else ():
        if one.type == "field_declaration" and (name := one.part("name")) is not None:
            is_public = any(child.type == "visibility_modifier" for child in one.named_children)
            fields[f"{'' if is_public else '-'}.{name.text}"] = object_of(one.part("type"), scopes)
        elif one.type == "visibility_modifier":
            is_public = True
        elif body is not None and body.type == "ordered_field_declaration_list" and one.type not in _NO_TYPES:
            fields[f"{'' if is_public else '-'}.{number}"] = object_of(one, scopes)
            number, is_public = number + 1, False
    return fields


def _attributes(attributes: list[str]) -> tuple[tuple[str, ...], bool]:
    """Return what a type derives, and whether its other attributes add no members."""
    derived = [
        one.strip().rpartition("::")[2]
        for attribute in attributes
        for listed in _DERIVED.findall(attribute)
        for one in listed.split(",")
    ]
    is_complete = all(modules.is_plain(_DERIVED.sub("derive", one)) for one in attributes)
    return tuple(f"@{one}" for one in derived if one), is_complete


def _results(node: SyntaxNode, scopes: Scopes) -> dict[str, str]:
    """Return what a function or method gives."""
    name, result = node.part("name"), object_of(node.part("return_type"), scopes)
    is_async = any(one.type == "function_modifiers" and "async" in one.text for one in node.named_children)
    if name is None:
        return {}
    return {name.text: "", f"{name.text}()": ASYNC + result if is_async and result else result}


def _body(body: SyntaxNode, scopes: Scopes, *, is_public: bool, of_trait: str = "") -> TypeFacts:
    """Return what the items of a trait or implementation say."""
    members, gives = set[str](), dict[str, str]()
    facts = TypeFacts(is_declared=False)
    for one in body.named_children:
        name = one.part("name")
        if name is None:
            is_other = one.type not in _NO_TYPES
            facts = UNKNOWN_TYPE if is_other else facts
            continue
        is_seen = is_public or any(child.type == "visibility_modifier" for child in one.named_children)
        parameters = one.part("parameters")
        first = parameters.named_children[:1] if parameters is not None else ()
        is_method = any(re.search(r"\bself\b", parameter.text) for parameter in first)
        members = {f"{'' if is_seen else '-'}{'' if is_method else ':'}{name.text}"}
        gives = {}
        if one.type in FUNCTIONS:
            gives = _results(one, scopes)
            kind = one.part("return_type")
            if of_trait and kind is not None and "Self" in kind.text:
                gives[f"{name.text}()"] = ITSELF if kind.text == "Self" else ""
        elif one.type == "const_item":
            gives = {name.text: object_of(one.part("type"), scopes) if not of_trait else ""}
        elif one.type == "type_item":
            gives = {name.text: object_of(one.part("type"), scopes)[:-2]}
        facts = facts.with_more(TypeFacts(frozenset(members), gives, is_declared=False))
    return facts


def _implemented(
    node: SyntaxNode, body: SyntaxNode, attributes: list[str], scopes: Scopes
) -> Iterator[FileTypes]:
    """Yield what an implementation says of a type."""
    kind, trait = node.part("type"), node.part("trait")
    head = scopes.text[node.start : body.start]
    names = _last_words(head)
    if not names or kind is None:
        return
    facts = _body(body, scopes, is_public=trait is not None)
    if not all(map(modules.is_plain, attributes)):
        facts = UNKNOWN_TYPE
    elif trait is not None and not any(one.text == "!" for one in node.children):
        base = trait_of(trait, scopes)
        if re.search(r"\bDeref\Z", base):
            base = facts.gives.get("Target", "")
        facts = facts.with_more(TypeFacts(bases=(base,), is_declared=False)) if base else UNKNOWN_TYPE
    if (own := object_of(kind, scopes)[:-2]) in names:
        yield FileTypes({ADDS + own: facts})
        return
    # It may be one of another module or, as in `Vec<Cart>`, none of these.
    for name in names:
        yield FileTypes({f"impl {name}": evolve(facts, gives={})})


def trait_of(node: SyntaxNode, scopes: Scopes) -> str:
    """Return an expression for a trait."""
    if node.type == "generic_type" and (inner := node.part("type")) is not None:
        node = inner
    if node.type == "higher_ranked_trait_bound" and (inner := node.part("type")) is not None:
        return trait_of(inner, scopes)
    if re.match(r"(?:::)?(?:std|core|alloc)::", node.text):
        return f"std {node.text.rpartition('::')[2]}"
    return type_of(node, scopes)


def _trait(node: SyntaxNode, body: SyntaxNode, attributes: list[str], scopes: Scopes) -> TypeFacts:
    name, bounds, is_complete = node.part("name"), node.part("bounds"), all(map(modules.is_plain, attributes))
    facts = _body(body, scopes, is_public=True, of_trait=name.text if name is not None else "")
    bases = list[str]()
    clauses = [clause for one in (node, *body.named_children) for clause in one.named_children]
    wheres = [one for clause in clauses if clause.type == "where_clause" for one in clause.named_children]
    of_self = [one.part("bounds") for one in wheres if (left := one.part("left")) and left.text == "Self"]
    listed = [one for part in (bounds, *of_self) if part is not None for one in part.named_children]
    for one in listed:
        if one.type not in ("lifetime", "removed_trait_bound"):
            bases.append(trait_of(one, scopes))
    is_complete &= all(bases)
    members = facts.members | ({":<"} if node.part("type_parameters") is not None else set())
    return TypeFacts(
        members, facts.gives, tuple(filter(None, bases)), is_complete=is_complete and facts.is_complete
    )


def _last_words(head: str) -> list[str]:
    """Return the capitalized words in the type that the head of an implementation is for, or else all."""
    text = _WHERE.split(MARKS.sub(" ", head), maxsplit=1)[0].rpartition(" for ")[2]
    return _CAPITALIZED.findall(text) or _WORD.findall(text)


def extended(text: str) -> frozenset[str]:
    """Return the types to which a text may add members: those of implementations and calls of macros."""
    found = _extended(text, 0)
    for _, alias, names in sorted(_aliases(text)) if found else ():
        if alias in found:
            found.update(names)
    return frozenset(found)


def _aliases(text: str) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Yield the other names of types: where each is given, the name, and those that it may stand for."""
    for one in _AS.finditer(text):
        if before := _BEFORE_AS.search(text, max(one.start() - _FAR, 0), one.start()):
            yield one.start(), one[1], (before[1],)
    for one in _TYPE.finditer(text):
        before_it = text[max(one.start() - _FAR, 0) : one.start()].rpartition("\n")[2]
        # It is neither in a comment nor the end of another word.
        if "/" not in before_it and not before_it[-1:].isalnum():
            yield one.start(), one[1], tuple(_WORD.findall(one[2]))


def _extended(text: str, start: int) -> set[str]:
    found, end = set[str](), start
    for one in _IMPLEMENTS.finditer(text, start):
        line = max(text.rfind("\n", max(one.start() - _FAR - 1, 0), one.start()) + 1, start)
        if one.start() >= end and (
            one.start() - line > _FAR or _BEFORE_ITEM.search(text[line : one.start()]) is not None
        ):
            head = _HEAD.match(text, one.end())
            end = head.end() if head else one.end()
            found.update(_last_words(text[one.start() : end]))
    for call in _CALLS.finditer("\n" + text, start):
        found.update(_WORD.findall(call.group()))
    return found


def files(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a module, if it is only one."""
    first, _, rest = module.replace(".", "::").partition("::")
    found = set[str]()
    if first not in ("crate", "self", "super"):
        found = {child for child in (modules.child_of(tree.document, first, tree),) if child}
        if found and rest:
            found = {*modules.files_of(f"self::{first}::{rest}", tree)}
    found = found or modules.files_of(module.replace(".", "::"), tree)
    if len(found) == 1:
        yield from found


def is_open(name: str, before: str) -> bool:
    """Whether anything may come: in a `use`, or in an implementation in one line."""
    return _USE.match(before) is not None or (name.lower() == "self" and _IMPL.search(before) is not None)


RULES = TypeRules(
    ChunkRules(MARKS, fill="x;", block="if x {", function="|| ", others=("match x ", "x => ", "x = T ")),
    ScopeRules(NAMES, SCOPES, binds, value, this=this, free=free, shadows=True),
    read,
    files,
    known=known,
    of_every_type=OF_EVERY_TYPE,
    is_open=is_open,
    is_inside=modules.is_inside,
    has_paths=True,
    crate=modules.crate_files,
    extended=extended,
    unwraps=("await", "unwrap", "expect", "unwrap_or", "unwrap_or_else", "unwrap_or_default"),
    keeps=("as_ref", "as_mut", "clone", "cloned", "take", "map_err", "ok", "ok_or", "ok_or_else", "copied",
           "context", "with_context", "as_deref", "or_else"),
)  # fmt: skip
