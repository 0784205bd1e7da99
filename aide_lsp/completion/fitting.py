"""Whether a finished text is offered: it has to fit the text around it, and the model has to be confident."""

from collections.abc import Callable, Iterator, Sequence
from math import exp

from attrs import evolve, frozen

from aide_lsp.completion.auto_closing import Rest, closed_in_line
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.infill.checks.dead_code import without_else
from aide_lsp.infill.checks.filled import text_before
from aide_lsp.infill.checks.find import find_misfit
from aide_lsp.infill.checks.keys import first_repeated_key
from aide_lsp.infill.checks.lines import above_placeholder, without_what_is_repeated
from aide_lsp.infill.checks.misfit import Misfit
from aide_lsp.infill.checks.misplaced import first_misplaced
from aide_lsp.infill.cleanup import Cleaned, clean
from aide_lsp.infill.endings import finished_lines
from aide_lsp.infill.entries import with_comma
from aide_lsp.infill.hole import Hole, read_hole
from aide_lsp.infill.stop_rules import Stop, StopRule
from aide_lsp.infill.stopping import block_header
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.syntax.languages import Language
from aide_lsp.syntax.openings import OpeningKind
from aide_lsp.syntax.tree import SyntaxTree
from aide_lsp.syntax.trees import SyntaxTrees

ENDS = (
    *(";", ",", ":", ": 0", ": 0,", " {}", " {", ' from "x"', ">()", " finally {}"),
    *("; then", "; then\nfi", "; do", "; do\ndone", "()"),
)
"""What may be missing in a line whose brackets the editor has closed."""
INSERTED = (";", ",", "()")
"""What of that is inserted, with the brackets: all else depends on what the user means. The user types it."""
FIRST_FAULTS = {Misfit.DUPLICATE_KEY: first_repeated_key, Misfit.MISPLACED: first_misplaced}
"""What finds the first fault in a tree."""
Rated = Sequence[tuple[int, float]]
"""For each token of a text, from none on: the length of the text so far, the logarithm of its probability."""


@frozen
class Surroundings:
    """The text around the cursor, and what is known of it."""

    before: str
    "Text before the cursor, with \n line ends."
    after: str
    "Text after it."
    hole: Hole
    "What is missing there."
    tree: SyntaxTree | None
    "The syntax tree of the text; None: no grammar, or the text is too large."
    closers: str = ""
    "What closes the brackets that are open in the cursor's line, where nothing follows it; after blanks."
    unclosed: "Callable[[], Surroundings] | None" = None
    "The same place without them; None: there are none."

    @property
    def is_unfinished(self) -> bool:
        """Whether more may have to follow what the editor has closed.

        So it is in a tag without its end, in a key of JSON, and in a string that begins a line: it may be a
        key, or need a comma.
        """
        if self.hole.is_in_new_tag:
            return True
        if not self.hole.open or self.hole.open[-1].kind is not OpeningKind.STRING:
            return False
        outer, above = self.hole.open[:-1], self.before[: self.hole.open[-1].offset]
        is_key = self.hole.language.data and not above.rstrip().endswith((":", "["))
        return (
            bool(outer) and outer[-1].mark in ("{", "[") and (is_key or not above.rpartition("\n")[2].strip())
        )


@frozen
class Rejection:
    """Why a text is not offered."""

    reason: NoCompletionReason
    message: str
    misfit: Misfit | None = None
    "What does not fit."

    @property
    def note(self) -> str | None:
        """Why the text may be shown if no other candidate fits; None: it may not."""
        if self.misfit is not Misfit.NOT_IMPORTED:
            return None
        return f"Shown although {_in_a_sentence(self.misfit)}: no other candidate fits."


@frozen
class Checked:
    """A generated text, cleaned up and checked."""

    stop: Stop | None
    "Where it ends; None: where the model ended it."
    cleaned: Cleaned
    confidence: float
    "The model's own probability of what is kept."
    rejection: Rejection | None
    "Why it is not offered; None: it is, if it is not empty."
    needs_end: bool = False
    "Whether the line needs something after the brackets that the editor has closed."
    over: Rest | None = None
    "What is inserted in place of brackets that the editor has closed, where the line goes on after them."

    @property
    def is_offered(self) -> bool:
        """Whether there is a text, and it passed."""
        return self.rejection is None and bool(self.cleaned.text)

    @property
    def fits(self) -> bool:
        """Whether it fits, and is not cut to its first lines."""
        is_part = self.stop is not None and self.stop.rule is StopRule.FIRST_LINES
        return self.rejection is None and not is_part

    @property
    def needs_more(self) -> bool:
        """Whether it fits only with more after these brackets, if at all."""
        return self.needs_end or self.over is not None or not self.fits


