"""The reasons for no completion as a Markdown table, for the page on the language server."""

from aide_lsp.reasons import NoCompletionReason


def reason_table() -> str:
    """Render the code and the message of every reason."""
    rows = ["| Reason | Message |", "|---|---|"]
    rows += [f"| `{reason.code}` | {reason.message} |" for reason in NoCompletionReason]
    return "\n".join(rows)
