"""A person's keys: what is pressed to type a text in an editor, and when.

The editor indents new lines as VS Code does and does not close brackets. Some keys are wrong and are
corrected.

The times are a mixture of two log-normal distributions, fluent keys and hesitations, as in copy typing
(Roeser et al. 2021, doi:10.1007/s11145-021-10203-z). How often a key hesitates depends on where it is, since
pauses are more frequent and longer at larger boundaries of the text (Baaijen et al. 2012, as reviewed in
doi:10.1007/s11145-022-10284-4). The parameters are our own, chosen so that of the keys in complete traces
about 34 % leave 200 ms before the next and 11 % leave 500 ms.
"""

import math
from collections.abc import Iterator
from random import Random
from typing import Literal

from attrs import frozen

Place = Literal["inside", "word", "enter", "line", "fix", "jump"]
"""Inside a word or anywhere else; start of a word; Enter; first key of a line; correction; another place."""

FLUENT = (0.149, 0.37)
"""Median in seconds, and standard deviation of the logarithm."""
HESITATION = (0.7, 0.75)
JUMP = (1.5, 0.4)
"""Finding another place, and reading there."""
HESITATES: dict[Place, float] = {"inside": 0.12, "word": 0.32, "enter": 0.5, "line": 0.55, "fix": 0.6}
"""Share of keys that hesitate."""
# Draws from a log-normal distribution have no bounds of their own.
QUICKEST, SLOWEST = 0.03, 6.0
WRONG = 0.025
"""Share of letters that are mistyped first."""
NOTICED_AFTER = (0, 0, 1, 2)
"""Keys that follow a wrong one before it is noticed; one is drawn."""
OPENERS = (":", "{", "(", "[")
"""What a line ends with when the next one is one level deeper."""
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


@frozen
class Stroke:
    """One key."""

    start: int
    "First code point that is replaced, counted from where the typing began."
    end: int
    "After the last one that is replaced."
    text: str
    "What is put there."
    place: Place
    "Where it is, which decides how long it takes."


def delay(place: Place, chance: Random) -> float:
    """Draw the seconds before a key."""
    if place == "jump":
        median, sigma = JUMP
    else:
        median, sigma = HESITATION if chance.random() < HESITATES[place] else FLUENT
    return min(SLOWEST, max(QUICKEST, chance.lognormvariate(math.log(median), sigma)))


def strokes(line: str, target: str, unit: str, chance: Random) -> Iterator[Stroke]:
    """Type `target` after `line`; `unit` is one level of indentation. The strokes add up to `target`."""
    done, first = "", False
    while done != target:
        rest = target[len(done) :]
        if rest.startswith("\n"):
            yield from _new_lines(line, done, rest, unit)
            done += _line_breaks(rest) + _indent_of(rest.lstrip("\n"))
            first = True
            continue
        place: Place = "line" if first else "word" if _starts_word(line + done, rest[0]) else "inside"
        if rest[0].isalpha() and chance.random() < WRONG:
            yield from _slip(done, rest, place, chance)
            place = "inside"
        yield Stroke(len(done), len(done), rest[0], place)
        done, first = done + rest[0], False


def auto_indent(line: str, unit: str) -> str:
    """Return the white space that an editor puts on the line after `line`."""
    return _indent_of(line) + (unit if line.rstrip().endswith(OPENERS) else "")


def _new_lines(line: str, done: str, rest: str, unit: str) -> Iterator[Stroke]:
    """Press Enter until there are as many lines as wanted, then correct the indentation."""
    current, indent, length = (line + done).rpartition("\n")[2], "", len(done)
    for _ in _line_breaks(rest):
        auto = auto_indent(current, unit)
        # The next Enter removes the white space that the editor put on a line that stays blank.
        yield Stroke(length, length + len(indent), "\n" + auto, "enter")
        current, indent, length = auto, auto, length + 1
    yield from _reindent(length, indent, _indent_of(rest.lstrip("\n")), unit)


def _reindent(start: int, indent: str, wanted: str, unit: str) -> Iterator[Stroke]:
    """Press Backspace, which removes one level, or Tab, which adds one, until the indentation is correct."""
    while not wanted.startswith(indent):
        keep = len(wanted) if indent.startswith(wanted) else 0
        left = max(keep, len(indent) - len(unit))
        yield Stroke(start + left, start + len(indent), "", "inside")
        indent = indent[:left]
    while indent != wanted:
        more = wanted[len(indent) : len(indent) + len(unit)]
        yield Stroke(start + len(indent), start + len(indent), more, "inside")
        indent += more


def _slip(done: str, rest: str, place: Place, chance: Random) -> Iterator[Stroke]:
    """Type a wrong letter, perhaps some correct ones after it, notice, and delete all of them."""
    late = chance.choice(NOTICED_AFTER)
    follow = rest[1 : 1 + late].partition("\n")[0]
    typed = _neighbour(rest[0], chance) + follow
    for index, character in enumerate(typed):
        at = len(done) + index
        yield Stroke(at, at, character, "inside" if index else place)
    for index in reversed(range(len(typed))):
        at = len(done) + index
        yield Stroke(at, at + 1, "", "fix" if index == len(typed) - 1 else "inside")


def _neighbour(letter: str, chance: Random) -> str:
    for row in ROWS:
        at = row.find(letter.lower())
        if at >= 0:
            return chance.choice(row[max(0, at - 1) : at] + row[at + 1 : at + 2])
    return "x"


def _starts_word(before: str, character: str) -> bool:
    return character.isalnum() and not (before[-1:].isalnum() or before[-1:] == "_")


def _line_breaks(text: str) -> str:
    return text[: len(text) - len(text.lstrip("\n"))]


def _indent_of(text: str) -> str:
    line = text.partition("\n")[0]
    return line[: len(line) - len(line.lstrip(" \t"))]