def surroundings(
    before: str,
    after: str,
    language: Language,
    trees: SyntaxTrees,
    check_cancel: Callable[[], None] = lambda: None,
) -> Surroundings:
    """Find out what is missing at a cursor; `check_cancel`: as in `SyntaxTrees.at`."""

    def read(after: str) -> Surroundings:
        tree = trees.at(before, after, language, check_cancel)
        openings = tree.openings() if tree else None
        hole = read_hole(before, after, tree.language if tree else language, openings)
        return Surroundings(before, after, hole, tree)

    # Some editors keep the blank that is typed in brackets on both sides.
    blanks, (line, _, _) = len(after) - len(after.lstrip(" ")), after.partition("\n")
    closers = after[: blanks + closed_in_line(before, after[blanks:])]
    if not closers.strip() or line.strip() != closers.strip() or ">" in closers:
        return read(after)
    # Only where a text does not fit: parsing the line once more takes some milliseconds.
    return evolve(read(after), closers=closers, unclosed=lambda: read(after.removeprefix(closers)))


def check(
    around: Surroundings,
    text: str,
    stop: Stop | None,
    rated: Rated,
    options: GenerationOptions,
    begins: Callable[[str], None],
) -> Checked:
    """Clean up and check a generated text that ends at `stop`.

    If it does not fit, its first lines may, as they are shown while the rest is generated. What only closes a
    bracket in which something is missing does not fit. `begins` is called with each stage.
    """
    begins("clean-up")
    cleaned = clean(around.hole, text, stop, around.tree)
    is_closed = not cleaned.text and stop is not None and stop.rule is StopRule.CLOSED_AFTER
    if is_closed and _lacks_something(around):
        cleaned = evolve(cleaned, empty_reason=NoCompletionReason.DOES_NOT_FIT)
    begins("checks")
    found = _check_whole(around, text, stop, cleaned, rated, options)
    if found.rejection is None or found.needs_end or found.over:
        return found
    tried = (
        _check(around, text, *part, rated, options)
        for part in _beginnings(around, text, found, found.rejection.misfit)
    )
    return next((part for part in tried if part.is_offered), found)


def check_first_lines(
    around: Surroundings, text: str, stop: Stop, rated: Rated, options: GenerationOptions
) -> Checked | None:
    """Check the finished lines of a text that is still being generated; None: they are not to be shown."""
    checked = _check(around, text, stop, clean(around.hole, text, stop, around.tree), rated, options)
    return checked if checked.is_offered else None


def _check_whole(
    around: Surroundings,
    text: str,
    stop: Stop | None,
    cleaned: Cleaned,
    rated: Rated,
    options: GenerationOptions,
) -> Checked:
    """Check a text that was cleaned up.

    If it does not fit, something else may in its place (`_others`); what ends because it repeats itself may
    leave its own brackets open; and where the line ends with brackets that the editor has closed, it may go
    on after them.
    """
    found = _check(around, text, stop, cleaned, rated, options)
    if found.is_offered:
        ended = _ended_string(around, cleaned.text, options)
        return evolve(found, over=Rest(ended, len(around.closers))) if ended else found
    if found.rejection is None or found.rejection.reason is not NoCompletionReason.DOES_NOT_FIT:
        return found
    others = _others(around, text, stop, cleaned)
    different = (other for other in others if other[1].text and other[1] != cleaned)
    tried = (_check(around, text, *other, rated, options) for other in different)
    fitting = next((other for other in tried if other.rejection is None), None)
    if fitting is None and stop is not None and stop.rule is StopRule.REPETITION:
        cut = _check(around, text, stop, cleaned, rated, options, is_cut=True)
        fitting = cut if cut.rejection is None else None
    is_broken = found.rejection.misfit in (Misfit.BROKEN_SYNTAX, Misfit.NO_BLOCK)
    end = _missing_end(around, cleaned.text, options) if fitting is None and is_broken else None
    if end is None:
        return fitting or found
    # In a line of their own, brackets are indented as the text says.
    is_alone = not cleaned.text.rpartition("\n")[2].strip()
    closed = f"{cleaned.text}{around.closers.lstrip(' ') if is_alone else around.closers}{end}"
    over = Rest(closed, len(around.closers)) if end in INSERTED else None
    return evolve(found, rejection=_unsure(found.confidence, options), over=over, needs_end=True)


def _lacks_something(around: Surroundings) -> bool:
    """Whether the cursor's line does not parse as it is, such as `[ for x in xs]`."""
    tree = around.tree
    return tree is not None and len(tree.without_line.faults()) < len(tree.faults())


def _others(
    around: Surroundings, text: str, stop: Stop | None, cleaned: Cleaned
) -> Iterator[tuple[Stop | None, Cleaned]]:
    """Yield what may fit in place of a text that does not, each with its end.

    With a comma, where others follow it in a list; up to the line that opens the block for a deeper line
    below.
    """
    yield stop, evolve(cleaned, text=with_comma(around.hole, cleaned.text))
    if (header := block_header(around.hole, text)) is not None:
        yield header, clean(around.hole, text, header, around.tree)


def _beginnings(
    around: Surroundings, text: str, whole: Checked, misfit: Misfit | None
) -> Iterator[tuple[Stop | None, Cleaned]]:
    """Yield parts of a text that may fit without the rest, each with its end.

    Its finished lines, the most first; what is above a placeholder; what is before something that is there
    twice or misplaced, or before an `else` that makes the code below dead.
    """
    for line in finished_lines(around.hole, text, whole.stop.end if whole.stop else len(text)):
        yield line, clean(around.hole, text, line, around.tree)
    if (kept := _without_fault(around, whole.cleaned.text, misfit)) is not None:
        yield whole.stop, clean(around.hole, kept, None, around.tree)


