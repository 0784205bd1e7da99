"""Whether a finished text is offered: it has to fit the text around it, and the model has to be confident."""

from collections.abc import Sequence
from math import exp

from attrs import frozen

from aide_lsp.inference.options import GenerationOptions
from aide_lsp.infill.checks.find import find_problem
from aide_lsp.infill.hole import Hole
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.syntax.trees import SyntaxTree


@frozen
class Place:
    """The cursor, and what is known of the text around it."""

    before: str
    "Text before the cursor, with \\n line ends."
    after: str
    "Text after it."
    hole: Hole
    "What is missing there."
    tree: SyntaxTree | None
    "The syntax tree of the text; None: no grammar, or the text is too large."


@frozen
class Rejection:
    """Why a text is not offered."""

    reason: NoCompletionReason
    message: str


def find_rejection(
    place: Place, text: str, confidence: float, options: GenerationOptions
) -> Rejection | None:
    """Return why `text` is not offered at a place; None: it is."""
    if not text:
        return None
    if options.show == "fitting":
        problem = find_problem(place.hole, place.before, place.after, text, place.tree)
        if problem:
            return Rejection(NoCompletionReason.DOES_NOT_FIT, f"{problem.message} (setting show)")
    if confidence < options.min_confidence:
        return Rejection(
            NoCompletionReason.LOW_CONFIDENCE,
            f"The model's confidence is {confidence:.2f}, below {options.min_confidence:.2f} (setting min_confidence).",
        )
    return None


def confidence_in(rated: Sequence[tuple[int, float]], end: int) -> float:
    """Return the model's own probability per token of a text's first `end` characters.

    Args:
        rated: for each token, from none on, the length of the text so far and the logarithm of its probability.
        end: characters that count; a token that reaches beyond them counts in full.
    """
    count = next((n for n, (length, _) in enumerate(rated) if length >= end), len(rated) - 1)
    return exp(rated[count][1] / count) if count else 1.0
