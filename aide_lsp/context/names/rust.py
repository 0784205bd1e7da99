"""Names of Rust's modules: the items in their files, as far as they are seen from the document."""

import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache

from aide_lsp.context.imports import rust as imports
from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names.module import COMMENT, KEPT, Cursor, FileNames, Marks, Wanted, code_of
from aide_lsp.syntax.node import SyntaxNode

_PATH = re.compile(r"(?<![\w:>.$#'\"])((?:[^\W\d]\w*::)+)\Z")
_VISIBLE = r"(?:pub(?:\([^()\n]*\))?[ \t]+)?"
_USE = re.compile(rf"(?:\A|\n)[ \t]*{_VISIBLE}use[ \t]+((?:[\w:{{}},*\s]|//[^\n]*\n)*)\Z")
USES = re.compile(rf"^[ \t]*{_VISIBLE}use[ \t]+([^;]{{1,2000}});", re.MULTILINE)
_OF_CRATES = re.compile(r"(?<!\w)::")
_TOKEN = re.compile(r"\w+|[{},]")
_MARKS = Marks(
    r"//[^\n]*|'(?:\\[^\n']*|[^\\'\n])'",
    (
        (r'\br(?P<hashes>#+)"', r'(?:(?!"(?P=hashes)).)*+', r'"(?P=hashes)'),
        ('"', r'(?:\\.?|[^"\\])*+', '"'),
        COMMENT,
    ),
)
_BLOCK = re.compile(r"\bmod\s+\w+\s*\{|[{}]")
_ATTRIBUTE = re.compile(r"[\w:]+")
_DERIVED = re.compile(r"\bderive\(([^()]*)\)")
_STATIC = re.compile(r"\bstatic\s+(?:ref\s+)?(\w+)")
PLAIN_ATTRIBUTES = frozenset((
    "allow", "async_trait", "bench", "cfg", "cfg_attr", "clippy", "cold", "deny", "deprecated", "derive",
    "diagnostic", "doc", "error", "expect", "export_name", "global_allocator", "ignore", "inline",
    "instrument", "link", "macro_export", "macro_use", "must_use", "no_mangle", "non_exhaustive",
    "panic_handler", "path", "pyclass", "pyfunction", "pymethods", "pymodule", "pyo3", "repr", "rstest",
    "rustfmt", "serde", "serial_test", "should_panic", "target_feature", "test", "tokio", "track_caller",
    "tracing", "unsafe", "warn", "wasm_bindgen",
))  # fmt: skip
"""Those that give a module no names but that of their item: their first words."""
PLAIN_DERIVES = frozenset((
    "Args", "AsRef", "Clone", "Copy", "Debug", "Default", "Deref", "DerefMut", "Deserialize", "Display", "Eq",
    "Error", "From", "FromPyObject", "Hash", "Into", "IntoPyObject", "IntoPyObjectRef", "JsonSchema", "Ord",
    "Parser", "PartialEq", "PartialOrd", "Pod", "Serialize", "Subcommand", "ValueEnum", "Zeroable", "Zeroize",
))  # fmt: skip
"""Likewise."""
MOST_FOLDERS = 100
"""Of a crate."""
_EXPORTED = re.compile(
    r"#\[macro_export\b[^\]]*\]\s*(?:#\[[^\n]*\n\s*|//[^\n]*\n\s*)*(?:pub\s+)?macro_rules!\s*(\w+)"
)
_NO_ITEMS = ("line_comment", "block_comment", "inner_attribute_item", "impl_item", "empty_statement")


def wanted(cursor: Cursor) -> Wanted | None:
    """Return the module after whose path and `::` the cursor is, or from which it takes names in a list."""
    if found := _USE.search(cursor.near_before):
        parts, used = _in_use(found[1])
    elif found := _PATH.search(cursor.before):
        parts = found[1].removesuffix("::").split("::")
        used = tuple(re.findall(rf"(?<![\w:]){re.escape(found[1])}(\w+)", cursor.others))
    else:
        return None
    if not parts:
        return None
    first = _meaning(parts[0], cursor.above, cursor.below)
    module = "::".join((first, *parts[1:]))
    return Wanted(module, used, must_begin=cursor.is_after_mark) if first else None


