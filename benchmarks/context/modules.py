"""How often the names of a module are known, and whether the name that its author wrote is one of them.

Each name after a module, and each that is imported from one, is a place; the rest of its line is removed, as
for a completion. No model runs. A miss is a fault in the rules, or a name that the module does not have.

    python -m benchmarks.context.modules                        # a few places of each file
    python -m benchmarks.context.modules --count 1000 --misses  # all of them; show what is missing
"""

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from aide_lsp.context.names.table import LANGUAGES, wanted_at
from aide_lsp.context.reader import ContextPlace, ContextReader, cursor_at
from benchmarks.context.items import MANIFEST, rank
from benchmarks.context.tree import Trees
from benchmarks.real_code.packages import CACHE, read_manifest
from benchmarks.real_code.source import code_only, parse

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


def main(arguments: list[str] | None = None) -> None:
    """Print a table with one row for each language."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.context.modules")
    parser.add_argument("--count", type=int, default=20, help="most places of a file [20]")
    parser.add_argument("--language", choices=sorted(PLACES), help="only this one")
    parser.add_argument("--misses", action="store_true", help="print each place that misses the name")
    parser.add_argument("--unknown", action="store_true", help="print each module whose names are not known")
    parser.add_argument("--cache", type=Path, default=CACHE, help=f"folder of the archives [{CACHE}]")
    options = parser.parse_args(arguments)
    counts: Counter[tuple[str, str]] = Counter()
    languages = {options.language} if options.language else set(PLACES) & set(LANGUAGES)
    with tempfile.TemporaryDirectory(prefix="aide-modules-") as folder:
        trees = Trees(Path(folder), options.cache)
        done = set[Path]()
        for archive in (*read_manifest(MANIFEST), *read_manifest()):
            for language in sorted({part.language for part in archive.parts} & languages):
                reader = ContextReader()
                root = trees.root(archive)
                for path in sorted(root.rglob("*")):
                    if path.suffix in SUFFIXES[language] and path.is_file() and path not in done:
                        done.add(path)
                        for kind, said in look(path, root, language, reader, options.count):
                            counts[language, kind] += 1
                            if getattr(options, {"missed": "misses"}.get(kind, kind), False):
                                print(f"{kind}: {archive.name}: {said}", flush=True)
    print("| language | places | known | missed |\n|---|---:|---:|---:|")
    for language in sorted({one for one, _ in counts}):
        cells = [counts[language, kind] for kind in ("place", "known", "missed")]
        print(f"| {language} | {' | '.join(f'{one:,}' for one in cells)} |")


def look(
    path: Path, root: Path, language: str, reader: ContextReader, most: int
) -> Iterator[tuple[str, str]]:
    """Yield what is found at the places of a file."""
    text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    if len(text) > 200_000:
        return
    code = code_only(text, parse(text, language))
    found = sorted(_places(code, language), key=lambda one: rank(f"{path.name}:{one[0]}"))[:most]
    for start, name, rest in found:
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        # As it is while it is typed: the rest of the line is not there yet.
        edited = text[:start] + (text[rest:end] if rest else "") + text[end:]
        wanted = wanted_at(cursor_at(edited, start)[0], language)
        if wanted is None:
            continue
        yield "place", ""
        names = reader.names(ContextPlace(path, root, edited, start, language))
        line = text[text.rfind("\n", 0, start) + 1 : start]
        said = f"{path.relative_to(root)}:{text.count(chr(10), 0, start) + 1}: {line.strip()}{name}"
        if names is None:
            yield "unknown", f"{wanted.module} {said}"
            continue
        yield "known", ""
        if name not in names.names:
            yield "missed", said


def _places(code: str, language: str) -> Iterator[tuple[int, str, int]]:
    """Yield where a name begins, the name, and where what stays of its line begins; 0: nothing does."""
    for one in re.finditer(PLACES[language], code, re.MULTILINE):
        groups = one.groupdict()
        if groups["after"]:
            yield one.start("after"), groups["after"], 0
        else:
            for name in NAME.finditer(code, one.start("names"), one.end("names")):
                is_last_line = "rest" in groups and "\n" not in code[name.start() : one.end("names")]
                yield name.start(), name.group(), one.end("names") if is_last_line else 0


if __name__ == "__main__":
    main()
