"""What the resolvers of imports see of the disk: a bounded number of folders and small files of the project.

Paths are relative to the project's root, with `/` on every system; the root is the empty path.
"""

import json
import posixpath
import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from fnmatch import translate
from functools import lru_cache
from typing import Any, Protocol

from attrs import evolve, field, frozen

from aide_lsp import toml_file

MOST_FOLDERS = 200
"""Folders that are listed for one document. All of them are checked for changes at every key."""
MOST_TEXTS = 64
"""Files that are read for one document, to find others: manifests, and files that pass on names."""
MOST_CHARACTERS = 200_000
"""Of a manifest."""
MOST_SIBLINGS = 24
"""Neighboring projects of a repository that are looked into."""
MOST_BELOW = 60
"""Folders below one that are searched."""
PROJECT_FILES = (
    "pyproject.toml", "setup.py", "package.json", "Cargo.toml", "go.mod", "build.gradle", "build.gradle.kts",
    "pom.xml", "build.sbt", "pubspec.yaml", "composer.json", "mix.exs", "Package.swift", "CMakeLists.txt",
    "meson.build", "Gemfile", "build.zig",
)  # fmt: skip
"""Files that mark the folder of a project or of a part of it."""
GROUPS = frozenset((
    "apps", "components", "crates", "examples", "ext", "framework", "libraries", "libs", "modules",
    "packages", "plugins", "projects", "services", "subprojects", "tools",
))  # fmt: skip
"""Folders that hold parts of a repository."""
OUTPUTS = frozenset((
    "__pycache__", "_build", "bower_components", "build", "coverage", "deps", "dist", "htmlcov",
    "node_modules", "obj", "out", "site-packages", "target", "third_party", "vendor", "venv",
))  # fmt: skip
"""Folders that hold what others wrote, or what is built. They are not searched."""
# Strings are matched first, so that marks in them are not taken for comments.
_STRING = r'("(?:[^"\\]|\\(?:.|\Z))*+(?:"|\Z))'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMA = re.compile(rf"{_STRING}|,(?=\s*[\]}}])", re.DOTALL)


class Disk(Protocol):
    """The disk inside one project. It remembers each look: its owner then knows when an answer is too old."""

    def files(self, folder: str) -> Collection[str]:
        """Return the names of the regular files in an existing folder."""

    def folders(self, folder: str) -> Collection[str]:
        """Return the names of the folders in an existing folder; links are none."""

    def text(self, path: str) -> str:
        """Return the text of an existing file; empty if it is too large, or no text."""


