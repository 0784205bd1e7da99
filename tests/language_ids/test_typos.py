"""Names that no editor has for a language, and those that one may have."""

import re
from pathlib import Path

import pytest

from aide_lsp.language_ids.table import KNOWN_IDS
from aide_lsp.language_ids.typos import intended_id

EDITORS = Path(__file__).parents[2] / ".editors"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("pyton", "python"),
        ("Pythonn", "python"),
        ("pyhton", "python"),
        ("pytthon", "python"),
        ("pythom", "python"),
        ("typescritp", "typescript"),
        ("shelscript", "shellscript"),
        ("java-script", "javascript"),
        ("objective_c", "objective-c"),
        ("py", "python"),
        ("yml", "yaml"),
        ("ts", "typescript"),
    ],
)
def test_a_misspelled_language_is_recognized(written: str, meant: str):
    assert intended_id(written) == meant


OTHERS = (
    "perl6", "json5", "jsonnet", "python2", "eelixir", "lhaskell", "datascript", "markdoc", "raku", "hcl",
    "terraform", "graphql", "astro", "sass", "haml", "vue-html", "cython", "pysonn", "", "x" * 100_000,
)  # fmt: skip


@pytest.mark.parametrize("written", [*sorted(KNOWN_IDS), "Python", *OTHERS], ids=lambda written: written[:20])
def test_what_an_editor_may_define_is_left_alone(written: str):
    assert intended_id(written) is None


def test_no_file_type_of_neovim_is_taken_for_a_typo():
    """It has a thousand, of which Aide knows a tenth."""
    runtimes = [*EDITORS.glob("nvim*/**/nvim/runtime")]
    if not runtimes:
        pytest.skip("Neovim is not installed: make test-editors")
    file_types = {file.stem for runtime in runtimes for file in runtime.glob("syntax/*.vim")}
    for table in (runtime / "lua/vim/filetype.lua" for runtime in runtimes):
        file_types.update(re.findall(r"(?<!=)= '([\w.+-]+)'", table.read_text("utf-8")))
    assert len(file_types) > 500
    assert {name: meant for name in file_types if (meant := intended_id(name))} == {}
