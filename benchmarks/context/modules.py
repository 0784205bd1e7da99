"""How often the names of a module are known, and whether the name that its author wrote is one of them.

Each name after a module, and each that is imported from one, is a place. A miss is a fault in the rules, or a
name that the module does not have.

    python -m benchmarks.context.modules                        # a few places of each file
    python -m benchmarks.context.modules --count 1000 --misses  # all of them; show what is missing
"""

import argparse
import re
from collections.abc import Iterator

from aide_lsp.context.names.table import LANGUAGES, wanted_at
from benchmarks.context.items import MANIFEST, rank
from benchmarks.context.survey import Place, PlaceInFile, Survey, add_options, report
from benchmarks.context.tree import unpacked
from benchmarks.real_code import packages
from benchmarks.real_code.packages import Part
from benchmarks.real_code.walk import read_manifests

_SCRIPT = (
    r"(?<![\w.)\]}\"'`$#])[^\W\d]\w*\.(?P<after>[^\W\d]\w*)"
    r"|^[ \t]*(?:import|export)\b(?P<names>[^{}'\"\n;]*\{[^{}]*)\}(?P<rest>\s*from\b[^\n]*)"
)
PLACES = {
    "python": r"(?<![\w.)\]}\"'])(?:[^\W\d]\w*\.)+(?P<after>[^\W\d]\w*)"
    r"|^[ \t]*from[ \t]+[\w.]+[ \t]+import(?P<names>[ \t]*\([^()]*|[^()\n]+)",
    "go": r"(?<![\w.)\]}\"'`])[^\W\d]\w*\.(?P<after>[^\W\d]\w*)",
    "typescript": _SCRIPT,
    "javascript": _SCRIPT,
    "rust": r"(?<![\w:>])(?:[^\W\d]\w*::)+(?P<after>[^\W\d]\w*)"
    r"|\buse[ \t]+(?P<names>[^;]+)",
}
"""Where a language names what a module has. In `names`, each name is a place; `rest` stays in the line."""
NAME = re.compile(r"(?<!\bas )(?!(?:as|self|crate|super|type)\b)\b[^\W\d]\w*")
SUFFIXES = {
    "python": (".py",), "go": (".go",), "typescript": (".ts", ".tsx"), "javascript": (".js", ".jsx", ".mjs"),
    "rust": (".rs",),
}  # fmt: skip
COLUMNS = {"place": "places", "known": "known", "missed": "missed"}


def main(arguments: list[str] | None = None) -> None:
    """Print a table with one row for each language."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.context.modules")
    add_options(parser, PLACES)
    parser.add_argument("--unknown", action="store_true", help="print each module whose names are not known")
    options = parser.parse_args(arguments)
    languages = {options.language} if options.language else set(PLACES) & set(LANGUAGES)
    printed = {"missed": options.misses, "unknown": options.unknown}
    with unpacked(options.cache) as trees:
        # All files of a package, so that each comes once.
        parts = (
            (Part(archive.name, language, "*"), trees.root(archive))
            for archive in read_manifests(MANIFEST, packages.MANIFEST)
            for language in sorted({part.language for part in archive.parts} & languages)
        )
        survey = Survey(SUFFIXES, places, judge, COLUMNS, rank)
        report(survey, parts, options.count, [kind for kind, wanted in printed.items() if wanted])


def places(code: str, language: str) -> dict[str, list[Place]]:
    """Find the names of modules."""
    return {"": list(_places(code, language))}


def _places(code: str, language: str) -> Iterator[Place]:
    for one in re.finditer(PLACES[language], code, re.MULTILINE):
        groups = one.groupdict()
        if groups["after"]:
            yield Place(one.start("after"), groups["after"])
        else:
            for name in NAME.finditer(code, one.start("names"), one.end("names")):
                is_last_line = "rest" in groups and "\n" not in code[name.start() : one.end("names")]
                yield Place(name.start(), name.group(), one.end("names") if is_last_line else 0)


def judge(at: PlaceInFile) -> Iterator[tuple[str, str]]:
    """Yield what a place is."""
    wanted = wanted_at(at.cursor, at.language)
    if wanted is None:
        return
    yield "place", ""
    names = at.names()
    if names is None:
        yield "unknown", f"{wanted.module} {at}"
        return
    yield "known", ""
    if at.place.name not in names.names:
        yield "missed", str(at)


if __name__ == "__main__":
    main()
