"""Paths of Rust: modules of the crate, and crates of the same repository."""

import posixpath
import re
from collections.abc import Iterator

from aide_lsp.context.imports.statement import Import, stem
from aide_lsp.context.imports.tree import ProjectTree

ROOTS = ("lib.rs", "main.rs", "mod.rs")
"""Files that are the module of their folder."""
TARGETS = ("tests", "examples", "benches", "bin")
"""Folders whose files are crates."""
LONGEST_TREE, MOST_PARTS = 4000, 30
"""Characters of one `use`, and parts of one path in it."""
_DEPENDENCIES = ("dependencies", "dev-dependencies", "build-dependencies")
# A list that is not finished yet ends where the next item begins.
_ITEM = r"(?:pub|use|mod|fn|struct|impl|enum|const|static|type|trait|extern|let)\b|#"
_PATH = re.compile(
    rf"\buse[ \t]+((?:[^;\n]|\n(?![ \t]*(?:{_ITEM})))+)"
    r"|\bmod[ \t]+(\w+)[ \t]*;"
    r"|\bextern[ \t]+crate[ \t]+(\w+)"
    r'|(?:\bpath[ \t]*=|\binclude!\()[ \t]*"([^"\n]+\.rs)"'
    r"|\b((?:crate|self|super)(?:::\w+)+)"
)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r"[\w*]+|[{},]")


def named(text: str) -> Iterator[Import]:
    """Yield the paths that a text uses: the module, and what is taken from it."""
    for match in _PATH.finditer(text):
        used, module, crate, file, path = match.groups()
        if used:
            yield from (_import(leaf) for leaf, _ in leaves(used))
        elif path:
            yield _import(tuple(path.split("::")))
        else:
            yield Import(f"self::{module}" if module else crate or file)


def _import(path: tuple[str, ...]) -> Import:
    *module, name = path
    return Import("::".join(module), (name,)) if module else Import(name)


def leaves(tree: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each path of a tree such as `a::{b, c::{self, d as e}}`, with its name, if finished or not."""
    prefixes: list[tuple[str, ...]] = [()]
    path: tuple[str, ...] = ()
    renamed, alias = False, ""
    for token in [*_TOKEN.findall(_COMMENT.sub("", tree[:LONGEST_TREE])), ","]:
        if token in ",}":
            if path != prefixes[-1]:
                path = path[:-1] if path[-1] == "self" and len(path) > 1 else path
                yield path, alias or path[-1]
            if token == "}" and len(prefixes) > 1:
                prefixes.pop()
            path, renamed, alias = prefixes[-1], False, ""
        elif token == "{":
            prefixes.append(path)
        elif token == "as":
            renamed = True
        elif renamed:
            alias = token
        elif len(path) < MOST_PARTS:
            path = (*path, token)


def files(one: Import, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of the module that a path leads to."""
    if one.module.endswith(".rs"):
        yield tree.inside(tree.folder, one.module) or ""
        return
    first, *rest = [*one.module.split("::"), *one.names]
    for base in _bases(first, tree):
        while rest and rest[0] == "super":
            base, rest = posixpath.dirname(base), rest[1:]
        yield _module(base, rest, tree)


def passes_on(path: str, tree: ProjectTree) -> bool:
    """Whether a file has modules below it, or is there to collect names."""
    return (
        posixpath.basename(path) in ROOTS
        or stem(path) == "prelude"
        or tree.is_folder(path.removesuffix(".rs"))
    )


def _bases(first: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the folders in which the path after its first part is looked for."""
    own = _folder_of_modules(tree)
    if first == "crate":
        yield _crate(tree)
    elif first == "self":
        yield own
    elif first == "super":
        yield posixpath.dirname(own)
    else:
        child = posixpath.join(own, first)
        if _file(child, tree):
            yield child
        if crate := crates(tree).get(first):
            yield crate


def _folder_of_modules(tree: ProjectTree) -> str:
    name = posixpath.basename(tree.document)
    if name in ROOTS or name == "build.rs" or posixpath.basename(tree.folder) in TARGETS:
        return tree.folder
    return tree.document.removesuffix(".rs")


def _crate(tree: ProjectTree) -> str:
    for folder in tree.above():
        if not {"lib.rs", "main.rs"}.isdisjoint(tree.files(folder)):
            return folder
    return tree.folder


def _module(base: str, path: list[str], tree: ProjectTree) -> str:
    """Return the file of the last part of a path that has one."""
    found = ""
    folder = base
    for part in path:
        folder = posixpath.join(folder, part)
        file = _file(folder, tree)
        if not file:
            break
        found = file
    return found or tree.first([*(posixpath.join(base, name) for name in ROOTS), base + ".rs"])


def _file(module: str, tree: ProjectTree) -> str:
    return tree.first((module + ".rs", posixpath.join(module, "mod.rs")))


def crates(tree: ProjectTree) -> dict[str, str]:
    """Return the names and the source folders of the crates of the repository that can be used here."""
    manifest = tree.nearest("Cargo.toml")
    found: dict[str, str] = tree.once(("crates", manifest), lambda: dict(_crates(manifest, tree)))
    return found


def _crates(manifest: str, tree: ProjectTree) -> Iterator[tuple[str, str]]:
    """Yield the name and the source folder of the crate here and of those that it depends on by path."""
    content, folder = tree.toml(manifest), posixpath.dirname(manifest)
    shared: dict[str, tuple[str, object]] = {}
    for above in tree.above():
        workspace = _table(tree.toml(posixpath.join(above, "Cargo.toml")), "workspace")
        shared |= {name: (above, one) for name, one in _table(workspace, "dependencies").items()}
    for kind in ("package", "lib"):
        own = _value(_table(content, kind), "name")
        if isinstance(own, str):
            yield own.replace("-", "_"), _sources(folder, tree)
    for holder in [content, *_table(content, "target").values()]:
        for kind in _DEPENDENCIES:
            for name, one in _table(holder, kind).items():
                base, said = shared.get(name, (folder, one)) if _value(one, "workspace") else (folder, one)
                path = _value(said, "path")
                if isinstance(path, str) and (local := tree.inside(base, path)) is not None:
                    yield name.replace("-", "_"), _sources(local, tree)


def _sources(folder: str, tree: ProjectTree) -> str:
    src = posixpath.join(folder, "src")
    if tree.is_file(posixpath.join(src, "lib.rs")):
        return src
    path = _value(_table(tree.toml(posixpath.join(folder, "Cargo.toml")), "lib"), "path")
    file = tree.inside(folder, path) if isinstance(path, str) else None
    return posixpath.dirname(file) if file else src


def _value(content: object, key: str) -> object:
    return content.get(key) if isinstance(content, dict) else None


def _table(content: object, key: str) -> dict[str, object]:
    value = _value(content, key)
    return value if isinstance(value, dict) else {}
