"""The stop rules' names, and where a text ends by one of them."""

from enum import Enum

from attrs import frozen


class StopRule(Enum):
    """Why a text ends where it does: the code that `aide explain` shows, and the sentence for people."""

    FENCE = "fence", "The model generated a code fence: what follows is explanation, not code."
    REPETITION = "repetition", "The model only repeated itself, or kept counting."
    CLOSED_AFTER = "closed-behind", "The model generated a closing mark that is already after the cursor."
    LINE = "line", "The expression or line is complete."
    BLOCK = "block", "The block is complete: the next line is outside it."
    DEFINITION = "definition", "The definition is complete: something else begins after it."
    BLOCK_HEADER = "header", "The model generated the line that opens the block below the cursor."
    LINE_BELOW = "line-below", "The model repeated a line below the cursor."
    REST_OF_LINE = "joint", "The model repeated the text to the right of the cursor."
    NEXT_WORDS = "next-words", "The model generated the words that are next to the right of the cursor."
    DOES_NOT_FIT = "does-not-fit", "The generated text does not lead to what is to the right of the cursor."
    TRUNCATED = (
        "broken-off",
        "The token limit was reached (setting max_tokens): only what is complete is kept.",
    )
    FIRST_LINES = "first-lines", "Not all of it fits: only the first lines that do are kept."

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message

    @property
    def repeats_suffix(self) -> bool:
        """Whether the model continued with what is already after the cursor."""
        return self in (
            StopRule.CLOSED_AFTER,
            StopRule.LINE_BELOW,
            StopRule.REST_OF_LINE,
            StopRule.NEXT_WORDS,
        )

    @property
    def leads_to_line_below(self) -> bool:
        """Whether the line below the cursor is what comes next."""
        return self in (StopRule.BLOCK_HEADER, StopRule.LINE_BELOW)

    @property
    def is_exact(self) -> bool:
        """Whether clean-up keeps the end as it is, even where it looks like the text after the cursor."""
        return self in (StopRule.REST_OF_LINE, StopRule.NEXT_WORDS)


@frozen
class Stop:
    """Where the text ends, and why."""

    end: int
    "Characters to keep."
    decided_at: int
    "Characters needed for the decision."
    rule: StopRule
    "The rule that applied."
