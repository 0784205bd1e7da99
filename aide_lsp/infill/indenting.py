"""Indenting: generated lines are indented as the lines around the cursor are.

A model that sees few lines of a file may indent by a habit of its own: by four columns where the file has
eight, or by spaces where it has tabs.
"""

from collections import Counter
from itertools import pairwise

from aide_lsp.infill.hole import Hole, read_hole
from aide_lsp.infill.raw_text import Line, RawText
from aide_lsp.syntax.languages import Blocks, Language
from aide_lsp.syntax.openings import OpeningKind

LINES_READ = 400
"""Lines above and below the cursor that show how the file is indented."""
_ENDS = {Blocks.BRACES: "{", Blocks.INDENTATION: ":"}
"""How a line ends whose block is one step deeper."""
MOST_COLUMNS = 8
"""Columns of the widest step."""
SHARE = 0.75
"""Share of the blocks around the cursor that have the same step; fewer show none."""


def fit_indentation(hole: Hole, text: str) -> str:
    """Indent the lines of `text` by the file's step if they have another one throughout.

    Within parentheses and comments lines keep their distance to the line that opens them, and strings stay as
    they are.
    """
    language = hole.language
    if "\n" not in text or language.data or language.blocks not in _ENDS or language.is_aligned:
        return text
    lines = _head_lines(hole)
    around = [*lines, hole.before, *hole.tail.split("\n", LINES_READ)[1:LINES_READ]]
    step = _only_step(around, _ENDS[language.blocks]) or language.step
    raw = RawText(hole, text, ended=True)
    base = _prefix(hole.before if hole.before else next(filter(str.strip, reversed(lines)), ""))
    own = [line for line in raw.lines if not line.is_blank and (line.start or not hole.before)]
    unit = _unit(hole, raw, base, own)
    if not step or not unit or unit == step:
        return text
    prefixes: dict[int, str] = {}
    for line in own:
        prefix = _new_prefix(raw, line, prefixes, base, unit, step)
        if prefix is None:
            return text
        prefixes[line.start] = prefix
    return "".join(_rewritten(raw, line, prefixes) for line in raw.lines)


def stray_indentation(head: str, tail: str, language: Language) -> str:
    """Return the blanks left of the cursor if they are all of the line and no block is as deep; else nothing.

    Lines that are aligned with others may be anywhere: those within brackets, comments and strings, and those
    as deep as one next to them.
    """
    above, _, before = head.rpartition("\n")
    after, _, below = tail.partition("\n")
    # Tabs are always complete steps.
    if not before or before.strip(" ") or after.strip() or language.blocks not in _ENDS:
        return ""
    above_lines, below_lines = above.rsplit("\n", LINES_READ)[-LINES_READ:], below.split("\n", LINES_READ)
    # Lines that are to come in between may open a block for the one below.
    gap = next(filter(str.strip, reversed(above_lines)), "").rstrip(_ENDS[language.blocks])
    step = _only_step([*above_lines, gap, *below_lines[:LINES_READ]], _ENDS[language.blocks])
    if not step.strip("\t") or len(before) % len(step) == 0:
        return ""
    nearest = (next(filter(str.strip, lines), "") for lines in (reversed(above_lines), below_lines))
    if before in map(_prefix, nearest):
        return ""
    opened = read_hole(head, tail, language).open
    is_block = not opened or opened[-1].mark == "{" or opened[-1].kind is OpeningKind.TAG
    return before if is_block else ""


def _rewritten(raw: RawText, line: Line, prefixes: dict[int, str]) -> str:
    written = raw.text[line.start : line.end]
    prefix = prefixes.get(line.start)
    return ("\n" if line.start else "") + (written if prefix is None else prefix + written.lstrip(" \t"))


def _head_lines(hole: Hole) -> list[str]:
    return hole.head[: len(hole.head) - len(hole.before)].rsplit("\n", LINES_READ)[-LINES_READ:]


def _prefix(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _is_deeper(line: str, above: str) -> bool:
    return _prefix(line) != _prefix(above) and line.startswith(_prefix(above))


def _only_step(lines: list[str], end: str) -> str:
    """Return the step by which nearly all blocks are indented; empty: there is none."""
    visible = [line for line in lines if line.strip()]
    steps = Counter(
        _prefix(line).removeprefix(_prefix(above))
        for above, line in pairwise(visible)
        if above.rstrip().endswith(end) and _is_deeper(line, above)
    )
    if not steps:
        return ""
    step, count = steps.most_common(1)[0]
    return step if _is_step(step) and count >= SHARE * steps.total() else ""


def _is_step(text: str) -> bool:
    return text == "\t" or (0 < len(text) <= MOST_COLUMNS and not text.strip(" "))


def _unit(hole: Hole, raw: RawText, base: str, own: list[Line]) -> str:
    """Return the step by which all blocks of the text are indented; empty: there is none."""
    above = raw.lines[0].text if hole.before else next(filter(str.strip, reversed(_head_lines(hole))), "")
    units: set[str] = set()
    for line in own:
        is_block = above.rstrip().endswith(_ENDS[hole.language.blocks])
        is_deeper = len(_prefix(line.text)) > len(_prefix(above)) or _differs(line.text, base)
        if is_block and is_deeper:
            units.add(_step_between(_prefix(above), _prefix(line.text)))
        above = line.text
    return units.pop() if len(units) == 1 else ""


def _differs(line: str, base: str) -> bool:
    """Whether a line is indented with other characters than the cursor's line."""
    prefix = _prefix(line)
    return bool(prefix and base) and prefix.strip(base[0]) == prefix


def _step_between(above: str, prefix: str) -> str:
    if prefix.startswith(above):
        return prefix[len(above) :]
    # Spaces below tabs: each level has the same number of spaces.
    levels = above.count("\t") + 1
    if above.strip("\t") == "" and prefix.strip(" ") == "" and len(prefix) % levels == 0:
        return " " * (len(prefix) // levels)
    return "\t" if prefix.strip("\t") == "" else ""


def _new_prefix(
    raw: RawText, line: Line, prefixes: dict[int, str], base: str, unit: str, step: str
) -> str | None:
    """Return how a line is indented by the file's step; None: it has no place in the text's steps."""
    prefix = _prefix(line.text)
    opened = raw.scan(line.start).opened
    if opened and opened[-1].kind is OpeningKind.STRING:
        return prefix
    if opened and (opened[-1].kind is OpeningKind.COMMENT or opened[-1].mark in ("(", "[")):
        opener = next(other for other in reversed(raw.lines) if other.start <= opened[-1].offset)
        return prefixes.get(opener.start, _prefix(opener.text)) + prefix.removeprefix(_prefix(opener.text))
    if base.startswith(prefix):
        return prefix
    if prefix.startswith(base):
        inner = prefix[len(base) :]
        return base + step * (len(inner) // len(unit)) if inner == unit * (len(inner) // len(unit)) else None
    levels = len(prefix) // len(unit)
    return step * levels if prefix == unit * levels else None
