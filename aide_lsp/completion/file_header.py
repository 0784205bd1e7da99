"""Names the file to the model where the text around the cursor says next to nothing.

A model that reads an empty text generates what it has seen most often, in whatever language. A comment with
the file's name, as many files begin with one, says which language is meant, and what the file is for. Only
the name is read, never a folder: folders hold names of people, and differ from machine to machine.
"""

import re
from itertools import islice
from pathlib import PurePath

from aide_lsp.invisible import visible
from aide_lsp.language_ids.table import SUFFIXES, language_id_of
from aide_lsp.syntax.languages import Language, language_of

FEW_CHARACTERS = 8
"""A text with fewer letters and digits leaves the language open: `import` begins a file in many of them."""
LONGEST_NAME = 100
"""Characters of a name; a longer one says little, and may fill the context."""
UNTITLED = "main"
"""Name of a file that has none yet."""
_UNTITLED = re.compile(r"Untitled-\d+")
"""How editors name such files."""
_WORD_CHARACTER = re.compile(r"\w")
_SUFFIX_OF = {language: suffix for suffix, language in reversed(SUFFIXES.items())}


def says_little(*texts: str) -> bool:
    """Whether these texts together have hardly any letters or digits."""
    found = (match for text in texts for match in _WORD_CHARACTER.finditer(text))
    return len(list(islice(found, FEW_CHARACTERS))) < FEW_CHARACTERS


def file_header(path: str, language_id: str) -> str:
    """Return a line with the file's name, commented out; empty: there is no name or no way to write it."""
    language = language_of(language_id, path)
    name = file_name(path, language_id)
    comment = _comment(language, name)
    return f"{comment}\n" if name and comment and len(name) <= LONGEST_NAME else ""


def file_name(path: str, language_id: str) -> str:
    """Return the file's name, with the suffix of its language if it has none; empty: neither is known."""
    # On one line, and as on every system: a path of Windows may come from another machine.
    name = " ".join(visible(re.split(r"[/\\]", path)[-1]).split())
    suffix = _SUFFIX_OF.get(language_id_of(language_id, path), "")
    if PurePath(name).suffix or not suffix:
        return name
    is_saved = re.match(r"[/\\]|[A-Za-z]:", path) and not _UNTITLED.fullmatch(name)
    return (name if is_saved else UNTITLED) + suffix


def _comment(language: Language, name: str) -> str:
    if language.line_comments:
        return f"{language.line_comments[0]} {name}"
    if language.block_comments:
        start, end = language.block_comments[0]
        return f"{start} {name} {end}"
    # JSON has no comments, and still follows a name well. Prose does not: of 8 texts 4 were code.
    return name if language.data else ""
