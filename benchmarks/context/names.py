"""Names that a project's files define, and where a line wants one of another file."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from attrs import frozen

SHORTEST, SHORTEST_LOWER = 5, 10
"""Characters of a name, and of one without capitals: others, such as `get` or `from_str`, may be anyone's."""
MOST_FILES = 2
"""Files that may define a name; more of them and it is nobody's."""

DEFINED = {
    "python": r"^[ \t]*(?:async[ ]+)?def[ ]+(\w+)|^[ \t]*class[ ]+(\w+)|^(\w+)[ ]*(?::[^=\n]+)?=(?!=)",
    "typescript": r"\b(?:class|interface|enum|type|function)[ ]+(\w+)|^(?:export[ ]+)?(?:const|let)[ ]+(\w+)"
    r"|^[ \t]+(?:(?:public|private|protected|static|readonly|async|get|set)[ ]+)+(\w+)",
    "go": r"^func[ ]+(?:\([^)\n]*\)[ ]*)?(\w+)|^(?:type|var|const)[ ]+(\w+)"
    r"|^\t([A-Z]\w+)[ \t]+[\w*\[\].]+[ \t]*$",
    "rust": r"\b(?:fn|struct|enum|trait|type|const|static|union)[ ]+(\w+)|\bmacro_rules![ ]+(\w+)"
    r"|^[ \t]+pub(?:\([^)\n]*\))?[ ]+(\w+)[ ]*:",
}
"""What defines a name, in code without comments and strings: one group matches."""
IMPORTS = {
    "python": r"^[ \t]*from[ ]+\S+[ ]+import[ ]*(?:\([^)]*\)|[^\n]*)|^[ \t]*import[ ][^\n]*",
    "typescript": r"^(?:import|export)\b[^;'\"=(]*\bfrom\b[^\n]*|^import[ ][^\n]*",
    "go": r"^import[ ]*(?:\([^)]*\)|[^\n]*)|^package[^\n]*",
    "rust": r"^[ \t]*(?:pub(?:\([^)\n]*\))?[ ]+)?(?:use|mod|extern)[ ][^;]*;",
}
"""Statements that import, and may have several lines."""
WORD = re.compile(r"[^\W\d]\w*")
TELLING = re.compile(r"[A-Z_]")


@frozen
class Use:
    """Where a name of another file is used."""

    name: str
    offset: int
    "Of the name."
    kind: str
    "`new`: it is nowhere else in this file; `imported`: above only in imports, if at all; `again`: above."


def definitions(code: str, language: str) -> set[str]:
    """Return the names that a file defines."""
    found = re.finditer(DEFINED[language], code, re.MULTILINE)
    names = {next(filter(None, one.groups()), "") for one in found}
    return {name for name in names if _is_telling(name)}


def _is_telling(name: str) -> bool:
    # Otherwise `timeout` or `message` would count: a keyword argument, a local variable, a library's method.
    shortest = SHORTEST_LOWER if name.islower() else SHORTEST
    return len(name) >= shortest and bool(TELLING.search(name[1:])) and not name.startswith("__")


def defined_in(codes: Mapping[str, str], language: str) -> dict[str, set[str]]:
    """Return which files define each name."""
    found: dict[str, set[str]] = defaultdict(set)
    for path, code in codes.items():
        for name in definitions(code, language):
            found[name].add(path)
    return found


def uses_in(path: str, code: str, defined: Mapping[str, set[str]], language: str) -> Iterator[Use]:
    """Yield where a file uses a name that few other files define, and it does not.

    Args:
        path: of the file.
        code: its text, without comments and strings.
        defined: which files define each name.
        language: of all of them.
    """
    spans = [one.span() for one in re.finditer(IMPORTS[language], code, re.MULTILINE)]
    words = list(WORD.finditer(code))
    counts = Counter(word.group() for word in words)
    seen: set[str] = set()
    for word in words:
        name, files = word.group(), defined.get(word.group(), set())
        if not files or any(start <= word.start() < end for start, end in spans):
            continue
        if path not in files and len(files) <= MOST_FILES:
            kind = "new" if counts[name] == 1 else "again" if name in seen else "imported"
            yield Use(name, word.start(), kind)
        seen.add(name)
