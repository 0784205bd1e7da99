"""Places where a line wants a name that another file of the same project defines.

The cursor is right before the name, and the rest of the line is removed. Which places are taken is decided by
hashes, never by a random generator: the same archives give the same items.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, cycle, islice, zip_longest
from pathlib import Path

from attrs import frozen

from benchmarks.context.names import defined_in, uses_in
from benchmarks.real_code import walk
from benchmarks.real_code.holes import GENERATED, WIDEST, Hole
from benchmarks.real_code.packages import Archive, Part, read_manifest
from benchmarks.real_code.source import code_only, errors, parse
from benchmarks.real_code.sources import all_holes
from benchmarks.real_code.walk import rank_by

MANIFEST = Path(__file__).with_name("packages.toml")
rank = rank_by("aide-context-v1:")
QUOTA = {"python": 40, "typescript": 25, "go": 20, "rust": 15}
"""Items of each language in a hundred of one half."""
NOT_CODE = {"css"}
"""Languages that other files are not read for."""
KINDS = ("new", "imported", "new", "again", "new")
"""Kinds of items in the order in which they are taken: see `Use.kind`."""
PER_FILE = 2
"""Most items of one kind in a file."""
FILES = 400
"""Most files of a project, those with the lowest hashes."""
TRUTH = (4, 90)
"""Fewest and most characters of what is removed."""


@frozen
class Item:
    """One place, in a project that is unpacked as it was published."""

    hole: Hole
    archive: Archive
    name: str = ""
    "The name of another file that the removed text begins with; empty: it was not chosen for one."


def all_items(dev: bool, cache: Path, hundreds: int = 1) -> list[Item]:
    """Fetch the archives of a half, and return its items; any first N have all languages in proportion."""
    found: dict[str, list[list[Item]]] = defaultdict(list)
    for archive, part, files in projects(dev, cache):
        items = [Item(hole, archive, name) for hole, name in cut(part, files)]
        found[part.language].append(items)
    chosen = {
        language: _mixed(of_projects)[: QUOTA[language] * hundreds] for language, of_projects in found.items()
    }
    return in_proportion(chosen)


def anywhere(dev: bool, cache: Path) -> list[Item]:
    """Return the holes of `benchmarks.real_code`, which are cut anywhere, as items."""
    archives = {part.name: archive for archive in read_manifest() for part in archive.parts}
    holes = [hole for hole in all_holes(dev, cache) if hole.language not in NOT_CODE]
    return [Item(hole, archives[hole.id.split(":")[0]]) for hole in holes]


def projects(dev: bool, cache: Path) -> Iterator[tuple[Archive, Part, dict[str, str]]]:
    """Yield the projects of a half, with their files' texts by path."""
    return walk.projects(read_manifest(MANIFEST), dev, cache, rank, FILES)


def cut(part: Part, files: Mapping[str, str]) -> Iterator[tuple[Hole, str]]:
    """Yield the holes of one project, and the name that each wants: few of a file, of all kinds."""
    codes = {path: code for path, text in files.items() if (code := _code(text, part.language))}
    defined = defined_in(codes, part.language)
    found: dict[str, list[tuple[Hole, str]]] = defaultdict(list)
    for path in codes:
        of_file: Counter[str] = Counter()
        for one in sorted(_cut_file(part, path, files[path], codes[path], defined), key=_order):
            kind = one[0].kind
            if of_file[kind] < PER_FILE and not _is_repeated(one[0], path, files):
                of_file[kind] += 1
                found[kind].append(one)
    # Otherwise the first items of all projects would be of one kind.
    start = int(rank(part.name), 16) % len(KINDS)
    return _in_turn({kind: sorted(cuts, key=_order) for kind, cuts in found.items()}, start)


def _in_turn(found: Mapping[str, list[tuple[Hole, str]]], start: int) -> Iterator[tuple[Hole, str]]:
    """Yield cuts of the kinds in turn; where there are no more of one, those of the others."""
    left = {kind: list(reversed(cuts)) for kind, cuts in found.items()}
    for kind in islice(cycle(KINDS), start, None):
        if not any(left.values()):
            return
        if left.get(kind):
            yield left[kind].pop()


def _order(cut: tuple[Hole, str]) -> str:
    return rank(cut[0].id)


def _code(text: str, language: str) -> str:
    """Return a file without comments and strings; nothing if people do not write it, or it has errors."""
    if GENERATED.search(text[:1500]) or max(map(len, text.split("\n"))) > WIDEST:
        return ""
    tree = parse(text, language)
    return "" if errors(tree) else code_only(text, tree)


def _cut_file(
    part: Part, path: str, text: str, code: str, defined: Mapping[str, set[str]]
) -> Iterator[tuple[Hole, str]]:
    for use in uses_in(path, code, defined, part.language):
        start = use.offset
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        left = code[code.rfind("\n", 0, start) + 1 : start]
        # Not the beginning of a line, and nothing of a comment.
        if not left.strip() or "~" in left or "~" in code[start:end]:
            continue
        if TRUTH[0] <= len(text[start:end].strip()) <= TRUTH[1]:
            place = f"{part.name}:{path}:{start}:{use.kind}"
            yield Hole(place, part.language, use.kind, text[:start], text[end:], text[start:end]), use.name


def _is_repeated(hole: Hole, path: str, files: Mapping[str, str]) -> bool:
    """Whether another file has the same three lines: it would be a copy of this one."""
    above, below = hole.before.split("\n")[-2:], hole.after.split("\n")[1:2]
    lines = "\n".join([*above, ""])[:-1] + hole.truth + "\n" + "".join(below)
    return any(lines in text for other, text in files.items() if other != path)


def _mixed(of_projects: list[list[Item]]) -> list[Item]:
    """Take one of each project in turn."""
    of_projects = sorted(of_projects, key=lambda items: rank(items[0].hole.id) if items else "")
    return [item for item in chain.from_iterable(zip_longest(*of_projects)) if item is not None]


def in_proportion(chosen: Mapping[str, list[Item]]) -> list[Item]:
    """Merge languages so that any first N have them in about the same proportion."""
    placed: Iterable[tuple[float, str, Item]] = (
        ((number + 0.5) / len(items), language, item)
        for language, items in chosen.items()
        for number, item in enumerate(items)
    )
    return [item for _, _, item in sorted(placed, key=lambda one: one[:2])]
