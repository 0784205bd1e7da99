"""What names of packages mean in JavaScript: aliases of tsconfig.json, packages of a workspace, entries."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from aide_lsp.context.imports.tree import ProjectTree

MOST_PACKAGES = 40
"""Packages of a workspace whose names are read."""
MOST_CONFIGS = 6
"""Files of settings that one of them extends or refers to."""
MOST_NESTED = 8
"""Levels of conditions in `exports`."""
BUILT = ("dist", "build", "lib", "out", "esm", "cjs", "es", "types")
"""Folders of what is built from `src`."""
ENTRIES = ("src/index", "index", "lib/index", "src/main", "src/public-api", "mod")
_ENDING = re.compile(r"(?:\.d)?\.[cm]?[jt]sx?$")
_YAML_ITEM = re.compile(r"^[ \t]*-[ \t]*[\"']?([^\"'\n#]{1,200}?)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE)
_YAML_PACKAGES = re.compile(r"^packages:[^\n]*\n((?:[ \t]*(?:-|#)[^\n]*\n?|[ \t]*\n)*)", re.MULTILINE)


def paths(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the paths, often without ending, that a name may mean."""
    config = tree.nearest("tsconfig.json", "jsconfig.json")
    yield from _aliases(module, config, tree)
    package = posixpath.dirname(tree.nearest("package.json"))
    if module.startswith("#"):
        yield from _targets(
            tree.json(posixpath.join(package, "package.json")).get("imports"), module, package, tree
        )
    name, rest = _split(module)
    if folder := _folder_of(name, package, tree):
        yield from entry(folder if folder != "." else "", rest, tree)
    # What bundlers are told in other files: `@/a`, `~/a`, `$lib/a`, `@components/a`, `/src/a`.
    for inside in dict.fromkeys((module.lstrip("@~#$").lstrip("/"), module.lstrip("/"))):
        yield from (posixpath.join(package, base, inside) for base in ("src", "", "app", "public"))


def _aliases(module: str, config: str, tree: ProjectTree) -> Iterator[str]:
    found: list[tuple[str, str, Any]] = tree.once(("aliases", config), lambda: list(_settings(config, tree)))
    for base, pattern, targets in found:
        before, star, after = pattern.partition("*")
        if module == pattern or (star and module.startswith(before) and module.endswith(after)):
            matched = module[len(before) : len(module) - len(after)]
            yield from _inside(base, (one.replace("*", matched, 1) for one in _texts(targets)), tree)


def _settings(config: str, tree: ProjectTree) -> Iterator[tuple[str, str, Any]]:
    """Yield the folder, pattern and targets of each alias in a tsconfig.json and those that it names."""
    waiting = [config] if config else []
    for one in islice(waiting, MOST_CONFIGS):  # grows meanwhile
        content = tree.json(one)
        options = content.get("compilerOptions")
        options = options if isinstance(options, dict) else {}
        folder = posixpath.dirname(one)
        base = options.get("baseUrl")
        base_folder = tree.inside(folder, base if isinstance(base, str) else ".")
        if base_folder is not None:
            aliases = options.get("paths")
            for pattern, targets in aliases.items() if isinstance(aliases, dict) else ():
                yield base_folder, pattern, targets
            if isinstance(base, str):
                yield base_folder, "*", ["*"]
        others = _texts([content.get("extends"), content.get("references")])
        for path in _inside(folder, others, tree):
            waiting.append(tree.first((path, path + ".json", posixpath.join(path, "tsconfig.json"))))


def _split(module: str) -> tuple[str, str]:
    parts = module.split("/")
    count = 2 if module.startswith("@") else 1
    return "/".join(parts[:count]), "/".join(parts[count:])


def _folder_of(name: str, package: str, tree: ProjectTree) -> str:
    """Return the folder of a package of this repository; `.` is the root, empty: there is none."""
    known = tree.once(("packages", package), lambda: dict(_packages(package, tree)))
    found: str = known.get(name, "")
    return found


def _packages(package: str, tree: ProjectTree) -> Iterator[tuple[str, str]]:
    """Yield name and folder of the packages of the workspace, those last that count."""
    mine = posixpath.join(package, "package.json")
    folders = tree.mentioned_first(dict.fromkeys(_workspace(tree)), mine)
    for folder in [*reversed(folders[:MOST_PACKAGES]), package]:
        name = tree.json(posixpath.join(folder, "package.json")).get("name")
        if isinstance(name, str):
            yield name, folder or "."


def _workspace(tree: ProjectTree) -> Iterator[str]:
    for folder in tree.above():
        listed = tree.json(posixpath.join(folder, "package.json")).get("workspaces")
        globs = _texts(listed.get("packages") if isinstance(listed, dict) else listed)
        globs += _texts(tree.json(posixpath.join(folder, "lerna.json")).get("packages"))
        yaml = _YAML_PACKAGES.search(tree.text(posixpath.join(folder, "pnpm-workspace.yaml")))
        globs += _YAML_ITEM.findall(yaml[1]) if yaml else []
        for glob in globs:
            yield from tree.like(folder, glob.removeprefix("./").rstrip("/"))


def entry(folder: str, rest: str, tree: ProjectTree) -> Iterator[str]:
    """Yield what a package's name, and what follows it, may mean in the package's folder."""
    manifest = tree.json(posixpath.join(folder, "package.json"))
    exports = manifest.get("exports")
    yield from _targets(exports, f"./{rest}" if rest else ".", folder, tree)
    if rest:
        yield from (posixpath.join(folder, base, rest) for base in ("", "src", "lib"))
        return
    fields = [manifest.get(key) for key in ("source", "types", "typings", "module", "main")]
    yield from _sources(folder, [one for one in fields if isinstance(one, str)], tree)
    yield from (posixpath.join(folder, one) for one in ENTRIES)


def _targets(exports: object, wanted: str, folder: str, tree: ProjectTree) -> Iterator[str]:
    if not isinstance(exports, dict) or not any(str(key).startswith((".", "#")) for key in exports):
        exports = {".": exports}
    for pattern, targets in exports.items():
        before, star, after = pattern.partition("*")
        if pattern == wanted:
            yield from _sources(folder, _texts(targets), tree)
        elif star and wanted.startswith(before) and wanted.endswith(after):
            matched = wanted[len(before) : len(wanted) - len(after)]
            yield from _sources(folder, [one.replace("*", matched) for one in _texts(targets)], tree)


def _sources(folder: str, targets: list[str], tree: ProjectTree) -> Iterator[str]:
    """Yield from what a file was built, as far as its name says so, and then the file."""
    for target in targets:
        parts = target.removeprefix("./").split("/")
        while parts and parts[0] in BUILT:
            parts = parts[1:]
            yield from _inside(folder, [_ENDING.sub("", "/".join(["src", *parts]))], tree)
    yield from _inside(folder, targets, tree)


def _inside(folder: str, targets: Iterable[str], tree: ProjectTree) -> Iterator[str]:
    yield from (path for one in targets if (path := tree.inside(folder, one)) is not None)


def _texts(value: object, levels: int = MOST_NESTED) -> list[str]:
    """Return all texts in a value, however it nests them."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one, levels - 1)] if levels else []
