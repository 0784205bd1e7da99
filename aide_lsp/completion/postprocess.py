"""Clean-up: from what the model said to what is inserted at the cursor.

In: the hole, what the model wrote, and where that stops. Out: the text to insert, or why there is none. The
text never repeats what stands right of the cursor, closes no bracket that is closed there, ends with the
line end that whole lines before an existing line need, and has no invisible characters but those that the
cursor's line has. Cleaning twice changes nothing. It does not know how the text was made.
"""

from attrs import frozen

from aide_lsp.completion.hole import Hole, Shape
from aide_lsp.completion.stopping import REUNIONS, Stop
from aide_lsp.invisible import visible

MESSAGES = {
    "nothing-to-add": "The model sees nothing to add here.",
    "only-whitespace": "The model proposed nothing but blanks.",
    "repeats-suffix": "The model proposed only what already stands behind the cursor.",
    "invisible": "The model proposed only characters that do not show.",
    "timeout": "The deadline passed before the completion was whole (setting deadline_ms).",
}
"""What the reason codes of an empty completion mean."""


@frozen
class Cleaned:
    """A text to insert, or the reason why there is none."""

    text: str
    "What to insert at the cursor; may be empty."
    empty_reason: str | None
    "A key of `MESSAGES` where the text is empty."


def clean(hole: Hole, text: str, stop: Stop | None) -> Cleaned:
    """Clean what was written."""
    written = text[: stop.end] if stop else text
    kept = what_shows(hole, written)
    if not kept.strip():
        return Cleaned("", "invisible" if written.strip() else _why_empty(text, stop))
    if stop and stop.rule == "joint":
        return Cleaned(kept, None)
    kept = _without_repeats(hole, kept)
    return Cleaned(kept, None) if kept.strip() else Cleaned("", "repeats-suffix")


def what_shows(hole: Hole, text: str) -> str:
    """Leave out what would not show at the cursor."""
    return visible(text, hole.before, "\n" + hole.after if hole.is_before_line else hole.after)


def _why_empty(text: str, stop: Stop | None) -> str:
    if stop and stop.rule in REUNIONS:
        return "repeats-suffix"
    return "only-whitespace" if text and not text.strip() else "nothing-to-add"


def _without_repeats(hole: Hole, text: str) -> str:
    """Drop what the text repeats at its end, and blanks there, until nothing is left to drop.

    Once blanks or a line are gone, the new end may repeat something too.
    """
    drop = _without_below if hole.shape is Shape.LINES else _without_overlap
    while (kept := _trim(hole, drop(hole, text))) != text:
        text = kept
    return text


def _without_below(hole: Hole, text: str) -> str:
    """Drop a last line that is the line below, or a beginning of it."""
    head, newline, last = text.rpartition("\n")
    shown = last if newline else hole.before + last
    return head + newline if shown.strip() and hole.below.startswith(shown.rstrip()) else text


def _without_overlap(hole: Hole, text: str) -> str:
    """Drop the longest end of the text that begins what stands right of the cursor.

    Brackets that the text itself needs stay: in `print(len(x|))` only one of the two is an overlap.
    """
    after = hole.after.rstrip()
    for length in range(min(len(text), len(after)), 0, -1):
        kept = text[:-length]
        if text.endswith(after[:length]) and hole.imbalance(kept) <= hole.imbalance(text):
            return _without_overlap(hole, kept)
    return text


def _trim(hole: Hole, text: str) -> str:
    """Blanks at the end go; before an existing line the line end stays."""
    kept = text.rstrip()
    if hole.is_before_line and kept:
        return kept + "\n" + hole.before
    if hole.shape is Shape.INLINE:
        return text.rstrip("\n")
    return kept
