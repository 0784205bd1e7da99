"""Copies: generated lines that say what the next lines below the cursor say already."""

import re
from itertools import takewhile

from aide_lsp.infill.hole import Hole, indentation
from aide_lsp.infill.raw_text import Line, RawText

NEXT_LINES = 6
"""Lines below the cursor that the text must not repeat."""
LEAST_LETTERS = 8
"""Letters and digits of a line that is not the same as another by accident."""
ABOVE = 400
"""Characters above a line among which the line above it is."""
LINES_READ = 40
"""Lines below the cursor among which these are looked for."""
QUOTES = str.maketrans("'`", '""')

_MODIFIERS = re.compile(
    r"(?:(?:pub(?:\([\w ]+\))?|export|default|public|private|protected|internal|static|async|inline)\s+)+"
)
_DEFINITION = re.compile(
    r"(def|fn|func|function|fun|sub|class|struct|enum|trait|interface|type|module)\s+(?:\([^()]*\)\s*)?"
    r"([\w.]+)\s*(\([^()]*\))?"
)
_METHOD = re.compile(
    r"(?:[\w<>\[\],.?*&:]+\s+)+[*&]*(?!(?:if|for|while|switch|catch)\b)(\w+)\s*(\([^()]*\))[^()]*\{$"
)
"""A function of a language in which none begins with a word such as `function`."""
_LEAVES = re.compile(r"(?:return|raise|throw)\b(?!.*\b(?:unless|if(?!.*\belse))\b)")
"""A line that leaves the function on every path; in some languages it may end in a condition."""

_KEY = re.compile(r"([\"']?[\w.$/-]+[\"']?)\s*(=|:(?=\s|$))")
_SECTION = re.compile(r"\[[^]]+\]\]?\s*(?:$|#|;)")
"""How a table of TOML or a section of INI begins: what follows has other keys."""
_LAST_PART = re.compile(
    r"\*\)|default\b|(?:\}\s*)?(?:else|finally)\b(?!\s*if)|_\s*=>|case\s+_\b|otherwise\b"
    r"|(?:WHERE|GROUP BY|HAVING|ORDER BY|LIMIT)\b"
)
"""The part of a statement of which there is one."""


def copies_line_below(raw: RawText, line: Line) -> bool:
    """Whether a complete line is nearly the same as one of the next lines of its block.

    So are lines that differ in blanks, comments, quotes, or modifiers, definitions of one thing, values of
    one key, and a `return` right above another, or a `default` above the one of the same statement.
    """
    text, following = line.text.strip(), _following(raw.hole)
    # A `return` that is all of the text may be meant in place of the one below.
    is_next = bool(following) and following[0][0] == line.depth and bool(raw.text[: line.start].strip())
    if is_next and _LEAVES.match(text) and _LEAVES.match(following[0][1]):
        return True
    if is_next and (part := _LAST_PART.match(text)) and following[0][1].startswith(part.group()):
        return True
    block, key = block_of(raw.hole, line.depth, following), _key(raw.hole, text)
    same = [other for depth, other in block if depth == line.depth and key and _key(raw.hole, other) == key]
    # Some files list the values of a key in lines of their own, such as `extension=` in `php.ini`.
    if len(same) == 1 and _key(raw.hole, _line_above(raw, line)) != key:
        return True
    if sum(map(str.isalnum, text)) < LEAST_LETTERS:
        return False
    return any(depth == line.depth and _is_same(raw.hole, text, other) for depth, other in block)


def start_of_next_entry(raw: RawText, line: Line) -> int | None:
    """Return where the text begins to repeat the entry below, of which a line is the second line.

    Entries may begin alike, such as with `{`, so the text has one of its own before that.
    """
    lines = [other for other in raw.lines if not other.is_blank]
    number = next((number for number, other in enumerate(lines) if other.start == line.start), 0)
    if number < 2 or sum(map(str.isalnum, line.text)) < LEAST_LETTERS:
        return None
    entry = lines[number - 1 : number + 1]
    return entry[0].start if are_below(raw.hole, entry) else None


