"""How close a completion is to what the author wrote, and what it breaks."""

import ast
from functools import lru_cache

from attrs import frozen

from benchmarks.real_code.formats import FORMATS, is_readable
from benchmarks.real_code.holes import Hole
from benchmarks.real_code.source import code_only, errors, open_brackets, parse

GOOD = 0.8
"""Least similarity of a good completion whose first line is not exactly the author's."""
LINES_BELOW = 6
SHORTEST = 4
"""Characters of a line that counts as repeated."""


@frozen
class Verdict:
    """What is found about one completion. Nothing offered: all is false, and 0."""

    offered: bool
    first_line: bool
    "Whether its first line is exactly the author's, except for white space at its ends."
    similarity: float
    "1 minus the edit distance, divided by the length of the longer of the two texts."
    more_errors: bool
    "Whether the file has more syntax errors than with the author's text."
    brackets_off: bool
    "Whether it opens or closes other brackets than the author's text."
    repeats: bool
    "Whether it repeats the text right of the cursor, or one of the next six lines."

    @property
    def good(self) -> bool:
        """Whether it is worth accepting."""
        return self.first_line or self.similarity >= GOOD


NOTHING = Verdict(False, False, 0.0, False, False, False)


def judge(hole: Hole, completion: str) -> Verdict:
    """Compare a completion with the author's text."""
    if not completion.strip():
        return NOTHING
    text, truth = completion.strip(), hole.truth.strip()
    open_now, errors_now, reads_now = _syntax(hole, completion)
    open_then, errors_then, reads_then = _syntax(hole, hole.truth)
    return Verdict(
        offered=True,
        first_line=text.split("\n")[0].rstrip() == truth.split("\n")[0].rstrip(),
        similarity=1 - distance(text, truth) / max(len(text), len(truth)),
        more_errors=errors_now > errors_then or (reads_then and not reads_now),
        brackets_off=open_now != open_then,
        repeats=repeats(hole, completion),
    )


def _syntax(hole: Hole, inserted: str) -> tuple[str, int, bool]:
    """Return the brackets that a text leaves open, and its file's errors; whether its reader can read it."""
    file = hole.before + inserted + hole.after
    if hole.language in FORMATS:
        return open_brackets(inserted), 0, is_readable(file, hole.language)
    tree = parse(file, hole.language)
    start = len(hole.before)
    code = code_only(file, tree)[start : start + len(inserted)]
    return open_brackets(code), errors(tree), hole.language != "python" or _parses(file)


@lru_cache(maxsize=4)
def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def repeats(hole: Hole, completion: str) -> bool:
    """Whether a line of a completion is also right of the cursor or below it, and the author has it once."""
    right, _, below = hole.after.partition("\n")
    if _overlaps(completion, right.strip()) and not _overlaps(hole.truth, right.strip()):
        return True
    following = [line.strip() for line in below.split("\n") if line.strip()][:LINES_BELOW]
    own = {line.strip() for line in hole.truth.split("\n")}
    lines = [line.strip() for line in completion.split("\n")]
    return any(line in following and line not in own and _says_something(line) for line in lines)


def _overlaps(text: str, right: str) -> bool:
    """Whether a text ends with all of what follows, or with a beginning of it that says something."""
    beginnings = [right[:length] for length in range(SHORTEST, len(right)) if _says_something(right[:length])]
    return bool(right) and text.rstrip().endswith((right, *beginnings))


def _says_something(line: str) -> bool:
    return len(line) >= SHORTEST and any(map(str.isalnum, line))


def distance(one: str, other: str) -> int:
    """Return Levenshtein's distance."""
    row = list(range(len(other) + 1))
    for number, character in enumerate(one, start=1):
        above, row[0] = row[0], number
        for column, against in enumerate(other, start=1):
            least = min(row[column] + 1, row[column - 1] + 1, above + (character != against))
            above, row[column] = row[column], least
    return row[-1]
