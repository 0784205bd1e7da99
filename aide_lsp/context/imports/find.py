"""From a document's text to the files of the project that it imports."""

import posixpath
from collections.abc import Iterator
from itertools import chain, islice, zip_longest

from aide_lsp.context.imports.statement import Import, ImportRules, stem
from aide_lsp.context.imports.table import LANGUAGES
from aide_lsp.context.imports.tree import Disk, ProjectTree

MOST_CHARACTERS = 100_000
"""Of a text, from its beginning: imports are there."""
MOST_IMPORTS = 150
"""Of a text."""
MOST_FILES_EACH = 40
"""Of one import: a package of Go has many."""
MOST_LENGTH = 300
"""Of an import's name."""
MOST_STEPS = 2
"""From a file that passes on what it imports to where it is defined."""


def imports_in(text: str, language_id: str) -> tuple[Import, ...]:
    """Return what a text imports. It is the document without the cursor's line, which is being typed."""
    rules = LANGUAGES.get(language_id)
    if rules is None:
        return ()
    found = (one for one in rules.named(text[:MOST_CHARACTERS]) if 0 < len(one.module) <= MOST_LENGTH)
    return tuple(islice(dict.fromkeys(found), MOST_IMPORTS))


def imported_files(
    imports: tuple[Import, ...], document: str, language_id: str, disk: Disk
) -> tuple[str, ...]:
    """Return the files on the disk that these imports of a document name, those of each import in turn.

    A function of the imports and of the disk as far as it was looked at.
    """
    rules = LANGUAGES.get(language_id)
    if rules is None:
        return ()
    tree = ProjectTree(disk, document)
    each = [list(islice(_files(one, rules, tree, MOST_STEPS), MOST_FILES_EACH)) for one in imports]
    in_turn = chain.from_iterable(zip_longest(*each))
    return tuple(dict.fromkeys(path for path in in_turn if path and path != document))


def _files(one: Import, rules: ImportRules, tree: ProjectTree, steps: int) -> Iterator[str]:
    """Yield the files of one import, and where those that pass on its names have them from."""
    for path in dict.fromkeys(rules.files(one, tree)):
        yield path
        if steps and one.names and rules.passes_on(path, tree):
            yield from _passed_on(path, one.names, rules, tree.seen_from(path), steps - 1)


def _passed_on(
    path: str, names: tuple[str, ...], rules: ImportRules, tree: ProjectTree, steps: int
) -> Iterator[str]:
    left = set(names) - {"default"}
    everything: list[str] = []
    read: list[Import] = tree.once(
        ("passed on", path), lambda: list(rules.named(tree.text(path)[:MOST_CHARACTERS]))
    )
    for inner in read:
        if "*" in inner.names:
            everything += _files(Import(inner.module, names), rules, tree, steps)
        elif same := tuple(name for name in inner.names if name in names):
            left.difference_update(same)
            yield from _files(Import(inner.module, same), rules, tree, steps)
    if left:
        # Of what is passed on as a unit, a file with the name of what is wanted has it; else any may have it.
        wanted = set(map(_plain, left))
        named = [one for one in everything if _plain(stem(one)) in wanted or _plain(_folder(one)) in wanted]
        yield from named or everything


def _folder(path: str) -> str:
    return posixpath.basename(posixpath.dirname(path))


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