def _in_use(text: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the path of what is imported at the end of a text, and what may come besides."""
    path = re.sub(r"//[^\n]*", "", text)
    left, outer = list[str](), list[list[str]]()
    for token in _TOKEN.findall(path):
        if token == "{":
            outer.append(left)
        elif token == "}":
            left = outer.pop() if outer else []
        elif token == ",":
            left = outer[-1] if outer else []
        else:
            left = [*left, token]
    if _OF_CRATES.search(path):
        return [], ()
    if path.endswith("::"):
        return left, ("{", "*")
    return (outer[-1], ("self", "*")) if outer and path.rstrip().endswith(("{", ",")) else ([], ())


@lru_cache(KEPT)
def _meaning(first: str, above: str, below: str) -> str:
    """Return the path that the first name of one can only mean in a text; empty: that is not certain."""
    if first == "crate":
        return first
    before, after = code_of(above, _MARKS), code_of(below, _MARKS)
    if before is None or after is None:
        return ""
    _, is_inside = _outside(before)
    code, _ = _outside(before + after)
    imported = [leaf for used in USES.findall(code) for leaf in imports.leaves(used)]
    path: tuple[str, ...] = (first,)
    for _ in range(imports.MOST_PARTS):
        begin = () if path[0] in ("crate", "self", "super") else _begin(path[0], code, imported)
        if begin is None or (is_inside and (begin or path[0] != first or first in ("self", "super"))):
            return ""
        if not begin:
            return "::".join(path)
        path = (*begin, *path[1:])
    return ""


def _begin(first: str, code: str, imported: list[tuple[tuple[str, ...], str]]) -> tuple[str, ...] | None:
    """Return what the first name of a path stands for; empty: itself; None: that is not certain."""
    paths = {path for path, name in imported if name == first}
    declared = re.search(rf"^{_VISIBLE}mod[ \t]+{first}[ \t]*;", code, re.MULTILINE) is not None
    if re.search(rf"\b(?:struct|enum|union|trait|type)\s+{first}\b|\bmod\s+{first}\s*\{{", code):
        return None
    if not paths and not declared:
        # All names of a module of the crate may include it.
        is_given = any(name == "*" and path[0] in ("crate", "self", "super") for path, name in imported)
        return None if is_given else ()
    if not paths:
        return ("self", first)
    return paths.pop() if len(paths) == 1 and not declared else None


def _outside(code: str) -> tuple[str, bool]:
    """Return code without the modules that are written in it, and whether its end is in one."""
    parts, start, depth, inner = list[str](), 0, 0, -1
    for found in _BLOCK.finditer(code):
        if found.group() != "}":
            if found.group() != "{" and inner < 0:
                parts.append(code[start : found.start()])
                inner = depth
            depth += 1
        else:
            depth -= 1
            if depth == inner >= 0:
                start, inner = found.end(), -1
    return "".join((*parts, code[start:] if inner < 0 else "")), inner >= 0


def files(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a module, if it is only one."""
    found = files_of(module, tree)
    if len(found) == 1:
        yield from found


def files_of(module: str, tree: ProjectTree) -> set[str]:
    """Return the files that a module may be."""
    first, *rest = module.split("::")
    if first == "crate":
        found = set(roots(tree.document, tree))
    elif first in ("self", "super"):
        found = {tree.document} if first == "self" else set(_parents(tree.document, tree))
        while rest and rest[0] == "super":
            found, rest = {parent for path in found for parent in _parents(path, tree)}, rest[1:]
    else:
        source = imports.crates(tree).get(first)
        found = {posixpath.join(source, "lib.rs")} if source is not None else set()
    for name in rest:
        found = {child for path in found if (child := child_of(path, name, tree))}
    return found


def roots(path: str, tree: ProjectTree, steps: int = imports.MOST_PARTS) -> Iterator[str]:
    """Yield the files at the roots of the crates that a file is in."""
    parents = _parents(path, tree) if steps else []
    for parent in parents:
        yield from roots(parent, tree, steps - 1)
    if not parents and posixpath.basename(path) in ("lib.rs", "main.rs"):
        yield path


def crate_files(path: str, tree: ProjectTree) -> tuple[str, ...] | None:
    """Return the files of the crate that a file is in; None: they are too many."""
    root = min(roots(path, tree.seen_from(path)), default=path)
    folder = posixpath.dirname(root)
    found: tuple[str, ...] | None = tree.once(("files", folder), lambda: _below(folder, tree))
    return found


def _below(folder: str, tree: ProjectTree) -> tuple[str, ...] | None:
    folders, found = [folder], list[str]()
    for one in folders:
        found += (posixpath.join(one, name) for name in tree.files(one) if name.endswith(".rs"))
        folders += (posixpath.join(one, name) for name in tree.folders(one) if not name.startswith("."))
        if len(folders) > MOST_FOLDERS:
            return None
    return tuple(found)


def crate_of_root(path: str, tree: ProjectTree) -> tuple[str, ...] | None:
    """Return the files that may export macros, which are names of a module if that is the root of a crate."""
    return crate_files(path, tree) if path in roots(path, tree.seen_from(path)) else ()


def exported(text: str) -> frozenset[str]:
    """Return the macros that a text exports; an empty name: others, too."""
    found = _EXPORTED.findall(text)
    return frozenset((*found, *("",) * (len(found) < text.count("#[macro_export"))))


def _parents(path: str, tree: ProjectTree) -> list[str]:
    """Return the files that declare the module which a file is."""
    folder, name = posixpath.split(path)
    own = name.removesuffix(".rs")
    if name == "mod.rs":
        folder, own = posixpath.split(folder)
    above = (folder + ".rs", *(posixpath.join(folder, root) for root in imports.ROOTS))
    return [one for one in above if one != path and tree.is_file(one) and _declares(one, own, tree)]


def child_of(path: str, name: str, tree: ProjectTree) -> str:
    """Return the file of a module that a file declares; empty: there is none, or another may be meant."""
    base = posixpath.join(_folder(path), name)
    files = [one for one in (base + ".rs", posixpath.join(base, "mod.rs")) if tree.is_file(one)]
    # What the document declares, its text says.
    is_declared = path == tree.document or _declares(path, name, tree)
    return files[0] if len(files) == 1 and is_declared else ""


def _declares(path: str, name: str, tree: ProjectTree) -> bool:
    """Whether a file declares a module, which is where it is looked for: so does one that is too large."""
    is_declared: bool = tree.once(("declares", path, name), lambda: _is_declared(path, name, tree))
    return is_declared


def _is_declared(path: str, name: str, tree: ProjectTree) -> bool:
    declared = rf"^((?:#\[[^\n]*\n|[ \t]*//[^\n]*\n){{0,8}}){_VISIBLE}mod[ \t]+{re.escape(name)}[ \t]*;"
    text = tree.text(path)
    named = re.findall(rf"mod(?<=\bmod)[ \t]+{re.escape(name)}\b", text)
    found = re.findall(declared, text, re.MULTILINE) if named else []
    # What else has the name, is it in another configuration.
    has_others = len(named) > len(found) or any(
        alias == name for used in USES.findall(text) for _, alias in imports.leaves(used)
    )
    return bool(found or not text) and not has_others and not any("path" in one for one in found)


def _folder(path: str) -> str:
    """Return the folder of the modules in a module, given its file."""
    return posixpath.dirname(path) if posixpath.basename(path) in imports.ROOTS else path.removesuffix(".rs")


def is_inside(document: str, path: str) -> bool:
    """Whether a document is in the module of a file, and so sees what is private there."""
    return document == path or document.startswith(_folder(path) + "/")


def names(root: SyntaxNode, path: str) -> FileNames:
    """Return the items of a module."""
    own, private = set[str](), set[str]()
    everything: dict[bool, list[str]] = {True: [], False: []}
    modules = {
        name.text
        for node in root.named_children
        if node.type == "mod_item" and (name := node.part("name")) is not None
    }
    for node in () if root.has_error else root.named_children:
        is_public = any(child.type == "visibility_modifier" for child in node.named_children)
        found = own if is_public else private
        if node.type == "use_declaration":
            for leaf, alias in imports.leaves(node.text.partition("use ")[2]):
                if alias == "*":
                    above = ("self", *leaf[:-1]) if leaf[0] in modules else leaf[:-1]
                    everything[is_public].append("::".join(above))
                elif alias != "_":
                    found.add(alias)
        elif node.type == "foreign_mod_item":
            own.update(name.text for one in _within(node) if (name := one.part("name")) is not None)
        elif (name := node.part("name")) is not None:
            found.add((node.part("alias") or name).text)
        elif macro_of(node) in ("thread_local", "lazy_static"):
            own.update(_STATIC.findall(node.text))
        elif not (node.type in _NO_ITEMS or (node.type == "attribute_item" and is_plain(node.text))):
            return FileNames(is_complete=False)
    return FileNames(
        frozenset(own), private=frozenset(private - own), passed_on=tuple(everything[True]),
        passed_inside=tuple(everything[False]), is_complete=not root.has_error,
    )  # fmt: skip


def _within(node: SyntaxNode) -> Iterator[SyntaxNode]:
    for child in node.named_children:
        if child.type == "declaration_list":
            yield from child.named_children


def macro_of(node: SyntaxNode) -> str:
    """Return the name of the macro that a statement calls; empty: it calls none."""
    call = next(iter(node.named_children), node) if node.type == "expression_statement" else node
    return call.text.partition("!")[0].rpartition("::")[2].strip() if call.type == "macro_invocation" else ""


def is_plain(attribute: str) -> bool:
    """Whether an attribute gives a module no other names than that of its item."""
    first = _ATTRIBUTE.search(attribute)
    derived = {
        one.strip().rpartition("::")[2] for listed in _DERIVED.findall(attribute) for one in listed.split(",")
    }
    return (
        first is not None
        and first.group().partition("::")[0] in PLAIN_ATTRIBUTES
        and derived <= {"", *PLAIN_DERIVES}
    )
