"""Projects as the tests write them: what is in which file, without a disk."""

import posixpath

from aide_lsp.context.imports.find import imported_files, imports_in
from aide_lsp.language_ids.table import language_id_of


class Written:
    """The files of a project, from a dictionary of texts; it counts the looks at it."""

    def __init__(self, texts):
        self.texts = texts
        self.listed = set()
        self.read = set()

    def files(self, folder):
        self.listed.add(folder)
        return {path.rpartition("/")[2] for path in self.texts if posixpath.dirname(path) == folder}

    def folders(self, folder):
        self.listed.add(folder)
        prefix = f"{folder}/" if folder else ""
        below = (path.removeprefix(prefix) for path in self.texts if path.startswith(prefix))
        return {path.partition("/")[0] for path in below if "/" in path}

    def text(self, path):
        self.read.add(path)
        return self.texts[path]


def project(text):
    """Return the texts of a project that is written as one text: `== path` precedes each file."""
    parts = ("\n" + text).split("\n== ")[1:]
    return {part.partition("\n")[0].strip(): part.partition("\n")[2] for part in parts}


def found(texts, document, language_id="", text=None):
    """Return which files of a project a document names; sorted, since only what is found matters here."""
    return sorted(in_turn(texts, document, language_id, text))


def in_turn(texts, document, language_id="", text=None):
    """As `found`, in the order in which they are found."""
    language_id = language_id or language_id_of("", document)
    text = texts.get(document, "") if text is None else text
    return list(imported_files(imports_in(text, language_id), document, language_id, Written(texts)))
