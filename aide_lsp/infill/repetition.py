"""Repetition: where a text only repeats itself, or counts on.

Infilling models fall into loops: the same piece again and again, or pieces of one shape in which only names
and numbers change. Real code repeats too, so the limits are well above what it does (see the constants).
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise, starmap

from attrs import frozen

from aide_lsp.infill.endings import last_element_end
from aide_lsp.infill.raw_text import RawText
from aide_lsp.infill.stop_rules import Stop, StopRule

LONGEST_PERIOD = 240
"""Characters of the longest piece whose repetition is seen."""
COPIES = 3
"""Copies in a row of a line, or of a piece with two different words or more."""
LEAST_CHARACTERS = 30
"""Characters that those copies have at least: `x, y, x, y, x, y` may be meant."""
SAME_CHARACTERS = 10
"""Characters that two copies of such a piece have in common at least, for any period."""
SHORT_COPIES = 6
"""Copies in a row of a piece with one word or number, as in `0, 0, 0`."""
SHORT_CHARACTERS = 40
"""Characters that those copies have at least."""
RULE_CHARACTERS = 160
"""Characters of a rule such as `-----`, or of other pieces without a letter or digit."""
COUNTED = 12, 5, 4, 3
"""Copies in which a number grows evenly, by the lines of the piece: a part of one, one, two, or more."""
SHAPED = 24, 8, 6, 4
"""Copies of the same shape, likewise."""
NEAR_COPIES = 4
"""Copies of a piece of a comment or of prose in which few letters change."""
NEAR_LETTERS = 12
"""Letters and digits that such a piece has at least."""
LONGEST_SHAPE = 60
"""Tokens of the longest piece whose shape is compared."""

_TOKEN = re.compile(
    r"(?P<line>\n\s*)|(?P<string>\"[^\"\n]*\"|'[^'\n]*')"
    r"|(?P<number>0[xX][0-9a-fA-F_]+|\d[\d_.]*)"
    r"|(?P<words>[^\W\d]\w*(?:(?:[ \t]+|[-./@]|::|->)\w+)*)|(?P<mark>\S)"
)
_BEYOND = 3
"""Characters after a token that may continue it, as in `a::b`."""
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|\d+")


@frozen
class _Token:
    """A word, a number, a string, a mark, or a line end with the indentation after it."""

    start: int
    end: int
    shape: str
    "What it has in common with others of its kind."


@frozen(order=True)
class _Run:
    """Copies of a piece in a row; offsets are those of characters or of tokens."""

    start: int
    end: int
    period: int
    "Length of the piece."


def repetition(raw: RawText) -> Stop | None:
    """Return where a text that loops is cut; None: it does not loop yet."""
    stops = (_same_lines(raw), _exact(raw), _shaped(raw))
    return min((stop for stop in stops if stop), key=lambda stop: (stop.decided_at, stop.end), default=None)


def _stop(end: int, decided_at: int) -> Stop:
    return Stop(end, decided_at, StopRule.REPETITION)


def _same_lines(raw: RawText) -> Stop | None:
    """Find the same line several times in a row, also between blank lines, and keep it once."""
    lines = [line for line in raw.lines if line.is_complete and not line.is_blank]
    for first, *others in zip(*(lines[n:] for n in range(COPIES)), strict=False):
        if all(line.text == first.text for line in others):
            return _stop(others[0].start, others[-1].complete_at)
    return None


def _exact(raw: RawText) -> Stop | None:
    """Find the same piece several times in a row, and keep it once."""
    found: list[tuple[int, int]] = []
    for run in _runs(raw.text, _distances(raw.text)):
        unit, limit = raw.text[run.start : run.start + run.period], run.start + run.period
        least = _least(unit)
        if least and run.end - run.start >= least:
            # Lines are kept whole, though the piece may begin with the end of the line above, such as `;`.
            if "\n" in unit and raw.text[: run.start].rpartition("\n")[2].strip():
                limit = raw.text.index("\n", limit)
            found.append((run.start + least, limit))
    if not found:
        return None
    decided_at, limit = min(found)
    return _stop(last_element_end(raw, limit), decided_at)


def _distances(text: str) -> list[int]:
    """Return how far apart equal pieces of some characters are: a run of copies has its period among them.

    Nearly all texts have few, and the search for runs takes a tenth of the time.
    """
    last: dict[str, int] = {}
    found: set[int] = set()
    for at in range(len(text) - SAME_CHARACTERS + 1):
        piece = text[at : at + SAME_CHARACTERS]
        if piece in last:
            found.add(at - last[piece])
        last[piece] = at
    return sorted(distance for distance in found if distance <= LONGEST_PERIOD)


def _runs(text: str, periods: Iterable[int]) -> Iterator[_Run]:
    """Find all runs of at least three copies of a piece that is no repetition itself."""
    for period in periods:
        at = 0
        while at + 2 * period <= len(text):
            # Three copies in a row hold two equal neighbors on this grid, wherever they begin.
            if text[at : at + period] != text[at + period : at + 2 * period]:
                at += period
                continue
            start, end = at, at + 2 * period
            while start and text[start - 1] == text[start - 1 + period]:
                start -= 1
            while end < len(text) and text[end] == text[end - period]:
                end += 1
            unit = text[start : start + period]
            if end - start >= COPIES * period and (unit + unit).find(unit, 1) == period:
                yield _Run(start, end, period)
            at = (end - period) // period * period + period


def _least(unit: str) -> int:
    """Return how many characters show that a piece is repeated without end; 0: any number is right."""
    if not unit.strip():
        return 0
    # Copies, as a word may continue from the end of the piece to its beginning.
    words = set(re.findall(r"\w+", unit * 3)[1:-1])
    if len(words) >= 2 and any(not word.isdigit() for word in words):
        return max(COPIES * len(unit), LEAST_CHARACTERS)
    if any(character.isalnum() for character in unit):
        return max(SHORT_COPIES * len(unit), SHORT_CHARACTERS)
    return max(SHORT_COPIES * len(unit), RULE_CHARACTERS)


def _shaped(raw: RawText) -> Stop | None:
    """Find pieces of one shape in a row, and keep as many as the limit for their kind."""
    tokens = _tokens(raw)
    # One character for each shape, so that runs are found as in a text.
    letters: dict[str, str] = {}
    shapes = "".join(letters.setdefault(token.shape, chr(len(letters))) for token in tokens)
    stops = (_longest_kept(raw, tokens, run) for run in _runs(shapes, range(1, LONGEST_SHAPE + 1)))
    return min((stop for stop in stops if stop), key=lambda stop: (stop.decided_at, stop.end), default=None)


def _longest_kept(raw: RawText, tokens: list[_Token], run: _Run) -> Stop | None:
    """Return where a run of one shape passes its limit."""
    unit = tokens[run.start : run.start + run.period]
    kinds = {token.shape in ("words", "number", "string") for token in unit}
    # Words without a mark are prose, marks without a word are rules and drawings.
    if kinds != {True, False}:
        return None
    if (near := _near(raw, tokens, run)) is not None:
        return near
    kind = min(sum(token.shape[0] == "\n" for token in unit), len(SHAPED) - 1)
    # The first token of the next copy belongs to the decision: the text is cut before it.
    for copies in range(COUNTED[kind], (run.end - run.start - 1) // run.period + 1):
        end = run.start + copies * run.period
        start = end - COUNTED[kind] * run.period
        if copies >= SHAPED[kind] or _counts(raw.text, tokens[start:end], run.period):
            return _stop(_cut(raw, tokens, end, run), _known_at(raw.text, tokens[end]))
    return None


def _near(raw: RawText, tokens: list[_Token], run: _Run) -> Stop | None:
    """Return where nearly the same piece of a comment or of prose is repeated; it is kept once."""
    # The first token of a run may be the end of something else.
    for first in range(run.start, run.end - NEAR_COPIES * run.period + 1):
        starts = range(first, first + NEAR_COPIES * run.period, run.period)
        copies = [_text(raw.text, tokens[at : at + run.period]) for at in starts]
        last = tokens[starts[-1] + run.period - 1]
        is_near = not any("\n" in copy for copy in copies) and all(starmap(_is_near, pairwise(copies)))
        if is_near and raw.is_prose(last.end):
            return _stop(last_element_end(raw, tokens[starts[1] - 1].end), _known_at(raw.text, last))
    return None


def _is_near(a: str, b: str) -> bool:
    """Whether most letters and digits of two texts are the same, from the beginning or from the end."""
    a, b = (re.sub(r"\W", "", text) for text in (a, b))
    same = _common(a, b) + _common(a[::-1], b[::-1])
    return min(len(a), len(b)) >= NEAR_LETTERS and 2 * same >= max(len(a), len(b))


def _common(a: str, b: str) -> int:
    return next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _counts(text: str, tokens: list[_Token], period: int) -> bool:
    """Whether a number grows by the same step from each copy to the next."""
    copies = [tokens[at : at + period] for at in range(0, len(tokens), period)]
    numbers = [
        [int(found, 16 if found[:2] in ("0x", "0X") else 10) for found in _NUMBER.findall(_text(text, copy))]
        for copy in copies
    ]
    for column in zip(*numbers, strict=False):
        steps = {b - a for a, b in pairwise(column)}
        if len(steps) == 1 and steps != {0} and len({len(copy) for copy in numbers}) == 1:
            return True
    return False


def _text(text: str, tokens: list[_Token]) -> str:
    return text[tokens[0].start : tokens[-1].end]


def _cut(raw: RawText, tokens: list[_Token], end: int, run: _Run) -> int:
    """Return where to cut a run of which the tokens up to `end` are kept: between two pieces."""
    ends = [index for index in range(end - run.period, end + 1) if _is_line(tokens, index)]
    if not ends:
        return last_element_end(raw, tokens[end - 1].end)
    first = next(index for index in range(run.start, end) if _is_line(tokens, index))
    best = min(
        ends,
        key=lambda index: (
            raw.hole.imbalance(raw.text[: tokens[index].start]),
            len(tokens[index].shape),
            (index - first) % run.period,
            -index,
        ),
    )
    return tokens[best].start


def _is_line(tokens: list[_Token], index: int) -> bool:
    return index < len(tokens) and tokens[index].shape[0] == "\n"


def _known_at(text: str, token: _Token) -> int:
    """Return how much text shows where a token ends: the next line end, or three characters after it."""
    after = token.end
    while text[after : after + 1] in (" ", "\t"):
        after += 1
    line_end = text.find("\n", token.end, after + _BEYOND)
    return line_end + 1 if line_end >= 0 else after + _BEYOND


def _tokens(raw: RawText) -> list[_Token]:
    """Return the tokens whose ends are known."""
    tokens: list[_Token] = []
    # Complete lines begin with the indentation that is left of the cursor.
    if not raw.hole.before.strip():
        tokens.append(_Token(0, 0, "\n" + raw.hole.before))
    for match in _TOKEN.finditer(raw.text):
        kind, end = match.lastgroup or "", match.end()
        is_open = match.group() in ("'", '"') and raw.text.find("\n", end) < 0
        token = _Token(match.start(), end, match.group() if kind == "mark" else kind)
        if kind == "line":
            token = _Token(match.start(), end, "\n" + match.group().rpartition("\n")[2])
        if is_open or _known_at(raw.text, token) > len(raw.text):
            break
        tokens.append(token)
    return tokens
