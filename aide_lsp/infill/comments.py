"""Comments that a model generates where none belong.

One that has nothing more to say explains the line that it has just generated, or says what would come next.
In the message of a commit, it goes on with the comments below, which Git removes.
"""

import re

from aide_lsp.infill.hole import Hole
from aide_lsp.infill.raw_text import Line, RawText
from aide_lsp.syntax.openings import OpeningKind
from aide_lsp.syntax.patterns import LINE_END
from aide_lsp.syntax.tree import SyntaxTree

LINES_READ = 400
"""Lines above and below the cursor that show whether the file has such comments."""
_BLANKS = (" ", "\t", "")
"""What is around the mark of a comment; without it, as in `url(//a)` and `$#a`, the mark may be code."""
_END = re.compile(r"[\s)\]};]*|\s*#\s*(?:endif|else)\s*")
"""Code after which a comment says what it ends, as in `}  // namespace a`."""


def without_comments_after_code(hole: Hole, text: str, tree: SyntaxTree | None = None) -> str:
    """Drop the comments at the ends of lines of code, if the file has none of them around the cursor.

    One that is before other text in the cursor's line is dropped anyway: it would make a comment of that.
    What the `tree` takes for something else, such as a regular expression, stays.
    """
    language = hole.language
    # A text may end the string at the cursor.
    in_text = hole.is_text and not (hole.open and hole.open[-1].kind is OpeningKind.STRING)
    if in_text or language.prose or language.data or not language.line_comments:
        return text
    # Of which nothing is known that could enclose a mark, as in a command of a makefile.
    if not (language.quotes or language.long_quotes):
        return text
    raw = RawText(hole, text, ended=True)
    found = [(line, _comment_in(raw, line, tree)) for line in raw.lines]
    if all(start is None for _, start in found):
        return text
    is_usual = _has_comments_after_code(hole)
    kept = [
        raw.text[line.start : line.end]
        if start is None or (is_usual and not (line.end == len(text) and hole.after.strip()))
        else raw.text[line.start : start].rstrip()
        for line, start in found
    ]
    return "\n".join(kept)


def without_last_comments(hole: Hole, text: str) -> str:
    """Drop comments after a blank line that end the text, if another blank line is after them."""
    code, blank, last = text.rstrip().rpartition("\n\n")
    below = hole.tail.split("\n", 2)[1:2]
    marks = hole.language.line_comments
    if hole.is_text or hole.language.prose or hole.is_before_line or not marks or not code.strip():
        return text
    is_last = not any(map(str.strip, below)) and not hole.after.strip()
    is_comment = all(line.lstrip().startswith(marks) for line in last.split("\n"))
    return code if blank and is_last and is_comment else text


def as_message(hole: Hole, text: str) -> str:
    """Return the text up to its first line that is a comment or above already, where comments are dropped.

    On a new line, marks without a word are left out too.
    """
    marks = hole.language.line_comments
    if not hole.language.drops_comments or hole.before.startswith(marks):
        return text
    first, *rest = text.split("\n")
    above = {line.strip() for line in hole.head.split("\n")[:-1]} - {""}
    lines = [hole.before + first, *rest]
    others = (number for number, line in enumerate(lines) if line.startswith(marks) or line.strip() in above)
    kept = "\n".join([first, *rest][: next(others, len(lines))])
    return kept if hole.before.strip() or any(map(str.isalnum, kept)) else ""


def _comment_in(raw: RawText, line: Line, tree: SyntaxTree | None) -> int | None:
    """Return where a comment begins in the text's part of a line, after code; None: there is none."""
    openings = raw.scan(line.end).opened
    if not openings or openings[-1].kind is not OpeningKind.COMMENT or openings[-1].closer != LINE_END:
        return None
    before = raw.hole.before if line.start == 0 else ""
    start, mark = openings[-1].offset, openings[-1].mark
    code = before + raw.text[line.start : start]
    around = code[-1:], raw.text[start + len(mark) : line.end][:1]
    is_ours = not _END.fullmatch(code) and {*around} <= {*_BLANKS}
    return start if is_ours and _is_comment(tree, raw.text, start) else None


def _is_comment(tree: SyntaxTree | None, text: str, offset: int) -> bool:
    filled = tree.filled(text) if tree is not None else None
    if tree is None or filled is None:
        return True
    node = filled.root.smallest(tree.cursor + offset, tree.cursor + offset + 1)
    return any("comment" in one.type for one in (node, *node.ancestors()))


def _has_comments_after_code(hole: Hole) -> bool:
    marks = "|".join(map(re.escape, hole.language.marks))
    comment = re.compile(rf"[ \t]*(?!{marks}|\s)[^\n]*\S[ \t]+(?:{marks})")
    above = hole.head[: len(hole.head) - len(hole.before)].rsplit("\n", LINES_READ)[-LINES_READ:]
    return any(map(comment.match, (*above, *hole.tail.split("\n", LINES_READ)[1:LINES_READ])))
