"""Checks that read lines only: a line that is also below the cursor, and placeholders."""

import re
from collections import Counter
from itertools import takewhile

from aide_lsp.infill.copies import LEAST_LETTERS, LINES_READ, NEXT_LINES, block_of, normalized
from aide_lsp.infill.hole import Hole, indentation

THING = r"(?:own\ )?(?:code|implementation|logic|solution|function\ body|body|method|function|statements?)"
VALUE = r"(?:name|text|api[\ _]?key|password)"
HERE = r"\ (?:(?:goes|comes)\ )?here\b"
PLACEHOLDER = re.compile(
    rf"""(?ix)
    (?: \# | // | /\*+ | -- | ; | % | <!-- ) \s*
    (?: (?:add|write|put|insert|enter|place|fill\ in|type|complete|implement)
        \s (?:your|the\ rest\ of\ the|the\ rest\ of\ your) \s {THING} \b
      | your \s (?:{THING}|{VALUE}) [^\w\n]*$
      | (?: (?<=[\#/*\-]) (?:todo|fixme) | (?<=[\#/*\-]\ ) (?:todo|fixme) | (?-i: TODO|FIXME) ) \b [^\w\n]*
        (?:$ | implement | add | write | your | fill | complete | finish)
      | implement \s (?:me|this) \b
      | (?:\.\.\.\ ?)? (?:(?:the\ )?rest|more|other|existing|remaining|additional) \b
        [\w\ ]{{0,40}} (?:\.\.\.|…) [^\w\n]*$
      | (?:add\ )? (?:more|other|additional) \b
        (?: (?:\ \w+){{1,2}}\ here[^\w\n:]*$ | [\w\ ]{{0,40}}\ (?:as|if)\ needed\b )
    )
    | (?: (?: \# | // | /\*+ | -- | ; | % | <!-- | [<>"'(\[] ) \s* | ^ [ \t]* )
    (?: (?:add|write|put|insert|enter|place|fill\ in|type|complete|implement) \s (?:your\ )? {THING} {HERE}
      | your \s (?:{THING}|{VALUE}) {HERE}
      | (?-i: TODO|FIXME) \b [^\w\n"']* (?:implement | add | write | your | fill | complete | finish)
      | implement \s (?:me|this) \b [^\w\n]*$
      | (?:the\ )? rest \s of \s (?:the|your) \s {THING} \b
    )
    | (?-i: \b\w*(name|text|key|password) ["']? \s? [=:] \s? ["'] your\ (?:api\ )?\1 ["'] )
    | (?-i: \bYOUR(?:_[A-Z]+)+\b )
    | (?-i: [=:] \s? ["'] your_ (?:\w+_)?
        (?:key|token|secret|password|user|username|database|database_name) ["'] )
    | \bauthors? \b [^\n]{{1,30}} \byour\ name\b
    | (?-i: < (?:(?:YOUR[_\ ])?(?:NAME|EMAIL|USERNAME|PASSWORD|AUTHOR|YEAR|COMPANY)) > )
    """,
    re.MULTILINE,
)
"""What people write where something is missing. Outside of comments, a text such as `Enter your code` or
`Your name` may be one that users of the program see, and `todo` a name."""
ELSE = re.compile(r"(?:\}\s*|\{:)?else\b\s*[:{}]?$")
"""The line between the two branches of a condition."""
SECTION = re.compile(r"^[ \t]*\[[^\[\]\n]+\](?=[ \t]*$)", re.MULTILINE)
"""How a section of INI begins."""
ENTRY = re.compile(r"([ \t]*)([\w.-]+)[ \t]*[=:]")
"""How a line with a key begins there; one that is deeper than the key above goes on with its value."""


def repeats_line_below(hole: Hole, before: str, text: str, below: str) -> bool:
    """Whether a line of the text is among the next lines of its block.

    Real code repeats lines too, but seldom in the same block so soon, unless it has done so before.
    """
    lines = below.split("\n", LINES_READ)[:LINES_READ]
    if _repeats_else(hole, text, lines):
        return True
    following = _distinctive_lines(hole, lines)[:NEXT_LINES]
    own = _distinctive_lines(hole, shown_lines(hole, text))
    repeated = [line for line in own if _is_in_block(hole, line, following)]
    # The next block again, beginning with the cursor's line: each line alone may have few letters.
    is_next = own[:2] == following[:2] and bool(text.partition("\n")[0].strip())
    if is_next and sum(map(_letters, own[:2])) >= LEAST_LETTERS:
        repeated += own[:2]
    if not repeated:
        return False
    above = before.rsplit("\n", LINES_READ + 1)[-LINES_READ - 1 : -1]
    return not {line for _, line in repeated} <= {line for _, line in _distinctive_lines(hole, above)}


