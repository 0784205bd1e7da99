"""One .gitignore file. Imports the library that reads them: only loaded once there is one."""

import re
import warnings
from contextlib import suppress

from pathspec.patterns.gitignore.base import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

MOST_LINES = 2000
"""Lines of a file: each of them is compiled, and compared with each path."""
LONGEST_LINE = 300
"""Characters of a pattern. A longer one fits no path that is looked at, and is left out."""
_MOST_ANSWERS = 5000
_STAR = r"[^/]*"
# A character, a class, or an escaped character of a name: not a group, and nothing that is repeated.
_IN_NAME = r"(?:\\.|\[(?:\\.|[^\]\\])+\](?![*+])|[^/()\\\[$^])"
_STARRED = re.compile(rf"{re.escape(_STAR)}({_IN_NAME}+?)(?={re.escape(_STAR)})")
_FIRST, _INNER = "(?:[^/]++/)*", "(?:/[^/]++)*"
_FOLDERS = {"(?:.+/)?": _FIRST, "(?:/.+)?": _INNER}
# What the library makes of `*/`; it searches, and here an expression matches from the beginning.
_ANY_FOLDER = "(?P<ps_d>/)"
_BETWEEN = re.compile(rf"({re.escape(_FIRST)}|{re.escape(_INNER)})((?:\\.|[^()\\])+?)(?={re.escape(_INNER)})")


class IgnoreFile:
    """The patterns of one file."""

    def __init__(self, text: str, problem: str = "") -> None:
        lines = text.split("\n")
        self.problem = problem or (
            f"it has more than {MOST_LINES:,} lines" if len(lines) > MOST_LINES else ""
        )
        """Why its patterns are unknown, in words."""
        patterns = []
        # Invalid patterns match nothing; Python warns of some classes that mean what they say.
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            for line in () if self.problem else lines:
                with suppress(GitIgnorePatternError, re.error):
                    patterns.append(LinearPattern(line if len(line) <= LONGEST_LINE else ""))
        # The last pattern that fits decides.
        self._rules = [(one.regex, one.include) for one in reversed(patterns) if one.regex is not None]
        self._answers: dict[str, bool | None] = {}

    def ignores(self, path: str) -> bool | None:
        """Whether it ignores a path, seen from its own folder; None: it does not say. Folders end in `/`."""
        if path not in self._answers:
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            found = (include for regex, include in self._rules if _fits(regex, path))
            self._answers[path] = next(found, None)
        return self._answers[path]


def _fits(regex: re.Pattern[str], path: str) -> bool:
    """Whether a pattern fits a path itself, not only a folder that it is in: that was asked before."""
    match = regex.match(path)
    if match is None:
        return False
    # The only group is the `/` after a folder that the pattern names. `a/**` fits what is in one.
    reaches_end = match.end() == len(path)
    return reaches_end if match.lastindex else not (reaches_end and path.endswith("/"))


class LinearPattern(GitIgnoreSpecPattern):
    """A pattern that is matched in linear time, however many `*` and `**` it has.

    The library translates `*a*b*c` so that all ways to divide a name among the stars are tried. The first
    place where what is between two stars fits is enough: if the rest fits at all, it also fits after that.
    """

    @classmethod
    def pattern_to_regex(cls, pattern: str) -> tuple[str | None, bool | None]:  # type: ignore[override]
        """Translate a pattern to a regular expression."""
        regex, include = super().pattern_to_regex(pattern)
        return (None if regex is None else linear(regex)), include


def linear(regex: str) -> str:
    """Return an equivalent of an expression that the library made; what it does not know stays."""
    if regex == _ANY_FOLDER:
        return f"^{_FIRST}[^/]+{_ANY_FOLDER}"
    while _STAR + _STAR in regex:
        regex = regex.replace(_STAR + _STAR, _STAR)
    for plain, possessive in _FOLDERS.items():
        regex = regex.replace(plain, possessive)
    regex = _BETWEEN.sub(r"(?>\1?\2(?=/))", regex)
    return _STARRED.sub(r"(?>[^/]*?\1)", regex)
