"""Goes through the files of unpacked packages, and counts what is known at places in them. No model runs.

At each place, the name that its author wrote is removed, with the rest of its line, as for a completion.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from attrs import Factory, field, frozen

from aide_lsp.context.known_names import KnownNames
from aide_lsp.context.names.module import Cursor
from aide_lsp.context.reader import ContextPlace, ContextReader, cursor_at
from benchmarks.real_code.packages import Part
from benchmarks.real_code.source import code_only, parse
from benchmarks.real_code.walk import Rank, add_cache_option

LARGEST = 200_000
"""Characters of a file."""


@frozen
class Place:
    """Where a name is in a file."""

    start: int
    name: str
    "What its author wrote there."
    rest: int = 0
    "Where what stays of its line begins; 0: nothing does."
    hashed: int = field(default=Factory(lambda place: place.start, takes_self=True))
    "The offset whose hash decides whether it is taken."


@frozen
class PlaceInFile:
    """A place as it is while it is typed."""

    path: Path
    root: Path
    language: str
    text: str
    "Of the file, without what is removed."
    place: Place
    reader: ContextReader

    @property
    def cursor(self) -> Cursor:
        """The line at the cursor, and what is around it."""
        return cursor_at(self.text, self.place.start)[0]

    def names(self) -> KnownNames | None:
        """Return the names of which one has to come; None: anything may."""
        place = ContextPlace(self.path, self.root, self.text, self.place.start, self.language)
        return self.reader.names(place)

    def __str__(self) -> str:
        """Where it is, and what is there."""
        *above, line = self.text[: self.place.start].split("\n")
        return f"{self.path.relative_to(self.root)}:{len(above) + 1}: {line.strip()}{self.place.name}"


@frozen
class Survey:
    """What is counted."""

    suffixes: Mapping[str, tuple[str, ...]]
    "Of the files in each language."
    places: Callable[[str, str], Mapping[str, Iterable[Place]]]
    "Finds the places in code without comments and strings, by what is added to the language's name."
    judge: Callable[[PlaceInFile], Iterator[tuple[str, str]]]
    "Yields the kinds of findings at a place, and what is printed of each; empty: nothing."
    columns: Mapping[str, str]
    "Titles of the columns, by kind."
    rank: Rank
    "Decides which places of a file are taken."


def add_options(parser: argparse.ArgumentParser, languages: Iterable[str]) -> None:
    """Add the options of all surveys."""
    add = parser.add_argument
    add("--count", type=int, default=20, help="most places of a file [20]")
    add("--language", choices=sorted(languages), help="only this one")
    add("--misses", action="store_true", help="print each place that misses the name")
    add_cache_option(parser)


def report(survey: Survey, parts: Iterable[tuple[Part, Path]], count: int, printed: Iterable[str]) -> None:
    """Print what is found of some kinds, and a table with one row for each language."""
    counts: Counter[tuple[str, str]] = Counter()
    for part, root in parts:
        for what, kind, said in _look(survey, part, root, count):
            counts[f"{part.language}{what}", kind] += 1
            if kind in printed:
                print(f"{kind}: {part.name}: {said}", flush=True)
    print(f"| language | {' | '.join(survey.columns.values())} |\n|---|{'---:|' * len(survey.columns)}")
    for language in sorted({one for one, _ in counts}):
        cells = (f"{counts[language, kind]:,}" for kind in survey.columns)
        print(f"| {language} | {' | '.join(cells)} |")


def _look(survey: Survey, part: Part, root: Path, count: int) -> Iterator[tuple[str, str, str]]:
    reader = ContextReader()
    for path in sorted(root.rglob("*")):
        is_of_part = fnmatchcase(path.relative_to(root).as_posix(), part.files)
        if not is_of_part or path.suffix not in survey.suffixes.get(part.language, ()) or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
        if len(text) > LARGEST:
            continue
        code = code_only(text, parse(text, part.language))
        for what, places in survey.places(code, part.language).items():
            for place in sorted(places, key=lambda one: survey.rank(f"{path.name}:{one.hashed}"))[:count]:
                edited = PlaceInFile(path, root, part.language, _without(text, place), place, reader)
                yield from ((what, *found) for found in survey.judge(edited))


def _without(text: str, place: Place) -> str:
    """Return the text as it is while the name is typed: the rest of the line is not there yet."""
    end = text.find("\n", place.start)
    end = len(text) if end < 0 else end
    return text[: place.start] + (text[place.rest : end] if place.rest else "") + text[end:]
