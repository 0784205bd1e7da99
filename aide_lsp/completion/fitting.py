"""Whether a finished text is offered: it has to fit the text around it, and the model has to be confident."""

from collections.abc import Sequence
from math import exp

from attrs import frozen

from aide_lsp.inference.options import GenerationOptions
from aide_lsp.infill.checks.find import find_misfit
from aide_lsp.infill.hole import Hole
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.syntax.tree import SyntaxTree


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


@frozen
class Rejection:
    """Why a text is not offered."""

    reason: NoCompletionReason
    message: str


def find_rejection(
    around: Surroundings, text: str, confidence: float, options: GenerationOptions
) -> Rejection | None:
    """Return why `text` is not offered; None: it is."""
    if not text:
        return None
    if options.show == "fitting":
        misfit = find_misfit(around.hole, around.before, around.after, text, around.tree)
        if misfit:
            return Rejection(NoCompletionReason.DOES_NOT_FIT, f"{misfit.message} (setting show)")
    if confidence < options.min_confidence:
        return Rejection(
            NoCompletionReason.LOW_CONFIDENCE,
            f"The model gives it {confidence:.2f} per token; the setting min_confidence asks for "
            f"{options.min_confidence:.2f}.",
        )
    return None


def confidence_in(rated: Sequence[tuple[int, float]], end: int) -> float:
    """Return the model's own probability per token of a text's first `end` characters.

    Args:
        rated: for each token, from none on: the length of the text so far, the logarithm of its probability.
        end: characters that count; a token that reaches beyond them counts in full.
    """
    count = next((n for n, (length, _) in enumerate(rated) if length >= end), len(rated) - 1)
    return exp(rated[count][1] / count) if count else 1.0
