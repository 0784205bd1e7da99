"""What ended a completion, in words.

In: what was written and what clean-up left of it. Out: sentences. It does not decide anything: the rules
are those of `completion/stopping.py`, one sentence for each.
"""

from aide_lsp.completion.postprocess import MESSAGES, Cleaned
from aide_lsp.completion.writer import Written

RULES = {
    "fence": "A code fence came: what follows one is talk, not code.",
    "repetition": "The same line came three times in a row.",
    "closed-behind": "A bracket or quote came that stands behind the cursor already.",
    "line": "The expression or line was whole.",
    "block": "The block was whole: a line came that is not in it.",
    "definition": "The definition was whole: something new began behind it.",
    "header": "A line came that opens the block which stands below the cursor.",
    "line-below": "The line that stands below the cursor came out again.",
    "joint": "What stands right of the cursor came out again.",
    "broken-off": "The text was broken off at the token limit (max_tokens); only whole lines are kept.",
}
"""What each stop rule means."""
END_TOKEN = "The model ended the text itself, with an end token."
REASONS = {
    "stop": END_TOKEN,
    "length": "The token limit was reached (setting max_tokens).",
    "timeout": "The deadline passed (setting deadline_ms).",
}
"""What the finish reasons mean where no stop rule held."""


def why_ended(written: Written, by_end_token: bool) -> str:
    """Say what ended the text."""
    if written.stop is None:
        return REASONS[written.finish_reason]
    said = RULES[written.stop.rule]
    return f"{END_TOKEN} {said}" if by_end_token else said


def what_clean_up_did(cleaned: Cleaned, removed: str, added: str, invisible: str) -> str:
    """Say what clean-up changed."""
    if cleaned.empty_reason:
        return f"Nothing is left to show. {MESSAGES[cleaned.empty_reason]}"
    if not removed and not added and not invisible:
        return "Nothing had to be changed."
    changes = [
        f"{_characters(invisible)} left out: invisible ({_code_points(invisible)})" if invisible else "",
        f"{_characters(removed)} left out: {'blanks' if not removed.strip() else 'what stands there already'}"
        if removed
        else "",
        f"{_characters(added)} added: the line end before the line that follows" if added else "",
    ]
    return f"{'; '.join(change for change in changes if change)}."


def _characters(text: str) -> str:
    return f"{len(text)} character{'s' if len(text) != 1 else ''}"


def _code_points(text: str) -> str:
    return ", ".join(f"U+{ord(character):04X}" for character in dict.fromkeys(text))
