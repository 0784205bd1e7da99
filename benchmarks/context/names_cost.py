"""Measures what the names of modules and types cost at a key.

    python -m benchmarks.context.names_cost

At places of `benchmarks.context` after a dot or `::`, and at a sample of all names with a dot in Java: what a
new reader takes, the keys of a name that is typed, and the same place on a new line. Times are processor
times of the thread. Files are old, as in an editor: a file that was just written is read again at each look.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

from attrs import frozen

from aide_lsp.context.reader import ContextPlace, ContextReader
from benchmarks.context.cost import YOUNG_S
from benchmarks.context.items import all_items, rank
from benchmarks.context.members import MEMBER, MORE_JAVA
from benchmarks.context.tree import Trees, saved, unpacked
from benchmarks.machine import describe
from benchmarks.real_code.packages import read_manifest
from benchmarks.real_code.source import code_only, parse
from benchmarks.real_code.walk import add_cache_option

TYPED, LINES = "abcdefgh", 3
"""A name, which begins as hardly any does, and new lines at each place."""
SITUATIONS = ("first", "a key", "a new line")


@frozen
class Place:
    """A place in a file of a project."""

    root: Path
    document: Path
    language: str
    before: str
    after: str


def main(arguments: list[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.context.names_cost")
    parser.add_argument("--count", type=int, default=6, help="places of each language [6]")
    add_cache_option(parser)
    options = parser.parse_args(arguments)
    times = defaultdict[tuple[str, str], list[float]](list)
    with unpacked(options.cache) as trees:
        for place in (*_places(trees, options.cache, options.count), *_in_java(trees, options.count)):
            with saved(place.document, place.before + place.after):
                for situation, ms in _measured(place):
                    times[place.language, situation].append(ms)
    print("\n".join(describe()), "\n")
    print("| language | | keys | p50, ms | p95 | max |\n|---|---|---:|---:|---:|---:|")
    for (language, situation), found in sorted(times.items(), key=lambda one: SITUATIONS.index(one[0][1])):
        # It takes two values at least.
        cut = quantiles(found if len(found) > 1 else found * 2, n=20, method="inclusive")
        cells = f"{cut[9]:.2f} | {cut[18]:.2f} | {max(found):.2f}"
        print(f"| {language} | {situation} | {len(found)} | {cells} |")


def _places(trees: Trees, cache: Path, count: int) -> Iterator[Place]:
    """Yield some places of each language, in the order of `benchmarks.context`."""
    done = defaultdict[str, int](int)
    for item in (*all_items(True, cache), *all_items(False, cache)):
        hole = item.hole
        if hole.before.endswith((".", "::")) and done[hole.language] < count:
            done[hole.language] += 1
            root = trees.root(item.archive)
            yield Place(root, root / hole.path, hole.language, hole.before, hole.after)


def _in_java(trees: Trees, count: int) -> Iterator[Place]:
    """Yield some places in Java, one of each file: there are no items."""
    for archive in read_manifest(MORE_JAVA)[:1]:
        root = trees.root(archive)
        files = sorted(root.rglob("*.java"), key=lambda path: rank(path.name))
        for path in files[:count]:
            text = path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")
            found = MEMBER.finditer(code_only(text, parse(text, "java")))
            for name in sorted(found, key=lambda one: rank(f"{path.name}:{one.start()}"))[:1]:
                end = text.find("\n", name.start())
                yield Place(root, path, "java", text[: name.start(1)], text[end:] if end >= 0 else "")


def _measured(place: Place) -> Iterator[tuple[str, float]]:
    reader = ContextReader()

    def ask(before: str) -> float:
        text = before + place.after
        at = ContextPlace(place.document, place.root, text, len(before), place.language)
        start = time.thread_time()
        reader.names(at)
        return 1000 * (time.thread_time() - start)

    yield "first", ask(place.before)
    time.sleep(YOUNG_S)
    ask(place.before)
    for end in range(1, len(TYPED) + 1):
        yield "a key", ask(place.before + TYPED[:end])
    above, _, line = place.before.rpartition("\n")
    for number in range(LINES):
        yield "a new line", ask(above + "\n" * (number + 2) + line)


if __name__ == "__main__":
    sys.exit(main())
