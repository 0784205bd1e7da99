"""Cases in files of `tests/data`: what may come at a cursor in a project."""

import re

import pytest

from aide_lsp.context.reader import ContextPlace, ContextReader
from tests.context.projects import write

SUFFIX = {
    "python": "py", "go": "go", "java": "java", "javascript": "js", "typescript": "ts", "rust": "rs",
}  # fmt: skip


def cases(folder):
    """Yield the cases: after `###` what they show, after `---` a file, after `=>` what may come."""
    for path in sorted(folder.glob("*.txt")):
        what = ""
        for number, case in enumerate(re.split(r"^###", path.read_text("utf-8"), flags=re.MULTILINE)[1:]):
            title, _, rest = case.partition("\n")
            what = title.strip() or what
            texts, _, expected = rest.rpartition("\n=> ")
            yield pytest.param(path.stem, texts + "\n", expected.strip(), id=f"{path.stem}-{number}-{what}")


def asked(root, language, texts, change=lambda text: text):
    """Write the files of a case; return its reader and place: the cursor is in the file with the mark."""
    files = re.split(r"^--- (.*)\n", texts, flags=re.MULTILINE)
    named = dict(zip(files[1::2], files[2::2], strict=True)) or {f"app/x.{SUFFIX[language]}": files[0]}
    [(path, marked)] = [(path, text) for path, text in named.items() if "█" in text]
    write(root, {other: text for other, text in named.items() if other != path})
    before, _, after = change(marked).partition("█")
    return ContextReader(), ContextPlace(root / path, root, before + after, len(before), language)
