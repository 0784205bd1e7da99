"""Counts where the type of a name is certain, and whether the member that its author wrote is one of its own.

Each name with a dot in the files of the manifests is a place: after one name, in chains of them, and after
brackets. Every miss is a fault in the rules for types: Aide would not have let the author's text come.

    python -m benchmarks.context.members                        # a few places of each file
    python -m benchmarks.context.members --count 1000 --misses  # nearly all of them; show what is missing
    python -m benchmarks.context.members --language java --folder PROJECT --misses
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from aide_lsp.context.known_names import OWN
from aide_lsp.context.names.table import wanted_at
from aide_lsp.context.types.table import LANGUAGES
from benchmarks.context.items import MANIFEST
from benchmarks.context.survey import Place, PlaceInFile, Survey, add_options, report
from benchmarks.context.tree import unpacked
from benchmarks.real_code import packages
from benchmarks.real_code.packages import Part
from benchmarks.real_code.walk import rank_by, read_manifests

MORE_JAVA = Path(__file__).with_name("java.toml")
SUFFIXES = {
    "python": (".py",), "go": (".go",), "java": (".java",), "javascript": (".js", ".jsx", ".mjs"),
    "typescript": (".ts",), "rust": (".rs",),
}  # fmt: skip
DOT = r"(?:[?!]?\.|::)"
NAME = re.compile(rf"(?<![\w.)\]}}\"'`$#:])[^\W\d]\w*(?={DOT})")
AFTER_BRACKET = re.compile(r"\)[?!]?\.(#?[^\W\d]\w*)")
MEMBER = re.compile(rf"{DOT}(#?[^\W\d]\w*)")
COLUMNS = {"place": "places", "certain": "certain", "own": "of the file alone", "missed": "missed"}


def main(arguments: list[str] | None = None) -> None:
    """Print a table with one row for each language."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.context.members")
    add_options(parser, LANGUAGES)
    parser.add_argument(
        "--folder", type=Path, help="a project on the disk, instead of those of the manifests"
    )
    options = parser.parse_args(arguments)
    languages = {options.language} if options.language else set(LANGUAGES)
    survey = Survey(SUFFIXES, places, judge, COLUMNS, rank_by(""))
    with unpacked(options.cache) as trees:
        if options.folder:
            parts = [(Part(options.folder.name, one, "*"), options.folder) for one in sorted(languages)]
        else:
            parts = (
                (part, trees.root(archive))
                for archive in read_manifests(MANIFEST, packages.MANIFEST, MORE_JAVA)
                for part in archive.parts
                if part.language in languages
            )
        report(survey, parts, options.count, {"missed"} if options.misses else ())


def places(code: str, language: str) -> dict[str, list[Place]]:
    """Find the members: after one name, in chains of them, and after brackets."""
    found: dict[str, list[Place]] = {"": [], ", chains": [], ", calls": []}
    for name in NAME.finditer(code):
        members = list(_members(code, name.end()))
        found[""] += (Place(one.start(1), one[1], hashed=name.start()) for one in members[:1])
        found[", chains"] += map(_place, members[1:])
    found[", calls"] += map(_place, AFTER_BRACKET.finditer(code))
    return found


def _members(code: str, start: int) -> Iterator[re.Match[str]]:
    while member := MEMBER.match(code, start):
        yield member
        start = member.end()


def _place(member: re.Match[str]) -> Place:
    return Place(member.start(1), member[1], hashed=member.start())


def judge(at: PlaceInFile) -> Iterator[tuple[str, str]]:
    """Yield what a place is."""
    yield "place", ""
    wanted = wanted_at(at.cursor, at.language)
    # What is between `::` in Rust may be a type.
    is_module = wanted is not None and not wanted.module.rpartition("::")[2][:1].isupper()
    names = at.names()
    if names is None or is_module:
        return
    yield "certain", ""
    if [file.path for file in names.files] == [OWN]:
        yield "own", ""
    if at.place.name not in names.names:
        yield "missed", str(at)


if __name__ == "__main__":
    main()
