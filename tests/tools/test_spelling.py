"""All text is in American English, as far as a list of British spellings shows."""

import re

from tools.generate.pages import REPOSITORY

FOLDERS = (
    "aide_lsp",
    "benchmarks",
    "docs",
    "editors/nvim",
    "editors/vscode/src",
    "editors/tests",
    "tests",
    "tools",
)
SUFFIXES = (".py", ".md", ".toml", ".ts", ".lua", ".js", ".css")
_VERBS = (
    "token|normal|initial|optim|serial|organ|recogn|summar|minim|maxim|quant|real|util|random|general|special"
)
# Python's own `cancelled` is a name, so only its other forms are listed.
BRITISH = re.compile(
    rf"(?i)(?<![a-z])(?:re)?(?:{_VERBS})is(?:e|ed|es|ing|ation)\b"
    r"|\b(?:colou|behaviou|favou|honou|neighbou|flavou|labou)r|\b(?:cancelling|labelled|modelled|travelled)\b"
    r"|\b(?:analys(?:e|ed|ing)|centre|licence|catalogue|artefact|grey|towards|whilst|amongst|judgement)s?\b"
)
EXCEPT = ("test_spelling.py", "test_cards.py")
"""Modules about misspelled words."""


def test_text_is_american():
    files = [
        path
        for folder in FOLDERS
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in SUFFIXES and path.name not in EXCEPT
    ]
    assert len(files) > 400
    found = [
        f"{path.relative_to(REPOSITORY)}: {match[0]}"
        for path in files
        for match in BRITISH.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