def are_below(hole: Hole, lines: list[Line]) -> bool:
    """Whether these lines are the next lines below."""
    return [(line.depth, line.text.strip()) for line in lines] == _lines_below(hole)[: len(lines)]


def are_above(hole: Hole, lines: list[Line]) -> bool:
    """Whether these lines are above the cursor too, one below the other."""
    own = [line.text.strip() for line in lines]
    above = [line.strip() for line in hole.head.rsplit("\n", LINES_READ)[-LINES_READ:] if line.strip()]
    return any(above[start : start + len(own)] == own for start in range(len(above) - len(own) + 1))


def block_of(hole: Hole, depth: int, following: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return those of the next lines that are in the same block as one above them."""
    has_sections = "=" in hole.language.key_marks
    inside = takewhile(lambda other: other[0] >= depth, following)
    return list(takewhile(lambda other: not (has_sections and _SECTION.match(other[1])), inside))


def normalized(hole: Hole, line: str) -> str:
    """Return a line without blanks, comments, and what may follow an element, with quotes of one kind."""
    for mark in hole.language.line_comments:
        # A mark needs a blank before it, as in `x = 1  # one`: `#` may also be part of a string.
        line = re.split(rf"(?:^|\s){re.escape(mark)}", line, maxsplit=1)[0]
    return re.sub(r"\s+", "", line).rstrip(",;").translate(QUOTES)


def without_next_lines(hole: Hole, text: str) -> str:
    """Return a text without the lines at its end that are the next lines below, two or more."""
    lines, below = text.rstrip().split("\n"), _lines_below(hole)
    full = lines if hole.before.strip() else [hole.before + lines[0], *lines[1:]]
    own = [(indentation(line), line.strip().rstrip(",")) for line in full]
    # A line that the user began is theirs.
    most = min(len(below), len(lines) - bool(hole.before.strip()))
    for count in range(most, 1, -1):
        same = own[-count:] == [(depth, line.rstrip(",")) for depth, line in below[:count]]
        if same and sum(map(str.isalnum, "".join(lines[-count:]))) >= LEAST_LETTERS:
            return "\n".join(lines[:-count])
    return text


def _is_same(hole: Hole, one: str, other: str) -> bool:
    one, other = _MODIFIERS.sub("", one, count=1), _MODIFIERS.sub("", other, count=1)
    if (found := normalized(hole, one)) == normalized(hole, other):
        return sum(map(str.isalnum, found)) >= LEAST_LETTERS
    # Overloads of one name differ in their parameters.
    a, b = _DEFINITION.match(one), _DEFINITION.match(other)
    if a is not None and b is not None:
        return normalized(hole, a.group()) == normalized(hole, b.group())
    a, b = _METHOD.match(one), _METHOD.match(other)
    return a is not None and b is not None and a.groups() == b.groups()


def _key(hole: Hole, line: str) -> str:
    """Return the key that a line begins with; empty: none."""
    match = _KEY.match(line)
    return match.group(1) if match and match.group(2) in hole.language.key_marks else ""


def _line_above(raw: RawText, line: Line) -> str:
    above = raw.hole.head[-ABOVE:] + raw.text[: line.start]
    return above.rstrip().rpartition("\n")[2].strip()


def _following(hole: Hole) -> list[tuple[int, str]]:
    return _lines_below(hole)[:NEXT_LINES]


def _lines_below(hole: Hole) -> list[tuple[int, str]]:
    """Return the indentation and the text of the next lines that stay below the inserted text."""
    own, *lines = hole.tail.split("\n", LINES_READ)[:LINES_READ]
    if hole.is_before_line:
        lines.insert(0, hole.before + own)
    return [(indentation(line), line.strip()) for line in lines if line.strip()]
