"""Says what ended a completion, and what clean-up changed."""

from aide_lsp.completion.fitting import Rejection
from aide_lsp.completion.observer import GeneratedText
from aide_lsp.infill.cleanup import Cleaned

END_TOKEN = "The model ended the text itself, with an end token."
FINISH_REASONS = {
    "stop": END_TOKEN,
    "length": "The token limit was reached (setting max_tokens).",
    "timeout": "The deadline passed (setting deadline_ms).",
}
"""What each finish reason means when no stop rule applied."""


def why_ended(generated: GeneratedText, by_end_token: bool) -> str:
    """Say what ended the text."""
    if generated.stop is None:
        return FINISH_REASONS[generated.finish_reason]
    # An end token completes the last line, so a stop rule may apply at the same time.
    message = generated.stop.rule.message
    return f"{END_TOKEN} {message}" if by_end_token else message


def what_clean_up_did(cleaned: Cleaned, removed: str, added: str, invisible: str) -> str:
    """Say what clean-up changed."""
    if cleaned.empty_reason:
        return f"Nothing is left to show. {cleaned.empty_reason.message}"
    if not removed and not added and not invisible:
        return "Nothing was changed."
    kind = "whitespace" if not removed.strip() else "repeated or unfinished"
    kind = "a separator" if removed.strip() == "," else kind
    what = "the line end before the next line" if "\n" in added else "indentation"
    what = "separators" if added.strip() else what
    changes = [
        f"{_characters(invisible)} removed: invisible ({_code_points(invisible)})" if invisible else "",
        f"{_characters(removed)} removed: {kind}" if removed else "",
        f"{_characters(added)} added: {what}" if added else "",
    ]
    return f"{'; '.join(change for change in changes if change)}."


def what_checks_found(
    cleaned: Cleaned, rejection: Rejection | None, confidence: float | None, show: str
) -> str:
    """Say how probable the text of the answer is, and whether it passed the checks.

    They run if the setting `show` is `fitting`. `confidence`: its probability; None: not known.
    """
    if not cleaned.text:
        return "There was nothing to check."
    passed = "The text passed the checks." if show == "fitting" else "The checks are off (setting show)."
    known = "not known" if confidence is None else f"{confidence:.2g}"
    found = (rejection.note or rejection.message) if rejection else passed
    return f"{found} The text's probability is {known}."


def _characters(text: str) -> str:
    return f"{len(text)} character{'s' if len(text) != 1 else ''}"


def _code_points(text: str) -> str:
    return ", ".join(f"U+{ord(character):04X}" for character in dict.fromkeys(text))
