"""Code fences in prose: what is between two lines of backticks belongs together."""

import re

from aide_lsp.syntax.languages import Language

_FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)


def is_fenced(text: str, language: Language) -> bool:
    """Whether a text in a language of prose ends within a code fence."""
    return language.prose and "```" in text and len(_FENCE.findall(text)) % 2 == 1


def without_open_fence(text: str, *, starts_fenced: bool) -> str:
    """Drop a code fence that the text opens and does not close, with all after it."""
    fences = [match.start() for match in _FENCE.finditer(text)]
    return text[: fences[-1]] if fences and (len(fences) + starts_fenced) % 2 else text
