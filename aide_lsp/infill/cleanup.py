"""Clean-up: from the generated text to the text inserted at the cursor.

The inserted text never repeats the text right of the cursor, closes no bracket that is closed there, ends
with the line end that complete lines before an existing line need, and has no invisible characters except
joiners that letters or emoji need. It is indented by the file's step, its lines of code end without blanks,
and with comments only where the file has such; in JSON its commas fit what is around it, and in SQL a column
of a table has the one it needs. Cleaning twice changes nothing.
"""

import re

from attrs import frozen

from aide_lsp.infill.comments import as_message, without_comments_after_code, without_last_comments
from aide_lsp.infill.copies import without_next_lines
from aide_lsp.infill.entries import ends_column, with_comma, with_row_comma
from aide_lsp.infill.fences import without_open_fence
from aide_lsp.infill.hole import Hole, Shape
from aide_lsp.infill.indenting import fit_indentation
from aide_lsp.infill.separators import fit_separators
from aide_lsp.infill.stop_rules import Stop, StopRule
from aide_lsp.infill.type_arguments import types_end
from aide_lsp.invisible import visible
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.syntax.openings import OpeningKind
from aide_lsp.syntax.tree import SyntaxTree

_BLANK_LINE = re.compile(r"\n[ \t]+(?=\n)")
_LINE_BLANKS = re.compile(r"(?<=\S)[ \t]+(?=\n)")


@frozen
class Cleaned:
    """A text to insert, or the reason why there is none."""

    text: str
    "What to insert at the cursor; may be empty."
    empty_reason: NoCompletionReason | None
    "Why the text is empty; None: it is not."


def clean(hole: Hole, text: str, stop: Stop | None, tree: SyntaxTree | None = None) -> Cleaned:
    """Clean the generated text, which ends at `stop`. `tree` is that of the text with its cursor."""
    generated = text[: stop.end] if stop else text
    kept = visible_at(hole, generated)
    if not kept.strip():
        return Cleaned("", NoCompletionReason.INVISIBLE if generated.strip() else _why_empty(text, stop))
    # The model may have gone on with the text right of the cursor: what it generated before that is meant.
    is_exact = stop is not None and stop.rule.is_exact
    kept = _without_blanks(hole, without_open_fence(kept, starts_fenced=hole.is_fenced))
    kept = without_last_comments(hole, fit_indentation(hole, as_message(hole, kept)))
    kept = without_comments_after_code(hole, kept, tree)
    if not (own := without_next_lines(hole, kept)).strip():
        return Cleaned("", NoCompletionReason.REPEATS_SUFFIX)
    kept = with_row_comma(hole, own)
    if (fitted := _fitted(hole, kept, is_exact=is_exact)).strip():
        # The grammar of SQL knows too little of it: no check finds that the comma is missing.
        return Cleaned(with_comma(hole, fitted) if ends_column(hole, fitted) else fitted, None)
    # In JSON, entries are also left out that are there already, or would not parse; in prose, open fences.
    repeats = kept.strip() and (is_exact or not _without_repeats(hole, kept).strip())
    return Cleaned("", NoCompletionReason.REPEATS_SUFFIX if repeats else NoCompletionReason.DOES_NOT_FIT)


def _without_blanks(hole: Hole, text: str) -> str:
    """Drop blanks at ends of lines, except where they may count: in strings, prose, and unknown languages."""
    text = _BLANK_LINE.sub("\n", text)
    if hole.language.prose or not hole.language.id:
        return text

    def kept(blanks: re.Match[str]) -> str:
        opened = hole.scan(text[: blanks.start()]).open
        return blanks.group() if opened and opened[-1].kind is OpeningKind.STRING else ""

    return _LINE_BLANKS.sub(kept, text)


def visible_at(hole: Hole, text: str) -> str:
    """Remove what would be invisible at the cursor."""
    # Complete lines end before the existing one, so a joiner at their end does not join its first letter.
    return visible(text, hole.before, "\n" + hole.after if hole.is_before_line else hole.after)


def _why_empty(text: str, stop: Stop | None) -> NoCompletionReason:
    if stop and stop.rule is StopRule.DOES_NOT_FIT:
        return NoCompletionReason.DOES_NOT_FIT
    if stop and stop.rule.repeats_suffix:
        return NoCompletionReason.REPEATS_SUFFIX
    if text and not text.strip():
        return NoCompletionReason.ONLY_WHITESPACE
    return NoCompletionReason.NOTHING_TO_ADD


def _fitted(hole: Hole, text: str, *, is_exact: bool) -> str:
    """Drop what is repeated, and in JSON fit the commas, until nothing changes."""
    while (kept := text if is_exact else _without_repeats(hole, text)) and hole.language.data:
        text = fit_separators(hole, kept)
        if text == kept:
            break
    return kept


def _without_repeats(hole: Hole, text: str) -> str:
    """Drop what the end of the text repeats, and trailing whitespace, until neither is left.

    Once whitespace or a line is gone, the new end may repeat something too.
    """
    drop = _without_below if hole.shape is Shape.LINES else _without_overlap
    while (kept := _trim(hole, drop(hole, text))) != text:
        text = kept
    return text


def _without_below(hole: Hole, text: str) -> str:
    """Drop a last line that is the line below, or the beginning of it."""
    head, newline, last = text.rpartition("\n")
    line = last if newline else hole.before + last
    return head + newline if line.strip() and hole.below.startswith(line.rstrip()) else text


def _without_overlap(hole: Hole, text: str) -> str:
    """Drop the longest end of the text with which the text right of the cursor begins.

    Brackets that the text itself needs stay: in `print(len(x|))` only one of the two is an overlap, and in
    `List<Set<x|>` none.
    """
    after = hole.after.rstrip()
    if hole.mark == ">" and types_end(text) is None:
        return text.rstrip(" \t")
    if not after[:1].isspace():
        # Blanks after what is repeated do not separate it from anything.
        without = text.rstrip(" \t")
        if without != text and (shorter := _without_overlap(hole, without)) != without:
            return shorter
    for length in range(min(len(text), len(after)), 0, -1):
        kept = text[:-length]
        if text.endswith(after[:length]) and hole.imbalance(kept) <= hole.imbalance(text):
            return _without_overlap(hole, kept)
    return text


def _trim(hole: Hole, text: str) -> str:
    """Drop trailing whitespace; before an existing line keep the line end."""
    kept = text.rstrip()
    if hole.is_before_line and kept:
        return kept + "\n" + hole.before
    # What closes the pair gets a line of its own, as deep as the one that opens it.
    if hole.is_empty_pair and kept and not kept.partition("\n")[0].strip() and "\n" in kept:
        start = kept.index("\n")
        return kept[start:] + "\n" + hole.before[: hole.base]
    # Blanks stay: they may separate the text from what is right of the cursor.
    if hole.shape is Shape.INLINE:
        return text.rstrip("\n")
    return kept