def _without_fault(around: Surroundings, text: str, misfit: Misfit | None) -> str | None:
    """Return what is before a fault that ends the text; None: it is of another kind."""
    if misfit is Misfit.DEAD_CODE:
        return without_else(around.hole, text)
    if misfit is Misfit.PLACEHOLDER:
        return above_placeholder(around.hole, text)
    if misfit is Misfit.DUPLICATE_KEY and not around.tree:
        return without_what_is_repeated(around.hole, text)
    find = FIRST_FAULTS.get(misfit) if misfit else None
    return text_before(around.tree, text, find) if around.tree and find else None


def _ended_string(around: Surroundings, text: str, options: GenerationOptions) -> str | None:
    """Return a text with the quote and comma that part it from the string in the next line; None: not needed.

    It is legal in some languages, but in a list where the line above ends with a comma hardly anybody means
    it, unless a blank ends the text. In calls, messages are written so.
    """
    hole = around.hole
    above = hole.head[: len(hole.head) - len(hole.before)].rstrip()
    begins = hole.before.lstrip()[:1], hole.below.lstrip()[:1], around.closers
    is_in_list = len(hole.open) > 1 and hole.open[-2].mark in ("[", "{")
    if not (is_in_list and above.endswith(",") and len({*begins}) == 1 and around.closers in ("'", '"')):
        return None
    if text.endswith(" ") or around.unclosed is None:
        return None
    open_line, ended = around.unclosed(), f"{text}{around.closers},"
    fits = _find_misfit(open_line, ended, options) is None and not _has_faults(open_line, ended)
    return ended if fits else None


def _missing_end(around: Surroundings, text: str, options: GenerationOptions) -> str | None:
    """Return what the line still needs after its closing brackets, such as `:` in `if f(a):`."""
    if around.unclosed is None:
        return None
    open_line, closed, tree = around.unclosed(), f"{text}{around.closers}", around.tree
    fitting = (end for end in ENDS if _find_misfit(open_line, closed + end, options) is None)
    # A file has faults without its closing brackets, which would excuse those of the text.
    is_sound = tree is not None and not (tree.faults() and tree.without_line.faults())
    return next((end for end in fitting if not (is_sound and _has_faults(open_line, closed + end))), None)


def _has_faults(around: Surroundings, text: str) -> bool:
    filled = around.tree.filled(text) if around.tree else None
    return filled is not None and bool(filled.faults())


def _check(
    around: Surroundings,
    text: str,
    stop: Stop | None,
    cleaned: Cleaned,
    rated: Rated,
    options: GenerationOptions,
    *,
    is_cut: bool = False,
) -> Checked:
    """Check a text that was cleaned up; `is_cut`: it may end in a bracket of its own."""
    confidence = confidence_in(rated, stop.end if stop else len(text))
    is_cut |= stop is not None and stop.rule is StopRule.TRUNCATED
    rejection = _find_rejection(around, cleaned.text, confidence, options, is_cut=is_cut)
    return Checked(stop, cleaned, confidence, rejection)


def _find_rejection(
    around: Surroundings, text: str, confidence: float, options: GenerationOptions, *, is_cut: bool
) -> Rejection | None:
    """Return why `text` is not offered; None: it is."""
    if not text:
        return None
    misfit = _find_misfit(around, text, options, is_cut=is_cut)
    unfit = Rejection(NoCompletionReason.DOES_NOT_FIT, _why_unfit(misfit), misfit) if misfit else None
    # What may be shown all the same has to be probable enough.
    return unfit if unfit and not unfit.note else _unsure(confidence, options) or unfit


def _find_misfit(
    around: Surroundings, text: str, options: GenerationOptions, *, is_cut: bool = False
) -> Misfit | None:
    if options.show != "fitting":
        return None
    return find_misfit(around.hole, around.before, around.after, text, around.tree, is_cut=is_cut)


def _unsure(confidence: float, options: GenerationOptions) -> Rejection | None:
    if confidence < options.min_confidence:
        return Rejection(
            NoCompletionReason.LOW_CONFIDENCE,
            f"The model gives the generated text a probability of {confidence:.2g}; the setting "
            f"min_confidence requires {options.min_confidence:.2g}.",
        )
    return None


def _why_unfit(misfit: Misfit) -> str:
    """Say what is wrong in one sentence that needs no other."""
    return f"The generated text does not fit: {_in_a_sentence(misfit)} (setting show)."


def _in_a_sentence(misfit: Misfit) -> str:
    return misfit.message[0].lower() + misfit.message[1:].removesuffix(".")


def confidence_in(rated: Rated, end: int) -> float:
    """Return the model's own probability of a text's first `end` characters.

    Args:
        rated: its tokens.
        end: characters that count; a token that reaches beyond them counts in full.
    """
    return exp(next((log_probability for length, log_probability in rated if length >= end), rated[-1][1]))