@frozen
class ProjectTree:
    """A project as seen from one of its documents."""

    disk: Disk
    document: str
    "Path of the document."
    _folders: dict[str, tuple[Collection[str], Collection[str]]] = field(factory=dict)
    _listed: list[str] = field(factory=list)
    _texts: dict[str, str] = field(factory=dict)
    _answers: dict[tuple[str, ...], Any] = field(factory=dict)

    @property
    def folder(self) -> str:
        """The document's folder."""
        return posixpath.dirname(self.document)

    def seen_from(self, document: str) -> "ProjectTree":
        """Return the same project as seen from another document; limits are shared."""
        return evolve(self, document=document)

    def files(self, folder: str) -> Collection[str]:
        """Return the names of the files in a folder; none if there is no such folder."""
        return self._listing(folder)[0]

    def folders(self, folder: str) -> Collection[str]:
        """Return the names of the folders in a folder."""
        return self._listing(folder)[1]

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""
        folder, _, name = path.rpartition("/")
        return name in self.files(folder)

    def is_folder(self, path: str) -> bool:
        """Whether there is such a folder."""
        folder, _, name = path.rpartition("/")
        return not path or name in self.folders(folder)

    def _listing(self, folder: str) -> tuple[Collection[str], Collection[str]]:
        if folder.startswith("/"):
            return (), ()
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = self._look(folder)
        return known

    def _look(self, folder: str) -> tuple[Collection[str], Collection[str]]:
        if not self.is_folder(folder) or len(self._listed) >= MOST_FOLDERS:
            return (), ()
        self._listed.append(folder)
        return self.disk.files(folder), self.disk.folders(folder)

    def text(self, path: str) -> str:
        """Return the text of a small file; empty if there is none."""
        if path not in self._texts and len(self._texts) < MOST_TEXTS and self.is_file(path):
            self._texts[path] = self.disk.text(path)[:MOST_CHARACTERS]
        return self._texts.get(path, "")

    def toml(self, path: str) -> dict[str, Any]:
        """Return what a TOML file holds; nothing if it cannot be read."""
        return _toml(self.text(path))

    def json(self, path: str) -> dict[str, Any]:
        """Return the object in a JSON file, which may have comments; nothing if it cannot be read."""
        return _json(self.text(path))

    def above(self) -> Iterator[str]:
        """Yield the document's folder and all folders above it, up to the root."""
        folder = self.folder
        while folder:
            yield folder
            folder = posixpath.dirname(folder)
        yield ""

    def once(self, key: tuple[str, ...], answer: Callable[[], Any]) -> Any:
        """Return the answer to a question that several imports have, and compute it once."""
        if key not in self._answers:
            self._answers[key] = answer()
        return self._answers[key]

    def nearest(self, *globs: str) -> str:
        """Return the first file with such a name in the folders of `above`; empty if there is none."""

        def search() -> str:
            for folder in self.above():
                for matches in map(_matcher, globs):
                    if names := list(filter(matches, self.files(folder))):
                        return posixpath.join(folder, min(names))
            return ""

        found: str = self.once(("nearest", self.folder, *globs), search)
        return found

    def first(self, paths: Iterable[str]) -> str:
        """Return the first path that is a file; empty if none is."""
        return next(filter(self.is_file, paths), "")

    def inside(self, folder: str, path: str) -> str | None:
        """Return the path that another one means in a folder; None if that is outside the project."""
        joined = posixpath.normpath(posixpath.join(folder, path.replace("\\", "/")))
        if joined == "." or not joined:
            return ""
        return None if joined.startswith(("../", "/")) or joined == ".." else joined

    def below(self, folder: str, most: int) -> Iterator[str]:
        """Yield a folder and those below it, nearest first, without hidden ones and outputs."""
        waiting = deque([folder] if self.is_folder(folder) else [])
        for _ in range(most):
            if not waiting:
                return
            folder = waiting.popleft()
            yield folder
            waiting.extend(self._searched(folder))

    def like(self, folder: str, glob: str) -> Iterator[str]:
        """Yield the folders that a glob such as `packages/*` or `**` matches in a folder."""
        first, _, rest = glob.partition("/")
        if not first:
            yield folder
        elif first == "**":
            yield from self.below(folder, MOST_BELOW)
        elif "*" in first:
            for path in self._searched(folder):
                if _matcher(first)(posixpath.basename(path)):
                    yield from self.like(path, rest)
        elif first in self.folders(folder):
            yield from self.like(posixpath.join(folder, first), rest)

    def siblings(self) -> list[str]:
        """Return the folders of neighboring projects: first those that the nearest project file mentions."""
        mine = self.nearest(*PROJECT_FILES)
        folder = posixpath.dirname(mine) if mine else self.folder

        def search() -> list[str]:
            found = [path for above in [folder, *_above(folder)] for path in self._parts(above)]
            return self.mentioned_first(list(dict.fromkeys(found)), mine)[:MOST_SIBLINGS]

        found: list[str] = self.once(("siblings", folder), search)
        return found

    def mentioned_first(self, folders: Iterable[str], project_file: str) -> list[str]:
        """Sort folders: those whose name is in a project file first, else as they are."""
        words = set(re.findall(r"[\w-]+", self.text(project_file).replace("_", "-")))
        return sorted(folders, key=lambda path: posixpath.basename(path).replace("_", "-") not in words)

    def _parts(self, folder: str) -> Iterator[str]:
        for path in self._searched(folder):
            yield path
            if posixpath.basename(path) in GROUPS:
                yield from self._searched(path)

    def _searched(self, folder: str) -> list[str]:
        names = (name for name in self.folders(folder) if name not in OUTPUTS and not name.startswith("."))
        return [posixpath.join(folder, name) for name in sorted(names)]


def _above(folder: str) -> Iterator[str]:
    while folder:
        folder = posixpath.dirname(folder)
        yield folder


@lru_cache(MOST_TEXTS)
def _toml(text: str) -> dict[str, Any]:
    try:
        return toml_file.parse(text.encode(), 4 * MOST_CHARACTERS)
    except toml_file.UnreadableError:
        return {}


@lru_cache(MOST_TEXTS)
def _json(text: str) -> dict[str, Any]:
    for left_out in (_COMMENT, _LAST_COMMA):
        text = left_out.sub(lambda match: match[1] or "", text)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


@lru_cache(MOST_TEXTS)
def _matcher(glob: str) -> Callable[[str], object]:
    return re.compile(translate(glob)).match
