"""How many of the imports that name a file of the same project are found, in the packages of real_code.

What an import names is judged here by other means than in `aide_lsp.context.imports`: it counts if
files of the archive have the path that it names, and is found if one of them is. Archives are read in memory.

    python -m benchmarks.imports [--missed] [LANGUAGE ...]
"""

import argparse
import ast
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from attrs import field, frozen

from aide_lsp.context.imports.find import imported_files, imports_in
from aide_lsp.language_ids.table import language_id_of
from benchmarks.real_code.packages import MANIFEST, content_of, fetch, members
from benchmarks.real_code.walk import add_cache_option, read_manifests

LARGEST = 400_000
"""Bytes of a file."""
Names = Iterator[tuple[str, Collection[str]]]
"""An import, and the files that it may mean."""


@frozen
class Package:
    """The files of an archive, in memory: the disk that imports are found on."""

    texts: dict[str, str]
    _files: dict[str, set[str]] = field(factory=lambda: defaultdict(set))
    _folders: dict[str, set[str]] = field(factory=lambda: defaultdict(set))
    _by_end: dict[str, set[str]] = field(factory=lambda: defaultdict(set))

    def __attrs_post_init__(self) -> None:
        for path in self.texts:
            folder, name = posixpath.split(path)
            self._files[folder].add(name)
            while folder:
                folder, name = posixpath.split(folder)
                self._folders[folder].add(name)
            parts = path.split("/")
            for start in range(len(parts)):
                self._by_end["/".join(parts[start:])].add(path)

    def files(self, folder: str) -> Collection[str]:
        """Return the names of the files in a folder."""
        return self._files.get(folder, ())

    def folders(self, folder: str) -> Collection[str]:
        """Return the names of the folders in a folder."""
        return self._folders.get(folder, ())

    def text(self, path: str) -> str:
        """Return the text of a file."""
        return self.texts[path]

    def ending(self, *ends: str) -> set[str]:
        """Return the files whose path ends with one of these."""
        return {path for end in ends for path in self._by_end.get(posixpath.normpath(end), ())}

    def folders_ending(self, end: str) -> set[str]:
        """Return the folders of files whose path ends with this."""
        return {folder for folder in self._files if f"/{folder}".endswith(f"/{end}")}


def read_package(archive: Path) -> Package:
    """Read the text files of an archive, without its first folder."""
    texts = {}
    for source, member, path in members(archive, LARGEST):
        content = content_of(source, member).decode("utf-8", errors="ignore")
        texts[path] = content.replace("\r\n", "\n")
    return Package(texts)


