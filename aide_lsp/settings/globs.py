"""Which files a glob matches: `tests/**`, `*.md`, `src/{a,b}/?.py`, `secrets`.

Matching goes name by name without backtracking over folders, so a project's glob cannot make an editor wait.
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
# A limit on each glob is not enough: 10 KB of globs with braces took 4 s of processor time per request.
MAXIMUM_SIZE = 20_000
"""Characters of all globs of one place with their braces expanded. Each document is matched against all."""
SCHEMA_PATTERN = r"[*?\[{/.]"
"""What makes a name a glob, as a regular expression for JSON schemas."""
EVERYWHERE = "**"
"""Matches every file."""
_BRACES = re.compile(r"\{([^{}]*)\}")
_WILD = re.compile(r"[*?\[{]")
_CLASS = re.compile(r"\[!?\]?[^\]]*\]")


def is_glob(text: str) -> bool:
    """Whether a name can only be a glob or a file name, not the name of a setting."""
    return re.search(SCHEMA_PATTERN, text) is not None


def glob_of(path: PurePath) -> str:
    """Return a glob for one file, whatever characters its absolute path has.

    A brace and a backslash cannot be escaped: any character matches there.
    """
    return "/" + "".join(map(_escaped, "/".join(path.parts[1:])))


def _escaped(character: str) -> str:
    if character in "{}\\" or not character.isprintable():
        return "?"
    return f"[{character}]" if character in "*?[" else character


@lru_cache(maxsize=4096)
def glob_error(glob: str) -> str | None:
    """Describe what makes a glob invalid; None if it is valid."""
    if not glob.strip("/ ") or not glob.isprintable():
        return "expected a glob such as tests/** or *.md"
    if len(glob) > MAXIMUM_LENGTH:
        return f"a glob can have at most {MAXIMUM_LENGTH} characters"
    if "\\" in glob:
        return "globs separate folders with / on every system"
    if ".." in glob.split("/"):
        return "a glob cannot contain .."
    # Never all of them: each pair of braces multiplies their number.
    choices = list(islice(alternatives(glob), MAXIMUM_ALTERNATIVES + 1))
    if len(choices) > MAXIMUM_ALTERNATIVES:
        return f"its braces expand to more than {MAXIMUM_ALTERNATIVES} globs"
    if any("{" in choice or "}" in choice for choice in choices):
        return "it has an unclosed brace"
    if any("[" in _CLASS.sub("", name) for choice in choices for name in choice.split("/")):
        return "it has an unclosed ["
    return None


@lru_cache(maxsize=4096)
def glob_size(glob: str) -> int:
    """Return how much there is to match: the characters of all globs that the braces expand to."""
    return sum(map(len, islice(alternatives(glob), MAXIMUM_ALTERNATIVES)))


def matches(glob: str, path: PurePath) -> bool:
    """Whether a path matches a valid glob; both are relative to the same folder.

    `*` and `?` match within one name, `**` matches any number of folders. A glob without `/` matches at any
    depth. A glob that ends in a plain name matches that file and, if it is a folder, everything in it.
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
        with_contents = choice.endswith("/") or (bool(names) and not _WILD.search(names[-1]))
        found.append((*(["**"] if anywhere else []), *names, *(["**"] if with_contents else [])))
    return tuple(found)


def alternatives(glob: str) -> Iterator[str]:
    """Expand the braces of a glob, innermost first."""
    match = _BRACES.search(glob)
    if match is None:
        yield glob
        return
    for choice in match[1].split(","):
        yield from alternatives(glob[: match.start()] + choice + glob[match.end() :])


def _fits(pattern: tuple[str, ...], names: list[str]) -> bool:
    """Go through the names once, keeping every place in the pattern that may have been reached."""
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
    """Add the places after each `**`, which may match no folder at all."""
    found = set(reached)
    for place in reached:
        while place < len(pattern) and pattern[place] == "**":
            place += 1
            found.add(place)
    return found


def _cased(text: str) -> str:
    """Ignore case on systems that do."""
    return text.lower() if sys.platform in ("win32", "darwin") else text
