"""How often what is open at a cursor is misjudged: `python -m benchmarks.syntax.openings FOLDER ...`.

Files that parse are cut at many places, which stand for a cursor. Four texts are made of each: the file as it
is, without the rest of the line, without the text up to the end of the innermost pair, and without all after.
"""

import argparse
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from aide_lsp.syntax.languages import LANGUAGES, Language
from aide_lsp.syntax.openings import Opening, OpeningKind
from aide_lsp.syntax.trees import SyntaxTrees
from benchmarks.syntax.files import find_files, text_of
from benchmarks.syntax.truth import UNKNOWN, Pair, pairs_of

TOKEN = re.compile(r"""\w+|\s+|\"{3}|'{3}|<!--|-->|</|/[*/>]|\*/|--(?:\[\[)?|[$\#]\{|\$\(|[^\w\s]""")
CLOSER = re.compile(r"""\*/|-->|</[^>]*>|[\"'`]{3}|["'`]\#*|.|\n""")
KINDS = {OpeningKind.STRING: "string", OpeningKind.COMMENT: "comment", OpeningKind.TAG: "tag"}


def main() -> None:
    """Print the share of misjudged places for each language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--language", help="this language alone")
    parser.add_argument("--files", type=int, default=30, help="of each language")
    parser.add_argument("--places", type=int, default=30, help="in each file")
    parser.add_argument("--show", type=int, default=0, help="print this many misjudged places")
    arguments = parser.parse_args()
    for name, files in find_files(arguments.folders, arguments.files).items():
        if arguments.language in (None, name):
            _measure(LANGUAGES[name], files, arguments.places, arguments.show)


def _measure(language: Language, files: list[Path], places: int, show: int) -> None:
    counts: Counter[tuple[str, bool]] = Counter()
    parsed = 0
    for file in files:
        text = text_of(file)
        tree = SyntaxTrees().at("", text, language)
        if tree is None or tree.root.has_error:
            continue
        parsed += 1
        pairs = pairs_of(tree.root, language)
        cuts = [match.start() for match in TOKEN.finditer(text)]
        for place in sorted(random.Random(file.name).sample(cuts, min(places, len(cuts)))):
            truth = [pair for pair in pairs if pair.is_open(place)]
            if any(pair.sign == UNKNOWN for pair in truth):
                continue
            for kind, found, expected in _judge(text, place, truth, language):
                counts[kind, found == expected] += 1
                if found != expected and show:
                    show -= 1
                    print(f"{file}:{place} {kind}: {found} instead of {expected}")
                    print("   ", repr(text[max(place - 60, 0) : place]), "|", repr(text[place : place + 40]))
    shares = []
    for kind in ("as it is", "closed", "rest of line", "closed again", "innermost", "all after"):
        right, off = counts[kind, True], counts[kind, False]
        shares.append(f"{kind} {100 * off / max(right + off, 1):.2f} %")
    print(
        f"{language.id:16} {parsed:3} of {len(files)} files, {sum(counts.values())} texts: "
        + ", ".join(shares)
    )


def _judge(
    text: str, place: int, truth: list[Pair], language: Language
) -> Iterator[tuple[str, list[str], list[str]]]:
    before, signs = text[:place], [pair.sign for pair in truth]
    line_end = text.find("\n", place)
    line_end = len(text) if line_end < 0 else line_end
    found = _openings(before, text[place:], language)
    yield "as it is", _signs(found), signs
    yield "closed", _signs(one for one in found if not one.is_closed and one.closer != "\n"), []
    found = _openings(before, text[line_end:], language)
    yield "rest of line", _signs(found), signs
    if not any(pair.sign == "tag" for pair in truth):  # an element may end without a tag
        closed = [pair.sign for pair in truth if pair.end >= line_end]
        yield "closed again", _signs(one for one in found if one.is_closed), closed
    if truth:
        closer = CLOSER.match(text, truth[-1].end)
        after = text[closer.end() :] if closer else ""
        yield "innermost", _signs(_openings(before, after, language)), signs
    yield "all after", _signs(_openings(before, "", language)), signs


def _openings(before: str, after: str, language: Language) -> tuple[Opening, ...]:
    tree = SyntaxTrees().at(before, after, language)
    return () if tree is None else tree.openings()


def _signs(openings: Iterable[Opening]) -> list[str]:
    return [KINDS.get(one.kind, one.mark[-1] if one.mark != "</" else "<") for one in openings]


if __name__ == "__main__":
    main()
