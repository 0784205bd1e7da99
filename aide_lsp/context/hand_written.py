"""Tells text that people wrote from text that programs did: only the former is worth a place in a prompt."""

import re

_HEAD_LINES, _HEAD = 15, 2000
_COMMENT = re.compile(r"\s*(?:[#/*;%<'\"({!-]|rem\b)", re.IGNORECASE)
_GENERATED = re.compile(
    r"""@generated\b | <auto-?generated | \bDO[ ]NOT[ ](?:EDIT|MODIFY|CHANGE)\b
    | \b(?i: do[ ]not[ ](?:edit|modify|change)[ ](?:this[ ]file|manually|by[ ]hand|directly)
        | auto-?generated | automatically[ ]generated | code[ ]generated[ ]by )\b
    | ^\W*(?i: generated[ ](?:by|from|with|using|on) )\b""",
    re.VERBOSE,
)
_LONG_LINE = 500
_SHORTEST_MINIFIED = 2000


def problem_of(text: str) -> str:
    """Say why a text is of no use; empty: people wrote it."""
    if "\0" in text:
        return "it is binary"
    if _is_minified(text):
        return "it is minified, or data"
    return "it is generated" if is_generated(text) else ""


def is_generated(text: str) -> bool:
    """Whether a comment at the beginning of a text says that a program wrote it."""
    lines = text[:_HEAD].split("\n")[:_HEAD_LINES]
    return any(_COMMENT.match(line) and _GENERATED.search(line) for line in lines)


def _is_minified(text: str) -> bool:
    """Whether most of a text is in lines that nobody could read."""
    if len(text) < _SHORTEST_MINIFIED:
        return False
    return 2 * sum(len(line) for line in text.split("\n") if len(line) > _LONG_LINE) > len(text)
