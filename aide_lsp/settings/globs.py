"""Which files a glob names: `tests/**`, `*.md`, `src/{a,b}/?.py`, `secrets`.

In: a glob and a path, both relative to one folder. Out: whether they fit, or what is wrong with the glob.
Matched name by name, without backtracking over folders: a project's glob cannot make an editor wait.
It does not know files, and not what a glob is used for.
"""

import re
import sys
from collections.abc import Iterator
from fnmatch import translate
from functools import lru_cache
from itertools import islice
from pathlib import PurePath

MAXIMUM_LENGTH = 200
MAXIMUM_ALTERNATIVES = 256
MAXIMUM_SIZE = 20_000
"""Characters of all globs of one place, with their braces written out: all are matched for each document."""
SCHEMA_PATTERN = r"[*?\[{/.]"
"""What makes a name a glob, as a regular expression for JSON schemas."""
_BRACES = re.compile(r"\{([^{}]*)\}")
_WILD = re.compile(r"[*?\[{]")
_CLASS = re.compile(r"\[!?\]?[^\]]*\]")


def is_glob(text: str) -> bool:
    """Whether a name can only be meant as a glob or a file, not as the name of a setting."""
    return re.search(SCHEMA_PATTERN, text) is not None


@lru_cache(maxsize=4096)
def glob_fault(glob: str) -> str | None:
    """Say what is wrong with a glob; None: it can be used."""
    if not glob.strip("/ ") or not glob.isprintable():
        return "a glob names files, such as tests/** or *.md"
    if len(glob) > MAXIMUM_LENGTH:
        return f"a glob has at most {MAXIMUM_LENGTH} characters"
    if "\\" in glob:
        return "in a glob, / stands between folders on every system"
    if ".." in glob.split("/"):
        return "a glob cannot go up with .."
    choices = list(islice(alternatives(glob), MAXIMUM_ALTERNATIVES + 1))
    if len(choices) > MAXIMUM_ALTERNATIVES:
        return f"its braces stand for more than {MAXIMUM_ALTERNATIVES} globs"
    if any("{" in choice or "}" in choice for choice in choices):
        return "a brace in it is not closed"
    if any("[" in _CLASS.sub("", name) for choice in choices for name in choice.split("/")):
        return "a [ in it is not closed"
    return None


@lru_cache(maxsize=4096)
def glob_size(glob: str) -> int:
    """How much there is to match: the characters of all globs that its braces stand for."""
    return sum(map(len, islice(alternatives(glob), MAXIMUM_ALTERNATIVES)))


def matches(glob: str, path: PurePath) -> bool:
    """Whether a path fits a glob (one without fault); both relative to the same folder.

    `*` and `?` stay within one name, `**` stands for any number of folders. A glob without `/` fits at any
    depth. One that ends in a plain name fits that file, and if it is a folder, all in it.
    """
    names = [_cased(name) for name in path.parts if name != path.anchor]
    return any(_fits(pattern, names) for pattern in _patterns(_cased(glob)))


@lru_cache(maxsize=1024)
def _patterns(glob: str) -> tuple[tuple[str, ...], ...]:
    """Expand a glob into patterns, each a tuple of patterns of names."""
    found = []
    for choice in islice(alternatives(glob), MAXIMUM_ALTERNATIVES):
        names = [name for name in choice.split("/") if name not in ("", ".")]
        anywhere = "/" not in choice.rstrip("/")
        whole = choice.endswith("/") or (bool(names) and not _WILD.search(names[-1]))
        found.append((*(["**"] if anywhere else []), *names, *(["**"] if whole else [])))
    return tuple(found)


def alternatives(glob: str) -> Iterator[str]:
    """Yield the globs that the braces of one stand for: the innermost first, until there are none."""
    match = _BRACES.search(glob)
    if match is None:
        yield glob
        return
    for choice in match[1].split(","):
        yield from alternatives(glob[: match.start()] + choice + glob[match.end() :])


def _fits(pattern: tuple[str, ...], names: list[str]) -> bool:
    """Go through the names once, with all places in the pattern that may have been reached."""
    reached = _with_skips({0}, pattern)
    for name in names:
        stays = {place for place in reached if place < len(pattern) and pattern[place] == "**"}
        steps = {
            place + 1
            for place in reached - stays
            if place < len(pattern) and _fits_name(pattern[place], name)
        }
        reached = _with_skips(stays | steps, pattern)
    return len(pattern) in reached


def _fits_name(pattern: str, name: str) -> bool:
    return _expression(pattern).match(name) is not None if _WILD.search(pattern) else pattern == name


@lru_cache(maxsize=8192)
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


def _with_skips(reached: set[int], pattern: tuple[str, ...]) -> set[int]:
    """Add the places behind each `**`, which may stand for no folder at all."""
    found = set(reached)
    for place in reached:
        while place < len(pattern) and pattern[place] == "**":
            place += 1
            found.add(place)
    return found


def _cased(text: str) -> str:
    """Some systems take upper and lower case for the same."""
    return text.lower() if sys.platform in ("win32", "darwin") else text
