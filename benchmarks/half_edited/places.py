"""Where people type: places in a real file, of each of which the rest of the line is removed."""

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from benchmarks.real_code.formats import FORMATS, is_readable
from benchmarks.real_code.holes import FILES, GENERATED, WIDEST, rank
from benchmarks.real_code.packages import CACHE, Part, read_manifest
from benchmarks.real_code.source import code_only, errors, parse
from benchmarks.real_code.sources import MANIFESTS, markup_holes
from benchmarks.real_code.walk import files_by_part, parts_of, read_manifests

PER_FILE = 3
"""Most places of one kind in a file."""


@frozen
class Place:
    """A cursor in a file as its author left it."""

    id: str
    language: str
    kind: str
    text: str
    offset: int
    "The cursor."
    end: int
    "The end of its line."


CODE = {
    "after an opener": r"[{(\[:]$()",
    "in a word": r"\b[A-Za-z]\w{1,3}()\w{3,}",
    "after =": r"[^=!<>]= ()\S",
    "after return": r"\breturn ()\S",
    "after a comma": r", ()\S",
    "after a dot": r"(?:\.|->|::)()\w",
    "type": r"(?:\w: |-> )()\w",
    "generic": r"\w<()\w",
    "lambda": r"(?:=> |lambda |\|\w*\| )()\S",
    "import": r"^\s*(?:import|from|use|using|#include|require) ()\S",
    "decorator": r"^\s*[@#\[][\w.\[\"]+.*$()",
    "case": r"^\s*(?:case\b.*:|.* =>)()",
    "else": r"\belse(?: \{|:)$()",
    "chain": r"^\s+\.()\w",
    "line": r"^\s+()\w",
    "line of nothing": r"^()\w",
    "condition": r"\b(?:if|while|elif|for)\b \(?()\w",
}
"""Patterns of places by kind, for a text without its comments and strings; the group is the cursor."""
TEXT = {
    "comment": r"^\s*(?:\*|///?|#) \w+ ()\w",
    "string": r"[\"'`]\w[^\"'`\n]{2,}[ /]()\w[^\"'`\n]*[\"'`]",
}
"""The same for the text as it is."""
MARKUP = {
    "line": r"^\s+()\S",
    "line of nothing": r"^()\S",
    "after a key": r"^\s*[^\s:=][^:=]*?(?::\s+|\s*=\s*)()\S",
    "in a word": r"\b[A-Za-z]\w{1,3}()\w{3,}",
    "in a string": r"[\"'`]()\w",
    "after an opener": r"[{(\[:>]$()",
    "tag": r"<\w()\w*",
    "attribute": r"<\w+ ()\w",
    "list": r"^\s*- ()\S",
    "rest": r"^\s*\S+ ()\w",
    "variable": r"\$[({]?()\w",
}
"""The same in files that are no program code."""


def places_in(part: Part, path: str, text: str) -> Iterator[Place]:
    """Yield some places of each kind."""
    if GENERATED.search(text[:1500]) or max(map(len, text.split("\n"))) > WIDEST or text.count("\n") < 12:
        return
    if part.language in FORMATS:
        if not is_readable(text, part.language):
            return
        found = [(MARKUP, text)]
    else:
        tree = parse(text, part.language)
        if errors(tree):
            return
        found = [(CODE, code_only(text, tree)), (TEXT, text)]
    for kinds, seen in found:
        for kind, pattern in kinds.items():
            offsets = sorted(
                {match.start(1) for match in re.finditer(pattern, seen, re.MULTILINE)},
                key=lambda offset: rank(f"{path}:{offset}:{kind}"),
            )
            for offset in offsets[:PER_FILE]:
                name = f"{part.name}:{path}:{offset}:{kind}"
                yield Place(name, part.language, kind, text, offset, (text + "\n").index("\n", offset))


def all_places(dev: bool, cache: Path = CACHE) -> dict[tuple[str, str], list[Place]]:
    """Return the places of a half of the projects, by language and kind, in order of hash."""
    markup = {(hole.id.split(":")[0], hole.language) for hole in markup_holes(dev, cache)}
    code = read_manifest()
    cells: dict[tuple[str, str], list[Place]] = {}
    for archive in read_manifests(*MANIFESTS):
        extra = [Part(*found, FORMATS[found[1]]) for found in sorted(markup) if found[0] == archive.name]
        parts = [*extra, *parts_of(archive, code, dev)]
        files = files_by_part(archive, parts, cache, rank, FILES // 3) if parts else {}
        for part, texts in files.items():
            for path, text in texts.items():
                for place in places_in(part, path, text):
                    cells.setdefault((place.language, place.kind), []).append(place)
    for found in cells.values():
        found.sort(key=lambda place: rank(place.id))
    return cells
