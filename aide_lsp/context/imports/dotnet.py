"""Types of C#, F#, and Visual Basic: namespaces name no files, so types are found by the names of files."""

import posixpath
import re
from collections.abc import Iterator

from aide_lsp.context.imports.by_name import named_so, types_in
from aide_lsp.context.imports.statement import Import
from aide_lsp.context.imports.tree import ProjectTree

SUFFIXES = (".cs", ".fs", ".vb")
PROJECTS = ("*.csproj", "*.fsproj", "*.vbproj", "*.asmdef")
_USING = re.compile(
    r"^[ \t]*(?:global[ \t]+)?(?:using|namespace|Imports|open)[ \t]+(?:static[ \t]+)?"
    r"(?:\w+[ \t]*=[ \t]*)?([\w.]+)",
    re.MULTILINE,
)
_REFERENCE = re.compile(r"<ProjectReference\s[^>]{0,200}?Include\s*=\s*[\"']([^\"'\n]+)")
_ROOT = re.compile(r"<RootNamespace>\s*([\w.]+)")


def named(text: str) -> Iterator[Import]:
    """Yield the types that a text uses, and the namespaces that it is in or uses."""
    yield Import("*", types_in(text))
    yield from map(Import, dict.fromkeys(_USING.findall(text)))


def files(one: Import, tree: ProjectTree) -> Iterator[str]:
    """Yield the files with the names of types; for a namespace, those in its folder."""
    projects: list[tuple[str, str]] = tree.once(("projects", tree.folder), lambda: list(_projects(tree)))
    for folder, root in projects:
        if one.names:
            yield from named_so(one.names, folder, SUFFIXES, tree)
        else:
            rest = one.module.removeprefix(root).strip(".").replace(".", "/")
            path = posixpath.join(folder, rest).rstrip("/")
            yield from (
                posixpath.join(path, name) for name in sorted(tree.files(path)) if name.endswith(SUFFIXES)
            )


def _projects(tree: ProjectTree) -> Iterator[tuple[str, str]]:
    """Yield folder and root namespace of the document's project, and of those that it refers to."""
    own = tree.nearest(*PROJECTS)
    yield _project(own, tree)
    for path in _REFERENCE.findall(tree.text(own)):
        if project := tree.inside(posixpath.dirname(own), path):
            yield _project(project, tree)
    if own.endswith(".asmdef"):
        # Unity names the assemblies that one refers to by random numbers; most often they are around it.
        yield _project(tree.seen_from(posixpath.dirname(own)).nearest(*PROJECTS, "package.json"), tree)


def _project(path: str, tree: ProjectTree) -> tuple[str, str]:
    root = _ROOT.search(tree.text(path))
    return posixpath.dirname(path), root[1] if root else posixpath.splitext(posixpath.basename(path))[0]