def _python(path: str, text: str, package: Package) -> Names:
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, RecursionError):
        return
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = posixpath.normpath(posixpath.join(path, *[".."] * node.level))
            name = posixpath.join(folder, (node.module or "").replace(".", "/")).rstrip("/")
            names = [name + end for end in (".py", ".pyi", "/__init__.py")]
            names += [f"{name}/{one.name}.py" for one in node.names]
            yield "." * node.level + (node.module or ""), {one for one in names if one in package.texts}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            modules = (
                [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            )
            for module in modules:
                name = module.replace(".", "/")
                # A package begins where its folder is in none.
                found = package.ending(name + ".py", name + "/__init__.py")
                yield module, {one for one in found if _is_top(one, name, package)}


def _is_top(path: str, name: str, package: Package) -> bool:
    above = path[: path.rindex(name)].rstrip("/")
    return f"{above}/__init__.py".lstrip("/") not in package.texts and above.count("/") < 2


_JS = re.compile(r"""^(?!\s*(?://|\*)).*(?:from|import|require\()\s*["'](\.[^"'\n]*)["']""", re.MULTILINE)
_JS_ENDS = (
    "",
    ".ts",
    ".tsx",
    ".js",
    ".mjs",
    ".cjs",
    ".mts",
    ".cts",
    ".d.ts",
    "/index.ts",
    "/index.js",
    "/index.tsx",
    ".json",
)


def _javascript(path: str, text: str, package: Package) -> Names:
    for module in _JS.findall(text):
        name = posixpath.normpath(posixpath.join(posixpath.dirname(path), module))
        stem = re.sub(r"\.[cm]?js$", "", name)
        yield module, {one + end for one in (name, stem) for end in _JS_ENDS if one + end in package.texts}


def _go(path: str, text: str, package: Package) -> Names:
    block = re.search(r'^import \((.*?)^\)|^import "[^"]+"', text, re.MULTILINE | re.DOTALL)
    for module in re.findall(r'"([^"\s/]+\.[^"\s]+/[^"\s]+)"', block[0] if block else ""):
        # The last three parts of a path are of one package only.
        folders = package.folders_ending("/".join(module.split("/")[-3:]))
        if "vendor" not in path.split("/"):
            folders = {one for one in folders if "vendor" not in one.split("/")}
        files = {f"{folder}/{name}" for folder in folders for name in package.files(folder)}
        yield module, {one for one in files if one.endswith(".go")}


def _rust(path: str, text: str, package: Package) -> Names:
    crates: dict[str, list[str]] = defaultdict(list)
    for manifest in package.ending("Cargo.toml"):
        for name in re.findall(r'^name\s*=\s*"([^"]+)"', package.texts[manifest], re.MULTILINE):
            crates[name.replace("-", "_")].append(posixpath.dirname(manifest))
    for name in re.findall(r"^[ \t]*(?:pub )?mod (\w+);", text, re.MULTILINE):
        ends = package.ending(f"{name}.rs", f"{name}/mod.rs")
        yield f"mod {name}", {one for one in ends if one.startswith(posixpath.dirname(path))}
    for used in re.findall(r"^use ([\w:]+)", text, re.MULTILINE):
        first, *rest = used.split("::")
        if first in crates:
            yield (
                used,
                {
                    one
                    for one in package.texts
                    if one.startswith(tuple(crates[first])) and one.endswith(".rs")
                },
            )
        elif first == "crate":
            modules = [part for part in rest if part and part[0].islower()]
            ends = {
                f"{'/'.join(modules[:end])}{suffix}"
                for end in range(1, len(modules) + 1)
                for suffix in (".rs", "/mod.rs")
            }
            yield used, package.ending(*ends)


def _java(path: str, text: str, package: Package) -> Names:
    for name in re.findall(r"^import (?:static )?([\w.]+)", text, re.MULTILINE):
        parts = name.strip(".").split(".")
        ends = [
            "/".join(parts[:end]) + suffix for end in range(3, len(parts) + 1) for suffix in (".java", ".kt")
        ]
        yield name, package.ending(*ends)


def _c(path: str, text: str, package: Package) -> Names:
    for name in re.findall(r'^[ \t]*#[ \t]*include\s*"([^"]+)"', text, re.MULTILINE):
        yield name, package.ending(name.replace("../", ""))


def _csharp(path: str, text: str, package: Package) -> Names:
    """Types instead of imports, since namespaces name no files."""
    plain = re.sub(r'//[^\n]*|/\*.*?\*/|"[^"\n]*"', "", text, flags=re.DOTALL)
    for name in set(re.findall(r"\bnew ([A-Z]\w+)|: ([A-Z]\w+)", plain)):
        word = name[0] or name[1]
        yield word, package.ending(f"{word}.cs") - {path}


def _css(path: str, text: str, package: Package) -> Names:
    for name in re.findall(r"""@import\s+(?:url\()?["']?([^"'()\s;]+)""", text):
        yield (
            name,
            package.ending(posixpath.normpath(posixpath.join(posixpath.dirname(path), name)))
            & set(package.texts),
        )


JUDGES: dict[str, Callable[[str, str, Package], Names]] = {
    "python": _python, "javascript": _javascript, "typescript": _javascript, "go": _go, "rust": _rust,
    "java": _java, "c": _c, "cpp": _c, "csharp": _csharp, "css": _css,
}  # fmt: skip
"""By LSP language id."""


def main() -> None:
    """Print a table of the languages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("languages", nargs="*", choices=[*JUDGES, []], help="without any, all")
    parser.add_argument("--missed", action="store_true", help="print each import that is not found")
    add_cache_option(parser)
    arguments = parser.parse_args()
    languages = arguments.languages or list(JUDGES)
    named, found = Counter[str](), Counter[str]()
    for archive in read_manifests(MANIFEST, MANIFEST.parents[1] / "context" / "packages.toml"):
        package = read_package(fetch(archive, arguments.cache))
        for path, text in package.texts.items():
            language = language_id_of("", path)
            if language not in languages or ".min." in path:
                continue
            names = {
                name: files for name, files in JUDGES[language](path, text, package) if set(files) - {path}
            }
            files = imported_files(imports_in(text, language), path, language, package)
            missed = [name for name, meant in names.items() if set(meant).isdisjoint(files)]
            named[language] += len(names)
            found[language] += len(names) - len(missed)
            for name in missed if arguments.missed else ():
                print(f"{archive.name}: {path}: {name}: {sorted(names[name])[:3]}")
    for language in languages:
        if count := named[language]:
            print(f"{language:12} {found[language]:6} of {count:6} {100 * found[language] / count:6.1f} %")


if __name__ == "__main__":
    main()
