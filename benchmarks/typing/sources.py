"""Source files, and passages of code in them that can be typed."""

import hashlib
import importlib.metadata
import importlib.util
import platform
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from attrs import frozen

from aide_lsp.errors import AideError
from aide_lsp.language_ids.table import language_id_of
from aide_lsp.syntax.languages import language_of
from aide_lsp.syntax.openings import OpeningKind
from aide_lsp.syntax.scan import scan

LINES = (2, 4)
"""Fewest and most lines of a passage."""
CHARACTERS = (40, 100)
"""Without the indentation, most of which the editor types."""
WIDEST = 100
SKIPPED = re.compile(r"\s*(#|//|/\*|\*|\"\"\"|'''|import\b|from\b)")
CODE = re.compile(r"[=(.\[{:]")
MODULES = ("argparse", "textwrap", "json.decoder", "shlex", "click.core", "pygls.workspace.text_document")
"""Python sources that exist wherever Aide does: the standard library, and packages that it needs."""


@frozen
class Source:
    """A file as it was found."""

    name: str
    "For reports: package, version and file."
    language: str
    "Language id, as editors give it."
    text: str
    "All of it, with lines ended by a line feed."

    @property
    def sha256(self) -> str:
        """Hash of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


Suits = Callable[[Sequence[str]], bool]
"""Whether lines may be a passage."""


def is_code(lines: Sequence[str]) -> bool:
    """Whether all lines but blank ones are code, and none is a comment or an import."""
    return not any(SKIPPED.match(line) for line in lines) and all(
        CODE.search(line) for line in lines if line.strip()
    )


def cuts(
    source: Source,
    count: int,
    chance: Random,
    suits: Suits = is_code,
    leaves: Callable[[int, int], bool] = lambda start, end: True,
) -> list[tuple[int, str]]:
    """Choose passages that do not touch: from the end of a line to the end of a later one.

    `suits` says which lines may be typed, `leaves` whether the file may be without what is between two
    offsets.
    """
    lines = source.text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    found: list[tuple[int, int]] = []
    firsts = list(range(1, len(lines)))
    chance.shuffle(firsts)
    for first in firsts:
        last = first + chance.randint(*LINES) - 1
        apart = all(last < one - 1 or first > other + 1 for one, other in found)
        passage = lines[first : last + 1]
        fits = apart and last < len(lines) - 1 and _has_right_size(passage) and suits(passage)
        fits = fits and _outside_strings(source, starts[first])
        if fits and leaves(starts[first] - 1, starts[last + 1] - 1):
            found.append((first, last))
        if len(found) == count:
            spans = [(starts[one] - 1, starts[other + 1] - 1) for one, other in sorted(found)]
            return [(start, source.text[start:end]) for start, end in spans]
    raise AideError(
        f"{source.name} has no {count} passages of code to type"
        f" ({LINES[0]} to {LINES[1]} lines, {CHARACTERS[0]} to {CHARACTERS[1]} characters)."
        " Name a longer file."
    )


def _has_right_size(lines: Sequence[str]) -> bool:
    length = sum(len(line.strip()) for line in lines)
    return (
        CHARACTERS[0] <= length <= CHARACTERS[1]
        and max(map(len, lines)) <= WIDEST
        and bool(lines[0].strip() and lines[-1].strip())
    )


def _outside_strings(source: Source, offset: int) -> bool:
    kinds = {opening.kind for opening in scan(source.text[:offset], language_of(source.language)).open}
    return kinds.isdisjoint((OpeningKind.STRING, OpeningKind.COMMENT))


def indent_unit(text: str) -> str:
    """Return one level of a file's indentation."""
    leads = [line[: len(line) - len(line.lstrip(" \t"))] for line in text.split("\n") if line.strip()]
    if any(lead.startswith("\t") for lead in leads):
        return "\t"
    return " " * min((len(lead) for lead in leads if len(lead) > 1), default=4)


def read_source(path: Path, name: str | None = None) -> Source:
    """Read a file."""
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n").replace("\r", "\n")
    return Source(name or path.name, language_id_of("", str(path)), text)


def module_sources(names: Sequence[str] = MODULES) -> list[Source]:
    """Return the sources of Python modules; by default of some that exist on every machine with Aide."""
    return [_module_source(name) for name in names]


def _module_source(name: str) -> Source:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise AideError(f"The source of the Python module {name} was not found. Name files to type instead.")
    top = name.partition(".")[0]
    try:
        version = f"{top} {importlib.metadata.version(top)}"
    except importlib.metadata.PackageNotFoundError:
        version = f"Python {platform.python_version()}"
    return read_source(Path(spec.origin), f"{version} {'/'.join(name.split('.'))}.py")