def _repeats_else(hole: Hole, text: str, below: list[str]) -> bool:
    """Whether a branch would be the same as the `else` below it."""
    first, *rest = [line for line in below if line.strip()] or [""]
    if not ELSE.match(first.strip()):
        return False
    branch = list(takewhile(lambda line: indentation(line) > indentation(first), rest))
    above = hole.head[: len(hole.head) - len(hole.before)].rstrip().rpartition("\n")[2]
    own = [(indentation(line), line.strip()) for line in shown_lines(hole, text) if line.strip()]
    is_whole = indentation(above) == indentation(first) and len(rest) > len(branch)
    is_same = own == [(indentation(line), line.strip()) for line in branch]
    return is_whole and is_same and sum(map(_letters, own)) >= LEAST_LETTERS


def _is_in_block(hole: Hole, line: tuple[int, str], following: list[tuple[int, str]]) -> bool:
    return _letters(line) >= LEAST_LETTERS and line in block_of(hole, line[0], following)


def _letters(line: tuple[int, str]) -> int:
    return sum(map(str.isalnum, line[1]))


def first_repeated_section(hole: Hole, text: str) -> int | None:
    """Return where the text begins a section that its file has already; None: nowhere.

    Some files have several of one name, such as `[Peer]`: where there are two, there may be more.
    """
    found = Counter(match.group().strip() for match in SECTION.finditer(f"{hole.head}\n{hole.tail}"))
    own = (match for match in SECTION.finditer(text) if found[match.group().strip()] == 1)
    return next((match.start() for match in own), None)


def first_repeated_entry(hole: Hole, text: str) -> int | None:
    """Return where a line of the text has a key that the text has in its section already; None: nowhere.

    Some sections list values in lines with one key, such as `Environment=`: those of which the lines above
    the cursor say so are left alone.
    """
    above = SECTION.split(hole.head)[-1].split("\n")[:-1]
    first, *rest = text.split("\n")
    keys = _keys([*above, hole.before + first, *rest])
    if any(count > 1 for count in Counter(filter(None, keys[: len(above)])).values()):
        return None
    seen, start = set[str](), 0
    for line, key in zip([first, *rest], keys[len(above) :], strict=True):
        if SECTION.match(line):
            seen.clear()
        if key in seen:
            return start
        seen |= {key} - {""}
        start += len(line) + 1
    return None


def is_repeated(hole: Hole, text: str) -> bool:
    """Whether there is such a section, or such a line."""
    return without_what_is_repeated(hole, text) != text.rstrip()


def without_what_is_repeated(hole: Hole, text: str) -> str:
    """Return the text up to there, without blanks at its end."""
    found = (first_repeated_section(hole, text), first_repeated_entry(hole, text))
    return text[: min((start for start in found if start is not None), default=None)].rstrip()


def _keys(lines: list[str]) -> list[str]:
    """Return the key of each line; empty: it has none, as where it goes on with the value above."""
    keys, depth = list[str](), None
    for line in lines:
        if SECTION.match(line):
            depth = None
        match = ENTRY.match(line)
        is_key = match is not None and (depth is None or len(match[1]) <= depth)
        depth = len(match[1]) if match and is_key else depth
        keys.append(match[2] if match and is_key else "")
    return keys


def shown_lines(hole: Hole, text: str) -> list[str]:
    """Return the lines that the text adds, or adds to: those with what is around them."""
    lines = text.split("\n")
    # What is all there of a line already is the user's.
    if lines[0].strip():
        lines[0] = hole.before + lines[0]
    if lines[-1].strip() and not hole.is_before_line:
        lines[-1] += hole.after
    return lines


def is_placeholder(hole: Hole, text: str, around: str) -> bool:
    """Whether the text says that something is missing, in a file that says so nowhere else."""
    return PLACEHOLDER.search(hole.before + text) is not None and PLACEHOLDER.search(around) is None


def above_placeholder(hole: Hole, text: str) -> str:
    """Return the lines of the text above the first one that says so."""
    found = PLACEHOLDER.search(hole.before + text)
    start = found.start() - len(hole.before) if found else len(text)
    return text[: max(0, text.rfind("\n", 0, max(0, start)))] if found else text


def _distinctive_lines(hole: Hole, lines: list[str]) -> list[tuple[int, str]]:
    """Return the indentation and the normalized text of the lines that have one."""
    return [(indentation(line), found) for line in lines if (found := normalized(hole, line))]
