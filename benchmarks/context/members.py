"""Counts where the type of a name is certain, and whether the member that its author wrote is one of its own.

Each name with a dot in the files of the manifests is a place; its line is removed, as for a completion. No
model runs. Every miss is a fault in the rules for types: Aide would not have let the author's text come.

    python -m benchmarks.context.members                        # a few places of each file
    python -m benchmarks.context.members --count 1000 --misses  # nearly all of them; show what is missing
    python -m benchmarks.context.members --language java --folder PROJECT --misses
"""

import argparse
import hashlib
import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from aide_lsp.context.known_names import OWN
from aide_lsp.context.names.module import Cursor
from aide_lsp.context.names.table import wanted_at
from aide_lsp.context.reader import ContextPlace, ContextReader
from aide_lsp.context.types.table import LANGUAGES
from benchmarks.context.items import MANIFEST
from benchmarks.context.tree import Trees
from benchmarks.real_code.packages import CACHE, Part, read_manifest
from benchmarks.real_code.source import code_only, parse

MORE_JAVA = Path(__file__).with_name("java.toml")
SUFFIXES = {
    "python": (".py",), "go": (".go",), "java": (".java",), "typescript": (".ts",), "rust": (".rs",),
}  # fmt: skip
DOT = r"(?:[?!]?\.|::)"
NAME = re.compile(rf"(?<![\w.)\]}}\"'`$#:])[^\W\d]\w*(?={DOT})")
AFTER_BRACKET = re.compile(r"\)[?!]?\.(#?[^\W\d]\w*)")
MEMBER = re.compile(rf"{DOT}(#?[^\W\d]\w*)")


def main(arguments: list[str] | None = None) -> None:
    """Print a table with one row for each language."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.context.members")
    parser.add_argument("--count", type=int, default=20, help="most places of a file [20]")
    parser.add_argument("--language", choices=sorted(LANGUAGES), help="only this one")
    parser.add_argument(
        "--folder", type=Path, help="a project on the disk, instead of those of the manifests"
    )
    parser.add_argument("--misses", action="store_true", help="print each place that misses the member")
    parser.add_argument("--cache", type=Path, default=CACHE, help=f"folder of the archives [{CACHE}]")
    options = parser.parse_args(arguments)
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory(prefix="aide-members-") as folder:
        languages = {options.language} if options.language else set(LANGUAGES)
        if options.folder:
            named = [(Part(options.folder.name, one, "*"), options.folder) for one in sorted(languages)]
        else:
            named = list(_projects(languages, Trees(Path(folder), options.cache)))
        for part, root in named:
            reader = ContextReader()
            for path in sorted(root.rglob("*")):
                name = path.relative_to(root).as_posix()
                if path.suffix in SUFFIXES.get(part.language, ()) and fnmatchcase(name, part.files):
                    for what, kind, said in look(path, root, part.language, reader, options.count):
                        counts[f"{part.language}{what}", kind] += 1
                        if kind == "missed" and options.misses:
                            print(f"{part.name}: {said}", flush=True)
    print("| language | places | certain | of the file alone | missed |\n|---|---:|---:|---:|---:|")
    for language in sorted({one for one, _ in counts}):
        cells = [counts[language, kind] for kind in ("place", "certain", "own", "missed")]
        print(f"| {language} | {' | '.join(f'{one:,}' for one in cells)} |")


def _projects(languages: Collection[str], trees: Trees) -> Iterator[tuple[Part, Path]]:
    """Yield the projects of the manifests in some languages, and their folders."""
    for archive in (*read_manifest(MANIFEST), *read_manifest(), *read_manifest(MORE_JAVA)):
        for part in archive.parts:
            if part.language in languages:
                yield part, trees.root(archive)


def look(
    path: Path, root: Path, language: str, reader: ContextReader, most: int
) -> Iterator[tuple[str, str, str]]:
    """Yield what is found at the places of a file: after one name, chains of them, and brackets."""
    text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    if len(text) > 200_000:
        return
    found: dict[str, list[tuple[int, re.Match[str]]]] = {"": [], ", chains": [], ", calls": []}
    code = code_only(text, parse(text, language))
    for name in NAME.finditer(code):
        members = list(_members(code, name.end()))
        found[""] += ((name.start(), one) for one in members[:1])
        found[", chains"] += ((one.start(), one) for one in members[1:])
    found[", calls"] += ((one.start(), one) for one in AFTER_BRACKET.finditer(code))
    for what, all_places in found.items():
        places = sorted(all_places, key=lambda one: _rank(f"{path.name}:{one[0]}"))[:most]
        for _, place in places:
            for kind, said in _look_at(place, text, path, root, language, reader):
                yield what, kind, said


def _members(code: str, start: int) -> Iterator[re.Match[str]]:
    while member := MEMBER.match(code, start):
        yield member
        start = member.end()


def _look_at(
    place: re.Match[str], text: str, path: Path, root: Path, language: str, reader: ContextReader
) -> Iterator[tuple[str, str]]:
    yield "place", ""
    start = place.start(1)
    line = text[text.rfind("\n", 0, start) + 1 : start]
    end = text.find("\n", start)
    # As it is while it is typed: the rest of the line is not there yet.
    edited = text[:start] + (text[end:] if end >= 0 else "")
    above, below = edited[: start - len(line)], edited[start:]
    wanted = wanted_at(Cursor(line, "", above, below), language)
    # What is between `::` in Rust may be a type.
    is_module = wanted is not None and not wanted.module.rpartition("::")[2][:1].isupper()
    names = reader.names(ContextPlace(path, root, edited, start, language))
    if names is None or is_module:
        return
    yield "certain", ""
    if [file.path for file in names.files] == [OWN]:
        yield "own", ""
    if place[1] not in names.names:
        number = text.count("\n", 0, start) + 1
        yield "missed", f"{path.relative_to(root)}:{number}: {line.strip()}{place[1]}"


def _rank(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    main()
